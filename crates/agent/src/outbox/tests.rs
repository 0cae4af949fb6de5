//! The outbox with a session that breaks, a process that dies, and a server that remembers.

use std::collections::{BTreeMap, BTreeSet};

use netwatch_model::codec;
use netwatch_model::{Event, EventKind, Severity};
use netwatch_spool::testing::MemoryDisk;
use netwatch_telemetry::clock::ManualClock;
use proptest::prelude::*;

use super::*;
use crate::link::window::{Limits, Line, Sent, Window};

fn event(n: u64) -> Record {
    Record::Event(Event {
        time: Timestamp::ZERO,
        kind: EventKind::InterfaceUp,
        severity: Severity::Info,
        subject: "x".into(),
        text: n.to_string().as_str().into(),
    })
}

fn numbers(payload: &[u8]) -> Vec<u64> {
    let batch = codec::decode(payload).expect("it was written so").batch;
    batch
        .records
        .iter()
        .map(|r| if let Record::Event(e) = r { e.text.raw().parse().unwrap() } else { panic!() })
        .collect()
}

fn open(disk: &MemoryDisk, run: u64) -> Outbox {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_700_000_000)));
    Outbox::open(disk.files(), clock, run, |config| {
        (config.segment_bytes, config.max_bytes) = (4096, 1 << 24);
    })
    .expect("it is free")
    .0
}

/// Everything that is to be sent, in the order of the lines.
fn drain(lane: &mut Lane) -> Vec<Step> {
    std::iter::from_fn(|| lane.advance()).collect()
}

#[test]
fn what_waited_and_what_is_new_are_two_lines_of_two_runs() {
    let disk = MemoryDisk::default();
    let outbox = open(&disk, 1);
    outbox.put(&[event(1)]).unwrap();
    let mut lanes = outbox.begin(2);
    outbox.put(&[event(2), event(3)]).unwrap();
    let Some(Step::Batch(old)) = lanes.catch_up.advance() else { panic!("it waits") };
    let Some(Step::Batch(new)) = lanes.live.advance() else { panic!("it is new") };
    assert_eq!(((old.run, old.sequence), (new.run, new.sequence)), ((1, 1), (2, 1)));
    assert_eq!((numbers(&old.payload), numbers(&new.payload)), (vec![1], vec![2, 3]));
    assert!(lanes.catch_up.is_done() && !lanes.live.is_done());
    assert_eq!(outbox.waiting().batches, 2);
    outbox.acked(new.position, new.records);
    assert_eq!(outbox.waiting().batches, 1);
    outbox.acked(old.position, old.records);
    outbox.checkpoint(Duration::ZERO, true).unwrap();
    assert_eq!(outbox.waiting(), Waiting::default());
    assert!(drain(&mut outbox.begin(3).catch_up).is_empty(), "the server has everything");
}

#[test]
fn what_was_lost_at_the_cap_is_told_to_the_record() {
    let disk = MemoryDisk::default();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_700_000_000)));
    let limits = |config: &mut Config| (config.segment_bytes, config.max_bytes) = (4096, 16_384);
    let (outbox, _) = Outbox::open(disk.files(), clock, 1, limits).unwrap();
    for n in 0..200 {
        outbox.put(&[event(2 * n), event(2 * n + 1)]).unwrap();
    }
    let mut lanes = outbox.begin(2);
    let (mut seen, mut lost) = (0, 0);
    for step in drain(&mut lanes.catch_up) {
        match step {
            Step::Batch(ready) => {
                seen += ready.records;
                outbox.acked(ready.position, ready.records);
            }
            Step::Lost(one) => {
                assert_eq!((one.reason, one.from.secs()), (GapReason::Full, 1_700_000_000));
                lost += one.records;
            }
        }
    }
    assert!(lost > 0 && seen > 0);
    assert_eq!((seen + lost, outbox.waiting().dropped), (400, lost));
    outbox.checkpoint(Duration::ZERO, true).unwrap();
    drop((lanes, outbox));
    assert_eq!(open(&disk, 3).waiting(), Waiting { dropped: lost, ..Waiting::default() });
}

