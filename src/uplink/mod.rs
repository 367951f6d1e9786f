//! How does the outbox reach central, and central's word reach us?
mod dispatch;
mod feed;
mod inbound;
mod message;
mod rejection;
pub mod schema;
mod strict;
pub use dispatch::*;
pub use feed::*;
pub use inbound::*;
pub use message::*;
pub use rejection::{Reason, Rejection};
