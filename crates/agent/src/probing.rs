//! The collector of probes: runs what the assignment says, and hands the results to the agent.
//!
//! ```text
//! assignment ─watch─► Schedule (when) ─due─► tasks (netwatch_probes::run) ─result─► Intake
//!                        ▲                          │
//!                        └── burst, extra trace ◄───┘
//! ```
//!
//! One thread with a runtime of its own: a server that is busy does not delay packets, and probes do not delay the server. Losing the
//! server changes nothing: the last assignment goes on.
//!
//! Beside them it reads the agent's own host (`host`), which nobody has to ask for.
//!
//! The policy of an assignment, and what a workspace leaves of it, hold from its next run on; a run that is under way ends as it began.
//!
//! Limits: [`MOST_RUNNING`] runs at once; what is due beyond them waits, and is late. Measurements of throughput wait for one another, so
//! that two never share a link.

mod burst;
mod host;
mod schedule;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use netwatch_egress::{Network, Policy};
use netwatch_model::assignment::{Assignment, NarrowedRun};
use netwatch_model::probe::{ProbeKind, ProbeResult, Trigger};
use netwatch_model::{AgentId, Record};
use netwatch_probes::{Occasion, Tools};
use netwatch_telemetry::clock::ClockSource;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub use schedule::{Change, Due, Schedule};

use crate::Intake;
use crate::run::BuildError;

/// Runs at once.
pub const MOST_RUNNING: usize = 4096;
/// Runs on demand that wait to begin.
const MOST_REQUESTS: usize = 64;
/// How long the thread waits when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// What the collector needs.
pub struct Dependencies {
    /// Who measures.
    pub agent: AgentId,
    /// Sockets; their policy is replaced by that of the assignment.
    pub tools: Tools,
    /// Where results go.
    pub intake: Intake,
    /// What to measure, and changes of it.
    pub assignments: watch::Receiver<Arc<Assignment>>,
    /// The time.
    pub clock: Arc<dyn ClockSource>,
}

/// A run that somebody asked for, and where its result goes.
type Request = (NarrowedRun, oneshot::Sender<ProbeResult>);

/// Asks for runs.
#[derive(Clone, Debug)]
pub struct Asking(mpsc::Sender<Request>);

impl Asking {
    /// Runs something once, now; `None` when as much runs or waits as may, or the collector has ended.
    pub async fn run(&self, run: NarrowedRun) -> Option<ProbeResult> {
        let (sender, receiver) = oneshot::channel();
        self.0.try_send((run, sender)).ok()?;
        receiver.await.ok()
    }
}

/// The collector on its thread.
#[derive(Debug)]
pub struct Probing {
    requests: mpsc::Sender<Request>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Probing {
    /// Begins to measure.
    ///
    /// # Errors
    /// When the system gives no thread, no runtime or no random number.
    pub fn start(dependencies: Dependencies) -> Result<Self, BuildError> {
        let seed = getrandom::u64().map_err(BuildError::Random)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BuildError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let (requests, requested) = mpsc::channel(MOST_REQUESTS);
        let driver = Driver::new(dependencies, requested, seed);
        let body = move || runtime.block_on(driver.run(stopped));
        let thread =
            std::thread::Builder::new().name("nw-probes".to_owned()).spawn(body).map_err(BuildError::Thread)?;
        Ok(Self { requests, stop, thread })
    }

    /// For those who ask for runs.
    #[must_use]
    pub fn asking(&self) -> Asking {
        Asking(self.requests.clone())
    }

    /// Ends; runs that have not ended are given up.
    pub fn stop(self) {
        // The thread may have ended by a defect: then nobody listens.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread of probes ended by a defect");
        }
    }
}

struct Driver {
    agent: AgentId,
    tools: Tools,
    intake: Intake,
    assignments: watch::Receiver<Arc<Assignment>>,
    clock: Arc<dyn ClockSource>,
    /// The server is gone: what it wanted last goes on.
    is_alone: bool,
    schedule: Schedule,
    requested: mpsc::Receiver<Request>,
    running: JoinSet<Option<(Due, ProbeResult)>>,
    link: Arc<Mutex<()>>,
}

