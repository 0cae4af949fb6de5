//! Batches in, the log, the sink: each once, whatever happens between.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netwatch_model::people::WorkspaceId;
use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, EndReason, Event, EventKind, Position, Record, Severity, Timestamp,
};
use netwatch_spool::testing::{Faults, MemoryDisk};
use netwatch_spool::{Config, Gap, SpoolMetrics, WhenFull};
use netwatch_telemetry::clock::{ManualClock, SystemClock};
use netwatch_telemetry::metrics::{BuildInfo, Metrics, Stage, StageCounters};

use super::session::QUEUE;
use super::*;
use crate::query::LiveStore;
use crate::store::{StoreConfig, batch_of, record};

mod crash;
mod series;

fn small() -> Config {
    Config {
        segment_bytes: 8192,
        max_bytes: 256 << 10,
        keep_bytes: 0,
        keep_age: Duration::ZERO,
        when_full: WhenFull::Refuse,
        reserve_bytes: 4096,
        ..Config::ingest(consumers(true))
    }
}

fn open(disk: &MemoryDisk) -> Arc<Ingest> {
    let metrics = (SpoolMetrics::unregistered(), IngestMetrics::default());
    Arc::new(Ingest::open(small(), disk.files(), Arc::new(SystemClock), metrics).unwrap().0)
}

fn event(text: &str) -> Record {
    let (subject, text) = ("x".into(), text.into());
    let (kind, severity) = (EventKind::InterfaceUp, Severity::Info);
    Record::Event(Event { time: Timestamp::from_secs(5), kind, severity, subject, text })
}

fn batch(boot: u64, sequence: u64) -> Batch {
    let key = BatchKey { agent: AgentId(1), boot: BootId(boot), sequence };
    Batch { key, records: vec![event(&format!("{boot}/{sequence}"))] }
}

/// Remembers what it was given, and what of it was flushed; fails when told to.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Shelves>>);

#[derive(Default)]
struct Shelves {
    stored: Vec<(Position, String)>,
    waiting: Vec<(Position, String)>,
    gaps: Vec<Gap>,
    fails: Vec<SinkError>,
    recovered: u32,
}

impl Shelf {
    fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap().stored.iter().map(|(_, text)| text.clone()).collect()
    }
}

impl Sink for Shelf {
    fn stored(&self) -> Position {
        self.0.lock().unwrap().stored.last().map_or(Position::ZERO, |(position, _)| *position)
    }

    fn apply(
        &mut self,
        position: Position,
        workspace: WorkspaceId,
        batch: Batch,
        _: Timestamp,
    ) -> Result<(), SinkError> {
        assert_eq!(workspace, HOME);
        let mut shelves = self.0.lock().unwrap();
        if let Some(error) = shelves.fails.pop() {
            return Err(error);
        }
        for record in batch.records {
            let text = match record {
                Record::Event(event) => event.text.to_string(),
                other => panic!("not an event: {other:?}"),
            };
            shelves.waiting.push((position, text));
        }
        Ok(())
    }

    fn missing(&mut self, gap: &Gap) {
        self.0.lock().unwrap().gaps.push(*gap);
    }

    fn flush(&mut self, _: Timestamp) -> Result<(), SinkError> {
        let mut shelves = self.0.lock().unwrap();
        let waiting = std::mem::take(&mut shelves.waiting);
        shelves.stored.extend(waiting);
        Ok(())
    }

    fn recover(&mut self, _: Timestamp) -> Result<(), SinkError> {
        let mut shelves = self.0.lock().unwrap();
        shelves.waiting.clear();
        shelves.recovered += 1;
        Ok(())
    }

    fn wants_recovery(&self) -> bool {
        false
    }
}

/// Gives everything that is in the log.
fn feed(ingest: &Arc<Ingest>, shelf: &Shelf) {
    Feed::new(Arc::clone(ingest), shelf.clone(), None).unwrap().run(&AtomicBool::new(true));
}

fn take_and_commit(ingest: &Ingest, batch: Batch) -> bool {
    match ingest.take(HOME, batch).unwrap() {
        Taken::Written(ticket) => ingest.commit(ticket).is_ok(),
        Taken::Repeated | Taken::Empty => false,
    }
}

