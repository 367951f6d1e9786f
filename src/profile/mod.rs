//! How does this model of device speak?
//!
//! A device profile is one TOML file: where its facts come from, how the device is recognised and reached, what it
//! reports, what it can be told. From it this module turns bytes into readings and commands into bytes, without I/O:
//! topics and payloads, registers and frames go in and out as plain values. `docs/device-profiles.md` tells how to write
//! one; every profile carries golden examples, and [`examples::run`] holds it to them.
//!
//! Limits come first: a payload longer than [`PAYLOAD_BYTES_MAX`] or nested deeper than 16 levels is not even parsed.

mod accepts;
mod answer;
mod binding;
mod builtin;
pub mod examples;
pub mod format;
mod library;
mod lint;
mod matching;
mod meaning;
mod modbus;
mod mqtt;
mod pick;
#[cfg(test)]
mod proof;
mod rejection;
mod rtu;
mod topic;
mod words;

pub use answer::{DecodeLine, MatchLine, ReadingLine, decode_line};
pub use binding::{BindFault, Binder, DeviceBinding, Encoded};
pub use format::{DeviceKind, Table, Trust, WriteFunction};
pub use library::Library;
pub use matching::Inventory;
pub use modbus::{PlanLimits, ReadBlock, RegisterImage, Write};
pub use mqtt::{Decoded, TopicRole};
pub use rejection::{EncodeRefusal, Rejection};
pub use rtu::{crc, read_frame, write_frame};
pub use topic::Parameters;

use crate::model::{Ability, Point, ProfileId, Span};
use crate::strict::{self, Fault};
use accepts::Accepts;
use format::{CommandSpec, File, Link, ModbusLink, MqttLink, PointSpec};
use meaning::Meaning;

/// The longest payload that is looked at. A device's own state fits in a few hundred bytes; the longest seen has 2 KiB.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 10;

/// A device that says nothing of its own silence is offline after this.
const SILENT_AFTER: Span = Span::hours(25);

/// What placeholders mean where nothing is written, in every profile.
const USUAL: &[(&str, &str)] = &[("base", "zigbee2mqtt")];

/// One model of device, read from its file and checked as a whole.
#[derive(Debug, Clone)]
pub struct Profile {
    file: File,
    points: Vec<PointModel>,
    commands: Vec<CommandModel>,
}

/// One point, ready to be read.
#[derive(Debug, Clone)]
pub(crate) struct PointModel {
    pub point: Point,
    pub spec: PointSpec,
    pub meaning: Meaning,
}

/// One command, ready to be told.
#[derive(Debug, Clone)]
pub(crate) struct CommandModel {
    pub point: Point,
    pub spec: CommandSpec,
    pub accepts: Accepts,
}

