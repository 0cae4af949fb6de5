//! Netwatch's side: batches go over a pipe to a process that takes them in as the server does.
//!
//! Each is decoded, written to the ingest log and made durable before the next one is read; the feed gives it to the telemetry store from
//! memory, or from the log when it is behind. Upkeep runs beside that once a minute. Every ten seconds it is said how much memory
//! there is.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwatch_model::Batch;
use netwatch_model::codec::{Decoder, Encoder};
use netwatch_model::people::WorkspaceId;
use netwatch_server::history::HistorySink;
use netwatch_server::ingest::{Feed, Ingest, IngestMetrics, Taken, consumers};
use netwatch_spool::{Config, Directory, SpoolMetrics};
use netwatch_storage::{DuckStore, LookupPaths, Lookups, StoreConfig, TelemetryStore, Watermarks};
use netwatch_telemetry::clock::{SystemClock, monotonic, now};
use serde::{Deserialize, Serialize};

use super::{Figures, bytes_of};
use crate::error::BenchError;
use crate::process::Usage;

/// Files of a day are rewritten when the day is over: upkeep is told that it is then.
const DAY_AFTER: Duration = Duration::from_secs(2 * 86_400);
/// Rounds of upkeep at most.
const ROUNDS: usize = 16;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How often upkeep runs.
const UPKEEP: Duration = Duration::from_secs(60);

/// What the process tells at its end, as JSON.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Report {
    /// CPU seconds until everything was written, and with compaction.
    cpu: [f64; 2],
    peak_resident_bytes: u64,
}

/// Sends all batches to a process of its own, and measures it.
pub(super) fn measure(
    directory: &Path,
    batches: impl Iterator<Item = Batch>,
    rate: Option<u32>,
) -> Result<Figures, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::system("find this program"))?;
    let failed = |source| BenchError::Start { program: "the store".to_owned(), source };
    let mut command = Command::new(own);
    command.args(["storage", "--serve"]).arg(directory).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
    };
    let mut words = BufReader::new(output);
    let begin = monotonic();
    send(input, batches, rate, child.id())?;
    let sent = monotonic();
    let mut line = String::new();
    let mut read = |line: &mut String| {
        line.clear();
        words.read_line(line).map(drop).map_err(BenchError::system("hear of the store"))
    };
    read(&mut line)?;
    let (time, behind) = (monotonic().saturating_sub(begin), monotonic().saturating_sub(sent));
    eprintln!("  stored {:.1} s after the last was sent", behind.as_secs_f64());
    read(&mut line)?;
    let ended = child.wait().map_err(BenchError::system("wait for the store"))?;
    let unclear = |_| BenchError::Words { program: format!("the store ({ended})"), words: line.clone() };
    let report: Report = serde_json::from_str(&line).map_err(unclear)?;
    let (store, log) = (bytes_of(&directory.join("store")), bytes_of(&directory.join("log")));
    let cpu = report.cpu.map(Duration::from_secs_f64);
    Ok(Figures { time, behind, cpu, bytes: [store, store + log], peak_resident_bytes: report.peak_resident_bytes })
}

/// Sends batches as an agent does, at most `rate` records a second; says now and then how far it is, and what the receiver needs.
fn send(
    mut input: ChildStdin,
    batches: impl Iterator<Item = Batch>,
    rate: Option<u32>,
    receiver: u32,
) -> Result<(), BenchError> {
    let (mut encoder, mut bytes) = (Encoder::default(), Vec::new());
    let (begin, mut looked, mut records) = (monotonic(), monotonic(), 0_usize);
    for batch in batches {
        bytes.clear();
        bytes.extend_from_slice(&[0; 4]);
        encoder.encode(batch.key, &batch.records, &mut bytes).map_err(|e| other("encode a batch", e))?;
        let length = (bytes.len() - 4) as u32;
        if let Some(place) = bytes.first_chunk_mut() {
            *place = length.to_le_bytes();
        }
        if let Some(rate) = rate {
            let due = begin + Duration::from_secs_f64(records as f64 / f64::from(rate));
            std::thread::sleep(due.saturating_sub(monotonic()));
        }
        input.write_all(&bytes).map_err(BenchError::system("send a batch"))?;
        records += batch.records.len();
        if monotonic() >= looked + LOOK {
            looked += LOOK;
            let (after, usage) = ((monotonic() - begin).as_secs(), Usage::of_tree(receiver)?);
            let (resident, cpu) = (usage.resident_bytes / 1_000_000, usage.cpu.as_secs_f64());
            eprintln!("  {after} s: {:.1} million records, {resident} MB, {cpu:.1} CPU s", records as f64 / 1e6);
        }
    }
    Ok(())
}