impl Driver {
    fn new(dependencies: Dependencies, requested: mpsc::Receiver<Request>, seed: u64) -> Self {
        let Dependencies { agent, tools, intake, assignments, clock } = dependencies;
        let (schedule, running) = (Schedule::new(seed), JoinSet::new());
        Self {
            agent,
            tools,
            intake,
            assignments,
            clock,
            is_alone: false,
            schedule,
            requested,
            running,
            link: Arc::default(),
        }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        self.apply();
        let (tools, intake, clock) = (self.tools.clone(), self.intake.clone(), Arc::clone(&self.clock));
        let host = tokio::spawn(host::watch(self.agent, tools, intake, clock));
        loop {
            self.start_due();
            let now = self.clock.monotonic();
            let wait = match self.schedule.next() {
                Some(due) if self.running.len() < MOST_RUNNING => due.saturating_sub(now).min(IDLE),
                _ => IDLE,
            };
            tokio::select! {
                _ = &mut stopped => break,
                changed = self.assignments.changed(), if !self.is_alone => match changed {
                    Ok(()) => self.apply(),
                    Err(_) => self.is_alone = true,
                },
                Some(ended) = self.running.join_next() => self.ended(ended),
                Some((run, reply)) = self.requested.recv(), if self.running.len() < MOST_RUNNING => self.answer(run, reply),
                () = tokio::time::sleep(wait) => {}
            }
        }
        host.abort();
        self.running.abort_all();
    }

    fn apply(&mut self) {
        let assignment = Arc::clone(&self.assignments.borrow_and_update());
        self.tools.policy = Arc::new(policy(&assignment));
        let change = self.schedule.apply(&assignment, self.clock.monotonic());
        let (revision, probes) = (assignment.revision, self.schedule.len());
        tracing::info!(revision, probes, ?change, "the assignment of probes is applied");
    }

    fn start_due(&mut self) {
        while self.running.len() < MOST_RUNNING {
            let Some(due) = self.schedule.take(self.clock.monotonic()) else { break };
            self.start(due);
        }
    }

    fn start(&mut self, due: Due) {
        let waited = self.clock.monotonic().saturating_sub(due.planned);
        let scheduled = self.clock.now() - waited;
        let occasion = Occasion { probe: Some(due.id), agent: self.agent, scheduled, trigger: due.trigger };
        let (tools, link) = (self.tools.within(Arc::clone(&due.scope)), Arc::clone(&self.link));
        self.running.spawn(async move {
            let _alone = match due.spec.kind {
                ProbeKind::Throughput => Some(link.lock().await),
                _ => None,
            };
            let result = netwatch_probes::run(&due.spec, occasion, &tools).await;
            Some((due, result))
        });
    }

    /// Runs what somebody asked for; its result goes nowhere else.
    fn answer(&mut self, NarrowedRun { to, spec }: NarrowedRun, reply: oneshot::Sender<ProbeResult>) {
        let scheduled = self.clock.now();
        let occasion = Occasion { probe: None, agent: self.agent, scheduled, trigger: Trigger::Request };
        let tools = self.tools.within(Arc::new(schedule::scope_of(&to)));
        self.running.spawn(async move {
            let result = netwatch_probes::run(&spec, occasion, &tools).await;
            // Who asked may have gone.
            let _ = reply.send(result);
            None
        });
    }

    fn ended(&mut self, ended: Result<Option<(Due, ProbeResult)>, tokio::task::JoinError>) {
        match ended {
            Ok(None) => {}
            Ok(Some((due, result))) => {
                let extra = self.schedule.ended(&due, &result, self.clock.monotonic());
                // The agent has ended only when the process is ending.
                let _ = self.intake.give(vec![Record::Probe(Box::new(result))]);
                if let Some(extra) = extra {
                    self.start(extra);
                }
            }
            Err(error) => tracing::error!(%error, "a run of a probe ended by a defect"),
        }
    }
}

/// What may be measured. A network that cannot be read allows nothing, and denies nothing: the server has checked it.
fn policy(assignment: &Assignment) -> Policy {
    let read = |networks: &[String]| -> Vec<Network> { networks.iter().filter_map(|text| text.parse().ok()).collect() };
    Policy { allow: read(&assignment.allow), deny: read(&assignment.deny) }
}
