//! The clocks of Linux, and of macOS by its own names.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// The clock that counts through suspend: on Linux that is not `CLOCK_MONOTONIC`.
#[cfg(target_os = "linux")]
const SINCE_START: ClockId = ClockId::Boottime;
/// On macOS it is.
#[cfg(not(target_os = "linux"))]
const SINCE_START: ClockId = ClockId::Monotonic;

/// Nanoseconds since 1970, UTC.
pub(super) fn realtime() -> i64 {
    let t = clock_gettime(ClockId::Realtime);
    t.tv_sec.saturating_mul(1_000_000_000).saturating_add(t.tv_nsec)
}

/// Time since the machine started, including suspend.
pub(super) fn since_start() -> Duration {
    duration(clock_gettime(SINCE_START))
}

/// Processor time of all threads.
pub(super) fn process_cpu() -> Duration {
    duration(clock_gettime(ClockId::ProcessCPUTime))
}

fn duration(t: Timespec) -> Duration {
    Duration::new(u64::try_from(t.tv_sec).unwrap_or(0), u32::try_from(t.tv_nsec).unwrap_or(0))
}
