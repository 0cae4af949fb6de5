//! What Netwatch takes to begin, and what it holds: time to the first packet that the API shows, memory when idle, and memory with a
//! full flow table.
//!
//! Packets come before the program is started, so that the time is the program's own: from the start of the process to the first answer
//! of the API, and to the first answer that has counted a packet. Nobody asks while memory is measured.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use netwatch_telemetry::clock::monotonic;

use crate::api;
use crate::error::BenchError;
use crate::lab::{Lab, Traffic};
use crate::process::Usage;
use crate::program::{self, Program};

/// Time to begin, and memory
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Starts
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// Conversations in the flow table when it is full
    #[arg(long, default_value_t = 1_000_000)]
    flows: u32,
    /// Seconds until all reports of a full table were made
    #[arg(long, default_value_t = 75)]
    settle: u64,
    /// The binary of Netwatch [default: beside this one]
    #[arg(long)]
    netwatch: Option<PathBuf>,
}

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is asked meanwhile.
const LOOK: Duration = Duration::from_millis(1);
/// Time after which a program has nothing left to do.
const IDLE: Duration = Duration::from_secs(10);

/// Runs it and gives the figures as text.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    let mut text = String::from("| start | first answer | first packet counted |\n|---:|---:|---:|\n");
    for number in 1..=arguments.starts {
        let [answer, packet] = start(arguments)?;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {number} | {} ms | {} ms |", answer.as_millis(), packet.as_millis());
    }
    text += "\n| state | flows in the table | with a row in the store | memory of all processes | peak |\n|---|---:|---:|---:|---:|\n";
    text += &memory(arguments, "idle", None)?;
    text += &memory(arguments, "busy", Some(arguments.flows))?;
    Ok(text)
}

/// Times from the start of the process to the first answer, and to the first packet.
fn start(arguments: &Arguments) -> Result<[Duration; 2], BenchError> {
    let lab = Lab::new(arguments.netwatch.as_deref())?;
    let traffic = Traffic { rate: 10_000, flows: 1000, ended: 0, time: PATIENCE * 2 };
    lab.generator(traffic)?.go_while(|| {
        let bench = lab.bench(1000, PATIENCE);
        let begin = monotonic();
        let _running = Program::Netwatch.start(&bench)?;
        let mut answer = None;
        while monotonic().saturating_sub(begin) < PATIENCE {
            if let Some(statistics) = api::statistics(&lab.receiver) {
                let now = monotonic().saturating_sub(begin);
                let first = *answer.get_or_insert(now);
                if statistics.capture.frames > 0 {
                    return Ok([first, now]);
                }
            }
            std::thread::sleep(LOOK);
        }
        Err(BenchError::Words { program: "netwatch".to_owned(), words: program::tail(&bench) })
    })
}

/// A row of the table of memory.
fn memory(arguments: &Arguments, state: &str, flows: Option<u32>) -> Result<String, BenchError> {
    let lab = Lab::new(arguments.netwatch.as_deref())?;
    let settle = flows.map_or(IDLE, |_| Duration::from_secs(arguments.settle));
    let running = lab.start(Program::Netwatch, &lab.bench(flows.unwrap_or(1), settle))?;
    let mut generator = None;
    if let Some(flows) = flows {
        let traffic = Traffic { rate: 300_000, flows, ended: 0, time: settle * 2 };
        generator.insert(lab.generator(traffic)?).go();
    }
    std::thread::sleep(settle);
    let usage = Usage::of_tree(running.0.id())?;
    let words = || BenchError::Words { program: "netwatch".to_owned(), words: "no statistics".to_owned() };
    let statistics = api::statistics(&lab.receiver).ok_or_else(words)?;
    Ok(format!(
        "| {state} | {} | {} | {} MB | {} MB |\n",
        statistics.table.active,
        statistics.store.live_flows,
        usage.resident_bytes / 1_000_000,
        usage.peak_resident_bytes / 1_000_000,
    ))
}
