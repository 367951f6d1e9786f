//! What the tests of both kinds of link share: a clock, commands, and an inbox that is searched.

use innkeeper::device::FromDevices;
use innkeeper::model::{
    Because, Command, CommandId, DeviceId, Event, Moment, Point, Purpose, Reading, RoomId, Span, Value, WriteResult,
};
use innkeeper::profile::{DeviceBinding, Library, Parameters, Profile};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// Nothing here may take longer; a test that does has found a link that hangs.
pub const TEST_WITHIN: Duration = Duration::from_secs(30);

/// A clock that stands: only whether a command has expired hangs on it.
pub fn noon() -> Moment {
    Moment::parse("2026-11-21T12:00:00Z").unwrap()
}

pub fn device(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

/// Binds a device to a shipped profile.
pub fn shipped(profile: &str, name: &str, given: &[(&str, &str)]) -> DeviceBinding {
    static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::built_in().unwrap());
    bind(LIBRARY.get(profile).unwrap(), name, given)
}

pub fn bind(profile: &Arc<Profile>, name: &str, given: &[(&str, &str)]) -> DeviceBinding {
    let parameters: Parameters = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    DeviceBinding::new(profile.clone(), device(name), &parameters).unwrap()
}

pub fn command(number: u64, name: &str, point: Point, value: Value) -> Command {
    Command {
        id: id(number),
        device: device(name),
        point,
        value,
        purpose: Purpose::Prepare,
        attempt: 1,
        expires: noon() + Span::minutes(10),
        because: Because::rule("test"),
    }
}

pub fn id(number: u64) -> CommandId {
    CommandId {
        room: RoomId::new("1204").unwrap(),
        number,
    }
}

pub fn celsius(degrees: f64) -> Value {
    Value::from_number(degrees, Some(innkeeper::model::Unit::Celsius)).unwrap()
}

/// The daemon's end: everything that came is kept, so that a test can also say what did not come.
pub struct Inbox {
    from: mpsc::Receiver<FromDevices>,
    pub events: Vec<Event>,
    pub links: Vec<(bool, String)>,
    pub rejected: Vec<(Option<DeviceId>, &'static str, u64)>,
}

impl Inbox {
    pub fn new() -> (mpsc::Sender<FromDevices>, Self) {
        let (to, from) = mpsc::channel(64);
        let (events, links, rejected) = (Vec::new(), Vec::new(), Vec::new());
        (
            to,
            Self {
                from,
                events,
                links,
                rejected,
            },
        )
    }

    /// Takes what comes until `is_there` says that all is there.
    pub async fn until(&mut self, what: &str, mut is_there: impl FnMut(&Self) -> bool) {
        let all = async {
            while !is_there(self) {
                let news = self.from.recv().await.expect("the link goes on");
                self.take(news);
            }
        };
        let came = tokio::time::timeout(TEST_WITHIN, all).await;
        assert!(
            came.is_ok(),
            "{what} never came; events {:?}, links {:?}, rejected {:?}",
            self.events,
            self.links,
            self.rejected
        );
    }

    /// Takes what comes within a time.
    pub async fn during(&mut self, time: Duration) {
        let _ = tokio::time::timeout(time, async {
            while let Some(news) = self.from.recv().await {
                self.take(news);
            }
        })
        .await;
    }

    fn take(&mut self, news: FromDevices) {
        match news {
            FromDevices::Events(events) => self.events.extend(events),
            FromDevices::Link { up, because, .. } => self.links.push((up, because)),
            FromDevices::Rejected {
                device, reason, count, ..
            } => self.rejected.push((device, reason, count)),
        }
    }

    pub async fn up(&mut self) {
        self.until("the link", |inbox| inbox.links.last().is_some_and(|(up, _)| *up))
            .await;
    }

    /// What became of a command, each time it was told.
    pub fn written(&self, number: u64) -> Vec<&WriteResult> {
        let told = self.events.iter().filter_map(|event| match event {
            Event::Written { command, result } if *command == id(number) => Some(result),
            _ => None,
        });
        told.collect()
    }

    pub async fn result(&mut self, number: u64) -> WriteResult {
        self.until("the result", |inbox| !inbox.written(number).is_empty())
            .await;
        self.written(number)[0].clone()
    }

    /// The readings of a point of a device.
    pub fn readings(&self, name: &str, point: Point) -> Vec<&Reading> {
        let ours = self.events.iter().filter_map(|event| match event {
            Event::Reading(reading) if reading.device == device(name) && reading.point == point => Some(reading),
            _ => None,
        });
        ours.collect()
    }

    pub fn values(&self, name: &str, point: Point) -> Vec<Value> {
        self.readings(name, point)
            .into_iter()
            .filter_map(|reading| reading.value.clone())
            .collect()
    }

    pub fn online(&self, name: &str) -> Vec<bool> {
        let ours = |event: &Event| match event {
            Event::Availability { device: who, online } if *who == device(name) => Some(*online),
            _ => None,
        };
        self.events.iter().filter_map(ours).collect()
    }

    pub fn count(&self, reason: &str) -> u64 {
        self.rejected
            .iter()
            .filter(|(_, why, _)| *why == reason)
            .map(|(_, _, count)| count)
            .sum()
    }
}
