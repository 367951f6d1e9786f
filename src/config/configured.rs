//! What does the daemon get, once nothing is wrong?

use super::fault::Fault;
use super::file::{EmergencySection, JobsSection, ObserveSection, ServiceSection, StoreSection};
use super::gather::Gathered;
use super::link::{CentralLink, Link, LinkConfig};
use super::rooms::Room;
use super::verify::Bound;
use crate::model::{
    CallService, DeviceId, DeviceSetup, LinkId, Place, Point, Policies, ProfileId, Property, RoomId, RoomSetup,
};
use crate::profile::Parameters;
use data_encoding::HEXLOWER;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many hexadecimal digits of the hash are kept: enough to tell two configurations of one property apart for ever.
const HASH_DIGITS: usize = 16;

/// A configuration in which nothing is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Configured {
    /// What the engine is given; shared with it.
    pub property: Arc<Property>,
    /// The links, by their id.
    pub links: Vec<LinkConfig>,
    /// How each device is reached.
    pub bindings: BTreeMap<DeviceId, Binding>,
    /// What is kept on disk.
    pub store: StoreSection,
    /// What the engineer can look at.
    pub observe: ObserveSection,
    /// What is done at fixed times.
    pub jobs: JobsSection,
    /// Names this configuration: the same for the same meaning, whatever the comments and the order of the files.
    #[serde(skip)]
    pub hash: String,
    /// What is not wrong, but probably not meant.
    #[serde(skip)]
    pub warnings: Vec<Fault>,
}

/// How one device is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// In which room it is.
    pub room: RoomId,
    /// Over which link.
    pub link: LinkId,
    /// How its model speaks.
    pub profile: ProfileId,
    /// Which revision of the profile.
    pub revision: u32,
    /// What the profile's placeholders are for this device.
    pub params: Arc<Parameters>,
    /// Its Modbus unit address.
    pub unit: Option<u8>,
    /// Which of a gateway's units it is.
    pub index: Option<u16>,
}

impl Configured {
    /// The link to central, when there is one.
    pub fn central(&self) -> Option<(&LinkId, &CentralLink)> {
        self.links.iter().find_map(|config| match &config.link {
            Link::Central(link) => Some((&config.id, link)),
            _ => None,
        })
    }

    /// The link of this id.
    pub fn link(&self, id: &LinkId) -> Option<&Link> {
        self.links
            .iter()
            .find(|config| config.id == *id)
            .map(|config| &config.link)
    }

    /// The devices on a link, in the order of their ids.
    pub fn on_link<'a>(&'a self, link: &'a LinkId) -> impl Iterator<Item = (&'a DeviceId, &'a Binding)> {
        self.bindings.iter().filter(move |(_, binding)| binding.link == *link)
    }
}

