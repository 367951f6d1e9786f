//! Who gets how much of the plant when it cannot warm every room at once?
//!
//! The plant is measured in rooms: so many can run at full output at once. Rooms with a guest take what they need. What is
//! left is shared by the rooms that are being made ready: each is held to the same share of its output, for a room that
//! warms a little slower begins a little earlier and costs little more, while rooms that wait for one another stand warm
//! for hours. Below two thirds of its output a room hardly arrives at all, so then fewer rooms run and the others wait,
//! those with the most time left first. A hard limit also takes back what rooms without a present guest are given.
//!
//! A room that takes more than a usual one at full output counts as so many.
//!
//! Everything here is reckoned from what the rooms claim; `sharing` asks them and hands out the shares.

use crate::model::{Moment, Span};
use serde::{Deserialize, Serialize};

/// No room counts for less than this.
const SIZE_MIN: f64 = 0.1;
/// Held to less than this share, a room loses about as much as it gets: rather let fewer run.
const LEAST: f64 = 0.65;
/// Shares are told in steps of this, %: fan stages and demand limits know no finer ones.
const STEP: u8 = 5;
/// A share is raised only by as much as this, %, so that the last tenth is not told back and forth.
const RAISE_MIN: u8 = 10;
/// No room is foreseen to run at less: then others wait.
const SHARE_MIN: f64 = 0.01;
/// A room that has begun goes on, unless another has so much less time: units that are told to begin and wait in turn
/// warm nobody's room.
const STAYS: Span = Span::hours(1);
/// A room that was let run for so many rounds takes what it needs; before, its valve is still opening.
const SETTLED: u8 = 3;
/// A room that is ready and waits for its guest takes about this share of its output to stay so.
const HOLDS: f64 = 0.3;
/// A room that takes this much less than it may is near its target; what it leaves is given to others.
const SLACKENS: f64 = 0.1;
/// Once rooms have been shed, so much of the limit has to be free before they come back.
const FREE_FIRST: f64 = 0.05;
/// A level is found by so many halvings: nearer than what it is rounded by when it is told.
const LEVEL_HALVINGS: u32 = 40;
/// What is ahead is foreseen in steps of this length.
const SLOT: Span = Span::minutes(5);
/// And no further than this: a day's arrivals are known by then.
const SLOTS_MAX: i64 = 144;
/// No room begins earlier than by this for the sake of others.
const EARLIER_MAX_MIN: u16 = 240;

/// What becomes of a room that has to give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivesWay {
    /// It is to be made ready and waits at its level.
    Waits,
    /// It rests and may drift as far as the safety limits.
    Sheds,
}

impl GivesWay {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            GivesWay::Waits => "waits",
            GivesWay::Sheds => "sheds",
        }
    }
}

/// What a room may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allotment {
    /// The most of its output that it may give while it is made ready, %.
    pub output_max: u8,
    /// The share that it will probably have when its own turn comes, %: its lead is reckoned with it.
    pub foreseen: u8,
    /// It begins earlier by this, min, because even so it would have to wait.
    pub earlier_min: u16,
    /// It has to give way.
    pub gives_way: Option<GivesWay>,
    /// What it took when it had to, %.
    pub gave: u8,
    /// For so many rounds it has been let run, as far as that matters.
    pub rounds: u8,
}

impl Default for Allotment {
    fn default() -> Self {
        Self {
            output_max: 100,
            foreseen: 100,
            earlier_min: 0,
            gives_way: None,
            gave: 0,
            rounds: 0,
        }
    }
}

/// What a room is to the plant, in the order in which rooms give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nobody has it.
    Unsold,
    /// Its guest is out.
    Out,
    /// It is sold and rests.
    Sold,
    /// It is being made ready.
    Recovering,
    /// Somebody is in, or at the desk: never touched.
    Guest,
}

/// A recovery that lies ahead or is under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Due {
    /// It is to be over by then, if all goes as foreseen.
    pub at: Moment,
    /// And the guest may come from then on.
    pub early: Moment,
    /// What it takes at the share foreseen so far.
    pub needs: Span,
    /// Held to less than this, %, it takes twice as long as at full output.
    #[serde(default)]
    pub share_min: u8,
}

