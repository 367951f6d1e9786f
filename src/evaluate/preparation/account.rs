//! What did the energy of a preparation go to?
//!
//! Every minute of a room is booked to what it was for, by what was true and by what its thermostat was told: the same for
//! every rule, whatever it calls its phases.

use super::guests::{Life, Who};
use super::score::Figures;
use super::thermostat::Wanted;
use serde::Serialize;

/// An empty room whose thermostat is told to be this near to what the next guest likes is being made ready, or is, K.
const READY_K: f64 = 1.2;
/// A room that is expected within this is sold, min.
const SOLD_AHEAD: i64 = 1440;

/// What a minute of a room is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Nobody is expected soon.
    Unsold,
    /// Somebody is expected within a day, and the room waits at its level.
    Sold,
    /// It is being made ready, or stands ready, and the guest has not come.
    Ready,
    /// The guest is out.
    Out,
    /// The guest is in.
    In,
}

/// Heat and cold, kWh, by what they were for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Account {
    /// While nobody was expected.
    pub unsold: f64,
    /// While sold and not yet being made ready.
    pub sold: f64,
    /// From the beginning of the preparation to the arrival.
    pub ready: f64,
    /// The guest was out.
    pub guest_out: f64,
    /// The guest was in.
    pub guest_in: f64,
    /// Of all that, cold.
    pub cold: f64,
}

impl Use {
    /// What this minute is for.
    pub fn of(life: &Life, minute: usize, wanted: Wanted) -> Self {
        match life.who[minute] {
            Who::Awake | Who::Asleep => return Use::In,
            Who::Out => return Use::Out,
            Who::Vacant | Who::Staff => {}
        }
        let Some(next) = life.visits.iter().find(|visit| visit.arrival > minute) else {
            return Use::Unsold;
        };
        let is_near = |edge: f64| (edge - next.preferred).abs() <= READY_K;
        if is_near(wanted.low) || is_near(wanted.high) {
            Use::Ready
        } else if next.booked.is_some() && next.eta - minute as i64 <= SOLD_AHEAD {
            Use::Sold
        } else {
            Use::Unsold
        }
    }
}

impl Account {
    /// Books a minute.
    pub fn book(&mut self, used: Use, watts: f32, cooled: f32) {
        let kwh = |watts: f32| f64::from(watts) / 60_000.0;
        let entry = match used {
            Use::Unsold => &mut self.unsold,
            Use::Sold => &mut self.sold,
            Use::Ready => &mut self.ready,
            Use::Out => &mut self.guest_out,
            Use::In => &mut self.guest_in,
        };
        *entry += kwh(watts);
        self.cold += kwh(cooled);
    }

    /// All of it.
    pub fn kwh(&self) -> f64 {
        self.unsold + self.sold + self.ready + self.guest_out + self.guest_in
    }

    /// The mean of several; nothing of none.
    pub fn mean<'a>(accounts: impl Iterator<Item = &'a Account>) -> Self {
        let (mut sum, mut count) = (Self::default(), 0_u32);
        for one in accounts {
            let mine = sum.entries_mut().into_iter();
            mine.zip(one.entries()).for_each(|(mine, entry)| *mine += entry);
            count += 1;
        }
        let count = f64::from(count.max(1));
        sum.entries_mut().into_iter().for_each(|entry| *entry /= count);
        sum
    }

    fn entries(&self) -> [f64; 6] {
        let mut copy = *self;
        copy.entries_mut().map(|entry| *entry)
    }

    fn entries_mut(&mut self) -> [&mut f64; 6] {
        let Self {
            unsold,
            sold,
            ready,
            guest_out,
            guest_in,
            cold,
        } = self;
        [unsold, sold, ready, guest_out, guest_in, cold]
    }
}

/// The accounts as a table, for people.
pub fn table(figures: &[Figures]) -> String {
    let mut text = format!(
        "{:<24}{:>8}{:>8}{:>8}{:>10}{:>9}{:>9}\n",
        "kWh an arrival", "unsold", "sold", "ready", "guest out", "guest in", "of: cold"
    );
    for f in figures {
        let [unsold, sold, ready, out, within, cold] = f.account.entries();
        text += &format!(
            "{:<24}{unsold:>8.2}{sold:>8.2}{ready:>8.2}{out:>10.2}{within:>9.2}{cold:>9.2}\n",
            f.rule
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::preparation::dice::Dice;
    use crate::evaluate::preparation::guests::Manners;
    use crate::evaluate::preparation::weather::{DAY, Site};

    #[test]
    fn a_minute_is_for_what_was_true_and_told() {
        let manners = Manners {
            eta_error_min: 0.0,
            walk_in_share: 0.0,
            no_show_share: 0.0,
        };
        let life = Life::tell(Site::Heating, 10 * DAY, manners, &mut Dice::new(1, 1));
        let visit = &life.visits[0];
        let at = |low: f64| Wanted { low, high: 99.0 };
        let before = visit.arrival - 30;
        assert_eq!(Use::of(&life, before, at(18.0)), Use::Sold);
        assert_eq!(Use::of(&life, before, at(visit.preferred)), Use::Ready);
        assert_eq!(Use::of(&life, visit.arrival + 1, at(18.0)), Use::In);
    }

    #[test]
    fn accounts_add_up_and_their_mean_is_one_of_each() {
        let mut one = Account::default();
        one.book(Use::Ready, 600.0, 0.0);
        one.book(Use::In, 60.0, 60.0);
        let mean = Account::mean([one, Account::default()].iter());
        assert!(
            (one.kwh() - 0.011).abs() < 1e-9 && (mean.kwh() - 0.0055).abs() < 1e-9,
            "{mean:?}"
        );
        assert!((mean.cold - 0.0005).abs() < 1e-9);
    }
}
