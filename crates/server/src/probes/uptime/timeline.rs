//! What the runs of one agent say of each second.

use super::{Seconds, Segment, push};
use crate::probes::board::RunState;

/// So many intervals the next run is waited for, as a fraction: 2.5.
pub(crate) const PATIENCE: (i64, i64) = (5, 2);
/// Runs from which the pace at which a probe really ran is learnt.
const STRETCH: usize = 64;
/// Of fewer gaps nothing is learnt.
const FEW: usize = 8;

/// The runs of a bucket, most often one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Runs {
    /// When the first one began, milliseconds.
    pub(crate) first: i64,
    /// When the last one began.
    pub(crate) last: i64,
    pub(crate) up: u64,
    pub(crate) degraded: u64,
    pub(crate) down: u64,
    pub(crate) unknown: u64,
    /// Whether the first one failed.
    pub(crate) starts_down: bool,
    /// Whether the last one failed.
    pub(crate) ends_down: bool,
}

impl Runs {
    const fn count(&self) -> u64 {
        self.up + self.degraded + self.down + self.unknown
    }

    /// The states in the order in which they are taken to have come, each with its runs.
    const fn blocks(&self) -> [(RunState, u64); 7] {
        let head = match (self.starts_down, self.ends_down) {
            (true, true) => self.down.div_ceil(2),
            (true, false) => self.down,
            _ => 0,
        };
        let tail = if self.ends_down { self.down - head } else { 0 };
        let up = if self.starts_down && !self.ends_down { 0 } else { self.up.div_ceil(2) };
        [
            (RunState::Down, head),
            (RunState::Up, up),
            (RunState::Degraded, self.degraded),
            (RunState::Unknown, self.unknown),
            (RunState::Down, self.down - head - tail),
            (RunState::Up, self.up - up),
            (RunState::Down, tail),
        ]
    }
}

/// The states of a span without gaps. `runs` are sorted by time; `interval` is that of the probe as it is now, milliseconds.
pub(crate) fn segments(runs: &[Runs], interval: i64, (from, to): Seconds) -> Vec<Segment> {
    let mut line = Line { segments: Vec::new(), from, to };
    let paces = paces(runs, interval.max(1));
    let mut known = i64::MIN;
    for (place, run) in runs.iter().enumerate() {
        let pace = paces.get(place / STRETCH).copied().unwrap_or(interval);
        let run = Runs { first: run.first.max(known), last: run.last.max(known), ..*run };
        let last = line.group(&run, pace);
        let next = runs.get(place + 1).map_or(to.saturating_mul(1000), |next| next.first.max(run.last));
        let holds = if is_patient(next - run.last, pace) { next } else { run.last.saturating_add(pace).min(next) };
        line.push(run.last, holds, last);
        known = run.last;
    }
    line.finish()
}

const fn is_patient(wait: i64, pace: i64) -> bool {
    wait.saturating_mul(PATIENCE.1) <= pace.saturating_mul(PATIENCE.0)
}

struct Line {
    segments: Vec<Segment>,
    from: i64,
    to: i64,
}

impl Line {
    /// The time from the first to the last run of a bucket; gives the state of the last one.
    fn group(&mut self, runs: &Runs, pace: i64) -> RunState {
        let (count, length) = (i64::try_from(runs.count()).unwrap_or(i64::MAX), runs.last - runs.first);
        // As between two runs: one that is missing is none, of more the time without them is unknown.
        let usual = count.saturating_sub(1).saturating_mul(pace);
        let missing = if is_patient(length - usual + pace, pace) { 0 } else { length - usual };
        let (mut done, mut at, mut last, mut shift) = (0, runs.first, RunState::Unknown, 0);
        for (state, n) in runs.blocks() {
            if state == RunState::Unknown {
                shift = missing;
            }
            done += n;
            let share = i128::from(length - missing) * i128::from(done) / i128::from(count.max(1));
            let end = runs.first + i64::try_from(share).unwrap_or(0) + shift;
            self.push(at, end, state);
            at = end;
            last = if n > 0 { state } else { last };
        }
        last
    }

    fn push(&mut self, from: i64, to: i64, state: RunState) {
        let (from, to) = (from.div_euclid(1000).max(self.from), to.div_euclid(1000).min(self.to));
        // Whatever lies before is not known.
        let end = self.segments.last().map_or(self.from, |last| last.to);
        if to > from.max(end) {
            push(&mut self.segments, Segment { from: end, to: from.max(end), state: RunState::Unknown });
            push(&mut self.segments, Segment { from: from.max(end), to, state });
        }
    }

    fn finish(mut self) -> Vec<Segment> {
        let end = self.segments.last().map_or(self.from, |last| last.to);
        push(&mut self.segments, Segment { from: end, to: self.to, state: RunState::Unknown });
        self.segments
    }
}

/// The pace of each stretch of runs: the interval, or a longer one that a quarter of them kept. A probe whose interval was shortened ran
/// more slowly before, and was not away.
fn paces(runs: &[Runs], interval: i64) -> Vec<i64> {
    let stretches = runs.chunks(STRETCH);
    let pace = |stretch: &[Runs]| {
        let mut gaps: Vec<i64> = stretch.windows(2).filter_map(gap).collect();
        gaps.extend(stretch.iter().filter_map(spacing));
        if gaps.len() < FEW {
            return interval;
        }
        gaps.sort_unstable();
        gaps.get(gaps.len() / 4).copied().unwrap_or(interval).max(interval)
    };
    stretches.map(pace).collect()
}

fn gap(pair: &[Runs]) -> Option<i64> {
    let [before, after] = pair else { return None };
    Some(after.first - before.last)
}

fn spacing(runs: &Runs) -> Option<i64> {
    let steps = i64::try_from(runs.count()).ok()?.checked_sub(1).filter(|n| *n > 0)?;
    Some((runs.last - runs.first) / steps)
}
