//! How is a silence of a few milliseconds kept to within a tenth of one?
//!
//! The runtime's timers tick once a millisecond and round up: at 9600 baud that alone would cost 2 % of the line. A
//! serial bus has a thread of its own, so its last stretch may be slept by the thread.

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The stretch the thread sleeps itself: two ticks of the runtime's timer, so that its rounding never overshoots.
const FINE: Duration = Duration::from_millis(2);

/// Waits until a moment; to within the kernel's precision when `is_own_thread`, else to the next timer tick.
pub(super) async fn until(at: Instant, is_own_thread: bool) {
    if !is_own_thread {
        return sleep_until(at).await;
    }
    if at.saturating_duration_since(Instant::now()) > 2 * FINE {
        sleep_until(at - FINE).await;
    }
    let rest = at.saturating_duration_since(Instant::now());
    if !rest.is_zero() {
        std::thread::sleep(rest);
    }
}
