//! Rollups: what the samples of one series amount to in a bucket of time.
//!
//! Buckets are half-open intervals of UTC: a sample at the first instant belongs to the bucket, one at its end to the next. A rollup
//! keeps count, sum, least, greatest, first and last value, a [`Sketch`], and for counters how much they grew. Rollups of the same
//! bucket that were made apart (before and after a flush, or by late data) are merged when they are read; nothing is lost by that.
//!
//! Growth: within a rollup the differences of neighbours are added; a value below its predecessor is a reset, and then counts as it
//! is (the counter began anew at zero). Between rollups the step from the last value of one to the first of the next is added by
//! [`growth_between`], so that growth over any number of buckets is exact.

use netwatch_model::Value;

use crate::chunk::Point;
use crate::golomb::{BitReader, BitWriter};
use crate::pack::{self, Packer, Unpacker};
use crate::sketch::Sketch;

/// Rollups of one chunk.
pub(crate) const MAX_ROLLUPS: usize = 1440;
/// Marks, in the number of rollups, that their values are [`Related`].
const RELATED: u64 = 1 << 11;

/// What the samples of one bucket amount to.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Rollup {
    /// Start of the bucket, in milliseconds.
    pub(crate) start: i64,
    /// Time of the first sample.
    pub(crate) first_time: i64,
    /// Time of the last sample.
    pub(crate) last_time: i64,
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) first: f64,
    pub(crate) last: f64,
    /// How much a counter grew from the first to the last sample.
    pub(crate) growth: f64,
    pub(crate) sketch: Sketch,
}

/// How much a counter grew from `before` to `after`.
pub(crate) fn growth_between(before: f64, after: f64) -> f64 {
    if after >= before { after - before } else { after }
}

/// The same for two samples; whole counters stay exact beyond 2^53.
fn growth_of(before: Value, after: Value) -> f64 {
    match (before, after) {
        (Value::Integer(a), Value::Integer(b)) => Value::Integer(if b >= a { b - a } else { b }).as_f64(),
        (a, b) => growth_between(a.as_f64(), b.as_f64()),
    }
}

impl Rollup {
    fn of(start: i64, point: Point) -> Self {
        let value = point.value.as_f64();
        let mut sketch = Sketch::default();
        sketch.add(value);
        Self {
            start,
            first_time: point.time,
            last_time: point.time,
            count: 1,
            sum: value,
            min: value,
            max: value,
            first: value,
            last: value,
            growth: 0.0,
            sketch,
        }
    }

    /// Adds a sample that is not earlier than the last one, whose value was `before`.
    fn push(&mut self, point: Point, before: Value) {
        let value = point.value.as_f64();
        self.last_time = point.time;
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.last = value;
        self.growth += growth_of(before, point.value);
        self.sketch.add(value);
    }

    /// Adds a rollup of samples that are not earlier than these. The bucket becomes that of `self`.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.growth += growth_between(self.last, later.first) + later.growth;
        self.last = later.last;
        self.last_time = later.last_time;
        self.count += later.count;
        self.sum += later.sum;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.sketch.merge(&later.sketch);
    }
}

/// Start of the bucket of `width` milliseconds in which `time` lies.
pub(crate) const fn bucket(time: i64, width: i64) -> i64 {
    time - time.rem_euclid(width)
}

/// The rollups of samples in the order of time, in buckets of `width` milliseconds.
pub(crate) fn roll(points: &[Point], width: i64, out: &mut Vec<Rollup>) {
    let mut last: Option<Value> = None;
    let mut open: Option<Rollup> = None;
    for point in points {
        let start = bucket(point.time, width);
        match (&mut open, last) {
            (Some(rollup), Some(before)) if rollup.start == start => rollup.push(*point, before),
            _ => out.extend(open.replace(Rollup::of(start, *point))),
        }
        last = Some(point.value);
    }
    out.extend(open);
}

