//! Netwatch's side: batches go over a pipe to a process that logs, decodes and stores them as the server does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::codec;
use netwatch_model::people::WorkspaceId;
use netwatch_spool::{Config, Directory, Spool, SpoolMetrics};
use netwatch_storage::{DuckStore, LookupPaths, Lookups, StoreConfig, TelemetryStore};
use netwatch_telemetry::clock::{SystemClock, monotonic, now};
use serde::{Deserialize, Serialize};

use super::series::Noisy;
use super::{Figures, bytes_of};
use crate::error::BenchError;
use crate::process::Usage;

/// Files of a day are rewritten when the day is over: upkeep is told that it is then.
const DAY_AFTER: Duration = Duration::from_secs(2 * 86_400);
/// Rounds of upkeep at most.
const ROUNDS: usize = 16;

/// What the process tells at its end, as JSON.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Report {
    /// CPU seconds until everything was written, and with compaction.
    cpu: [f64; 2],
    peak_resident_bytes: u64,
}

/// Sends all batches to a process of its own, and measures it.
pub(super) fn measure(directory: &Path, noisy: &mut Noisy, steps: u32) -> Result<Figures, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::system("find this program"))?;
    let failed = |source| BenchError::Start { program: "the store".to_owned(), source };
    let mut command = Command::new(own);
    command.args(["storage", "--serve"]).arg(directory).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
    };
    let mut words = BufReader::new(output);
    let begin = monotonic();
    for step in 0..steps {
        noisy.step(step);
        let bytes = codec::encode(&noisy.batch()).map_err(|e| other("encode a batch", e))?;
        let sent = input.write_all(&(bytes.len() as u32).to_le_bytes()).and_then(|()| input.write_all(&bytes));
        sent.map_err(BenchError::system("send a batch"))?;
    }
    drop(input);
    let mut line = String::new();
    let mut read = |line: &mut String| {
        line.clear();
        words.read_line(line).map(drop).map_err(BenchError::system("hear of the store"))
    };
    read(&mut line)?;
    let time = monotonic().saturating_sub(begin);
    read(&mut line)?;
    let ended = child.wait().map_err(BenchError::system("wait for the store"))?;
    let unclear = |_| BenchError::Words { program: format!("the store ({ended})"), words: line.clone() };
    let report: Report = serde_json::from_str(&line).map_err(unclear)?;
    let (store, log) = (bytes_of(&directory.join("store")), bytes_of(&directory.join("log")));
    let cpu = report.cpu.map(Duration::from_secs_f64);
    Ok(Figures { time, cpu, bytes: [store, store + log], peak_resident_bytes: report.peak_resident_bytes })
}

/// Takes batches from standard input until it ends; then says that all are stored, compacts, and reports.
pub(super) fn serve(directory: &Path) -> Result<String, BenchError> {
    let (files, metrics) = (Arc::new(Directory::new(&directory.join("log"))), SpoolMetrics::unregistered());
    let log = Config { reserve_bytes: 0, ..Config::ingest(vec!["store"]) };
    let (log, _) = Spool::open(log, files, Arc::new(SystemClock), metrics).map_err(|e| other("open the log", e))?;
    let config = StoreConfig::new(directory.join("store"));
    let lookups = Arc::new(Lookups::new(LookupPaths::default()));
    let (store, _) = DuckStore::open(config, lookups, now()).map_err(|e| other("open the store", e))?;
    let home = WorkspaceId::from_bits(0);
    let mut input = std::io::stdin().lock();
    let (mut length, mut bytes) = ([0; 4], Vec::new());
    while input.read_exact(&mut length).is_ok() {
        bytes.resize(u32::from_le_bytes(length) as usize, 0);
        input.read_exact(&mut bytes).map_err(BenchError::system("read a batch"))?;
        let ticket = log.append(&bytes).map_err(|e| other("append to the log", e))?;
        let position = log.commit(ticket).map_err(|e| other("make the log durable", e))?;
        let batch = codec::decode(&bytes).map_err(|e| other("decode a batch", e))?.batch;
        store.append(home, position.0, batch, now()).map_err(|e| other("store a batch", e))?;
    }
    store.flush(now()).map_err(|e| other("write the store", e))?;
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

fn other(what: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> BenchError {
    BenchError::system(what)(std::io::Error::other(error))
}
