//! What of the engine is kept, and how does it come back?
//!
//! A record a key: the version, then the state as JSON. Effects name the key; the text is made when it is asked for.

use super::thermal::history::History;
use super::{Engine, Room};
use crate::model::{Key, Moment};
use serde::{Deserialize, Serialize};

/// The version of the records that this engine writes.
pub const RECORD_VERSION: u32 = 1;

/// Why a record could not be taken back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreFault {
    /// It was written by another version.
    #[error(
        "record {key} has version {found}, this program reads {RECORD_VERSION}; start the version that wrote it, or restore an export"
    )]
    Version {
        /// Which record.
        key: String,
        /// Its version.
        found: u32,
    },
    /// It cannot be read.
    #[error("record {key} cannot be read: {what}")]
    Damaged {
        /// Which record.
        key: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Engine {
    /// Returns what is to be kept under a key, or none when there is nothing under it.
    pub fn record(&self, key: &Key) -> Option<Vec<u8>> {
        match key {
            Key::Property => write(&self.common),
            Key::Room(id) => self.places.get(id).and_then(|place| write(&self.rooms[*place])),
            Key::Guest(token) => self.guests.get(token).and_then(write),
            Key::History(id, day) => {
                let place = self.places.get(id)?;
                self.histories[*place].record(*day).and_then(write)
            }
        }
    }

    /// Every key that something is kept under.
    pub fn keys(&self) -> Vec<Key> {
        let rooms = self.places.keys().cloned().map(Key::Room);
        rooms
            .chain(self.guests.keys().cloned().map(Key::Guest))
            .chain([Key::Property])
            .chain(self.places.iter().flat_map(|(id, place)| {
                let days = self.histories[*place].records();
                days.into_iter().map(|day| Key::History(id.clone(), day))
            }))
            .collect()
    }

    /// Gives a record back. Call it for every record, then [`Engine::resume`], before the first step.
    ///
    /// # Errors
    /// Says which record is of another version or cannot be read; the engine goes on without it.
    pub fn restore(&mut self, key: &Key, bytes: &[u8]) -> Result<(), RestoreFault> {
        match key {
            Key::Property => self.common = read(key, bytes)?,
            Key::Room(id) => {
                if let Some(place) = self.places.get(id) {
                    self.rooms[*place] = read(key, bytes)?;
                }
            }
            Key::Guest(token) => {
                let guest = read(key, bytes)?;
                self.guests.insert(token.clone(), guest);
            }
            Key::History(id, _) => {
                if let Some(place) = self.places.get(id) {
                    let day = read(key, bytes)?;
                    self.given_back.entry(*place).or_default().push(day);
                }
            }
        }
        Ok(())
    }

    /// Puts the restored rooms into the timetable.
    pub fn resume(&mut self, now: Moment) {
        self.latest = self.latest.max(now);
        self.put_histories_together();
        (0..self.rooms.len()).for_each(|place| _ = self.look_beyond(place, now));
        (0..self.rooms.len()).for_each(|place| self.reschedule(place, now));
    }

    /// When anything last changed, as far as the records tell: until then somebody watched.
    pub fn last_alive(&self) -> Option<Moment> {
        self.rooms.iter().filter_map(Room::changed_at).max()
    }

    /// Nobody watched for a while: rooms with a guest count as occupied until their sensors say otherwise. To be called after
    /// [`Engine::resume`], when the process was away for longer than a restart takes.
    pub fn unwatched(&mut self, now: Moment) {
        for place in 0..self.rooms.len() {
            let mut room = std::mem::take(&mut self.rooms[place]);
            room.unwatched(self.world(place, now));
            self.rooms[place] = room;
        }
        (0..self.rooms.len()).for_each(|place| self.reschedule(place, now));
    }

    fn put_histories_together(&mut self) {
        for (place, days) in std::mem::take(&mut self.given_back) {
            self.histories[place] = History::restored(days);
        }
    }
}

/// A record as it is kept: its version, then the state as JSON.
fn write(state: &impl Serialize) -> Option<Vec<u8>> {
    #[derive(Serialize)]
    struct Record<'a, T> {
        v: u32,
        state: &'a T,
    }
    serde_json::to_vec(&Record {
        v: RECORD_VERSION,
        state,
    })
    .ok()
}

fn read<T: for<'de> Deserialize<'de>>(key: &Key, bytes: &[u8]) -> Result<T, RestoreFault> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    #[derive(Deserialize)]
    struct Record<T> {
        state: T,
    }
    let damaged = |what: serde_json::Error| RestoreFault::Damaged {
        key: key.to_string(),
        what: what.to_string(),
    };
    let Version { v } = serde_json::from_slice(bytes).map_err(damaged)?;
    if v != RECORD_VERSION {
        return Err(RestoreFault::Version {
            key: key.to_string(),
            found: v,
        });
    }
    serde_json::from_slice::<Record<T>>(bytes)
        .map(|record| record.state)
        .map_err(damaged)
}