/// Joins rollups into buckets of `width` milliseconds, in the order of time.
pub(crate) fn join(mut rollups: Vec<Rollup>, width: i64) -> Vec<Rollup> {
    rollups.sort_by_key(|r| r.first_time);
    let mut out: Vec<Rollup> = Vec::with_capacity(rollups.len());
    for mut rollup in rollups {
        rollup.start = bucket(rollup.start, width);
        match out.last_mut() {
            Some(open) if open.start == rollup.start => open.merge(&rollup),
            _ => out.push(rollup),
        }
    }
    out
}

/// Packs rollups in the order of time, without their sketches.
pub(crate) fn write(out: &mut Packer, rollups: &[Rollup]) {
    let whole = |f: fn(&Rollup) -> i64| rollups.iter().map(f).collect::<Vec<i64>>();
    let float = |f: fn(&Rollup) -> f64| rollups.iter().map(f).collect::<Vec<f64>>();
    let related = Related::of(rollups);
    out.varint(rollups.len() as u64 | if related.is_some() { RELATED } else { 0 });
    out.integers(&whole(|r| r.start));
    out.integers(&whole(|r| r.first_time - r.start));
    out.integers(&whole(|r| r.last_time - r.start));
    out.integers(&whole(|r| r.count.cast_signed()));
    if let Some(related) = related {
        related.write(out);
        return;
    }
    out.floats(&float(|r| r.sum));
    out.floats(&float(|r| r.min));
    out.floats(&float(|r| r.max));
    out.floats(&float(|r| r.first));
    out.floats(&float(|r| r.last));
    out.floats(&float(|r| r.growth));
}

/// What packs rollups: all but sketches, and those.
pub(crate) type Packers = (Packer, BitWriter);

/// Packs the sketches of rollups: most charts need none, and then they are not even read.
pub(crate) fn write_sketches(out: &mut BitWriter, rollups: &[Rollup]) {
    let mut before = &Sketch::default();
    for rollup in rollups {
        rollup.sketch.write(before, out);
        before = &rollup.sketch;
    }
}

/// Unpacks what [`write()`] and [`write_sketches`] packed; `None` when it is damaged. Without sketches those are left empty.
pub(crate) fn read(bytes: &[u8], sketches: Option<&[u8]>, out: &mut Vec<Rollup>) -> Option<()> {
    let mut sketches = sketches.map(BitReader::new);
    let (begin, none) = (out.len(), Sketch::default());
    let mut from = Unpacker::new(bytes);
    let head = from.varint()?;
    let count = usize::try_from(head & !RELATED).ok().filter(|n| *n <= MAX_ROLLUPS)?;
    let [starts, firsts, lasts, counts] = columns(&mut from, count, Unpacker::integers)?;
    let [sum, min, max, first, last, growth] = if head & RELATED == 0 {
        columns(&mut from, count, Unpacker::floats)?
    } else {
        Related::read(&mut from, &counts)?
    };
    for n in 0..count {
        out.push(Rollup {
            start: starts[n],
            first_time: starts[n].checked_add(firsts[n])?,
            last_time: starts[n].checked_add(lasts[n])?,
            count: counts[n].cast_unsigned(),
            sum: sum[n],
            min: min[n],
            max: max[n],
            first: first[n],
            last: last[n],
            growth: growth[n],
            sketch: match &mut sketches {
                Some(from) => Sketch::read(out.get(begin..)?.last().map_or(&none, |r| &r.sketch), from)?,
                None => Sketch::default(),
            },
        });
    }
    Some(())
}

/// The values of rollups, each by what the others tell of it: of a counter that only grew the least is the first, the greatest is the last,
/// and growth is what is between them. All are whole numbers when multiplied by the same power of ten.
struct Related {
    decimals: u8,
    /// From the last of the rollup before to the first.
    step: Vec<i64>,
    /// From the first to the last.
    way: Vec<i64>,
    /// How far the least is below both.
    below: Vec<i64>,
    /// How far the greatest is above both.
    above: Vec<i64>,
    /// How far growth is from the way.
    growth: Vec<i64>,
    /// How far the sum is from what it would be if the mean were in the middle between least and greatest.
    sum: Vec<i64>,
}

