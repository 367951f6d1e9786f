//! Who on the property hears of an emergency when central is silent?
//!
//! The call goes out on the property's own broker, on `innkeeper/v1/<property>/local/emergency`, where a panel at the desk,
//! a siren or a bridge to pagers listens. It waits here for the broker, not longer than a few calls: each call is repeated
//! by the engine until somebody has answered.

use crate::model::{Emergency, PropertyId};
use crate::mqtt::{Lane, LinkOptions, PublishEvent, PublishOptions, Publisher};
use bytes::Bytes;
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Calls that wait for the broker; older ones have been repeated since.
const WAITING_MAX: usize = 16;

/// Runs the fan-out until nobody calls any more. Without a broker it only says so.
pub async fn run(property: PropertyId, link: Option<LinkOptions>, mut calls: mpsc::Receiver<Emergency>) {
    let publisher = link
        .map(PublishOptions::new)
        .and_then(|options| Publisher::start(options).ok());
    let Some(mut publisher) = publisher else {
        while let Some(call) = calls.recv().await {
            tracing::error!(room = %call.room, "no broker of the property to fan this emergency out on");
        }
        return;
    };
    let topic = format!("innkeeper/v1/{property}/local/emergency");
    let (mut lane, mut waiting, mut ticket): (Option<Lane>, VecDeque<Bytes>, u64) = (None, VecDeque::new(), 0);
    loop {
        tokio::select! {
            call = calls.recv() => {
                let Some(call) = call else { break };
                if waiting.len() >= WAITING_MAX {
                    waiting.pop_front();
                }
                waiting.push_back(Bytes::from(serde_json::to_vec(&call).unwrap_or_default()));
            }
            event = publisher.next() => match event {
                Some(PublishEvent::Up(up)) => lane = Some(up),
                Some(PublishEvent::Down(_)) => lane = None,
                Some(_) => {}
                None => break,
            },
        }
        while let (Some(open), Some(call)) = (&lane, waiting.front()) {
            ticket += 1;
            if open.try_send(ticket, topic.clone(), call.clone()).is_err() {
                break;
            }
            waiting.pop_front();
        }
    }
    publisher.stop().await;
}
