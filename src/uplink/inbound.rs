//! What does central say, and may it be believed?
//!
//! Limits first: the topic must be this property's own, a retained copy is no news, 64 KiB and 16 levels are enough for
//! any message, a field nobody agreed on is a misunderstanding. What passes is an event for the engine or an
//! acknowledgement for the outbox; what does not is refused by a named reason. Whether the content makes sense (a lower
//! version, a check-in of last week) is the engine's to judge. A message twice is the same event twice, and harmless.

use super::message::{SPEC_VERSION, event_type};
use super::rejection::{Reason, Rejection};
use super::strict;
use crate::model::{
    Celsius, ConfirmNotice, ERASE_DAYS, EraseNotice, Event, Moment, OUTDOOR_C, OverrideNotice, Prior, PropertyId,
    StatusNotice, StayNotice, Stream,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The kinds of message from central that are acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DownKind {
    /// What is known of a stay.
    Stay,
    /// What is known of a guest from elsewhere.
    Prior,
    /// What is known of a guest is to be erased.
    Erase,
    /// The guest's answer to a question.
    Confirm,
    /// What became of a request.
    RequestStatus,
    /// People override the rules for a room.
    Override,
    /// Central has messages of ours.
    Ack,
    /// The weather at the property.
    Weather,
}

/// The kinds that the contract has and this version does not act on.
const NOT_BUILT_YET: &[&str] = &["request", "export", "command"];

impl DownKind {
    /// Every kind.
    pub const ALL: [DownKind; 8] = [
        DownKind::Stay,
        DownKind::Prior,
        DownKind::Erase,
        DownKind::Confirm,
        DownKind::RequestStatus,
        DownKind::Override,
        DownKind::Ack,
        DownKind::Weather,
    ];

    /// The kind's name, which is the last level of its topic.
    pub const fn name(self) -> &'static str {
        match self {
            DownKind::Stay => "stay",
            DownKind::Prior => "prior",
            DownKind::Erase => "erase",
            DownKind::Confirm => "confirm",
            DownKind::RequestStatus => "request_status",
            DownKind::Override => "override",
            DownKind::Ack => "ack",
            DownKind::Weather => "weather",
        }
    }

    /// Returns the kind of this name.
    pub fn from_name(name: &str) -> Option<DownKind> {
        DownKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Returns the topic on which a property hears this kind of message.
pub fn down_topic(property: &PropertyId, kind: DownKind) -> String {
    format!("innkeeper/v1/{property}/down/{}", kind.name())
}

/// Returns the filters under which a property hears central: its own kinds by name, and those it does not act on yet,
/// so that what central says in vain is counted.
pub fn down_filters(property: &PropertyId) -> Vec<String> {
    let built = DownKind::ALL.iter().map(|kind| kind.name());
    built
        .chain(NOT_BUILT_YET.iter().copied())
        .map(|kind| format!("innkeeper/v1/{property}/down/{kind}"))
        .collect()
}

/// Central's word that it has acted on, or keeps, messages of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AckNotice {
    /// Of which stream.
    pub stream: Stream,
    /// The message's place in the stream.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub sequence: u64,
    /// Whether all messages before it are acknowledged, too.
    #[serde(default = "yes")]
    pub cumulative: bool,
}

fn yes() -> bool {
    true
}

/// The weather at the property, as central knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeatherNotice {
    /// Outdoor air, C.
    pub temperature: Celsius,
}

/// The envelope of a message from central. Required is what CloudEvents requires; the extensions that brokers and
/// tracers commonly add are known and passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DownEnvelope<T> {
    /// `1.0`.
    pub specversion: String,
    /// Central's own id of the message.
    #[schemars(length(min = 1, max = 256))]
    pub id: String,
    /// Who says it.
    #[schemars(length(min = 1, max = 256))]
    pub source: String,
    /// `innkeeper.<kind>.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub time: Option<Moment>,
    /// The room or stay it is about; `data` decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// Names the schema of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// Central's own count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// Not to be acted on after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expirytime: Option<Moment>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// How carefully it is to be treated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataclassification: Option<String>,
    /// When central's middleware recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recordedtime: Option<String>,
    /// Central's partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitionkey: Option<String>,
    /// Which conversation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<String>,
    /// What is said.
    pub data: T,
}

