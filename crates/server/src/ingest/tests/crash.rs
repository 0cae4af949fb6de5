//! A process that takes batches in is killed again and again: each batch that it has acknowledged is in the log, once.
//!
//! Three agents send batches of their run, some of them twice, and after a restart once more all that they sent in the run before.
//! `NETWATCH_TEST_CRASHES` sets how often; the default keeps the test short.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;

use netwatch_spool::{Directory, Item};
use netwatch_telemetry::clock::monotonic;
use netwatch_testkit::child::{self, Child};

use super::*;

const TEST: &str = "ingest::tests::crash::what_was_acknowledged_is_there_once_after_every_kill";
const PREFIX: &str = "acknowledged ";
/// Batches of a run that are sent again after a restart: more than any run gets to.
const AGAIN: u64 = 400;

fn crashes() -> u64 {
    std::env::var("NETWATCH_TEST_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(30)
}

fn open_at(path: &Path) -> Ingest {
    let metrics = (SpoolMetrics::unregistered(), IngestMetrics::default());
    let config = Config { max_bytes: 1 << 30, segment_bytes: 64 << 10, ..small() };
    Ingest::open(config, Arc::new(Directory::new(path)), Arc::new(SystemClock), metrics).unwrap().0
}

/// Takes a batch in and says so when it is durable.
fn take(ingest: &Ingest, agent: u64, boot: u64, sequence: u64) {
    let key = BatchKey { agent: AgentId(agent), boot: BootId(boot), sequence };
    let records = (0..sequence % 20 + 1).map(|n| event(&format!("{agent}/{boot}/{sequence}/{n}"))).collect();
    if let Taken::Written(ticket) = ingest.take(HOME, Batch { key, records }).unwrap() {
        ingest.commit(ticket).unwrap();
        writeln!(std::io::stdout().lock(), "{PREFIX}{agent} {boot} {sequence}").unwrap();
    }
}

fn work(argument: &str) -> ! {
    let (path, run) = argument.split_once('?').unwrap();
    let (ingest, run) = (open_at(Path::new(path)), run.parse::<u64>().unwrap());
    std::thread::scope(|scope| {
        for agent in 1..=3 {
            let ingest = &ingest;
            scope.spawn(move || {
                if run > 0 {
                    (1..=AGAIN).for_each(|sequence| take(ingest, agent, run - 1, sequence));
                }
                for sequence in 1.. {
                    take(ingest, agent, run, sequence);
                    take(ingest, agent, run, sequence.div_ceil(2));
                }
            });
            // Windows are kept meanwhile, at any moment.
            ingest.close();
        }
    });
    unreachable!("it goes on until it is killed")
}

#[test]
fn what_was_acknowledged_is_there_once_after_every_kill() {
    if let Some(argument) = child::argument() {
        work(&argument);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ingest");
    let (mut acknowledged, mut slowest) = (HashSet::new(), Duration::ZERO);
    for run in 0..crashes() {
        let child = Child::start(TEST, &format!("{}?{run}", path.display()), PREFIX);
        let _so_far = child.wait_for(1 + (run * 53 % 400) as usize);
        for line in child.kill() {
            assert!(acknowledged.insert(line.clone()), "{line} was taken twice");
        }
        let begun = monotonic();
        let ingest = open_at(&path);
        slowest = slowest.max(monotonic() - begun);
        assert!(slowest < Duration::from_secs(5), "a start took {slowest:?}");
        let mut missing = acknowledged.clone();
        let mut keys = HashSet::new();
        let mut reader = ingest.spool().reader(Position::FIRST);
        while let Some(item) = reader.next() {
            let Item::Record { payload, .. } = item else { panic!("{item:?}") };
            let key = entry::key(payload).unwrap();
            assert!(keys.insert(key), "{key:?} is in the log twice");
            missing.remove(&format!("{} {} {}", key.agent.0, key.boot.0, key.sequence));
        }
        assert!(missing.is_empty(), "acknowledged and not there: {missing:?}");
    }
    let line = format!(
        "{} kills: {} batches are there once, the slowest start took {slowest:?}",
        crashes(),
        acknowledged.len()
    );
    report(&line);
}

#[expect(clippy::print_stderr, reason = "the figures of a long run")]
fn report(line: &str) {
    eprintln!("{line}");
}