#[test]
fn a_large_batch_goes_in_parts_and_a_disk_that_fails_loses_nothing() {
    let disk = MemoryDisk::default();
    let outbox = open(&disk, 1);
    let text = "x".repeat(200);
    let of = |n: u64| {
        Record::Event(Event {
            time: Timestamp::ZERO,
            kind: EventKind::InterfaceUp,
            severity: Severity::Info,
            subject: text.as_str().into(),
            text: format!("{n}{text}").as_str().into(),
        })
    };
    let many: Vec<Record> = (0..20_000).map(of).collect();
    outbox.put(&many).unwrap();
    let steps = drain(&mut outbox.begin(2).catch_up);
    assert!(steps.len() > 1);
    let all: u64 = steps.iter().map(|step| if let Step::Batch(ready) = step { ready.records } else { 0 }).sum();
    assert_eq!(all, 20_000);

    disk.fail(netwatch_spool::testing::Faults { syncs: Some(0), ..Default::default() });
    assert!(outbox.put(&[event(1)]).is_err());
    disk.fail(netwatch_spool::testing::Faults::default());
    outbox.put(&[event(1)]).unwrap();
    outbox.put(&[event(2)]).unwrap();
    let mut lanes = outbox.begin(3);
    let last: Vec<(u64, u64)> = drain(&mut lanes.catch_up)
        .iter()
        .filter_map(|step| {
            if let Step::Batch(ready) = step { (ready.run == 2).then_some((ready.run, ready.sequence)) } else { None }
        })
        .collect();
    assert_eq!(last, [(2, 1), (2, 2)], "the one that failed has given its number to the next");
}

/// A server with the rule of all servers: a batch counts once for its run and number.
#[derive(Default)]
struct Server {
    has: BTreeMap<(u64, u64), Vec<u64>>,
}

impl Server {
    fn take(&mut self, ready: &Ready) {
        let numbers = numbers(&ready.payload);
        let before = self.has.insert((ready.run, ready.sequence), numbers.clone());
        assert!(before.is_none_or(|before| before == numbers), "one number stands for one batch");
    }
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Put,
    Send(bool),
    /// So many batches get to the server.
    Arrive(usize),
    /// So many acks get back.
    Ack(usize),
    Reconnect,
    Checkpoint,
    Die,
    PowerCut(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => Just(Happens::Put),
        6 => any::<bool>().prop_map(Happens::Send),
        4 => (1_usize..4).prop_map(Happens::Arrive),
        4 => (1_usize..4).prop_map(Happens::Ack),
        2 => Just(Happens::Reconnect),
        1 => Just(Happens::Checkpoint),
        1 => Just(Happens::Die),
        1 => any::<u64>().prop_map(Happens::PowerCut),
    ]
}

/// Everything of one world: an agent, what is on the way, a server.
struct World {
    disk: MemoryDisk,
    outbox: Outbox,
    lanes: Lanes,
    window: Window,
    /// Sent, and not at the server yet; lost when the session ends.
    there: std::collections::VecDeque<Ready>,
    /// Acknowledged, and not back yet; lost when the session ends.
    back: std::collections::VecDeque<(u64, u64)>,
    server: Server,
    run: u64,
    made: u64,
}

impl World {
    fn new() -> Self {
        let disk = MemoryDisk::default();
        let outbox = open(&disk, 1);
        let lanes = outbox.begin(2);
        Self {
            disk,
            outbox,
            lanes,
            window: Window::new(Limits { live: 400, catch_up: 400 }),
            there: Default::default(),
            back: Default::default(),
            server: Server::default(),
            run: 2,
            made: 0,
        }
    }

