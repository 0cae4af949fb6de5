//! How much a counter grew.

use netwatch_model::{Sample, Timestamp};

/// The newest value of a counter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    last: u64,
    time: Option<Timestamp>,
}

impl Counter {
    /// What the sample adds. The first one adds its whole value: counters begin at zero with the run of the agent.
    pub(super) fn grown(&mut self, sample: &Sample) -> u64 {
        let value = sample.value.as_u64();
        let late = self.time.is_some_and(|t| sample.time <= t);
        let grown = match value.checked_sub(self.last) {
            Some(grown) => grown,
            None if late => return 0,
            None => value,
        };
        self.last = value;
        self.time = self.time.max(Some(sample.time));
        grown
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use netwatch_model::{Metric, Series, Value};
    use proptest::prelude::*;

    use super::*;

    fn sample(millis: i64, value: u64) -> Sample {
        let series = Arc::new(Series { metric: Metric::FlowsStarted, labels: Vec::new() });
        Sample { series, time: Timestamp::from_millis(millis), value: Value::Integer(value) }
    }

    #[test]
    fn a_smaller_value_is_a_new_beginning_and_a_late_one_says_nothing() {
        let mut c = Counter::default();
        assert_eq!(c.grown(&sample(1000, 100)), 100);
        assert_eq!(c.grown(&sample(1250, 130)), 30);
        assert_eq!(c.grown(&sample(1000, 100)), 0);
        assert_eq!(c.grown(&sample(1500, 20)), 20);
    }

    proptest! {
        #[test]
        fn repeated_and_reordered_samples_add_nothing(steps in prop::collection::vec(0u64..1000, 1..50), seed in any::<u64>()) {
            let mut sum = 0;
            let mut all: Vec<Sample> = Vec::new();
            for (i, step) in steps.iter().enumerate() {
                sum += step;
                all.push(sample(250 * (i as i64 + 1), sum));
            }
            let last = all.last().cloned();
            // Neighbours swapped, some repeated; the newest is there.
            for i in 1..all.len() {
                if seed >> (i % 64) & 1 == 1 {
                    all.swap(i - 1, i);
                }
            }
            all.extend(all.clone());
            all.extend(last);
            let mut c = Counter::default();
            prop_assert_eq!(all.iter().map(|s| c.grown(s)).sum::<u64>(), sum);
        }
    }
}
