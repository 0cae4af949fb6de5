use proptest::prelude::*;

use super::*;

fn exact(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "small ranks"
    )]
    let rank = (q * (values.len() - 1) as f64).floor() as usize;
    values[rank]
}

fn check(mut values: Vec<f64>) {
    let mut whole = Sketch::default();
    let mut parts = [Sketch::default(), Sketch::default(), Sketch::default()];
    for (n, value) in values.iter().enumerate() {
        whole.add(*value);
        parts[n % 3].add(*value);
    }
    let [mut merged, second, third] = parts;
    merged.merge(&second);
    merged.merge(&third);
    assert_eq!(merged, whole, "merging is as good as counting everything at once");
    for q in [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0] {
        let (is, must) = (whole.quantile(q).unwrap(), exact(&mut values, q));
        assert!((is - must).abs() <= ALPHA * must.abs() * 1.000_001 + SMALLEST, "q={q}: {is} instead of {must}");
    }
}

/// A generator that needs no crate: the same values in each run.
fn uniform(count: usize) -> impl Iterator<Item = f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let x = (state >> 11) as f64 / (1_u64 << 53) as f64;
        x
    })
}

#[test]
fn percentiles_are_within_one_per_cent_for_every_shape() {
    check(uniform(20_000).map(|u| u * 1000.0).collect());
    check(uniform(20_000).map(|u| (u * 6.0 - 3.0).exp()).collect());
    check(uniform(20_000).map(|u| (1.0 - u).powf(-1.0 / 1.1)).collect());
    check(vec![42.0; 1000]);
    check(uniform(20_000).enumerate().map(|(n, u)| if n % 2 == 0 { 1.0 + u } else { 1e6 * (1.0 + u) }).collect());
    check((0..10_000).map(f64::from).collect());
    check(vec![7.5]);
    check(uniform(5_000).map(|u| u - 0.5).collect());
}

#[test]
fn an_empty_sketch_has_no_percentile() {
    let mut sketch = Sketch::default();
    assert_eq!(sketch.quantile(0.5), None);
    sketch.add(f64::NAN);
    assert_eq!(sketch.count(), 0);
}

#[test]
fn too_many_bins_lose_the_low_end_only() {
    let mut sketch = Sketch::default();
    for n in 0..4000 {
        sketch.add((f64::from(n) / SCALE).exp() * 1.000_01e-12);
    }
    assert_eq!(sketch.count(), 4000);
    assert!(sketch.positive.len() <= MAX_BINS);
    let top = sketch.quantile(0.99).unwrap();
    let must = (3959.0 / SCALE).exp() * 1e-12;
    assert!((top - must).abs() <= 0.03 * must, "{top} instead of {must}");
}

#[test]
fn a_minute_of_noise_takes_few_bytes() {
    let mut out = BitWriter::default();
    let mut before = Sketch::default();
    let values: Vec<f64> = uniform(60 * 60).collect();
    for minute in values.chunks(60) {
        let mut sketch = Sketch::default();
        minute.iter().for_each(|u| sketch.add(u * 100.0));
        sketch.write(&before, &mut out);
        before = sketch;
    }
    let bytes = out.take().len() / 60;
    assert!(bytes <= 40, "{bytes} bytes for 60 values");
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        sketches in prop::collection::vec(prop::collection::vec((any::<f64>(), -1e3_f64..1e3), 0..100), 1..4),
    ) {
        let of = |values: &Vec<(f64, f64)>| {
            let mut sketch = Sketch::default();
            values.iter().for_each(|v| [v.0, v.1].into_iter().for_each(|v| sketch.add(v)));
            sketch
        };
        let (mut out, mut before) = (BitWriter::default(), Sketch::default());
        for sketch in sketches.iter().map(of) {
            sketch.write(&before, &mut out);
            before = sketch;
        }
        let (bytes, mut before) = (out.take(), Sketch::default());
        let mut reader = BitReader::new(&bytes);
        for sketch in sketches.iter().map(of) {
            before = Sketch::read(&before, &mut reader).unwrap();
            prop_assert_eq!(&before, &sketch);
        }
    }

    #[test]
    fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut reader = BitReader::new(&bytes);
        let mut before = Sketch::default();
        while let Some(sketch) = Sketch::read(&before, &mut reader) {
            before = sketch;
        }
    }
}