/// One placeholder that an engineer fills in for each device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterNeed {
    /// Its name.
    pub name: String,
    /// What to write.
    pub what: String,
    /// What it is when nothing is written; none when something must be.
    pub default: Option<String>,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// Every fault in it, each with its line: of syntax, of the schema, and of what the parts mean together.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::parse_against(&schema(), file_name, text)
    }

    /// Reads a profile; `schema` is that of the format, made once for many.
    fn parse_against(schema: &schemars::Schema, file_name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let tree = strict::check(file_name, text, schema)?;
        let file: File = tree.take().map_err(|fault| vec![fault])?;
        let (points, commands) = lint::models(&file);
        let profile = Self { file, points, commands };
        let faults = lint::faults(&profile, &tree);
        if faults.is_empty() {
            Ok(profile)
        } else {
            Err(strict::in_order(faults))
        }
    }

    /// Its id.
    pub fn id(&self) -> &ProfileId {
        &self.file.id
    }

    /// Everything its file says.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// How well it is founded.
    pub fn trust(&self) -> Trust {
        self.file.trust
    }

    /// What such a device can report, in the order of the file.
    pub fn reports(&self) -> Vec<Point> {
        self.points.iter().map(|model| model.point).collect()
    }

    /// Which of these a guest changes by hand.
    pub fn guest_points(&self) -> Vec<Point> {
        let by_hand = self.points.iter().filter(|model| model.spec.evidence.is_some());
        by_hand.map(|model| model.point).collect()
    }

    /// Which of these are events only when they change.
    pub fn edge_points(&self) -> Vec<Point> {
        self.points
            .iter()
            .filter(|model| model.spec.edge)
            .map(|model| model.point)
            .collect()
    }

    /// What such a device can be told, with ranges, words, confirmation and budget.
    pub fn abilities(&self) -> Vec<Ability> {
        self.commands
            .iter()
            .map(|model| model.accepts.ability(model.point, &model.spec))
            .collect()
    }

    /// The order in which a room is prepared: the recipe's, then what it does not name.
    pub fn prepare_order(&self) -> Vec<Point> {
        let mut order = self
            .file
            .recipe
            .prepare
            .as_ref()
            .map_or_else(Vec::new, |recipe| recipe.steps.clone());
        let rest = self
            .commands
            .iter()
            .map(|model| model.point)
            .filter(|point| !order.contains(point));
        let rest: Vec<Point> = rest.collect();
        order.extend(rest);
        order
    }

    /// Returns the value nearest to a wish that the device takes; none when it cannot be told anything like it.
    pub fn snap(&self, point: Point, wish: &crate::model::Value) -> Option<crate::model::Value> {
        self.command(point)?.accepts.snap(wish)
    }

    /// Whether what is sent for some command depends on what the device shows of this point.
    pub fn hangs_on(&self, point: Point) -> bool {
        let mut conditions = self.commands.iter().flat_map(|model| &model.spec.put_when);
        conditions.any(|when| when.point == point)
    }

    /// Reads what somebody wrote (a JSON scalar, or a text from a command line) as the value of a command.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read_argument(
        &self,
        point: Point,
        written: &serde_json::Value,
    ) -> Result<crate::model::Value, EncodeRefusal> {
        self.command(point).ok_or(EncodeRefusal::Command)?.accepts.read(written)
    }

    /// The placeholders an engineer fills in for each device, in alphabetical order.
    pub fn parameters(&self) -> Vec<ParameterNeed> {
        let mut names = self.placeholders();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| self.parameter(name)).collect()
    }

    /// A device silent for longer is offline.
    pub fn silent_after(&self) -> Span {
        let said = match &self.file.link {
            Link::MqttJson(link) | Link::MqttText(link) => link.silent_after,
            Link::Modbus(link) => link.silent_after,
        };
        said.map_or(SILENT_AFTER, |length| length.0)
    }

    /// For so long after a command, the same value coming back is its echo.
    pub fn echo_within(&self) -> Span {
        let said = match &self.file.link {
            Link::MqttJson(link) | Link::MqttText(link) => link.echo_within,
            Link::Modbus(link) => link.echo_within,
        };
        said.map_or(Span::ZERO, |length| length.0)
    }

    /// Whether a command comes back as state before the device obeyed.
    pub fn echoes_at_once(&self) -> bool {
        let said = match &self.file.link {
            Link::MqttJson(link) | Link::MqttText(link) => link.echo,
            Link::Modbus(link) => link.echo,
        };
        said == Some(format::Echo::Optimistic)
    }

    /// For so long after a command, what the device reports proves nothing.
    pub fn settle(&self) -> Span {
        let said = match &self.file.link {
            Link::MqttJson(link) | Link::MqttText(link) => link.settle,
            Link::Modbus(link) => link.settle,
        };
        said.map_or(Span::ZERO, |length| length.0)
    }

    /// The MQTT link, when it has one.
    pub fn mqtt(&self) -> Option<&MqttLink> {
        match &self.file.link {
            Link::MqttJson(link) | Link::MqttText(link) => Some(link),
            Link::Modbus(_) => None,
        }
    }

    /// The Modbus link, when it has one.
    pub fn modbus(&self) -> Option<&ModbusLink> {
        match &self.file.link {
            Link::Modbus(link) => Some(link),
            Link::MqttJson(_) | Link::MqttText(_) => None,
        }
    }

    pub(crate) fn points(&self) -> &[PointModel] {
        &self.points
    }

    pub(crate) fn commands_mut(&mut self) -> &mut [CommandModel] {
        &mut self.commands
    }

    pub(crate) fn command(&self, point: Point) -> Option<&CommandModel> {
        self.commands.iter().find(|model| model.point == point)
    }

    pub(crate) fn point(&self, point: Point) -> Option<&PointModel> {
        self.points.iter().find(|model| model.point == point)
    }

    fn parameter(&self, name: &str) -> ParameterNeed {
        let said = self.file.parameter.get(name);
        let usual = USUAL
            .iter()
            .find(|(usual, _)| *usual == name)
            .map(|(_, value)| (*value).to_owned());
        ParameterNeed {
            name: name.to_owned(),
            what: said.map_or_else(|| usual_meaning(name).to_owned(), |parameter| parameter.what.clone()),
            default: said.and_then(|parameter| parameter.default.clone()).or(usual),
        }
    }

    /// Every placeholder that a topic, a key or a text of the profile uses.
    pub(crate) fn placeholders(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = Vec::new();
        if let Some(link) = self.mqtt() {
            texts.extend(link.state.0.iter().map(String::as_str));
            texts.extend(link.set.as_deref());
            let topics = [&link.availability, &link.bridge, &link.fail];
            texts.extend(topics.into_iter().flatten().map(|topic| topic.topic.as_str()));
            texts.extend(link.errors.as_ref().map(|errors| errors.topic.as_str()));
            texts.extend(link.wrap.iter().flat_map(|wrap| wrap.texts()));
        }
        for model in &self.points {
            texts.extend(model.spec.topic.as_deref());
            texts.extend(
                model
                    .spec
                    .from
                    .iter()
                    .flat_map(|from| from.0.iter().map(String::as_str)),
            );
        }
        for model in &self.commands {
            texts.extend(model.spec.topic.as_deref());
            texts.extend(model.spec.text.as_deref());
            let puts = model
                .spec
                .put
                .iter()
                .chain(model.spec.put_when.iter().map(|when| &when.put));
            texts.extend(puts.flat_map(|put| put.texts()));
        }
        texts.into_iter().flat_map(topic::placeholders).collect()
    }
}

/// Returns the JSON schema of the format, for editors and for [`strict`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(File)
}

fn usual_meaning(name: &str) -> &'static str {
    match name {
        "base" => "the bridge's base topic",
        "name" => "the device's friendly name at the bridge",
        "mac" => "the device's MAC address as its topic writes it",
        "app" => "the application's id at the network server",
        "deveui" => "the device's EUI, 16 hexadecimal digits",
        "tenant" => "the tenant's id at the network server",
        _ => "the part of the topic that is this device's own",
    }
}
