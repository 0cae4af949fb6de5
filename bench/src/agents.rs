//! Many agents on one server: what they cost it, and how they come back after it was away.
//!
//! A real `netwatch up` runs in a network namespace. One thread of this process is all agents ([`fleet`]): each has a key, comes in with a
//! token of its own, holds one session over mutual TLS, sends heartbeats, and sends results of the probes that the server assigns to it, in
//! batches, as the real agent does. Three stretches follow each other: no agent; all of them; the server is killed, is away, and starts
//! again, until all are back and everything that had waited is acknowledged. In the end each result is looked for in history, over the
//! API.
//!
//! Each result has a number, so that one that is lost and one that is there twice are both seen.
//!
//! Limits: agents and server share the machine's cores, and the thread of the agents has its part in every time. The agents measure
//! nothing, write nothing to disk, and do not tell of their hosts.

mod agent;
mod fleet;
mod lines;
mod server;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use netwatch_telemetry::clock::monotonic;
use netwatch_testkit::netns::Running;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;

use crate::error::BenchError;
use crate::lab::Lab;
use crate::process::Usage;
use crate::times::Summary;
use fleet::{Count, Told};
use server::Server;

/// Many agents: their results, and a server that was away
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Agents
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=5000))]
    agents: u32,
    /// Probes of each agent
    #[arg(long, default_value_t = 10)]
    probes: usize,
    /// Seconds between two runs of a probe
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=3600))]
    interval: u32,
    /// Seconds of the stretch in which all are there
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds for which the server is away
    #[arg(long, default_value_t = 30)]
    away: u64,
    /// The binary of Netwatch [default: beside this one]
    #[arg(long)]
    netwatch: Option<PathBuf>,
}

/// Tokens that were made and not used.
const TOKENS: usize = 32;
/// How long agents may take to come in, to come back, and to have everything acknowledged.
const PATIENCE: Duration = Duration::from_secs(600);
/// Time without agents.
const ALONE: Duration = Duration::from_secs(10);
/// Time for what a rush has left to be done.
const SETTLE: Duration = Duration::from_secs(15);
/// How often is looked, and how often the server is asked who is offline.
const LOOK: Duration = Duration::from_millis(50);
const ASK: Duration = Duration::from_secs(1);

/// Runs it and gives the figures as text.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    raise_limit_of_files();
    let lab = Lab::new(arguments.netwatch.as_deref())?;
    let told = Arc::new(Told::default());
    let (tokens, received) = mpsc::channel(TOKENS);
    std::thread::scope(|scope| {
        let agents = scope.spawn(|| lab.receiver.enter(|| fleet::run(received, &told)));
        // It owns the sender: when it ends, so do the agents.
        let measured = Run { arguments, server: Server::new(&lab), told: &told, tokens }.measure();
        let ended = agents.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        ended.and(measured)
    })
}

/// The bench itself.
struct Run<'b> {
    arguments: &'b Arguments,
    server: Server<'b>,
    told: &'b Told,
    tokens: mpsc::Sender<String>,
}

/// How the agents came back.
struct Return {
    /// From the start of the server until all had a session.
    back: Duration,
    /// Until everything that had waited was acknowledged.
    caught_up: Duration,
    /// Agents that were shown as offline at a time, and as online when all were back.
    offline: usize,
    online: usize,
}

