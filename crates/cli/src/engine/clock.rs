//! The time by which the data of a capture file is asked for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use netwatch_model::{Record, Timestamp};
use netwatch_telemetry::clock::{self, ClockSource};

/// Stands at the newest packet that was told of; until then at the wall clock.
#[derive(Debug, Default)]
pub struct PacketClock(AtomicI64);

impl PacketClock {
    /// Moves on with these records.
    pub fn see(&self, records: &[Record]) {
        let newest = records.iter().map(|r| match r {
            Record::Sample(s) => s.time,
            Record::Flow(f) => f.end,
            // Events and probes tell of us, not of the packets.
            Record::Event(_) | Record::Probe(_) => Timestamp::ZERO,
        });
        if let Some(time) = newest.max() {
            self.0.fetch_max(time.nanos(), Ordering::Relaxed);
        }
    }
}

impl ClockSource for PacketClock {
    fn now(&self) -> Timestamp {
        match self.0.load(Ordering::Relaxed) {
            0 => clock::now(),
            nanos => Timestamp::from_nanos(nanos),
        }
    }

    fn monotonic(&self) -> Duration {
        clock::monotonic()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use netwatch_model::{Metric, Sample, Series, Value};

    use super::*;

    #[test]
    fn it_follows_the_packets_and_never_goes_back() {
        let clock = PacketClock::default();
        let before = clock.now();
        assert!(before > Timestamp::from_secs(1_700_000_000), "wall time before the first packet");
        let series = Arc::new(Series { metric: Metric::FlowsActive, labels: Vec::new() });
        let at = |s| {
            Record::Sample(Sample {
                series: Arc::clone(&series),
                time: Timestamp::from_secs(s),
                value: Value::Integer(1),
            })
        };
        clock.see(&[at(5), at(9), at(7)]);
        clock.see(&[at(6)]);
        clock.see(&[]);
        assert_eq!(clock.now(), Timestamp::from_secs(9));
    }
}
