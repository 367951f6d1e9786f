//! What will this guest want tonight, and what is done about it before it is asked for?
//!
//! The nights of this stay and of earlier ones teach; what happens tonight places what is expected
//! ([`crate::engine::habit`]). Those who serve are told an hour before; a little before the time the guest is offered it,
//! or it is brought, if that is sure enough. Only to a guest who is in, awake and wants company; what the guest asked for
//! by himself is not anticipated as well.

use super::Draft;
use crate::engine::calendar::Calendar;
use crate::engine::habit::{Foreseen, Learner, NEAR_MIN, NIGHTS_MAX, Night, Outlook, Tier, Tonight};
use crate::engine::preference::Guest;
use crate::engine::stay::Stay;
use crate::model::{
    Basis, Because, Evening, Habits, Item, Moment, Need, PriorSummary, RequestId, RequestState, RoomId, Span,
};
use serde::{Deserialize, Serialize};

/// Those who serve are told so long before: time to warm the milk, too short for plans to change often.
const STAGE_BEFORE_MIN: i32 = 60;
/// A night begins at noon.
const NOON_MIN: i32 = 12 * 60;
/// Somebody who checks in before noon, but not in the small hours, comes for the evening that follows.
const MORNING_FROM_MIN: u16 = 5 * 60;
/// Lying down from then on is going to bed; before, it is a nap.
const BED_FROM_MIN: i32 = 19 * 60;
/// Getting up from then on is waking, lying down no longer going to bed.
const WAKE_FROM_MIN: i32 = 28 * 60;
/// After so much sleep, lying down again is no going to bed.
const SLEPT_MIN: i32 = 120;

/// The wishes of the stay in progress.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Routine {
    nights: Vec<(i32, Night)>,
    /// The local day whose night it is.
    day: Option<i32>,
    tonight: Tonight,
    asleep_since: Option<i32>,
    has_slept: bool,
    is_stale: bool,
    /// At which minute of the night to look again, though nothing happens.
    look_at: Option<i32>,
    anticipated: Vec<Anticipated>,
    raised: u16,
    /// What follows from the nights, worked out when it is first needed; never kept.
    #[serde(skip)]
    outlook: Option<Outlook>,
}

/// A wish that something was done about tonight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Anticipated {
    id: RequestId,
    item: Item,
    minute: i32,
    tier: Tier,
    /// Central took it on: it is no longer taken back because time passes.
    is_taken: bool,
}

/// What the room looks like to whoever anticipates.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// Now.
    pub now: Moment,
    /// The wall clock.
    pub calendar: &'a Calendar,
    /// The room.
    pub room: &'a RoomId,
    /// Whose wishes.
    pub stay: &'a Stay,
    /// What is known of the guest.
    pub guest: Option<&'a Guest>,
    /// Whether the guest sleeps.
    pub is_asleep: bool,
    /// Why nothing may be offered now, if so.
    pub barred: Option<&'static str>,
}

/// What is to be done about an expected wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Raise it, or tell it anew.
    Raise(RequestId, Foreseen, Tier),
    /// Take it back.
    Withdraw(RequestId, &'static str),
}

impl Routine {
    /// What is known of the guest has changed: look again at the next opportunity.
    pub fn replan(&mut self) {
        self.is_stale = true;
    }

    /// The guest asked for a thing, or it was brought. Whatever was anticipated of it is over.
    pub fn asked(&mut self, calendar: &Calendar, stay: &Stay, at: Moment, item: &Item) {
        let (day, minute) = place(calendar, stay, at);
        if self.day.is_none_or(|tonight| tonight == day) {
            let is_known = self.tonight.seen.asked.iter().any(|(asked, _)| asked == item);
            if !is_known {
                self.tonight.asked(item, minute);
            }
        } else if let Some((_, night)) = self.nights.iter_mut().find(|(known, _)| *known == day) {
            let is_known = night.asked.iter().any(|(asked, _)| asked == item);
            night.asked.extend((!is_known).then(|| (item.clone(), minute)));
        }
        self.is_stale = true;
    }

    /// The guest does not want what was anticipated.
    pub fn declined(&mut self, id: &RequestId) {
        if let Some(place) = self.anticipated.iter().position(|a| a.id == *id) {
            let declined = self.anticipated.remove(place);
            self.tonight.declined(&declined.item);
            self.is_stale = true;
        }
    }

