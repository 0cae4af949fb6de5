//! What the live store costs: memory for each record, time to take one in, and how long questions take.
//!
//! It fills a store with made-up records of a usual mix (`mix`), then asks a mix of questions from many threads at once, in a closed
//! loop, while records go on coming. No HTTP and no JSON: the figure is the store's own.
//!
//! Limits: all threads share the machine's cores, so that with many clients the waiting for a core is part of every time.

mod ask;
mod mix;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwatch_model::{AgentId, Batch, BatchKey, BootId, Record, Timestamp};
use netwatch_server::query::LiveStore;
use netwatch_server::store::StoreConfig;
use netwatch_telemetry::clock::monotonic;
use rustix::time::{ClockId, clock_gettime};

use crate::error::BenchError;
use crate::process::Usage;
use mix::Mix;

/// Records in a batch: what a busy agent sends at once.
const BATCH: usize = 20_000;
/// When the made-up traffic begins.
const BEGIN: i64 = 1_700_000_000;
/// Seconds over which the records are spread.
const SPREAD: u64 = 3400;

/// The live store alone
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Conversations in all
    #[arg(long, default_value_t = 1_000_000)]
    flows: u64,
    /// How many of them are still active at the end
    #[arg(long, default_value_t = 200_000)]
    active: u64,
    /// Clients at once
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// Seconds of questions
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Records taken in each second meanwhile
    #[arg(long, default_value_t = 20_000)]
    pace: usize,
    /// Megabytes for ended records
    #[arg(long, default_value_t = 640)]
    archive_megabytes: usize,
}

/// Runs it and gives the figures as text.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    let before = Usage::own()?.resident_bytes;
    let config = StoreConfig { archive_bytes: arguments.archive_megabytes << 20, ..StoreConfig::default() };
    let store = Arc::new(LiveStore::new(config));
    let mut filler = Filler::new(arguments.flows, arguments.active);
    let mut text = fill(&store, &mut filler)?;
    let statistics = store.statistics(filler.now()).store;
    let resident = Usage::own()?.resident_bytes.saturating_sub(before);
    text += &format!(
        "kept: {} active, {} ended in {} MB ({:.1} bytes each), {} dropped; resident {} MB more than at the start\n",
        statistics.live_flows,
        statistics.archived_flows,
        statistics.archive_bytes >> 20,
        ratio(statistics.archive_bytes, statistics.archived_flows),
        statistics.archive_dropped,
        resident >> 20,
    );
    text += &questions(arguments, &store, filler);
    Ok(text)
}

/// Makes batches one after the other.
pub struct Filler {
    mix: Mix,
    sequence: u64,
}

impl Filler {
    /// So many conversations, of which some stay active.
    pub fn new(flows: u64, active: u64) -> Self {
        Self { mix: Mix::new(flows, active, SPREAD, BEGIN), sequence: 0 }
    }

    /// The time of the newest record.
    pub const fn now(&self) -> Timestamp {
        self.mix.now()
    }

    /// From now on it never ends.
    pub const fn go_on(&mut self) {
        self.mix.go_on();
    }

    /// The next records.
    pub fn batch(&mut self, records: usize) -> Batch {
        self.sequence += 1;
        let records: Vec<Record> = (&mut self.mix).take(records).map(|r| Record::Flow(Box::new(r))).collect();
        Batch { key: BatchKey { agent: AgentId(1), boot: BootId(1), sequence: self.sequence }, records }
    }
}

/// Puts all that a filler has into a store; tells what that cost.
pub fn fill(store: &LiveStore, filler: &mut Filler) -> Result<String, BenchError> {
    let (mut records, mut spent, mut longest) = (0, Duration::ZERO, Duration::ZERO);
    loop {
        let batch = filler.batch(BATCH);
        if batch.records.is_empty() {
            break;
        }
        let from = cpu();
        records += store.apply(&batch, filler.now()).records as u64;
        let took = cpu().saturating_sub(from);
        spent += took;
        longest = longest.max(took);
    }
    let each = ratio(u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX), records);
    Ok(format!("taken in: {records} records, {each:.0} ns of CPU each; longest batch of {BATCH}: {longest:?}\n"))
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(t.tv_sec).unwrap_or(0), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// Asks from many threads while records go on coming.
fn questions(arguments: &Arguments, store: &Arc<LiveStore>, mut filler: Filler) -> String {
    let stop = Arc::new(AtomicBool::new(false));
    filler.go_on();
    let began = monotonic();
    let now = filler.now();
    let clock = move || now + monotonic().saturating_sub(began);
    let clients: Vec<_> = (0..arguments.clients)
        .map(|client| {
            let (store, stop) = (Arc::clone(store), Arc::clone(&stop));
            std::thread::spawn(move || ask::client(client as u64, &store, &stop, clock))
        })
        .collect();
    let mut blocked = Duration::ZERO;
    while monotonic().saturating_sub(began) < Duration::from_secs(arguments.seconds) {
        let batch = filler.batch(arguments.pace / 4);
        let from = monotonic();
        store.apply(&batch, clock());
        blocked = blocked.max(monotonic().saturating_sub(from));
        std::thread::sleep(Duration::from_millis(250).saturating_sub(monotonic().saturating_sub(from)));
    }
    stop.store(true, Ordering::Relaxed);
    let mut times = ask::Times::default();
    clients.into_iter().filter_map(|c| c.join().ok()).for_each(|of_one| times.merge(of_one));
    format!(
        "{} clients for {} s, {} records taken in each second (longest batch {blocked:?}):\n{times}",
        arguments.clients, arguments.seconds, arguments.pace
    )
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}

/// A time of the made-up traffic.
fn at(offset: Duration) -> Timestamp {
    Timestamp::from_secs(BEGIN) + offset
}
