//! How does an attribute that is a figure vary, within a guest and between guests?
//!
//! All constants of the fold are those of the room temperature, on which they were measured. Another attribute has its
//! own spreads; its thresholds and the doubt of its evidence are the temperature's, stretched by the ratio of the
//! spreads within a guest. Those figures are assumed, not measured, and say so here.

use crate::model::Attribute;

/// How a figure varies; in the attribute's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// From stay to stay of one guest, standard deviation.
    pub within_sd: f64,
    /// Between guests, standard deviation.
    pub between_sd: f64,
    /// So far off, and it may be another like.
    pub change: f64,
    /// So near, and it is as the guest would have it: the answer's probability is of that.
    pub reach: f64,
    /// How many units a degree of the room temperature corresponds to.
    pub stretch: f64,
    /// What guests like of whom nothing is known, until the property has learnt its own.
    pub usual: f64,
}

const TEMPERATURE: Scale = Scale {
    within_sd: 0.65,
    between_sd: 1.5,
    change: 1.0,
    reach: 1.0,
    stretch: 1.0,
    usual: 22.0,
};

/// 8 % from stay to stay and 20 % between guests: assumed.
const FIRMNESS: Scale = Scale {
    within_sd: 8.0,
    between_sd: 20.0,
    change: 15.0,
    reach: 10.0,
    stretch: 8.0 / 0.65,
    usual: 50.0,
};

/// 39 min from stay to stay and 90 min between guests: assumed.
const TIME: Scale = Scale {
    within_sd: 39.0,
    between_sd: 90.0,
    change: 60.0,
    reach: 30.0,
    stretch: 60.0,
    usual: 660.0,
};

/// Returns how an attribute varies; none for one of choices.
pub const fn scale(attribute: Attribute) -> Option<Scale> {
    Some(match attribute {
        Attribute::ArrivalTemperature | Attribute::TargetTemperature => TEMPERATURE,
        Attribute::AsleepTemperature => Scale {
            usual: 20.0,
            ..TEMPERATURE
        },
        Attribute::Firmness | Attribute::AsleepFirmness => FIRMNESS,
        Attribute::Bedtime | Attribute::QuietFrom => TIME,
        Attribute::WakeTime => Scale { usual: 1170.0, ..TIME },
        Attribute::QuietUntil => Scale { usual: 1260.0, ..TIME },
        Attribute::Fan | Attribute::Curtain | Attribute::Pillow => return None,
    })
}
