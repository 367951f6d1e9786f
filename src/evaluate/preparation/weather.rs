//! What is the weather, and what does the feed make of it?
//!
//! Made up, by season: a daily swing, fronts that come and go over days, gusts of noise, and the sun on four facades
//! behind drifting cloud. The feed that an engine hears is off in temperature and in sun, as feeds are.

use super::dice::Dice;

/// Minutes of a day.
pub const DAY: usize = 1440;

/// A season at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// A continental January.
    Heating,
    /// A subtropical July.
    Cooling,
    /// A March that mostly warms and now and then cools.
    Shoulder,
}

impl Site {
    /// Every one, by its word.
    pub const ALL: [(&'static str, Site); 3] = [
        ("heating", Site::Heating),
        ("cooling", Site::Cooling),
        ("shoulder", Site::Shoulder),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, site)| *site == self)
            .map_or("", |(word, _)| word)
    }

    /// Mean of the air outside C, half its daily swing K, spread of the fronts K, declination of the sun in degrees.
    const fn figures(self) -> (f64, f64, f64, f64) {
        match self {
            Site::Heating => (-4.0, 3.5, 5.0, -20.0),
            Site::Cooling => (27.0, 3.5, 1.5, 21.0),
            Site::Shoulder => (6.0, 5.5, 4.5, -2.0),
        }
    }

    const fn latitude(self) -> f64 {
        match self {
            Site::Cooling => 28.0,
            _ => 42.0,
        }
    }

    /// The corridor air, C.
    pub const fn corridor(self) -> f64 {
        match self {
            Site::Heating => 20.5,
            Site::Cooling => 24.0,
            Site::Shoulder => 22.0,
        }
    }
}

/// Minute by minute.
#[derive(Debug)]
pub struct Weather {
    /// Outdoor air, C.
    pub outdoor: Vec<f64>,
    /// As the feed says it.
    pub outdoor_feed: Vec<f64>,
    /// Sun on the facades facing south, west, north and east, W/m2.
    pub sun: [Vec<f64>; 4],
    /// Warm and cold water, C: reset by the weather, unknown to everybody who estimates.
    pub water: Vec<(f64, f64)>,
}

/// A value that wanders and comes back.
struct Wander {
    value: f64,
    keep: f64,
    kick: f64,
}

impl Wander {
    fn new(sd: f64, memory_min: f64) -> Self {
        let keep = (-1.0 / memory_min).exp();
        Self {
            value: 0.0,
            keep,
            kick: sd * (1.0 - keep * keep).sqrt(),
        }
    }

    fn next(&mut self, dice: &mut Dice) -> f64 {
        self.value = self.keep * self.value + self.kick * dice.normal();
        self.value
    }
}

impl Weather {
    /// Makes so many minutes of it.
    pub fn make(site: Site, minutes: usize, seed: u64) -> Self {
        let mut dice = Dice::new(seed, 0x77);
        let (mean, swing, fronts, declination) = site.figures();
        let mut front = Wander::new(fronts, 2.5 * 1440.0);
        let mut gust = Wander::new(0.5, 90.0);
        let mut cloud = Wander::new(1.0, 240.0);
        let mut feed = Wander::new(0.7, 300.0);
        let mut boiler = Wander::new(1.0, 400.0);
        let mut made = Self {
            outdoor: Vec::with_capacity(minutes),
            outdoor_feed: Vec::with_capacity(minutes),
            sun: Default::default(),
            water: Vec::with_capacity(minutes),
        };
        for minute in 0..minutes {
            let hour = (minute % DAY) as f64 / 60.0;
            let clear = 1.0 / (1.0 + (-1.2 * cloud.next(&mut dice) - 0.2).exp());
            let daily = swing * (0.5 + 0.7 * clear) * ((hour - 15.0) / 24.0 * std::f64::consts::TAU).cos();
            let outdoor = mean + daily + front.next(&mut dice) + gust.next(&mut dice);
            made.outdoor.push(outdoor);
            made.outdoor_feed.push(outdoor + feed.next(&mut dice));
            for (facade, sun) in made.sun.iter_mut().enumerate() {
                sun.push(facade_sun(site.latitude(), declination, hour, facade, clear));
            }
            let reset = 45.0 + 5.0 * ((10.0 - outdoor) / 20.0).clamp(0.0, 1.0);
            let off = boiler.next(&mut dice);
            made.water.push((reset + off, 8.0 + 0.5 * off));
        }
        made
    }
}

/// Sun on an upright facade, W/m2: the beam by its angle, half the sky, and a fifth of the ground.
fn facade_sun(latitude: f64, declination: f64, hour: f64, facade: usize, clear: f64) -> f64 {
    let (phi, delta) = (latitude.to_radians(), declination.to_radians());
    let omega = ((hour - 12.0) * 15.0).to_radians();
    let height = phi.sin() * delta.sin() + phi.cos() * delta.cos() * omega.cos();
    if height <= 0.02 {
        return 0.0;
    }
    // Towards the south, and towards the west, of the sun's direction.
    let south = omega.cos() * delta.cos() * phi.sin() - delta.sin() * phi.cos();
    let west = omega.sin() * delta.cos();
    let facing = [south, west, -south, -west][facade % 4].max(0.0);
    let beam = 950.0 * (-0.15 / height).exp() * clear;
    let sky = 140.0 * height.sqrt() * (1.0 + clear) * 0.5;
    beam * facing + 0.5 * sky + 0.1 * (beam * height + sky)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn january_is_cold_july_is_hot_and_the_sun_moves_from_east_to_west() {
        let mean = |site| {
            let weather = Weather::make(site, 30 * DAY, 5);
            weather.outdoor.iter().sum::<f64>() / weather.outdoor.len() as f64
        };
        assert!(mean(Site::Heating) < 5.0 && mean(Site::Cooling) > 25.0);
        let at = |hour, facade| facade_sun(42.0, 5.0, hour, facade, 1.0);
        assert!(at(8.0, 3) > at(8.0, 1) && at(17.0, 1) > at(17.0, 3));
        assert!(at(12.0, 0) > at(12.0, 2) && at(2.0, 0) == 0.0);
    }
}
