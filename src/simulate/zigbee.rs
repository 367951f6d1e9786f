//! What would zigbee2mqtt publish, and what would it make of a command?
//!
//! One bridge, many devices. Each device's state is kept whole and published whole, with the keys that zigbee2mqtt 2
//! writes: `last_seen` in ISO 8601, `linkquality` where the device itself spoke. A `/set` comes back at once as state, with
//! the *old* `last_seen` (the bridge is optimistic); the device's own report follows when it has obeyed, with a new one. A
//! listener that takes the first for the second, or either for the guest's hand, is wrong: that is why it is simulated.

use crate::model::{Moment, Span};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages that wait for the broker.
const WAITING_MAX: usize = 1000;
/// Commands that wait for the simulated devices.
const ORDERS_MAX: usize = 1000;
/// The list of all devices is one message.
const PACKET_BYTES_MAX: usize = 16 << 20;
/// A broker that went away is tried again after this.
const AGAIN: Duration = Duration::from_millis(200);

/// A model of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Fan-coil thermostat.
    Thermostat,
    /// Door or window.
    Contact,
    /// Passive infrared.
    Motion,
    /// Pad under the mattress.
    BedPad,
    /// Air mattress.
    Mattress,
    /// Water on the floor.
    Leak,
}

impl Model {
    /// The device profile that reads it.
    pub const fn profile(self) -> &'static str {
        match self {
            Model::Thermostat => "tuya-bac-002-alzb",
            Model::Contact => "z2m-contact",
            Model::Motion => "z2m-motion",
            Model::BedPad => "z2m-bed-presence",
            Model::Mattress => super::MATTRESS,
            Model::Leak => "z2m-leak",
        }
    }

    /// The last level of its friendly name.
    pub const fn word(self) -> &'static str {
        match self {
            Model::Thermostat => "thermostat",
            Model::Contact => "door",
            Model::Motion => "motion",
            Model::BedPad => "bed",
            Model::Mattress => "mattress",
            Model::Leak => "leak",
        }
    }

    const fn sold_as(self) -> (&'static str, &'static str) {
        match self {
            Model::Thermostat => ("BAC-002-ALZB", "Moes"),
            Model::Contact => ("SNZB-04P", "SONOFF"),
            Model::Motion => ("9290012607", "Philips"),
            Model::BedPad => ("ZG-210Z", "HOBEIAN"),
            Model::Mattress => ("DEMO-MATTRESS", "innkeeper"),
            Model::Leak => ("SJCGQ11LM", "Aqara"),
        }
    }

    /// Its state when it joins, without `last_seen` and `linkquality`.
    fn first_state(self) -> Map<String, Value> {
        let state = match self {
            Model::Thermostat => json!({
                "current_heating_setpoint": 21, "fan_mode": "auto", "local_temperature": 20.0, "system_mode": "heat"
            }),
            Model::Contact => json!({ "battery": 97, "contact": true }),
            Model::Motion => json!({ "battery": 95, "occupancy": false }),
            Model::BedPad => json!({ "battery": 88, "pressure_state": "none" }),
            Model::Mattress => json!({ "firmness": 50 }),
            Model::Leak => json!({ "battery": 100, "water_leak": false }),
        };
        state.as_object().cloned().unwrap_or_default()
    }

    /// Its entry in `bridge/devices`, as far as anybody matches by it.
    fn inventory(self, name: &str, number: usize) -> Value {
        let exposes: Vec<Value> = self
            .first_state()
            .iter()
            .map(|(key, value)| expose(key, value))
            .collect();
        let (model, vendor) = self.sold_as();
        json!({
            "disabled": false,
            "friendly_name": name,
            "ieee_address": format!("0x00124b00{number:08x}"),
            "interview_completed": true,
            "interview_state": "SUCCESSFUL",
            "supported": true,
            "type": if matches!(self, Model::Thermostat | Model::Mattress) { "Router" } else { "EndDevice" },
            "definition": { "model": model, "vendor": vendor, "description": model, "exposes": exposes, "options": [] },
        })
    }
}

fn expose(key: &str, value: &Value) -> Value {
    let kind = match value {
        Value::Bool(_) => "binary",
        Value::String(_) => "enum",
        _ => "numeric",
    };
    json!({ "name": key, "property": key, "label": key, "type": kind, "access": 1 })
}

/// What the bridge was told to set on a device. The device has not obeyed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The device's friendly name.
    pub name: String,
    /// What.
    pub changes: Map<String, Value>,
}

/// One device, as the bridge remembers it.
#[derive(Debug, Clone)]
struct Device {
    model: Model,
    state: Map<String, Value>,
    last_seen: Option<Moment>,
}

