//! What does a floor of rooms do, wired to a real broker and a real bus?
//!
//! The hotel owns its rooms' bodies, the bridge and the bus. It does nothing by itself: whoever drives it lets time pass
//! ([`Hotel::pass`]) and has guests act ([`Hotel::act`]); devices obey what reaches them over the wire, and each command
//! that did is written down ([`Told`]) so that a story or a test can look.

use super::guest::Act;
use super::physics::{Body, Build, Thermostat, outdoor};
use super::register::Bus;
use super::zigbee::{Bridge, Model, Order};
use crate::model::{Moment, RoomId, Span};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A thermostat reports when the air has moved by this much, K,
const REPORT_K: f64 = 0.3;
/// and at least this often.
const REPORT_EVERY: Span = Span::minutes(8);
/// A sensor on a battery says that it is alive this often.
const ALIVE_EVERY: Span = Span::hours(5);
/// A motion sensor clears so long after it saw something.
const MOTION_LASTS: Span = Span::seconds(60);
/// A device obeys this long after it was told, in real time: the radio's way.
const OBEYS_AFTER: Duration = Duration::from_millis(25);
/// Commands written down; a story has some dozens, a load test looks at the newest.
const TOLD_MAX: usize = 100_000;

/// One room as it is to be built.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Which.
    pub id: RoomId,
    /// The thermostat's unit on the bus; none for a Zigbee thermostat.
    pub unit: Option<u8>,
    /// Whether it has a mattress that takes orders.
    pub mattress: bool,
    /// The air in the beginning, C.
    pub air: f64,
}

/// What a device was told over the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// When it arrived.
    pub at: Moment,
    /// In which room.
    pub room: RoomId,
    /// Which device.
    pub device: Model,
    /// To what: C or %.
    pub value: f64,
}

struct Room {
    plan: Plan,
    body: Body,
    setpoint: f64,
    valve: f64,
    reported: Option<(Moment, f64)>,
    alive_at: Moment,
    clears_at: Option<Moment>,
}

struct Inner {
    clock: fn() -> Moment,
    rooms: Mutex<BTreeMap<RoomId, Room>>,
    told: Mutex<Vec<Told>>,
    bridge: Bridge,
    bus: Bus,
}

/// A running hotel. It ends when dropped.
pub struct Hotel {
    inner: Arc<Inner>,
    passed: Moment,
    obedience: [JoinHandle<()>; 2],
}

impl Hotel {
    /// Opens a hotel with these rooms at a broker; the bus listens on a free port.
    ///
    /// # Errors
    /// What the system says of the port.
    pub async fn open(plans: Vec<Plan>, broker: SocketAddr, clock: fn() -> Moment) -> std::io::Result<Self> {
        let devices: Vec<(String, Model)> = plans.iter().flat_map(devices).collect();
        let (bridge, mut orders) = Bridge::start(broker, "zigbee2mqtt", devices, clock);
        let (bus, mut writes) = Bus::start(plans.iter().filter_map(|plan| plan.unit)).await?;
        let now = clock();
        plans
            .iter()
            .filter_map(|plan| Some((plan.unit?, plan.air)))
            .for_each(|(unit, air)| bus.turn(unit, air.floor()));
        let rooms = plans
            .into_iter()
            .map(|plan| (plan.id.clone(), Room::new(plan, now)))
            .collect();
        let inner = Arc::new(Inner {
            clock,
            rooms: Mutex::new(rooms),
            told: Mutex::new(Vec::new()),
            bridge,
            bus,
        });
        let (zigbee, wired) = (inner.clone(), inner.clone());
        let obedience = [
            tokio::spawn(async move {
                while let Some(order) = orders.recv().await {
                    zigbee.ordered(order).await;
                }
            }),
            tokio::spawn(async move {
                while let Some(written) = writes.recv().await {
                    if let Some(value) = written.setpoint() {
                        wired.written(written.unit, value);
                    }
                }
            }),
        ];
        Ok(Self {
            inner,
            passed: now,
            obedience,
        })
    }

