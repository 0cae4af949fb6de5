//! The generator: frames of 64, 576 and 1500 octets at 7:4:1, half TCP and half UDP, over as many flows as wanted.
//!
//! Flows take turns in an order that visits each once before any comes again, and neighbours in that order have nothing to do
//! with each other: no cache of a reader is helped. A TCP flow begins with a SYN; its sequence numbers go on by what it sends.

use std::time::Duration;

use netwatch_telemetry::clock::monotonic;
use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use frames::{Ended, Frames, LONGEST};

mod frames;
mod os;

/// `netwatch-bench generate`
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Interface to send from
    #[arg(long)]
    pub interface: String,
    /// Packets in a second; 0 for as many as the machine can
    #[arg(long, default_value_t = 0)]
    pub rate: u64,
    /// Different five-tuples, 1 to 16,777,216
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub flows: u32,
    /// Conversations that begin and end before all others, each a SYN and a RST
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1 << 24))]
    pub ended: u32,
    /// How long
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
    /// First send one packet of each flow, say `warm`, and wait for a line on standard input
    #[arg(long)]
    pub warm_up: bool,
    /// Processor to stay on
    #[arg(long)]
    pub processor: Option<usize>,
}

/// What the generator prints, as JSON.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Packets that the interface has taken.
    pub offered: u64,
    /// Packets that it has refused.
    pub refused: u64,
    /// How long it took.
    pub seconds: f64,
}

/// What is said after the warm-up.
pub const WARM: &str = "warm";
/// Packets in a second of the warm-up: no reader loses any.
const WARM_UP_RATE: u64 = 200_000;
/// Packets in a second of conversations that end: few enough for each to get a record of its own.
const ENDED_RATE: u64 = 40_000;

/// Frames of one system call.
const BATCH: usize = 64;
/// Waits shorter than this are spent spinning.
const SHORTEST_SLEEP: Duration = Duration::from_micros(20);

/// Sends for the time that was asked for.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    if let Some(processor) = arguments.processor {
        let mut set = rustix::thread::CpuSet::new();
        set.set(processor);
        rustix::thread::sched_setaffinity(None, &set)
            .map_err(|e| BenchError::System { what: "stay on a processor", source: e.into() })?;
    }
    let sender = os::Sender::open(&arguments.interface)
        .map_err(|source| BenchError::Interface { interface: arguments.interface.clone(), source })?;
    let report = send(arguments, &sender)?;
    serde_json::to_string(&report).map_err(|e| BenchError::System { what: "write JSON", source: e.into() })
}

fn send(arguments: &Arguments, sender: &os::Sender) -> Result<Report, BenchError> {
    let mut frames = Frames::new(arguments.flows);
    if arguments.ended > 0 {
        let time = Duration::from_secs_f64(f64::from(arguments.ended) * 2.0 / ENDED_RATE as f64);
        let mut ended = Ended::default();
        send_for(time, ENDED_RATE, |frame| ended.next(frame), sender)?;
    }
    if arguments.warm_up {
        send_for(warm_up_time(arguments.flows), WARM_UP_RATE, |frame| frames.next(frame), sender)?;
        println!("{WARM}");
        std::io::stdin().read_line(&mut String::new()).map_err(BenchError::system("wait for the word to go on"))?;
    }
    send_for(Duration::from_secs_f64(arguments.seconds), arguments.rate, |frame| frames.next(frame), sender)
}

/// How long a packet of each flow takes, and a little more.
pub fn warm_up_time(flows: u32) -> Duration {
    Duration::from_secs_f64(f64::from(flows) * 1.05 / WARM_UP_RATE as f64)
}

fn send_for(
    time: Duration,
    rate: u64,
    mut next: impl FnMut(&mut [u8; LONGEST]) -> usize,
    sender: &os::Sender,
) -> Result<Report, BenchError> {
    let mut batch = os::Batch::new(BATCH);
    let start = monotonic();
    let (mut offered, mut refused) = (0_u64, 0_u64);
    loop {
        let elapsed = monotonic() - start;
        if elapsed >= time {
            return Ok(Report { offered, refused, seconds: elapsed.as_secs_f64() });
        }
        if rate > 0 {
            let due = Duration::from_secs_f64((offered + refused) as f64 / rate as f64);
            wait(due.min(time).saturating_sub(elapsed));
        }
        batch.fill(&mut next);
        let (taken, lost) = sender.send(&mut batch).map_err(BenchError::system("send frames"))?;
        offered += taken;
        refused += lost;
    }
}

fn wait(time: Duration) {
    if time >= SHORTEST_SLEEP {
        std::thread::sleep(time);
    } else {
        let until = monotonic() + time;
        while monotonic() < until {
            std::hint::spin_loop();
        }
    }
}
