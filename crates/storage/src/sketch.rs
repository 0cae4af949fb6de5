//! Quantiles that can be added up: DDSketch with a relative accuracy of one per cent.
//!
//! A value falls into the bin `ceil(log(value) / log(gamma))` with `gamma = (1 + α) / (1 − α)`; all values of a bin are within α of its
//! middle (Masson, Rim, Lee: "DDSketch", VLDB 2019). Sketches of the same α are merged by adding their counts, so that a percentile
//! over a month is as exact as one over a minute. Negative values have bins of their own, and zero is counted apart.
//!
//! Limits: at most [`MAX_BINS`] bins a side; when there are more, the bins nearest to zero are joined, so that high percentiles keep
//! their accuracy.

use crate::golomb::{self, BitReader, BitWriter};

/// Relative accuracy of every percentile.
pub const ALPHA: f64 = 0.01;
/// Bins of one sign: at α = 1 % they span a factor of 10^17.
pub const MAX_BINS: usize = 2048;
/// Values nearer to zero than this count as zero.
const SMALLEST: f64 = 1e-12;
/// Orders of the codes that say how many bins there are, and how far the lowest is from that of the sketch before.
const BINS: u32 = 2;
const FIRST: u32 = 2;
/// Bits of the order of the distances between bins.
const ORDER: u32 = 4;
/// 1 / ln((1 + α) / (1 − α))
const SCALE: f64 = 49.998_333_288_886_78;

/// Counts of values by size. Bins are sorted, each with its count.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sketch {
    positive: Vec<(i32, u64)>,
    negative: Vec<(i32, u64)>,
    zero: u64,
}

impl Sketch {
    /// Counts one value. Values that are not numbers are not counted.
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        let size = value.abs();
        if size < SMALLEST {
            self.zero += 1;
        } else if value > 0.0 {
            count(&mut self.positive, bin(size), 1);
        } else {
            count(&mut self.negative, bin(size), 1);
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        self.zero += other.zero;
        merge(&mut self.positive, &other.positive);
        merge(&mut self.negative, &other.negative);
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        let side = |bins: &[(i32, u64)]| bins.iter().map(|b| b.1).sum::<u64>();
        self.zero + side(&self.positive) + side(&self.negative)
    }

    /// The value below which the share `q` (0 to 1) of the values lies: the lower of the two in the middle. `None` when empty.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks are far below 2^53 and not negative"
    )]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        let rank = (q.clamp(0.0, 1.0) * total.checked_sub(1)? as f64).floor() as u64;
        let mut seen = 0;
        for (bin, n) in self.negative.iter().rev() {
            seen += n;
            if seen > rank {
                return Some(-middle(*bin));
            }
        }
        seen += self.zero;
        if seen > rank {
            return Some(0.0);
        }
        for (bin, n) in &self.positive {
            seen += n;
            if seen > rank {
                return Some(middle(*bin));
            }
        }
        None
    }

    /// Appends the sketch: most have few bins, near those of the one `before`, with few values each.
    pub(crate) fn write(&self, before: &Self, out: &mut BitWriter) {
        out.code(self.zero, 0);
        for (side, before) in [(&self.positive, &before.positive), (&self.negative, &before.negative)] {
            out.code(side.len() as u64, BINS);
            let [(first, n), rest @ ..] = side.as_slice() else { continue };
            out.signed(i64::from(*first) - lowest(before), FIRST);
            out.code(n - 1, 0);
            let Some((last, _)) = rest.last() else { continue };
            let spread = u64::from(first.abs_diff(*last));
            let order = golomb::order(spread / side.len() as u64);
            out.bits(order.into(), ORDER);
            for pair in side.windows(2) {
                out.code(u64::from(pair[0].0.abs_diff(pair[1].0)) - 1, order);
                out.code(pair[1].1 - 1, 0);
            }
        }
    }

    /// Reads what [`Sketch::write`] wrote after the same one.
    pub(crate) fn read(before: &Self, from: &mut BitReader<'_>) -> Option<Self> {
        let zero = from.code(0)?;
        let mut side = |before: &[(i32, u64)]| {
            let count = usize::try_from(from.code(BINS)?).ok().filter(|n| *n <= MAX_BINS)?;
            let mut bins = Vec::with_capacity(count.min(64));
            if count == 0 {
                return Some(bins);
            }
            let mut bin = lowest(before).checked_add(from.signed(FIRST)?)?;
            bins.push((i32::try_from(bin).ok()?, from.code(0)?.saturating_add(1)));
            let order = if count > 1 { u32::try_from(from.bits(ORDER)?).ok()? } else { 0 };
            for _ in 1..count {
                bin = bin.checked_add_unsigned(from.code(order)?)?.checked_add(1)?;
                bins.push((i32::try_from(bin).ok()?, from.code(0)?.saturating_add(1)));
            }
            Some(bins)
        };
        Some(Self { positive: side(&before.positive)?, negative: side(&before.negative)?, zero })
    }
}

/// The lowest bin.
fn lowest(bins: &[(i32, u64)]) -> i64 {
    bins.first().map_or(0, |bin| i64::from(bin.0))
}

#[expect(clippy::cast_possible_truncation, reason = "the logarithm of a float times 50 is small")]
fn bin(size: f64) -> i32 {
    (size.ln() * SCALE).ceil() as i32
}

/// The value whose relative distance to both ends of the bin is the same.
fn middle(bin: i32) -> f64 {
    (f64::from(bin) / SCALE).exp() * (1.0 - ALPHA)
}

fn count(bins: &mut Vec<(i32, u64)>, bin: i32, n: u64) {
    match bins.binary_search_by_key(&bin, |b| b.0) {
        Ok(place) => bins[place].1 = bins[place].1.saturating_add(n),
        Err(place) => {
            bins.insert(place, (bin, n));
            collapse(bins);
        }
    }
}

fn merge(bins: &mut Vec<(i32, u64)>, other: &[(i32, u64)]) {
    if bins.is_empty() {
        bins.extend_from_slice(other);
        return;
    }
    let mine = std::mem::take(bins);
    let (mut a, mut b) = (mine.into_iter().peekable(), other.iter().copied().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x.0 < y.0 => a.next(),
            (Some(x), Some(y)) if x.0 == y.0 => a.next().zip(b.next()).map(|(x, y)| (x.0, x.1.saturating_add(y.1))),
            (Some(_), None) => a.next(),
            _ => b.next(),
        };
        match next {
            Some(bin) => bins.push(bin),
            None => break,
        }
    }
    collapse(bins);
}

fn collapse(bins: &mut Vec<(i32, u64)>) {
    let Some(extra) = bins.len().checked_sub(MAX_BINS).filter(|n| *n > 0) else { return };
    let joined: u64 = bins.drain(..extra).map(|b| b.1).sum();
    if let Some(first) = bins.first_mut() {
        first.1 = first.1.saturating_add(joined);
    }
}

#[cfg(test)]
mod tests;
