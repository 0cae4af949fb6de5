//! The one place where the clock is read.
//!
//! Why: whoever takes the time as a value can be tested without waiting, and replayed from a capture file. Everything else is
//! handed a [`Timestamp`] (wall clock, for people and for records) or a [`Duration`] (monotonic, for intervals and timeouts).
//!
//! Limits: the wall clock can be set; [`StepDetector`] notices that. The monotonic clock counts through suspend
//! (`CLOCK_BOOTTIME` on Linux), so that a laptop that slept shows a gap and not a step.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::Timestamp;

#[cfg_attr(unix, path = "clock/unix.rs")]
#[cfg_attr(windows, path = "clock/windows.rs")]
mod system;

/// A difference between wall and monotonic clock above this is a step; the kernel's slewing stays below 500 ppm.
pub const STEP_THRESHOLD: Duration = Duration::from_secs(2);

/// The wall clock, now.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_nanos(system::realtime())
}

/// Time since the machine started (on Windows: since this was first asked), including suspend. Never goes back; not set by anyone.
#[must_use]
pub fn monotonic() -> Duration {
    system::since_start()
}

/// Processor time that all threads of this process have used; zero on Windows.
#[must_use]
pub fn process_cpu() -> Duration {
    system::process_cpu()
}

/// Where the time comes from: the system, or a test.
pub trait ClockSource: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// A clock for intervals: never goes back.
    fn monotonic(&self) -> Duration;
    /// Both, as close together as they can be read.
    fn reading(&self) -> Reading {
        Reading { wall: self.now(), monotonic: self.monotonic() }
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl ClockSource for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn monotonic(&self) -> Duration {
        monotonic()
    }
}

/// A clock that moves only when told to. Clones share one time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Reading>>);

impl ManualClock {
    /// Stands at `wall`, monotonic zero.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Reading { wall, monotonic: Duration::ZERO })))
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        self.change(|r| *r = Reading { wall: r.wall + by, monotonic: r.monotonic + by });
    }

    /// Sets the wall clock as an administrator would: the monotonic clock does not notice.
    pub fn set_wall(&self, wall: Timestamp) {
        self.change(|r| r.wall = wall);
    }

    fn change(&self, f: impl FnOnce(&mut Reading)) {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ClockSource for ManualClock {
    fn now(&self) -> Timestamp {
        self.reading().wall
    }

    fn monotonic(&self) -> Duration {
        self.reading().monotonic
    }

    fn reading(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The wall clock.
    pub wall: Timestamp,
    /// The monotonic clock.
    pub monotonic: Duration,
}

/// Notices that somebody set the wall clock. Feed it a reading at every tick.
///
/// It compares each reading with the one before, never with an old one: the drift that slewing makes over hours is no step.
#[derive(Clone, Debug, Default)]
pub struct StepDetector {
    last: Option<Reading>,
}

impl StepDetector {
    /// The step since the last reading, if there was one of more than [`STEP_THRESHOLD`].
    pub fn observe(&mut self, reading: Reading) -> Option<ClockStep> {
        let last = self.last.replace(reading)?;
        let passed = i128::try_from(reading.monotonic.saturating_sub(last.monotonic).as_nanos()).unwrap_or(i128::MAX);
        let wall = i128::from(reading.wall.nanos()) - i128::from(last.wall.nanos());
        let off = wall.saturating_sub(passed);
        let by = Duration::from_nanos(u64::try_from(off.unsigned_abs()).unwrap_or(u64::MAX));
        (by > STEP_THRESHOLD).then_some(ClockStep { time: reading.wall, by, forward: off > 0 })
    }
}

/// The wall clock was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockStep {
    /// The wall clock after the step.
    pub time: Timestamp,
    /// How far.
    pub by: Duration,
    /// Into the future, or back.
    pub forward: bool,
}

impl fmt::Display for ClockStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.forward { "forward" } else { "back" };
        write!(f, "the wall clock was set {way} by {:.3} s", self.by.as_secs_f64())
    }
}

#[cfg(test)]
mod tests;
