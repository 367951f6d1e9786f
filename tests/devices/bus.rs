//! Are registers told as readings, and commands written, read back and reported?

use super::server::{Server, Units};
use super::support::*;
use innkeeper::device::bus::{BusDevice, BusSettings, ModbusDevices, start};
use innkeeper::device::modbus::{Patience, Transport};
use innkeeper::model::{HvacMode, LinkId, Point, Quality, Value, WriteResult};
use innkeeper::profile::Profile;
use std::sync::Arc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// A thermostat that is asked often, so that a test need not wait.
const QUICK: &str = r#"
schema = 1
id = "quick-fcu"
revision = 1
kind = "fcu_thermostat"
title = "A fan-coil thermostat that is asked often"
trust = "draft"
[[source]]
what = "everything"
ref = "made up for tests"
[link]
type = "modbus"
framing = ["tcp", "rtu_over_tcp", "rtu"]
reply = "200ms"
heartbeat = { table = "holding", addr = 90, value = [1, 0], every = "1s" }
[point.room_temperature]
at = { table = "input", addr = 0, type = "i16" }
kind = "number"
unit = "C"
scale = 0.1
valid = [-10, 60]
poll = "50ms"
[point.target_temperature]
at = { table = "input", addr = 1, type = "i16" }
kind = "number"
unit = "C"
scale = 0.1
valid = [5, 40]
poll = "50ms"
evidence = "guest"
[command.target_temperature]
arg = { kind = "number", unit = "C", min = 16, max = 30, step = 0.5 }
write = [{ table = "holding", addr = 2, type = "i16", scale = 0.1 }]
confirm = { point = "target_temperature", by = "read_back", within = "1s", tolerance = 0.05 }
budget = { min_gap = "1s", per_day = 48 }
"#;

fn quick() -> Arc<Profile> {
    Arc::new(Profile::parse("quick-fcu.toml", QUICK).unwrap())
}

/// A unit of that kind: 21.0 C in the room, set to 20.0 C; what is written to 2 shows at 1.
fn thermostat(units: &mut Units, unit: u8) {
    units.set(unit, 4, 0, &[210, 200]);
    units.set(unit, 3, 2, &[200]);
    units.set(unit, 3, 90, &[0]);
    units.shown_at.insert((unit, 3, 2), (unit, 4, 1));
}

async fn linked(units: Units, devices: Vec<BusDevice>) -> (Server, Inbox, ModbusDevices) {
    let server = Server::start(units).await;
    let (to, mut inbox) = Inbox::new();
    let address = server.address.clone();
    let settings = BusSettings {
        patience: Patience {
            misses: 3,
            first: 100 * MS,
            longest: 200 * MS,
        },
        ..BusSettings::new(LinkId::new("bus-1").unwrap(), Transport::Tcp { address })
    };
    let running = start(&settings, devices, noon, to).unwrap();
    inbox.up().await;
    (server, inbox, running)
}

async fn one_thermostat() -> (Server, Inbox, ModbusDevices) {
    let mut units = Units::default();
    thermostat(&mut units, 1);
    let binding = bind(&quick(), "fcu-1", &[]);
    let (server, mut inbox, running) = linked(units, vec![BusDevice { unit: 1, binding }]).await;
    inbox
        .until("the first reading", |inbox| {
            !inbox.values("fcu-1", Point::TargetTemperature).is_empty()
        })
        .await;
    (server, inbox, running)
}

#[tokio::test]
async fn a_register_is_told_when_it_changes_and_not_each_time_it_is_read() {
    let (server, mut inbox, running) = one_thermostat().await;
    inbox.during(400 * MS).await;
    assert_eq!(inbox.values("fcu-1", Point::RoomTemperature), [celsius(21.0)]);
    assert_eq!(inbox.online("fcu-1"), [true]);
    server.units.lock().unwrap().set(1, 4, 0, &[213]);
    inbox
        .until("the change", |inbox| {
            inbox.values("fcu-1", Point::RoomTemperature).len() == 2
        })
        .await;
    assert_eq!(inbox.values("fcu-1", Point::RoomTemperature)[1], celsius(21.3));
    assert_eq!(inbox.values("fcu-1", Point::TargetTemperature), [celsius(20.0)]);
    let standing = running.standing();
    assert!(
        standing.connected && standing.messages >= 5 && standing.bytes >= 20,
        "{standing:?}"
    );
}

#[tokio::test]
async fn a_write_is_verified_when_it_reads_back() {
    let (server, mut inbox, running) = one_thermostat().await;
    running
        .outlet()
        .tell(command(1, "fcu-1", Point::TargetTemperature, celsius(28.5)));
    assert_eq!(inbox.result(1).await, WriteResult::Verified);
    let written = server.units.lock().unwrap().written.clone();
    assert!(written.contains(&(1, 2, vec![285])), "{written:?}");
    inbox
        .until("the reading", |inbox| {
            inbox.values("fcu-1", Point::TargetTemperature).len() == 2
        })
        .await;
    assert_eq!(inbox.values("fcu-1", Point::TargetTemperature)[1], celsius(28.5));
    assert!(
        written.iter().any(|(_, address, _)| *address == 90),
        "its master is alive: {written:?}"
    );
}

