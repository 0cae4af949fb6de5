//! Samples through the log: their series are defined once in a segment, and whoever reads from anywhere gets each sample with its own.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use netwatch_model::{Label, Metric, Sample, Series, Untrusted, Value};
use netwatch_spool::segment::{HEAD, HEADER};

use super::*;

/// Series of a batch.
const SERIES: u64 = 40;

/// What a sample says of itself: the sequence of its batch and the number of its series, by which it can be checked.
type Said = (u64, u64);

/// A sink that already has everything up to some position, and checks what it is given.
#[derive(Clone, Default)]
struct Checked(Arc<Mutex<(Position, Given)>>);

/// The samples of each entry.
type Given = BTreeMap<Position, Vec<Said>>;

impl Checked {
    fn after(position: Position) -> Self {
        Self(Arc::new(Mutex::new((position, BTreeMap::new()))))
    }

    fn given(&self) -> Given {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

impl Sink for Checked {
    fn stored(&self) -> Position {
        self.0.lock().unwrap().0
    }

    fn apply(&mut self, position: Position, _: WorkspaceId, batch: Batch, _: Timestamp) -> Result<(), SinkError> {
        let is_event = |record: &Record| matches!(record, Record::Event(_));
        if batch.records.iter().all(is_event) {
            return Ok(());
        }
        let said = batch.records.iter().map(|record| {
            let Record::Sample(Sample { series, value: Value::Integer(value), .. }) = record else {
                panic!("not as it was written: {record:?}")
            };
            let Label::Reason(number) = &series.labels[0] else { panic!("{series:?}") };
            assert_eq!(value % SERIES, number.parse::<u64>().unwrap() % SERIES, "a sample of another series");
            (value / SERIES, value % SERIES)
        });
        self.0.lock().unwrap().1.insert(position, said.collect());
        Ok(())
    }

    fn missing(&mut self, _: &Gap) {}

    fn flush(&mut self, _: Timestamp) -> Result<(), SinkError> {
        Ok(())
    }

    fn recover(&mut self, _: Timestamp) -> Result<(), SinkError> {
        Ok(())
    }

    fn wants_recovery(&self) -> bool {
        false
    }
}

/// All series; those of every third batch are equal ones in other places of memory.
fn all_series() -> Vec<Arc<Series>> {
    let label =
        |n: u64| vec![Label::Reason(n.to_string().into()), Label::Interface(Untrusted::new("a long name of a port"))];
    (0..SERIES).map(|n| Arc::new(Series { metric: Metric::External, labels: label(n) })).collect()
}

fn samples(series: &[Arc<Series>], sequence: u64) -> Batch {
    let copies: Vec<Arc<Series>> = series.iter().map(|series| Arc::new(Series::clone(series))).collect();
    let series = if sequence.is_multiple_of(3) { &copies } else { series };
    // The first batches do not name all.
    let named = series.iter().zip(0..).take(usize::try_from(5 * sequence).unwrap_or(usize::MAX));
    let sample = |(series, n): (&Arc<Series>, u64)| {
        let value = Value::Integer(sequence * SERIES + n);
        Record::Sample(Sample { series: Arc::clone(series), time: Timestamp::from_secs(5), value })
    };
    Batch { records: named.map(sample).collect(), ..batch(1, sequence) }
}

fn feed_to(ingest: &Arc<Ingest>, sink: &Checked) {
    Feed::new(Arc::clone(ingest), sink.clone(), None).unwrap().run(&AtomicBool::new(true));
}

/// A log with that many batches, each committed; every third has one without samples behind it.
fn written(disk: &MemoryDisk, batches: u64) -> (Arc<Ingest>, Vec<Position>) {
    let (ingest, series) = (open(disk), all_series());
    let mut positions = Vec::new();
    for sequence in 1..=batches {
        let Taken::Written(ticket) = ingest.take(HOME, samples(&series, sequence)).unwrap() else { panic!() };
        positions.push(ingest.commit(ticket).unwrap());
        if sequence.is_multiple_of(3) {
            assert!(take_and_commit(&ingest, batch(2, sequence)));
        }
    }
    (ingest, positions)
}

fn expected(sequence: u64) -> Vec<Said> {
    (0..SERIES.min(5 * sequence)).map(|n| (sequence, n)).collect()
}

#[test]
fn whoever_begins_anywhere_gets_every_sample_with_its_series() {
    let disk = MemoryDisk::default();
    let (ingest, positions) = written(&disk, 200);
    let statistics = ingest.spool().statistics();
    assert!(statistics.segments > 3, "{statistics:?}");
    assert!(statistics.appended_bytes < 200 * 300, "labels are not repeated: {statistics:?}");
    let whole: BTreeMap<Position, Vec<Said>> = positions.iter().copied().zip((1..).map(expected)).collect();
    for after in 0..positions[199].0 {
        let sink = Checked::after(Position(after));
        feed_to(&ingest, &sink);
        let rest: BTreeMap<_, _> = whole.clone().into_iter().filter(|(position, _)| position.0 > after).collect();
        assert_eq!(sink.given(), rest, "after {after}");
    }
    drop(ingest);
    let (ingest, sink) = (open(&disk.kill()), Checked::default());
    feed_to(&ingest, &sink);
    assert_eq!(sink.given(), whole);
    assert_eq!((ingest.metrics.lost.get(), ingest.metrics.unreadable.get()), (0, 0));
}

#[test]
fn the_feed_goes_back_to_a_segment_before() {
    let disk = MemoryDisk::default();
    let (ingest, positions) = written(&disk, 200);
    let sink = Checked::after(positions[49]);
    let mut feed = Feed::new(Arc::clone(&ingest), sink.clone(), None).unwrap();
    while feed.give().unwrap() {}
    assert_eq!(sink.given().len(), 150);
    // As after an error: it has less than it was given.
    sink.0.lock().unwrap().1.clear();
    feed.recover().unwrap();
    while feed.give().unwrap() {}
    let again: Vec<Vec<Said>> = sink.given().into_values().collect();
    assert_eq!(again, (51..=200).map(expected).collect::<Vec<_>>());
}

#[test]
fn a_damaged_entry_costs_what_only_it_defined_and_nothing_is_taken_for_it() {
    let disk = MemoryDisk::default();
    let (ingest, positions) = written(&disk, 12);
    drop(ingest);
    let segment = disk.files_there().into_iter().find(|name| name.ends_with(".seg")).unwrap();
    disk.damage(&segment, |bytes| {
        let length = u32::from_le_bytes(*bytes[HEADER + 4..].first_chunk().unwrap()) as usize;
        bytes[HEADER + HEAD + length + HEAD + 60] ^= 0x80;
    });
    let (ingest, sink) = (open(&disk), Checked::default());
    feed_to(&ingest, &sink);
    let given = sink.given();
    assert!(!given.contains_key(&positions[1]), "it is damaged");
    assert_eq!(given[&positions[0]], expected(1));
    let mut lost = 0;
    for (position, sequence) in positions.iter().zip(1..).skip(2) {
        let known: Vec<Said> = expected(sequence).into_iter().filter(|(_, n)| !(5..10).contains(n)).collect();
        assert_eq!(given[position], known);
        lost += 5;
    }
    assert_eq!(ingest.metrics.lost.get(), lost);
}

#[test]
fn a_power_cut_takes_no_series_from_what_was_acknowledged() {
    for seed in 0..200_u64 {
        let mut state = seed * 2 + 1;
        let mut chance = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        };
        let (mut disk, series) = (MemoryDisk::default(), all_series());
        let (mut sequence, mut acknowledged) = (0, Vec::new());
        for _ in 0..4 {
            let (ingest, mut waiting) = (open(&disk), Vec::new());
            for _ in 0..chance() % 30 {
                sequence += 1;
                let Taken::Written(ticket) = ingest.take(HOME, samples(&series, sequence)).unwrap() else { panic!() };
                waiting.push(sequence);
                if chance().is_multiple_of(3) {
                    ingest.commit(ticket).unwrap();
                    acknowledged.append(&mut waiting);
                }
            }
            disk = if chance().is_multiple_of(2) { disk.power_cut(&mut chance) } else { disk.kill() };
            let (ingest, sink) = (open(&disk), Checked::default());
            feed_to(&ingest, &sink);
            let there: BTreeMap<u64, Vec<Said>> =
                sink.given().into_values().filter_map(|said| Some((said.first()?.0, said))).collect();
            assert!(there.iter().all(|(sequence, said)| *said == expected(*sequence)), "{seed}: {there:?}");
            let missing: Vec<_> = acknowledged.iter().filter(|sequence| !there.contains_key(sequence)).collect();
            assert!(missing.is_empty(), "seed {seed}: {missing:?}");
            assert_eq!(ingest.metrics.lost.get(), 0, "seed {seed}");
        }
    }
}

/// A segment of three batches, each with all its labels, as written before series were shared; the process was killed.
#[test]
fn a_log_of_an_earlier_version_is_read_and_gone_on_with() {
    const NAME: &str = "00000000000000000001-8f435d22.seg";
    let disk = MemoryDisk::default();
    disk.files().create(NAME).unwrap();
    disk.damage(NAME, |bytes| *bytes = include_bytes!("../testdata/00000000000000000001-8f435d22.seg").to_vec());
    let (ingest, sink) = (open(&disk), Checked::default());
    assert!(!take_and_commit(&ingest, samples(&all_series(), 3)), "it is known");
    assert!(take_and_commit(&ingest, samples(&all_series(), 4)));
    feed_to(&ingest, &sink);
    assert_eq!(sink.given().into_values().collect::<Vec<_>>(), (1..=4).map(expected).collect::<Vec<_>>());
    assert_eq!((ingest.metrics.lost.get(), ingest.metrics.unreadable.get()), (0, 0));
}
