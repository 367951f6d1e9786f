//! Do the two sessions keep their word when the broker and the line do not? Against the embedded broker and its faults.
#![cfg(feature = "demo")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, too

mod mqtt_support;

use bytes::Bytes;
use innkeeper::mqtt::{
    AckOrder, Down, PublishEvent, PublishOptions, Publisher, SubscribeEvent, SubscribeOptions, Subscriber,
};
use innkeeper::simulate::broker::{AckFault, Broker};
use mqtt_support::*;
use std::time::{Duration, Instant};

const MILLI: Duration = Duration::from_millis(1);

async fn send_one(address: std::net::SocketAddr, topic: &str, payload: Bytes) {
    let mut publisher = publisher(address, "once");
    lane(&mut publisher).await.send(0, topic, payload).await.unwrap();
    published(&mut publisher, |event| {
        matches!(event, PublishEvent::Delivered(0)).then_some(())
    })
    .await;
    publisher.stop().await;
}

/// A client of the library as it comes, for what the sessions here never do.
fn bare(broker: &Broker, change: impl FnOnce(&mut rumqttc::MqttOptions)) -> (rumqttc::AsyncClient, rumqttc::EventLoop) {
    let mut options = rumqttc::MqttOptions::new("bare", "127.0.0.1", broker.address().port());
    options.set_max_packet_size(1 << 20, 1 << 20);
    change(&mut options);
    rumqttc::AsyncClient::new(options, 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_messages_on_a_line_cut_every_15_to_120_ms_all_arrive() {
    const COUNT: usize = 20_000;
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/out"]);
    up(&mut receiver).await;
    let faults = broker.faults();
    let cutter = cut_again_and_again(move || faults.cut_all());
    let receiving = tokio::spawn(receive_all(receiver, COUNT, Duration::ZERO));
    let mut sender = publisher(broker.address(), "sender");
    let sending = send_all(&mut sender, "inn/out", COUNT, 100);
    let sessions = tokio::time::timeout(TEST_WITHIN, sending)
        .await
        .expect("everything is sent");
    let received = tokio::time::timeout(TEST_WITHIN, receiving)
        .await
        .expect("everything arrives")
        .unwrap();
    cutter.abort();
    assert_eq!(received.times.len(), COUNT);
    assert!(sessions > 3, "the line was cut");
    println!(
        "{COUNT} sent, 0 lost, {} twice; {sessions} sessions of the sender, {} of the receiver",
        received.duplicates(),
        received.connections
    );
}

#[tokio::test]
async fn a_broker_that_stops_reading_is_noticed_within_the_watchdog() {
    let broker = Broker::on_loopback().unwrap();
    let mut sender = publisher(broker.address(), "sender");
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/#"]);
    lane(&mut sender).await;
    up(&mut receiver).await;
    broker.faults().stall(true);
    let began = Instant::now();
    let (sender, receiver) = tokio::join!(publisher_down(&mut sender), subscriber_down(&mut receiver));
    let watchdog = Duration::from_secs(2 + 5);
    assert!(
        matches!((&sender, &receiver), (Down::Silent(_), Down::Silent(_))),
        "{sender} / {receiver}"
    );
    assert!(began.elapsed() < watchdog, "noticed after {:?}", began.elapsed());
    println!(
        "a silent broker was noticed after {:?}; the watchdog is {watchdog:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_broker_that_lives_but_does_not_acknowledge_ends_the_session_and_the_message_goes_again() {
    let broker = Broker::on_loopback().unwrap();
    broker.faults().acks(AckFault::Drop);
    let mut options = PublishOptions::new(link(broker.address(), "sender"));
    options.acknowledge_within = 300 * MILLI;
    let mut sender = Publisher::start(options).unwrap();
    lane(&mut sender)
        .await
        .send(7, "inn/out", Bytes::from_static(b"milk"))
        .await
        .unwrap();
    assert!(matches!(publisher_down(&mut sender).await, Down::Unacknowledged(_)));
    broker.faults().acks(AckFault::None);
    lane(&mut sender)
        .await
        .send(7, "inn/out", Bytes::from_static(b"milk"))
        .await
        .unwrap();
    published(&mut sender, |event| {
        matches!(event, PublishEvent::Delivered(7)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn acknowledgements_out_of_order_or_twice_end_the_session_and_confuse_no_ticket() {
    for fault in [AckFault::Swap, AckFault::Double] {
        let broker = Broker::on_loopback().unwrap();
        broker.faults().acks(fault);
        let mut sender = publisher(broker.address(), "sender");
        let open = lane(&mut sender).await;
        for ticket in 0..2 {
            open.send(ticket, "inn/out", Bytes::new()).await.unwrap();
        }
        let mut delivered = Vec::new();
        let down = published(&mut sender, |event| match event {
            PublishEvent::Delivered(ticket) => {
                delivered.push(ticket);
                None
            }
            PublishEvent::Down(down) => Some(down),
            _ => None,
        })
        .await;
        assert!(matches!(down, Down::Mismatch { .. }), "{fault:?}: {down}");
        assert!(
            delivered.is_empty() || fault == AckFault::Double && delivered[0] == 0,
            "{fault:?}: {delivered:?}"
        );
    }
}

#[tokio::test]
async fn a_broker_that_confirms_in_its_own_order_is_served_where_that_is_allowed() {
    let broker = Broker::on_loopback().unwrap();
    broker.faults().acks(AckFault::Swap);
    let mut options = PublishOptions::new(link(broker.address(), "sender"));
    options.ack_order = AckOrder::Any;
    options.window = 5;
    let mut sender = Publisher::start(options).unwrap();
    let sending = send_all(&mut sender, "inn/out", 2_000, 0);
    assert_eq!(
        tokio::time::timeout(TEST_WITHIN, sending)
            .await
            .expect("everything is sent"),
        1,
        "in one session"
    );
}

#[tokio::test]
async fn a_lost_session_is_subscribed_again_and_a_kept_one_is_resumed() {
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/+/state"]);
    assert_eq!(up(&mut receiver).await, (1, false));
    broker.faults().cut_all();
    assert_eq!(up(&mut receiver).await, (2, true));
    broker.faults().forget_sessions();
    assert_eq!(up(&mut receiver).await, (3, false));
    send_one(broker.address(), "inn/1204/state", Bytes::from_static(b"on")).await;
    assert_eq!(batch(&mut receiver).await[0].topic, "inn/1204/state");
}

#[tokio::test]
async fn what_was_published_while_the_line_was_down_arrives_when_it_is_back() {
    let broker = Broker::on_loopback().unwrap();
    let line = Line::to(broker.address()).await;
    let mut receiver = subscriber(line.address, "receiver", &["inn/out"]);
    up(&mut receiver).await;
    let port = line.address;
    drop(line);
    broker.faults().cut_all();
    subscriber_down(&mut receiver).await;
    send_one(broker.address(), "inn/out", Bytes::from_static(b"meanwhile")).await;
    let listener = tokio::net::TcpListener::bind(port).await.unwrap();
    let target = broker.address();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        }
    });
    assert_eq!(batch(&mut receiver).await[0].payload, "meanwhile");
}

#[tokio::test]
async fn a_retained_message_of_300_kb_arrives_marked_as_retained_and_a_live_one_does_not() {
    let broker = Broker::on_loopback().unwrap();
    let (client, mut eventloop) = bare(&broker, |_| {});
    client
        .publish("inn/devices", rumqttc::QoS::AtMostOnce, true, vec![b'x'; 300_000])
        .await
        .unwrap();
    client
        .subscribe("inn/devices", rumqttc::QoS::AtLeastOnce)
        .await
        .unwrap();
    while !matches!(
        eventloop.poll().await.unwrap(),
        rumqttc::Event::Incoming(rumqttc::Packet::Publish(_))
    ) {}
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/devices"]);
    let kept = batch(&mut receiver).await.remove(0);
    assert_eq!((kept.payload.len(), kept.retain), (300_000, true));
    send_one(broker.address(), "inn/devices", Bytes::from_static(b"live")).await;
    let live = batch(&mut receiver).await.remove(0);
    assert_eq!((live.payload.as_ref(), live.retain), (b"live".as_ref(), false));
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_named_with_its_size() {
    let broker = Broker::on_loopback().unwrap();
    let mut options = SubscribeOptions::new(link(broker.address(), "receiver"), vec!["inn/out".into()]);
    options.link.packet_bytes_max = 1_000;
    let mut receiver = Subscriber::start(options).unwrap();
    up(&mut receiver).await;
    send_one(broker.address(), "inn/out", Bytes::from(vec![0; 2_000])).await;
    let down = subscriber_down(&mut receiver).await;
    assert!(
        matches!(
            down,
            Down::Oversize {
                bytes: 2_011,
                bytes_max: 1_000
            }
        ),
        "{down}"
    );
}

#[tokio::test]
async fn a_refused_filter_is_reported_and_the_others_hold() {
    let broker = Broker::on_loopback().unwrap();
    broker.faults().refuse_filter(Some("inn/secret"));
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/out", "inn/secret"]);
    let refused = received(&mut receiver, |event| match event {
        SubscribeEvent::Refused { filter } => Some(filter),
        _ => None,
    });
    assert_eq!(refused.await, "inn/secret");
    up(&mut receiver).await;
    send_one(broker.address(), "inn/out", Bytes::from_static(b"x")).await;
    assert_eq!(batch(&mut receiver).await[0].topic, "inn/out");
}

#[tokio::test]
async fn a_message_the_broker_cannot_bear_is_reported_and_the_rest_goes_out() {
    let broker = Broker::on_loopback().unwrap();
    broker.faults().hate_topic(Some("inn/hated"));
    let mut sender = publisher(broker.address(), "sender");
    let mut outbox = vec![(1, "inn/hated"), (2, "inn/out"), (3, "inn/out")];
    let mut sessions = 0;
    while !outbox.is_empty() {
        match tokio::time::timeout(TEST_WITHIN, sender.next()).await.unwrap().unwrap() {
            PublishEvent::Up(open) => {
                sessions += 1;
                for (ticket, topic) in &outbox {
                    let _ = open.try_send(*ticket, *topic, Bytes::new());
                }
            }
            PublishEvent::Delivered(ticket) => outbox.retain(|(waiting, _)| *waiting != ticket),
            PublishEvent::Poison(ticket) => {
                assert_eq!(
                    (ticket, sessions),
                    (1, 5),
                    "after five sessions, and not another message"
                );
                outbox.remove(0);
            }
            PublishEvent::Down(_) => {}
        }
    }
    assert_eq!(sessions, 6);
}

#[tokio::test]
async fn an_acknowledgement_of_an_earlier_connection_takes_no_message_of_a_later_one() {
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/out"]);
    up(&mut receiver).await;
    send_one(broker.address(), "inn/out", Bytes::from_static(b"milk")).await;
    let first = batch(&mut receiver).await.remove(0);
    broker.faults().cut_all();
    up(&mut receiver).await;
    receiver.acker().acknowledge([first.ticket]);
    assert_eq!(receiver.acker().stale(), 1);
    let again = batch(&mut receiver).await.remove(0);
    assert_eq!(
        (again.payload.as_ref(), again.ticket.generation()),
        (b"milk".as_ref(), 2)
    );
}

#[tokio::test]
async fn what_is_not_acknowledged_holds_back_what_comes_after_and_is_sent_again() {
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/out"]);
    up(&mut receiver).await;
    let mut sender = publisher(broker.address(), "sender");
    let sending = send_all(&mut sender, "inn/out", 500, 0);
    tokio::time::timeout(TEST_WITHIN, sending).await.unwrap();
    let mut taken = 0;
    while let Ok(more) = tokio::time::timeout(300 * MILLI, batch(&mut receiver)).await {
        taken += more.len();
    }
    assert_eq!(taken, 100, "the broker's limit of unacknowledged messages");
    broker.faults().cut_all();
    let received = tokio::time::timeout(TEST_WITHIN, receive_all(receiver, 500, Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(received.times.len(), 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_slower_than_the_keep_alive_loses_neither_the_link_nor_a_message() {
    // 60 MB: more than the buffers of the system hold.
    const COUNT: u64 = 15_000;
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/out"]);
    up(&mut receiver).await;
    let (client, mut eventloop) = bare(&broker, |_| {});
    let flood = tokio::spawn(async move {
        for number in 0..COUNT {
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(4_000, b'x');
            client
                .publish("inn/out", rumqttc::QoS::AtMostOnce, false, payload)
                .await
                .unwrap();
        }
        client
    });
    tokio::spawn(async move { while eventloop.poll().await.is_ok() {} });
    // The broker throws out who is silent for 1.5 s.
    tokio::time::sleep(2_000 * MILLI).await;
    assert!(
        broker.counts().delivered < COUNT,
        "reading has stopped: {:?}",
        broker.counts()
    );
    let mut next = 0;
    while next < COUNT {
        match tokio::time::timeout(TEST_WITHIN, receiver.next())
            .await
            .unwrap()
            .unwrap()
        {
            SubscribeEvent::Messages(batch) => {
                // Answers to signs of life wait behind the backlog, which takes longer than two keep-alives.
                tokio::time::sleep(50 * MILLI).await;
                for message in batch {
                    assert_eq!(message.payload[..8], next.to_be_bytes(), "in order, none missing");
                    assert_eq!(message.ticket.generation(), 1);
                    next += 1;
                }
            }
            event => panic!("{event:?}"),
        }
    }
    flood.await.unwrap();
}

#[tokio::test]
async fn an_acknowledged_publish_can_still_be_lost_by_the_broker() {
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/out"]);
    up(&mut receiver).await;
    broker.faults().swallow(true);
    send_one(broker.address(), "inn/out", Bytes::from_static(b"lost")).await;
    broker.faults().swallow(false);
    send_one(broker.address(), "inn/out", Bytes::from_static(b"kept")).await;
    assert_eq!(
        batch(&mut receiver).await[0].payload,
        "kept",
        "why central has to answer for itself"
    );
    assert_eq!(broker.counts().lost, 1);
}

#[tokio::test]
async fn a_broker_that_refuses_is_tried_again_until_it_does_not() {
    let broker = Broker::on_loopback().unwrap();
    broker.faults().refuse(true);
    let mut sender = publisher(broker.address(), "sender");
    for _ in 0..3 {
        publisher_down(&mut sender).await;
    }
    broker.faults().refuse(false);
    lane(&mut sender).await;
}

#[tokio::test]
async fn a_lane_dies_with_its_session() {
    let broker = Broker::on_loopback().unwrap();
    let mut sender = publisher(broker.address(), "sender");
    let old = lane(&mut sender).await;
    broker.faults().cut_all();
    publisher_down(&mut sender).await;
    lane(&mut sender).await;
    let refused = old.send(1, "inn/out", Bytes::new()).await;
    assert_eq!(refused, Err(innkeeper::mqtt::LaneError::Ended));
}

#[tokio::test]
async fn the_broker_throws_out_a_silent_client_and_speaks_its_will_but_not_after_a_leave() {
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/will"]);
    up(&mut receiver).await;
    let will = rumqttc::LastWill::new("inn/will", "gone", rumqttc::QoS::AtLeastOnce, false);
    let (client, mut eventloop) = bare(&broker, |options| {
        options.set_last_will(will.clone());
    });
    eventloop.poll().await.unwrap();
    client.disconnect().await.unwrap();
    while eventloop.poll().await.is_ok() {}
    let (_client, mut eventloop) = bare(&broker, |options| {
        options.set_last_will(will).set_keep_alive(Duration::from_secs(1));
    });
    eventloop.poll().await.unwrap();
    let began = Instant::now();
    assert_eq!(batch(&mut receiver).await[0].payload, "gone");
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "the will of the client that took leave is void"
    );
}

#[tokio::test]
async fn stopping_closes_every_connection() {
    let broker = Broker::on_loopback().unwrap();
    let address = broker.address();
    let mut receiver = subscriber(address, "receiver", &["inn/#"]);
    up(&mut receiver).await;
    broker.stop().await;
    subscriber_down(&mut receiver).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    receiver.stop().await;
}
