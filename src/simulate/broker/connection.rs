//! What does one connection say, and what is it answered?
//!
//! A reader and a writer run side by side in one task: a reader that waits for room in somebody else's queue does not
//! keep its own client from being written to.

use super::faults::AckFault;
use super::session::Session;
use super::topics::matches;
use super::{Hub, lesser};
use bytes::BytesMut;
use rumqttc::mqttbytes::v4::{
    ConnAck, Connect, ConnectReturnCode, LastWill, Packet, PubAck, Publish, SubAck, Subscribe, SubscribeReasonCode,
    UnsubAck, Unsubscribe,
};
use rumqttc::mqttbytes::{Error, Protocol, QoS, valid_filter, valid_topic};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// The largest packet; four times what the clients here are set to.
const PACKET_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What is read at once, at most.
const READ_BYTES: usize = 64 * 1024;
/// A connection must say CONNECT within this time.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why a connection is over; none of it is anybody's business but the will's.
enum Over {
    /// The client took leave: its will is void.
    Leave,
    /// Anything else.
    Lost,
}

/// Serves one connection to its end.
pub(super) async fn serve(socket: TcpStream, hub: Arc<Hub>) {
    let mut cuts = hub.faults.watch_cuts();
    let _ = socket.set_nodelay(true);
    let (reading, writing) = socket.into_split();
    let mut reader = Reader {
        socket: reading,
        bytes: BytesMut::new(),
        hub: hub.clone(),
        silence_max: CONNECT_WITHIN,
    };
    let connect = tokio::select! {
        connect = reader.connect() => connect,
        _ = cuts.changed() => None,
    };
    let Some(connect) = connect else { return };
    let mut client = Client::admit(hub.clone(), &connect);
    let session = client.session.clone();
    let connection = client.connection;
    let over = tokio::select! {
        over = client.listen(&mut reader) => over,
        () = write(writing, &session, connection, &hub) => Over::Lost,
        _ = cuts.changed() => Over::Lost,
    };
    let was_current = session.disconnect(connection);
    if was_current {
        hub.close(&session);
    }
    if let (Over::Lost, Some(will)) = (over, connect.last_will) {
        hub.route(last_words(will)).await;
    }
}

fn last_words(will: LastWill) -> Publish {
    Publish {
        retain: will.retain,
        ..Publish::from_bytes(will.topic, will.qos, will.message)
    }
}

/// Writes what the session owes until the connection is replaced or breaks.
async fn write(mut socket: OwnedWriteHalf, session: &Session, connection: u64, hub: &Hub) {
    let mut bytes = BytesMut::new();
    while let Some(count) = session.fill(connection, &mut bytes).await {
        hub.faults.run_freely().await;
        if socket.write_all(&bytes).await.is_err() {
            return;
        }
        hub.tally.delivered.fetch_add(count, Ordering::Relaxed);
        bytes.clear();
    }
}

struct Reader {
    socket: OwnedReadHalf,
    bytes: BytesMut,
    hub: Arc<Hub>,
    silence_max: Duration,
}

impl Reader {
    async fn connect(&mut self) -> Option<Connect> {
        match self.next().await? {
            Packet::Connect(connect) if connect.protocol == Protocol::V4 => {
                // One and a half keep-alives of silence, and a client is gone (MQTT-3.1.2-24).
                self.silence_max = match connect.keep_alive {
                    0 => Duration::MAX,
                    seconds => Duration::from_millis(u64::from(seconds) * 1500),
                };
                Some(connect)
            }
            _ => None,
        }
    }

    /// Returns the next packet; none when the peer is gone, silent, or speaks no MQTT.
    async fn next(&mut self) -> Option<Packet> {
        loop {
            if self.hub.faults.is_stalled() {
                self.hub.faults.run_freely().await;
            }
            match Packet::read(&mut self.bytes, PACKET_BYTES_MAX) {
                Ok(packet) => return Some(packet),
                Err(Error::InsufficientBytes(missing)) => self.bytes.reserve(missing.max(READ_BYTES)),
                Err(_) => return None,
            }
            match tokio::time::timeout(self.silence_max, self.socket.read_buf(&mut self.bytes)).await {
                Ok(Ok(count)) if count > 0 => {}
                _ => return None,
            }
        }
    }
}