#[test]
fn a_repeated_or_reordered_batch_changes_nothing_also_after_a_restart() {
    let (disk, shelf) = (MemoryDisk::default(), Shelf::default());
    let ingest = open(&disk);
    for sequence in [1, 3, 2, 3, 1, 5, 4, 5] {
        take_and_commit(&ingest, batch(1, sequence));
    }
    assert_eq!(ingest.metrics.repeated.get(), 3);
    feed(&ingest, &shelf);
    drop(ingest);
    // Killed: no window was kept.
    let ingest = open(&disk);
    for sequence in 1..=6 {
        assert_eq!(take_and_commit(&ingest, batch(1, sequence)), sequence == 6);
    }
    assert!(take_and_commit(&ingest, batch(2, 1)), "another run");
    ingest.close();
    feed(&ingest, &shelf);
    drop(ingest);
    let ingest = open(&disk);
    assert!(!take_and_commit(&ingest, batch(1, 6)) && !take_and_commit(&ingest, batch(2, 1)));
    feed(&ingest, &shelf);
    assert_eq!(shelf.texts(), ["1/1", "1/3", "1/2", "1/5", "1/4", "1/6", "2/1"]);
}

#[test]
fn old_segments_go_when_the_sink_has_them_and_batches_stay_known() {
    let (disk, shelf) = (MemoryDisk::default(), Shelf::default());
    let ingest = open(&disk);
    for sequence in 1..=1000 {
        assert!(take_and_commit(&ingest, batch(1, sequence)));
    }
    let full = ingest.spool().statistics();
    feed(&ingest, &shelf);
    ingest.close();
    let after = ingest.spool().statistics();
    assert!(after.segments <= 2 && full.segments > 8, "{full:?} {after:?}");
    drop(ingest);
    let ingest = open(&disk);
    assert!((1..=1000).all(|sequence| !take_and_commit(&ingest, batch(1, sequence))));
    feed(&ingest, &shelf);
    assert_eq!(shelf.texts().len(), 1000);
}

#[test]
fn what_a_young_conversation_has_carried_so_far_is_live_only() {
    let ended = |n| netwatch_model::FlowRecord { end_reason: Some(EndReason::ActiveTimeout), ..record(n, 999) };
    let (disk, live) = (MemoryDisk::default(), live());
    let ingest = open(&disk);
    let (sender, server) = InProcess::new(Arc::clone(&live), ManualClock::at(Timestamp::from_secs(1000)), stage());
    sender.try_send(batch_of(1, [record(1, 999), record(2, 999)])).unwrap();
    sender.try_send(batch_of(2, [record(1, 999), ended(2)])).unwrap();
    server.kept_in(Arc::clone(&ingest), HOME).run(&AtomicBool::new(true));
    assert_eq!(live.statistics(Timestamp::from_secs(1000)).store.batches, 2);
    ingest.close();
    let mut reader = ingest.spool().reader(Position::FIRST);
    let Some(netwatch_spool::Item::Record { payload, .. }) = reader.next() else { panic!("nothing is kept") };
    let (workspace, bytes) = entry::parse(payload).unwrap();
    let kept = netwatch_model::codec::decode(bytes).unwrap().batch;
    assert_eq!((workspace, kept), (HOME, batch_of(2, [ended(2)])));
    assert!(reader.next().is_none());
}

#[test]
fn a_batch_that_the_disk_did_not_keep_may_come_again() {
    let (disk, shelf) = (MemoryDisk::default(), Shelf::default());
    let ingest = open(&disk);
    disk.fail(Faults { syncs: Some(0), ..Faults::default() });
    assert!(!take_and_commit(&ingest, batch(1, 1)));
    assert!(take_and_commit(&ingest, batch(1, 1)));
    feed(&ingest, &shelf);
    assert_eq!(shelf.texts(), ["1/1"]);
}

#[test]
fn without_space_live_goes_on_and_one_event_tells_of_it_afterwards() {
    let (disk, live, shelf) = (MemoryDisk::default(), live(), Shelf::default());
    let ingest = open(&disk);
    assert!(take_and_commit(&ingest, batch(1, 1)));
    disk.fail(Faults { capacity: Some(4700), ..Faults::default() });
    let health = netwatch_telemetry::health::Health::new();
    let component =
        health.component("ingest log", netwatch_telemetry::health::Importance::Optional, Timestamp::ZERO).unwrap();
    let (sender, server) = InProcess::new(Arc::clone(&live), ManualClock::at(Timestamp::from_secs(1000)), stage());
    for sequence in 2..=3 {
        let records = (0..100).map(|n| event(&format!("{sequence}/{n}"))).collect();
        sender.try_send(Batch { records, ..batch(1, sequence) }).unwrap();
    }
    server.kept_in(Arc::clone(&ingest), HOME).run(&AtomicBool::new(true));
    assert_eq!(live.statistics(Timestamp::from_secs(1000)).store.batches, 2, "live data goes on");
    ingest.keep(&live, HOME, Some(&component), &AtomicBool::new(true));
    let said = health.report().components[0].state.to_string();
    assert!(said.contains("not kept") && said.contains("no space is left"), "{said}");
    disk.fail(Faults::default());
    ingest.keep(&live, HOME, Some(&component), &AtomicBool::new(true));
    ingest.keep(&live, HOME, Some(&component), &AtomicBool::new(true));
    assert_eq!(health.report().worst(), "ok");
    feed(&ingest, &shelf);
    let texts = shelf.texts();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[1].starts_with("history has 200 records less from "), "{texts:?}");
    assert_eq!(ingest.metrics.not_kept.get(), 200);
}

