//! How does the outbox reach central, and central's word reach us?
mod inbound;
mod message;
mod rejection;
pub mod schema;
mod strict;
pub use inbound::*;
pub use message::*;
pub use rejection::{Reason, Rejection};