impl<T: Serialize> DownEnvelope<T> {
    /// Wraps what central says, with only what is required and the time.
    pub fn wrap(id: impl Into<String>, source: impl Into<String>, kind: DownKind, time: Moment, data: T) -> Self {
        Self {
            specversion: SPEC_VERSION.into(),
            id: id.into(),
            source: source.into(),
            kind: event_type(kind.name()),
            time: Some(time),
            subject: None,
            datacontenttype: Some(super::message::CONTENT_TYPE.into()),
            dataschema: None,
            sequence: None,
            expirytime: None,
            traceparent: None,
            tracestate: None,
            dataclassification: None,
            recordedtime: None,
            partitionkey: None,
            correlationid: None,
            causationid: None,
            data,
        }
    }

    /// Writes the message.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("central's words hold nothing that JSON cannot say")
    }
}

/// What a message from central comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// Something for the engine.
    Event(Event),
    /// Something for the outbox.
    Ack(AckNotice),
}

/// Reads one message from central.
///
/// # Errors
/// Why it is refused, where, and what to write instead; nothing of what it said.
pub fn receive(
    property: &PropertyId,
    topic: &str,
    retained: bool,
    text: &[u8],
    now: Moment,
) -> Result<Inbound, Rejection> {
    let kind = kind_of(property, topic)?;
    if retained {
        return Err(Rejection::of(Reason::Retained, "publish without the retain flag"));
    }
    match kind {
        DownKind::Stay => open::<StayNotice>(kind, text, now).map(|data| Inbound::Event(Event::Stay(data))),
        DownKind::Prior => open::<Prior>(kind, text, now).map(|data| Inbound::Event(Event::Prior(data))),
        DownKind::Erase => open::<EraseNotice>(kind, text, now).map(|data| Inbound::Event(Event::Prior(data.into()))),
        DownKind::Confirm => open::<ConfirmNotice>(kind, text, now).map(|data| Inbound::Event(Event::Confirm(data))),
        DownKind::RequestStatus => {
            open::<StatusNotice>(kind, text, now).map(|data| Inbound::Event(Event::RequestStatus(data)))
        }
        DownKind::Override => open::<OverrideNotice>(kind, text, now).map(|data| Inbound::Event(Event::Override(data))),
        DownKind::Ack => open::<AckNotice>(kind, text, now).map(Inbound::Ack),
        DownKind::Weather => open::<WeatherNotice>(kind, text, now).map(|data| {
            Inbound::Event(Event::Outdoor {
                temperature: data.temperature,
            })
        }),
    }
}

fn kind_of(property: &PropertyId, topic: &str) -> Result<DownKind, Rejection> {
    let own = format!("innkeeper/v1/{property}/down/");
    let name = topic
        .strip_prefix(&own)
        .ok_or_else(|| Rejection::of(Reason::WrongTopic, format!("{own}<kind>")))?;
    if NOT_BUILT_YET.contains(&name) {
        return Err(Rejection::of(
            Reason::NotBuiltYet,
            "this kind is in the contract, but not acted on",
        ));
    }
    let known = || DownKind::ALL.map(DownKind::name).join(", ");
    DownKind::from_name(name).ok_or_else(|| Rejection::of(Reason::UnknownKind, format!("one of {}", known())))
}

fn open<T: DeserializeOwned + Bounded>(kind: DownKind, text: &[u8], now: Moment) -> Result<T, Rejection> {
    let envelope: DownEnvelope<T> = strict::read(text)?;
    if envelope.specversion != SPEC_VERSION {
        return Err(Rejection::at("specversion", Reason::UnsupportedVersion, SPEC_VERSION));
    }
    check_type(kind, &envelope.kind)?;
    at_most(256, envelope.id.chars().count(), "id").and(at_least_one(&envelope.id, "id"))?;
    at_most(256, envelope.source.chars().count(), "source").and(at_least_one(&envelope.source, "source"))?;
    if envelope
        .datacontenttype
        .is_some_and(|content| content != super::message::CONTENT_TYPE)
    {
        return Err(Rejection::at(
            "datacontenttype",
            Reason::UnknownWord,
            super::message::CONTENT_TYPE,
        ));
    }
    if envelope.expirytime.is_some_and(|expires| expires <= now) {
        return Err(Rejection::at("expirytime", Reason::Expired, "a time to come"));
    }
    envelope.data.check_bounds().map_err(|fault| fault.inside("data"))?;
    Ok(envelope.data)
}