/// What one room claims.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// What it is to the plant.
    pub kind: Kind,
    /// Its full output, in usual rooms.
    pub size: f64,
    /// How much of its output it gives now, 0 to 1.
    pub takes: f64,
    /// Whether its unit can be held to a share of its output.
    pub can_be_held: bool,
    /// Its recovery, if one is known.
    pub due: Option<Due>,
    /// What it has now.
    pub has: Allotment,
}

impl Claim {
    /// How much time it has left before it must run.
    pub fn slack(&self, now: Moment) -> Span {
        self.due.map_or(Span::days(1), |due| due.at.since(now) - due.needs)
    }

    /// What it takes, or took before it had to give way.
    fn demand(&self) -> f64 {
        let gave = self.has.gives_way.map_or(0.0, |_| share(self.has.gave));
        sound(self.takes).max(gave)
    }

    /// What it would take, given all it wants.
    fn wants(&self) -> f64 {
        let may = share(self.has.output_max);
        if self.has.rounds >= SETTLED && sound(self.takes) < may - SLACKENS {
            (sound(self.takes) + SLACKENS).min(1.0)
        } else {
            1.0
        }
    }

    /// It is never held to less: a room at its plant's limit gives nothing away, or it never arrives.
    fn floor(&self) -> f64 {
        self.due.map_or(LEAST, |due| share(due.share_min).clamp(LEAST, 1.0))
    }

    /// The least that is of any use to it.
    fn least(&self) -> f64 {
        if self.can_be_held {
            self.wants().min(self.floor())
        } else {
            self.wants()
        }
    }
}

/// Shares out a plant that can run `limit` rooms at full output. A hard limit also takes back what was given.
pub fn share_out(limit: f64, is_hard: bool, now: Moment, claims: &[Claim]) -> Vec<Allotment> {
    let mut shares: Vec<Allotment> = claims.iter().map(|_| Allotment::default()).collect();
    if is_hard {
        shed(limit, now, claims, &mut shares);
    }
    let stands = |n: &usize| claims[*n].kind != Kind::Recovering && shares[*n].gives_way.is_none();
    let in_rooms = |n: usize, share: f64| claims[n].size * share;
    let spent: f64 = (0..claims.len())
        .filter(stands)
        .map(|n| in_rooms(n, claims[n].demand()))
        .sum();
    let admitted = admit(limit - spent, is_hard, now, claims, &mut shares);
    let least = admitted.iter().map(|n| in_rooms(*n, claims[*n].least())).sum::<f64>();
    let left = limit - spent - least;
    raise(left, claims, &admitted, &mut shares);
    shares
}

/// Rooms without a present guest give back what they take, unsold ones first, until it is enough.
fn shed(limit: f64, now: Moment, claims: &[Claim], shares: &mut [Allotment]) {
    let least = |claim: &Claim| match claim.kind {
        Kind::Recovering => claim.size * claim.least(),
        _ => claim.size * claim.demand(),
    };
    let free_first = FREE_FIRST * limit;
    let mut over = claims.iter().map(least).sum::<f64>() - limit;
    let can = |n: &usize| claims[*n].kind < Kind::Recovering && claims[*n].demand() > 0.0;
    let mut order: Vec<usize> = (0..claims.len()).filter(can).collect();
    // Who has given way already goes on to; then whoever has the most time.
    order.sort_by_key(|n| {
        let claim = &claims[*n];
        (
            claim.kind,
            claim.has.gives_way.is_none(),
            -claim.slack(now).as_millis(),
            *n,
        )
    });
    for n in order {
        // What has been shed comes back only when there is more than enough; nothing else is shed for that.
        let enough = claims[n].has.gives_way.map_or(0.0, |_| -free_first);
        if over <= enough {
            continue;
        }
        let demand = claims[n].demand();
        (shares[n].gives_way, shares[n].gave) = (Some(GivesWay::Sheds), percent(demand));
        over -= claims[n].size * demand;
    }
}

