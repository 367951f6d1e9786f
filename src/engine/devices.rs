//! What has each device of the room said, what of it is news, and is the device still there?

use super::doubt::{Doubt, Verdict};
use crate::model::{DeviceId, DeviceSetup, Few, Freshness, Moment, Point, Quality, Reading, Span, Value};
use serde::{Deserialize, Serialize};

/// A device that is unreachable or silent is worth somebody's way only after this: bridges restart.
pub const OFFLINE_GRACE: Span = Span::minutes(10);
/// "Last heard" is kept to this grain, so that a chattering device does not make the room worth saving at every word.
const HEARD_GRAIN: Span = Span::minutes(1);

/// One thing a device said last.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said {
    /// The last good value, kept when later readings are bad: it becomes stale, never wrong.
    value: Option<Value>,
    quality: Quality,
    device_time: Option<Moment>,
    /// It was said before the device's last absence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_old: bool,
}

/// One device.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Device {
    points: Few<Point, Said>,
    heard_at: Option<Moment>,
    /// When it was heard before that: a device tells all its points at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heard_before: Option<Moment>,
    unreachable_since: Option<Moment>,
    /// Its link, or the bridge before it, is down: nobody can hear it, and that is not its fault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_cut_off: bool,
    /// Since when it can be heard again, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listened_to_since: Option<Moment>,
    /// What is held against its thermometer, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Box<Doubt>>,
}

/// All devices of a room, by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Devices {
    devices: Few<DeviceId, Device>,
    since: Option<Moment>,
}

/// What a reading changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The last good value before.
    pub before: Option<Value>,
    /// The good value now.
    pub after: Value,
    /// Whether the device said it now: a repetition by broker or bridge is not, nor is an echo with the old device time.
    pub is_live: bool,
    /// Whether it is the first word of the device for a while, or after an absence.
    pub is_sign_of_life: bool,
    /// Whether it is the first word on this point since the device, or its link, was away: what differs may have changed at
    /// any time since then, and by itself.
    pub is_caught_up: bool,
}

/// What became of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The value differs from the last, or came live again.
    News(News),
    /// Nothing changed, but the device was heard: `true` when that is worth keeping.
    Heard(bool),
    /// Older than what is known.
    Past,
    /// A temperature that nobody could have caused; it does not count. `true`: from now on none of the device's does.
    Unlikely(bool),
}

impl Devices {
    /// Takes a reading.
    pub fn take(&mut self, now: Moment, reading: &Reading) -> Taken {
        let device = self.devices.get_or_insert_with(&reading.device, Device::default);
        let said = device.points.get(&reading.point);
        let known_time = said.and_then(|s| s.device_time);
        if let (Some(told), Some(known)) = (reading.device_time, known_time)
            && told < known
        {
            return Taken::Past;
        }
        if reading.device_time.is_some() && reading.device_time == known_time {
            // A bridge repeats a command as state before the device did anything; the device's own time tells.
            return Taken::Heard(false);
        }
        let is_live = reading.freshness == Freshness::Live;
        let verdict = is_live.then(|| device.weigh(now, reading)).flatten();
        let heard = is_live && device.hear(now);
        match (verdict, &reading.value) {
            (Some(verdict @ (Verdict::Doubted | Verdict::Ill)), Some(_)) => Taken::Unlikely(verdict == Verdict::Ill),
            (verdict, _) => device
                .say(reading, is_live, heard)
                .map_or(Taken::Heard(heard || verdict == Some(Verdict::Ill)), Taken::News),
        }
    }

    /// Notes that a device, or its bridge, came or went. Returns whether that is new.
    pub fn reach(&mut self, now: Moment, id: &DeviceId, online: bool) -> bool {
        let device = self.devices.get_or_insert_with(id, Device::default);
        let was = device.unreachable_since.is_none();
        device.unreachable_since = if online {
            None
        } else {
            device.unreachable_since.or(Some(now))
        };
        if online && !was {
            device.was_away();
        }
        was != online
    }

    /// Notes that a device's link came or went. Returns whether that is new.
    pub fn link(&mut self, now: Moment, id: &DeviceId, up: bool) -> bool {
        let device = self.devices.get_or_insert_with(id, Device::default);
        let was_up = !std::mem::replace(&mut device.is_cut_off, !up);
        if up && !was_up {
            device.listened_to_since = Some(now);
            device.was_away();
        }
        was_up != up
    }

    /// Nobody listened until now: every device is given its whole time again before it counts as missing.
    pub fn listen_anew(&mut self, now: Moment) {
        self.devices
            .values_mut()
            .for_each(|device| device.listened_to_since = Some(now));
    }