impl Run<'_> {
    fn measure(self) -> Result<String, BenchError> {
        let mut running = self.server.start()?;
        self.server.wait(&mut running)?;
        let probes = self.server.make_probes(self.arguments.probes, self.arguments.interval)?;
        std::thread::sleep(SETTLE);
        let alone = self.stretch("no agent", &running, ALONE)?;
        let came = self.enrol()?;
        std::thread::sleep(SETTLE);
        let all = self.stretch("all are there", &running, Duration::from_secs(self.arguments.seconds))?;
        drop(running);
        std::thread::sleep(Duration::from_secs(self.arguments.away));
        let (running, returned, storm) = self.come_back()?;
        self.told.end();
        let made = self.until(|count| count.acknowledged == count.made)?.made;
        let (stored, different) = self.server.stored(&probes, made)?;
        let told_offline = self.server.events("agent_offline")?;
        drop(running);
        let Self { arguments: Arguments { agents, away, .. }, .. } = self;
        let Return { back, caught_up, offline, online } = returned;
        Ok(format!(
            "{agents} agents with {} probes each: all enrolled and in session {:.1} s after the first asked.\n\n\
             Without a server for {away} s; after its start the last was back after {:.1} s, and what had waited was acknowledged after \
             {:.1} s. At most {offline} were shown as offline meanwhile, {told_offline} events said so; {online} of {} were shown as online \
             when all were back.\n\n\
             {made} results were made and acknowledged; {stored} are in history: {} lost, {} twice.\n\n{}",
            probes.len(),
            came.as_secs_f64(),
            back.as_secs_f64(),
            caught_up.as_secs_f64(),
            // The server has an agent of its own.
            agents + 1,
            made.saturating_sub(different),
            stored - different,
            table(&[alone, all, storm]),
        ))
    }

    /// Brings all agents in; how long it took.
    fn enrol(&self) -> Result<Duration, BenchError> {
        let begin = monotonic();
        for _ in 0..self.arguments.agents {
            let token = self.server.token()?;
            // When the agents have ended, the next look at them says why.
            let _ = self.tokens.blocking_send(token);
            self.told.count()?;
        }
        self.until(|count| count.live == self.arguments.agents as usize)?;
        Ok(monotonic().saturating_sub(begin))
    }

    /// Starts the server again, and waits until everything is as before.
    fn come_back(&self) -> Result<(Running, Return, Stretch), BenchError> {
        let (begin, before) = (monotonic(), self.told.count()?);
        self.told.waits();
        let mut running = self.server.start()?;
        self.server.wait(&mut running)?;
        let (mut offline, mut ask_at) = (0, begin);
        self.until(|count| {
            if monotonic() >= ask_at {
                ask_at = monotonic() + ASK;
                // Who cannot be asked now is asked again.
                offline = offline.max(self.server.agents("offline").unwrap_or(0));
            }
            count.live == self.arguments.agents as usize
        })?;
        let back = monotonic().saturating_sub(begin);
        let online = self.server.agents("online")?;
        self.until(|count| count.behind == 0)?;
        let caught_up = monotonic().saturating_sub(begin);
        let usage = Usage::of_tree(running.0.id())?;
        let counts = (before, self.told.count()?);
        let storm = self.stretch_of("after its start, until all is as before", caught_up, counts, (usage.cpu, usage));
        Ok((running, Return { back, caught_up, offline, online }, storm))
    }

    /// What a stretch of time costs the server.
    fn stretch(&self, name: &'static str, running: &Running, time: Duration) -> Result<Stretch, BenchError> {
        self.told.waits();
        let (begin, before, used) = (monotonic(), self.told.count()?, Usage::of_tree(running.0.id())?);
        std::thread::sleep(time);
        let (after, usage) = (self.told.count()?, Usage::of_tree(running.0.id())?);
        let (time, cpu) = (monotonic().saturating_sub(begin), usage.cpu.saturating_sub(used.cpu));
        Ok(self.stretch_of(name, time, (before, after), (cpu, usage)))
    }

    fn stretch_of(
        &self,
        name: &'static str,
        time: Duration,
        (before, after): (Count, Count),
        (cpu, usage): (Duration, Usage),
    ) -> Stretch {
        let results = after.acknowledged - before.acknowledged;
        Stretch {
            name,
            time,
            results,
            batches: after.batches - before.batches,
            waits: self.told.waits().all(),
            cpu,
            usage,
        }
    }

    /// Waits until the agents stand so; gives how they stand.
    fn until(&self, mut is_so: impl FnMut(&Count) -> bool) -> Result<Count, BenchError> {
        let deadline = monotonic() + PATIENCE;
        loop {
            let count = self.told.count()?;
            if is_so(&count) {
                return Ok(count);
            }
            if monotonic() > deadline {
                return Err(BenchError::Agent(format!("after {} s they stand so: {count:?}", PATIENCE.as_secs())));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// A row of the table.
struct Stretch {
    name: &'static str,
    time: Duration,
    results: u64,
    batches: u64,
    waits: Summary,
    cpu: Duration,
    usage: Usage,
}

fn table(stretches: &[Stretch]) -> String {
    let head = "| stretch | results a minute | batches/s | ack p50 | ack p99 | longest | server, cores | memory | peak | open files |\n\
                |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    let row = |stretch: &Stretch| {
        let seconds = stretch.time.as_secs_f64();
        format!(
            "| {} | {:.0} | {:.0} | {:.1?} | {:.1?} | {:.1?} | {:.2} | {} MB | {} MB | {} |\n",
            stretch.name,
            stretch.results as f64 / seconds * 60.0,
            stretch.batches as f64 / seconds,
            stretch.waits.median,
            stretch.waits.p99,
            stretch.waits.longest,
            stretch.cpu.as_secs_f64() / seconds,
            stretch.usage.resident_bytes / 1_000_000,
            stretch.usage.peak_resident_bytes / 1_000_000,
            stretch.usage.open_files,
        )
    };
    head.to_owned() + &stretches.iter().map(row).collect::<String>()
}

/// Each agent is a connection.
fn raise_limit_of_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised, a connection fails, and that says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_rates_and_shares_of_its_time() {
        let waits = Summary {
            answers: 100,
            median: Duration::from_millis(4),
            p99: Duration::from_millis(20),
            longest: Duration::from_millis(30),
        };
        let usage =
            Usage { resident_bytes: 90_000_000, peak_resident_bytes: 95_000_000, open_files: 2100, ..Usage::default() };
        let (time, cpu) = (Duration::from_secs(30), Duration::from_secs(6));
        let text = table(&[Stretch { name: "all", time, results: 50_000, batches: 48_000, waits, cpu, usage }]);
        let last = "| all | 100000 | 1600 | 4.0ms | 20.0ms | 30.0ms | 0.20 | 90 MB | 95 MB | 2100 |";
        assert_eq!(text.lines().last(), Some(last));
    }
}