    /// Where the bus listens.
    pub fn bus(&self) -> SocketAddr {
        self.inner.bus.address()
    }

    /// Lets the time since the last call pass: air moves, devices report.
    pub async fn pass(&mut self) {
        let now = (self.inner.clock)();
        let seconds = now.since(self.passed).as_seconds_f64();
        self.passed = now;
        let hour = (now.millis() / 3_600_000 % 24) as f64;
        let said: Vec<(String, serde_json::Value)> = {
            let mut rooms = self.inner.rooms();
            rooms
                .values_mut()
                .flat_map(|room| room.pass(now, seconds, outdoor(hour), &self.inner.bus))
                .collect()
        };
        for (name, changes) in said {
            self.inner.bridge.say(&name, changes).await;
        }
    }

    /// Somebody does something in a room.
    pub async fn act(&self, room: &RoomId, act: Act) {
        let said = {
            let mut rooms = self.inner.rooms();
            rooms
                .get_mut(room)
                .and_then(|room| room.act((self.inner.clock)(), act, &self.inner.bus))
        };
        if let Some((model, changes)) = said {
            self.inner.bridge.say(&name(room, model), changes).await;
        }
    }

    /// The air in a room, C.
    pub fn air(&self, room: &RoomId) -> Option<f64> {
        self.inner.rooms().get(room).map(|room| room.body.air)
    }

    /// What a room's thermostat is set to, C.
    pub fn setpoint(&self, room: &RoomId) -> Option<f64> {
        self.inner.rooms().get(room).map(|room| room.setpoint)
    }

    /// How firm a room's mattress is.
    pub fn firmness(&self, room: &RoomId) -> Option<f64> {
        self.inner
            .bridge
            .state(&name(room, Model::Mattress), "firmness")?
            .as_f64()
    }

    /// What devices were told, from the n-th command on.
    pub fn told_since(&self, n: usize) -> Vec<Told> {
        self.inner.told().get(n..).map(<[Told]>::to_vec).unwrap_or_default()
    }
}

impl Drop for Hotel {
    fn drop(&mut self) {
        self.obedience.iter().for_each(JoinHandle::abort);
    }
}

/// The devices of a room, with their friendly names. The thermostat is among them unless it is on the bus.
fn devices(plan: &Plan) -> Vec<(String, Model)> {
    let mut models = vec![Model::Contact, Model::Motion, Model::BedPad, Model::Leak];
    models.extend(plan.unit.is_none().then_some(Model::Thermostat));
    models.extend(plan.mattress.then_some(Model::Mattress));
    models.into_iter().map(|model| (name(&plan.id, model), model)).collect()
}

/// The friendly name of a device: `room/104/door`.
pub fn name(room: &RoomId, model: Model) -> String {
    format!("room/{room}/{}", model.word())
}

/// The rooms as an innkeeper configuration, for links `zigbee` and `bus`.
pub fn configuration(plans: &[Plan]) -> String {
    plans.iter().map(room_section).collect()
}

fn room_section(plan: &Plan) -> String {
    let id = &plan.id;
    let mut text = format!("\n[[room]]\nid = \"{id}\"\n");
    if let Some(unit) = plan.unit {
        text += &format!(
            "[[room.device]]\nid = \"thermostat-{id}\"\nprofile = \"siemens-rdf302\"\nlink = \"bus\"\nunit = {unit}\n"
        );
    }
    for (friendly, model) in devices(plan) {
        let word = model.word();
        text += &format!(
            "[[room.device]]\nid = \"{word}-{id}\"\nprofile = \"{}\"\nlink = \"zigbee\"\nparams = {{ name = \"{friendly}\" }}\n",
            model.profile()
        );
        text += if model == Model::Contact {
            "role = \"door\"\n"
        } else {
            ""
        };
    }
    text
}

