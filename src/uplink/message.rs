//! How is a message to central written, on which topic, and how is it read at the other end?
//!
//! The envelope is CloudEvents 1.0, structured JSON, on every broker alike: binary mode needs MQTT 5, and structured
//! messages survive bridges. The same fact has the same `id` for ever and `sequence` rises by one within a stream, so
//! central can replace what it has already and see what it has not.

use super::rejection::{Reason, Rejection};
use super::strict;
use crate::model::{
    Because, EdgeState, Emergency, Moment, PreferenceReport, PropertyId, Readiness, Report, RoomId, ServiceRequest,
    StateReport, Stream,
};
use serde::{Deserialize, Serialize};

/// The CloudEvents version that is written and read.
pub const SPEC_VERSION: &str = "1.0";
/// How `data` is written.
pub const CONTENT_TYPE: &str = "application/json";
/// The largest message to central, in bytes; ten times the largest request. Some cloud brokers refuse 64 KiB and more.
pub const UP_BYTES_MAX: usize = strict::BYTES_MAX;
/// Words that name a person or a payment. No field of any message and no fact of any `because` is called so.
pub const FORBIDDEN_NAMES: &[&str] = &[
    "name",
    "first_name",
    "last_name",
    "full_name",
    "guest_name",
    "phone",
    "mobile",
    "email",
    "e_mail",
    "mail",
    "address",
    "street",
    "birthday",
    "date_of_birth",
    "document",
    "passport",
    "id_card",
    "nationality",
    "payment",
    "card",
    "card_number",
    "iban",
    "folio",
    "plate",
];

/// Returns the topic that a property's stream goes out on.
pub fn up_topic(property: &PropertyId, stream: Stream) -> String {
    format!("innkeeper/v1/{property}/up/{}", stream.name())
}

/// Returns the filters by which central hears every stream of one property, or of all. One filter a stream: on NATS `#`
/// doubles the acknowledgement window, and a stream that central does not know is none of its business.
pub fn up_filters(property: Option<&PropertyId>) -> Vec<String> {
    let property = property.map_or("+", PropertyId::as_str);
    Stream::ALL
        .iter()
        .map(|stream| format!("innkeeper/v1/{property}/up/{}", stream.name()))
        .collect()
}

/// Returns the property and stream that an up topic names.
pub fn parse_up_topic(topic: &str) -> Option<(PropertyId, Stream)> {
    let (property, stream) = topic.strip_prefix("innkeeper/v1/")?.split_once("/up/")?;
    Some((PropertyId::new(property).ok()?, Stream::from_name(stream)?))
}

/// Returns the `source` of a property's messages.
pub fn source(property: &PropertyId) -> String {
    format!("/innkeeper/{property}")
}

/// Returns the `type` of a stream's messages: `innkeeper.request.v1`.
pub fn event_type(kind: &str) -> String {
    format!("innkeeper.{kind}.v1")
}

/// Returns the URN of the schema of a message's `data`.
pub fn data_schema(direction: &str, kind: &str) -> String {
    format!("urn:innkeeper:{direction}:{kind}:v1#/definitions/data")
}

/// One message to central, as the outbox keeps it: all that the envelope needs but the property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpMessage {
    /// The stream.
    pub stream: Stream,
    /// Its place in the stream, from 1, without gaps.
    pub sequence: u64,
    /// The fact's own id within the property.
    pub id: String,
    /// The room, where it is about one.
    pub room: Option<RoomId>,
    /// When it was said.
    pub at: Moment,
    /// Of no use after.
    pub expires: Option<Moment>,
    /// The `data`, one JSON object.
    pub data: String,
}

impl UpMessage {
    /// Returns a report as a message.
    pub fn from_report(report: &Report, sequence: u64, at: Moment, expires: Option<Moment>) -> Self {
        let data = match report {
            Report::Emergency(data) => serde_json::to_string(data),
            Report::Request(data) => serde_json::to_string(data),
            Report::RequestState(data) => serde_json::to_string(data),
            Report::Readiness(data) => serde_json::to_string(data),
            Report::Preference(data) => serde_json::to_string(data),
        }
        .expect("reports hold nothing that JSON cannot say");
        let (stream, room) = (report.stream(), Some(report.room().clone()));
        Self {
            stream,
            sequence,
            id: report.id(),
            room,
            at,
            expires,
            data,
        }
    }

