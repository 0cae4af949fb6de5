//! All programs side by side, each alone on the receiving end of a veth pair.
//!
//! For each program, rate and number of flows: start it, wait until it captures, send one packet of each flow (so that what is
//! measured is the cost of a packet and not of a new flow), let it settle, read its CPU time, generate, let it settle again, read
//! CPU time and memory, ask for its drops, end it. The generator stays on the last processor; the
//! programs run where the scheduler puts them. "Offered" is what the receiving interface has counted.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::BenchError;
use crate::generate;
use crate::lab::{Lab, Traffic};
use crate::process::Usage;
use crate::program::{self, Program};

/// `netwatch-bench run`
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Programs to measure [default: all]
    #[arg(long = "program", value_enum)]
    programs: Vec<Program>,
    /// Packets in a second, 0 for as many as possible [default: 300000, 353000 (1 Gbit/s) and 0]
    #[arg(long = "rate")]
    rates: Vec<u64>,
    /// Numbers of flows [default: 100000 and 1000000]
    #[arg(long = "flows")]
    flows: Vec<u32>,
    /// How long to generate, for each figure
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// The binary of Netwatch [default: beside this one]
    #[arg(long)]
    netwatch: Option<PathBuf>,
}

/// Time for a program to be done with its start, and with the last frames.
const SETTLE: Duration = Duration::from_secs(1);

/// One row of the table.
struct Row {
    program: Program,
    rate: u64,
    flows: u32,
    figures: Figures,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
struct Figures {
    offered: u64,
    seconds: f64,
    cpu: Duration,
    drops: u64,
    peak_resident_bytes: u64,
}

impl Figures {
    fn nanoseconds_per_packet(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.offered.max(1) as f64
    }
}

/// Measures everything and prints a markdown table.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    let programs = if arguments.programs.is_empty() { Program::ALL.to_vec() } else { arguments.programs.clone() };
    let rates = if arguments.rates.is_empty() { vec![300_000, 353_000, 0] } else { arguments.rates.clone() };
    let flows = if arguments.flows.is_empty() { vec![100_000, 1_000_000] } else { arguments.flows.clone() };
    let mut rows = Vec::new();
    for &flows in &flows {
        for &rate in &rates {
            for &program in &programs {
                eprintln!("{} at {} with {flows} flows", program.name(), rate_name(rate));
                match measure(arguments, program, rate, flows) {
                    Ok(figures) => rows.push(Row { program, rate, flows, figures }),
                    // One program that fails must not cost the figures of the others.
                    Err(error) if !matches!(error, BenchError::Namespace(_)) => {
                        eprintln!("  SKIPPED: {}", error.chain());
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(table(&rows))
}

fn measure(arguments: &Arguments, program: Program, rate: u64, flows: u32) -> Result<Figures, BenchError> {
    let lab = Lab::new(arguments.netwatch.as_deref())?;
    let time = Duration::from_secs_f64(arguments.seconds);
    let bench = lab.bench(flows, SETTLE * 4 + generate::warm_up_time(flows) + time);
    let running = lab.start(program, &bench)?;
    let ended = |_| BenchError::Ended { program: program.name().to_owned(), words: program::tail(&bench) };
    let generator = lab.generator(Traffic { rate, flows, ended: 0, time })?;
    std::thread::sleep(SETTLE);
    let before = Usage::of_tree(running.0.id()).map_err(ended)?;
    let received = lab.frames_received();
    let seconds = generator.finish()?;
    std::thread::sleep(SETTLE);
    let after = Usage::of_tree(running.0.id()).map_err(ended)?;
    let counted = program.finish(running, &bench)?;
    Ok(Figures {
        offered: lab.frames_received() - received,
        seconds,
        cpu: after.cpu.saturating_sub(before.cpu),
        drops: counted.drops,
        peak_resident_bytes: after.peak_resident_bytes,
    })
}

fn rate_name(rate: u64) -> String {
    if rate == 0 { "full speed".to_owned() } else { format!("{rate} packets/s") }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| flows | asked for | program | offered, packets/s | CPU ns/packet | over floor | share of a core | dropped | peak memory |\n\
         |---:|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let same = |other: &&Row| other.program == Program::Floor && other.rate == row.rate && other.flows == row.flows;
        let figures = row.figures;
        let over = rows.iter().find(same).map_or("–".to_owned(), |floor| {
            format!("{:+.0}", figures.nanoseconds_per_packet() - floor.figures.nanoseconds_per_packet())
        });
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.0} | {over} | {:.1} % | {:.3} % | {:.0} MB |",
            row.flows,
            rate_name(row.rate),
            row.program.name(),
            figures.offered as f64 / figures.seconds,
            figures.nanoseconds_per_packet(),
            100.0 * figures.cpu.as_secs_f64() / figures.seconds,
            100.0 * figures.drops as f64 / figures.offered.max(1) as f64,
            figures.peak_resident_bytes as f64 / 1e6,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_the_difference_to_the_floor() {
        let row = |program, nanos: u64| Row {
            program,
            rate: 300_000,
            flows: 1000,
            figures: Figures {
                offered: 3_000_000,
                seconds: 10.0,
                cpu: Duration::from_nanos(3_000_000 * nanos),
                drops: 3000,
                peak_resident_bytes: 20_000_000,
            },
        };
        let text = table(&[row(Program::Floor, 20), row(Program::Netwatch, 110)]);
        let last = "| 1000 | 300000 packets/s | netwatch | 300000 | 110 | +90 | 3.3 % | 0.100 % | 20 MB |";
        assert_eq!(text.lines().last(), Some(last));
    }
}