/// Which of the rooms that are being made ready may run: those with the least time left. The others wait.
fn admit(left: f64, is_hard: bool, now: Moment, claims: &[Claim], shares: &mut [Allotment]) -> Vec<usize> {
    let is_it = |n: &usize| claims[*n].kind == Kind::Recovering;
    let mut order: Vec<usize> = (0..claims.len()).filter(is_it).collect();
    order.sort_by_key(|n| {
        let claim = &claims[*n];
        let stays = if claim.has.rounds > 0 { STAYS } else { Span::ZERO };
        ((claim.slack(now) - stays).as_millis(), *n)
    });
    let (mut left, mut admitted) = (left, Vec::new());
    for n in order {
        let least = claims[n].size * claims[n].least();
        // Under a soft limit one room always goes on: a limit written too low must not keep every guest in the cold.
        if least <= left + 1e-9 || admitted.is_empty() && !is_hard {
            left -= least;
            shares[n].rounds = (claims[n].has.rounds + 1).min(SETTLED);
            admitted.push(n);
        } else {
            shares[n].gives_way = Some(GivesWay::Waits);
        }
    }
    admitted
}

/// What is left over the least is given to the admitted rooms until each has what it wants, all to the same level.
fn raise(left: f64, claims: &[Claim], admitted: &[usize], shares: &mut [Allotment]) {
    let held: Vec<usize> = admitted.iter().copied().filter(|n| claims[*n].can_be_held).collect();
    let pot = left.max(0.0) + held.iter().map(|n| claims[*n].size * claims[*n].least()).sum::<f64>();
    let between = |n: &usize| (claims[*n].size, claims[*n].least(), claims[*n].wants());
    let level = level(pot, held.iter().map(between));
    for n in held {
        let level = level.max(claims[n].floor());
        shares[n].output_max = held_to(level, claims[n].has.output_max);
    }
}