impl Inner {
    fn rooms(&self) -> MutexGuard<'_, BTreeMap<RoomId, Room>> {
        self.rooms.lock().expect("nothing panics while it holds the rooms")
    }

    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().expect("nothing panics while it holds what was told")
    }

    /// A Zigbee device was told something: it obeys, and then says so itself.
    async fn ordered(&self, order: Order) {
        let mut parts = order.name.split('/').skip(1);
        let (Some(room), word) = (parts.next().and_then(|id| RoomId::new(id).ok()), parts.next()) else {
            return;
        };
        let obeyed = [
            ("thermostat", Model::Thermostat, "current_heating_setpoint"),
            ("mattress", Model::Mattress, "firmness"),
        ];
        let told = obeyed
            .into_iter()
            .find(|(is, ..)| Some(*is) == word)
            .and_then(|(_, model, key)| Some((model, order.changes.get(key)?.as_f64()?)));
        if let Some((device, value)) = told {
            if device == Model::Thermostat
                && let Some(room) = self.rooms().get_mut(&room)
            {
                room.setpoint = value;
            }
            self.note(Told {
                at: (self.clock)(),
                room,
                device,
                value,
            });
        }
        tokio::time::sleep(OBEYS_AFTER).await;
        self.bridge.say(&order.name, order.changes.into()).await;
    }

    /// A thermostat on the bus was told a set-point.
    fn written(&self, unit: u8, value: f64) {
        let room = {
            let mut rooms = self.rooms();
            let Some(room) = rooms.values_mut().find(|room| room.plan.unit == Some(unit)) else {
                return;
            };
            room.setpoint = value;
            room.plan.id.clone()
        };
        self.note(Told {
            at: (self.clock)(),
            room,
            device: Model::Thermostat,
            value,
        });
    }

    fn note(&self, told: Told) {
        let mut all = self.told();
        if all.len() < TOLD_MAX {
            all.push(told);
        }
    }
}

impl Room {
    fn new(plan: Plan, now: Moment) -> Self {
        let (body, setpoint) = (Body::settled(Build::default(), plan.air), plan.air.floor());
        Self {
            body,
            setpoint,
            valve: 0.0,
            reported: None,
            alive_at: now,
            clears_at: None,
            plan,
        }
    }

    /// Lets time pass; returns what devices say.
    fn pass(&mut self, now: Moment, seconds: f64, outdoor: f64, bus: &Bus) -> Vec<(String, serde_json::Value)> {
        if let Some(set) = self.plan.unit.and_then(|unit| bus.setpoint(unit)) {
            self.setpoint = set;
        }
        self.valve = self.body.step(seconds, outdoor, Thermostat::at(self.setpoint));
        let mut said = Vec::new();
        let mut say = |model, changes| said.push((name(&self.plan.id, model), changes));
        match self.plan.unit {
            Some(unit) => bus.feel(unit, self.body.air, self.valve),
            None => {
                let is_due =
                    |(at, air): (Moment, f64)| now.since(at) >= REPORT_EVERY || (self.body.air - air).abs() >= REPORT_K;
                let said = self.reported.filter(|last| !is_due(*last));
                if said.is_none() {
                    let air = (self.body.air * 10.0).round() / 10.0;
                    let mut changes = json!({ "local_temperature": air });
                    if self.reported.is_none() {
                        changes["current_heating_setpoint"] = json!(self.setpoint);
                    }
                    self.reported = Some((now, self.body.air));
                    say(Model::Thermostat, changes);
                }
            }
        }
        if self.clears_at.is_some_and(|at| at <= now) {
            self.clears_at = None;
            say(Model::Motion, json!({ "occupancy": false }));
        }
        if self.alive_at <= now {
            self.alive_at = now + ALIVE_EVERY;
            let alive = [Model::Contact, Model::BedPad, Model::Leak]
                .into_iter()
                .chain(self.clears_at.is_none().then_some(Model::Motion));
            let mattress = self.plan.mattress.then_some(Model::Mattress);
            alive.chain(mattress).for_each(|model| say(model, json!({})));
        }
        said
    }