    /// Central took on what was anticipated.
    pub fn taken(&mut self, id: &RequestId) {
        let taken = self.anticipated.iter_mut().find(|a| a.id == *id);
        taken.into_iter().for_each(|anticipated| anticipated.is_taken = true);
    }

    /// When there is something to do: a wish comes near or is over, or a new night begins.
    pub fn deadline(&self, policy: &Habits, calendar: &Calendar, now: Moment) -> Option<Moment> {
        let day = self.day?;
        let before = whole_minutes(policy.before);
        let wishes = self
            .tonight
            .standing()
            .iter()
            .flat_map(|f| [f.minute - STAGE_BEFORE_MIN, f.minute - before, f.minute + NEAR_MIN + 1]);
        let next_night = std::iter::once(1440 + NOON_MIN);
        wishes
            .chain(next_night)
            .chain(self.look_at)
            .map(|minute| calendar.at(day, minute))
            .filter(|at| *at > now)
            .min()
    }

    /// Lets the night go on; returns what is to be done now.
    pub fn advance(&mut self, policy: &Habits, look: Look<'_>) -> Vec<Act> {
        let (day, minute) = place(look.calendar, look.stay, look.now);
        self.turn_night(look, day);
        self.watch_sleep(look.is_asleep, minute);
        if !policy.enabled {
            return Vec::new();
        }
        self.tonight.take_past(minute - NEAR_MIN - 1);
        self.look_ahead(policy, look.guest, minute);
        let mut acts = self.take_back(look, minute);
        acts.extend(self.anticipate(policy, look, day, minute));
        acts
    }

    /// Looks at what is expected, when something happened or the time for it has come.
    fn look_ahead(&mut self, policy: &Habits, guest: Option<&Guest>, minute: i32) {
        let is_news = std::mem::take(&mut self.is_stale);
        if !is_news && self.look_at.is_none_or(|at| minute < at) {
            return;
        }
        let known = self.outlook.take().filter(|_| !is_news);
        let outlook = known.unwrap_or_else(|| self.learner(guest).outlook(usize::from(policy.hits_min)));
        if is_news {
            self.tonight.reconsider(&outlook, minute);
        } else {
            self.tonight.look_again(&outlook, minute);
        }
        self.look_at = self.tonight.next_look(&outlook, minute);
        self.outlook = Some(outlook);
    }

    /// The guest goes to another room: what was anticipated in this one is taken back with its requests.
    pub fn leave_room(&mut self) {
        self.anticipated.clear();
        (self.asleep_since, self.is_stale) = (None, true);
    }

    /// What this stay showed, night by night, for the guest's next.
    pub fn evenings(self) -> Vec<Evening> {
        let tonight = self.day.map(|_| self.tonight.seen);
        let nights = self.nights.into_iter().map(|(_, night)| night);
        nights.chain(tonight).map(evening).collect()
    }

    /// At noon the night is over and the next begins.
    fn turn_night(&mut self, look: Look<'_>, day: i32) {
        if self.day == Some(day) {
            return;
        }
        let check_in = look.stay.checked_in_at.map(|at| place(look.calendar, look.stay, at));
        let begins_stay = self.day.is_none();
        let over = std::mem::replace(
            &mut self.tonight,
            Tonight::begin(Night {
                begins_stay,
                check_in: check_in.filter(|(came, _)| *came == day).map(|(_, minute)| minute),
                ..Night::default()
            }),
        );
        if let Some(before) = self.day.replace(day) {
            self.nights.push((before, over.seen));
            // Nights that nobody saw, because the gateway was away, say nothing and are not counted.
            self.asleep_since = self.asleep_since.map(|since| since - (day - before) * 1440);
        } else {
            // What was asked for before the night was opened belongs to it.
            over.seen
                .asked
                .iter()
                .for_each(|(item, minute)| _ = self.tonight.asked(item, *minute));
        }
        if self.nights.len() > NIGHTS_MAX {
            self.nights.remove(0);
        }
        (self.has_slept, self.is_stale, self.look_at) = (false, true, None);
    }

