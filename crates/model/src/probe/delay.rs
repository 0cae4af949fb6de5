//! What a set of delays has in common, and how sure a share is.
//!
//! Delays are seconds. Quantiles are by nearest rank, so that each is a delay that was measured. Deviation divides by n − 1. Jitter is
//! the interarrival jitter of RFC 3550 over the order of arrival; delay variation is that of RFC 5481 (delay less the smallest delay).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many quantiles [`Delays::spread`] holds: 0, 5, 10 … 100 per cent.
pub const SPREAD: usize = 21;

/// A summary of delays. Seconds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ProbeDelays)]
pub struct Delays {
    /// How many delays these are the figures of.
    pub count: u32,
    /// The shortest.
    pub min: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The middle one, nearest rank.
    pub median: f64,
    /// 95 of 100 are not longer, nearest rank.
    pub p95: f64,
    /// The longest.
    pub max: f64,
    /// Standard deviation of a sample (n − 1); 0 for one delay.
    pub deviation: f64,
    /// Interarrival jitter (RFC 3550, 6.4.1) after the last arrival.
    pub jitter: f64,
    /// Packet delay variation (RFC 5481): 50 of 100 delays exceed the shortest by at most this.
    pub pdv_p50: f64,
    /// The same for 95 of 100.
    pub pdv_p95: f64,
    /// The same for 999 of 1000.
    pub pdv_p999: f64,
    /// Quantiles from 0 to 100 per cent in steps of 5, for smoke charts; empty when there is no delay.
    #[schema(max_items = 21)]
    pub spread: Vec<f64>,
}

impl Delays {
    /// Of delays in the order of arrival; `None` of none. Delays that are not finite are left out.
    #[must_use]
    pub fn of(arrivals: &[f64]) -> Option<Self> {
        let arrivals: Vec<f64> = arrivals.iter().copied().filter(|delay| delay.is_finite()).collect();
        let mut sorted = arrivals.clone();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (mean, deviation) = moments(&arrivals);
        let at = |share| quantile(&sorted, share);
        Some(Self {
            count: u32::try_from(sorted.len()).unwrap_or(u32::MAX),
            min,
            mean,
            median: at(0.5),
            p95: at(0.95),
            max,
            deviation,
            jitter: jitter(&arrivals),
            pdv_p50: at(0.5) - min,
            pdv_p95: at(0.95) - min,
            pdv_p999: at(0.999) - min,
            spread: (0..SPREAD).map(|step| at(step as f64 / (SPREAD - 1) as f64)).collect(),
        })
    }
}

/// Interarrival jitter (RFC 3550, 6.4.1; A.8) of transit times in the order of arrival: J += (|D| − J) / 16.
#[must_use]
pub fn jitter(transits: &[f64]) -> f64 {
    transits.windows(2).fold(0.0, |jitter, pair| match pair {
        [before, now] => jitter + ((now - before).abs() - jitter) / 16.0,
        _ => jitter,
    })
}

/// The value of which `share` (0 to 1) of the sorted values are not greater, nearest rank; 0 of none.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank in a slice"
)]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

/// The interval in which a share lies with 95 per cent certainty (Wilson score interval).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Wilson {
    /// Lower end, 0 to 1.
    pub low: f64,
    /// Upper end, 0 to 1.
    pub high: f64,
}

impl Wilson {
    /// The normal distribution's 97.5 per cent point.
    const Z: f64 = 1.959_963_984_540_054;

    /// Of `hits` in `tries`; everything is possible when nothing was tried.
    #[must_use]
    pub fn of(hits: u32, tries: u32) -> Self {
        if tries == 0 {
            return Self { low: 0.0, high: 1.0 };
        }
        let (n, share) = (f64::from(tries), f64::from(hits.min(tries)) / f64::from(tries));
        let square = Self::Z * Self::Z;
        let middle = share + square / (2.0 * n);
        let width = Self::Z * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        let scale = 1.0 + square / n;
        let low = if hits == 0 { 0.0 } else { (middle - width) / scale };
        let high = if hits >= tries { 1.0 } else { (middle + width) / scale };
        Self { low, high }
    }
}

/// Mean and deviation (n − 1) by Welford's method, which does not lose digits of large delays.
fn moments(values: &[f64]) -> (f64, f64) {
    let (mut mean, mut squares, mut count) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let step = value - mean;
        mean += step / count;
        squares += step * (value - mean);
    }
    let deviation = if count > 1.0 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
    (mean, deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(is: f64, must: f64) {
        assert!((is - must).abs() < 1e-6, "{is} is not {must}");
    }

    fn alternating(n: usize) -> Vec<f64> {
        (0..n).map(|i| if i % 2 == 0 { 20.0 } else { 28.0 }).collect()
    }

    #[test]
    fn jitter_is_that_of_rfc_3550() {
        for (steps, must) in [(1, 0.5), (2, 0.968_75), (3, 1.408_203), (4, 1.820_190), (16, 5.151_407), (99, 7.986_565)]
        {
            near(jitter(&alternating(steps + 1)), must);
        }
        let ramp: Vec<f64> = (0..=50).map(f64::from).collect();
        near(jitter(&ramp), 0.960_321);
        let spike: Vec<f64> = (0..41).map(|i| if i == 20 { 110.0 } else { 10.0 }).collect();
        near(jitter(&spike[..21]), 6.25);
        near(jitter(&spike[..22]), 12.109_375);
        near(jitter(&spike), 3.552_843);
    }

    #[test]
    fn figures_of_a_set_are_those_computed_by_hand() {
        let delays =
            Delays::of(&[10.0, 12.0, 11.0, 50.0, 10.0, 13.0, 10.0, 11.0, 12.0, 10.0]).expect("there are delays");
        near(delays.jitter, 4.117_624);
        near(delays.mean, 14.9);
        near(delays.deviation, 12.377_848);
        near(delays.median, 11.0);
        near(delays.p95, 50.0);
        near(delays.pdv_p50, 1.0);
        near(delays.pdv_p95, 40.0);
        assert_eq!((delays.spread.len(), delays.spread[0], delays.spread[20]), (SPREAD, 10.0, 50.0));
    }

    #[test]
    fn large_delays_lose_no_digits() {
        let delays = Delays::of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]).expect("there are delays");
        near(delays.deviation * delays.deviation, 30.0);
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        assert_eq!(Delays::of(&[]), None);
        assert_eq!(Delays::of(&[f64::NAN]), None);
    }

    #[test]
    fn a_share_says_how_sure_it_is() {
        let none = Wilson::of(0, 20);
        assert_eq!(none.low, 0.0);
        assert!((none.high - 0.161).abs() < 5e-4);
        let some = Wilson::of(3, 100);
        assert!((some.low - 0.0103).abs() < 5e-5 && (some.high - 0.0845).abs() < 5e-5, "{some:?}");
        assert_eq!(Wilson::of(0, 0), Wilson { low: 0.0, high: 1.0 });
    }
}
