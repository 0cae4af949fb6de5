//! Chunks: the samples of one series for a stretch of time, packed.
//!
//! A sample takes two columns: its time in milliseconds and its value, either all whole numbers or all floats. A series whose values
//! change from one kind to the other becomes floats for that chunk.
//!
//! Limits: at most [`MAX_SAMPLES`] samples in a chunk. Times are rounded down to milliseconds.

use netwatch_model::Value;

use crate::pack::{Packer, Unpacker};

/// Samples of one chunk: what one read unpacks.
pub(crate) const MAX_SAMPLES: usize = 4096;
const WHOLE: u8 = 0;
const FLOAT: u8 = 1;

/// One sample of a series.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Point {
    /// Milliseconds since the epoch.
    pub(crate) time: i64,
    pub(crate) value: Value,
}

/// Packs samples in the order of time, of which there is at least one.
pub(crate) fn write(out: &mut Packer, points: &[Point]) {
    let times: Vec<i64> = points.iter().map(|p| p.time).collect();
    let whole: Option<Vec<i64>> = points
        .iter()
        .map(|p| match p.value {
            Value::Integer(n) => Some(n.cast_signed()),
            Value::Float(_) => None,
        })
        .collect();
    out.varint(points.len() as u64);
    out.integers(&times);
    if let Some(whole) = whole {
        out.byte(WHOLE);
        out.integers(&whole);
    } else {
        out.byte(FLOAT);
        let floats: Vec<f64> = points.iter().map(|p| p.value.as_f64()).collect();
        out.floats(&floats);
    }
}

/// Unpacks a chunk; `None` when it is damaged.
pub(crate) fn read(bytes: &[u8], points: &mut Vec<Point>) -> Option<()> {
    let mut from = Unpacker::new(bytes);
    let count = usize::try_from(from.varint()?).ok().filter(|n| *n <= MAX_SAMPLES)?;
    let mut times = Vec::with_capacity(count);
    from.integers(count, &mut times)?;
    if from.byte()? == WHOLE {
        let mut whole = Vec::with_capacity(count);
        from.integers(count, &mut whole)?;
        let pairs = times.iter().zip(&whole);
        points.extend(pairs.map(|(t, n)| Point { time: *t, value: Value::Integer(n.cast_unsigned()) }));
    } else {
        let mut floats = Vec::with_capacity(count);
        from.floats(count, &mut floats)?;
        let pairs = times.iter().zip(&floats);
        points.extend(pairs.map(|(t, x)| Point { time: *t, value: Value::Float(*x) }));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(time: i64, value: Value) -> Point {
        Point { time, value }
    }

    #[test]
    fn uneven_counters_and_decimal_gauges_take_few_bytes() {
        let mut state = 1_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 40
        };
        let (mut total, mut counters, mut gauges) = (0_u64, Vec::new(), Vec::new());
        for n in 0..4096_i64 {
            total += random() % 10_000;
            counters.push(point(n * 1000, Value::Integer(total)));
            #[expect(clippy::cast_precision_loss, reason = "small")]
            gauges.push(point(n * 1000, Value::Float((random() % 100_000) as f64 / 1000.0)));
        }
        let mut out = Packer::default();
        write(&mut out, &counters);
        write(&mut out, &gauges);
        let size = out.take().len();
        assert!(size < 8192 * 2, "{size} bytes for 8192 samples");
    }

    #[test]
    fn mixed_kinds_become_floats() {
        let mut out = Packer::default();
        write(&mut out, &[point(1, Value::Integer(3)), point(2, Value::Float(0.5))]);
        let mut back = Vec::new();
        read(&out.take(), &mut back).unwrap();
        assert_eq!(back, [point(1, Value::Float(3.0)), point(2, Value::Float(0.5))]);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            list in prop::collection::vec((any::<i64>(), any::<u64>()), 1..300),
        ) {
            let points: Vec<Point> = list.iter().map(|(t, n)| point(*t, Value::Integer(*n))).collect();
            let mut out = Packer::default();
            write(&mut out, &points);
            let mut back = Vec::new();
            read(&out.take(), &mut back).unwrap();
            prop_assert_eq!(back, points);
        }

        #[test]
        fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, &mut Vec::new());
        }
    }
}
