//! What has the guest shown in this stay?
//!
//! Every act on a setting is kept until the stay is folded into the guest's memory. A dial that is being turned passes
//! through values nobody wants: an act counts when it has stood for a while. What the guest sets while asleep, or just
//! before falling asleep, is a like of its own.

use super::calendar::Calendar;
use super::preference::Answer;
use super::stay::Stay;
use crate::model::{
    Attribute, Because, Celsius, Choice, Doubt, Evening, FanMode, Item, Moment, Percent, Point, PreferenceReport,
    PriorSummary, PropertyId, Question, RoomId, Said, SaidKind, Settled, Span, StayEvidence, Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A setting that stood for so long is meant.
const SETTLES_AFTER: Span = Span::minutes(5);
/// The minute after local midnight at which a night's settings are noted: guests sleep, housekeeping is not in yet.
const NIGHT_COUNTED_AT_MIN: u16 = 4 * 60;
/// A summary tells no more wishes than these.
const WISHES_MAX: usize = 64;
/// Nights kept of one stay.
const NIGHTS_MAX: usize = 60;
/// What the guest sets so soon after coming in tells what the room should be like on arrival.
const ARRIVING: Span = Span::hours(1);
/// What is set so shortly before falling asleep is meant for the night.
const BEFORE_SLEEP: Span = Span::minutes(30);
/// Whoever leaves the bed for less than this is still in the night.
const UP_FOR: Span = Span::minutes(20);
/// A sleep shorter than this is a nap and tells nothing of bedtimes.
const NIGHT_MIN: Span = Span::hours(3);
/// A sign against disturbance that hangs for so long marks the quiet hours.
const QUIET_MIN: Span = Span::hours(4);
/// The minute after local midnight from which times of day are counted: no usual bedtime lies near it.
const NOON_MIN: u16 = 12 * 60;

/// What one stay has shown so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    hands: BTreeMap<Attribute, Hand>,
    settles_at: BTreeMap<Attribute, Moment>,
    night_ends_at: Option<Moment>,
    /// Said in this stay: wishes in words, and confirmations.
    wished: BTreeMap<Attribute, Said>,
    confirmed: BTreeMap<Attribute, Said>,
    sleep: Option<Sleep>,
    /// Since when nobody is to disturb.
    quiet_since: Option<Moment>,
}

/// One sleep, until the guest has been up for a while.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Sleep {
    since: Moment,
    up_since: Option<Moment>,
}

/// What one attribute showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Hand {
    /// The guest's last choice, and the one before it.
    choice: Option<Said>,
    before: Option<Said>,
    set_at: Option<Moment>,
    /// How many acts by hand.
    acts: u16,
    /// What was in force at each night's end.
    nights: Vec<Said>,
    /// Reports already made of it.
    revision: u32,
}

impl Evidence {
    /// The guest set something by hand.
    pub fn act(&mut self, now: Moment, stay: &Stay, point: Point, value: &Value) {
        let Some((attribute, said)) = attribute(point, value, self.sleep.is_some()) else {
            return;
        };
        self.set(now, attribute, said);
        let is_arriving = arriving_until(stay).is_some_and(|until| now <= until);
        if attribute == Attribute::TargetTemperature && is_arriving {
            self.set(now, Attribute::ArrivalTemperature, said);
        }
    }

    fn set(&mut self, now: Moment, attribute: Attribute, said: Said) {
        let is_one_act = self.settles_at.insert(attribute, now + SETTLES_AFTER).is_some();
        let hand = self.hands.entry(attribute).or_default();
        if !is_one_act {
            hand.acts = hand.acts.saturating_add(1);
            hand.before = hand.choice;
        }
        (hand.choice, hand.set_at) = (Some(said), Some(now));
    }

    /// The guest says in words what is wanted. The later of two counts.
    pub fn say(&mut self, attribute: Attribute, said: Said) {
        if attribute.takes(said) {
            self.wished.insert(attribute, said);
        }
    }

    /// The guest confirms it when asked. The later of two counts.
    pub fn confirm(&mut self, attribute: Attribute, said: Said) {
        if attribute.takes(said) {
            self.confirmed.insert(attribute, said);
        }
    }

    /// The guest goes to another room: what hung on this one's door and bed is over.
    pub fn leave_room(&mut self) {
        (self.sleep, self.quiet_since) = (None, None);
    }

    /// Whether the guest has said anything of it in words in this stay.
    pub fn is_said(&self, attribute: Attribute) -> bool {
        self.wished.contains_key(&attribute) || self.confirmed.contains_key(&attribute)
    }

