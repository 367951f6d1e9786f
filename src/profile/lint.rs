//! Do the parts of a profile make sense together?
//!
//! The schema has checked each key by itself. Here is checked what only shows in the whole: units and ranges against the
//! canonical points, registers against the groups that a read may not leave, commands against what confirms them. Each
//! fault points at its line.

use super::accepts::{Accepts, form_fits, told_value};
use super::format::{
    At, BlockSpec, CommandSpec, ConfirmBy, Field, File, Instances, Link, ModbusLink, MqttLink, PointSpec, Table,
    ValueForm,
};
use super::meaning::{Meaning, codes_of, number_of, words_of};
use super::{CommandModel, PointModel, Profile};
use crate::model::{Point, ValueKind};
use crate::strict::{Fault, Tree, did_you_mean};

/// Returns points and commands ready for use; entries that mean nothing are told of by [`faults`].
pub(super) fn models(file: &File) -> (Vec<PointModel>, Vec<CommandModel>) {
    let number_text = match &file.link {
        Link::MqttJson(link) => link.coerce.is_some(),
        Link::MqttText(_) => true,
        Link::Modbus(_) => false,
    };
    let point = |(name, spec): (&str, &PointSpec)| {
        let point = Point::from_name(name)?;
        let text = number_text || (spec.topic.is_some() && spec.from.is_none());
        Some(PointModel {
            point,
            spec: spec.clone(),
            meaning: meaning(point.kind(), spec, text),
        })
    };
    let command = |(name, spec): (&str, &CommandSpec)| {
        let point = Point::from_name(name)?;
        Some(CommandModel {
            point,
            spec: spec.clone(),
            accepts: Accepts::new(point.kind(), &spec.arg),
        })
    };
    (
        file.point.iter().filter_map(point).collect(),
        file.command.iter().filter_map(command).collect(),
    )
}

fn meaning(kind: ValueKind, spec: &PointSpec, number_text: bool) -> Meaning {
    Meaning {
        kind,
        scale: spec.scale.unwrap_or(1.0),
        offset: spec.offset.unwrap_or(0.0),
        valid: spec.valid,
        reserved: spec.invalid.clone(),
        codes: spec
            .map
            .as_ref()
            .and_then(|map| codes_of(map, kind).ok())
            .unwrap_or_default(),
        number_text,
    }
}

/// Returns every fault, in no particular order.
pub(super) fn faults(profile: &Profile, tree: &Tree) -> Vec<Fault> {
    let mut lint = Lint {
        profile,
        file: profile.file(),
        tree,
        faults: Vec::new(),
    };
    lint.head();
    lint.link();
    for model in profile.points() {
        lint.point(model);
    }
    for model in &profile.commands {
        lint.command(model);
    }
    for (name, block) in profile.file().block.iter() {
        lint.block(name, block);
    }
    lint.recipe();
    lint.parameters();
    lint.faults
}

struct Lint<'a> {
    profile: &'a Profile,
    file: &'a File,
    tree: &'a Tree,
    faults: Vec<Fault>,
}