    /// Whether nothing can be heard of the device because its link is down.
    pub fn is_cut_off(&self, id: &DeviceId) -> bool {
        self.devices.get(id).is_some_and(|device| device.is_cut_off)
    }

    /// Begins to wait for devices that have never spoken.
    pub fn begin(&mut self, now: Moment) {
        self.since = self.since.or(Some(now));
    }

    /// The last good value of a point.
    pub fn value(&self, device: &DeviceId, point: Point) -> Option<&Value> {
        self.devices.get(device)?.points.get(&point)?.value.as_ref()
    }

    /// The last good value of a point, from the first of the devices that report it and have said it.
    pub fn first<'a>(&'a self, setups: &[DeviceSetup], point: Point) -> Option<&'a Value> {
        let mut reporting = setups.iter().filter(|setup| setup.reports.contains(&point));
        reporting.find_map(|setup| self.value(&setup.id, point))
    }

    /// Whether the device's thermometer is not believed, and that since longer than one reading.
    pub fn is_thermometer_ill(&self, id: &DeviceId) -> bool {
        let doubt = self.devices.get(id).and_then(|device| device.doubt.as_ref());
        doubt.is_some_and(|doubt| doubt.is_ill())
    }

    /// Since when the device has been silent or unreachable; none while it is well.
    pub fn silent_since(&self, now: Moment, setup: &DeviceSetup) -> Option<Moment> {
        let device = self.devices.get(&setup.id);
        let quiet_at = device.and_then(|d| d.heard_at).or(self.since)? + setup.silent_after;
        let lost_at = device.and_then(|d| d.unreachable_since);
        [Some(quiet_at), lost_at]
            .into_iter()
            .flatten()
            .filter(|at| *at <= now)
            .min()
    }

    /// Since when the device itself is missing, which is for somebody to look at: it could have been heard, for its whole
    /// time, and was not. None while it is well, or while its link is down.
    pub fn missing_since(&self, now: Moment, setup: &DeviceSetup) -> Option<Moment> {
        let silent_at = self.silent_since(now, setup)?;
        let Some(device) = self.devices.get(&setup.id) else {
            return Some(silent_at);
        };
        let fair_at = device.listened_to_since.map(|at| at + setup.silent_after);
        let from = device
            .unreachable_since
            .unwrap_or(silent_at.max(fair_at.unwrap_or(silent_at)));
        (!device.is_cut_off && from <= now).then_some(from)
    }

    /// When the next device will count as silent, or as offline, if it says nothing more.
    pub fn deadline(&self, setups: &[DeviceSetup], now: Moment) -> Option<Moment> {
        let moments = |setup: &DeviceSetup| {
            let device = self.devices.get(&setup.id);
            let quiet = device
                .and_then(|d| d.heard_at)
                .or(self.since)
                .map(|heard| heard + setup.silent_after);
            let lost = device.and_then(|d| d.unreachable_since);
            let fair = device
                .and_then(|d| d.listened_to_since)
                .map(|at| at + setup.silent_after);
            [
                quiet,
                quiet.map(|at| at + OFFLINE_GRACE),
                lost.map(|at| at + OFFLINE_GRACE),
                fair.map(|at| at + OFFLINE_GRACE),
            ]
        };
        setups.iter().flat_map(moments).flatten().filter(|at| *at > now).min()
    }

    /// The property was configured anew: devices that the room no longer has are dropped, and links may be others.
    pub fn configured(&mut self, now: Moment, setups: &[DeviceSetup]) {
        self.devices.retain(|id, _| setups.iter().any(|setup| setup.id == *id));
        let cut_off: Vec<DeviceId> = self.devices.keys().filter(|id| self.is_cut_off(id)).cloned().collect();
        cut_off.iter().for_each(|id| {
            self.link(now, id, true);
        });
    }
}

impl Device {
    /// Returns whether the moment moved on by a grain, or an absence ended.
    fn hear(&mut self, now: Moment) -> bool {
        let returned = self.unreachable_since.take().is_some();
        if returned {
            self.was_away();
        }
        let grain = self.heard_at.is_none_or(|at| now.since(at) >= HEARD_GRAIN);
        if grain {
            self.heard_before = self.heard_at.replace(now);
        }
        grain || returned
    }

    /// What is to be made of what its thermometer says; none where there is nothing to measure it by.
    fn weigh(&mut self, now: Moment, reading: &Reading) -> Option<Verdict> {
        let said = self.points.get(&reading.point).filter(|said| !said.is_old)?;
        let believed = said
            .value
            .as_ref()
            .filter(|_| reading.point == Point::RoomTemperature)?;
        let heard = self.heard_at.filter(|at| now.since(*at) >= HEARD_GRAIN);
        let (believed, heard) = (believed.temperature()?, heard.or(self.heard_before)?);
        let mut doubt = self.doubt.take().map_or_else(Doubt::default, |doubt| *doubt);
        let verdict = match reading.value.as_ref().and_then(Value::temperature) {
            Some(told) => Some(doubt.weigh(now, told, believed, heard)),
            // The device does not know yet: it may have been asked too early.
            None if reading.quality == Quality::Unknown => None,
            None => Some(doubt.nonsense()),
        };
        self.doubt = (!doubt.is_over()).then(|| Box::new(doubt));
        verdict
    }

