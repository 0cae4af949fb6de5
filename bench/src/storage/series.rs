//! Noisy series: no two steps alike, the same in every run.

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Label, Metric, Record, Sample, Series, Timestamp, Untrusted, Value,
};

use super::STEP;

/// Largest growth of a counter in a step, as a power of two.
const GROWTH: u64 = 20;

/// All series, and their newest samples.
pub(super) struct Noisy {
    seed: u64,
    begin: Timestamp,
    /// The time of the newest samples.
    pub(super) time: Timestamp,
    series: Vec<Arc<Series>>,
    /// Counters, and gauges in thousandths.
    values: Vec<i64>,
    sequence: u64,
}

impl Noisy {
    pub(super) fn new(series: u32, begin: Timestamp) -> Self {
        let begin = Timestamp::from_secs(begin.secs());
        let mut noisy = Self {
            seed: 0x9e37_79b9_7f4a_7c15,
            begin,
            time: begin,
            series: (0..series).map(|n| Arc::new(identity(n))).collect(),
            values: Vec::new(),
            sequence: 0,
        };
        noisy.values = (0..series).map(|_| (noisy.random() % 1_000_000) as i64).collect();
        noisy
    }

    /// Goes on to a step.
    pub(super) fn step(&mut self, step: u32) {
        self.time = self.begin + Duration::from_secs(u64::from(step) * u64::from(STEP));
        self.sequence += 1;
        for at in 0..self.values.len() {
            let (width, noise) = (self.random() % GROWTH, self.random());
            if let Some(value) = self.values.get_mut(at) {
                // Counters sometimes stand still and sometimes leap; gauges wander by up to one.
                *value += if at % 2 == 0 { (noise % (1 << width)) as i64 } else { (noise % 2001) as i64 - 1000 };
            }
        }
    }

    /// The newest samples as a batch of an agent.
    pub(super) fn batch(&self) -> Batch {
        let sample = |(at, series): (usize, &Arc<Series>)| {
            Record::Sample(Sample { series: Arc::clone(series), time: self.time, value: self.value(at) })
        };
        let key = BatchKey { agent: AgentId(1), boot: BootId(1), sequence: self.sequence };
        Batch { key, records: self.series.iter().enumerate().map(sample).collect() }
    }

    /// Each series with its newest number.
    pub(super) fn samples(&self) -> impl Iterator<Item = (&Series, f64)> {
        self.series.iter().enumerate().map(|(at, series)| (&**series, self.value(at).as_f64()))
    }

    fn value(&self, at: usize) -> Value {
        let value = self.values.get(at).copied().unwrap_or(0);
        if at.is_multiple_of(2) { Value::Integer(value.unsigned_abs()) } else { Value::Float(value as f64 / 1000.0) }
    }

    fn random(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed >> 11
    }
}

/// A name and three labels; counters and gauges in turn.
fn identity(n: u32) -> Series {
    let name = if n.is_multiple_of(2) { "device_interface_octets_total" } else { "device_temperature_celsius" };
    let label = |name: &str, value: String| Label::Other(name.into(), Untrusted::new(&value));
    let labels = vec![
        Label::Name(name.into()),
        label("host", format!("host-{}.example.com", n / 50)),
        label("interface", format!("eth{}", n / 2 % 25)),
        label("job", "bench".to_owned()),
    ];
    Series { metric: Metric::External, labels }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn counters_grow_and_gauges_have_three_decimals() {
        let mut noisy = Noisy::new(100, Timestamp::from_secs(1_700_000_000));
        let mut before: Vec<f64> = noisy.samples().map(|(_, value)| value).collect();
        let mut grown = 0.0;
        for step in 0..50 {
            noisy.step(step);
            for (at, ((_, value), before)) in noisy.samples().zip(&mut before).enumerate() {
                if at % 2 == 0 {
                    assert!(value >= *before);
                    grown += value - *before;
                } else {
                    assert!(((value * 1000.0).round() - value * 1000.0).abs() < 1e-6);
                }
                *before = value;
            }
        }
        assert!(grown > 0.0);
        let identities: HashSet<&Series> = noisy.samples().map(|(series, _)| series).collect();
        assert_eq!(identities.len(), 100);
    }
}
