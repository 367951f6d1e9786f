//! The rival: start by the median of four models that each learn from the last warm-ups.
//!
//! As PNNL's AEMS for VOLTTRON does it (Johnson, Siemens, Carrier, and the decay of the error), told anew from its
//! description: trained on the zone's own warm-ups, coefficients averaged over the last of them, start between 10 and 180
//! minutes before. In degrees Fahrenheit, as the models' constants are.

/// Reached within this, degrees F.
const TOLERANCE_F: f64 = 1.0;
/// The start is never nearer nor further, min.
const LEAD_MIN: (f64, f64) = (10.0, 180.0);
/// The newest warm-up's weight is `4 / (n + 1)`, at most 1, n being at most this many.
const REMEMBERED: u32 = 8;

/// What the four have learnt for one direction.
#[derive(Debug, Clone, Copy)]
struct Side {
    trained: u32,
    johnson: (f64, f64),
    siemens: (f64, f64),
    carrier: (f64, f64),
    decay: f64,
}

/// One point of a warm-up.
#[derive(Debug, Clone, Copy)]
struct Row {
    minute: f64,
    error_f: f64,
    outdoor_f: f64,
    /// How far the outdoor air is from the set-point, on the side that makes it harder.
    against_f: f64,
}

/// One room's four models.
#[derive(Debug, Clone)]
pub struct Median {
    sides: [Side; 2],
    /// The warm-up that is being watched: of which direction, and its rows.
    watched: Option<(usize, Vec<Row>)>,
}

impl Default for Median {
    fn default() -> Self {
        let side = Side {
            trained: 0,
            johnson: (2.0, 15.0),
            siemens: (0.25, 0.0),
            carrier: (0.06, 32.0),
            decay: 0.985,
        };
        Self {
            sides: [side; 2],
            watched: None,
        }
    }
}

fn fahrenheit(kelvin: f64) -> f64 {
    kelvin * 1.8
}

impl Median {
    /// How long before, min, at these temperatures, C.
    pub fn lead_min(&self, shown: f64, low: f64, high: f64, outdoor: f64) -> f64 {
        let (way, error, against) = if shown < low {
            (0, low - shown, low - outdoor)
        } else if shown > high {
            (1, shown - high, outdoor - high)
        } else {
            return LEAD_MIN.0;
        };
        let side = &self.sides[way];
        let (d, o) = (fahrenheit(error), fahrenheit(against).max(0.0));
        let reference = [0.0, 100.0][way];
        let outdoor_f = 32.0 + fahrenheit(outdoor);
        let ratio = (reference - outdoor_f) / (reference - side.carrier.1);
        let mut votes = [
            side.johnson.0 * d * d + side.johnson.1,
            60.0 * (side.siemens.0 * d + side.siemens.1 * d * o / 10.0),
            if ratio.is_finite() && ratio * side.carrier.0 > 1e-6 {
                d / (side.carrier.0 * ratio)
            } else {
                LEAD_MIN.1
            },
            if d > TOLERANCE_F {
                (TOLERANCE_F / d).ln() / side.decay.ln()
            } else {
                LEAD_MIN.0
            },
        ];
        votes.sort_by(f64::total_cmp);
        ((votes[1] + votes[2]) / 2.0).clamp(LEAD_MIN.0, LEAD_MIN.1)
    }

    /// A warm-up begins.
    pub fn begin(&mut self, shown: f64, low: f64, high: f64) {
        let way = usize::from(shown > high);
        self.watched = (shown < low - 0.3 || shown > high + 0.3).then(|| (way, Vec::new()));
    }

    /// It goes on; five minutes have passed. At its end the models learn from it.
    pub fn follow(&mut self, shown: f64, low: f64, high: f64, outdoor: f64, is_over: bool) {
        let Some((way, rows)) = &mut self.watched else { return };
        let error = if *way == 0 { low - shown } else { shown - high };
        rows.push(Row {
            minute: rows.len() as f64 * 5.0,
            error_f: fahrenheit(error),
            outdoor_f: 32.0 + fahrenheit(outdoor),
            against_f: fahrenheit(if *way == 0 { low - outdoor } else { outdoor - high }),
        });
        if fahrenheit(error) <= TOLERANCE_F || is_over {
            let (way, rows) = self.watched.take().unwrap_or_default();
            self.sides[way].learn(&rows);
        }
    }
}

impl Side {
    fn learn(&mut self, rows: &[Row]) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return;
        };
        if rows.len() < 3 || first.error_f <= TOLERANCE_F || last.error_f > TOLERANCE_F {
            return;
        }
        let (d, total) = (first.error_f, last.minute);
        // "The time for one degree" is 0, not unknown, where no row shows it.
        let one = rows
            .iter()
            .find(|row| d - row.error_f >= 1.0)
            .map_or(0.0, |row| row.minute);
        let o = first.against_f.max(1.0);
        let per_degree = one / 60.0;
        let (xy, xx) = rows.windows(2).fold((0.0, 0.0), |(xy, xx), pair| {
            let (x, y) = ((pair[0].error_f).max(0.0), (pair[1].error_f).max(0.0));
            (xy + x * y, xx + x * x)
        });
        let decay = (xy / xx.max(1e-9)).clamp(0.05, 0.999_9).powf(0.2);
        self.trained += 1;
        let n = self.trained.min(REMEMBERED);
        let share = (4.0 / (f64::from(n) + 1.0)).min(1.0);
        let blend = |old: &mut f64, new: f64| *old += share * (new - *old);
        blend(&mut self.johnson.0, ((total - one) / (d * d)).max(0.0));
        blend(&mut self.johnson.1, one);
        blend(&mut self.siemens.0, per_degree);
        blend(
            &mut self.siemens.1,
            ((total / 60.0 - per_degree * d) / (d * o / 10.0)).max(0.0),
        );
        blend(&mut self.carrier.0, d / total.max(5.0));
        blend(&mut self.carrier.1, first.outdoor_f);
        blend(&mut self.decay, decay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_ups_teach_the_median_how_long_a_room_takes() {
        let mut median = Median::default();
        for _ in 0..8 {
            median.begin(18.0, 22.0, 23.0);
            for tick in 0..40 {
                let shown = 22.2 - 4.2 * (-f64::from(tick) * 5.0 / 45.0).exp();
                median.follow(shown, 22.0, 23.0, 2.0, false);
            }
        }
        let lead = median.lead_min(18.0, 22.0, 23.0, 2.0);
        assert!((50.0..130.0).contains(&lead), "{lead}");
        assert_eq!(median.lead_min(22.5, 22.0, 23.0, 2.0), 10.0);
    }
}