/// The level at which rooms of these sizes, that take so much at least and so much at most, take no more than this together.
fn level(pot: f64, rooms: impl Iterator<Item = (f64, f64, f64)> + Clone) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    let taken = |level: f64| {
        rooms
            .clone()
            .map(|(size, least, most)| size * level.clamp(least, most.max(least)))
            .sum::<f64>()
    };
    if taken(high) <= pot + 1e-9 {
        return high;
    }
    for _ in 0..LEVEL_HALVINGS {
        let middle = 0.5 * (low + high);
        if taken(middle) <= pot + 1e-9 {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

/// A level as it is told: in steps, never below the least, and raised only by something that is worth telling.
fn held_to(level: f64, before: u8) -> u8 {
    let stepped = percent(level.clamp(LEAST, 1.0)) / STEP * STEP;
    if stepped > before && stepped < 100 && stepped - before < RAISE_MIN {
        before
    } else {
        stepped
    }
}

/// Foresees which share each room will have when its turn comes, and by how much it must begin earlier: backwards from the
/// latest arrival, in each step the rooms that have to run in it share the plant.
pub fn foresee(limit: f64, now: Moment, claims: &[Claim]) -> Vec<(u8, u16)> {
    let mut shares: Vec<(u8, u16)> = claims.iter().map(|_| (100, 0)).collect();
    let lies_ahead =
        |n: &usize| claims[*n].kind != Kind::Guest && claims[*n].due.is_some_and(|due| due.needs > Span::ZERO);
    let ahead = (0..claims.len()).filter(lies_ahead);
    let mut ahead: Vec<Ahead> = ahead.filter_map(|n| Ahead::of(n, &claims[n], now)).collect();
    // What a room takes to stay at its level ends when its own recovery begins.
    let in_rooms = |claim: &Claim| claim.size * claim.demand();
    let all: f64 = claims.iter().map(in_rooms).sum();
    let theirs: f64 = ahead.iter().map(|one| in_rooms(&claims[one.room])).sum();
    let limit = (limit - (all - theirs).max(0.0)).max(LEAST);
    let last = ahead.iter().map(|one| one.by).max().unwrap_or(0);
    for slot in (0..last).rev() {
        let holds = ahead.iter().filter(|one| (one.by..one.until).contains(&slot));
        let left = (limit - HOLDS * holds.map(|one| one.size).sum::<f64>()).max(LEAST);
        let running = ahead.iter().filter(|one| one.runs(slot));
        let level = foreseen_level(left, running.map(|one| (one.size, one.floor)));
        ahead
            .iter_mut()
            .filter(|one| one.runs(slot))
            .for_each(|one| one.run(level.max(one.floor)));
    }
    for one in &ahead {
        shares[one.room] = one.share();
    }
    shares
}

/// What each of some rooms gets of what is left, when those that need more than their share get that.
fn foreseen_level(left: f64, rooms: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let all: f64 = rooms.clone().map(|(size, _)| size).sum();
    let even = left / all.max(SIZE_MIN);
    let needy = rooms.filter(|(_, floor)| *floor > LEAST && *floor > even);
    let (theirs, given) = needy.fold((0.0, 0.0), |(theirs, given), (size, floor)| {
        (theirs + size, given + size * floor)
    });
    ((left - given) / (all - theirs).max(SIZE_MIN)).clamp(SHARE_MIN, 1.0)
}

/// A recovery ahead.
#[derive(Debug)]
struct Ahead {
    room: usize,
    /// Its full output, in usual rooms.
    size: f64,
    /// Where it is at its plant's limit, it is held to no less than this; else 0.
    floor: f64,
    /// Before which step from now it must be over, and from which on the guest may be in.
    by: i64,
    until: i64,
    /// Steps at full output that are still to be done, and that were done.
    work: f64,
    done: f64,
    /// In so many steps.
    steps: f64,
}

impl Ahead {
    fn of(room: usize, claim: &Claim, now: Moment) -> Option<Self> {
        let due = claim.due?;
        let steps = |span: Span| span.as_millis() as f64 / SLOT.as_millis() as f64;
        let slot = |at: Moment| (steps(at.since(now)) as i64).clamp(1, SLOTS_MAX);
        // Far ahead, nothing has to be known of it yet.
        (steps(due.at.since(now) - due.needs) < SLOTS_MAX as f64).then(|| Self {
            room,
            size: claim.size,
            floor: if share(due.share_min) > LEAST {
                share(due.share_min).min(1.0)
            } else {
                0.0
            },
            by: slot(due.at),
            until: slot(due.early),
            work: steps(due.needs)
                * share(match claim.kind {
                    Kind::Recovering => claim.has.output_max,
                    _ => claim.has.foreseen,
                }),
            done: 0.0,
            steps: 0.0,
        })
    }

    fn runs(&self, slot: i64) -> bool {
        slot < self.by && self.work > 1e-9
    }

    fn run(&mut self, level: f64) {
        let now = self.work.min(level);
        (self.work, self.done) = (self.work - now, self.done + now);
        self.steps += now / level;
    }

    /// The mean share over its run, and by how many minutes more than that share asks for it must begin earlier.
    fn share(&self) -> (u8, u16) {
        if self.done <= 0.0 {
            return (100, 0);
        }
        let mean = (self.done / self.steps).clamp(LEAST, 1.0);
        let foreseen = (percent(mean) / STEP * STEP).max(STEP);
        let earlier = (self.steps - self.done / share(foreseen)).max(0.0) * SLOT.as_minutes_f64();
        (foreseen, (earlier.floor() as u16).min(EARLIER_MAX_MIN))
    }
}

fn share(percent: u8) -> f64 {
    f64::from(percent) / 100.0
}

fn percent(share: f64) -> u8 {
    // Not-a-number becomes 0 in the cast.
    (share * 100.0 + 1e-6).clamp(0.0, 100.0) as u8
}

fn sound(output: f64) -> f64 {
    if output.is_finite() {
        output.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_millis(1_800_000_000_000);

    fn claim(kind: Kind, takes: f64) -> Claim {
        Claim {
            kind,
            size: 1.0,
            takes,
            can_be_held: true,
            due: None,
            has: Allotment {
                rounds: SETTLED,
                ..Allotment::default()
            },
        }
    }

    fn recovering(slack_min: i64) -> Claim {
        let needs = Span::minutes(100);
        let at = NOW + needs + Span::minutes(slack_min);
        Claim {
            due: Some(Due {
                at,
                early: at,
                needs,
                share_min: 0,
            }),
            ..claim(Kind::Recovering, 1.0)
        }
    }

    #[test]
    fn rooms_that_are_made_ready_share_what_guests_leave() {
        let claims = [
            claim(Kind::Guest, 1.0),
            recovering(0),
            recovering(5),
            recovering(9),
            recovering(12),
        ];
        let shares = share_out(4.0, false, NOW, &claims);
        assert_eq!(
            shares.iter().map(|s| s.output_max).collect::<Vec<_>>(),
            [100, 75, 75, 75, 75]
        );
        assert!(share_out(5.0, false, NOW, &claims).iter().all(|s| s.output_max == 100));
    }

    #[test]
    fn a_suite_counts_for_as_many_rooms_as_it_takes() {
        let mut suite = recovering(0);
        suite.size = 2.0;
        let held = |limit: f64, claims: &[Claim]| {
            let shares = share_out(limit, false, NOW, claims);
            shares.iter().map(|s| s.output_max).collect::<Vec<_>>()
        };
        assert_eq!(held(3.0, &[suite, recovering(0), recovering(0)]), [75, 75, 75]);
        assert_eq!(held(3.0, &[suite, recovering(0)]), [100, 100]);
        let mut guest = claim(Kind::Guest, 1.0);
        guest.size = 1.5;
        assert_eq!(held(3.0, &[guest, recovering(0), recovering(0)]), [100, 75, 75]);
        let mut unsold = [
            claim(Kind::Unsold, 0.5),
            claim(Kind::Unsold, 0.5),
            claim(Kind::Guest, 1.0),
        ];
        unsold[0].size = 2.0;
        let sheds = |limit: f64, claims: &[Claim]| {
            let shares = share_out(limit, true, NOW, claims);
            shares.iter().filter(|s| s.gives_way.is_some()).count()
        };
        assert_eq!((sheds(2.5, &unsold), sheds(2.4, &unsold)), (0, 1));
        let alone = foresee(2.0, NOW, &[suite, recovering(0)]);
        let even = foresee(2.0, NOW, &[recovering(0), recovering(0)]);
        assert!(alone[1].0 < even[1].0, "{alone:?} {even:?}");
    }

    #[test]
    fn when_a_share_would_be_too_small_those_with_the_most_time_wait() {
        let mut claims = vec![recovering(60), recovering(0), recovering(30)];
        claims
            .iter_mut()
            .for_each(|claim| (claim.takes, claim.has.rounds) = (0.0, 0));
        let shares = share_out(1.4, false, NOW, &claims);
        let waits: Vec<bool> = shares.iter().map(|s| s.gives_way == Some(GivesWay::Waits)).collect();
        assert_eq!((waits, shares[1].output_max), (vec![true, false, false], 70));
        let none = share_out(0.1, false, NOW, &claims);
        assert_eq!(
            none.iter().filter(|s| s.gives_way.is_none()).count(),
            1,
            "one always goes on"
        );
        let hard = share_out(0.1, true, NOW, &claims);
        assert!(hard.iter().all(|s| s.gives_way.is_some()), "not under a hard limit");
    }

    #[test]
    fn a_room_at_its_plants_limit_gives_nothing_away() {
        let mut weak = recovering(0);
        weak.due = weak.due.map(|due| Due { share_min: 95, ..due });
        let shares = share_out(2.4, false, NOW, &[weak, recovering(0), recovering(0)]);
        assert_eq!(shares.iter().map(|s| s.output_max).collect::<Vec<_>>(), [95, 70, 70]);
        let ahead = foresee(2.4, NOW, &[weak, recovering(0), recovering(0)]);
        assert!(ahead[0].0 == 95 && ahead[1].0 < 80, "{ahead:?}");
    }

    #[test]
    fn what_a_room_near_its_target_leaves_goes_to_the_others() {
        let mut near = recovering(0);
        near.takes = 0.3;
        let shares = share_out(2.0, false, NOW, &[near, recovering(0), recovering(0)]);
        assert_eq!(shares[1].output_max, 80, "{shares:?}");
    }

    #[test]
    fn a_unit_that_cannot_be_held_runs_or_waits() {
        let mut claims = [recovering(0), recovering(10), recovering(20)];
        claims.iter_mut().for_each(|claim| claim.can_be_held = false);
        let shares = share_out(2.5, false, NOW, &claims);
        assert_eq!(shares[2].gives_way, Some(GivesWay::Waits));
        assert!(shares[..2].iter().all(|s| s.gives_way.is_none() && s.output_max == 100));
    }

    #[test]
    fn a_hard_limit_sheds_unsold_rooms_first_and_a_guest_never() {
        let rooms = |limit: f64, claims: &[Claim]| {
            let shares = share_out(limit, true, NOW, claims);
            shares.iter().map(|s| s.gives_way.is_some()).collect::<Vec<_>>()
        };
        let mut claims = vec![
            claim(Kind::Guest, 1.0),
            claim(Kind::Out, 0.5),
            claim(Kind::Unsold, 0.4),
            claim(Kind::Sold, 0.4),
            recovering(0),
        ];
        assert_eq!(rooms(3.0, &claims), [false; 5]);
        assert_eq!(rooms(2.6, &claims), [false, false, true, false, false]);
        assert_eq!(rooms(2.1, &claims), [false, true, true, false, false]);
        assert_eq!(rooms(1.7, &claims), [false, true, true, true, false]);
        assert_eq!(rooms(1.0, &claims), [false, true, true, true, true]);
        // What was shed takes nothing now; that is no reason to let it come back.
        let shares = share_out(2.6, true, NOW, &claims);
        (claims[2].has, claims[2].takes) = (shares[2], 0.0);
        assert_eq!(rooms(2.6, &claims), [false, false, true, false, false]);
        assert_eq!(rooms(4.0, &claims), [false; 5]);
    }

    #[test]
    fn a_party_that_comes_at_once_begins_earlier_the_longest_lead_first() {
        let due = |needs: i64| Claim {
            kind: Kind::Sold,
            due: Some(Due {
                at: NOW + Span::hours(6),
                early: NOW + Span::hours(6),
                needs: Span::minutes(needs),
                share_min: 0,
            }),
            ..claim(Kind::Sold, 0.0)
        };
        let alone = foresee(4.0, NOW, &[due(100), due(60)]);
        assert_eq!(alone, [(100, 0), (100, 0)]);
        let party: Vec<Claim> = (0..10).map(|n| due(60 + 6 * n)).collect();
        let shares = foresee(8.0, NOW, &party);
        assert!(shares.iter().all(|(share, _)| (75..100).contains(share)), "{shares:?}");
        assert!(shares[9].0 >= shares[0].0, "the longest runs alone for a while");
        let crowd: Vec<Claim> = (0..10).map(|_| due(60)).collect();
        let shares = foresee(3.0, NOW, &crowd);
        assert!(
            shares.iter().all(|(share, earlier)| *share == 65 && *earlier > 60),
            "{shares:?}"
        );
    }

    #[test]
    fn nonsense_is_borne() {
        let mut wild = recovering(0);
        wild.takes = f64::NAN;
        wild.due = Some(Due {
            at: Moment::EARLIEST,
            early: Moment::LATEST,
            needs: Span::days(99),
            share_min: 255,
        });
        assert_eq!(share_out(f64::NAN, true, NOW, &[wild]).len(), 1);
        assert_eq!(foresee(f64::NAN, NOW, &[wild]).len(), 1);
        assert!(share_out(1.0, true, NOW, &[]).is_empty() && foresee(1.0, NOW, &[]).is_empty());
    }
}