/// Puts the parts together; none when the property itself is missing, which has been told.
pub(super) fn assemble(all: &Gathered, rooms: &[Room], bound: &[Vec<Bound<'_>>]) -> Option<Configured> {
    let property = &all.property.as_ref()?.value;
    let policies = Policies {
        plant: property.plant,
        code: property.code,
        place: property
            .latitude
            .zip(property.longitude)
            .map(|(latitude, longitude)| Place { latitude, longitude }),
        comfort: property.comfort,
        levels: (&all.levels.value).into(),
        arrival: (&all.arrival.value).into(),
        power: (&all.power.value).into(),
        habits: (&all.habits.value).into(),
        prepare_firmness: property.prepare_firmness,
        battery_low: property.battery_low,
        services: all
            .services
            .iter()
            .map(|(name, piece)| (name.clone(), service(&piece.value)))
            .collect(),
        ..emergency(&all.emergency.value)
    };
    let links = all.links.iter().map(|(id, piece)| {
        let link = with_client_id(&piece.value, &format!("innkeeper-{}-{id}", property.id));
        LinkConfig { id: id.clone(), link }
    });
    let mut configured = Configured {
        property: Arc::new(Property {
            id: property.id.clone(),
            zone: property.zone.clone(),
            limits: (&all.limits.value).into(),
            policies,
            rooms: rooms
                .iter()
                .zip(bound)
                .map(|(room, bound)| room_setup(room, bound))
                .collect(),
        }),
        links: links.collect(),
        bindings: rooms
            .iter()
            .zip(bound)
            .flat_map(|(room, bound)| bound.iter().map(|one| binding(room, one)))
            .collect(),
        store: all.store.value.clone(),
        observe: all.observe.value.clone(),
        jobs: all.jobs.value.clone(),
        hash: String::new(),
        warnings: Vec::new(),
    };
    configured.hash = hash(&configured, bound);
    Some(configured)
}

fn emergency(section: &EmergencySection) -> Policies {
    Policies {
        emergency_local_after: section.local_after.into(),
        emergency_repeat: section.repeat.into(),
        ..Policies::default()
    }
}

fn service(section: &ServiceSection) -> CallService {
    CallService {
        department: section.department,
        skill: section.skill.clone(),
        estimate_min: section.estimate_min,
        steps: section.steps.clone(),
    }
}

/// Two clients of one id throw each other off the broker, so each link has its own.
fn with_client_id(link: &Link, usual: &str) -> Link {
    let mut link = link.clone();
    if let Link::Mqtt(super::link::MqttLink { client_id, .. }) | Link::Central(CentralLink { client_id, .. }) =
        &mut link
    {
        client_id.get_or_insert_with(|| usual.to_owned());
    }
    link
}

fn room_setup(room: &Room, bound: &[Bound<'_>]) -> RoomSetup {
    RoomSetup {
        id: room.id.clone(),
        floor: room.floor.clone(),
        zones: room.zones.clone(),
        connects: room.connects.clone(),
        suite: room.suite.clone(),
        faces: room.faces,
        output_percent: room.output_percent,
        out_of_order: room.out_of_order,
        devices: bound.iter().map(|one| device_setup(room, one)).collect(),
    }
}

fn device_setup(room: &Room, bound: &Bound<'_>) -> DeviceSetup {
    let (model, section) = (bound.model, &bound.device.section);
    let told = |point: Point| bound.commands && (point != Point::Firmness || room.prepare_firmness != Some(false));
    DeviceSetup {
        id: bound.device.id.clone(),
        profile: model.id.clone(),
        zone: section.zone.clone(),
        role: section.role.unwrap_or_default(),
        coil: section.coil.unwrap_or(model.coil),
        reading_step_k: model.reading_step_k,
        reports: model.reports.clone(),
        guest_points: model.guest_points.clone(),
        abilities: model
            .abilities
            .iter()
            .filter(|ability| told(ability.point))
            .cloned()
            .collect(),
        buttons: bound.buttons.clone(),
        silent_after: model.silent_after,
        echo_within: model.echo_within,
        settle: model.settle,
        hand_back: if bound.commands {
            bound.hand_back.clone()
        } else {
            Vec::new()
        },
    }
}

fn binding(room: &Room, bound: &Bound<'_>) -> (DeviceId, Binding) {
    let binding = Binding {
        room: room.id.clone(),
        link: bound.link.clone(),
        profile: bound.model.id.clone(),
        revision: bound.model.revision,
        params: Arc::new(bound.params.clone().into_iter().collect()),
        unit: bound.unit,
        index: bound.index,
    };
    (bound.device.id.clone(), binding)
}

/// Hashes what is meant. What a model of device can do is taken in once a profile, not once a device: a large hotel has
/// thousands of devices of a dozen models.
fn hash(configured: &Configured, bound: &[Vec<Bound<'_>>]) -> String {
    let models: BTreeMap<&str, _> = bound
        .iter()
        .flatten()
        .map(|one| (one.model.id.as_str(), (&one.model.abilities, one.model.reading_step_k)))
        .collect();
    let rooms: Vec<_> = configured
        .property
        .rooms
        .iter()
        .map(|room| {
            let devices: Vec<_> = room
                .devices
                .iter()
                .map(|device| {
                    let told: Vec<Point> = device.abilities.iter().map(|ability| ability.point).collect();
                    (
                        &device.id,
                        &device.zone,
                        (device.role, device.coil),
                        &device.reports,
                        &device.buttons,
                        &device.hand_back,
                        told,
                    )
                })
                .collect();
            (
                &room.id,
                &room.floor,
                &room.zones,
                (&room.connects, &room.suite, room.faces, room.output_percent),
                room.out_of_order,
                devices,
            )
        })
        .collect();
    let property = &configured.property;
    let policies = (&property.id, &property.zone, &property.limits, &property.policies);
    let rest = (
        &configured.links,
        &configured.bindings,
        &configured.store,
        &configured.observe,
        &configured.jobs,
    );
    let text = serde_json::to_vec(&(models, rooms, policies, rest)).unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, &text);
    HEXLOWER.encode(&digest.as_ref()[..HASH_DIGITS / 2])
}