    /// Returns the gateway's own state as a message. Its id is its time: two heartbeats are two facts.
    pub fn from_edge(state: &EdgeState, sequence: u64, at: Moment, expires: Option<Moment>) -> Self {
        let data = serde_json::to_string(state).expect("the edge's state holds nothing that JSON cannot say");
        Self {
            stream: Stream::Edge,
            sequence,
            id: format!("edge.{}", at.millis()),
            room: None,
            at,
            expires,
            data,
        }
    }

    /// Writes the whole message. `data` is put in as it stands: the outbox holds it as JSON already.
    pub fn encode(&self, property: &PropertyId) -> Vec<u8> {
        let mut text = serde_json::to_vec(&Header {
            specversion: SPEC_VERSION,
            id: format!("{property}.{}", self.id),
            source: source(property),
            kind: event_type(self.stream.name()),
            time: self.at,
            subject: self.room.as_ref(),
            datacontenttype: CONTENT_TYPE,
            dataschema: data_schema("up", self.stream.name()),
            sequence: sequence_text(self.sequence),
            expirytime: self.expires,
            dataclassification: classification(self.stream),
        })
        .expect("a header of texts is always JSON");
        text.pop();
        text.extend_from_slice(b",\"data\":");
        text.extend_from_slice(self.data.as_bytes());
        text.push(b'}');
        text
    }
}

/// CloudEvents wants `sequence` as a text that sorts as it counts: twenty digits hold any number there will be.
fn sequence_text(sequence: u64) -> String {
    format!("{sequence:020}")
}

/// How carefully a stream is to be treated: what names a stay or a guest's likes is personal data, though pseudonymous.
fn classification(stream: Stream) -> &'static str {
    match stream {
        Stream::Edge => "internal",
        _ => "confidential",
    }
}

#[derive(Serialize)]
struct Header<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a RoomId>,
    datacontenttype: &'static str,
    dataschema: String,
    sequence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expirytime: Option<Moment>,
    dataclassification: &'static str,
}

/// The envelope of a message to central, as it is read.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpEnvelope<T> {
    /// `1.0`.
    pub specversion: String,
    /// The same fact has the same id for ever; begins with the property.
    pub id: String,
    /// `/innkeeper/<property>`.
    pub source: String,
    /// `innkeeper.<stream>.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was said.
    #[schemars(with = "String")]
    pub time: Moment,
    /// The room, where it is about one.
    #[serde(default)]
    pub subject: Option<RoomId>,
    /// `application/json`.
    pub datacontenttype: String,
    /// Names the schema of `data`.
    pub dataschema: String,
    /// Counts the stream's messages from 1, twenty digits.
    pub sequence: String,
    /// Of no use after.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub expirytime: Option<Moment>,
    /// W3C trace context.
    #[serde(default)]
    pub traceparent: Option<String>,
    /// `internal`, or `confidential` where it is about a room or a stay.
    pub dataclassification: String,
    /// What is said.
    pub data: T,
}

/// What a message to central says.
#[derive(Debug, Clone, PartialEq)]
pub enum UpData {
    /// A report of the engine.
    Report(Report),
    /// The gateway's own state.
    Edge(EdgeState),
}

/// A message as central has read and checked it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// From which property.
    pub property: PropertyId,
    /// On which stream.
    pub stream: Stream,
    /// Its place in the stream.
    pub sequence: u64,
    /// The fact's id, property included.
    pub id: String,
    /// When it was said.
    pub at: Moment,
    /// What it says.
    pub data: UpData,
}