impl Device {
    fn new(model: Model) -> Self {
        Self {
            model,
            state: model.first_state(),
            last_seen: None,
        }
    }

    /// The device itself says something: what it says is merged, and all is published anew.
    fn say(&mut self, now: Moment, changes: Map<String, Value>) -> Vec<u8> {
        self.state.extend(changes);
        let after_last = self.last_seen.map(|last| last + Span::millis(1));
        self.last_seen = Some(now).max(after_last);
        self.payload()
    }

    /// The bridge repeats a command as state; the device has said nothing.
    fn echo(&mut self, changes: &Map<String, Value>) -> Vec<u8> {
        self.state.extend(changes.clone());
        self.payload()
    }

    fn payload(&self) -> Vec<u8> {
        let mut state = self.state.clone();
        state.insert("linkquality".into(), json!(120));
        if let Some(at) = self.last_seen {
            state.insert("last_seen".into(), json!(at));
        }
        Value::Object(state).to_string().into_bytes()
    }
}

/// What the bridge's two hands share.
struct Air {
    base: String,
    clock: fn() -> Moment,
    devices: Mutex<BTreeMap<String, Device>>,
}

impl Air {
    fn devices(&self) -> MutexGuard<'_, BTreeMap<String, Device>> {
        self.devices.lock().expect("nothing panics while it holds the devices")
    }

    fn inventory(&self) -> Vec<u8> {
        let devices = self.devices();
        let entries = devices
            .iter()
            .enumerate()
            .map(|(n, (name, device))| device.model.inventory(name, n + 1));
        Value::Array(entries.collect()).to_string().into_bytes()
    }

    fn set_topics(&self) -> Vec<String> {
        self.devices()
            .keys()
            .map(|name| format!("{}/{name}/set", self.base))
            .collect()
    }

    /// Takes a command: returns the optimistic echo and the order for the device.
    fn take(&self, topic: &str, payload: &[u8]) -> Option<(String, Vec<u8>, Order)> {
        let name = topic
            .strip_prefix(self.base.as_str())?
            .strip_prefix('/')?
            .strip_suffix("/set")?;
        let changes: Map<String, Value> = serde_json::from_slice(payload).ok()?;
        let echo = self.devices().get_mut(name)?.echo(&changes);
        Some((
            format!("{}/{name}", self.base),
            echo,
            Order {
                name: name.into(),
                changes,
            },
        ))
    }
}

/// A running bridge. It ends when dropped.
pub struct Bridge {
    air: Arc<Air>,
    client: AsyncClient,
    task: JoinHandle<()>,
}

impl Bridge {
    /// Connects to a broker with these devices, by friendly name. Commands come out of the queue.
    pub fn start(
        broker: SocketAddr,
        base: &str,
        devices: impl IntoIterator<Item = (String, Model)>,
        clock: fn() -> Moment,
    ) -> (Self, mpsc::Receiver<Order>) {
        let devices = devices
            .into_iter()
            .map(|(name, model)| (name, Device::new(model)))
            .collect();
        let air = Arc::new(Air {
            base: base.into(),
            clock,
            devices: Mutex::new(devices),
        });
        let mut options = MqttOptions::new(format!("{base}-bridge"), broker.ip().to_string(), broker.port());
        options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
        let (client, events) = AsyncClient::new(options, WAITING_MAX);
        let (orders, ordered) = mpsc::channel(ORDERS_MAX);
        let task = tokio::spawn(run(air.clone(), client.clone(), events, orders));
        (Self { air, client, task }, ordered)
    }

    /// A device says something of itself.
    pub async fn say(&self, name: &str, changes: Value) {
        let Value::Object(changes) = changes else { return };
        let payload = self
            .air
            .devices()
            .get_mut(name)
            .map(|device| device.say((self.air.clock)(), changes));
        if let Some(payload) = payload {
            let topic = format!("{}/{name}", self.air.base);
            let _ = self.client.publish(topic, QoS::AtMostOnce, false, payload).await;
        }
    }