impl Lint<'_> {
    fn say(&mut self, path: &[&str], message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(self.tree.fault(path, message, help));
    }

    fn say_if(&mut self, wrong: bool, path: &[&str], message: &str, help: &str) {
        if wrong {
            self.say(path, message, help);
        }
    }

    fn head(&mut self) {
        let name = self.tree.file().rsplit(['/', '\\']).next().unwrap_or_default();
        if let Some(stem) = name.strip_suffix(".toml").filter(|stem| *stem != self.file.id.as_str()) {
            let help = format!("write id = {stem:?}, or rename the file {}.toml", self.file.id);
            self.say(
                &["id"],
                format!("the file is named {name:?}, the profile {:?}", self.file.id.as_str()),
                help,
            );
        }
        let blind = self
            .file
            .recognise
            .as_ref()
            .is_some_and(|m| m.via == "zigbee2mqtt" && m.model.is_empty() && m.exposes.is_empty());
        self.say_if(
            blind,
            &["match"],
            "every device would match",
            "write model = [...] or exposes = [...]",
        );
        self.say_if(
            self.file.point.0.is_empty(),
            &["point"],
            "the profile reports nothing",
            "write [point.NAME]",
        );
    }

    fn link(&mut self) {
        match &self.file.link {
            Link::MqttJson(link) => self.mqtt(link),
            Link::MqttText(link) => {
                let help = "write topic = ... in each [point.NAME], or type = \"mqtt_json\"";
                self.say_if(
                    !link.state.0.is_empty(),
                    &["link", "state"],
                    "mqtt_text has one topic for each point",
                    help,
                );
            }
            Link::Modbus(link) => self.modbus(link),
        }
    }

    fn mqtt(&mut self, link: &MqttLink) {
        let lone = link.state.0.is_empty() && self.profile.points().iter().any(|model| model.spec.topic.is_none());
        self.say_if(
            lone,
            &["link"],
            "missing key \"state\" in \"link\"",
            "write state = \"TOPIC\"",
        );
        let hollow = link.wrap.as_ref().is_some_and(|wrap| !wrap.has_hole("$put"));
        self.say_if(
            hollow,
            &["link", "wrap"],
            "nothing is wrapped",
            "write \"$put\" where the command goes",
        );
    }

    fn modbus(&mut self, link: &ModbusLink) {
        if let Some(unit) = link.unit {
            let wrong = !(unit.min..=unit.max).contains(&unit.default) || unit.min == 0 || unit.max > 247;
            self.say_if(
                wrong,
                &["link", "unit"],
                "the default address lies outside min and max",
                "write 1 <= min <= default <= max <= 247",
            );
        }
        for (place, group) in link.group.iter().enumerate() {
            self.say_if(
                group.from > group.to,
                &["link", "group", &place.to_string()],
                "the group ends before it begins",
                "swap from and to",
            );
        }
        if let Some(heartbeat) = &link.heartbeat {
            let fixed = matches!(heartbeat.table, Table::Input | Table::Discrete);
            self.say_if(
                fixed,
                &["link", "heartbeat", "table"],
                "this table cannot be written",
                "write \"holding\" or \"coil\"",
            );
        }
    }

    fn point(&mut self, model: &PointModel) {
        let (name, spec, kind) = (model.point.name(), &model.spec, model.point.kind());
        if !form_fits(spec.kind, kind) {
            let help = format!("write kind = {}", form_of(kind));
            self.say(&["point", name, "kind"], format!("{name:?} is not of this kind"), help);
            return;
        }
        self.unit(&["point", name], spec.unit.map(|unit| unit.word()), kind);
        let numbers = spec.kind == ValueForm::Number && spec.map.is_none();
        let unranged = numbers && kind.unit().is_some() && spec.valid.is_none();
        self.say_if(
            unranged,
            &["point", name],
            &format!("missing key \"valid\" in {name:?}"),
            "write valid = [least, most]: what can be true",
        );
        let empty = spec.valid.is_some_and(|[least, most]| least >= most);
        self.say_if(
            empty,
            &["point", name, "valid"],
            "nothing can be in this range",
            "write valid = [least, most]",
        );
        let null = spec.scale.is_some_and(|scale| scale == 0.0 || !scale.is_finite());
        self.say_if(
            null,
            &["point", name, "scale"],
            "this scale loses the value",
            "write a number that is not 0",
        );
        self.codes(name, spec, kind);
        match &self.file.link {
            Link::MqttJson(_) => self.mqtt_point(name, spec, false),
            Link::MqttText(_) => self.mqtt_point(name, spec, true),
            Link::Modbus(link) => self.modbus_point(name, model, link),
        }
    }

    fn unit(&mut self, path: &[&str], written: Option<&str>, kind: ValueKind) {
        let want = kind.unit().map(|unit| unit.word());
        if written == want {
            return;
        }
        let name = path.last().copied().unwrap_or_default();
        let (message, help) = match want {
            Some(unit) => (
                format!("{name:?} is measured in {unit}"),
                format!("write unit = {unit:?}"),
            ),
            None => (format!("{name:?} has no unit"), "leave unit out".to_owned()),
        };
        let path: Vec<&str> = if written.is_some() {
            [path, &["unit"]].concat()
        } else {
            path.to_vec()
        };
        self.say(&path, message, help);
    }

    fn codes(&mut self, name: &str, spec: &PointSpec, kind: ValueKind) {
        let Some(map) = &spec.map else {
            let bare = spec.kind == ValueForm::Enum;
            self.say_if(
                bare,
                &["point", name],
                &format!("missing key \"map\" in {name:?}"),
                "write map = { raw = \"word\" }",
            );
            return;
        };
        self.say_if(
            map.0.is_empty(),
            &["point", name, "map"],
            "an empty map makes every value invalid",
            "list the raw values",
        );
        self.say_if(
            spec.kind == ValueForm::Word,
            &["point", name, "map"],
            "a word is taken as it is",
            "write kind = \"enum\", or leave map out",
        );
        if let Err((raw, means)) = codes_of(map, kind) {
            let help = did_you_mean(&means, words_of(kind).iter().copied());
            self.say(
                &["point", name, "map", &raw],
                format!("{name:?} cannot be {means:?}"),
                help,
            );
        }
    }

    fn mqtt_point(&mut self, name: &str, spec: &PointSpec, text: bool) {
        self.say_if(
            spec.at.is_some(),
            &["point", name, "at"],
            "registers belong to Modbus",
            "write from = \"KEY\"",
        );
        self.say_if(
            spec.poll.is_some(),
            &["point", name, "poll"],
            "MQTT devices speak of their own accord",
            "leave poll out",
        );
        if text {
            self.say_if(
                spec.topic.is_none(),
                &["point", name],
                &format!("missing key \"topic\" in {name:?}"),
                "write topic = \"TOPIC\"",
            );
            self.say_if(
                spec.from.is_some() || spec.choose.is_some(),
                &["point", name],
                "a plain text has no keys",
                "leave from out, or write type = \"mqtt_json\"",
            );
            return;
        }
        let nowhere = spec.from.is_none() && spec.topic.is_none() && spec.choose.is_none();
        self.say_if(
            nowhere,
            &["point", name],
            &format!("missing key \"from\" in {name:?}"),
            "write from = \"KEY\"",
        );
        let blank = spec
            .from
            .iter()
            .flat_map(|from| &from.0)
            .any(|path| path.split('.').any(str::is_empty));
        self.say_if(
            blank,
            &["point", name, "from"],
            "a key is empty",
            "write from = \"a.b\"",
        );
    }

    fn modbus_point(&mut self, name: &str, model: &PointModel, link: &ModbusLink) {
        let spec = &model.spec;
        let alien = spec.from.is_some() || spec.topic.is_some() || spec.choose.is_some();
        self.say_if(
            alien,
            &["point", name],
            "keys and topics belong to MQTT",
            "write at = { table = ..., addr = ... }",
        );
        let Some(at) = &spec.at else {
            self.say(
                &["point", name],
                format!("missing key \"at\" in {name:?}"),
                "write at = { table = ..., addr = ... }",
            );
            return;
        };
        let path = ["point", name, "at"];
        self.place(&path, [at.addr, at.base, at.stride, at.word]);
        self.cut(&path, at);
        let long = at.form.unwrap_or_default().words() > link.max_read.unwrap_or(125);
        self.say_if(long, &path, "longer than link.max_read", "correct type or max_read");
        let bit = matches!(at.table, Table::Coil | Table::Discrete) || at.bits.is_some_and(|[a, b]| a == b);
        let coded = spec.map.is_some() || spec.kind != ValueForm::Bool || bit;
        self.say_if(
            !coded,
            &["point", name],
            "which register values mean true?",
            "write map = { 0 = false, 1 = true }",
        );
        self.within_group(&path, at, link);
        self.raw_numbers(name, spec);
    }

    /// Keys of a map are text to TOML: `0x5A` would stand there for ever and never be met.
    fn raw_numbers(&mut self, name: &str, spec: &PointSpec) {
        let raws = spec.map.iter().flat_map(|map| map.iter()).map(|(raw, _)| raw);
        for raw in raws.filter(|raw| number_of(raw).is_none()) {
            let message = format!("no register ever holds {raw:?}");
            self.say(
                &["point", name, "map", raw],
                message,
                "write the raw value as a decimal number",
            );
        }
    }

    /// `addr`, or `base` with `stride`; the latter only behind a gateway.
    fn place(&mut self, path: &[&str], [addr, base, stride, word]: [Option<u16>; 4]) {
        let fixed = addr.is_some() && base.is_none() && stride.is_none() && word.is_none();
        let strided = addr.is_none() && base.is_some() && stride.is_some_and(|stride| stride > 0);
        if !fixed && !strided {
            let help = "write addr = N, or base = N, stride = N, word = N";
            return self.say(path, "the address is not clear", help);
        }
        let Some(Instances { index, .. }) = self.file.instances.as_ref() else {
            return self.say_if(strided, path, "a stride needs units to count", "write [instances]");
        };
        let last = u32::from(base.unwrap_or(0))
            + u32::from(stride.unwrap_or(0)) * u32::from(index.max)
            + u32::from(word.unwrap_or(0));
        self.say_if(
            strided && last > 65_534,
            path,
            "the last unit lies beyond register 65535",
            "lower instances.index.max",
        );
    }

    fn cut(&mut self, path: &[&str], at: &At) {
        let long = at.form.unwrap_or_default().words() > 1;
        let single = matches!(at.table, Table::Coil | Table::Discrete);
        let cut = at.bits.is_some() || at.mask.is_some();
        self.say_if(
            cut && (long || single),
            path,
            "only one register can be cut into bits",
            "leave bits and mask out",
        );
        self.say_if(
            single && at.form.is_some(),
            path,
            "a single bit has no type",
            "leave type out",
        );
        let wrong = at.bits.is_some_and(|[low, high]| low > high || high > 15) || at.mask == Some(0);
        self.say_if(
            wrong,
            path,
            "no bit is left",
            "write bits = [lowest, highest] within 0 to 15",
        );
        self.say_if(
            at.bits.is_some() && at.mask.is_some(),
            path,
            "bits and mask say the same thing",
            "leave one out",
        );
    }

    fn within_group(&mut self, path: &[&str], at: &At, link: &ModbusLink) {
        let (Some(first), words) = (at.addr, at.form.unwrap_or_default().words()) else {
            return;
        };
        let last = first.saturating_add(words - 1);
        let mut groups = link.group.iter().filter(|group| group.table == at.table).peekable();
        let outside = groups.peek().is_some() && !groups.any(|group| group.from <= first && last <= group.to);
        self.say_if(
            outside,
            path,
            "the register lies in no [[link.group]]",
            "add the group, or correct the address",
        );
    }

    fn command(&mut self, model: &CommandModel) {
        let (name, spec) = (model.point.name(), &model.spec);
        self.argument(name, spec, model.point.kind());
        let ways = [
            spec.put.is_some(),
            spec.text.is_some(),
            !spec.write.is_empty(),
            spec.block.is_some(),
        ];
        let clear = ways.iter().filter(|way| **way).count() == 1;
        self.say_if(
            !clear,
            &["command", name],
            "how it is told is not clear",
            "write exactly one of put, text, write, block",
        );
        match &self.file.link {
            Link::MqttJson(link) | Link::MqttText(link) => self.mqtt_command(name, spec, link),
            Link::Modbus(link) => self.modbus_command(name, model, link),
        }
        self.confirm(name, model);
    }

    fn argument(&mut self, name: &str, spec: &CommandSpec, kind: ValueKind) {
        let arg = &spec.arg;
        let path = ["command", name, "arg"];
        if !form_fits(arg.kind, kind) {
            return self.say(
                &path,
                format!("{name:?} is not of this kind"),
                format!("write kind = {}", form_of(kind)),
            );
        }
        let written = arg.unit.map(|unit| unit.word());
        if written != kind.unit().map(|unit| unit.word()) {
            let help = kind.unit().map_or("leave unit out".to_owned(), |unit| {
                format!("write unit = {:?}", unit.word())
            });
            self.say(&path, format!("{name:?} is told in another unit"), help);
        }
        if arg.kind == ValueForm::Number {
            let ranged = matches!((arg.min, arg.max), (Some(least), Some(most)) if least < most);
            self.say_if(
                !ranged,
                &path,
                "what the device takes is not clear",
                "write min = LEAST and max = MOST",
            );
            self.say_if(
                arg.map.is_some(),
                &path,
                "a number needs no map",
                "leave map out, use scale",
            );
        }
        self.say_if(
            arg.kind == ValueForm::Enum && arg.map.is_none(),
            &path,
            "which words does it take?",
            "write map = { word = raw }",
        );
        for (word, _) in arg.map.iter().flat_map(|map| map.iter()) {
            if told_value(word, kind).is_none() {
                let help = did_you_mean(word, words_of(kind).iter().copied());
                self.say(
                    &["command", name, "arg", "map", word],
                    format!("{name:?} cannot be {word:?}"),
                    help,
                );
            }
        }
    }

    fn mqtt_command(&mut self, name: &str, spec: &CommandSpec, link: &MqttLink) {
        let alien = !spec.write.is_empty() || spec.block.is_some();
        self.say_if(
            alien,
            &["command", name],
            "registers belong to Modbus",
            "write put = { KEY = \"$arg\" }",
        );
        let nowhere = spec.topic.is_none() && link.set.is_none();
        self.say_if(
            nowhere,
            &["command", name],
            "where is it sent?",
            "write topic = ..., or set = ... in [link]",
        );
        let hollow = |put: &super::words::Template| !put.has_hole("$arg");
        self.say_if(
            spec.put.as_ref().is_some_and(hollow),
            &["command", name, "put"],
            "the value is not sent",
            "write \"$arg\" where it goes",
        );
        self.say_if(
            spec.text.as_ref().is_some_and(|text| !text.contains("$arg")),
            &["command", name, "text"],
            "the value is not sent",
            "write $arg where it goes",
        );
        for (place, when) in spec.put_when.iter().enumerate() {
            let path = ["command", name, "put_when", &place.to_string()];
            self.say_if(
                hollow(&when.put),
                &path,
                "the value is not sent",
                "write \"$arg\" where it goes",
            );
            self.known_point(&path, when.point);
        }
    }

    fn modbus_command(&mut self, name: &str, model: &CommandModel, link: &ModbusLink) {
        let spec = &model.spec;
        let alien = spec.put.is_some() || spec.text.is_some() || spec.topic.is_some() || !spec.put_when.is_empty();
        self.say_if(
            alien,
            &["command", name],
            "topics belong to MQTT",
            "write write = [{ table = ..., addr = ... }]",
        );
        let most = link.max_write.unwrap_or(123);
        for (place, write) in spec.write.iter().enumerate() {
            let path = ["command", name, "write", &place.to_string()];
            self.place(&path, [write.addr, write.base, write.stride, write.word]);
            let fixed = matches!(write.table, Table::Input | Table::Discrete);
            self.say_if(
                fixed,
                &path,
                "this table cannot be written",
                "write table = \"holding\" or \"coil\"",
            );
            let long = write.form.unwrap_or_default().words() > most;
            self.say_if(long, &path, "longer than link.max_write", "correct type or max_write");
        }
        let unsent = !spec.write.is_empty() && spec.write.iter().all(|write| write.value.is_some());
        self.say_if(
            unsent,
            &["command", name, "write"],
            "the value is not sent",
            "leave value out of one of the writes",
        );
        let textual = model
            .accepts
            .told
            .iter()
            .find(|(_, raw)| matches!(raw, super::words::Scalar::Text(_)));
        self.say_if(
            textual.is_some(),
            &["command", name, "arg", "map"],
            "a register holds numbers",
            "write map = { word = 1 }",
        );
        if let Some(block) = &spec.block {
            match self.file.block.get(block) {
                Some(found) if found.field.iter().any(|field| field.point == Some(model.point)) => {}
                Some(_) => self.say(
                    &["command", name, "block"],
                    format!("block {block:?} has no field for {name:?}"),
                    "add it to the block",
                ),
                None => {
                    let help = did_you_mean(block, self.file.block.iter().map(|(name, _)| name));
                    self.say(
                        &["command", name, "block"],
                        format!("there is no block {block:?}"),
                        help,
                    );
                }
            }
        }
    }

    fn confirm(&mut self, name: &str, model: &CommandModel) {
        let Some(confirm) = &model.spec.confirm else { return };
        let path = ["command", name, "confirm"];
        if !self.known_point(&path, confirm.point) {
            return;
        }
        if confirm.point.kind() != model.point.kind() {
            let help = format!("confirm by a point like {name:?}");
            return self.say(&path, format!("{:?} cannot show {name:?}", confirm.point.name()), help);
        }
        let wordy = confirm.tolerance.is_some() && model.spec.arg.kind != ValueForm::Number;
        self.say_if(wordy, &path, "a word is right or wrong", "leave tolerance out");
        let far = confirm.by == ConfirmBy::ReadBack && self.profile.modbus().is_none();
        self.say_if(far, &path, "an MQTT device is not read", "write by = \"device_report\"");
        self.shown(name, model, confirm.point);
    }

    /// Whether the confirming point can show everything that can be told.
    fn shown(&mut self, name: &str, model: &CommandModel, by: Point) {
        let Some(shows) = self.profile.point(by) else { return };
        let codes = &shows.meaning.codes;
        let hidden = model
            .accepts
            .told
            .iter()
            .find(|(value, _)| !codes.is_empty() && codes.iter().all(|c| c.value != *value));
        if let Some((value, _)) = hidden {
            let message = format!("{value} can be told, but {:?} never shows it", by.name());
            self.say(
                &["command", name, "arg", "map"],
                message,
                format!("add it to [point.{}] map", by.name()),
            );
        }
        let Some([least, most]) = shows.meaning.valid else {
            return;
        };
        let beyond = model.accepts.min < least || model.accepts.max > most;
        let numeric = model.spec.arg.kind == ValueForm::Number;
        self.say_if(
            numeric && beyond,
            &["command", name, "arg"],
            "more can be told than the confirming point may show",
            "narrow min and max, or widen valid",
        );
    }

    fn known_point(&mut self, path: &[&str], point: Point) -> bool {
        let known = self.profile.point(point).is_some();
        if !known {
            let names: Vec<&str> = self.profile.points().iter().map(|model| model.point.name()).collect();
            let help = did_you_mean(point.name(), names);
            self.say(path, format!("the profile does not report {:?}", point.name()), help);
        }
        known
    }

    fn block(&mut self, name: &str, block: &BlockSpec) {
        let path = ["block", name];
        self.place(&path, [block.addr, block.base, block.stride, None]);
        self.say_if(
            block.table != Table::Holding,
            &path,
            "only holding registers are written as a block",
            "write table = \"holding\"",
        );
        let most = self.profile.modbus().and_then(|link| link.max_write).unwrap_or(123);
        self.say_if(
            block.words > most,
            &path,
            "longer than link.max_write",
            "correct words or max_write",
        );
        let mut taken = vec![0_u16; usize::from(block.words)];
        for (place, field) in block.field.iter().enumerate() {
            let path = ["block", name, "field", &place.to_string()];
            self.field(&path, field);
            match taken.get_mut(usize::from(field.word)) {
                None => self.say(&path, "beyond the block's last word", "correct word or words"),
                Some(used) => {
                    let bits = mask_of(field.bits);
                    let twice = field.when.is_empty() && *used & bits != 0;
                    *used |= if field.when.is_empty() { bits } else { 0 };
                    self.say_if(twice, &path, "two fields stand on the same bits", "correct bits");
                }
            }
        }
    }

    fn field(&mut self, path: &[&str], field: &Field) {
        let clear = field.point.is_some() != field.constant.is_some();
        self.say_if(
            !clear,
            path,
            "what stands there is not clear",
            "write point = \"NAME\" or const = N",
        );
        let wrong = field.bits.is_some_and(|[low, high]| low > high || high > 15);
        self.say_if(
            wrong,
            path,
            "no bit is left",
            "write bits = [lowest, highest] within 0 to 15",
        );
        let Some(point) = field.point else { return };
        if self.known_point(path, point) {
            let codes = self.profile.point(point).map_or(&[][..], |model| &model.meaning.codes);
            let twin = codes
                .iter()
                .enumerate()
                .any(|(n, code)| codes[..n].iter().any(|other| other.value == code.value));
            self.say_if(
                twin,
                path,
                "which code to write back is not clear",
                "give each word of the point's map one code",
            );
        }
    }

    fn recipe(&mut self) {
        for (place, step) in self
            .file
            .recipe
            .prepare
            .iter()
            .flat_map(|recipe| recipe.steps.iter().enumerate())
        {
            if self.profile.command(*step).is_none() {
                let names: Vec<&str> = self.file.command.iter().map(|(name, _)| name).collect();
                let help = did_you_mean(step.name(), names);
                self.say(
                    &["recipe", "prepare", "steps", &place.to_string()],
                    format!("there is no command {:?}", step.name()),
                    help,
                );
            }
        }
    }

    fn parameters(&mut self) {
        let used = self.profile.placeholders();
        for (name, _) in self.file.parameter.iter() {
            if !used.contains(&name) {
                let help = did_you_mean(name, used.iter().copied());
                self.say(&["parameter", name], format!("nothing uses {{{name}}}"), help);
            }
        }
    }
}

