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

    #[test]
    fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, Some(&bytes), &mut Vec::new());
        let _ = read(&bytes, None, &mut Vec::new());
    }
}
