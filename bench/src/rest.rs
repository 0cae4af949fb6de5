//! What programs wait for when many ask at once: REST over a million flows.
//!
//! A second process fills the live store as the bench of the store does, serves it, and goes on taking records in; this one asks the
//! same mix of questions over kept connections, each client as soon as it has its answer, and reads the other's CPU time.
//!
//! Limits: both processes share the machine's cores; with few cores the clients' own work is part of every time. `--think` leaves a
//! pause between an answer and the next question, as people do.

mod client;

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_server::query::LiveStore;
use netwatch_server::store::StoreConfig;
use netwatch_telemetry::clock::{ClockSource, monotonic};
use tokio::time::{MissedTickBehavior, interval};

use crate::error::BenchError;
use crate::process::Usage;
use crate::serve::{self, Running};
use crate::store::{Filler, fill};
use client::Times;

/// Megabytes for ended records: enough for all.
const ARCHIVE: usize = 640 << 20;

/// REST over many flows, many clients at once
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Conversations in all
    #[arg(long, default_value_t = 1_000_000)]
    flows: u64,
    /// How many of them are still active
    #[arg(long, default_value_t = 200_000)]
    active: u64,
    /// Clients at once
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// Seconds of questions
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Milliseconds between an answer and the next question of a client
    #[arg(long, default_value_t = 0)]
    think: u64,
    /// Records taken in each second meanwhile
    #[arg(long, default_value_t = 20_000)]
    pace: usize,
    /// Be the server: used by the bench itself
    #[arg(long, hide = true)]
    serve: bool,
}

/// Runs it and gives the figures as text.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(BenchError::system("start the runtime"))?;
    if arguments.serve {
        return runtime.block_on(serve_it(arguments));
    }
    let numbers = [arguments.flows, arguments.active, arguments.pace as u64].map(|n| n.to_string());
    let [flows, active, pace] = &numbers;
    let server = Running::start(&["rest", "--serve", "--flows", flows, "--active", active, "--pace", pace])?;
    runtime.block_on(measure(arguments, &server))
}

async fn measure(arguments: &Arguments, server: &Running) -> Result<String, BenchError> {
    let before = Usage::of_tree(server.id())?;
    let from = monotonic();
    let until = from + Duration::from_secs(arguments.seconds.max(1));
    let think = Duration::from_millis(arguments.think);
    let clients: Vec<_> =
        (0..arguments.clients).map(|n| tokio::spawn(client::ask(server.address, n, until, think))).collect();
    let mut times = Times::default();
    for client in clients {
        let of_one = client.await.map_err(|e| BenchError::system("run a client")(e.into()))?;
        times.merge(of_one.map_err(BenchError::system("ask the server"))?);
    }
    let took = monotonic().saturating_sub(from).as_secs_f64();
    let after = Usage::of_tree(server.id())?;
    Ok(format!(
        "{} clients, {} flows, {} records taken in each second: {:.0} answers a second, server {:.2} cores, {} MB\n{times}",
        arguments.clients,
        arguments.flows,
        arguments.pace,
        times.answers() / took,
        (after.cpu - before.cpu).as_secs_f64() / took,
        after.resident_bytes >> 20,
    ))
}

async fn serve_it(arguments: &Arguments) -> Result<String, BenchError> {
    let store = Arc::new(LiveStore::new(StoreConfig { archive_bytes: ARCHIVE, ..StoreConfig::default() }));
    let mut filler = Filler::new(arguments.flows, arguments.active);
    fill(&store, &mut filler)?;
    filler.go_on();
    let clock = Moving { from: filler.now(), began: monotonic() };
    serve::serve(Arc::clone(&store), Arc::new(clock), feed(store, filler, arguments.pace, clock)).await
}

async fn feed(store: Arc<LiveStore>, mut filler: Filler, pace: usize, clock: Moving) {
    let mut ticks = interval(Duration::from_millis(250));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let store = Arc::clone(&store);
        let taken = tokio::task::spawn_blocking(move || {
            store.apply(&filler.batch(pace / 4), clock.now());
            filler
        });
        filler = match taken.await {
            Ok(filler) => filler,
            Err(error) => return eprintln!("no more records: {error}"),
        };
    }
}

/// Goes on from the end of the made-up traffic.
#[derive(Clone, Copy)]
struct Moving {
    from: Timestamp,
    began: Duration,
}

impl ClockSource for Moving {
    fn now(&self) -> Timestamp {
        self.from + self.monotonic().saturating_sub(self.began)
    }

    fn monotonic(&self) -> Duration {
        monotonic()
    }
}