/// The bits from the first to the last; all 16 when not said.
pub(super) fn mask_of(bits: Option<[u8; 2]>) -> u16 {
    match bits {
        Some([low, high]) if low <= high && high < 16 => (u16::MAX >> (15 - (high - low))) << low,
        Some(_) => 0,
        None => u16::MAX,
    }
}

const fn form_of(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Flag => "\"bool\"",
        ValueKind::Hvac | ValueKind::Fan => "\"enum\"",
        ValueKind::Word => "\"enum\" or \"word\"",
        _ => "\"number\"",
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::Profile;

    const HEAD: &str = "schema = 1\nid = 'x'\nrevision = 1\nkind = 'thermostat'\ntitle = 'X'\ntrust = 'draft'\n[[source]]\nwhat = 'a'\nref = 'b'\n";
    const MQTT: &str = "[link]\ntype = 'mqtt_json'\nstate = '{base}/{name}'\nset = '{base}/{name}/set'\n";
    const MODBUS: &str =
        "[link]\ntype = 'modbus'\nframing = ['rtu']\nmax_read = 4\n[[link.group]]\ntable = 'input'\nfrom = 0\nto = 9\n";
    const POINT: &str = "[point.target_temperature]\nfrom = 't'\nkind = 'number'\nunit = 'C'\nvalid = [5, 35]\n";
    const REGISTER: &str = "[point.target_temperature]\nat = { table = 'input', addr = 3 }\nkind = 'number'\nunit = 'C'\nvalid = [5, 35]\n";
    const BUDGET: &str = "budget = { min_gap = '60s', per_day = 10 }\n";

    /// The faults of a profile made of these parts, without the line that the head is long.
    fn told(parts: &[&str]) -> Vec<String> {
        match Profile::parse("x.toml", &format!("{HEAD}{}", parts.concat())) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(|fault| fault.to_string()).collect(),
        }
    }

    fn one(parts: &[&str]) -> String {
        let mut told = told(parts);
        assert_eq!(told.len(), 1, "{told:#?}");
        told.remove(0)
    }

    #[test]
    fn a_right_profile_has_no_fault() {
        let command = "[command.target_temperature]\narg = { kind = 'number', unit = 'C', min = 16, max = 30, step = 0.5 }\nput = { t = '$arg' }\n";
        assert_eq!(told(&[MQTT, POINT, command, BUDGET]), Vec::<String>::new());
        assert_eq!(told(&[MODBUS, REGISTER]), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_point_is_told_the_nearest() {
        let fault = one(&[MQTT, POINT, "[point.room_temprature]\nfrom = 'x'\nkind = 'number'\n"]);
        assert_eq!(
            fault,
            r#"x.toml:19:8: unknown name "room_temprature"; did you mean "room_temperature"?"#
        );
    }

    #[test]
    fn a_raw_value_that_no_register_holds_is_told() {
        let power =
            "[point.power]\nat = { table = 'input', addr = 0 }\nkind = 'bool'\nmap = { 165 = true, 0x5A = false }\n";
        assert_eq!(
            one(&[MODBUS, power]),
            r#"x.toml:21:28: no register ever holds "0x5A"; write the raw value as a decimal number"#
        );
    }

    #[test]
    fn a_link_says_which_function_writes_its_registers() {
        let link = |function: u8| MODBUS.replace("max_read", &format!("function = {function}\nmax_read"));
        assert_eq!(told(&[&link(6), REGISTER]), Vec::<String>::new());
        assert_eq!(told(&[&link(16), REGISTER]), Vec::<String>::new());
        let fault = one(&[&link(15), REGISTER]);
        assert!(fault.contains("write 6 or 16"), "{fault}");
        one(&[&link(5), REGISTER]);
    }

    #[test]
    fn a_missing_source_is_told_at_the_top() {
        let text = format!("{HEAD}{MQTT}{POINT}").replace("[[source]]\nwhat = 'a'\nref = 'b'\n", "");
        let faults = Profile::parse("x.toml", &text).unwrap_err();
        assert!(
            faults[0].to_string().starts_with(r#"x.toml:1:1: missing key "source""#),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn units_and_ranges_are_those_of_the_point() {
        let fault = one(&[MQTT, &POINT.replace("unit = 'C'", "unit = '%'")]);
        assert_eq!(
            fault,
            r#"x.toml:17:8: "target_temperature" is measured in C; write unit = "C""#
        );
        let fault = one(&[MQTT, &POINT.replace("valid = [5, 35]\n", "")]);
        assert!(fault.contains("missing key \"valid\""), "{fault}");
        let fault = one(&[MQTT, &POINT.replace("[5, 35]", "[35, 5]")]);
        assert!(
            fault.starts_with("x.toml:18:1: nothing can be in this range"),
            "{fault}"
        );
    }

    #[test]
    fn a_word_that_the_point_cannot_be_is_told_the_nearest() {
        let fault = one(&[
            MQTT,
            "[point.hvac_mode]\nfrom = 'm'\nkind = 'enum'\nmap = { fan_only = 'fann' }\n",
        ]);
        assert_eq!(
            fault,
            r#"x.toml:17:20: "hvac_mode" cannot be "fann"; did you mean "fan"?"#
        );
    }

    #[test]
    fn a_command_without_budget_is_a_fault() {
        let command = "[command.target_temperature]\narg = { kind = 'number', unit = 'C', min = 16, max = 30 }\nput = { t = '$arg' }\n";
        assert!(one(&[MQTT, POINT, command]).contains("missing key \"budget\""));
    }

    #[test]
    fn a_command_is_told_one_way_and_sends_its_value() {
        let arg = "[command.target_temperature]\narg = { kind = 'number', unit = 'C', min = 16, max = 30 }\n";
        let both = one(&[MQTT, POINT, arg, "put = { t = '$arg' }\ntext = '$arg'\n", BUDGET]);
        assert!(both.contains("exactly one of put, text, write, block"), "{both}");
        let hollow = one(&[MQTT, POINT, arg, "put = { t = 5 }\n", BUDGET]);
        assert!(hollow.starts_with("x.toml:21:1: the value is not sent"), "{hollow}");
    }

    #[test]
    fn what_can_be_told_must_be_what_the_confirming_point_can_show() {
        let command = "[command.target_temperature]\narg = { kind = 'number', unit = 'C', min = 5, max = 90 }\nput = { t = '$arg' }\nconfirm = { point = 'target_temperature', by = 'device_report', within = '5s' }\n";
        assert!(one(&[MQTT, POINT, command, BUDGET]).contains("narrow min and max"));
        let blind = command
            .replace("max = 90", "max = 30")
            .replace("point = 'target_temperature'", "point = 'preset'");
        assert!(one(&[MQTT, POINT, &blind, BUDGET]).contains("does not report \"preset\""));
    }

    #[test]
    fn a_register_lies_in_a_group_and_its_place_is_clear() {
        assert!(one(&[MODBUS, &REGISTER.replace("addr = 3", "addr = 30")]).contains("in no [[link.group]]"));
        assert!(
            one(&[MODBUS, &REGISTER.replace("addr = 3", "addr = 3, base = 5")]).contains("the address is not clear")
        );
        assert!(one(&[MODBUS, &REGISTER.replace("addr = 3", "base = 3, stride = 2")]).contains("write [instances]"));
        assert!(one(&[MODBUS, &REGISTER.replace("addr = 3", "addr = 3, bits = [5, 2]")]).contains("no bit is left"));
        assert!(
            one(&[
                MODBUS,
                &POINT.replace("from = 't'", "from = 't'\nat = { table = 'input', addr = 1 }")
            ])
            .contains("belong to MQTT")
        );
    }

    #[test]
    fn the_file_is_named_after_the_profile() {
        let faults = Profile::parse("folder/y.toml", &format!("{HEAD}{MQTT}{POINT}")).unwrap_err();
        assert!(
            faults[0]
                .to_string()
                .starts_with("folder/y.toml:2:6: the file is named \"y.toml\""),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn a_length_of_time_says_its_unit() {
        let fault = one(&[MQTT, "silent_after = '15 minutes'\n", POINT]);
        assert!(
            fault.starts_with("x.toml:14:16: \"silent_after\": \"15 minutes\" is no length of time"),
            "{fault}"
        );
    }
}
