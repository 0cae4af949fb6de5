//! One session: what an agent sends goes in, what the server wants goes out.
//!
//! Batches are taken while earlier ones wait for their commit ([`IN_FLIGHT`]); acks go out in the order of the batches. The assignment
//! is sent at the beginning and whenever the agent's part of the plan is another one. Everything that comes counts as a word of the
//! agent. A session ends when either side ends it, when nothing came for [`SILENCE`], or when the agent does not read for [`PATIENCE`].
//!
//! Limits: [`OUT`] messages wait for the agent, [`MAX_ASKED`] measurements on demand are open.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use netwatch_api::agent::v1::{self, from_agent, to_agent};
use netwatch_model::assignment::{Assignment, NarrowedRun};
use netwatch_model::people::Agent;
use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Timestamp, Untrusted};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tonic::{Status, Streaming};

use super::intake::{Job, Verdict};
use super::registry::{Beat, ClockEstimate, Collector, CollectorState, Ending, SessionId, Spool};
use super::{Linked, Look, Run};
use crate::app::App;

/// Batches of a session that wait for their commit.
const IN_FLIGHT: usize = 16;
/// Messages that wait for the agent.
pub(super) const OUT: usize = 64;
/// Measurements on demand that may be open.
const MAX_ASKED: usize = 16;
/// How long an agent may say nothing: three heartbeats and a little.
const SILENCE: Duration = Duration::from_secs(70);
/// How long it may not read.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between heartbeats, seconds.
pub(super) const HEARTBEAT: u32 = 20;
/// Collectors of which an agent may tell.
const MAX_COLLECTORS: usize = 64;

/// Messages on their way to an agent.
pub(super) type Out = mpsc::Sender<Result<v1::ToAgent, Status>>;

/// An open session.
pub(super) struct Session {
    pub(super) held: Held,
    pub(super) linked: Linked,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) out: Out,
    pub(super) incoming: Streaming<v1::FromAgent>,
}

/// That a session is open; it is no more when this is dropped, however it ends.
pub(super) struct Held {
    pub(super) app: App,
    pub(super) agent: Arc<Agent>,
    pub(super) id: SessionId,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.app.agents().unlink(self.agent.id, self.id);
    }
}

/// What waits for the agent or the log.
#[derive(Default)]
struct Waiting {
    acks: FuturesOrdered<Acking>,
    asked: HashMap<u64, oneshot::Sender<Result<ProbeResult, String>>>,
    requests: u64,
    /// Hash of the assignment that was sent last, and its revision.
    sent: Option<[u8; 32]>,
    revision: u64,
}

type Acking = std::pin::Pin<Box<dyn Future<Output = (v1::Ack, Verdict)> + Send>>;

/// Why a session is over.
enum Over {
    /// The agent is gone.
    Gone,
    /// The server ends it, and says why.
    Ended(Ending),
    /// It cannot go on.
    Fault(Status),
}

impl Session {
    /// Until the end.
    pub(super) async fn run(mut self) {
        let mut waiting = Waiting::default();
        let over = self.go_on(&mut waiting).await;
        match over {
            Over::Gone => tracing::debug!(agent = %self.held.agent.id, "a session ended"),
            Over::Ended(why) => {
                tracing::info!(agent = %self.held.agent.id, ?why, "a session was ended");
                self.send(to_agent::Message::Goodbye(goodbye(why))).await;
            }
            Over::Fault(status) => {
                tracing::warn!(agent = %self.held.agent.id, error = status.message(), "a session was ended");
                let _read_no_more = timeout(PATIENCE, self.out.send(Err(status))).await;
            }
        }
    }

    async fn go_on(&mut self, waiting: &mut Waiting) -> Over {
        if let Err(over) = self.assign(waiting).await {
            return over;
        }
        let stopping = self.held.app.agents().stopping.clone();
        loop {
            let may_read = waiting.acks.len() < IN_FLIGHT;
            let step = tokio::select! {
                why = ended(&mut self.linked.end) => return Over::Ended(why),
                () = stopping.cancelled() => return Over::Ended(Ending::Stopping),
                Some((ack, verdict)) = waiting.acks.next(), if !waiting.acks.is_empty() => {
                    self.answer(ack, verdict).await
                }
                message = self.incoming.message(), if may_read => match message {
                    Ok(Some(v1::FromAgent { message })) => self.take(message, waiting).await,
                    Ok(None) | Err(_) => Err(Over::Gone),
                },
                changed = self.linked.changed.changed() => match changed {
                    Ok(()) => self.assign(waiting).await,
                    Err(_) => Err(Over::Ended(Ending::Stopping)),
                },
                Some(run) = self.linked.runs.recv() => self.ask(run, waiting).await,
                Some(look) = self.linked.looks.recv() => self.look(look, waiting).await,
                () = sleep(SILENCE), if may_read => Err(Over::Gone),
            };
            if let Err(over) = step {
                return over;
            }
        }
    }