/// Reads a message on an up topic as central should: strictly.
///
/// # Errors
/// The first departure from the contract.
pub fn receive_up(topic: &str, text: &[u8]) -> Result<Received, Rejection> {
    let (property, stream) = parse_up_topic(topic)
        .ok_or_else(|| Rejection::of(Reason::WrongTopic, "innkeeper/v1/<property>/up/<stream>"))?;
    let boxed = |data| UpData::Report(data);
    let envelope = match stream {
        Stream::Emergency => open::<Emergency>(text, |data| boxed(Report::Emergency(data))),
        Stream::Request => open::<ServiceRequest>(text, |data| boxed(Report::Request(data.into()))),
        Stream::RequestState => open::<StateReport>(text, |data| boxed(Report::RequestState(data))),
        Stream::Readiness => open::<Readiness>(text, |data| boxed(Report::Readiness(data.into()))),
        Stream::Preference => open::<PreferenceReport>(text, |data| boxed(Report::Preference(data.into()))),
        Stream::Edge => open::<EdgeState>(text, UpData::Edge),
    }?;
    check_header(&envelope, &property, stream)?;
    if let UpData::Report(report) = &envelope.data {
        check_because(report.because())?;
    }
    if let UpData::Report(Report::Preference(preference)) = &envelope.data {
        check_scalar(&preference.value, "data.value")?;
        preference
            .declared
            .iter()
            .try_for_each(|declared| check_scalar(declared, "data.declared"))?;
    }
    let sequence = parse_sequence(&envelope.sequence)?;
    Ok(Received {
        property,
        stream,
        sequence,
        id: envelope.id,
        at: envelope.time,
        data: envelope.data,
    })
}

fn open<T: serde::de::DeserializeOwned>(
    text: &[u8],
    wrap: impl Fn(T) -> UpData,
) -> Result<UpEnvelope<UpData>, Rejection> {
    let it: UpEnvelope<T> = strict::read(text)?;
    Ok(UpEnvelope {
        data: wrap(it.data),
        specversion: it.specversion,
        id: it.id,
        source: it.source,
        kind: it.kind,
        time: it.time,
        subject: it.subject,
        datacontenttype: it.datacontenttype,
        dataschema: it.dataschema,
        sequence: it.sequence,
        expirytime: it.expirytime,
        traceparent: it.traceparent,
        dataclassification: it.dataclassification,
    })
}

fn check_header<T>(envelope: &UpEnvelope<T>, property: &PropertyId, stream: Stream) -> Result<(), Rejection> {
    let name = stream.name();
    let must = |place: &str, is: bool, reason, want: String| {
        if is {
            Ok(())
        } else {
            Err(Rejection::at(place, reason, want))
        }
    };
    must(
        "specversion",
        envelope.specversion == SPEC_VERSION,
        Reason::UnsupportedVersion,
        SPEC_VERSION.into(),
    )?;
    must(
        "type",
        envelope.kind == event_type(name),
        Reason::KindMismatch,
        event_type(name),
    )?;
    must(
        "source",
        envelope.source == source(property),
        Reason::SourceMismatch,
        source(property),
    )?;
    let id = envelope
        .id
        .strip_prefix(property.as_str())
        .and_then(|id| id.strip_prefix('.'));
    must(
        "id",
        id.is_some_and(is_message_id),
        Reason::NotAnId,
        format!("{property}. and the fact's id"),
    )?;
    must(
        "datacontenttype",
        envelope.datacontenttype == CONTENT_TYPE,
        Reason::UnknownWord,
        CONTENT_TYPE.into(),
    )?;
    let schema = data_schema("up", name);
    must(
        "dataschema",
        envelope.dataschema == schema,
        Reason::UnsupportedVersion,
        schema,
    )?;
    let class = classification(stream);
    must(
        "dataclassification",
        envelope.dataclassification == class,
        Reason::UnknownWord,
        class.into(),
    )
}

pub(super) fn is_message_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    (1..=240).contains(&id.len()) && id.chars().all(plain)
}

fn parse_sequence(text: &str) -> Result<u64, Rejection> {
    let digits = text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number.ok_or_else(|| Rejection::at("sequence", Reason::OutOfRange, "twenty digits"))
}

/// A because is the one place whose words are not fixed by a type: rules and facts are named in lower case, a fact is
/// one scalar, and none is called as personal data would be.
fn check_because(because: &Because) -> Result<(), Rejection> {
    let word = |text: &str, also: char| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == also;
        (1..=64).contains(&text.len()) && text.chars().all(plain)
    };
    if !word(&because.rule, '-') {
        return Err(Rejection::at(
            "data.because.rule",
            Reason::NotAnId,
            "a rule's name: a-z, 0-9 and '-'",
        ));
    }
    for fact in &because.facts {
        if !word(&fact.name, '_') {
            return Err(Rejection::at(
                "data.because.facts",
                Reason::NotAnId,
                "a fact's name: a-z, 0-9 and '_'",
            ));
        }
        if FORBIDDEN_NAMES.contains(&fact.name.as_ref()) {
            return Err(Rejection::at(
                "data.because.facts",
                Reason::UnknownField,
                "no fact that names a person",
            ));
        }
        check_scalar(&fact.value, "data.because.facts")?;
    }
    Ok(())
}

