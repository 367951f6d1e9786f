//! The hotel that every rule is tried in: the same rooms, weather and guests for all of them.

use super::dice::{Dice, noise};
use super::guests::{Life, Manners, Who};
use super::plant::{Body, Build, Kind, Minute};
use super::thermostat::{Loop, Wanted};
use super::weather::{DAY, Site, Weather};

/// Thermometers are off by this much, K.
const SENSOR_NOISE_K: f64 = 0.15;
/// An open window exchanges so much, W/K.
const WINDOW_W_PER_K: f64 = 45.0;
/// An open door, with the corridor.
const DOOR_W_PER_K: f64 = 25.0;

/// Which hotel.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The season.
    pub site: Site,
    /// How many rooms.
    pub rooms: usize,
    /// How many days are judged, after as many as `warm_up_days` in which everybody may learn.
    pub days: usize,
    /// Learning only.
    pub warm_up_days: usize,
    /// Chance.
    pub seed: u64,
    /// Standard deviation of announced arrivals, min.
    pub eta_error_min: f64,
    /// Devices with half-degree steps that do not report what their valve does.
    pub is_coarse: bool,
    /// Thermometers that fall silent, stick, jump and say nonsense; contacts that repeat themselves.
    pub has_faults: bool,
    /// Whether contacts tell of open windows; where none does, the air alone can.
    pub has_window_contacts: bool,
}

/// One room of it.
#[derive(Debug)]
pub struct Place {
    /// What it is made of.
    pub build: Build,
    /// Which facade it lies on.
    pub facade: usize,
    /// Its story.
    pub life: Life,
    /// The thermometer's step, K.
    pub reading_step: f64,
    /// The set-point's step, K.
    pub setpoint_step: f64,
    /// Whether the bed tells that somebody lies in it.
    pub has_bed_sensor: bool,
    /// Whether its motion sensor is radar, which sees a sleeper, too; only in a house where things break.
    pub has_radar: bool,
}

/// The hotel.
#[derive(Debug)]
pub struct Hotel {
    /// As asked for.
    pub options: Options,
    /// The weather.
    pub weather: Weather,
    /// The rooms.
    pub places: Vec<Place>,
    /// So many of them the plant runs at full output at once; none: all.
    pub rooms_at_full: Option<u32>,
}

/// One room as it is under one rule.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its temperatures.
    pub body: Body,
    /// Its thermostat.
    pub control: Loop,
    /// What the thermostat is to do.
    pub wanted: Wanted,
    /// How far its valves are open now, warm and cold.
    pub valves: (f64, f64),
    /// No valve is opened further than this, 0 to 1.
    pub output_max: f64,
}

impl Hotel {
    /// The same house with other stories in its rooms, and a plant that may be limited.
    pub fn of_parties(
        options: Options,
        rooms_at_full: Option<u32>,
        life: impl Fn(&Options, usize, &mut Dice) -> Life,
    ) -> Self {
        let mut hotel = Self::build(options);
        let minutes = hotel.minutes();
        for (room, place) in hotel.places.iter_mut().enumerate() {
            place.life = life(&options, minutes, &mut Dice::new(options.seed, 9000 + room as u64));
        }
        hotel.rooms_at_full = rooms_at_full;
        hotel
    }

    /// Builds it.
    pub fn build(options: Options) -> Self {
        let minutes = (options.days + options.warm_up_days) * DAY;
        let manners = Manners {
            eta_error_min: options.eta_error_min,
            walk_in_share: 0.08,
            no_show_share: 0.02,
        };
        let place = |room: usize| {
            let mut dice = Dice::new(options.seed, 1000 + room as u64);
            let kind = [Kind::Standard, Kind::Suite, Kind::Old, Kind::Standard, Kind::Standard][room % 5];
            let is_fine = !options.is_coarse;
            Place {
                build: Build::draw(kind, &mut dice),
                facade: (room / 2) % 4,
                life: Life::tell(options.site, minutes, manners, &mut dice),
                reading_step: if is_fine && room % 3 != 2 { 0.1 } else { 0.5 },
                setpoint_step: if is_fine { 0.1 } else { 0.5 },
                has_bed_sensor: room.is_multiple_of(2),
                has_radar: options.has_faults && room % 4 == 3,
            }
        };
        Self {
            options,
            weather: Weather::make(options.site, minutes, options.seed),
            places: (0..options.rooms).map(place).collect(),
            rooms_at_full: None,
        }
    }

    /// How many minutes the story has.
    pub fn minutes(&self) -> usize {
        self.weather.outdoor.len()
    }

    /// From which minute on arrivals are judged.
    pub fn judged_from(&self) -> usize {
        self.options.warm_up_days * DAY
    }

    /// Every room at its beginning.
    pub fn standings(&self) -> Vec<Standing> {
        let at = self.options.site.corridor();
        let standing = |_: &Place| Standing {
            body: Body::settled(at, self.weather.outdoor[0]),
            control: Loop::default(),
            wanted: Wanted { low: 16.0, high: 29.0 },
            valves: (0.0, 0.0),
            output_max: 1.0,
        };
        self.places.iter().map(standing).collect()
    }

    /// What a room's thermometer shows in this minute.
    pub fn shown(&self, room: usize, body: &Body, minute: usize) -> f64 {
        let step = self.places[room].reading_step;
        let felt = body.sensor + SENSOR_NOISE_K * noise(self.options.seed, room as u64, minute);
        (felt / step).round() * step
    }

    /// The air around each room: what its neighbours left and right, and the corridor, are at.
    pub fn around(&self, standings: &[Standing]) -> Vec<f64> {
        let corridor = self.options.site.corridor();
        let air = |room: usize| standings[room].body.air;
        let last = standings.len() - 1;
        (0..standings.len())
            .map(|room| 0.4 * air(room.saturating_sub(1)) + 0.4 * air((room + 1).min(last)) + 0.2 * corridor)
            .collect()
    }

    /// Lets a room live through a minute. Returns the heat given and taken, W.
    pub fn live(&self, room: usize, standing: &mut Standing, around: f64, minute: usize) -> (f64, f64) {
        let shown = self.shown(room, &standing.body, minute);
        let (heating, cooling) = standing.control.valves(standing.wanted, shown);
        let (heating, cooling) = (heating.min(standing.output_max), cooling.min(standing.output_max));
        standing.valves = (heating, cooling);
        let (place, weather) = (&self.places[room], &self.weather);
        let given = Minute {
            outdoor: weather.outdoor[minute],
            sun: weather.sun[place.facade][minute],
            neighbour: around,
            corridor: self.options.site.corridor(),
            water: weather.water[minute],
            people_w: f64::from(place.life.people_w[minute]),
            window: if place.life.window[minute] { WINDOW_W_PER_K } else { 0.0 },
            door: if place.life.door[minute] { DOOR_W_PER_K } else { 0.0 },
            heating,
            cooling,
        };
        standing.body.minute(&place.build, &given)
    }

    /// Whether the guest is in the room.
    pub fn is_guest_in(&self, room: usize, minute: usize) -> bool {
        matches!(self.places[room].life.who[minute], Who::Awake | Who::Asleep)
    }
}