    /// Nobody heard the device for a while: all that it had said is of before.
    fn was_away(&mut self) {
        self.points.values_mut().for_each(|said| said.is_old = true);
    }

    fn say(&mut self, reading: &Reading, is_live: bool, is_sign_of_life: bool) -> Option<News> {
        let said = self.points.get_or_insert_with(&reading.point, || Said {
            value: None,
            quality: Quality::Unknown,
            device_time: None,
            is_old: false,
        });
        if is_live {
            said.device_time = reading.device_time.or(said.device_time);
        }
        said.quality = reading.quality;
        let after = reading.value.clone()?;
        let before = said.value.replace(after.clone());
        let news = News {
            before,
            after,
            is_live,
            is_sign_of_life,
            is_caught_up: std::mem::take(&mut said.is_old),
        };
        Some(news).filter(|news| is_live || news.is_change())
    }
}

impl News {
    /// Whether the value differs from the last good one.
    pub fn is_change(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }

    /// Whether a yes-or-no point went over to `to` now, having been otherwise before.
    pub fn turned(&self, to: bool) -> bool {
        self.is_live && self.is_change() && self.after.flag() == Some(to) && (self.before.is_some() || to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Celsius;

    fn reading(value: f64, device_time: Option<i64>, freshness: Freshness) -> Reading {
        Reading {
            device: DeviceId::new("t-1").unwrap(),
            point: Point::TargetTemperature,
            value: Celsius::new(value).map(Value::Temperature),
            quality: Quality::Good,
            freshness,
            device_time: device_time.map(Moment::from_millis),
        }
    }

    #[test]
    fn an_echo_with_the_old_device_time_says_nothing() {
        let (mut devices, now) = (Devices::default(), Moment::EARLIEST);
        devices.take(now, &reading(22.0, Some(5), Freshness::Live));
        assert_eq!(
            devices.take(now, &reading(24.0, Some(5), Freshness::Live)),
            Taken::Heard(false)
        );
        let Taken::News(dial) = devices.take(now, &reading(21.0, Some(6), Freshness::Live)) else {
            panic!()
        };
        assert!(dial.is_live);
        assert_eq!(devices.take(now, &reading(20.0, Some(4), Freshness::Live)), Taken::Past);
    }

    #[test]
    fn a_replayed_state_is_known_but_no_news_of_the_hour() {
        let (mut devices, now) = (Devices::default(), Moment::EARLIEST);
        let Taken::News(news) = devices.take(now, &reading(22.0, None, Freshness::Replayed)) else {
            panic!()
        };
        assert!(!news.is_live);
        assert_eq!(
            devices.take(now, &reading(22.0, None, Freshness::Replayed)),
            Taken::Heard(false)
        );
    }

    #[test]
    fn the_first_word_on_a_point_after_an_absence_may_tell_of_any_time() {
        let (mut devices, now) = (Devices::default(), Moment::EARLIEST);
        let is_caught_up = |devices: &mut Devices, value| {
            let Taken::News(news) = devices.take(now, &reading(value, None, Freshness::Live)) else {
                panic!()
            };
            news.is_caught_up
        };
        assert!(!is_caught_up(&mut devices, 22.0));
        let id = DeviceId::new("t-1").unwrap();
        devices.reach(now, &id, false);
        devices.reach(now, &id, true);
        assert!(is_caught_up(&mut devices, 21.0));
        assert!(!is_caught_up(&mut devices, 20.0));
        devices.link(now, &id, false);
        devices.link(now, &id, true);
        assert!(is_caught_up(&mut devices, 20.0));
        devices.reach(now, &id, false);
        assert!(is_caught_up(&mut devices, 19.0), "its own word ends the absence, too");
    }

    #[test]
    fn a_bad_reading_leaves_the_last_good_value() {
        let (mut devices, now) = (Devices::default(), Moment::EARLIEST);
        devices.take(now, &reading(22.0, None, Freshness::Live));
        let mut bad = reading(0.0, None, Freshness::Live);
        (bad.value, bad.quality) = (None, Quality::InvalidRange);
        devices.take(now, &bad);
        assert_eq!(
            devices.value(&bad.device, bad.point).and_then(Value::number),
            Some(22.0)
        );
    }
}