/// Takes batches from standard input until it ends; then says that all are stored, compacts, and reports.
pub(super) fn serve(directory: &Path) -> Result<String, BenchError> {
    let (files, metrics) = (Arc::new(Directory::new(&directory.join("log"))), SpoolMetrics::unregistered());
    let log = Config { reserve_bytes: 0, ..Config::ingest(consumers(true)) };
    let opened = Ingest::open(log, files, Arc::new(SystemClock), (metrics, IngestMetrics::default()));
    let ingest = Arc::new(opened.map_err(|e| other("open the log", e))?.0);
    let watermarks = Watermarks { warn_share: 0.0, stop_share: 0.0, stop_bytes: 0 };
    let config = StoreConfig { watermarks, ..StoreConfig::new(directory.join("store")) };
    let lookups = Arc::new(Lookups::new(LookupPaths::default()));
    let (store, _) = DuckStore::open(config, lookups, now()).map_err(|e| other("open the store", e))?;
    let store: Arc<dyn TelemetryStore> = Arc::new(store);
    let feed = Feed::new(Arc::clone(&ingest), HistorySink::new(Arc::clone(&store)), None);
    let feed = feed.map_err(|e| other("feed the store", e))?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| feed.run(&stop));
        scope.spawn(|| keep_up(&*store, &stop));
        let taken = take_in(&ingest);
        stop.store(true, Ordering::Relaxed);
        taken
    })?;
    println!("stored");
    let taken = Usage::own()?;
    for _ in 0..ROUNDS {
        let done = store.upkeep(now() + DAY_AFTER).map_err(|e| other("compact", e))?;
        if done.compacted == 0 && done.rolled_hours == 0 {
            break;
        }
    }
    let done = Usage::own()?;
    let cpu = [taken.cpu, done.cpu].map(|cpu| cpu.as_secs_f64());
    let report = Report { cpu, peak_resident_bytes: done.peak_resident_bytes };
    serde_json::to_string(&report).map_err(|e| other("write JSON", e))
}

/// Writes every batch to the log, and makes it durable before the next.
fn take_in(ingest: &Ingest) -> Result<(), BenchError> {
    let home = WorkspaceId::from_bits(0);
    let (mut input, mut decoder) = (std::io::stdin().lock(), Decoder::default());
    let (mut length, mut bytes) = ([0; 4], Vec::new());
    while input.read_exact(&mut length).is_ok() {
        bytes.resize(u32::from_le_bytes(length) as usize, 0);
        input.read_exact(&mut bytes).map_err(BenchError::system("read a batch"))?;
        let batch = decoder.decode(&bytes).map_err(|e| other("decode a batch", e))?.batch;
        if let Taken::Written(ticket) = ingest.take(home, batch).map_err(|e| other("log a batch", e))? {
            ingest.commit(ticket).map_err(|e| other("make the log durable", e))?;
        }
    }
    Ok(())
}

fn keep_up(store: &dyn TelemetryStore, stop: &AtomicBool) {
    let mut next = monotonic() + UPKEEP;
    while !stop.load(Ordering::Relaxed) {
        if monotonic() >= next {
            if let Err(error) = store.upkeep(now()) {
                eprintln!("  upkeep: {}", netwatch_storage::error_text(&error));
            }
            next = monotonic() + UPKEEP;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn other(what: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> BenchError {
    BenchError::system(what)(std::io::Error::other(error))
}
