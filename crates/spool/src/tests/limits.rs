//! Caps, checkpoints, a full disk and a disk that fails.

use super::*;
use crate::testing::Faults;

const KILOBYTE: &[u8] = &[7; 1024];

#[test]
fn the_oldest_goes_and_what_was_lost_is_known() {
    let (disk, clock) = (MemoryDisk::default(), ManualClock::at(START));
    let (spool, _) = open_with(&disk, small(WhenFull::DropOldest), &clock);
    for _ in 0..100 {
        put(&spool, KILOBYTE).unwrap();
        clock.advance(Duration::from_secs(1));
    }
    let statistics = spool.statistics();
    assert!(statistics.bytes <= 32 << 10, "{statistics:?}");
    let gaps = spool.gaps();
    let first = statistics.oldest.unwrap().0;
    assert_eq!(gaps.len(), 1, "neighbours are one gap: {gaps:?}");
    let gap = gaps[0];
    assert_eq!(
        (gap.reason, gap.first, gap.last.next(), gap.records),
        (GapReason::Full, Position(1), first, first.0 - 1)
    );
    assert_eq!(gap.from, START);
    assert_eq!(gap.to, START + Duration::from_secs(first.0 - 2));
    assert_eq!(statistics.dropped, gap.records);
    drop(spool);
    let (spool, _) = open_with(&disk, small(WhenFull::DropOldest), &clock);
    assert_eq!(spool.gaps(), gaps, "also after a restart");
    assert_eq!(read(&spool, 1).1, [(1, first.0 - 1)], "a reader is told");
}

#[test]
fn what_was_acknowledged_stays_when_a_log_refuses() {
    let disk = MemoryDisk::default();
    let (spool, _) = open_with(&disk, small(WhenFull::Refuse), &ManualClock::at(START));
    let mut taken = 0;
    let refused = loop {
        match put(&spool, KILOBYTE) {
            Ok(_) => taken += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, AppendError::Full { max_bytes: 32_768, .. }), "{refused}");
    assert_eq!(read(&spool, 1).0.len(), taken);
    let half = Checkpoint { next: Position(taken as u64 / 2), state: Vec::new() };
    spool.save("reader", &half).unwrap();
    put(&spool, KILOBYTE).unwrap();
    assert_eq!(spool.gaps(), []);
    assert_eq!((spool.statistics().refused, spool.statistics().dropped), (1, 0));
}

#[test]
fn what_all_have_is_kept_for_a_while() {
    let (disk, clock) = (MemoryDisk::default(), ManualClock::at(START));
    let keeping = Config { keep_bytes: 16 << 10, keep_age: Duration::from_hours(1), ..small(WhenFull::Refuse) };
    let (spool, _) = open_with(&disk, keeping, &clock);
    for _ in 0..12 {
        put(&spool, KILOBYTE).unwrap();
    }
    let all = Checkpoint { next: spool.statistics().durable, state: b"abc".to_vec() };
    spool.save("reader", &all).unwrap();
    assert_eq!(spool.statistics().oldest.unwrap().0, Position(1), "less than is kept");
    assert_eq!(spool.checkpoint("reader").unwrap(), Some(all));
    for _ in 0..12 {
        put(&spool, KILOBYTE).unwrap();
    }
    spool.save("reader", &Checkpoint { next: Position(13), state: Vec::new() }).unwrap();
    assert!(spool.statistics().oldest.unwrap().0 > Position(1), "more than is kept");
    clock.advance(Duration::from_hours(2));
    spool.tidy();
    assert!(spool.statistics().oldest.unwrap().0 >= Position(9), "too old, and nobody needs it");
    assert!(read(&spool, 13).0.len() == 12 && spool.gaps().is_empty());
}

