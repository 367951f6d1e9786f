//! What can a device of this profile do, as far as a configuration asks?

use crate::model::{Ability, Coil, Point, ProfileId, Span};
use crate::profile::format::{Framing, ModbusLink, MqttLink, Parity};
use crate::profile::{DeviceKind, Profile, Trust};
use std::collections::BTreeMap;

/// A compressor is not switched again sooner than this: oil comes back and pressures even out.
const COMPRESSOR_RESTS: Span = Span::minutes(5);

/// What the checks and the engine's setup need of one profile.
#[derive(Debug, Clone)]
pub(super) struct DeviceModel {
    pub(super) id: ProfileId,
    pub(super) revision: u32,
    /// Nobody has tried it on the real device.
    pub(super) draft: bool,
    pub(super) wire: Wire,
    pub(super) coil: Coil,
    /// The step of the temperature it reports, K, where its registers tell.
    pub(super) reading_step_k: Option<f64>,
    pub(super) reports: Vec<Point>,
    pub(super) guest_points: Vec<Point>,
    pub(super) abilities: Vec<Ability>,
    /// The placeholders of its topics, with what to write, and what stands for one that is not given.
    pub(super) needs: BTreeMap<String, Need>,
    /// The words its buttons say; none when they are not known beforehand.
    pub(super) actions: Option<Vec<String>>,
    pub(super) silent_after: Span,
    pub(super) echo_within: Span,
    pub(super) settle: Span,
}

/// One placeholder.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// What to write.
    pub(super) what: String,
    /// What it is when nothing is written.
    pub(super) default: Option<String>,
}

/// How the device is reached.
#[derive(Debug, Clone)]
pub(super) enum Wire {
    /// By topics, with placeholders.
    Mqtt { topics: Vec<String> },
    /// By registers.
    Modbus(ModbusModel),
}

/// How a Modbus device is reached.
#[derive(Debug, Clone)]
pub(super) struct ModbusModel {
    /// Words: `rtu`, `rtu_over_tcp`, `tcp`.
    pub(super) framings: Vec<&'static str>,
    /// The maker's own line settings, in words.
    pub(super) serial: Option<(u32, &'static str, u8)>,
    /// As delivered, least, most.
    pub(super) unit: Option<(u8, u8, u8)>,
    /// Least and most, for a gateway of many alike units.
    pub(super) index: Option<(u16, u16)>,
}

impl DeviceModel {
    /// Looks at a profile.
    pub(super) fn of(profile: &Profile) -> Self {
        let needs = profile.parameters().into_iter().map(|need| {
            (
                need.name,
                Need {
                    what: need.what,
                    default: need.default,
                },
            )
        });
        Self {
            id: profile.id().clone(),
            revision: profile.file().revision,
            draft: profile.trust() == Trust::Draft,
            wire: wire(profile),
            coil: if has_compressor(profile) {
                Coil::Direct
            } else {
                Coil::Water
            },
            reading_step_k: reading_step_k(profile),
            reports: profile.reports(),
            guest_points: profile.guest_points(),
            abilities: abilities(profile),
            needs: needs.collect(),
            actions: actions(profile),
            silent_after: profile.silent_after(),
            echo_within: profile.echo_within(),
            settle: profile.settle(),
        }
    }

    /// The word of the link kind it needs.
    pub(super) const fn link_kind(&self) -> &'static str {
        match self.wire {
            Wire::Mqtt { .. } => "mqtt",
            Wire::Modbus(_) => "modbus",
        }
    }

    /// What it can be told about a point.
    pub(super) fn ability(&self, point: Point) -> Option<&Ability> {
        self.abilities.iter().find(|ability| ability.point == point)
    }
}

/// Whether it is a unit of its own with a compressor, or speaks for such units.
fn has_compressor(profile: &Profile) -> bool {
    use DeviceKind::{AcGateway, AcUnit, VrfGateway};
    matches!(profile.file().kind, AcUnit | AcGateway | VrfGateway)
}

/// What it can be told; a compressor is switched less often than its electronics would bear.
fn abilities(profile: &Profile) -> Vec<Ability> {
    let mut abilities = profile.abilities();
    let switches = |ability: &&mut Ability| matches!(ability.point, Point::HvacMode | Point::Power);
    if has_compressor(profile) {
        abilities
            .iter_mut()
            .filter(switches)
            .for_each(|ability| ability.gap_min = ability.gap_min.max(COMPRESSOR_RESTS));
    }
    abilities
}

/// One step of the register that the room's temperature stands in. What comes as text is rounded nobody knows how.
fn reading_step_k(profile: &Profile) -> Option<f64> {
    let point = profile.file().point.get(Point::RoomTemperature.name())?;
    point.at.as_ref()?;
    Some(point.scale.unwrap_or(1.0).abs())
}

fn wire(profile: &Profile) -> Wire {
    match (profile.mqtt(), profile.modbus()) {
        (_, Some(link)) => Wire::Modbus(modbus(profile, link)),
        (Some(link), None) => Wire::Mqtt {
            topics: topics(profile, link),
        },
        (None, None) => Wire::Mqtt { topics: Vec::new() },
    }
}

/// The topics that belong to one device alone: where its state comes from.
fn topics(profile: &Profile, link: &MqttLink) -> Vec<String> {
    if !link.state.0.is_empty() {
        return link.state.0.clone();
    }
    profile
        .file()
        .point
        .iter()
        .filter_map(|(_, point)| point.topic.clone())
        .collect()
}

fn modbus(profile: &Profile, link: &ModbusLink) -> ModbusModel {
    let framing = |framing: &Framing| match framing {
        Framing::Rtu => "rtu",
        Framing::RtuOverTcp => "rtu_over_tcp",
        Framing::Tcp => "tcp",
    };
    let parity = |parity: Parity| match parity {
        Parity::None => "none",
        Parity::Even => "even",
        Parity::Odd => "odd",
    };
    ModbusModel {
        framings: link.framing.iter().map(framing).collect(),
        serial: link
            .serial
            .map(|serial| (serial.baud, parity(serial.parity), serial.stop)),
        unit: link.unit.map(|unit| (unit.default, unit.min, unit.max)),
        index: profile
            .file()
            .instances
            .as_ref()
            .map(|instances| (instances.index.min, instances.index.max)),
    }
}

/// The words its buttons say, when the profile lists them.
fn actions(profile: &Profile) -> Option<Vec<String>> {
    let map = profile.file().point.get(Point::Action.name())?.map.as_ref()?;
    Some(map.iter().map(|(_, word)| word.text()).collect())
}
