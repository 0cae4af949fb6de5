//! The clocks of Windows.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

/// Nanoseconds since 1970, UTC.
#[expect(clippy::disallowed_methods, reason = "the clock is read here")]
pub(super) fn realtime() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Time since this was first asked, including suspend (the performance counter goes on).
#[expect(clippy::disallowed_methods, reason = "the clock is read here")]
pub(super) fn since_start() -> Duration {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST.elapsed()
}

/// Processor time of all threads; not asked for here.
pub(super) const fn process_cpu() -> Duration {
    Duration::ZERO
}