    fn reconnect(&mut self) {
        self.run += 1;
        self.lanes = self.outbox.begin(self.run);
        self.window = Window::new(Limits { live: 400, catch_up: 400 });
        self.there.clear();
        self.back.clear();
    }

    fn restart(&mut self, disk: MemoryDisk) {
        self.run += 1;
        self.outbox = open(&disk, self.run);
        self.disk = disk;
        self.reconnect();
    }

    fn send(&mut self, live: bool) -> bool {
        let (line, lane) =
            if live { (Line::Live, &mut self.lanes.live) } else { (Line::CatchUp, &mut self.lanes.catch_up) };
        if !self.window.may_send(line, Duration::ZERO) {
            return false;
        }
        let Some(step) = lane.advance() else { return false };
        let Step::Batch(ready) = step else { panic!("nothing is ever lost here: {step:?}") };
        let (position, records, bytes) = (ready.position, ready.records, ready.payload.len() as u64);
        self.window.sent((ready.run, ready.sequence), Sent { position, records, bytes, line, at: Duration::ZERO });
        self.there.push_back(ready);
        true
    }

    fn arrive(&mut self) -> bool {
        let Some(ready) = self.there.pop_front() else { return false };
        self.server.take(&ready);
        self.back.push_back((ready.run, ready.sequence));
        true
    }

    fn ack(&mut self) -> bool {
        let Some(key) = self.back.pop_front() else { return false };
        let sent = self.window.acked(key, Duration::ZERO).expect("it was under way");
        assert!(self.server.has.contains_key(&key), "nothing is acknowledged that the server does not have");
        self.outbox.acked(sent.position, sent.records);
        true
    }

    fn happen(&mut self, happens: Happens) {
        match happens {
            Happens::Put => {
                self.made += 1;
                self.outbox.put(&[event(self.made)]).unwrap();
            }
            Happens::Send(live) => _ = self.send(live),
            Happens::Arrive(n) => (0..n).for_each(|_| _ = self.arrive()),
            Happens::Ack(n) => (0..n).for_each(|_| _ = self.ack()),
            Happens::Reconnect => self.reconnect(),
            Happens::Checkpoint => self.outbox.checkpoint(Duration::ZERO, true).unwrap(),
            Happens::Die => self.restart(self.disk.kill()),
            Happens::PowerCut(seed) => {
                let mut x = seed;
                let disk = self.disk.power_cut(|| {
                    x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    x >> 33
                });
                self.restart(disk);
            }
        }
    }
}

/// Positions that a crash has skipped end where the line of what is new begins: its first batch is not of the line before.
#[test]
fn what_is_new_after_a_crash_goes_once() {
    use Happens::{Ack, Arrive, Die, Put, Send};
    let mut world = World::new();
    for happens in [Put, Die, Put, Send(false), Send(false), Send(true), Arrive(3), Ack(3)] {
        world.happen(happens);
    }
    assert_eq!(world.server.has.len(), 2);
    assert!(!world.send(true) && !world.send(false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Whatever breaks, and whenever: in the end the server has everything, and everything once.
    #[test]
    fn nothing_is_lost_and_nothing_counts_twice(story in prop::collection::vec(happens(), 0..120)) {
        let mut world = World::new();
        for happens in story {
            world.happen(happens);
        }
        world.reconnect();
        while world.send(true) | world.send(false) | world.arrive() | world.ack() {}
        let all: Vec<u64> = world.server.has.values().flatten().copied().collect();
        let once: BTreeSet<u64> = all.iter().copied().collect();
        prop_assert_eq!(all.len(), once.len(), "something counted twice");
        prop_assert_eq!(once, (1..=world.made).collect());
        prop_assert_eq!(world.outbox.waiting(), Waiting::default());
        world.outbox.checkpoint(Duration::ZERO, true).unwrap();
        prop_assert!(drain(&mut world.outbox.begin(world.run + 1).catch_up).is_empty());
    }
}