    async fn take(&mut self, message: Option<from_agent::Message>, waiting: &mut Waiting) -> Result<(), Over> {
        let now = self.held.app.clocks();
        let is_mine = match message {
            Some(from_agent::Message::Heartbeat(heartbeat)) => {
                let sent = heartbeat.time;
                let heard =
                    self.held.app.agents().registry().beat(self.held.agent.id, self.held.id, beat_of(heartbeat), now);
                let replied = self.held.app.now().nanos();
                let beat = v1::Beat { sent, received: now.wall.nanos(), replied };
                self.held.app.agents().beats.send_modify(|count| *count = count.wrapping_add(1));
                self.put(to_agent::Message::Beat(beat)).await?;
                heard
            }
            Some(from_agent::Message::Batch(batch)) => {
                waiting.acks.push_back(self.hand_over(batch).await?);
                self.held.app.agents().registry().heard(self.held.agent.id, self.held.id, now)
            }
            Some(from_agent::Message::Ran(reply)) => {
                if let Some(answer) = waiting.asked.remove(&reply.request) {
                    let _nobody_waits = answer.send(outcome(reply.outcome));
                }
                self.held.app.agents().registry().heard(self.held.agent.id, self.held.id, now)
            }
            Some(from_agent::Message::Hello(_)) => {
                return Err(Over::Fault(Status::failed_precondition("a session has one hello")));
            }
            // Of a later version.
            None => self.held.app.agents().registry().heard(self.held.agent.id, self.held.id, now),
        };
        // The registry has ended it already: the reason is on its way.
        if is_mine { Ok(()) } else { Err(self.reason().await) }
    }

    async fn reason(&mut self) -> Over {
        let why = timeout(PATIENCE, ended(&mut self.linked.end)).await;
        Over::Ended(why.unwrap_or(Ending::Replaced))
    }

    /// Gives a batch to the log.
    async fn hand_over(&self, batch: v1::Batch) -> Result<Acking, Over> {
        // As it is now: it may have been offered to all since the session began.
        let agent = self.held.app.agents().registry().agent(self.held.agent.id).cloned();
        let agent = agent.ok_or(Over::Ended(Ending::Deleted))?;
        let (answer, answered) = oneshot::channel();
        let v1::Batch { run, sequence, records } = batch;
        let job = Job { agent, run, sequence, records, answer };
        let stopped = |_| Over::Ended(Ending::Stopping);
        self.jobs.send(job).await.map_err(stopped)?;
        Ok(Box::pin(async move {
            let verdict = answered.await.unwrap_or_else(|_| Verdict::Later("the server stops".to_owned()));
            (v1::Ack { run, sequence }, verdict)
        }))
    }

    async fn answer(&self, ack: v1::Ack, verdict: Verdict) -> Result<(), Over> {
        match verdict {
            Verdict::Durable => self.put(to_agent::Message::Ack(ack)).await,
            Verdict::Bad(why) => Err(Over::Fault(Status::invalid_argument(why))),
            Verdict::Later(why) => Err(Over::Fault(Status::unavailable(why))),
        }
    }

    /// Sends the assignment, when it is another one than before.
    async fn assign(&mut self, waiting: &mut Waiting) -> Result<(), Over> {
        self.linked.changed.mark_unchanged();
        let (app, agent) = (self.held.app.clone(), self.held.agent.id);
        let made = tokio::task::spawn_blocking(move || app.assignment_of(agent)).await;
        let Ok(Some(mut assignment)) = made else { return Ok(()) };
        let document = |assignment: &Assignment| {
            serde_json::to_vec(assignment).map_err(|error| Over::Fault(Status::internal(error.to_string())))
        };
        let hash: [u8; 32] = Sha256::digest(document(&assignment)?).into();
        if waiting.sent == Some(hash) {
            return Ok(());
        }
        // Grows also over a restart of the server.
        let now = u64::try_from(self.held.app.now().millis()).unwrap_or(0);
        waiting.revision = now.max(waiting.revision + 1);
        waiting.sent = Some(hash);
        assignment.revision = waiting.revision;
        let document = document(&assignment)?.into();
        self.held.app.agents().registry().assigned(self.held.agent.id, waiting.revision);
        self.put(to_agent::Message::Assignment(v1::Assignment { revision: waiting.revision, document })).await
    }

    /// The same, and says which revision it is.
    async fn look(&mut self, look: Look, waiting: &mut Waiting) -> Result<(), Over> {
        let assigned = self.assign(waiting).await;
        let _nobody_waits = look.send(waiting.revision);
        assigned
    }