#[test]
fn a_sink_that_fails_is_given_again_what_it_has_not_stored() {
    let (disk, shelf) = (MemoryDisk::default(), Shelf::default());
    let ingest = open(&disk);
    let stop = Arc::new(AtomicBool::new(false));
    shelf.0.lock().unwrap().fails =
        vec![SinkError::Failed("broken".into()), SinkError::ReadOnly("the disk is nearly full".to_owned())];
    let feed = Feed::new(Arc::clone(&ingest), shelf.clone(), None).unwrap();
    let thread = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || feed.run(&stop)
    });
    for sequence in 1..=20 {
        while !matches!(ingest.take(HOME, batch(1, sequence)), Ok(Taken::Written(ticket)) if ingest.commit(ticket).is_ok())
        {
            // waits: for the feed to find the sink writable again, which has no event
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    while shelf.0.lock().unwrap().waiting.len() < 20 {
        // waits: for the thread to give everything, which ends the test by its time limit otherwise
        std::thread::sleep(Duration::from_millis(5));
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    thread.join().unwrap();
    assert_eq!(shelf.texts(), (1..=20).map(|n| format!("1/{n}")).collect::<Vec<_>>());
    let shelves = shelf.0.lock().unwrap();
    assert_eq!((shelves.recovered, shelves.gaps.len()), (1, 0));
}

#[test]
fn a_sink_that_lost_everything_is_fed_as_far_as_the_log_reaches() {
    let (disk, shelf) = (MemoryDisk::default(), Shelf::default());
    let ingest = open(&disk);
    for sequence in 1..=1000 {
        take_and_commit(&ingest, batch(1, sequence));
    }
    feed(&ingest, &shelf);
    ingest.close();
    let fresh = Shelf::default();
    feed(&ingest, &fresh);
    let shelves = fresh.0.lock().unwrap();
    let gap = shelves.gaps[0];
    assert_eq!((gap.first, gap.records + shelves.stored.len() as u64), (Position::FIRST, 1000));
}

#[test]
fn a_log_that_was_replaced_goes_on_where_the_sink_stands() {
    let shelf = Shelf::default();
    let old = open(&MemoryDisk::default());
    (1..=9).for_each(|sequence| assert!(take_and_commit(&old, batch(1, sequence))));
    feed(&old, &shelf);
    let new = open(&MemoryDisk::default());
    feed(&new, &shelf);
    assert!(take_and_commit(&new, batch(2, 1)));
    feed(&new, &shelf);
    assert_eq!(shelf.texts().len(), 10);
    assert!(shelf.0.lock().unwrap().stored[9].0 > Position(9));
}

fn live() -> Arc<LiveStore> {
    Arc::new(LiveStore::new(StoreConfig::default()))
}

fn stage() -> StageCounters {
    Metrics::new(BuildInfo { version: "0", revision: "0" }).stage(Stage::Ingest)
}

#[test]
fn what_was_sent_before_the_end_is_taken_in() {
    let (store, stage) = (live(), stage());
    let clock = ManualClock::at(Timestamp::from_secs(1000));
    let (sender, server) = InProcess::new(Arc::clone(&store), clock, stage.clone());
    for n in 1..=5_u32 {
        sender.try_send(batch_of(n.into(), [record(n, 999)])).unwrap();
    }
    server.run(&AtomicBool::new(true));
    assert_eq!((stage.received.get(), stage.stored.get()), (5, 5));
    assert_eq!(store.statistics(Timestamp::from_secs(1000)).store.batches, 5);
    assert!(sender.try_send(batch_of(6, [])).is_err(), "nobody takes it in any more");
}

#[test]
fn a_full_queue_gives_the_batch_back() {
    let (sender, _server) = InProcess::new(live(), ManualClock::at(Timestamp::from_secs(1000)), stage());
    let mut sequence = 0;
    let refused = loop {
        sequence += 1;
        if let Err(batch) = sender.try_send(batch_of(sequence, [])) {
            break batch;
        }
    };
    assert_eq!((sequence, refused.key.sequence), (QUEUE as u64 + 1, QUEUE as u64 + 1));
}
