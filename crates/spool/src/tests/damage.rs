//! Damage of every kind in every file: the log opens, loses what was hit and no more, and says what.

use proptest::prelude::*;

use super::*;

const RECORDS: u64 = 60;

/// A log of several segments, with a checkpoint at the beginning, closed.
fn written() -> MemoryDisk {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    spool.save("reader", &Checkpoint { next: Position(1), state: b"state".to_vec() }).unwrap();
    for n in 1..=RECORDS {
        put(&spool, &payload(n)).unwrap();
    }
    assert!(spool.statistics().segments > 3);
    disk
}

fn payload(n: u64) -> Vec<u8> {
    n.to_le_bytes().into_iter().cycle().take(300).collect()
}

/// What is there after a damage: only whole records, in order; everything else is in the gaps. Tells the lost positions.
fn lost_after(disk: &MemoryDisk) -> Vec<u64> {
    let (spool, recovery) = open(disk);
    let (records, gaps) = read(&spool, 1);
    for (position, bytes) in &records {
        assert_eq!(*bytes, payload(*position));
    }
    let mut there: Vec<u64> = records.iter().map(|(position, _)| *position).collect();
    let lost: Vec<u64> = gaps.iter().flat_map(|(first, last)| *first..=*last).collect();
    there.extend(&lost);
    there.sort_unstable();
    let whole: Vec<u64> = (1..=RECORDS).collect();
    if recovery.torn_bytes == 0 {
        assert_eq!(there, whole, "each is there or known as lost, once");
    } else {
        // How many records the torn end held cannot be known.
        assert!(whole.starts_with(&there), "{there:?}");
    }
    let next = put(&spool, b"on it goes").unwrap();
    assert!(next.0 > RECORDS || recovery.torn_bytes > 0);
    assert_eq!(read(&spool, next.0).0, [(next.0, b"on it goes".to_vec())]);
    (1..=RECORDS).filter(|n| !records.iter().any(|(position, _)| position == n)).collect()
}

/// Positions that begin or end in some bytes of a segment: at most two for one bit.
fn segments(disk: &MemoryDisk) -> Vec<String> {
    disk.files_there().into_iter().filter(|name| name.ends_with(".seg")).collect()
}

proptest! {
    #[test]
    fn one_bit_costs_one_record(file in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let disk = written();
        let names = disk.files_there();
        let name = &names[file.index(names.len())];
        disk.damage(name, |bytes| {
            if !bytes.is_empty() {
                let at = bit.index(bytes.len() * 8);
                bytes[at / 8] ^= 1 << (at % 8);
            }
        });
        prop_assert!(lost_after(&disk).len() <= 1);
    }

    #[test]
    fn a_cut_file_costs_its_end(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let disk = written();
        let names = disk.files_there();
        let name = &names[file.index(names.len())];
        disk.damage(name, |bytes| bytes.truncate(at.index(bytes.len() + 1)));
        let lost = lost_after(&disk);
        prop_assert!(lost.len() <= 13, "a segment has twelve records: {lost:?}");
        prop_assert!(lost.windows(2).all(|pair| pair[0] + 1 == pair[1]), "they follow one another: {lost:?}");
    }

    #[test]
    fn a_stretch_of_noise_costs_what_it_covers(file in any::<prop::sample::Index>(), from in 0..4096_usize, length in 1..2000_usize, noise in any::<u8>()) {
        let disk = written();
        let names = segments(&disk);
        let name = &names[file.index(names.len())];
        disk.damage(name, |bytes| {
            let end = bytes.len();
            bytes[from.min(end)..(from + length).min(end)].fill(noise);
        });
        prop_assert!(lost_after(&disk).len() <= length / 332 + 2);
    }

    #[test]
    fn any_bytes_in_the_place_of_a_file_are_survived(file in any::<prop::sample::Index>(), bytes in any::<Vec<u8>>()) {
        let disk = written();
        let names = disk.files_there();
        disk.damage(&names[file.index(names.len())], |there| *there = bytes);
        lost_after(&disk);
    }
}

#[test]
fn a_missing_segment_is_a_gap_with_its_times() {
    let disk = written();
    let names = segments(&disk);
    disk.files().remove(&names[1]).unwrap();
    let lost = lost_after(&disk);
    let second = segment::Name::parse(&names[1]).unwrap().first.0;
    let third = segment::Name::parse(&names[2]).unwrap().first.0;
    assert_eq!(lost, (second..third).collect::<Vec<_>>());
    // It stays known, and is counted once.
    let (spool, _) = open(&disk);
    read(&spool, 1);
    let gaps: Vec<Gap> = spool.gaps();
    assert_eq!((gaps.len(), gaps[0].reason, gaps[0].records), (1, GapReason::Damaged, third - second));
    assert_eq!((gaps[0].from, gaps[0].to), (START, START));
}

/// A log whose process was killed when it had just acknowledged so many records; how much it needs is the consumer's.
fn killed(records: u64, needed: u64) -> MemoryDisk {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    for n in 1..=records {
        put(&spool, &payload(n)).unwrap();
        if n == needed {
            spool.save("reader", &Checkpoint { next: Position(n), state: Vec::new() }).unwrap();
        }
    }
    disk.kill()
}

#[test]
fn what_is_gone_from_the_end_is_told_also_after_a_kill() {
    type Cut = fn(&mut Vec<u8>);
    let cuts: [(Cut, u64); 3] =
        [(|bytes| bytes.truncate(segment::HEADER + 332 + 100), 2), (|bytes| bytes.truncate(20), 1), (Vec::clear, 1)];
    for (cut, first) in cuts {
        for needed in [1, 3] {
            let disk = killed(7, needed);
            let last = segments(&disk).pop().unwrap();
            disk.damage(&last, cut);
            let (spool, recovery) = open(&disk);
            let missing = recovery.missing.unwrap();
            assert_eq!((missing.first.0, missing.last.0), (first.max(needed), 7), "{recovery:?}");
            assert_eq!((recovery.lost(), spool.statistics().damaged), (missing.records, missing.records));
            assert!(put(&spool, b"on it goes").unwrap() > Position(7));
            drop(spool);
            assert_eq!(open(&disk).1.missing, None, "it is told once");
        }
    }
    assert_eq!(open(&killed(7, 1)).1.lost(), 0);
}

#[test]
fn a_torn_end_is_cut_and_told() {
    let disk = written();
    let last = segments(&disk).pop().unwrap();
    disk.damage(&last, |bytes| bytes.extend_from_slice(b"NWr\x01 half a record"));
    let (spool, recovery) = open(&disk);
    assert_eq!((recovery.torn_bytes, recovery.lost()), (18, 0));
    drop(spool);
    let (spool, recovery) = open(&disk);
    assert_eq!(recovery.torn_bytes, 0);
    assert_eq!(read(&spool, 1).0.len() as u64, RECORDS);
}

#[test]
fn a_lost_checkpoint_is_told_and_begins_anew() {
    let disk = written();
    disk.damage("consumer-reader", |bytes| bytes[9] ^= 1);
    let (spool, recovery) = open(&disk);
    assert_eq!(recovery.lost_checkpoints, ["reader"]);
    assert_eq!(spool.checkpoint("reader").unwrap(), None);
    assert_eq!(spool.needed_by("reader").unwrap(), Position::ZERO);
}

#[test]
fn a_consumer_without_a_checkpoint_yet_has_lost_none() {
    let disk = MemoryDisk::default();
    put(&open(&disk).0, b"one").unwrap();
    assert!(open(&disk).1.lost_checkpoints.is_empty(), "killed before it was first kept");
}
