//! When a probe is run faster for a while: its last run was lossy, slow or failed.
//!
//! [`RUNS`] runs follow at a tenth of the interval, with one trace to the target; then nothing more until [`COOLDOWN`] has passed. Slow
//! is more than twice the usual round-trip time, which is a moving average over good runs.

use std::time::Duration;

use netwatch_model::probe::{ProbeMetric, ProbeResult, Trigger};

/// Runs of a burst.
pub const RUNS: u32 = 5;
/// From the begin of one burst to the next.
pub const COOLDOWN: Duration = Duration::from_secs(300);
/// Loss from which on a run is lossy.
pub const LOSSY: f64 = 0.05;
/// So many times the usual is slow.
const SLOW: f64 = 2.0;
/// What is never slow, seconds: below it the difference is that of waiting for a processor.
const QUICK: f64 = 0.002;
/// Share of a new run in the average.
const SHARE: f64 = 0.1;
/// Good runs before anything is slow.
const WARM_UP: u32 = 5;
/// Runs of a burst are this many times closer together, but no closer than the kind allows.
const FASTER: u32 = 10;

/// How a probe was lately.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Burst {
    usual: f64,
    good: u32,
    left: u32,
    begun: Option<Duration>,
}

impl Burst {
    /// How soon the next run follows, and why it takes place; counts it.
    pub(super) fn step(&mut self, interval: Duration, least: Duration) -> (Duration, Trigger) {
        let step = self.peek(interval, least);
        self.left = self.left.saturating_sub(1);
        step
    }

    /// The same without counting.
    pub(super) fn peek(&self, interval: Duration, least: Duration) -> (Duration, Trigger) {
        if self.left == 0 {
            return (interval, Trigger::Schedule);
        }
        ((interval / FASTER).max(least).min(interval), Trigger::Burst)
    }

    /// Whether no run of a burst is left.
    pub(super) const fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Whether a burst begins with this result.
    pub(super) fn judge(&mut self, result: &ProbeResult, now: Duration) -> bool {
        if result.failure.as_ref().is_some_and(|failure| failure.reason.is_unknown()) {
            return false;
        }
        let measures = result.measures();
        let of = |metric| measures.iter().find(|m| m.metric == metric).map(|m| m.value);
        let rtt =
            of(ProbeMetric::RttMedian).or_else(|| of(ProbeMetric::Connect)).or_else(|| of(ProbeMetric::HttpFirstByte));
        let is_slow = rtt.is_some_and(|rtt| self.good >= WARM_UP && rtt > QUICK && rtt > SLOW * self.usual);
        let is_bad = !result.is_success() || of(ProbeMetric::Loss).is_some_and(|loss| loss > LOSSY) || is_slow;
        if !is_bad {
            if let Some(rtt) = rtt {
                let share = if self.good == 0 { 1.0 } else { SHARE };
                self.usual += (rtt - self.usual) * share;
                self.good = self.good.saturating_add(1);
            }
            return false;
        }
        if self.begun.is_some_and(|begun| now.saturating_sub(begun) < COOLDOWN) {
            return false;
        }
        (self.begun, self.left) = (Some(now), RUNS);
        true
    }
}
