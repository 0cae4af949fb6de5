//! What keeping samples costs, beside VictoriaMetrics and Prometheus: the same noisy series into each, one after the other.
//!
//! Half of the series are counters that grow unevenly, half are gauges with three decimals; each gets a sample every ten seconds of the
//! last hours, all series of a step before those of the next, as collectors deliver. The peers take them by remote write (snappy and
//! protobuf over HTTP); Netwatch takes batches as an agent sends them: each is written to the log, made durable, decoded and given to the
//! telemetry store. Then each is told to compact what it has.
//!
//! Limits: the generator shares the machine's cores. Netwatch's batches come over a pipe and not over HTTP. CPU and memory are those of the
//! receiving process alone.

mod own;
mod peer;
mod remote;
mod series;

use std::fmt::Write as _;
use std::time::Duration;

use netwatch_telemetry::clock::{monotonic, now};
use netwatch_testkit::netns::Namespace;

use crate::error::BenchError;
use peer::Peer;
use series::Noisy;

/// What keeping samples costs, beside others
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Programs to measure [default: all]
    #[arg(long = "program", value_enum)]
    programs: Vec<Peer>,
    /// Different series
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    series: u32,
    /// Samples of each, ten seconds apart
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=5000))]
    steps: u32,
    /// Be the store: used by the bench itself
    #[arg(long, hide = true)]
    serve: Option<std::path::PathBuf>,
}

/// Seconds between two samples of a series.
const STEP: u32 = 10;

/// What one program needed.
#[derive(Clone, Copy, Debug)]
struct Figures {
    /// From the first sample to the last acknowledgement.
    time: Duration,
    /// Until the last acknowledgement, and with compaction.
    cpu: [Duration; 2],
    /// On disk after compaction, and with its log.
    bytes: [u64; 2],
    peak_resident_bytes: u64,
}

/// Runs it and gives the figures as text.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    if let Some(directory) = &arguments.serve {
        return own::serve(directory);
    }
    let programs = if arguments.programs.is_empty() { Peer::ALL.to_vec() } else { arguments.programs.clone() };
    let samples = u64::from(arguments.series) * u64::from(arguments.steps);
    let mut text = format!(
        "{} series, {samples} samples\n\n| program | samples/s | CPU s a million | with compaction | bytes a sample on disk | with its \
         log | peak memory |\n|---|---:|---:|---:|---:|---:|---:|\n",
        arguments.series
    );
    for program in programs {
        eprintln!("{}", program.name());
        match measure(arguments, program) {
            Ok(figures) => text += &row(program, figures, samples),
            // One program that fails must not cost the figures of the others.
            Err(error) => eprintln!("  SKIPPED: {}", error.chain()),
        }
    }
    Ok(text)
}

fn measure(arguments: &Arguments, program: Peer) -> Result<Figures, BenchError> {
    let length = Duration::from_secs(u64::from(arguments.steps) * u64::from(STEP));
    let mut noisy = Noisy::new(arguments.series, now() - length);
    let directory = tempfile::tempdir().map_err(BenchError::system("make a directory"))?;
    if program == Peer::Netwatch {
        return own::measure(directory.path(), &mut noisy, arguments.steps);
    }
    let namespace = Namespace::new().map_err(BenchError::Namespace)?;
    let running = program.start(&namespace, directory.path())?;
    let begin = monotonic();
    namespace.enter(|| -> Result<(), BenchError> {
        let mut writer = remote::Writer::open()?;
        for step in 0..arguments.steps {
            noisy.step(step);
            writer.send(&noisy)?;
        }
        Ok(())
    })?;
    let time = monotonic().saturating_sub(begin);
    running.finish(&namespace, directory.path(), time)
}

fn row(program: Peer, figures: Figures, samples: u64) -> String {
    let samples = samples as f64;
    let [cpu, all] = figures.cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / samples);
    let [bytes, log] = figures.bytes.map(|bytes| bytes as f64 / samples);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "| {} | {:.0} | {cpu:.2} | {all:.2} | {bytes:.1} | {log:.1} | {:.0} MB |",
        program.name(),
        samples / figures.time.as_secs_f64(),
        figures.peak_resident_bytes as f64 / 1e6,
    );
    text
}

/// Bytes of all files of a folder.
fn bytes_of(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes_of(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
