//! Batches that share a dictionary: whatever is lost between writer and reader, a sample is of its own series or counted as lost.

use super::*;

/// What happens to a batch, and before it.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// A new dictionary begins.
    begins: bool,
    /// It never reaches the reader.
    is_lost: bool,
    /// The writer hears that it is durable.
    is_settled: bool,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    let often = |n: u32| prop::bool::weighted(f64::from(n) / 10.0);
    (often(1), often(2), often(6)).prop_map(|(begins, is_lost, is_settled)| Fate { begins, is_lost, is_settled })
}

/// Batches of a few series, each shared by all of them or only equal to it.
fn any_batches() -> impl Strategy<Value = Vec<Batch>> {
    let sample = (any::<prop::sample::Index>(), any::<bool>(), any_time(), any_value());
    let batch = (vec(sample, 0..30), option::of(any_event()));
    (vec(any_series(), 1..12), vec(batch, 1..12)).prop_map(|(series, batches)| {
        let record = |(n, is_same, time, value): (prop::sample::Index, bool, Timestamp, Value)| {
            let series = n.get(&series);
            let series = if is_same { Arc::clone(series) } else { Arc::new(Series::clone(series)) };
            Record::Sample(Sample { series, time, value })
        };
        let whole = |(sequence, (samples, event)): (u64, (Vec<_>, Option<Record>))| {
            let records = samples.into_iter().map(record).chain(event).collect();
            Batch { key: BatchKey { sequence, ..KEY }, records }
        };
        (1..).zip(batches).map(whole).collect()
    })
}

/// Encodes as a log does: what is settled was written, whatever becomes of it later.
fn write(batches: &[Batch], fates: &[Fate]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::sharing(u64::MAX);
    let of = |(batch, fate): (&Batch, &Fate)| {
        if fate.begins {
            encoder.begin();
        }
        let mut bytes = Vec::new();
        let encoded = encoder.encode(batch.key, &batch.records, &mut bytes).unwrap();
        if fate.is_settled {
            encoder.settle(encoded.mark);
        }
        bytes
    };
    batches.iter().zip(fates).map(of).collect()
}

/// That `found` is `whole` without as many samples as are counted as lost.
#[track_caller]
fn check_is_part(found: &Decoded, whole: &Batch) {
    assert_eq!((found.batch.key, found.skipped), (whole.key, 0));
    assert_eq!(found.batch.records.len() as u64 + found.lost, whole.records.len() as u64);
    let mut rest = whole.records.iter();
    assert!(found.batch.records.iter().all(|record| rest.any(|other| other == record)), "{found:?} of {whole:?}");
}

