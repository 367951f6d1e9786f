//! How does the outbox reach central, and central's word reach us?
//!
//! * [`UpMessage`] and [`receive_up`]: a message to central, written and read (CloudEvents in JSON);
//! * [`receive`]: a message from central, checked before anything believes it;
//! * [`Dispatch`]: which entry goes out next, and when is it done with;
//! * [`Feed`]: what the link and the thread that owns the outbox say to each other;
//! * [`Uplink`]: the link over MQTT;
//! * [`central`]: a small central to try it with; [`schema`]: the contract for integrators (`docs/messages.md`).
//!
//! Limits first: a message has 64 KiB and 16 levels at most in either direction; a page of the outbox 256 entries; what
//! waits costs memory by room and stream, not by entry. An entry leaves the outbox only with its acknowledgement in
//! hand, or by a named end: expired, or set aside for an engineer.

pub mod central;
mod dispatch;
mod feed;
mod inbound;
mod message;
mod mqtt;
mod rejection;
pub mod schema;
mod strict;

pub use dispatch::{AWAITING_MAX, AckMode, Dispatch, DispatchCounts, PAGE, Pick, Wanted};
pub use feed::{
    Arrival, ArrivalToken, Entry, Feed, FromLink, LastPositions, LinkNews, Outcome, OwnerGone, ReadRequest, Settlement,
};
pub use inbound::{AckNotice, DownEnvelope, DownKind, Inbound, down_filters, down_topic, receive};
pub use message::{
    CONTENT_TYPE, FORBIDDEN_NAMES, Received, SPEC_VERSION, UP_BYTES_MAX, UpData, UpEnvelope, UpMessage, data_schema,
    event_type, parse_up_topic, receive_up, source, up_filters, up_topic,
};
pub use mqtt::{Standing, Uplink, UplinkOptions};
pub use rejection::{Reason, Rejection};