#[tokio::test]
async fn a_write_that_the_device_clamps_fails_with_what_reads_back() {
    let (server, mut inbox, running) = one_thermostat().await;
    server.units.lock().unwrap().most.insert((1, 3, 2), 240);
    running
        .outlet()
        .tell(command(1, "fcu-1", Point::TargetTemperature, celsius(28.5)));
    assert_eq!(inbox.result(1).await, WriteResult::Failed("reads back 24 C".into()));
    inbox
        .until("the reading", |inbox| {
            inbox.values("fcu-1", Point::TargetTemperature).len() == 2
        })
        .await;
    assert_eq!(inbox.values("fcu-1", Point::TargetTemperature)[1], celsius(24.0));
}

#[tokio::test]
async fn a_write_that_shows_nothing_in_its_time_fails_with_the_old_value() {
    let (server, mut inbox, running) = one_thermostat().await;
    server.units.lock().unwrap().shown_at.clear();
    let told = tokio::time::Instant::now();
    running
        .outlet()
        .tell(command(1, "fcu-1", Point::TargetTemperature, celsius(28.5)));
    assert_eq!(inbox.result(1).await, WriteResult::Failed("reads back 20 C".into()));
    assert!(
        told.elapsed() >= Duration::from_secs(1),
        "it had its time: {:?}",
        told.elapsed()
    );
}

#[tokio::test]
async fn a_jump_is_believed_when_it_is_read_twice() {
    let (server, mut inbox, _running) = one_thermostat().await;
    server.units.lock().unwrap().noise.insert((1, 4, 0), 550);
    inbox.until("the doubt", |inbox| inbox.count("surprising") == 1).await;
    server.units.lock().unwrap().noise.insert((1, 4, 0), 9999);
    inbox
        .until("the second doubt", |inbox| inbox.count("surprising") == 2)
        .await;
    assert_eq!(
        inbox.values("fcu-1", Point::RoomTemperature),
        [celsius(21.0)],
        "noise is not believed"
    );
    server.units.lock().unwrap().set(1, 4, 0, &[290]);
    inbox
        .until("the jump", |inbox| {
            inbox.values("fcu-1", Point::RoomTemperature).len() == 2
        })
        .await;
    assert_eq!(inbox.values("fcu-1", Point::RoomTemperature)[1], celsius(29.0));
    server.units.lock().unwrap().set(1, 4, 0, &[9999]);
    inbox
        .until("the fault", |inbox| {
            inbox.readings("fcu-1", Point::RoomTemperature).len() == 3
        })
        .await;
    assert_eq!(
        inbox.readings("fcu-1", Point::RoomTemperature)[2].quality,
        Quality::InvalidRange
    );
}

#[tokio::test]
async fn a_silent_unit_is_told_of_and_heard_anew_when_it_is_back() {
    let mut units = Units::default();
    (1..=2).for_each(|unit| thermostat(&mut units, unit));
    let devices = (1..=2).map(|unit| BusDevice {
        unit,
        binding: bind(&quick(), &format!("fcu-{unit}"), &[]),
    });
    let (server, mut inbox, running) = linked(units, devices.collect()).await;
    inbox
        .until("both", |inbox| {
            inbox.online("fcu-1") == [true] && inbox.online("fcu-2") == [true]
        })
        .await;
    server.units.lock().unwrap().silent.insert(1);
    inbox
        .until("the silence", |inbox| inbox.online("fcu-1") == [true, false])
        .await;
    running
        .outlet()
        .tell(command(1, "fcu-1", Point::TargetTemperature, celsius(28.5)));
    assert_eq!(
        inbox.result(1).await,
        WriteResult::Failed("the device does not answer".into())
    );
    let before = inbox.values("fcu-1", Point::RoomTemperature).len();
    server.units.lock().unwrap().silent.clear();
    inbox
        .until("the return", |inbox| inbox.online("fcu-1") == [true, false, true])
        .await;
    inbox
        .until("its readings", |inbox| {
            inbox.values("fcu-1", Point::RoomTemperature).len() > before
        })
        .await;
    assert_eq!(inbox.online("fcu-2"), [true], "its neighbour was there all along");
}