struct Client {
    hub: Arc<Hub>,
    session: Arc<Session>,
    connection: u64,
    held_back: Option<u16>,
}

impl Client {
    fn admit(hub: Arc<Hub>, connect: &Connect) -> Self {
        let count = hub.tally.connections.fetch_add(1, Ordering::Relaxed);
        let client_id = if connect.client_id.is_empty() {
            format!("unnamed-{count}")
        } else {
            connect.client_id.clone()
        };
        let (session, kept) = hub.open(&client_id, connect.clean_session);
        let connection = session.connect();
        session.answer(
            connection,
            &Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, kept)),
        );
        Self {
            hub,
            session,
            connection,
            held_back: None,
        }
    }

    async fn listen(&mut self, reader: &mut Reader) -> Over {
        while let Some(packet) = reader.next().await {
            let goes_on = match packet {
                Packet::Publish(publish) => self.publish(publish).await,
                Packet::PubAck(ack) => self.session.acknowledged(ack.pkid),
                Packet::Subscribe(subscribe) => self.subscribe(subscribe),
                Packet::Unsubscribe(unsubscribe) => self.unsubscribe(&unsubscribe),
                Packet::PingReq => self.answer(&Packet::PingResp),
                Packet::Disconnect => return Over::Leave,
                _ => false,
            };
            if !goes_on {
                break;
            }
        }
        Over::Lost
    }

    fn answer(&self, packet: &Packet) -> bool {
        self.session.answer(self.connection, packet);
        true
    }

    async fn publish(&mut self, publish: Publish) -> bool {
        if publish.qos == QoS::ExactlyOnce || !valid_topic(&publish.topic) || self.hub.faults.hates(&publish.topic) {
            return false;
        }
        let (qos, packet) = (publish.qos, publish.pkid);
        if self.hub.faults.swallows() {
            self.hub.add_lost(1);
        } else {
            self.hub.route(publish).await;
        }
        if qos == QoS::AtLeastOnce {
            self.acknowledge(packet).await;
        }
        true
    }

    async fn acknowledge(&mut self, packet: u16) {
        let ack = |packet| Packet::PubAck(PubAck::new(packet));
        match self.hub.faults.ack_fault() {
            AckFault::None => {
                self.answer(&ack(packet));
            }
            AckFault::Drop => {}
            AckFault::Delay(pause) => {
                tokio::time::sleep(pause).await;
                self.answer(&ack(packet));
            }
            AckFault::Double => {
                self.answer(&ack(packet));
                self.answer(&ack(packet));
            }
            AckFault::Swap => match self.held_back.take() {
                None => self.held_back = Some(packet),
                Some(earlier) => {
                    self.answer(&ack(packet));
                    self.answer(&ack(earlier));
                }
            },
        }
    }

    fn subscribe(&self, subscribe: Subscribe) -> bool {
        let mut codes = Vec::new();
        let mut granted = Vec::new();
        for filter in subscribe.filters {
            if !valid_filter(&filter.path) || self.hub.faults.refuses_filter(&filter.path) {
                codes.push(SubscribeReasonCode::Failure);
            } else {
                let qos = lesser(filter.qos, QoS::AtLeastOnce);
                codes.push(SubscribeReasonCode::Success(qos));
                granted.push((filter.path, qos));
            }
        }
        let retained = self.grant(&granted);
        self.answer(&Packet::SubAck(SubAck::new(subscribe.pkid, codes)));
        retained.into_iter().for_each(|publish| self.session.put_own(publish));
        true
    }

    /// Notes the subscriptions and returns the retained messages they ask for.
    fn grant(&self, granted: &[(String, QoS)]) -> Vec<Publish> {
        let mut state = self.hub.state();
        let mut retained = Vec::new();
        for (filter, qos) in granted {
            state.subscriptions.add(filter, self.session.client_id(), *qos);
            let wanted = state.retained.values().filter(|kept| matches(filter, &kept.topic));
            retained.extend(wanted.map(|kept| Publish {
                qos: lesser(kept.qos, *qos),
                ..kept.clone()
            }));
        }
        retained
    }

    fn unsubscribe(&self, unsubscribe: &Unsubscribe) -> bool {
        let mut state = self.hub.state();
        for filter in &unsubscribe.topics {
            state.subscriptions.remove(filter, self.session.client_id());
        }
        drop(state);
        self.answer(&Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid)))
    }
}
