//! Which of a few choices does a guest like?
//!
//! A discounted count of what was chosen, with what is usual as prior. A wish in words that differs from the answer, or
//! two stays in a row that agree with each other and not with it, cut everything else down: a change takes effect at
//! once. Only sums, products and quotients: the same to the last bit everywhere.

/// What one observation keeps of its weight for each later one: at most .693, so that three outweigh all older ones even where
/// wishes in words count double.
const KEEP: f64 = 0.69;
/// The weight of what is usual.
const USUAL: f64 = 0.5;
/// A wish in words counts so much, anything else one.
const EXPLICIT: f64 = 2.0;
/// What a change leaves of all else.
const CUT: f64 = 0.15;
/// A change is told of for so many stays.
const TOLD_FOR: u8 = 3;
/// So many equal observations in a row make a change.
const IN_A_ROW: u32 = 2;
/// A wish in words is ahead of everything by at least this.
const AHEAD: f64 = 1e-9;

/// What one stay showed, as a place in the list of choices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    /// None when it showed nothing.
    pub choice: Option<usize>,
    /// Whether it was said in words.
    pub is_explicit: bool,
}

/// What the fold finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The place in the list of choices.
    pub choice: usize,
    /// The probability that it is the guest's.
    pub confidence: f64,
    /// Whether it changed within the last three stays.
    pub recent_change: bool,
    /// What it was before that.
    pub from: Option<usize>,
    /// With which stay it last changed.
    pub changed: Option<usize>,
    /// Whether anything was shown at all.
    pub is_seen: bool,
    /// How much of the answer rests on each stay, in their order.
    pub weights: Vec<f64>,
}

struct Counts {
    counts: Vec<f64>,
    /// What each stay chose, and what of it still counts.
    weights: Vec<(usize, f64)>,
    in_a_row: (Option<usize>, u32),
    told_for: u8,
    from: Option<usize>,
    changed: Option<usize>,
    is_seen: bool,
}

/// Folds what the stays showed, oldest first. `usual` gives for each choice how usual it is; what lies outside of it is
/// passed over.
pub fn fold(usual: &[f64], stays: impl IntoIterator<Item = Chosen>) -> Folded {
    let mut counts = Counts {
        counts: vec![0.0; usual.len()],
        weights: Vec::new(),
        in_a_row: (None, 0),
        told_for: 0,
        from: None,
        changed: None,
        is_seen: false,
    };
    stays.into_iter().for_each(|chosen| counts.take(chosen));
    counts.answer(usual)
}

impl Counts {
    fn take(&mut self, chosen: Chosen) {
        self.told_for = self.told_for.saturating_sub(1);
        let Some(choice) = chosen.choice.filter(|choice| *choice < self.counts.len()) else {
            self.weights.push((usize::MAX, 0.0));
            return;
        };
        self.weights.push((choice, 0.0));
        let current = self.is_seen.then(|| first_greatest(&self.counts));
        self.in_a_row = match self.in_a_row {
            (Some(last), times) if last == choice => (Some(choice), times + 1),
            _ => (Some(choice), 1),
        };
        self.keep(KEEP, |_| true);
        let is_changed = chosen.is_explicit || self.in_a_row.1 >= IN_A_ROW;
        if let Some(old) = current.filter(|current| *current != choice && is_changed) {
            self.keep(CUT, |other| other != choice);
            (self.told_for, self.from, self.changed) = (TOLD_FOR, Some(old), self.weights.len().checked_sub(1));
        }
        self.count(choice, if chosen.is_explicit { EXPLICIT } else { 1.0 });
        let first = first_greatest(&self.counts);
        if chosen.is_explicit && first != choice {
            let missing = self.counts[first] + AHEAD - self.counts[choice];
            self.count(choice, missing);
        }
        self.is_seen = true;
    }

    /// Lessens the choices that are meant to a share.
    fn keep(&mut self, share: f64, is_meant: impl Fn(usize) -> bool) {
        let counts = self
            .counts
            .iter_mut()
            .enumerate()
            .filter(|(choice, _)| is_meant(*choice));
        counts.for_each(|(_, count)| *count *= share);
        let weights = self.weights.iter_mut().filter(|(choice, _)| is_meant(*choice));
        weights.for_each(|(_, weight)| *weight *= share);
    }

    fn count(&mut self, choice: usize, weight: f64) {
        self.counts[choice] += weight;
        self.weights
            .last_mut()
            .into_iter()
            .for_each(|(_, last)| *last += weight);
    }

    fn answer(self, usual: &[f64]) -> Folded {
        let total = self.counts.iter().sum::<f64>() + USUAL;
        let counted = self.counts.iter().zip(usual);
        let shares: Vec<f64> = counted.map(|(count, usual)| (count + USUAL * usual) / total).collect();
        let choice = first_greatest(&shares);
        let weights = self.weights.iter().map(|(_, weight)| weight / total).collect();
        Folded {
            choice,
            confidence: shares.get(choice).copied().unwrap_or_default(),
            recent_change: self.told_for > 0,
            from: self.from.filter(|_| self.told_for > 0),
            changed: self.changed,
            is_seen: self.is_seen,
            weights,
        }
    }
}

fn first_greatest(list: &[f64]) -> usize {
    let greatest = list.iter().copied().fold(f64::MIN, f64::max);
    list.iter().position(|count| *count >= greatest).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUALLY: [f64; 3] = [0.5, 0.3, 0.2];

    fn device(choice: usize) -> Chosen {
        Chosen {
            choice: Some(choice),
            is_explicit: false,
        }
    }

    fn said(choice: usize) -> Chosen {
        Chosen {
            is_explicit: true,
            ..device(choice)
        }
    }

    #[test]
    fn of_a_stranger_it_is_what_is_usual() {
        let nobody = fold(&USUALLY, []);
        assert_eq!((nobody.choice, nobody.confidence, nobody.is_seen), (0, 0.5, false));
        assert_eq!(fold(&[], [device(3)]).choice, 0);
    }

    #[test]
    fn one_word_overturns_years_of_habit_at_once() {
        let years = vec![device(0); 20];
        let stayed = fold(&USUALLY, years.clone());
        assert!(stayed.choice == 0 && !stayed.recent_change);
        let told = fold(&USUALLY, years.into_iter().chain([said(2)]));
        assert!(
            told.choice == 2 && told.recent_change && told.from == Some(0),
            "{told:?}"
        );
    }

    #[test]
    fn one_odd_stay_is_no_change_and_two_are() {
        let years = vec![device(0); 5];
        let once = fold(&USUALLY, years.iter().copied().chain([device(1)]));
        assert!(once.choice == 0 && !once.recent_change);
        let twice = fold(&USUALLY, years.iter().copied().chain([device(1), device(1)]));
        assert!(twice.choice == 1 && twice.recent_change);
        let later = fold(&USUALLY, years.into_iter().chain([device(1); 5]));
        assert!(later.choice == 1 && !later.recent_change && later.from.is_none());
    }

    #[test]
    fn three_stays_outweigh_any_number_of_older_ones() {
        for older in 1..40 {
            let stays = vec![said(0); older].into_iter().chain([device(1); 3]);
            let folded = fold(&USUALLY, stays);
            assert_eq!(folded.choice, 1, "{older}");
            let recent: f64 = folded.weights[older..].iter().sum();
            assert!(recent > folded.weights[..older].iter().sum(), "{older}: {folded:?}");
        }
    }
}