fn check_type(kind: DownKind, text: &str) -> Result<(), Rejection> {
    let want = event_type(kind.name());
    let stem = want.trim_end_matches('1');
    match text.strip_prefix(stem) {
        Some("1") => Ok(()),
        Some(_) => Err(Rejection::at("type", Reason::UnsupportedVersion, want)),
        None => Err(Rejection::at("type", Reason::KindMismatch, want)),
    }
}

/// The limits that the schema has and the type has not.
trait Bounded {
    fn check_bounds(&self) -> Result<(), Rejection>;
}

impl Bounded for StayNotice {
    fn check_bounds(&self) -> Result<(), Rejection> {
        if !(1..=20).contains(&self.adults) {
            return Err(Rejection::at("adults", Reason::OutOfRange, "1 to 20"));
        }
        at_most(16, self.items.len(), "items")
    }
}

impl Bounded for Prior {
    fn check_bounds(&self) -> Result<(), Rejection> {
        at_most(64, self.stays.len(), "stays")?;
        at_most(16, self.must_have.len(), "must_have")?;
        at_most(16, self.items.len(), "items")?;
        self.stays.iter().try_for_each(|stay| {
            at_most(64, stay.habits.len(), "stays.habits")?;
            at_most(16, stay.evidence.len(), "stays.evidence")?;
            at_most(64, stay.evenings.len(), "stays.evenings")?;
            stay.evenings.iter().try_for_each(|evening| {
                at_most(32, evening.asked.len(), "stays.evenings.asked")?;
                at_most(32, evening.declined.len(), "stays.evenings.declined")
            })
        })
    }
}

impl Bounded for EraseNotice {
    fn check_bounds(&self) -> Result<(), Rejection> {
        if ERASE_DAYS.contains(&self.up_to) {
            Ok(())
        } else {
            Err(Rejection::at(
                "up_to",
                Reason::OutOfRange,
                "days since 1970-01-01, 10957 to 84005",
            ))
        }
    }
}

impl Bounded for ConfirmNotice {
    fn check_bounds(&self) -> Result<(), Rejection> {
        match self.value {
            Some(said) if !self.attribute.takes(said) => Err(Rejection::at(
                "value",
                Reason::WrongType,
                "a number, or one of the attribute's choices",
            )),
            _ => Ok(()),
        }
    }
}

impl Bounded for StatusNotice {
    /// A reason is a catalogue's key: free words from a person's mouth have no place in it.
    fn check_bounds(&self) -> Result<(), Rejection> {
        let key = |text: &String| super::message::is_message_id(text) && text.len() <= 64;
        match &self.reason {
            Some(reason) if !key(reason) => Err(Rejection::at(
                "reason",
                Reason::NotAnId,
                "a catalogue key of a-z, 0-9, '-', '_' and '.'",
            )),
            _ => Ok(()),
        }
    }
}

impl Bounded for OverrideNotice {
    /// An end that is missing or too far is the engine's to refuse: the same holds for who says it at the gateway.
    fn check_bounds(&self) -> Result<(), Rejection> {
        Ok(())
    }
}

impl Bounded for WeatherNotice {
    fn check_bounds(&self) -> Result<(), Rejection> {
        if OUTDOOR_C.contains(&self.temperature.to_f64()) {
            return Ok(());
        }
        let range = format!("{} to {} C", OUTDOOR_C.start(), OUTDOOR_C.end());
        Err(Rejection::at("temperature", Reason::OutOfRange, range))
    }
}

impl Bounded for AckNotice {
    fn check_bounds(&self) -> Result<(), Rejection> {
        if (1..=9_007_199_254_740_991).contains(&self.sequence) {
            return Ok(());
        }
        Err(Rejection::at("sequence", Reason::OutOfRange, "1 to 2^53 - 1"))
    }
}