    /// Asks the agent to measure once.
    async fn ask(&self, run: Run, waiting: &mut Waiting) -> Result<(), Over> {
        waiting.asked.retain(|_, answer| !answer.is_closed());
        if waiting.asked.len() >= MAX_ASKED {
            let _nobody_waits = run.answer.send(Err("it is asked too much at once".to_owned()));
            return Ok(());
        }
        let message = message_of(&run.what, waiting.requests + 1);
        let message = message.map_err(|error| Over::Fault(Status::internal(error.to_string())))?;
        waiting.requests += 1;
        waiting.asked.insert(waiting.requests, run.answer);
        self.put(to_agent::Message::Run(message)).await
    }

    async fn put(&self, message: to_agent::Message) -> Result<(), Over> {
        if self.send(message).await { Ok(()) } else { Err(Over::Gone) }
    }

    /// Whether the agent will read it.
    async fn send(&self, message: to_agent::Message) -> bool {
        let message = v1::ToAgent { message: Some(message) };
        timeout(PATIENCE, self.out.send(Ok(message))).await.is_ok_and(|sent| sent.is_ok())
    }
}

impl App {
    /// What an agent measures; its revision is for the session to say. None when it is no agent any more.
    pub(super) fn assignment_of(&self, agent: AgentId) -> Option<Assignment> {
        let (registry, plan) = (self.agents().registry(), self.agents().plan());
        let known = Arc::clone(registry.agent(agent)?);
        let expanded = plan.expanded(&known, &registry, &self.agents().onces());
        drop(registry);
        Some(self.assignment(0, &plan, expanded))
    }
}

/// A run as agents read it: one that nothing narrows as agents of before read it, too.
fn message_of(run: &NarrowedRun, request: u64) -> serde_json::Result<v1::Run> {
    Ok(match run.to.is_empty() {
        true => v1::Run { request, spec: serde_json::to_vec(&run.spec)?.into(), ..v1::Run::default() },
        false => v1::Run { request, narrowed: serde_json::to_vec(run)?.into(), ..v1::Run::default() },
    })
}

/// Ready when the server ends the session.
async fn ended(end: &mut watch::Receiver<Option<Ending>>) -> Ending {
    match end.wait_for(Option::is_some).await {
        Ok(why) => why.unwrap_or(Ending::Stopping),
        Err(_) => Ending::Stopping,
    }
}

fn outcome(outcome: Option<v1::run_reply::Outcome>) -> Result<ProbeResult, String> {
    match outcome {
        Some(v1::run_reply::Outcome::Result(json)) => {
            serde_json::from_slice(&json).map_err(|error| format!("its answer cannot be read: {error}"))
        }
        Some(v1::run_reply::Outcome::Refused(why)) => Err(Untrusted::message(&why).to_string()),
        None => Err("its answer is empty".to_owned()),
    }
}

/// How an agent is, as it says.
fn beat_of(heartbeat: v1::Heartbeat) -> Beat {
    let collector = |status: v1::CollectorStatus| Collector {
        name: Untrusted::new(&status.name),
        state: match status.state() {
            v1::State::Running => CollectorState::Running,
            v1::State::Degraded | v1::State::Unspecified => CollectorState::Degraded,
            v1::State::Failed => CollectorState::Failed,
            v1::State::Idle => CollectorState::Idle,
        },
        message: Untrusted::message(&status.message),
        items: status.items,
    };
    Beat {
        applied: heartbeat.revision,
        assigned: 0,
        collectors: heartbeat.collectors.into_iter().take(MAX_COLLECTORS).map(collector).collect(),
        spool: heartbeat.spool.map(|spool| Spool {
            bytes: spool.bytes,
            batches: spool.batches,
            oldest: (spool.oldest != 0).then(|| Timestamp::from_nanos(spool.oldest)),
            dropped: spool.dropped,
        }),
        clock: heartbeat.clock.map(|clock| ClockEstimate {
            offset: clock.offset,
            error: clock.error,
            synchronised: clock.synchronised,
        }),
    }
}

/// The last word to an agent.
pub(super) fn goodbye(why: Ending) -> v1::Goodbye {
    let (reason, message) = match why {
        Ending::Deleted => {
            (v1::Reason::Deleted, "this agent was deleted on the server: enrol it anew with a new token")
        }
        Ending::Disabled => {
            (v1::Reason::Disabled, "this agent is disabled on the server: enable it on the page Agents")
        }
        Ending::Kicked => (v1::Reason::Kicked, "somebody ended the session: it may begin again"),
        Ending::Replaced => (v1::Reason::Replaced, "a newer session of this agent began"),
        Ending::Cloned => (
            v1::Reason::Cloned,
            "another process uses the key of this agent: enrol one of the two anew, with a data directory of its own",
        ),
        Ending::Stopping => (v1::Reason::Stopping, "the server stops or restarts"),
    };
    v1::Goodbye { reason: reason.into(), message: message.to_owned() }
}