fn check_scalar(value: &serde_json::Value, place: &str) -> Result<(), Rejection> {
    if value.is_array() || value.is_object() {
        return Err(Rejection::at(place, Reason::WrongType, "one number, text or flag"));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Basis, Department, Item, Knock, Need, Relevance, RequestId, RequestState, StayToken, Urgency};

    /// A request of a room, for the tests of this module.
    pub fn request(room: &str, number: u64) -> Report {
        let stay = StayToken::new("5b1e0c77-2d4a-4f5e-8a54-0d2f6a1c9e10").unwrap();
        Report::Request(Box::new(ServiceRequest {
            id: RequestId::new(format!("{room}.{stay}.routine.night-{number}")).unwrap(),
            need: Need::Routine,
            room: RoomId::new(room).unwrap(),
            stay: Some(stay.clone()),
            state: RequestState::Raised,
            items: vec![Item::new("hot-milk").unwrap()],
            department: Department::RoomService,
            skill: "room-service".into(),
            revision: 1,
            not_before: None,
            deadline: Some(Moment::from_millis(1_795_000_000_000)),
            estimate_min: 8,
            relevance: Relevance::Normal,
            urgency: Urgency::Planned,
            merge_key: format!("{stay}.night-{number}"),
            knock: Knock::Door,
            steps: vec![],
            hints: vec![],
            basis: Basis::Habit,
            confidence: 0.75,
            raised_at: Moment::from_millis(1_794_990_000_000),
            because: Because::rule("habit-recurs").with("nights", 3),
        }))
    }

    fn property() -> PropertyId {
        PropertyId::new("lakeside").unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let at = Moment::from_millis(1_794_990_000_250);
        let report = request("1204", 1);
        let message = UpMessage::from_report(&report, 42, at, Some(at));
        let text = message.encode(&property());
        let topic = up_topic(&property(), Stream::Request);
        let read = receive_up(&topic, &text).unwrap();
        assert_eq!((read.sequence, read.at, read.stream), (42, at, Stream::Request));
        assert_eq!(read.id, format!("lakeside.{}", report.id()));
        assert_eq!(read.data, UpData::Report(report));
        assert_eq!(
            message.encode(&property()),
            text,
            "the same fact is the same bytes for ever"
        );
    }

    #[test]
    fn a_message_on_another_property_s_topic_is_refused() {
        let text = UpMessage::from_report(&request("1204", 1), 1, Moment::from_millis(1_794_990_000_000), None)
            .encode(&property());
        let reason = |topic: &str| receive_up(topic, &text).unwrap_err().reason;
        assert_eq!(reason("innkeeper/v1/seaside/up/request"), Reason::SourceMismatch);
        assert_eq!(reason("innkeeper/v1/lakeside/up/gossip"), Reason::WrongTopic);
        assert_eq!(reason("innkeeper/v1/lakeside/up/emergency"), Reason::UnknownField);
    }

    #[test]
    fn a_fact_that_names_a_person_is_refused() {
        let mut report = request("1204", 1);
        if let Report::Request(request) = &mut report {
            request.because = Because::rule("habit-recurs").with("phone", "+4366012345");
        }
        let text = UpMessage::from_report(&report, 1, Moment::from_millis(1_794_990_000_000), None).encode(&property());
        let fault = receive_up(&up_topic(&property(), Stream::Request), &text).unwrap_err();
        assert_eq!(fault.reason, Reason::UnknownField);
        assert!(!fault.to_string().contains("4366012345"));
    }

    #[test]
    fn sequences_sort_as_they_count() {
        let mut texts: Vec<_> = [10_u64, 9, u64::MAX, 1].map(sequence_text).into();
        texts.sort();
        let numbers: Vec<_> = texts.iter().map(|text| parse_sequence(text).unwrap()).collect();
        assert_eq!(numbers, [1, 9, 10, u64::MAX]);
        assert!(parse_sequence("42").is_err() && parse_sequence("+0000000000000000042").is_err());
    }
}
