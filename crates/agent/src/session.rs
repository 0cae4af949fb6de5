//! The session with the server: the shell around [`link`](crate::link).
//!
//! ```text
//! Course ─connect─► Dialer (TCP, proxy, TLS, HTTP/2) ─► Talk: hello, welcome, then
//!                                                        outbox ─batches─►  ◄─acks, assignments, runs, beats
//! ```
//!
//! One task on the runtime of its caller owns everything; a run that the server asks for is a task of its own, sixteen at most.
//! Queues: `talk::QUEUE` messages to the connection, which a session waits for. Nothing is lost when the task is dropped: what was not
//! acknowledged lies in the outbox.
//!
//! Losing the server stops no measurement: the last assignment lies in the data directory and goes on, over restarts, too.

mod dial;
mod enrol;
mod pin;
mod proxy;
mod status;
mod talk;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Assignment;
use netwatch_probes::Host;
use netwatch_telemetry::clock::ClockSource;
use tokio::sync::watch;

pub(crate) use dial::Client;
pub use dial::{DialError, Dialer, DialerError};
pub use enrol::{EnrolError, enrol};
pub use proxy::{ParseProxyError, Proxy, ProxyError};
pub use status::{About, Collectors, Install};

use crate::Intake;
use crate::identity::{Deleted, Enrolled, Home, read_json, write_json};
use crate::link::course::{Course, End, Next};
use crate::outbox::Outbox;
use crate::probing::Asking;
use crate::update::{Updates, Version};
use crate::watchdog::Beats;

/// Runs on demand at once.
const MOST_RUNS: usize = 16;
/// The file with the last assignment.
const ASSIGNMENT: &str = "assignment.json";

/// Where chance comes from: numbers in 0..1.
pub type Chance = fn() -> f64;

/// What a session needs.
pub struct Dependencies {
    /// The data directory.
    pub home: Home,
    /// Who the agent is.
    pub enrolled: Enrolled,
    /// The way to the server.
    pub dialer: Dialer,
    /// What it says of itself.
    pub about: About,
    /// This run of the process.
    pub boot: u64,
    /// What waits to be sent.
    pub outbox: Outbox,
    /// Where events of its own go.
    pub intake: Intake,
    /// Where assignments go.
    pub assignments: watch::Sender<Arc<Assignment>>,
    /// Who runs what somebody asks for.
    pub asking: Asking,
    /// Who is told how the server sees this host.
    pub host: Arc<Host>,
    /// How collectors fare.
    pub collectors: Collectors,
    /// Newer programs.
    pub updates: Updates,
    /// The time.
    pub clock: Arc<dyn ClockSource>,
    /// Chance.
    pub chance: Chance,
    /// Who watches that this goes on.
    pub beats: Beats,
    /// The longest that is slept at once while waiting: the clock is looked at as often.
    pub tick: Duration,
}

/// How it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was asked to.
    Stopped,
    /// The agent was deleted on the server, which says this.
    Deleted(String),
    /// A newer program is to run: that version, with the next start.
    Updated(Version),
    /// This version has not reached the server in time: the next start runs the one before.
    Unwelcome(Version),
}

/// The assignment that an earlier run kept; the empty one when there is none, or it is damaged.
#[must_use]
pub fn kept_assignment(home: &Home) -> Assignment {
    match read_json(&home.file(ASSIGNMENT)) {
        Ok(kept) => kept.unwrap_or_default(),
        Err(error) => {
            tracing::warn!(error = chain(&error), "the last assignment is not known: the server sends it anew");
            Assignment::default()
        }
    }
}

/// Keeps a session until `stop`, or until the agent is no more.
pub async fn run(mut dependencies: Dependencies, stop: impl Future<Output = ()>) -> Outcome {
    dependencies.collectors.assigned(&dependencies.assignments.borrow());
    let mut stop = std::pin::pin!(stop);
    let (updates, clock) = (dependencies.updates.clone(), Arc::clone(&dependencies.clock));
    let tick = dependencies.tick;
    let outcome = tokio::select! {
        () = &mut stop => {
            updates.stopped();
            Outcome::Stopped
        }
        outcome = keep(&mut dependencies) => outcome,
        version = updates.overdue(&*clock, tick) => Outcome::Unwelcome(version),
    };
    let now = dependencies.clock.monotonic();
    if let Err(error) = dependencies.outbox.checkpoint(now, true) {
        tracing::warn!(error = chain(&error), "what the server has could not be written down: it goes once more");
    }
    outcome
}

/// Sessions, one after the other, until the agent is deleted or a newer program is to run.
async fn keep(dependencies: &mut Dependencies) -> Outcome {
    let mut course = Course::default();
    loop {
        let (end, message) = one(dependencies, &mut course).await;
        let now = dependencies.clock.monotonic();
        // What is acknowledged is known after a restart, too.
        if let Err(error) = dependencies.outbox.checkpoint(now, true) {
            tracing::warn!(error = chain(&error), "what the server has could not be written down");
        }
        match course.ended(end, now, (dependencies.chance)()) {
            Next::Stop => {
                if let End::Updated(version) = end {
                    return Outcome::Updated(version);
                }
                remember_deletion(dependencies, &message);
                return Outcome::Deleted(message);
            }
            Next::ConnectAt(at) => {
                let seconds = at.saturating_sub(now).as_secs();
                tracing::warn!(server = dependencies.dialer.server(), why = message, seconds, "{}", end.text());
                wait_until(dependencies, at).await;
            }
        }
    }
}

/// One session, or one try.
async fn one(dependencies: &mut Dependencies, course: &mut Course) -> (End, String) {
    match dependencies.dialer.open().await {
        Ok(client) => talk::hold(dependencies, client, course).await,
        Err(error @ DialError::WrongServer { .. }) => (End::WrongServer, chain(&error)),
        Err(error) => (End::Unreachable, chain(&error)),
    }
}

/// Later starts say it, too.
fn remember_deletion(dependencies: &mut Dependencies, message: &str) {
    let deleted = Deleted { time: dependencies.clock.now(), message: message.to_owned() };
    dependencies.enrolled.deleted = Some(deleted);
    if let Err(error) = dependencies.home.keep(&dependencies.enrolled) {
        tracing::warn!(error = chain(&error), "that the agent was deleted could not be written down");
    }
}

/// The session says who the agent is and what it is called; that may have changed.
fn remember_name(dependencies: &mut Dependencies, agent: u64, name: &str, workspace: &str) {
    let agent = Some(netwatch_model::AgentId(agent).to_string());
    let enrolled = &mut dependencies.enrolled;
    if enrolled.agent == agent && enrolled.name == name && enrolled.workspace == workspace {
        return;
    }
    (enrolled.agent, enrolled.name, enrolled.workspace) = (agent, name.to_owned(), workspace.to_owned());
    if let Err(error) = dependencies.home.keep(enrolled) {
        tracing::warn!(error = chain(&error), "the name of the agent could not be written down");
    }
}

fn keep_assignment(home: &Home, assignment: &Assignment) {
    if let Err(error) = write_json(&home.file(ASSIGNMENT), assignment) {
        tracing::warn!(error = chain(&error), "the assignment could not be kept: after a restart the server is needed");
    }
}

/// Waits for a time of the clock for intervals.
async fn wait_until(dependencies: &Dependencies, at: Duration) {
    loop {
        dependencies.beats.beat();
        let left = at.saturating_sub(dependencies.clock.monotonic());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(dependencies.tick)).await;
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
