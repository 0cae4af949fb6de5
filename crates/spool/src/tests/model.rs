//! The log against a simple model, on a disk that fails: whatever happens, what was acknowledged is there once and whole, unless a
//! gap says that it went, and what is there was appended.

use std::collections::BTreeMap;
use std::time::Duration;

use netwatch_model::Position;
use netwatch_telemetry::clock::ManualClock;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{START, open_with, small};
use crate::testing::{Faults, MemoryDisk};
use crate::*;

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Commit,
    /// The consumer has that share of what there is, in percent.
    Save(u64),
    Advance(u64),
    FailSync(u32),
    FailWrite(u32),
    Capacity(Option<usize>),
    Restart,
    Kill,
    PowerCut(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..1500_usize).prop_map(Step::Append),
        2 => (0..9000_usize).prop_map(Step::Append),
        8 => Just(Step::Commit),
        2 => (0..101_u64).prop_map(Step::Save),
        1 => (0..7200_u64).prop_map(Step::Advance),
        1 => (0..3_u32).prop_map(Step::FailSync),
        1 => (0..6_u32).prop_map(Step::FailWrite),
        1 => prop::option::of(5_000..60_000_usize).prop_map(Step::Capacity),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
        2 => any::<u64>().prop_map(Step::PowerCut),
    ]
}

struct World {
    config: Config,
    disk: MemoryDisk,
    clock: ManualClock,
    spool: Option<Spool>,
    made: u64,
    open: Vec<(Ticket, Vec<u8>)>,
    /// All that was ever appended: what vanished without an acknowledgement leaves its position to another.
    appended: BTreeMap<Position, Vec<Vec<u8>>>,
    acknowledged: BTreeMap<Position, Vec<u8>>,
    faults: Faults,
    /// Before it the consumer has said to have everything, once.
    had: Position,
}

impl World {
    fn new(when_full: WhenFull) -> Self {
        let (disk, clock, config) = (MemoryDisk::default(), ManualClock::at(START), small(when_full));
        let spool = Some(open_with(&disk, config.clone(), &clock).0);
        let (appended, acknowledged) = (BTreeMap::new(), BTreeMap::new());
        let faults = Faults::default();
        Self {
            config,
            disk,
            clock,
            spool,
            made: 0,
            open: Vec::new(),
            appended,
            acknowledged,
            faults,
            had: Position::ZERO,
        }
    }

    fn spool(&self) -> &Spool {
        self.spool.as_ref().unwrap()
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(length) => self.append(*length),
            Step::Commit => self.commit(),
            Step::Save(percent) => {
                let next = Position(self.spool().statistics().durable.0 * percent / 100);
                self.had = self.had.max(next);
                // It fails when the disk does; then the one before holds.
                let _ = self.spool().save("reader", &Checkpoint { next, state: b"state".to_vec() });
            }
            Step::Advance(seconds) => self.clock.advance(Duration::from_secs(*seconds)),
            Step::FailSync(after) => self.fail(Faults { syncs: Some(*after), ..self.faults }),
            Step::FailWrite(after) => self.fail(Faults { writes: Some(*after), ..self.faults }),
            Step::Capacity(capacity) => self.fail(Faults { capacity: *capacity, ..self.faults }),
            Step::Restart => self.reopen(|disk| disk.clone()),
            Step::Kill => self.reopen(MemoryDisk::kill),
            Step::PowerCut(seed) => {
                let mut state = seed | 1;
                let chance = move || {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state >> 33
                };
                self.reopen(|disk| disk.power_cut(chance));
            }
        }
    }

    fn append(&mut self, length: usize) {
        self.made += 1;
        let payload: Vec<u8> = self.made.to_le_bytes().into_iter().cycle().take(length).collect();
        if let Ok(ticket) = self.spool().append(&payload) {
            assert!(
                !self.acknowledged.contains_key(&ticket.position),
                "the position of an acknowledged record is its own"
            );
            self.appended.entry(ticket.position).or_default().push(payload.clone());
            self.open.push((ticket, payload));
        }
    }

    /// Everything is acknowledged that the disk takes.
    fn commit(&mut self) {
        for (ticket, payload) in std::mem::take(&mut self.open) {
            if self.spool().commit(ticket).is_ok() {
                self.acknowledged.insert(ticket.position, payload);
            }
        }
    }

    fn fail(&mut self, faults: Faults) {
        self.faults = Faults { capacity: faults.capacity, ..Faults::default() };
        self.disk.fail(faults);
    }

    fn reopen(&mut self, next: impl FnOnce(&MemoryDisk) -> MemoryDisk) {
        self.check();
        let disk = next(&self.disk);
        self.spool = None;
        self.open.clear();
        self.disk = disk;
        self.fail(Faults { syncs: None, writes: None, ..self.faults });
        let (spool, recovery) = open_with(&self.disk, self.config.clone(), &self.clock);
        // What the consumer had may have gone before it went back.
        assert!(recovery.missing.is_none_or(|gap| gap.last < self.had), "nobody took anything away: {recovery:?}");
        let mut reader = spool.reader(Position::FIRST);
        while let Some(item) = reader.next() {
            if let Item::Record { position, payload, .. } = item {
                // Whoever sends it again is told that it is there, so that it has to stay.
                self.acknowledged.insert(position, payload.to_vec());
            }
        }
        self.spool = Some(spool);
        self.check();
    }

    /// What must always hold.
    fn check(&self) {
        let spool = self.spool();
        let (mut there, mut gaps) = (BTreeMap::new(), spool.gaps());
        let mut reader = spool.reader(Position::FIRST);
        let mut before = Position::ZERO;
        while let Some(item) = reader.next() {
            match item {
                Item::Record { position, payload, .. } => {
                    assert!(position > before, "in order, each once");
                    before = position;
                    let is_ours = match self.acknowledged.get(&position) {
                        Some(acknowledged) => acknowledged == payload,
                        None => self.appended.get(&position).is_some_and(|all| all.iter().any(|one| one == payload)),
                    };
                    assert!(is_ours, "{position} is as it was appended");
                    there.insert(position, ());
                }
                Item::Gap(gap) => {
                    before = before.max(gap.last);
                    gaps.push(gap);
                }
            }
        }
        for position in self.acknowledged.keys().filter(|position| !there.contains_key(position)) {
            let is_told = gaps
                .iter()
                .any(|gap| gap.reason != GapReason::Damaged && gap.first <= *position && *position <= gap.last);
            assert!(*position < self.had || is_told, "{position} was acknowledged and is not there; gaps: {gaps:?}");
        }
        let statistics = spool.statistics();
        // The segment that went last may be there again after a power cut; unsynced it has up to twice its bytes and a record.
        let one = 2 * self.config.segment_bytes + 10_000;
        assert!(statistics.bytes <= self.config.max_bytes + one, "{statistics:?}");
        if self.config.when_full == WhenFull::Refuse {
            assert_eq!(statistics.dropped, 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_was_acknowledged_is_there(steps in vec(any_step(), 1..80), drops in any::<bool>(), seed in any::<u64>()) {
        let mut world = World::new(if drops { WhenFull::DropOldest } else { WhenFull::Refuse });
        for step in &steps {
            world.take(step);
        }
        world.check();
        world.take(&Step::PowerCut(seed));
    }
}