    /// Returns what a device says of an act.
    fn act(&mut self, now: Moment, act: Act, bus: &Bus) -> Option<(Model, serde_json::Value)> {
        Some(match act {
            Act::OpensDoor => (Model::Contact, json!({ "contact": false })),
            Act::DoorShuts => (Model::Contact, json!({ "contact": true })),
            Act::DoorBattery(share) => (Model::Contact, json!({ "battery": share })),
            Act::Moves => {
                self.clears_at = Some(now + MOTION_LASTS);
                (Model::Motion, json!({ "occupancy": true }))
            }
            Act::LiesDown => (Model::BedPad, json!({ "pressure_state": "sit" })),
            Act::GetsUp => (Model::BedPad, json!({ "pressure_state": "none" })),
            Act::SetsFirmness(share) => (Model::Mattress, json!({ "firmness": share })),
            Act::Water(is_there) => (Model::Leak, json!({ "water_leak": is_there })),
            Act::TurnsDial(to) => {
                self.setpoint = to;
                match self.plan.unit {
                    Some(unit) => {
                        bus.turn(unit, to);
                        return None;
                    }
                    None => (Model::Thermostat, json!({ "current_heating_setpoint": to })),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::broker::Broker;
    use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
    use tokio::io::AsyncWriteExt;

    fn noon() -> Moment {
        Moment::from_millis(1_795_000_000_000)
    }

    fn plan(id: &str, unit: Option<u8>) -> Plan {
        Plan {
            id: RoomId::new(id).unwrap(),
            unit,
            mattress: unit.is_none(),
            air: 20.0,
        }
    }

    /// Waits, within reason, until something is so.
    async fn until(is_so: impl Fn() -> bool) -> bool {
        for _ in 0..500 {
            if is_so() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    #[tokio::test]
    async fn a_device_obeys_what_reaches_it_over_the_wire_and_says_so_itself() {
        let broker = Broker::on_loopback().unwrap();
        let hotel = Hotel::open(vec![plan("1", None), plan("2", Some(9))], broker.address(), noon)
            .await
            .unwrap();
        let address = broker.address();
        let options = MqttOptions::new("daemon", address.ip().to_string(), address.port());
        let (client, mut events) = AsyncClient::new(options, 10);
        client
            .subscribe("zigbee2mqtt/room/1/thermostat", QoS::AtMostOnce)
            .await
            .unwrap();
        let mut said = Vec::new();
        let set = (
            "zigbee2mqtt/room/1/thermostat/set",
            r#"{"current_heating_setpoint":23}"#,
        );
        while said.len() < 2 {
            let waited = tokio::time::timeout(Duration::from_millis(500), events.poll()).await;
            match waited {
                Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => said.push(publish.payload),
                Ok(_) => {}
                // The bridge may not have been listening yet.
                Err(_) => client.publish(set.0, QoS::AtMostOnce, false, set.1).await.unwrap(),
            }
        }
        let time = |n: usize| serde_json::from_slice::<serde_json::Value>(&said[n]).unwrap()["last_seen"].clone();
        assert_ne!(time(0), time(1), "first the bridge's echo, then the device's own word");
        assert_eq!(hotel.setpoint(&RoomId::new("1").unwrap()), Some(23.0));

        let mut master = tokio::net::TcpStream::connect(hotel.bus()).await.unwrap();
        master
            .write_all(&[0, 1, 0, 0, 0, 6, 9, 6, 0, 102, 0x04, 0x4C])
            .await
            .unwrap();
        let room = RoomId::new("2").unwrap();
        assert!(until(|| hotel.setpoint(&room) == Some(22.0)).await);
        let told: Vec<(String, f64)> = hotel
            .told_since(0)
            .iter()
            .map(|told| (told.room.to_string(), told.value))
            .collect();
        assert!(
            told.starts_with(&[("1".into(), 23.0)]) && told.ends_with(&[("2".into(), 22.0)]),
            "{told:?}"
        );
    }
}
