//! Delays over time by size: what the heatmap, the smoke and the percentiles of a probe are drawn from.
//!
//! Pure. Each run gives the quantiles of its packets' delays where its kind has them, else one delay. Bins have the same ratio
//! everywhere, because delays of a path differ by factors.
//!
//! Limits: [`MOST_BINS`] bins; when the delays span more they become wider.

use netwatch_api::probe::HeatStep;
use netwatch_model::probe::ProbeResult;
use netwatch_model::probe::delay::quantile;

use super::board::{RunState, run_of};

/// Bins of a heatmap.
pub(crate) const MOST_BINS: usize = 64;
/// Bins of a factor of ten, the finest first.
const PER_DECADE: [f64; 5] = [24.0, 12.0, 6.0, 3.0, 1.0];
/// Shorter delays are taken as this long: a clock ticks no finer.
const SHORTEST: f64 = 1e-7;
/// The quantiles of a step.
pub(crate) const QUANTILES: [f64; 12] = [0.0, 0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 0.99, 1.0];

/// Delays and loss of one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    delays: Vec<f64>,
    loss: f64,
    runs: u32,
}

impl Step {
    /// Adds a run; says whether it had delays of packets. One that says nothing about the target is none.
    pub(crate) fn add(&mut self, result: &ProbeResult) -> bool {
        let run = run_of(result);
        if run.state == RunState::Unknown {
            return false;
        }
        let failed = if run.state == RunState::Down { 1.0 } else { 0.0 };
        self.count(run.loss.unwrap_or(failed), 1);
        let packets = result.detail.as_ref().and_then(|detail| detail.delays()).filter(|of| !of.spread.is_empty());
        match (packets, run.time) {
            (Some(packets), _) => self.delays.extend(packets.spread.iter().copied().map(longer)),
            (None, Some(time)) => self.delays.push(longer(time)),
            (None, None) => {}
        }
        packets.is_some()
    }

    /// Adds a delay.
    pub(crate) fn delay(&mut self, seconds: f64) {
        self.delays.push(longer(seconds));
    }

    /// Adds the loss of some runs, 0 to 1.
    pub(crate) fn count(&mut self, loss: f64, runs: u32) {
        self.loss += loss * f64::from(runs);
        self.runs = self.runs.saturating_add(runs);
    }
}

/// The bounds of the bins, and the steps.
pub(crate) fn map(steps: Vec<Step>) -> (Vec<f64>, Vec<HeatStep>) {
    let all = || steps.iter().flat_map(|step| step.delays.iter().copied());
    let (Some(least), Some(greatest)) = (all().reduce(f64::min), all().reduce(f64::max)) else {
        return (Vec::new(), steps.into_iter().map(|step| shown(step, None)).collect());
    };
    let scale = Scale::of(least, greatest);
    let shown = steps.into_iter().map(|step| shown(step, Some(&scale)));
    (scale.bounds(), shown.collect())
}

fn shown(mut step: Step, scale: Option<&Scale>) -> HeatStep {
    let loss = (step.runs > 0).then(|| (step.loss / f64::from(step.runs)).clamp(0.0, 1.0));
    let Some(scale) = scale.filter(|_| !step.delays.is_empty()) else {
        return HeatStep { runs: step.runs, loss, ..HeatStep::default() };
    };
    let mut counts = vec![0_u32; scale.bins];
    for delay in &step.delays {
        if let Some(count) = counts.get_mut(scale.bin(*delay)) {
            *count += 1;
        }
    }
    step.delays.sort_by(f64::total_cmp);
    let delays = QUANTILES.into_iter().map(|share| quantile(&step.delays, share)).collect();
    HeatStep { runs: step.runs, loss, counts, delays }
}

fn longer(seconds: f64) -> f64 {
    if seconds.is_finite() { seconds.max(SHORTEST) } else { SHORTEST }
}

/// Bins of one ratio.
struct Scale {
    per_decade: f64,
    /// Number of the first bin.
    first: f64,
    bins: usize,
}

impl Scale {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "delays are some decades apart")]
    fn of(least: f64, greatest: f64) -> Self {
        let with = |per_decade: f64| {
            let place = |delay: f64| (delay.log10() * per_decade).floor();
            let first = place(least);
            Self { per_decade, first, bins: (place(greatest) - first) as usize + 1 }
        };
        let mut scales = PER_DECADE.into_iter().map(with);
        scales.find(|scale| scale.bins <= MOST_BINS).unwrap_or_else(|| with(1.0))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never below the first bin")]
    fn bin(&self, delay: f64) -> usize {
        ((delay.log10() * self.per_decade).floor() - self.first).max(0.0) as usize
    }

    #[expect(clippy::cast_precision_loss, reason = "few bins")]
    fn bounds(&self) -> Vec<f64> {
        (0..=self.bins).map(|n| 10_f64.powf((self.first + n as f64) / self.per_decade)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(delays: &[f64]) -> Step {
        let mut step = Step::default();
        delays.iter().for_each(|delay| step.delay(*delay));
        step.count(0.25, 4);
        step
    }

    #[test]
    fn each_step_has_its_delays_and_its_loss() {
        let (bounds, steps) = map(vec![step(&[0.010, 0.011, 0.012]), Step::default(), step(&[])]);
        assert_eq!(steps[0].counts.iter().sum::<u32>(), 3);
        assert_eq!((steps[0].delays.len(), steps[0].delays[5]), (12, 0.011));
        assert!(bounds[0] <= 0.010 && *bounds.last().unwrap() > 0.012, "{bounds:?}");
        assert_eq!((steps[1].loss, steps[2].loss, steps[2].runs), (None, Some(0.25), 4));
        assert_eq!(map(vec![Step::default()]).0, Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn every_delay_lies_in_a_bin_of_its_size(delays in prop::collection::vec(0.0_f64..1e4, 1..200)) {
            let (bounds, steps) = map(vec![step(&delays)]);
            prop_assert!(bounds.len() <= MOST_BINS + 1);
            prop_assert!(bounds.is_sorted());
            prop_assert_eq!(steps[0].counts.iter().sum::<u32>() as usize, delays.len());
            prop_assert!(steps[0].delays.is_sorted());
            let (first, last) = (bounds[0], *bounds.last().unwrap());
            prop_assert!(delays.iter().all(|d| *d * 1.000_001 >= first.min(SHORTEST) && *d <= last * 1.000_001));
        }
    }
}
