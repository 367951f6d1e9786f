//! What does an integrator's validator have to know of each message?
//!
//! One JSON Schema a message, generated from the Rust types that write and read it, in draft 7: AsyncAPI's own dialect and
//! the one that every validator knows. What the types say in code and not in their shape (the alphabet of an id, the
//! form of a time) is added here. `docs/schema/` holds the result; a test keeps it current.

use super::inbound::{AckNotice, DownEnvelope, DownKind, WeatherNotice, down_topic};
use super::message::{CONTENT_TYPE, FORBIDDEN_NAMES, SPEC_VERSION, UpEnvelope, data_schema, event_type, up_topic};
use crate::model::{
    ConfirmNotice, EdgeState, Emergency, EraseNotice, OverrideNotice, PreferenceReport, Prior, PropertyId, Readiness,
    ServiceRequest, StateReport, StatusNotice, StayNotice, Stream,
};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// One kind of message, with its schema.
#[derive(Debug, Clone)]
pub struct MessageSchema {
    /// `up` or `down`.
    pub direction: &'static str,
    /// The stream or kind: the last level of its topic.
    pub kind: &'static str,
    /// The schema of the whole message, envelope and data.
    pub schema: Value,
}

impl MessageSchema {
    /// The name of its file in `docs/schema/`: `up.request.schema.json`.
    pub fn file_name(&self) -> String {
        format!("{}.{}.schema.json", self.direction, self.kind)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        format!("{:#}\n", self.schema)
    }
}

/// Returns the schema of every message of the contract that this version writes or reads.
pub fn schemas() -> Vec<MessageSchema> {
    let up = Stream::ALL.into_iter().map(|stream| match stream {
        Stream::Emergency => up::<Emergency>(stream),
        Stream::Request => up::<ServiceRequest>(stream),
        Stream::RequestState => up::<StateReport>(stream),
        Stream::Readiness => up::<Readiness>(stream),
        Stream::Preference => up::<PreferenceReport>(stream),
        Stream::Edge => up::<EdgeState>(stream),
    });
    let down = DownKind::ALL.into_iter().map(|kind| match kind {
        DownKind::Stay => down::<StayNotice>(kind),
        DownKind::Prior => down::<Prior>(kind),
        DownKind::Erase => down::<EraseNotice>(kind),
        DownKind::Confirm => down::<ConfirmNotice>(kind),
        DownKind::RequestStatus => down::<StatusNotice>(kind),
        DownKind::Override => down::<OverrideNotice>(kind),
        DownKind::Ack => down::<AckNotice>(kind),
        DownKind::Weather => down::<WeatherNotice>(kind),
    });
    up.chain(down).collect()
}

fn up<T: schemars::JsonSchema>(stream: Stream) -> MessageSchema {
    let mut schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<UpEnvelope<T>>()
        .to_value();
    let class = if stream == Stream::Edge {
        "internal"
    } else {
        "confidential"
    };
    let fixed = json!({
        "id": { "pattern": r"^[a-z0-9_-]{1,48}\.[a-z0-9._-]{1,240}$" },
        "source": { "pattern": "^/innkeeper/[a-z0-9_-]{1,48}$" },
        "datacontenttype": { "const": CONTENT_TYPE },
        "dataschema": { "const": data_schema("up", stream.name()) },
        "sequence": { "pattern": "^[0-9]{20}$" },
        "dataclassification": { "const": class },
    });
    complete(&mut schema, "up", stream.name(), &fixed);
    MessageSchema {
        direction: "up",
        kind: stream.name(),
        schema,
    }
}

fn down<T: schemars::JsonSchema>(kind: DownKind) -> MessageSchema {
    let mut schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<DownEnvelope<T>>()
        .to_value();
    let fixed = json!({ "datacontenttype": { "enum": [CONTENT_TYPE, null] } });
    complete(&mut schema, "down", kind.name(), &fixed);
    MessageSchema {
        direction: "down",
        kind: kind.name(),
        schema,
    }
}