    /// One key of a device's state, as the bridge has it.
    pub fn state(&self, name: &str, key: &str) -> Option<Value> {
        self.air.devices().get(name)?.state.get(key).cloned()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(air: Arc<Air>, client: AsyncClient, mut events: EventLoop, orders: mpsc::Sender<Order>) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                // The loop that sends is this one: what is said on coming up must not wait for it.
                tokio::spawn(come_up(air.clone(), client.clone()));
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let Some((topic, echo, order)) = air.take(&publish.topic, &publish.payload) else {
                    continue;
                };
                let _ = client.try_publish(topic, QoS::AtMostOnce, false, echo);
                let _ = orders.try_send(order);
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn come_up(air: Arc<Air>, client: AsyncClient) {
    for topic in air.set_topics() {
        let _ = client.subscribe(topic, QoS::AtLeastOnce).await;
    }
    let online = json!({ "state": "online" }).to_string();
    let _ = client
        .publish(format!("{}/bridge/state", air.base), QoS::AtLeastOnce, true, online)
        .await;
    let _ = client
        .publish(
            format!("{}/bridge/devices", air.base),
            QoS::AtLeastOnce,
            true,
            air.inventory(),
        )
        .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;
    use crate::profile::{DecodeLine, Inventory, decode_line};

    const ALL: [Model; 6] = [
        Model::Thermostat,
        Model::Contact,
        Model::Motion,
        Model::BedPad,
        Model::Mattress,
        Model::Leak,
    ];
    const NOW: Moment = Moment::from_millis(1_795_000_000_000);

    fn decode(model: Model, payload: &[u8]) -> DecodeLine {
        let library = crate::simulate::library().unwrap();
        decode_line(library.get(model.profile()).unwrap(), "zigbee2mqtt/room/1/x", payload)
    }

    fn value(line: &DecodeLine, point: Point) -> Option<Value> {
        line.readings
            .iter()
            .find(|r| r.point == point && r.quality == "good")
            .map(|r| r.value.clone())
    }

    #[test]
    fn every_payload_decodes_with_the_profile_it_is_meant_for() {
        let cases = [
            (
                Model::Thermostat,
                json!({ "local_temperature": 21.3 }),
                Point::RoomTemperature,
                json!(21.3),
            ),
            (
                Model::Thermostat,
                json!({ "current_heating_setpoint": 23 }),
                Point::TargetTemperature,
                json!(23),
            ),
            (Model::Contact, json!({ "contact": false }), Point::Open, json!(true)),
            (
                Model::Motion,
                json!({ "occupancy": true }),
                Point::Occupied,
                json!(true),
            ),
            (
                Model::BedPad,
                json!({ "pressure_state": "sit" }),
                Point::BedOccupied,
                json!(true),
            ),
            (Model::Mattress, json!({ "firmness": 30 }), Point::Firmness, json!(30)),
            (Model::Leak, json!({ "water_leak": true }), Point::Leak, json!(true)),
        ];
        for (model, said, point, expected) in cases {
            let line = decode(model, &Device::new(model).say(NOW, said.as_object().unwrap().clone()));
            assert!(line.rejected.is_none(), "{model:?}: {:?}", line.rejected);
            let found = value(&line, point).unwrap_or_else(|| panic!("{model:?} says no {point}: {line:?}"));
            assert_eq!(
                found.as_f64().map_or(found.clone(), Value::from),
                expected.as_f64().map_or(expected, Value::from)
            );
        }
    }

    #[test]
    fn the_bridge_lists_each_device_so_that_its_profile_is_found() {
        let library = crate::simulate::library().unwrap();
        for model in ALL.into_iter().filter(|model| *model != Model::Mattress) {
            let inventory = Inventory::of_zigbee2mqtt(&model.inventory("room/1/x", 1));
            let (found, why) = library.best_match(&inventory);
            assert_eq!(
                found.map(|profile| profile.id().as_str()),
                Some(model.profile()),
                "{why}"
            );
        }
    }

    #[test]
    fn a_command_is_repeated_at_once_with_the_old_time_and_reported_later_with_a_new_one() {
        let devices = [("room/1/thermostat".to_owned(), Device::new(Model::Thermostat))];
        let air = Air {
            base: "z".into(),
            clock: || NOW,
            devices: Mutex::new(devices.into()),
        };
        let seen = |payload: &[u8]| serde_json::from_slice::<Value>(payload).unwrap()["last_seen"].clone();
        let first = air.devices().get_mut("room/1/thermostat").unwrap().say(NOW, Map::new());
        let (topic, echo, order) = air
            .take("z/room/1/thermostat/set", br#"{"current_heating_setpoint":24}"#)
            .unwrap();
        assert_eq!((topic.as_str(), seen(&echo)), ("z/room/1/thermostat", seen(&first)));
        assert_eq!(
            value(&decode(Model::Thermostat, &echo), Point::TargetTemperature),
            Some(json!(24))
        );
        let report = air
            .devices()
            .get_mut("room/1/thermostat")
            .unwrap()
            .say(NOW, order.changes);
        assert_ne!(
            seen(&report),
            seen(&first),
            "the device's own report is later, even within a millisecond"
        );
        assert_eq!(air.take("z/room/2/thermostat/set", b"{}"), None);
        assert_eq!(air.take("z/room/1/thermostat/set", b"nonsense"), None);
    }
}
