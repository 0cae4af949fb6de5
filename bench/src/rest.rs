//! What people and programs wait for when many ask at once: a real Netwatch that captures, and REST over kept connections.
//!
//! The generator first makes conversations that end, then those that go on, and keeps sending; so the flow table is full, the store has
//! ended and active records, and packets keep coming while clients ask. Three stretches of the same length follow each other: nobody
//! asks; each client asks at its own pace, whether the answer before came soon or not; each client asks as soon as it has its answer.
//! The questions are those of the web app's pages.
//!
//! Limits: program, generator and clients share the machine's cores. The clients are one thread, whose own work is part of every time.

mod client;
mod question;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use netwatch_telemetry::clock::monotonic;
use netwatch_testkit::netns::Running;

use crate::api;
use crate::error::BenchError;
use crate::lab::{Lab, Traffic, until};
use crate::process::Usage;
use crate::program::Program;
use crate::times::Times;

/// REST over many flows, many clients at once
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Conversations that go on
    #[arg(long, default_value_t = 1_000_000)]
    flows: u32,
    /// Conversations that have ended before
    #[arg(long, default_value_t = 1_000_000)]
    ended: u32,
    /// Packets in a second, all the time
    #[arg(long, default_value_t = 300_000)]
    rate: u64,
    /// Clients at once
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// Milliseconds between the questions of a client in the second stretch
    #[arg(long, default_value_t = 250)]
    pace: u64,
    /// Seconds of each of the three stretches
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// The binary of Netwatch [default: beside this one]
    #[arg(long)]
    netwatch: Option<PathBuf>,
}

/// Longest time for active flows to get their rows: reports of light ones have a budget.
const FILL: Duration = Duration::from_secs(150);
/// Active flows that have a row of their own at most, as Netwatch is built.
const ROWS: u64 = 262_144;
/// Time for what the stretch before has left to be done.
const SETTLE: Duration = Duration::from_secs(2);

/// What one stretch came to.
struct Stretch {
    name: String,
    offered: u64,
    drops: u64,
    cpu: Duration,
    time: Duration,
    times: Times,
}

/// Runs it and gives the figures as text.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    let lab = Lab::new(arguments.netwatch.as_deref())?;
    let stretch = Duration::from_secs(arguments.seconds.max(1));
    let time = FILL + (stretch + SETTLE) * 4;
    let running = lab.start(Program::Netwatch, &lab.bench(arguments.flows, time))?;
    let Arguments { rate, flows, ended, .. } = *arguments;
    let mut generator = lab.generator(Traffic { rate, flows, ended, time })?;
    generator.go();
    until(FILL, || is_filled(&lab, flows));
    let mut text = state(&lab, &running)?;
    let pace = Duration::from_millis(arguments.pace);
    let mut stretches = Vec::new();
    for (clients, pace) in [(0, None), (arguments.clients, Some(pace)), (arguments.clients, None)] {
        std::thread::sleep(SETTLE);
        stretches.push(measure(&lab, &running, clients, pace, stretch)?);
    }
    text += &table(&stretches);
    for stretch in stretches.iter().skip(1) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}:\n\n{}", stretch.name, stretch.times);
    }
    Ok(text)
}

/// Records of ended flows come long before the last active flow has its row.
fn is_filled(lab: &Lab, flows: u32) -> bool {
    std::thread::sleep(Duration::from_millis(500));
    api::statistics(&lab.receiver).is_some_and(|s| s.store.live_flows >= ROWS.min(flows.into()) * 99 / 100)
}

fn state(lab: &Lab, running: &Running) -> Result<String, BenchError> {
    let words = || BenchError::Words { program: "netwatch".to_owned(), words: "no statistics".to_owned() };
    let statistics = api::statistics(&lab.receiver).ok_or_else(words)?;
    let usage = Usage::of_tree(running.0.id())?;
    Ok(format!(
        "{} flows in the table; {} active and {} ended with records in the store; memory of all processes {} MB, peak {} MB\n\n",
        statistics.table.active,
        statistics.store.live_flows,
        statistics.store.archived_flows,
        usage.resident_bytes / 1_000_000,
        usage.peak_resident_bytes / 1_000_000,
    ))
}

fn measure(
    lab: &Lab,
    running: &Running,
    clients: usize,
    pace: Option<Duration>,
    stretch: Duration,
) -> Result<Stretch, BenchError> {
    let drops = || api::statistics(&lab.receiver).map_or(0, |s| s.capture.kernel_drops);
    let before = (drops(), lab.frames_received(), Usage::of_tree(running.0.id())?, monotonic());
    let times = if clients == 0 {
        std::thread::sleep(stretch);
        Times::default()
    } else {
        client::ask_all(lab, clients, pace, stretch)?
    };
    let name = match (clients, pace) {
        (0, _) => "nobody asks".to_owned(),
        (n, Some(pace)) => format!("{n} clients, each asks every {} ms", pace.as_millis()),
        (n, None) => format!("{n} clients without a pause"),
    };
    let (time, after) = (monotonic().saturating_sub(before.3), Usage::of_tree(running.0.id())?);
    let cpu = after.cpu.saturating_sub(before.2.cpu);
    let offered = lab.frames_received() - before.1;
    // The drops of the last tick are told with the next.
    std::thread::sleep(SETTLE / 2);
    Ok(Stretch { name, offered, drops: drops() - before.0, cpu, time, times })
}

fn table(stretches: &[Stretch]) -> String {
    let mut text = String::from(
        "| stretch | packets/s | dropped | Netwatch, cores | answers/s | p50 | p99 | longest |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for stretch in stretches {
        let seconds = stretch.time.as_secs_f64();
        let all = stretch.times.all();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.0} | {} | {:.2} | {:.0} | {:.1?} | {:.1?} | {:.1?} |",
            stretch.name,
            stretch.offered as f64 / seconds,
            stretch.drops,
            stretch.cpu.as_secs_f64() / seconds,
            all.answers as f64 / seconds,
            all.median,
            all.p99,
            all.longest,
        );
    }
    text
}