#[test]
fn what_is_too_old_goes_unless_the_clock_was_set() {
    let (disk, clock) = (MemoryDisk::default(), ManualClock::at(START));
    let (spool, _) = open_with(&disk, small(WhenFull::DropOldest), &clock);
    put(&spool, &[1; 5000]).unwrap();
    clock.set_wall(START + Duration::from_hours(48));
    put(&spool, &[2; 5000]).unwrap();
    clock.set_wall(START);
    put(&spool, &[3; 5000]).unwrap();
    assert_eq!(spool.gaps(), []);
    clock.advance(Duration::from_hours(25));
    spool.tidy();
    let gaps = spool.gaps();
    assert_eq!((gaps[0].reason, gaps[0].first), (GapReason::Age, Position(1)));
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_space() {
    let disk = MemoryDisk::default();
    let (spool, _) = open_with(&disk, small(WhenFull::Refuse), &ManualClock::at(START));
    put(&spool, KILOBYTE).unwrap();
    disk.fail(Faults { capacity: Some(8 << 10), ..Faults::default() });
    let mut taken = 1;
    let refused = loop {
        match put(&spool, KILOBYTE) {
            Ok(_) => taken += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, AppendError::NoSpace { .. }), "{refused}");
    let state = vec![1; 1500];
    spool.save("reader", &Checkpoint { next: Position(2), state }).expect("the reserve is for that");
    assert!(put(&spool, KILOBYTE).is_err(), "and for nothing else");
    disk.fail(Faults::default());
    put(&spool, KILOBYTE).unwrap();
    assert_eq!(read(&spool, 1).0.len(), taken + 1);
    assert!(disk.files_there().iter().any(|name| name == "reserve"), "there is a reserve again");
    assert_eq!(spool.statistics().failed_syncs, 0);
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_that_is_not_there() {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    put(&spool, b"before").unwrap();
    disk.fail(Faults { syncs: Some(0), ..Faults::default() });
    let tickets = [spool.append(b"lost").unwrap(), spool.append(b"lost too").unwrap()];
    for ticket in tickets {
        assert!(matches!(spool.commit(ticket), Err(AppendError::NotDurable { .. })));
    }
    assert_eq!(texts(&spool), ["before"]);
    put(&spool, b"after").unwrap();
    assert_eq!(texts(&spool), ["before", "after"]);
    let statistics = spool.statistics();
    assert_eq!((statistics.failed_syncs, statistics.refused, statistics.damaged), (1, 2, 0));
    let after = disk.power_cut(|| 1);
    let (spool, recovery) = open(&after);
    assert_eq!((texts(&spool), recovery.lost()), (vec!["before".to_owned(), "after".to_owned()], 0));
    assert_eq!(spool.gaps(), []);
}

#[test]
fn a_failing_disk_leaves_no_heap_of_empty_segments() {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    for _ in 0..50 {
        disk.fail(Faults { syncs: Some(0), ..Faults::default() });
        assert!(put(&spool, b"x").is_err());
    }
    assert!(disk.files_there().len() < 5, "{:?}", disk.files_there());
    put(&spool, b"well again").unwrap();
    assert_eq!(texts(&spool), ["well again"]);
}

#[test]
fn positions_can_jump_and_nothing_is_missed_there() {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    put(&spool, b"before").unwrap();
    let _unfinished = spool.append(b"too").unwrap();
    spool.jump(Position(1)).unwrap();
    spool.jump(Position(500)).unwrap();
    assert_eq!(put(&spool, b"after").unwrap(), Position(501));
    assert_eq!(read(&spool, 1).1, []);
    drop(spool);
    let (spool, recovery) = open(&disk);
    assert_eq!((texts(&spool), recovery.lost()), (vec!["before".to_owned(), "too".to_owned(), "after".to_owned()], 0));
    assert_eq!(read(&spool, 1).1, []);
}

#[test]
fn limits_that_cannot_work_are_refused() {
    let refused = |config: Config| {
        let clock = Arc::new(ManualClock::at(START));
        Spool::open(config, MemoryDisk::default().files(), clock, SpoolMetrics::unregistered()).unwrap_err().to_string()
    };
    assert!(refused(Config { segment_bytes: 16 << 10, ..small(WhenFull::Refuse) }).contains("a quarter"));
    assert!(refused(Config { consumers: vec!["../x"], ..small(WhenFull::Refuse) }).contains("lower-case"));
    let (spool, _) = open(&MemoryDisk::default());
    assert!(matches!(spool.append(&vec![0; MAX_RECORD + 1]), Err(AppendError::TooLong { .. })));
    let long = Checkpoint { next: Position(1), state: vec![0; MAX_STATE + 1] };
    assert!(matches!(spool.save("reader", &long), Err(SpoolError::State { .. })));
    assert!(matches!(spool.save("another", &Checkpoint::default()), Err(SpoolError::Consumer(_))));
}

#[test]
fn a_record_that_needs_its_segment_is_in_no_other() {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    let first = spool.append(KILOBYTE).unwrap();
    assert_eq!(first.segment, first.position);
    let second = spool.append_within(first.segment, b"behind it").unwrap().unwrap();
    assert_eq!((second.position, second.segment), (first.position.next(), first.segment));
    while spool.append_within(first.segment, KILOBYTE).unwrap().is_some_and(|ticket| spool.commit(ticket).is_ok()) {}
    let refused = spool.statistics().refused;
    let next = spool.append(KILOBYTE).unwrap();
    assert_eq!((next.segment, refused), (next.position, 0));
    spool.commit(next).unwrap();
    assert_eq!(spool.append_within(first.segment, b"too late").unwrap(), None);
    let mut reader = spool.reader(Position::FIRST);
    while let Some(Item::Record { position, segment, .. }) = reader.next() {
        assert_eq!(segment, if position < next.position { first.segment } else { next.segment });
    }
    // A segment that failed is none, either.
    disk.fail(Faults { syncs: Some(0), ..Faults::default() });
    let lost = spool.append_within(next.segment, b"lost").unwrap().unwrap();
    spool.commit(lost).unwrap_err();
    assert_eq!(spool.append_within(next.segment, b"too late").unwrap(), None);
}
