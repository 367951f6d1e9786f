//! What does this room claim of the plant, and how is its unit held to its share?

use super::{Outcome, Room, World};
use crate::engine::climate::{Phase, is_sold};
use crate::engine::power::{Allotment, Claim, Kind};
use crate::model::{Ability, Because, DeviceSetup, FanMode, Percent, Point, Purpose, SaveWhen, Span, Value};

/// A fan on its middle stage moves about so much of the full heat, %; on its lowest, so much.
const FAN_MEDIUM: u8 = 85;
/// See above.
const FAN_LOW: u8 = 65;

impl Room {
    /// What the room claims; none when it has no unit that can be told.
    pub fn claim(&self, world: World<'_>) -> Option<Claim> {
        world.setup.actuator(Point::TargetTemperature)?;
        let view = self.view(world);
        let kind = match &self.climate.phase {
            Phase::Living | Phase::Held { .. } => Kind::Guest,
            Phase::Resting if view.is_occupied => Kind::Guest,
            Phase::Preparing { .. } => Kind::Recovering,
            Phase::Away { .. } => Kind::Out,
            Phase::Resting if is_sold(view.due, world.now) => Kind::Sold,
            Phase::Resting => Kind::Unsold,
        };
        Some(Claim {
            kind,
            size: world.setup.in_usual_rooms(),
            takes: self.thermal.output(),
            can_be_held: holder(world).is_some(),
            due: self.climate.due(),
            has: self.power,
        })
    }

    /// Takes what the room is given.
    pub fn allot(&mut self, world: World<'_>, share: Allotment, limit: f64, slack: Span, out: &mut Outcome) {
        let before = std::mem::replace(&mut self.power, share);
        out.save(SaveWhen::Soon);
        if before.gives_way != share.gives_way {
            let because = match share.gives_way {
                Some(how) => Because::rule("gives-way-to-the-plant")
                    .with("how", how.word())
                    .with("limit_rooms", (limit * 10.0).round() / 10.0)
                    .with("slack_min", slack.as_minutes_f64().round()),
                None => Because::rule("plant-suffices-again"),
            };
            out.note(world, because);
        }
        self.settle(world, out);
    }

    /// Holds the unit to its share while the room is made ready, and lets it go afterwards.
    pub(super) fn hold_output(&mut self, world: World<'_>, out: &mut Outcome) {
        let is_preparing = matches!(self.climate.phase, Phase::Preparing { .. });
        let share = if is_preparing { self.power.output_max } else { 100 };
        let Some((device, ability)) = holder(world).filter(|_| share < 100 || self.is_held) else {
            return;
        };
        self.is_held = share < 100;
        let because = Because::rule("held-to-a-share-of-the-plant").with("output_max", share);
        let value = if ability.point == Point::FanMode {
            Value::Fan(fan(share))
        } else {
            Value::Share(Percent::from_hundredths(i32::from(share) * 100))
        };
        self.want(world, device, ability.point, value, Purpose::Prepare, because, out);
    }
}

/// By what the room's unit can be held to a share: its own limit, else its fan.
fn holder(world: World<'_>) -> Option<(&DeviceSetup, &Ability)> {
    let has_stages = |(_, ability): &(&DeviceSetup, &Ability)| {
        let has = |mode: FanMode| ability.words.iter().any(|word| word == mode.word());
        has(FanMode::Low) && has(FanMode::Medium) && has(FanMode::Auto)
    };
    world
        .setup
        .actuator(Point::OutputLimit)
        .or_else(|| world.setup.actuator(Point::FanMode).filter(has_stages))
}

fn fan(share: u8) -> FanMode {
    match share {
        0..=FAN_LOW => FanMode::Low,
        share if share <= FAN_MEDIUM => FanMode::Medium,
        _ => FanMode::Auto,
    }
}
