//! What keeping samples costs, beside VictoriaMetrics and Prometheus: the same noisy series into each, one after the other.
//!
//! Half of the series are counters that grow unevenly, half are gauges with three decimals; each gets a sample every ten seconds of the
//! last hours, all series of a step before those of the next, as collectors deliver. The peers take them by remote write (snappy and
//! protobuf over HTTP); Netwatch takes batches as an agent sends them: each is decoded, written to the log, made durable and given to the
//! telemetry store. Then each is told to compact what it has.
//!
//! With `--flows` it is flow records instead, and Netwatch alone.
//!
//! Limits: the generator shares the machine's cores. Netwatch's batches come over a pipe and not over HTTP. CPU and memory are those of the
//! receiving process alone.

mod flows;
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
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Flow records instead, so many times ten thousand
    #[arg(long, value_name = "BATCHES", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    flows: Option<u32>,
    /// Flow records a second that are sent [default: as many as are taken]
    #[arg(long, requires = "flows", value_parser = clap::value_parser!(u32).range(1000..))]
    rate: Option<u32>,
    /// Where the files are, for a while [default: the directory of temporary files]
    #[arg(long)]
    directory: Option<std::path::PathBuf>,
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
    /// From the last that was sent to the last acknowledgement.
    behind: Duration,
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
    if let Some(batches) = arguments.flows {
        return flow_records(arguments, batches);
    }
    let programs = if arguments.programs.is_empty() { Peer::ALL.to_vec() } else { arguments.programs.clone() };
    let samples = u64::from(arguments.series) * u64::from(arguments.steps);
    let mut text = format!("{} series, {samples} samples\n\n{}", arguments.series, head("sample"));
    for program in programs {
        eprintln!("{}", program.name());
        match measure(arguments, program) {
            Ok(figures) => text += &row(program.name(), figures, samples),
            // One program that fails must not cost the figures of the others.
            Err(error) => eprintln!("  SKIPPED: {}", error.chain()),
        }
    }
    Ok(text)
}

fn flow_records(arguments: &Arguments, batches: u32) -> Result<String, BenchError> {
    let count = u64::from(batches) * flows::BATCH;
    let length = Duration::from_secs(count / flows::RATE);
    let directory = directory(arguments)?;
    let figures = own::measure(directory.path(), flows::batches(now() - length, batches), arguments.rate)?;
    let behind = format!("the last was stored {:.1} s after it was sent", figures.behind.as_secs_f64());
    Ok(format!("{count} flow records, {behind}\n\n{}{}", head("flow"), row("netwatch", figures, count)))
}

fn directory(arguments: &Arguments) -> Result<tempfile::TempDir, BenchError> {
    let made = arguments.directory.as_ref().map_or_else(tempfile::tempdir, tempfile::tempdir_in);
    made.map_err(BenchError::system("make a directory"))
}

fn measure(arguments: &Arguments, program: Peer) -> Result<Figures, BenchError> {
    let length = Duration::from_secs(u64::from(arguments.steps) * u64::from(STEP));
    let mut noisy = Noisy::new(arguments.series, now() - length);
    let directory = directory(arguments)?;
    if program == Peer::Netwatch {
        let batches = (0..arguments.steps).map(|step| {
            noisy.step(step);
            noisy.batch()
        });
        return own::measure(directory.path(), batches, None);
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

fn head(unit: &str) -> String {
    format!(
        "| program | {unit}s/s | CPU s a million | with compaction | bytes a {unit} on disk | with its log | peak memory \
         |\n|---|---:|---:|---:|---:|---:|---:|\n"
    )
}

fn row(program: &str, figures: Figures, count: u64) -> String {
    let count = count as f64;
    let [cpu, all] = figures.cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / count);
    let [bytes, log] = figures.bytes.map(|bytes| bytes as f64 / count);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "| {program} | {:.0} | {cpu:.2} | {all:.2} | {bytes:.1} | {log:.1} | {:.0} MB |",
        count / figures.time.as_secs_f64(),
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
