//! What a thousand clients of the stream cost the server: CPU, and frames that really arrived.
//!
//! A second process serves made-up traffic of 2 000 conversations from the real live store; this one opens the WebSockets, subscribes,
//! counts what arrives and reads the other's CPU time. The clients only count frames, so that the figure is the server's.
//!
//! Limits: all goes over loopback, where the kernel's work for the receiver is counted as the sender's.

mod clients;
mod serve;
mod traffic;

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use tokio::time::sleep;

use crate::error::BenchError;
use crate::process::Usage;
use serve::Running;

/// Many clients of the stream at once.
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Clients at once
    #[arg(long, default_value_t = 1000)]
    clients: usize,
    /// Seconds to measure, after all clients have connected
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// What each client subscribes to
    #[arg(long, value_enum, default_value_t = Topic::Mixed)]
    topic: Topic,
    /// Be the server: used by the bench itself
    #[arg(long, hide = true)]
    serve: bool,
}

/// What a client subscribes to.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    /// Ten top talkers
    Talkers,
    /// Rates by interface
    Rates,
    /// The fifty heaviest flows
    Flows,
    /// A third of the clients each
    Mixed,
}

impl Topic {
    /// The subscription of client `number`.
    fn json(self, number: usize) -> &'static str {
        match self {
            Self::Talkers => r#"{"name":"talkers","by":"host"}"#,
            Self::Rates => r#"{"name":"rates","by":"interface"}"#,
            Self::Flows => r#"{"name":"flows"}"#,
            Self::Mixed => [Self::Talkers, Self::Rates, Self::Flows][number % 3].json(number),
        }
    }
}

/// Runs the bench and gives its table.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(BenchError::system("start the runtime"))?;
    if arguments.serve {
        return runtime.block_on(traffic::serve_it());
    }
    let server = Running::start(&["stream", "--serve"])?;
    runtime.block_on(measure(arguments, server.address, server.id()))
}

async fn measure(arguments: &Arguments, address: SocketAddr, pid: u32) -> Result<String, BenchError> {
    let clients = clients::Clients::open(address, arguments.clients, |n| arguments.topic.json(n)).await?;
    // The first frames of all clients are no steady state.
    sleep(Duration::from_secs(2)).await;
    let (before, counted) = (Usage::of_tree(pid)?, clients.counted());
    let seconds = Duration::from_secs(u64::from(arguments.seconds.max(1)));
    sleep(seconds).await;
    let (after, arrived) = (Usage::of_tree(pid)?, clients.counted());
    let seconds = seconds.as_secs_f64();
    let cores = (after.cpu - before.cpu).as_secs_f64() / seconds;
    #[expect(clippy::cast_precision_loss, reason = "rates for people")]
    let rate = |now: u64, then: u64| (now - then) as f64 / seconds;
    let frames = rate(arrived.frames, counted.frames);
    #[expect(clippy::cast_precision_loss, reason = "a number of clients")]
    let each = frames / arguments.clients.max(1) as f64;
    Ok(format!(
        "| clients | topic | server cores | frames/s | frames/s and client | MB/s | missed | server memory |\n\
         |---|---|---|---|---|---|---|---|\n\
         | {} | {:?} | {cores:.2} | {frames:.0} | {each:.2} | {:.1} | {} | {} MB |",
        arguments.clients,
        arguments.topic,
        rate(arrived.bytes, counted.bytes) / 1e6,
        arrived.missed - counted.missed,
        after.resident_bytes >> 20,
    ))
}
