//! What capture says of itself: frames received and dropped and the fill of the rings, for each interface, at each tick.
//!
//! Readers count in [`Counters`], which outlives every ring; a [`Meter`] turns them into samples and events. Drops are an event
//! when they begin: after ten seconds without any, the next ones are an event again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use netwatch_model::{Event, EventKind, Label, Metric, Record, Sample, Series, Severity, Untrusted, Value};
use netwatch_telemetry::clock::Reading;

use crate::ring::RingStatistics;

/// Counters of one interface, over all workers and all rings that it has had.
#[derive(Debug, Default)]
pub(super) struct Counters {
    received: AtomicU64,
    dropped: AtomicU64,
    /// Largest fill since it was last taken, in thousandths.
    fill: AtomicU32,
    /// A ring is bound to nothing any more.
    lost: AtomicBool,
}

impl Counters {
    pub(super) fn add(&self, statistics: RingStatistics) {
        self.received.fetch_add(statistics.received, Ordering::Relaxed);
        self.dropped.fetch_add(statistics.dropped, Ordering::Relaxed);
    }

    /// Takes note of a ring's fill, 0 to 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000; float casts saturate")]
    pub(super) fn note_fill(&self, fill: f64) {
        self.fill.fetch_max((fill * 1000.0) as u32, Ordering::Relaxed);
    }

    pub(super) fn note_lost(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Whether a ring was lost since this was last asked.
    pub(super) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }
}

/// Says one interface's numbers.
#[derive(Debug)]
pub(super) struct Meter {
    name: Untrusted,
    series: [Arc<Series>; 3],
    last: [Option<u64>; 3],
    last_drop: Option<Duration>,
}

/// So long without drops, and the next ones are an event.
const QUIET: Duration = Duration::from_secs(10);

impl Meter {
    pub(super) fn new(name: &Untrusted) -> Self {
        let series = |metric| Arc::new(Series { metric, labels: vec![Label::Interface(name.clone())] });
        Self {
            name: name.clone(),
            series: [Metric::KernelDrops, Metric::RingFill, Metric::FramesReceived].map(series),
            // A ring that was never open is no ring that is empty.
            last: [None, Some(0), None],
            last_drop: None,
        }
    }

    /// Samples of what has changed, of the ring's fill always while it `captures`, and the event when drops begin.
    ///
    /// The fill is said even when it is the same: history takes it as the sign that capture ran, whether or not there was traffic.
    pub(super) fn tick(&mut self, now: Reading, counters: &Counters, captures: bool, out: &mut Vec<Record>) {
        let dropped = counters.dropped.load(Ordering::Relaxed);
        let fill = counters.fill.swap(0, Ordering::Relaxed);
        let received = counters.received.load(Ordering::Relaxed);
        let lost = dropped.saturating_sub(self.last[0].unwrap_or(0));
        if lost > 0 {
            if self.last_drop.is_none_or(|at| now.monotonic.saturating_sub(at) > QUIET) {
                out.push(Record::Event(self.drops_began(now, lost)));
            }
            self.last_drop = Some(now.monotonic);
        }
        let values = [
            (dropped, Value::Integer(dropped)),
            (u64::from(fill), Value::Float(f64::from(fill) / 1000.0)),
            (received, Value::Integer(received)),
        ];
        for ((series, last), (raw, value)) in self.series.iter().zip(&mut self.last).zip(values) {
            if last.replace(raw) != Some(raw) || (captures && series.metric == Metric::RingFill) {
                out.push(Record::Sample(Sample { series: Arc::clone(series), time: now.wall, value }));
            }
        }
    }

    fn drops_began(&self, now: Reading, lost: u64) -> Event {
        let text = format!(
            "{}: the kernel dropped {lost} frames because the ring was full; counts are too low from now on until this ends",
            self.name
        );
        Event {
            time: now.wall,
            kind: EventKind::FramesDropped,
            severity: Severity::Warning,
            subject: self.name.clone(),
            text: Untrusted::new(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netwatch_model::Timestamp;

    /// From this second on no ring is open in these tests.
    const CLOSED: u64 = 8;

    fn tick(meter: &mut Meter, counters: &Counters, seconds: u64) -> (Vec<(Metric, f64)>, usize) {
        let now = Reading { wall: Timestamp::from_secs(9), monotonic: Duration::from_secs(seconds) };
        let mut out = Vec::new();
        meter.tick(now, counters, seconds < CLOSED, &mut out);
        let sample =
            |r: &Record| if let Record::Sample(s) = r { Some((s.series.metric, s.value.as_f64())) } else { None };
        (out.iter().filter_map(sample).collect(), out.iter().filter(|r| matches!(r, Record::Event(_))).count())
    }

    #[test]
    fn only_changes_are_said_and_always_that_capture_runs() {
        let (counters, mut meter) = (Counters::default(), Meter::new(&Untrusted::new("a")));
        assert_eq!(tick(&mut meter, &counters, 0).0.len(), 3, "the first time everything");
        counters.add(RingStatistics { received: 5, ..RingStatistics::default() });
        counters.note_fill(0.25);
        counters.note_fill(0.125);
        assert_eq!(tick(&mut meter, &counters, 1).0, [(Metric::RingFill, 0.25), (Metric::FramesReceived, 5.0)]);
        assert_eq!(tick(&mut meter, &counters, 2).0, [(Metric::RingFill, 0.0)], "the largest since the last tick");
        assert_eq!(tick(&mut meter, &counters, 3), (vec![(Metric::RingFill, 0.0)], 0));
        assert_eq!(tick(&mut meter, &counters, CLOSED), (vec![], 0), "no ring any more");
        let mut refused = Meter::new(&Untrusted::new("b"));
        let first = tick(&mut refused, &Counters::default(), CLOSED).0;
        assert_eq!(first, [(Metric::KernelDrops, 0.0), (Metric::FramesReceived, 0.0)], "and never one");
    }

    #[test]
    fn drops_are_an_event_when_they_begin() {
        let (counters, mut meter) = (Counters::default(), Meter::new(&Untrusted::new("a")));
        let mut drop_at = |seconds| {
            counters.add(RingStatistics { dropped: 1, ..RingStatistics::default() });
            tick(&mut meter, &counters, seconds).1
        };
        assert_eq!([drop_at(1), drop_at(2), drop_at(12), drop_at(23)], [1, 0, 0, 1]);
    }
}