    /// Going to bed and waking, from lying down and getting up.
    fn watch_sleep(&mut self, is_asleep: bool, minute: i32) {
        match (is_asleep, self.asleep_since) {
            (true, None) => {
                self.asleep_since = Some(minute);
                if !self.has_slept && (BED_FROM_MIN..WAKE_FROM_MIN).contains(&minute) {
                    self.tonight.to_bed(minute);
                } else {
                    self.tonight.sleeps_on();
                }
                self.is_stale = true;
            }
            (false, Some(since)) => {
                self.asleep_since = None;
                self.has_slept |= minute - since >= SLEPT_MIN;
                if minute >= WAKE_FROM_MIN {
                    self.tonight.woke(minute);
                    self.is_stale = true;
                }
            }
            _ => {}
        }
    }

    /// Takes back what is no longer to be anticipated.
    fn take_back(&mut self, look: Look<'_>, minute: i32) -> Vec<Act> {
        let (mut acts, mut kept) = (Vec::new(), Vec::new());
        for anticipated in std::mem::take(&mut self.anticipated) {
            match self.why_not(&anticipated, look, minute) {
                Some(rule) => {
                    self.tonight.settle(&anticipated.item);
                    acts.push(Act::Withdraw(anticipated.id, rule));
                }
                None => kept.push(anticipated),
            }
        }
        self.anticipated = kept;
        acts
    }

    fn why_not(&self, anticipated: &Anticipated, look: Look<'_>, minute: i32) -> Option<&'static str> {
        let asked = &self.tonight.seen.asked;
        if asked.iter().any(|(item, _)| *item == anticipated.item) {
            return Some("asked-for-already");
        }
        if anticipated.is_taken {
            return None;
        }
        let is_expected = self.tonight.standing().iter().any(|f| f.item == anticipated.item);
        match look.barred {
            Some(rule) => Some(rule),
            None if minute > anticipated.minute + NEAR_MIN => Some("not-wanted-in-time"),
            None if !is_expected => Some("no-longer-expected"),
            None => None,
        }
    }

    /// Stages, offers or brings what is expected soon.
    fn anticipate(&mut self, policy: &Habits, look: Look<'_>, day: i32, minute: i32) -> Vec<Act> {
        if look.barred.is_some() {
            return Vec::new();
        }
        let soon: Vec<(Foreseen, Tier)> = self
            .tonight
            .standing()
            .iter()
            .filter_map(|foreseen| Some((foreseen.clone(), tier_now(policy, foreseen, minute)?)))
            .collect();
        soon.into_iter()
            .filter_map(|(foreseen, tier)| {
                let id = self.take_up(policy, look, day, &foreseen, tier)?;
                Some(Act::Raise(id, foreseen, tier))
            })
            .collect()
    }

    /// Notes how far a wish is anticipated; returns its request when that is news.
    fn take_up(
        &mut self,
        policy: &Habits,
        look: Look<'_>,
        day: i32,
        foreseen: &Foreseen,
        tier: Tier,
    ) -> Option<RequestId> {
        let minute = foreseen.minute;
        if let Some(known) = self.anticipated.iter_mut().find(|a| a.item == foreseen.item) {
            let is_news = !known.is_taken && (known.tier, known.minute) != (tier, minute);
            (known.tier, known.minute) = if is_news {
                (tier, minute)
            } else {
                (known.tier, known.minute)
            };
            return is_news.then(|| known.id.clone());
        }
        if self.raised >= policy.per_stay_max {
            return None;
        }
        let evening = look.calendar.date(look.calendar.at(day, NOON_MIN));
        let id = format!("{}.{}.routine-{}.{evening}", look.room, look.stay.token, foreseen.item);
        let id = RequestId::new(id).ok()?;
        self.raised += 1;
        self.anticipated.push(Anticipated {
            id: id.clone(),
            item: foreseen.item.clone(),
            minute,
            tier,
            is_taken: false,
        });
        Some(id)
    }

    /// Everything the guest is known from: earlier stays, then this stay's finished nights.
    fn learner(&self, guest: Option<&Guest>) -> Learner {
        let mut learner = Learner::default();
        let earlier = guest.map(|g| g.stays()).unwrap_or_default();
        earlier
            .into_iter()
            .flat_map(nights_of)
            .for_each(|night| learner.learn(night));
        self.nights.iter().for_each(|(_, night)| learner.learn(night.clone()));
        learner
    }
}

/// The request for one expected wish.
pub fn draft<'a>(
    look: Look<'a>,
    day: i32,
    id: RequestId,
    foreseen: &Foreseen,
    tier: Tier,
    policy: &Habits,
) -> Draft<'a> {
    let usual_at = look.calendar.at(day, foreseen.minute);
    let because = Because::rule("wanted-on-other-nights")
        .with("item", &foreseen.item)
        .with("usual_at", usual_at)
        .with("anchor", foreseen.anchor.word())
        .with("tier", tier.word())
        .with("hits", foreseen.hits)
        .with("nights", foreseen.nights)
        .with("score", foreseen.score());
    Draft {
        id,
        need: Need::Routine,
        room: look.room,
        stay: Some(&look.stay.token),
        items: vec![foreseen.item.clone()],
        not_before: Some(usual_at - policy.before),
        deadline: Some(usual_at),
        basis: Basis::Habit,
        confidence: foreseen.score(),
        hints: look
            .guest
            .iter()
            .flat_map(|g| &g.must_have)
            .map(|item| format!("must-have:{item}"))
            .collect(),
        because,
    }
}

