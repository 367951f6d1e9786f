//! What time is it? The only file that asks.
//!
//! The daemon lives by the wall clock. The demo lets a hotel day pass in a minute: the same code then lives by a clock
//! that started at a chosen moment and runs faster, as fast as the story goes just now. Pauses (back-off, pacing,
//! time-outs) are the runtime's and stay real.
//!
//! Fast time waits for the simulated hotel: it runs on only while the hotel keeps it going ([`keep_pace`]), so that a busy
//! machine makes the story slower and never wrong.

use crate::model::{Moment, Span};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Fast time stands still when nobody has kept it going for so long.
const STANDS_AFTER: Duration = Duration::from_millis(50);

struct Fast {
    kept_at: Instant,
    from: Moment,
    factor: f64,
}

impl Fast {
    fn now(&self) -> Moment {
        let passed = self.kept_at.elapsed().min(STANDS_AFTER).as_secs_f64() * self.factor * 1000.0;
        self.from + Span::millis(passed as i64)
    }
}

static FAST: RwLock<Option<Fast>> = RwLock::new(None);

/// Lets this process live from a chosen moment on, so many times faster than real. Once, before anything else.
pub fn run_fast(from: Moment, factor: f64) {
    let mut fast = FAST.write().unwrap_or_else(PoisonError::into_inner);
    fast.get_or_insert(Fast {
        kept_at: Instant::now(),
        from,
        factor: factor.max(1.0),
    });
}

/// Keeps fast time going, from now on so many times faster than real. Without [`run_fast`] before it does nothing.
pub fn keep_pace(factor: f64) {
    if let Some(fast) = FAST.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
        *fast = Fast {
            from: fast.now(),
            kept_at: Instant::now(),
            factor: factor.max(1.0),
        };
    }
}

/// Now.
pub fn now() -> Moment {
    match FAST.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
        Some(fast) => fast.now(),
        None => wall(),
    }
}

/// How long, in real time, until a moment; nothing when it has passed.
pub fn real_time_until(at: Moment) -> Duration {
    at.since(now()).to_std().div_f64(factor())
}

/// How many times faster than real time this process lives.
pub fn factor() -> f64 {
    FAST.read()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .map_or(1.0, |fast| fast.factor)
}

fn wall() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