    /// Whether the guest sleeps, or is up for a moment in the night.
    pub fn is_night(&self) -> bool {
        self.sleep.is_some()
    }

    /// Follows the guest's sleep.
    pub fn sleeps(&mut self, calendar: &Calendar, now: Moment, is_asleep: bool) {
        match (&mut self.sleep, is_asleep) {
            (None, true) => {
                self.sleep = Some(Sleep {
                    since: now,
                    up_since: None,
                });
                self.fell_asleep(now);
            }
            (Some(sleep), true) => sleep.up_since = None,
            (Some(sleep), false) => {
                let up_since = *sleep.up_since.get_or_insert(now);
                if now.since(up_since) >= UP_FOR {
                    self.got_up(calendar, up_since);
                }
            }
            (None, false) => {}
        }
    }

    fn got_up(&mut self, calendar: &Calendar, at: Moment) {
        let Some(sleep) = self.sleep.take().filter(|sleep| at.since(sleep.since) >= NIGHT_MIN) else {
            return;
        };
        self.time(calendar, Attribute::Bedtime, sleep.since);
        self.time(calendar, Attribute::WakeTime, at);
    }

    /// The sign against disturbance is hung out or taken in.
    pub fn quiet(&mut self, calendar: &Calendar, now: Moment, on: bool) {
        if on {
            self.quiet_since.get_or_insert(now);
        } else if let Some(since) = self.quiet_since.take().filter(|since| now.since(*since) >= QUIET_MIN) {
            self.time(calendar, Attribute::QuietFrom, since);
            self.time(calendar, Attribute::QuietUntil, now);
        }
    }

    /// Notes a time of day.
    fn time(&mut self, calendar: &Calendar, attribute: Attribute, at: Moment) {
        let since_noon = (calendar.minute(at) + 1440 - NOON_MIN) % 1440;
        let nights = &mut self.hands.entry(attribute).or_default().nights;
        if nights.len() < NIGHTS_MAX {
            nights.push(Said::hundredths(i32::from(since_noon) * 100));
        }
    }

    /// All that was shown so far is erased; the numbers of reports made of it go on.
    pub fn erase(&mut self) {
        for hand in self.hands.values_mut() {
            *hand = Hand {
                revision: hand.revision,
                ..Hand::default()
            };
        }
        self.settles_at.clear();
        self.wished.clear();
        self.confirmed.clear();
    }

    /// What was set just before falling asleep is meant for the night.
    fn fell_asleep(&mut self, now: Moment) {
        for (awake, asleep) in [
            (Attribute::TargetTemperature, Attribute::AsleepTemperature),
            (Attribute::Firmness, Attribute::AsleepFirmness),
        ] {
            let Some(hand) = self.hands.get_mut(&awake) else {
                continue;
            };
            let is_just_set = hand.set_at.is_some_and(|at| now.since(at) <= BEFORE_SLEEP);
            let Some(choice) = hand.choice.filter(|_| is_just_set) else {
                continue;
            };
            (hand.choice, hand.before, hand.set_at) = (hand.before, None, None);
            hand.acts = hand.acts.saturating_sub(1);
            self.settles_at.remove(&awake);
            self.set(now, asleep, choice);
        }
    }

    /// What was shown of one attribute, with what the booking said of it.
    pub fn of(&self, attribute: Attribute, stay: &Stay) -> StayEvidence {
        let hand = self.hands.get(&attribute);
        let device = hand.and_then(|hand| {
            Some(Settled {
                settled: hand.settled()?,
                nights: u16::try_from(hand.nights.len()).unwrap_or(u16::MAX).max(1),
                acts: hand.acts,
            })
        });
        StayEvidence {
            device,
            explicit: self.wished.get(&attribute).copied(),
            confirmed: self.confirmed.get(&attribute).copied(),
            booking: declared(attribute, stay),
            ..StayEvidence::none(attribute)
        }
    }