impl Related {
    /// None when that is not how these are: values with many decimals, or beyond what a float tells apart.
    fn of(rollups: &[Rollup]) -> Option<Self> {
        let values: Vec<f64> = rollups.iter().flat_map(|r| [r.first, r.last, r.min, r.max]).collect();
        let (decimals, values) = pack::whole(&values)?;
        let room = || Vec::with_capacity(rollups.len());
        let mut out =
            Self { decimals, step: room(), way: room(), below: room(), above: room(), growth: room(), sum: room() };
        let mut before = 0;
        for (rollup, values) in rollups.iter().zip(values.chunks_exact(4)) {
            let [first, last, min, max] = *values else { return None };
            // Sums of decimals are decimals: what they differ from one by came from adding floats.
            #[expect(clippy::cast_precision_loss, reason = "a bound, not a count")]
            let slack = rollup.count as f64 * rollup.min.abs().max(rollup.max.abs()) * f64::EPSILON * 2.0;
            let [sum, growth] = [rollup.sum, rollup.growth].map(|value| pack::nearly_whole(value, decimals, slack));
            out.step.push(first.wrapping_sub(before));
            out.way.push(last.wrapping_sub(first));
            out.below.push(first.min(last).wrapping_sub(min));
            out.above.push(max.wrapping_sub(first.max(last)));
            out.growth.push(growth?.wrapping_sub(last.wrapping_sub(first)));
            out.sum.push(sum?.wrapping_sub(middle(rollup.count.cast_signed(), min, max)));
            before = last;
        }
        Some(out)
    }

    fn write(&self, out: &mut Packer) {
        out.byte(self.decimals);
        for column in [&self.step, &self.way, &self.below, &self.above, &self.growth, &self.sum] {
            out.integers(column);
        }
    }

    /// Sum, least, greatest, first and last value, and growth.
    fn read(from: &mut Unpacker<'_>, counts: &[i64]) -> Option<[Vec<f64>; 6]> {
        let decimals = from.byte()?;
        let [step, way, below, above, growth, sum] = columns(from, counts.len(), Unpacker::integers)?;
        let mut out: [Vec<f64>; 6] = std::array::from_fn(|_| Vec::with_capacity(counts.len()));
        let mut before = 0_i64;
        for (n, count) in counts.iter().enumerate() {
            let first = before.wrapping_add(step[n]);
            let last = first.wrapping_add(way[n]);
            let (min, max) = (first.min(last).wrapping_sub(below[n]), first.max(last).wrapping_add(above[n]));
            let sum = sum[n].wrapping_add(middle(*count, min, max));
            let values = [sum, min, max, first, last, growth[n].wrapping_add(way[n])];
            for (column, value) in out.iter_mut().zip(values) {
                column.push(pack::decimal(value, decimals)?);
            }
            before = last;
        }
        Some(out)
    }
}

/// The sum of so many values whose mean is in the middle.
const fn middle(count: i64, min: i64, max: i64) -> i64 {
    count.wrapping_mul(min.wrapping_add(max)) >> 1
}

/// Reads `N` columns of `count` values each.
fn columns<'a, T: Copy, const N: usize>(
    from: &mut Unpacker<'a>,
    count: usize,
    read: fn(&mut Unpacker<'a>, usize, &mut Vec<T>) -> Option<()>,
) -> Option<[Vec<T>; N]> {
    let mut out: [Vec<T>; N] = std::array::from_fn(|_| Vec::with_capacity(count));
    for column in &mut out {
        read(from, count, column)?;
        if column.len() != count {
            return None;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests;