#[tokio::test]
async fn a_bus_that_cannot_be_reached_is_told_of_and_takes_no_commands() {
    let mut units = Units::default();
    thermostat(&mut units, 1);
    let address = Server::start(units).await.address.clone();
    let (to, mut inbox) = Inbox::new();
    let settings = BusSettings::new(LinkId::new("bus-1").unwrap(), Transport::Tcp { address });
    let binding = bind(&quick(), "fcu-1", &[]);
    let running = start(&settings, vec![BusDevice { unit: 1, binding }], noon, to).unwrap();
    inbox
        .until("the loss", |inbox| inbox.links.iter().any(|(up, _)| !up))
        .await;
    let outlet = running.outlet();
    outlet.tell(command(1, "fcu-1", Point::TargetTemperature, celsius(28.5)));
    assert_eq!(inbox.result(1).await, WriteResult::Failed("link down".into()));
    assert!(!running.standing().connected);
    running.stop().await;
    outlet.tell(command(2, "fcu-1", Point::TargetTemperature, celsius(28.5)));
    assert_eq!(inbox.result(2).await, WriteResult::Failed("the link is stopped".into()));
}

/// A gateway with units 0 and 1 at 24.0 C, cooling; unit 2 is not there.
fn gateway() -> Units {
    let mut units = Units::default();
    // Bits 16 and 17: units 0 and 1 are connected; bits from 80: none is lost.
    units.set(1, 4, 0, &[0, 0b011, 0, 0, 0, 0, 0, 0, 0]);
    units.set(
        1,
        4,
        2000,
        &[9, 514, 240, 0, 265, 0, 9, 514, 240, 0, 271, 0, 0, 0, 0, 0, 0, 0],
    );
    units.set(1, 3, 2000, &[0; 9]);
    units
}

fn rooms(count: u16) -> Vec<BusDevice> {
    let room = |n: u16| BusDevice {
        unit: 1,
        binding: shipped("daikin-dta116a51", &format!("room-{n}"), &[("index", &n.to_string())]),
    };
    (0..count).map(room).collect()
}

#[tokio::test]
async fn rooms_behind_one_unit_number_are_told_apart() {
    let (server, mut inbox, running) = linked(gateway(), rooms(3)).await;
    let both = |inbox: &Inbox| (0..2).all(|n| !inbox.values(&format!("room-{n}"), Point::RoomTemperature).is_empty());
    inbox.until("both rooms", both).await;
    inbox
        .until("the third", |inbox| inbox.online("room-2") == [false])
        .await;
    assert_eq!(inbox.values("room-0", Point::RoomTemperature), [celsius(26.5)]);
    assert_eq!(inbox.values("room-1", Point::RoomTemperature), [celsius(27.1)]);
    assert!(
        inbox.readings("room-2", Point::RoomTemperature).is_empty(),
        "a unit that is not there says nothing"
    );
    // Three settings of one block, one after the other: none may undo another.
    let outlet = running.outlet();
    server.units.lock().unwrap().set(1, 4, 2006, &[9 | 1 << 12]); // the guest turned the fan since
    outlet.tell(command(1, "room-1", Point::TargetTemperature, celsius(22.0)));
    outlet.tell(command(2, "room-1", Point::HvacMode, Value::Hvac(HvacMode::Heat)));
    outlet.tell(command(3, "room-1", Point::Power, Value::Flag(true)));
    let written = || server.units.lock().unwrap().written.clone();
    inbox.during(Duration::from_millis(100)).await;
    for _ in 0..100 {
        if written().len() == 3 {
            break;
        }
        inbox.during(20 * MS).await;
    }
    let written = written();
    let addresses: Vec<(u16, usize)> = written.iter().map(|(_, start, words)| (*start, words.len())).collect();
    assert_eq!(addresses, [(2003, 3); 3], "{written:?}");
    let fan = |words: &[u16]| words[0] >> 12 & 7;
    assert!(
        written.iter().all(|(_, _, words)| fan(words) == 1 && words[2] == 220),
        "{written:?}"
    );
    assert_eq!((written[0].2[1] & 15, written[2].2[1] & 15), (2, 1), "{written:?}");
}

#[tokio::test]
async fn rooms_behind_a_dead_gateway_go_and_come_together_and_are_probed_as_one() {
    let (server, mut inbox, running) = linked(gateway(), rooms(2)).await;
    inbox
        .until("both", |inbox| {
            inbox.online("room-0") == [true] && inbox.online("room-1") == [true]
        })
        .await;
    server.units.lock().unwrap().silent.insert(1);
    // Commands are what is asked of it before its next poll.
    for number in 0..3 {
        running
            .outlet()
            .tell(command(number, "room-0", Point::TargetTemperature, celsius(22.0)));
    }
    inbox
        .until("the silence", |inbox| {
            inbox.online("room-0") == [true, false] && inbox.online("room-1") == [true, false]
        })
        .await;
    for number in 0..3 {
        assert!(matches!(inbox.result(number).await, WriteResult::Failed(_)));
    }
    server.units.lock().unwrap().silent.clear();
    inbox
        .until("the return", |inbox| {
            inbox.online("room-0").len() == 3 && inbox.online("room-1").len() == 3
        })
        .await;
}