    /// Takes off and returns the attributes that have stood long enough to be told of.
    pub fn take_settled(&mut self, now: Moment) -> Vec<Attribute> {
        let settled: Vec<Attribute> = self
            .settles_at
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(attribute, _)| *attribute)
            .collect();
        settled.iter().for_each(|attribute| {
            self.settles_at.remove(attribute);
        });
        settled
    }

    /// Towards morning the night is counted: what stands now is what the guest sleeps with.
    pub fn end_night(&mut self, calendar: &Calendar, now: Moment) {
        if self.night_ends_at.is_some_and(|at| at <= now) {
            for hand in self.hands.values_mut().filter(|hand| hand.nights.len() < NIGHTS_MAX) {
                // Choices are noted at the night's end, times of day as they come.
                hand.nights.extend(hand.choice);
            }
            self.night_ends_at = None;
        }
        if self.night_ends_at.is_none() {
            self.night_ends_at = Some(calendar.next_at_minute(now, NIGHT_COUNTED_AT_MIN));
        }
    }

    /// When something settles, or the night ends.
    pub fn deadline(&self) -> Option<Moment> {
        let up = self.sleep.and_then(|sleep| sleep.up_since).map(|at| at + UP_FOR);
        self.settles_at
            .values()
            .copied()
            .chain(self.night_ends_at)
            .chain(up)
            .min()
    }

    /// Tells what is preferred now.
    pub fn report(&mut self, room: &RoomId, stay: &Stay, answer: &Answer, is_final: bool) -> Option<PreferenceReport> {
        let hand = self.hands.get(&answer.attribute)?;
        let confirmed = self.confirmed.get(&answer.attribute);
        let rule = if confirmed.is_some() && hand.acts == 0 {
            "guest-confirmed"
        } else {
            "guest-set-by-hand"
        };
        let because = Because::rule(rule)
            .with_some("choice", hand.choice.map(Said::scalar))
            .with_some("confirmed", confirmed.copied().map(Said::scalar))
            .with("acts", hand.acts)
            .with("earlier_stays", answer.stays)
            .with_some("booking_said", declared(answer.attribute, stay).map(Said::scalar));
        Some(self.tell(room, stay, answer, None, is_final, because))
    }

    /// Tells what is believed, and that the guest is to be asked.
    pub fn question(&mut self, room: &RoomId, stay: &Stay, answer: &Answer, why: Doubt) -> PreferenceReport {
        let unit = match answer.attribute.kind() {
            SaidKind::Figure(unit) => Some(unit.to_owned()),
            SaidKind::Choice(_) => None,
        };
        let because = Because::rule("is-it-as-last-time")
            .with("why", why.word())
            .with("earlier_stays", answer.stays);
        let mut report = self.tell(room, stay, answer, Some(Question { why, unit }), false, because);
        report.value = as_people_say(answer.attribute, answer.value).scalar();
        report
    }

    /// Tells that nothing was heard of a like for so long that it is to be asked about before it is applied.
    pub fn sleeping(&mut self, room: &RoomId, stay: &Stay, answer: &Answer) -> PreferenceReport {
        let because = Because::rule("like-is-dormant")
            .with("attribute", answer.attribute)
            .with("earlier_stays", answer.stays);
        self.tell(room, stay, answer, None, false, because)
    }

    fn tell(
        &mut self,
        room: &RoomId,
        stay: &Stay,
        answer: &Answer,
        confirm: Option<Question>,
        is_final: bool,
        because: Because,
    ) -> PreferenceReport {
        let hand = self.hands.entry(answer.attribute).or_default();
        hand.revision += 1;
        PreferenceReport {
            stay: stay.token.clone(),
            guest: stay.guest.clone(),
            room: room.clone(),
            attribute: answer.attribute,
            value: answer.value.scalar(),
            sd: (answer.sd.unwrap_or_default() * 1000.0).round() / 1000.0,
            within_one: (answer.within * 1000.0).round() / 1000.0,
            tags: answer.told_tags().map(str::to_owned).collect(),
            confirm,
            declared: declared(answer.attribute, stay).map(Said::scalar),
            acts: hand.acts,
            nights: u16::try_from(hand.nights.len()).unwrap_or(u16::MAX),
            is_final,
            revision: hand.revision,
            because,
        }
    }

    /// The attributes that anything was shown of.
    pub fn attributes(&self) -> Vec<Attribute> {
        let is_told = |at: &Attribute, hand: &Hand| hand.settled().is_some() || self.confirmed.contains_key(at);
        let shown = self.hands.iter().filter(|(attribute, hand)| is_told(attribute, hand));
        shown.map(|(attribute, _)| *attribute).collect()
    }

    /// What the whole stay showed; none when it showed nothing. `left_alone` are the set-points that were kept for the guest
    /// and never touched.
    pub fn summary(
        &self,
        property: &PropertyId,
        stay: &Stay,
        (day, nights): (i32, u16),
        left_alone: &[(Attribute, Celsius)],
        evenings: Vec<Evening>,
    ) -> Option<PriorSummary> {
        let mut evidence: Vec<StayEvidence> = Attribute::ALL
            .iter()
            .map(|attribute| self.of(*attribute, stay))
            .collect();
        for of in evidence.iter_mut().filter(|of| of.device.is_none() && nights > 0) {
            let kept = left_alone.iter().find(|(attribute, _)| *attribute == of.attribute);
            of.accepted = kept.map(|(_, t)| Said::hundredths(t.hundredths()));
        }
        let is_shown = |of: &StayEvidence| of.said().count() > usize::from(of.booking.is_some());
        let is_anything = evidence.iter().any(is_shown) || !evenings.is_empty();
        is_anything.then(|| PriorSummary {
            property: property.clone(),
            stay: stay.token.clone(),
            version: 1,
            day,
            temperature: None,
            firmness: None,
            nights: nights.max(1),
            acts: self.hands.values().map(|hand| hand.acts).fold(0, u16::saturating_add),
            habits: wishes(&evenings),
            evenings,
            evidence: evidence.into_iter().filter(|e| !e.is_empty()).collect(),
        })
    }
}