/// How far a wish may go at this minute, if anything is to be done yet.
fn tier_now(policy: &Habits, foreseen: &Foreseen, minute: i32) -> Option<Tier> {
    let most = foreseen.tier().filter(|_| foreseen.score() >= policy.score_min)?;
    match foreseen.minute - minute {
        wait if wait <= whole_minutes(policy.before) => Some(most),
        wait if wait <= STAGE_BEFORE_MIN => Some(Tier::Stage),
        _ => None,
    }
}

/// How far a request goes by itself.
pub const fn state(tier: Tier) -> RequestState {
    match tier {
        Tier::Stage => RequestState::Staged,
        Tier::Offer => RequestState::Offered,
        Tier::Deliver => RequestState::Raised,
    }
}

/// The night that a moment of a stay belongs to, by the day of its evening, and the minute of it.
pub fn place(calendar: &Calendar, stay: &Stay, at: Moment) -> (i32, i32) {
    let (today, minute) = (calendar.day(at), calendar.minute(at));
    let is_morning = |minute: u16| minute >= MORNING_FROM_MIN && i32::from(minute) < NOON_MIN;
    let came_this_morning = stay
        .checked_in_at
        .is_some_and(|came| calendar.day(came) == today && is_morning(calendar.minute(came)) && came <= at);
    let day = if came_this_morning || i32::from(minute) >= NOON_MIN {
        today
    } else {
        today - 1
    };
    (day, (today - day) * 1440 + i32::from(minute))
}

/// Spreads an earlier stay out into nights. One that only tells wishes and their minutes tells them in order; nights without
/// any count as nights.
fn nights_of(stay: &PriorSummary) -> Vec<Night> {
    let mut nights: Vec<Night> = if stay.evenings.is_empty() {
        told_in_order(stay)
    } else {
        stay.evenings.iter().map(night).collect()
    };
    nights.iter_mut().take(1).for_each(|first| first.begins_stay = true);
    nights
}

fn told_in_order(stay: &PriorSummary) -> Vec<Night> {
    let mut nights = vec![Night::default(); usize::from(stay.nights).min(NIGHTS_MAX)];
    for (item, minute) in &stay.habits {
        let is_free = |night: &Night| !night.asked.iter().any(|(asked, _)| asked == item);
        let place = nights.iter().position(is_free).unwrap_or(nights.len());
        if place == nights.len() {
            nights.push(Night::default());
        }
        let minute = i32::from(*minute);
        let minute = if minute < NOON_MIN { minute + 1440 } else { minute };
        nights[place].asked.push((item.clone(), minute));
    }
    nights
}

fn night(evening: &Evening) -> Night {
    Night {
        begins_stay: false,
        check_in: evening.check_in.map(i32::from),
        bed: evening.bed.map(i32::from),
        wake: evening.wake.map(i32::from),
        asked: evening
            .asked
            .iter()
            .map(|(item, at)| (item.clone(), i32::from(*at)))
            .collect(),
        declined: evening.declined.clone(),
    }
}

fn evening(night: Night) -> Evening {
    let minute = |minute: i32| u16::try_from(minute).ok();
    Evening {
        check_in: night.check_in.and_then(minute),
        bed: night.bed.and_then(minute),
        wake: night.wake.and_then(minute),
        asked: night
            .asked
            .into_iter()
            .filter_map(|(item, at)| Some((item, minute(at)?)))
            .collect(),
        declined: night.declined,
    }
}

fn whole_minutes(span: Span) -> i32 {
    i32::try_from(span.as_millis() / 60_000)
        .unwrap_or(STAGE_BEFORE_MIN)
        .max(0)
}
