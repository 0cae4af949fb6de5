use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;

fn points(list: &[(i64, u64)]) -> Vec<Point> {
    list.iter().map(|(time, n)| Point { time: *time, value: Value::Integer(*n) }).collect()
}

fn rolled(points: &[Point]) -> Vec<Rollup> {
    let mut out = Vec::new();
    roll(points, MINUTE, &mut out);
    out
}

#[test]
fn buckets_are_half_open() {
    let rollups = rolled(&points(&[(0, 1), (59_999, 2), (60_000, 3)]));
    assert_eq!(rollups.iter().map(|r| (r.start, r.count)).collect::<Vec<_>>(), [(0, 2), (60_000, 1)]);
    assert_eq!(bucket(-1, MINUTE), -60_000);
}

#[test]
fn a_counter_that_begins_anew_is_seen() {
    let rollups = rolled(&points(&[(0, 100), (1000, 150), (2000, 30), (3000, 40)]));
    assert!((rollups[0].growth - 90.0).abs() < 1e-9, "50 + reset to 30 + 10");
    assert!((growth_between(40.0, 7.0) - 7.0).abs() < 1e-9);
}

/// Adding floats leaves a little beside the decimals, which would take eight bytes of each rollup.
#[test]
fn sums_of_decimals_take_few_bytes() {
    let value = |n: i64| f64::from(i32::try_from(20_000 + n * 7919 % 2001).unwrap()) / 1000.0;
    let points: Vec<Point> = (0..6000).map(|n| Point { time: n * 10_000, value: Value::Float(value(n)) }).collect();
    let rollups = rolled(&points);
    assert!(rollups.iter().any(|r| (r.sum * 1000.0).fract() != 0.0), "floats do so");
    let mut data = Packer::default();
    write(&mut data, &rollups);
    let bytes = data.take();
    assert!(bytes.len() < rollups.len() * 11, "{} bytes for {} rollups", bytes.len(), rollups.len());
}

#[test]
fn a_counter_that_grows_needs_its_growth_and_its_sum() {
    for begin in [0, 1_u64 << 52] {
        let points: Vec<(i64, u64)> =
            (0_u64..6000).map(|n| (n.cast_signed() * 10_000, begin + n * 1000 + n * 7919 % 900)).collect();
        let rollups = rolled(&super::tests::points(&points));
        let (mut data, mut back) = (Packer::default(), Vec::new());
        write(&mut data, &rollups);
        let bytes = data.take();
        read(&bytes, None, &mut back).unwrap();
        assert_eq!(
            back.iter().map(|r| (r.sum, r.growth)).collect::<Vec<_>>(),
            rollups.iter().map(|r| (r.sum, r.growth)).collect::<Vec<_>>()
        );
        assert!(bytes.len() < rollups.len() * 5, "{} bytes for {} rollups from {begin}", bytes.len(), rollups.len());
    }
}

/// The plain definition, straight from the samples.
fn exact(points: &[Point], start: i64, width: i64) -> (u64, f64, f64, f64) {
    let inside = points.iter().filter(|p| p.time >= start && p.time < start + width).map(|p| p.value.as_f64());
    inside.fold((0, 0.0, f64::INFINITY, f64::NEG_INFINITY), |(n, sum, min, max), v| {
        (n + 1, sum + v, min.min(v), max.max(v))
    })
}

proptest! {
    #[test]
    fn rollups_agree_with_the_samples(
        steps in prop::collection::vec((0_i64..40_000, 0_u64..1000, prop::bool::weighted(0.05)), 1..300),
        cut in 0_usize..300,
    ) {
        let (mut time, mut value, mut list) = (0, 0, Vec::new());
        for (wait, more, reset) in steps {
            time += wait;
            value = if reset { more } else { value + more };
            list.push(Point { time, value: Value::Integer(value) });
        }
        let cut = cut.min(list.len());
        // Made in two parts, as by a flush in between, stored and read again.
        let mut parts = Vec::new();
        for part in [&list[..cut], &list[cut..]] {
            let (mut data, mut sketches) = Packers::default();
            write(&mut data, &rolled(part));
            write_sketches(&mut sketches, &rolled(part));
            read(&data.take(), Some(&sketches.take()), &mut parts).unwrap();
        }
        let hours = join(parts.clone(), 60 * MINUTE);
        for (width, rollups) in [(MINUTE, join(parts, MINUTE)), (60 * MINUTE, hours)] {
            for rollup in &rollups {
                let (count, sum, min, max) = exact(&list, rollup.start, width);
                prop_assert_eq!((rollup.count, rollup.min, rollup.max), (count, min, max));
                prop_assert!((rollup.sum - sum).abs() < 1e-6);
                prop_assert_eq!(rollup.sketch.count(), count);
            }
            prop_assert_eq!(rollups.iter().map(|r| r.count).sum::<u64>(), list.len() as u64);
            let mut growth: f64 = rollups.iter().map(|r| r.growth).sum();
            growth += rollups.windows(2).map(|w| growth_between(w[0].last, w[1].first)).sum::<f64>();
            let exact: f64 = list.windows(2).map(|w| growth_of(w[0].value, w[1].value)).sum();
            prop_assert!((growth - exact).abs() < 1e-6, "{} instead of {}", growth, exact);
        }
    }

    /// Values of few decimals, of many, and of both signs: everything but rounding comes back.
    #[test]
    fn rollups_of_gauges_come_back(
        list in prop::collection::vec((0_i64..20_000, -90_000_i64..90_000), 1..200),
        decimals in 0_i32..5,
        odd in prop::option::weighted(0.2, any::<f64>().prop_filter("a number", |x| x.is_finite() && x.abs() < 1e12)),
    ) {
        let mut time = 0;
        let mut points: Vec<Point> = Vec::new();
        for (wait, n) in list {
            time += wait;
            #[expect(clippy::cast_precision_loss, reason = "small")]
            points.push(Point { time, value: Value::Float(n as f64 / 10_f64.powi(decimals)) });
        }
        points.extend(odd.map(|x| Point { time: time + 1, value: Value::Float(x) }));
        let rollups = rolled(&points);
        let (mut data, mut back) = (Packer::default(), Vec::new());
        write(&mut data, &rollups);
        read(&data.take(), None, &mut back).unwrap();
        prop_assert_eq!(back.len(), rollups.len());
        for (is, must) in back.iter().zip(&rollups) {
            let bits = |r: &Rollup| [r.min, r.max, r.first, r.last].map(f64::to_bits);
            prop_assert_eq!(bits(is), bits(must));
            prop_assert_eq!((is.start, is.first_time, is.last_time, is.count), (must.start, must.first_time, must.last_time, must.count));
            let scale = must.min.abs().max(must.max.abs()) * f64::EPSILON * 400.0;
            prop_assert!((is.sum - must.sum).abs() <= scale && (is.growth - must.growth).abs() <= scale, "{:?} {:?}", is, must);
        }
    }

    #[test]
    fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, Some(&bytes), &mut Vec::new());
        let _ = read(&bytes, None, &mut Vec::new());
    }
}