impl Hand {
    /// The settled value: the median over the nights and the choice that stands now; of choices, the one most often in force.
    fn settled(&self) -> Option<Said> {
        let mut values: Vec<Said> = self.nights.iter().copied().chain(self.choice).collect();
        values.sort_unstable();
        let median = *values.get(values.len() / 2)?;
        if median.figure().is_some() {
            return Some(median);
        }
        let often = |said: &Said| values.iter().filter(|other| *other == said).count();
        values
            .iter()
            .copied()
            .max_by_key(|said| (often(said), Some(*said) == self.choice))
    }
}

/// A figure as people say it: in half degrees, and else in fives.
fn as_people_say(attribute: Attribute, said: Said) -> Said {
    let step = match attribute.kind() {
        SaidKind::Figure("C") => 50,
        _ => 500,
    };
    let round = |figure: i32| Said::hundredths((figure + step / 2).div_euclid(step) * step);
    said.figure().map_or(said, |figure| round(figure.hundredths()))
}

/// Until when the guest is coming in; none before that.
pub fn arriving_until(stay: &Stay) -> Option<Moment> {
    stay.arrived_at.map(|at| at + ARRIVING)
}

/// What the booking said of an attribute.
pub fn declared(attribute: Attribute, stay: &Stay) -> Option<Said> {
    match attribute {
        Attribute::TargetTemperature => stay.declared.temperature.map(|t| Said::hundredths(t.hundredths())),
        Attribute::Firmness => stay.declared.firmness.map(|f| Said::hundredths(f.hundredths())),
        _ => None,
    }
}

/// Which like a setting shows.
fn attribute(point: Point, value: &Value, is_asleep: bool) -> Option<(Attribute, Said)> {
    let either = |awake, asleep| if is_asleep { asleep } else { awake };
    Some(match (point, value) {
        (Point::TargetTemperature, Value::Temperature(t)) => (
            either(Attribute::TargetTemperature, Attribute::AsleepTemperature),
            Said::hundredths(t.hundredths()),
        ),
        (Point::Firmness, Value::Share(p)) => (
            either(Attribute::Firmness, Attribute::AsleepFirmness),
            Said::hundredths(p.hundredths()),
        ),
        (Point::FanMode, Value::Fan(mode)) => (Attribute::Fan, Said::Choice(fan(*mode)?)),
        (Point::CoverPosition, Value::Share(open)) => (Attribute::Curtain, Said::Choice(curtain(*open))),
        _ => return None,
    })
}

/// Makers number their stages otherwise; a like that is to hold elsewhere is one of five.
fn fan(mode: FanMode) -> Option<Choice> {
    Some(match mode {
        FanMode::Off => Choice::Off,
        FanMode::Auto => Choice::Auto,
        FanMode::Quiet | FanMode::Low | FanMode::Speed1 | FanMode::Speed2 => Choice::Low,
        FanMode::Medium | FanMode::Speed3 => Choice::Medium,
        FanMode::High | FanMode::Turbo | FanMode::Speed4 | FanMode::Speed5 | FanMode::Speed6 => Choice::High,
        FanMode::On => return None,
    })
}

/// Within a tenth of its end it is closed, or open.
fn curtain(open: Percent) -> Choice {
    match open.hundredths() {
        ..=1000 => Choice::Closed,
        9000.. => Choice::Open,
        _ => Choice::Half,
    }
}

/// The wishes alone, each with its minute after midnight, for those who know no evenings.
fn wishes(evenings: &[Evening]) -> Vec<(Item, u16)> {
    let asked = evenings.iter().flat_map(|evening| &evening.asked);
    asked
        .map(|(item, minute)| (item.clone(), minute % 1440))
        .take(WISHES_MAX)
        .collect()
}

/// The value of so many hundredths of a point's unit.
pub fn in_unit(point: Point, hundredths: i32) -> Option<Value> {
    Value::from_number(f64::from(hundredths) / 100.0, point.kind().unit())
}
