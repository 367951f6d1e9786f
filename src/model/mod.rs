//! Which words does everyone share?
//!
//! Plain data without behaviour of its own: ids that cannot hold a name, values that carry their unit, the events that
//! go into the engine and the effects that come out. Every other layer speaks in these; this one knows no other.

mod because;
mod effect;
mod event;
mod exempt;
mod few;
mod id;
mod point;
mod preference;
mod property;
mod reading;
mod record;
mod report;
mod request;
mod stay;
mod time;
mod value;

pub use because::{Because, Fact};
pub use effect::{Command, CommandId, Effect, Purpose, Refusal, SaveWhen};
pub use event::{Event, OUTDOOR_C, Stamped, WriteResult};
pub use exempt::{Exemption, OverrideNotice};
pub use few::Few;
pub use id::{
    Channel, DeviceId, GuestToken, IdFault, Item, LinkId, ProfileId, PropertyId, RequestId, RoomId, StayToken, SuiteId,
    ZoneId,
};
pub use point::{Point, PointRole, ValueKind};
pub use preference::{Attribute, Choice, Said, SaidKind, Settled, StayEvidence};
pub use property::{
    Ability, Arrival, CallService, CodeMinima, Coil, DeviceRole, DeviceSetup, EnergyCode, Habits, Levels, Limits,
    Place, Plant, Policies, Power, Property, RoomSetup, SUITE_ROOMS_MAX,
};
pub use reading::{Freshness, Quality, Reading};
pub use record::Key;
pub use report::{
    Class, Doubt, EdgeState, Emergency, FreeRoom, PreferenceReport, Question, Readiness, ReadinessVerdict, Report,
    StateReport, Stream,
};
pub use request::{
    Basis, Department, Knock, Need, Relevance, RequestState, RequestStatus, ServiceRequest, StatusNotice, Urgency,
};
pub use stay::{
    ConfirmNotice, Declared, ERASE_DAYS, EraseNotice, Evening, Prior, PriorSummary, StayNotice, StayStatus,
};
pub use time::{Moment, Span};
pub use value::{Celsius, FanMode, Figure, Firmness, HvacMode, Percent, Symbol, Unit, Value};