proptest! {
    #[test]
    fn shared_batches_come_back_as_they_were(batches in any_batches(), mut fates in vec(any_fate(), 12)) {
        fates.iter_mut().for_each(|fate| fate.is_lost = false);
        let mut decoder = Decoder::default();
        for (bytes, batch) in write(&batches, &fates).iter().zip(batches) {
            prop_assert_eq!(key_of(bytes), Ok(batch.key));
            prop_assert!(!decoder.lacks(bytes));
            let decoded = decoder.decode(bytes).unwrap();
            prop_assert_eq!((decoded.skipped, decoded.lost), (0, 0));
            prop_assert_eq!(decoded.batch, batch);
        }
    }

    #[test]
    fn what_a_lost_batch_defined_is_never_guessed(batches in any_batches(), fates in vec(any_fate(), 12)) {
        let (mut decoder, mut lost_any) = (Decoder::default(), false);
        for ((bytes, batch), fate) in write(&batches, &fates).iter().zip(&batches).zip(&fates) {
            if fate.is_lost {
                lost_any = true;
                continue;
            }
            let decoded = decoder.decode(bytes).unwrap();
            check_is_part(&decoded, batch);
            prop_assert!(lost_any || decoded.lost == 0);
        }
    }

    #[test]
    fn what_was_not_durable_is_not_needed(batches in any_batches(), mut fates in vec(any_fate(), 12)) {
        fates.iter_mut().for_each(|fate| fate.is_settled &= !fate.is_lost);
        let mut decoder = Decoder::default();
        for ((bytes, batch), fate) in write(&batches, &fates).iter().zip(&batches).zip(&fates) {
            if !fate.is_lost {
                let decoded = decoder.decode(bytes).unwrap();
                prop_assert_eq!((&decoded.batch, decoded.lost), (batch, 0));
            }
        }
    }

    #[test]
    fn a_reader_that_comes_late_learns(batches in any_batches(), fates in vec(any_fate(), 12), late in 0..12_usize) {
        let (mut decoder, written) = (Decoder::default(), write(&batches, &fates));
        let late = late % written.len();
        let lacks = decoder.lacks(&written[late]);
        written[..late].iter().for_each(|bytes| decoder.learn(bytes).unwrap());
        prop_assert!(!decoder.lacks(&written[late]));
        let decoded = decoder.decode(&written[late]).unwrap();
        prop_assert_eq!((&decoded.batch, decoded.lost), (&batches[late], 0));
        let alone = Decoder::default().decode(&written[late]).unwrap();
        check_is_part(&alone, &batches[late]);
        prop_assert!(lacks || alone.lost == 0);
    }

    #[test]
    fn damaged_shared_batches_never_panic(
        batches in any_batches(),
        fates in vec(any_fate(), 12),
        hits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut decoder = Decoder::default();
        for mut bytes in write(&batches, &fates) {
            for (at, value) in &hits {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            let _lacks = decoder.lacks(&bytes);
            let _learnt = decoder.learn(&bytes);
            drop(decoder.decode(&bytes));
        }
    }
}

/// The bytes of version 2 do not change, either.
#[test]
fn the_form_of_version_2() {
    let batch = Batch { key: KEY, records: vec![sample(&gauge(), Value::Float(0.25))] };
    let mut encoder = Encoder::sharing(0x0102_0304_0506_0708);
    let mut first = Vec::new();
    let mark = encoder.encode(batch.key, &batch.records, &mut first).unwrap().mark;
    encoder.settle(mark);
    let mut second = Vec::new();
    encoder.encode(batch.key, &batch.records, &mut second).unwrap();
    let expected = |from: u8, series: &[u8]| {
        let mut bytes = b"NWB\x02\x07\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x03\0\0\0\0\0\0\0".to_vec();
        bytes.extend([0, 2, 2, 1]);
        let columns: [(u64, &[u8]); 7] = [
            (7, &[8, 7, 6, 5, 4, 3, 2, 1, from]),
            (1, series),
            (2, &[0, 1]),
            (3, &[0x80, 0xa8, 0xd6, 0xb9, 0x07, 1]),
            (4, &[1]),
            (5, &[0xf5, 0x03]),
            (6, &[]),
        ];
        put_columns(&mut bytes, 2, &columns);
        bytes
    };
    assert_eq!(first, expected(0, &[0, 5, 4, 1, 2, 1, 1]));
    assert_eq!(second, expected(1, &[]));
}

#[test]
fn a_series_costs_its_labels_once() {
    let label = |n: u32| Label::Other("host".into(), Untrusted::new(&format!("host-{n}.somewhere.example.com")));
    let series: Vec<_> =
        (0..1000).map(|n| Arc::new(Series { metric: Metric::External, labels: vec![label(n)] })).collect();
    let records: Vec<_> = series.iter().map(|series| sample(series, Value::Integer(7))).collect();
    let mut encoder = Encoder::sharing(1);
    let mut sizes = Vec::new();
    for sequence in 1..=3 {
        let encoded = encoder.encode(BatchKey { sequence, ..KEY }, &records, &mut Vec::new()).unwrap();
        sizes.push(encoded.bytes);
        encoder.settle(encoded.mark);
    }
    assert!(sizes[0] > 10_000 && sizes[1] == sizes[2] && sizes[2] < 1500, "{sizes:?}");
}

#[test]
fn a_full_dictionary_is_followed_by_a_new_one() {
    let of = |from: u32, to: u32| -> Vec<Record> {
        let label = |n: u32| Label::Reason(n.to_string().into());
        let series = |n| Arc::new(Series { metric: Metric::External, labels: vec![label(n)] });
        (from..to).map(|n| sample(&series(n), Value::Integer(1))).collect()
    };
    let (mut encoder, mut decoder) = (Encoder::sharing(1), Decoder::default());
    for (from, to) in [(0, 200_000), (200_000, 200_010), (0, 10)] {
        let batch = Batch { key: KEY, records: of(from, to) };
        let mut bytes = Vec::new();
        let encoded = encoder.encode(batch.key, &batch.records, &mut bytes).unwrap();
        encoder.settle(encoded.mark);
        let fresh = Decoder::default();
        assert!(!decoder.lacks(&bytes) && fresh.lacks(&bytes) == (from == 0 && to == 10));
        assert!(decoder.decode(&bytes).unwrap().batch == batch);
    }
}
