//! Which words does everyone share?
//!
//! Plain data without behaviour of its own: ids that cannot hold a name, values that carry their unit, the events that
//! go into the engine and the effects that come out. Every other layer speaks in these; this one knows no other.

mod id;
mod point;
mod reading;
mod time;
mod value;

pub use id::{
    DeviceId, GuestToken, IdFault, Item, LinkId, ProfileId, PropertyId, RequestId, RoomId, StayToken, ZoneId,
};
pub use point::{Point, PointRole};
pub use reading::{Freshness, Quality, Reading};
pub use time::{Moment, Span};
pub use value::{Celsius, FanMode, Firmness, HvacMode, Percent, Symbol, Unit, Value};