/// Adds what the types do not say in their shape.
fn complete(schema: &mut Value, direction: &str, kind: &str, fixed: &Value) {
    name_data(schema);
    schema["title"] = event_type(kind).into();
    schema["$id"] = format!("urn:innkeeper:{direction}:{kind}:v1").into();
    let properties = schema["properties"]
        .as_object_mut()
        .expect("an envelope has properties");
    narrow(properties, "specversion", &json!({ "const": SPEC_VERSION }));
    narrow(properties, "type", &json!({ "const": event_type(kind) }));
    for (property, rules) in fixed.as_object().expect("written as an object above") {
        narrow(properties, property, rules);
    }
    let definitions = schema["definitions"].as_object_mut().expect("data is a definition");
    for (name, definition) in definitions.iter_mut() {
        complete_definition(name, definition);
    }
    if definitions
        .values()
        .any(|definition| definition["properties"].get("because").is_some())
    {
        definitions.insert("Because".into(), because());
    }
    complete_properties(schema);
}

/// Names the definition of `data` by its place, so that `dataschema` need not change with a Rust type's name.
fn name_data(schema: &mut Value) {
    let reference = schema["properties"]["data"]["$ref"]
        .as_str()
        .or(schema["properties"]["data"]["allOf"][0]["$ref"].as_str());
    let name = reference
        .and_then(|text| text.strip_prefix("#/definitions/"))
        .expect("data is a named type")
        .to_string();
    let definitions = schema["definitions"].as_object_mut().expect("data is a definition");
    let data = definitions.remove(&name).expect("a reference leads to a definition");
    definitions.insert("data".into(), data);
    schema["properties"]["data"] = json!({ "$ref": "#/definitions/data" });
}

fn narrow(properties: &mut Map<String, Value>, property: &str, rules: &Value) {
    let target = properties
        .get_mut(property)
        .and_then(Value::as_object_mut)
        .expect("the envelope has this property");
    target.extend(rules.as_object().expect("rules are an object").clone());
}

fn complete_definition(name: &str, definition: &mut Value) {
    const PLAIN: &str = "^[a-z0-9_-]{1,48}$";
    const TOKEN: &str = "^(?=.*[0-9])[0-9a-f-]{8,64}$";
    const REQUEST: &str = r"^(?=.{1,160}$)[a-z0-9_-]{1,48}(\.[a-z0-9_-]{1,48})*$";
    match name {
        "PropertyId" | "RoomId" | "ZoneId" | "DeviceId" | "Item" => definition["pattern"] = PLAIN.into(),
        "StayToken" | "GuestToken" => definition["pattern"] = TOKEN.into(),
        "RequestId" => definition["pattern"] = REQUEST.into(),
        _ => complete_properties(definition),
    }
}

/// The properties that are moments in the Rust types; their shape says only that they are texts.
const MOMENTS: &[&str] = &[
    "time",
    "expirytime",
    "since",
    "p10",
    "p50",
    "p90",
    "eta",
    "departure",
    "at",
    "not_before",
    "deadline",
    "raised_at",
    "said_at",
    "until",
];

fn complete_properties(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in properties {
        match name.as_str() {
            name if MOMENTS.contains(&name) => {
                property["format"] = "date-time".into();
                property["pattern"] = r"^2[01][0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$".into();
            }
            "because" => *property = json!({ "$ref": "#/definitions/Because" }),
            "value" | "declared" if property.get("$ref").is_none() && !is_reference(property) => {
                let description = property.get("description").cloned().unwrap_or_default();
                *property = json!({ "type": ["number", "string", "boolean", "null"], "description": description });
            }
            "reason" => property["pattern"] = "^[a-z0-9._-]{1,64}$".into(),
            _ => {}
        }
    }
}

fn is_reference(property: &Value) -> bool {
    property.get("allOf").is_some() || property.get("anyOf").is_some()
}