fn at_most(most: usize, is: usize, place: &str) -> Result<(), Rejection> {
    if is <= most {
        Ok(())
    } else {
        Err(Rejection::at(place, Reason::OutOfRange, format!("{most} at most")))
    }
}

fn at_least_one(text: &str, place: &str) -> Result<(), Rejection> {
    if text.is_empty() {
        Err(Rejection::at(place, Reason::OutOfRange, "at least one character"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RoomId, StayToken};
    use serde_json::json;

    const STAY: &str = "5b1e0c77-2d4a-4f5e-8a54-0d2f6a1c9e10";

    fn property() -> PropertyId {
        PropertyId::new("lakeside").unwrap()
    }

    fn now() -> Moment {
        Moment::parse("2026-11-21T16:30:00Z").unwrap()
    }

    fn stay() -> serde_json::Value {
        json!({
            "specversion": "1.0", "id": "crm-77", "source": "/crm", "type": "innkeeper.stay.v1",
            "data": { "stay": STAY, "version": 3, "status": "reserved", "room": "1204" }
        })
    }

    fn refused(topic: &str, message: &serde_json::Value) -> (Reason, String) {
        let fault = receive(&property(), topic, false, message.to_string().as_bytes(), now()).unwrap_err();
        (fault.reason, fault.place)
    }

    const TOPIC: &str = "innkeeper/v1/lakeside/down/stay";

    #[test]
    fn a_stay_becomes_an_event() {
        let event = receive(&property(), TOPIC, false, stay().to_string().as_bytes(), now()).unwrap();
        let Inbound::Event(Event::Stay(notice)) = event else {
            panic!("{event:?}")
        };
        assert_eq!(notice.stay, StayToken::new(STAY).unwrap());
        assert_eq!(notice.room, RoomId::new("1204").ok());
        assert_eq!(notice.adults, 1);
    }

    #[test]
    fn a_retained_copy_is_refused_whatever_it_says() {
        for text in [stay().to_string().as_bytes(), b"not json"] {
            let fault = receive(&property(), TOPIC, true, text, now()).unwrap_err();
            assert_eq!(fault.reason, Reason::Retained);
        }
    }

    #[test]
    fn another_property_s_topic_is_refused() {
        assert_eq!(refused("innkeeper/v1/seaside/down/stay", &stay()).0, Reason::WrongTopic);
        assert_eq!(
            refused("innkeeper/v1/lakeside/up/request", &stay()).0,
            Reason::WrongTopic
        );
        assert_eq!(
            refused("innkeeper/v1/lakeside/down/gossip", &stay()).0,
            Reason::UnknownKind
        );
        for kind in NOT_BUILT_YET {
            let topic = format!("innkeeper/v1/lakeside/down/{kind}");
            assert_eq!(refused(&topic, &stay()).0, Reason::NotBuiltYet);
        }
    }

    #[test]
    fn an_envelope_that_departs_from_the_contract_is_refused_by_name() {
        let with = |pointer: &str, value: serde_json::Value| {
            let mut message = stay();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            message.pointer_mut(parent).unwrap()[key] = value;
            refused(TOPIC, &message)
        };
        let place = |text: &str| text.to_string();
        assert_eq!(
            with("/specversion", json!("0.3")),
            (Reason::UnsupportedVersion, place("specversion"))
        );
        assert_eq!(
            with("/type", json!("innkeeper.stay.v2")),
            (Reason::UnsupportedVersion, place("type"))
        );
        assert_eq!(
            with("/type", json!("innkeeper.prior.v1")),
            (Reason::KindMismatch, place("type"))
        );
        assert_eq!(
            with("/expirytime", json!("2026-11-21T16:30:00Z")),
            (Reason::Expired, place("expirytime"))
        );
        assert_eq!(with("/id", json!("")), (Reason::OutOfRange, place("id")));
        assert_eq!(with("/guest", json!("x")), (Reason::UnknownField, place("")));
        assert_eq!(
            with("/datacontenttype", json!("text/plain")),
            (Reason::UnknownWord, place("datacontenttype"))
        );
        assert_eq!(with("/data/name", json!("x")), (Reason::UnknownField, place("data")));
        assert_eq!(with("/data/room", json!("#")), (Reason::NotAnId, place("data.room")));
        assert_eq!(
            with("/data/adults", json!(0)),
            (Reason::OutOfRange, place("data.adults"))
        );
        assert_eq!(
            with("/data/status", json!("asleep")),
            (Reason::UnknownWord, place("data.status"))
        );
        assert_eq!(
            with("/data/eta", json!("1970-01-01T00:00:00Z")),
            (Reason::NotATime, place("data.eta"))
        );
        assert_eq!(
            with("/data/items", json!(vec!["tea"; 17])),
            (Reason::OutOfRange, place("data.items"))
        );
    }

    #[test]
    fn an_acknowledgement_is_cumulative_unless_it_says_otherwise() {
        let ack = |data: serde_json::Value| {
            let mut message = stay();
            message["type"] = json!("innkeeper.ack.v1");
            message["data"] = data;
            receive(
                &property(),
                "innkeeper/v1/lakeside/down/ack",
                false,
                message.to_string().as_bytes(),
                now(),
            )
        };
        let whole = AckNotice {
            stream: Stream::Request,
            sequence: 7,
            cumulative: true,
        };
        assert_eq!(
            ack(json!({"stream": "request", "sequence": 7})),
            Ok(Inbound::Ack(whole))
        );
        let single = AckNotice {
            cumulative: false,
            ..whole
        };
        assert_eq!(
            ack(json!({"stream": "request", "sequence": 7, "cumulative": false})),
            Ok(Inbound::Ack(single))
        );
        assert_eq!(
            ack(json!({"stream": "request", "sequence": 0})).unwrap_err().reason,
            Reason::OutOfRange
        );
    }

    #[test]
    fn a_reason_in_free_words_is_refused() {
        let mut message = stay();
        message["type"] = json!("innkeeper.request_status.v1");
        message["data"] = json!({"request": "1204.a", "status": "declined", "reason": "Mr Winterbottom sleeps"});
        let topic = "innkeeper/v1/lakeside/down/request_status";
        assert_eq!(refused(topic, &message), (Reason::NotAnId, "data.reason".into()));
    }

    fn goldens() -> Vec<(DownKind, Vec<u8>)> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/uplink");
        let read = |kind: DownKind| std::fs::read(folder.join(format!("down.{}.json", kind.name()))).unwrap();
        DownKind::ALL.map(|kind| (kind, read(kind))).into()
    }

    /// A refusal has a name of the list and repeats nothing; a message that is taken is a fixed thing.
    fn judge(kind: DownKind, text: &[u8]) -> bool {
        let topic = down_topic(&property(), kind);
        let judged = receive(&property(), &topic, false, text, now());
        assert_eq!(judged, receive(&property(), &topic, false, text, now()));
        match judged {
            Ok(_) => true,
            Err(fault) => {
                assert!(Reason::ALL.contains(&fault.reason));
                assert!(!fault.to_string().contains("Winterbottom"));
                false
            }
        }
    }

    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn no_bytes_make_the_reader_panic(text in proptest::collection::vec(any::<u8>(), 0..600), kind in 0..4_usize) {
            judge(DownKind::ALL[kind], &text);
        }

        #[test]
        fn no_change_of_a_real_message_makes_the_reader_panic(
            kind in 0..4_usize,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_u8, any::<u8>()), 1..8),
        ) {
            let (kind, mut text) = goldens().swap_remove(kind);
            for (place, what, byte) in changes {
                let n = place.index(text.len().max(1)).min(text.len().saturating_sub(1));
                match what {
                    _ if text.is_empty() => {}
                    0 => text[n] = byte,
                    1 => drop(text.remove(n)),
                    2 => text.insert(n, byte),
                    3 => text.truncate(n),
                    4 => text.splice(n..n, *b"\"Winterbottom\"").for_each(drop),
                    _ => text.splice(n..n, b"[{\"a\":".repeat(usize::from(byte))).for_each(drop),
                }
            }
            judge(kind, &text);
        }
    }

    #[test]
    fn the_examples_are_taken_before_they_are_changed() {
        assert!(goldens().iter().all(|(kind, text)| judge(*kind, text)));
    }
}
