//! How does a message get safely through an MQTT client?
//!
//! Two kinds of session, used with different options by the in-room link and by the link to central:
//!
//! * [`Publisher`]: messages under a ticket of the caller's, QoS 1, each ticket answered once the broker has it;
//! * [`Subscriber`]: messages in batches, acknowledged by the consumer when it has made them durable.
//!
//! Limits first. The client library (rumqttc) is a good codec and a good connection, but its own retransmission loses
//! messages: after an error it drains what was queued into a list that ignores the in-flight limit, or clears it when
//! the broker has no session. So nothing of it is used here. **One connection is one fresh client**; on any error
//! both are dropped, and whoever owns the message sends it again from where it is durable. PUBACK means that the broker
//! has a message in memory, not that central has acted on it: that takes an answer from central, one layer up.
//!
//! The client's `poll` is never cancelled and resumed: it is awaited to its end or dropped with its connection, under
//! a watchdog, because a peer that stops reading can otherwise silence it for ever.

mod acks;
mod backoff;
mod expiry;
mod ledger;
mod link;
mod poison;
mod publisher;
mod subscriber;
mod tls;

pub use acks::{AckTicket, Acker};
pub use backoff::{Backoff, Pauses};
pub use expiry::{CertificateDates, NotACertificate, certificate_dates};
pub use ledger::AckOrder;
pub use link::{Down, LinkOptions, Login, OptionsError};
pub use publisher::{Lane, LaneError, PublishEvent, PublishOptions, Publisher};
pub use subscriber::{Inbound, SubscribeEvent, SubscribeOptions, Subscriber};
pub use tls::{TlsError, TlsFiles};