fn because() -> Value {
    json!({
        "description": "The rule that led to it and the facts it was applied to.",
        "type": "object",
        "additionalProperties": false,
        "required": ["rule"],
        "properties": {
            "rule": { "type": "string", "pattern": "^[a-z0-9-]{1,64}$" },
            "facts": { "type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["name", "value"],
                "properties": {
                    "name": {
                        "description": "The fact's own name, in snake case; never one of a person's data.",
                        "type": "string", "pattern": "^[a-z0-9_]{1,64}$", "not": { "enum": FORBIDDEN_NAMES }
                    },
                    "value": { "type": ["number", "string", "boolean", "null"] }
                }
            } }
        }
    })
}

/// Returns the AsyncAPI 3 document: who says what on which topic. `example` is asked for an example of each message.
pub fn asyncapi(example: impl Fn(&str, &str) -> Option<Value>) -> String {
    let messages = schemas();
    let mut text = String::from(ASYNCAPI_HEAD);
    let topic = |message: &MessageSchema| {
        let property = PropertyId::new("property").expect("a plain word");
        let topic = match Stream::from_name(message.kind).filter(|_| message.direction == "up") {
            Some(stream) => up_topic(&property, stream),
            None => down_topic(
                &property,
                DownKind::from_name(message.kind).expect("the list's own kind"),
            ),
        };
        topic.replacen("/property/", "/{property}/", 1)
    };
    let mut line = |words: String| writeln!(text, "{words}").expect("a text takes every line");
    line("channels:".into());
    for message in &messages {
        let name = format!("{}_{}", message.direction, message.kind);
        line(format!("  {name}:"));
        line(format!("    address: {}", topic(message)));
        line("    parameters: { property: { $ref: '#/components/parameters/property' } }".into());
        line(format!(
            "    messages: {{ {name}: {{ $ref: '#/components/messages/{name}' }} }}"
        ));
    }
    line("operations:".into());
    for message in &messages {
        let name = format!("{}_{}", message.direction, message.kind);
        let action = if message.direction == "up" { "send" } else { "receive" };
        line(format!("  {action}_{name}:"));
        line(format!("    action: {action}"));
        line(format!("    channel: {{ $ref: '#/channels/{name}' }}"));
        line("    bindings: { mqtt: { qos: 1, retain: false, bindingVersion: 0.2.0 } }".into());
    }
    line("components:".into());
    line("  parameters:".into());
    line("    property: { description: 'The property id: 1 to 48 of a-z, 0-9, - and _' }".into());
    line("  messages:".into());
    for message in &messages {
        line(format!("    {}_{}:", message.direction, message.kind));
        line(format!("      name: {}", event_type(message.kind)));
        line(format!("      summary: {}", json!(summary(message))));
        line("      contentType: application/cloudevents+json".into());
        line("      payload:".into());
        line("        schemaFormat: application/schema+json;version=draft-07".into());
        line(format!(
            "        schema: {{ $ref: './schema/{}' }}",
            message.file_name()
        ));
        if let Some(example) = example(message.direction, message.kind) {
            line("      examples:".into());
            line(format!("        - payload: {example}"));
        }
    }
    text
}

fn summary(message: &MessageSchema) -> String {
    let words = message.schema["definitions"]["data"]["description"]
        .as_str()
        .unwrap_or_default();
    words.lines().collect::<Vec<_>>().join(" ")
}

const ASYNCAPI_HEAD: &str = "\
# Generated from the Rust types; a test keeps it current (INNKEEPER_BLESS=1 rewrites it).
asyncapi: 3.0.0
info:
  title: innkeeper, the gateway of one property
  version: 1.0.0
  description: >-
    What a property's gateway sends to central and hears from it. Seen from the gateway: it sends on up topics and
    receives on down topics. CloudEvents 1.0 in structured JSON, QoS 1, never retained; MQTT 3.1.1 is enough.
  license: { name: Apache-2.0 OR MIT }
defaultContentType: application/cloudevents+json
servers:
  central:
    host: 'central.example:8883'
    protocol: secure-mqtt
    description: The chain's broker; the gateway shows a client certificate.
    bindings: { mqtt: { cleanSession: false, keepAlive: 20, bindingVersion: 0.2.0 } }
";

#[cfg(test)]
mod tests;
