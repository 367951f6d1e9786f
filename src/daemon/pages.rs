//! How does the link to central read the outbox?

use crate::model::{Class, Stream};
use crate::store::{Pending, Store};
use crate::uplink::{Entry as FeedEntry, UpMessage};

/// Returns a page of entries for the link; none when the disk cannot be read now, and then the link asks again. (An empty
/// page would tell it that there is nothing.)
pub fn page(store: &mut Store, class: Class, after: u64, limit: usize) -> Option<Vec<FeedEntry>> {
    let class = match class {
        Class::Emergency => crate::store::Class::Emergency,
        Class::Request => crate::store::Class::Request,
        Class::Promise => crate::store::Class::Promise,
        Class::State => crate::store::Class::Telemetry,
    };
    match store.outbox().page(class, after, limit) {
        Ok(page) => Some(
            page.into_iter()
                .filter_map(|(position, pending)| entry(position, pending))
                .collect(),
        ),
        Err(fault) => {
            tracing::error!(%fault, "the outbox cannot be read now");
            None
        }
    }
}

fn entry(position: u64, pending: Pending) -> Option<FeedEntry> {
    let Pending { sequence, entry } = pending;
    let message = UpMessage {
        stream: Stream::from_name(&entry.stream)?,
        sequence,
        id: entry.id,
        room: entry.room,
        at: entry.at,
        expires: (entry.class != crate::store::Class::Emergency).then_some(entry.expires),
        data: String::from_utf8(entry.body).ok()?,
    };
    Some(FeedEntry { position, message })
}
