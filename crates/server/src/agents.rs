//! Remote agents: who they are, their sessions, what they are told and what they send.
//!
//! ```text
//!  agent ══TLS 1.3, both keys known══► driver ─► service ─┬─ enrol: a token becomes an agent
//!                                                         ├─ session: one task each ──batches──► intake (one thread) ─► ingest log
//!                                                         │      ▲ assignment, run now, end            └─ after the commit: acks
//!                                                         ├─ whoami, release
//!  routes, changes of probes and agents ──► [`Agents`] ───┘
//! ```
//!
//! [`Agents`] joins the pure [`registry`] (who is connected, who is silent), the [`plan`] (who measures what) and the open sessions.
//! It is there also when no agent is served ([`Served`] is empty then): the server's own agent stands in the same lists.
//!
//! Tasks and threads: the accept loop and one task for each connection (`driver`), one task for each session (`session`), the
//! thread `nw-agents` (`intake`), and one task that looks at silence every [`TICK`]. Limits: those of each module.

mod driver;
mod enrol;
mod intake;
mod keys;
mod metrics;
mod once;
mod os;
mod own;
mod pairs;
mod plan;
mod records;
pub(crate) mod registry;
mod releases;
mod service;
mod session;
mod whoami;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use netwatch_entities::{ListQuery, Order, Reading, SeenId, StoreError};
use netwatch_model::AgentId;
use netwatch_model::assignment::NarrowedRun;
use netwatch_model::people::{Agent, AgentSeen, Digest, WorkspaceId};
use netwatch_model::probe::{Probe, ProbeKind, ProbeResult};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::history::limits::workspaces;
use crate::ingest::Ingest;
use registry::{Closed, End, Ending, Now, Opened, Opening, Registry, SessionId, Standing};

pub use driver::AgentServer;
pub(crate) use enrol::object;
pub use keys::AgentKeyError;
pub(crate) use metrics::AgentMetrics;
pub(crate) use once::{Asked, NotAsked};
pub(crate) use pairs::PairKeys;
pub(crate) use plan::{Expanded, Plan};
pub use registry::AgentRules;
pub use service::AgentsError;

/// How often it is looked who is silent.
const TICK: Duration = Duration::from_secs(5);
/// Questions to one agent that may be open.
const MAX_RUNS: usize = 16;
/// Times that a session may be asked to look at its assignment while it is busy.
const MAX_LOOKS: usize = 64;

/// How agents are served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentsConfig {
    /// Where the server listens for them.
    pub listen: SocketAddr,
    /// `HOST:PORT` under which agents reach it, for printed commands; without it, the host of the request and the port of `listen`.
    pub address: Option<String>,
    /// Where the server keeps its own key.
    pub folder: PathBuf,
    /// Certificate and key instead of its own, as PEM.
    pub files: Option<(PathBuf, PathBuf)>,
    /// Programs that are offered to agents, with their signatures.
    pub releases: Option<PathBuf>,
}

/// What is known of the listener.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// How commands name it.
    pub(crate) address: Option<String>,
    /// The hash of its key.
    pub(crate) key: Digest,
}

/// All agents.
pub(crate) struct Agents {
    registry: Mutex<Registry>,
    links: Mutex<HashMap<SessionId, Link>>,
    plan: ArcSwap<Plan>,
    /// Measurements between agents that are made now.
    onces: Mutex<once::Onces>,
    /// Counts changes of the plan, of agents and their labels.
    changed: watch::Sender<u64>,
    /// Counts heartbeats.
    beats: watch::Sender<u64>,
    served: OnceLock<Served>,
    ingest: OnceLock<Arc<Ingest>>,
    /// Why the log did not take the newest batch of an agent; none when it did.
    trouble: Mutex<Option<String>>,
    /// Sessions and the listener end.
    pub(crate) stopping: CancellationToken,
    pub(crate) metrics: AgentMetrics,
}

/// The way to a session.
#[derive(Debug)]
pub(crate) struct Link {
    end: watch::Sender<Option<Ending>>,
    runs: mpsc::Sender<Run>,
    looks: mpsc::Sender<Look>,
}

/// That a session looks whether its assignment is another one; it answers with the revision then.
type Look = oneshot::Sender<u64>;

/// Something to be measured once.
#[derive(Debug)]
pub(crate) struct Run {
    what: NarrowedRun,
    answer: oneshot::Sender<Result<ProbeResult, String>>,
}

/// The session's end of a [`Link`].
#[derive(Debug)]
pub(crate) struct Linked {
    end: watch::Receiver<Option<Ending>>,
    runs: mpsc::Receiver<Run>,
    looks: mpsc::Receiver<Look>,
    changed: watch::Receiver<u64>,
}

/// Why nothing was measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NotRun {
    /// The agent is not connected.
    Absent,
    /// It is asked too much at once.
    Busy,
    /// It did not answer in time, or its session ended.
    Silent,
    /// It says why.
    Refused(String),
}

impl Agents {
    /// Nobody is known yet.
    pub(crate) fn new(metrics: AgentMetrics, stopping: CancellationToken, started: Duration) -> Self {
        Self {
            registry: Mutex::new(Registry::new(AgentRules::default(), started)),
            links: Mutex::default(),
            plan: ArcSwap::default(),
            onces: Mutex::default(),
            changed: watch::Sender::new(0),
            beats: watch::Sender::new(0),
            served: OnceLock::new(),
            ingest: OnceLock::new(),
            trouble: Mutex::default(),
            stopping,
            metrics,
        }
    }

    /// The listener; none when no agents are served.
    pub(crate) fn served(&self) -> Option<&Served> {
        self.served.get()
    }

    /// What happens to agents is kept there from here on.
    fn set_ingest(&self, ingest: Arc<Ingest>) {
        _ = self.ingest.set(ingest);
    }

    /// What became of the newest batch.
    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ingest(&self) -> Option<&Arc<Ingest>> {
        self.ingest.get()
    }

    /// Other rules from here on.
    pub(crate) fn set_rules(&self, rules: AgentRules) {
        self.registry().set_rules(rules);
    }

    /// Who measures what.
    pub(crate) fn plan(&self) -> Arc<Plan> {
        self.plan.load_full()
    }

    /// Somebody changed what is measured, or by whom.
    pub(crate) fn set_plan(&self, plan: Plan) {
        self.plan.store(Arc::new(plan));
        self.changed.send_modify(|count| *count += 1);
    }

    /// Takes over which agents there are. Sessions that may go on no longer end.
    pub(crate) fn set_all(&self, all: Vec<(Agent, Option<AgentSeen>)>) {
        let ends = self.registry().replace_all(all);
        self.end(ends);
    }

    /// An agent came in.
    fn add(&self, agent: Agent) {
        let end = self.registry().put(agent, None);
        self.end(end);
    }

    /// Ends the session of an agent; whether there was one.
    pub(crate) fn kick(&self, agent: AgentId) -> bool {
        let end = self.registry().kick(agent);
        self.end(end);
        end.is_some()
    }

    /// How an agent stands.
    pub(crate) fn standing(&self, agent: AgentId, now: Now) -> Option<Standing> {
        self.registry().standing(agent, now)
    }

    /// Agents of other workspaces that this one may name in its probes.
    pub(crate) fn offered_to(&self, workspace: WorkspaceId) -> Vec<Arc<Agent>> {
        let registry = self.registry();
        registry.agents().filter(|agent| agent.global && agent.workspace != workspace).cloned().collect()
    }

    /// What an agent measures.
    pub(crate) fn expanded(&self, agent: &Agent) -> Expanded {
        self.plan().expanded(agent, &self.registry(), &self.onces())
    }

    /// How many probes of a workspace an agent leaves out, by kind.
    pub(crate) fn left_out_by(&self, agent: AgentId, workspace: WorkspaceId) -> BTreeMap<ProbeKind, u64> {
        let registry = self.registry();
        let agent = registry.agent(agent);
        agent.map(|agent| self.plan().left_out_by(agent, workspace, &registry)).unwrap_or_default()
    }

    /// The agents that leave a probe out.
    pub(crate) fn leaving_out(&self, probe: &Probe) -> Vec<AgentId> {
        self.plan().leaving_out(probe, &self.registry())
    }

    /// What agents are called that a workspace may know.
    pub(crate) fn names(&self, workspace: WorkspaceId) -> HashMap<AgentId, String> {
        let registry = self.registry();
        let known = registry.agents().filter(|agent| agent.global || agent.workspace == workspace);
        known.map(|agent| (agent.id, agent.name.to_string())).collect()
    }

    /// Measures once at a connected agent.
    pub(crate) async fn run(
        &self,
        agent: AgentId,
        what: NarrowedRun,
        patience: Duration,
    ) -> Result<ProbeResult, NotRun> {
        let session = self.registry().session_of(agent).ok_or(NotRun::Absent)?;
        let runs = self.links().get(&session).map(|link| link.runs.clone()).ok_or(NotRun::Absent)?;
        let (answer, answered) = oneshot::channel();
        runs.try_send(Run { what, answer }).map_err(|_| NotRun::Busy)?;
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(Ok(result))) => Ok(ProbeResult { agent, probe: None, ..result }),
            Ok(Ok(Err(why))) => Err(NotRun::Refused(why)),
            Ok(Err(_)) | Err(_) => Err(NotRun::Silent),
        }
    }

    /// The holder of a key wants to open a session; the one that it replaces ends.
    fn open(&self, key: &Digest, opening: Opening, now: Now) -> Result<(Opened, Linked), Closed> {
        let mut registry = self.registry();
        let opened = registry.open(key, opening, now)?;
        // Before anybody else can end it.
        let linked = self.link(opened.session);
        drop(registry);
        self.end(opened.replaced);
        Ok((opened, linked))
    }

    /// A session begins: the way to it.
    fn link(&self, session: SessionId) -> Linked {
        let (end, ended) = watch::channel(None);
        let (runs, asked) = mpsc::channel(MAX_RUNS);
        let (looks, looked) = mpsc::channel(MAX_LOOKS);
        self.links().insert(session, Link { end, runs, looks });
        self.metrics.sessions.inc();
        self.metrics.opened.inc();
        Linked { end: ended, runs: asked, looks: looked, changed: self.changed.subscribe() }
    }

    /// A session has ended.
    fn unlink(&self, agent: AgentId, session: SessionId) {
        self.registry().close(agent, session);
        if self.links().remove(&session).is_some() {
            self.metrics.sessions.dec();
        }
    }

    /// Tells sessions to end.
    fn end(&self, ends: impl IntoIterator<Item = End>) {
        let links = self.links();
        for End { session, why } in ends {
            if let Some(link) = links.get(&session) {
                link.end.send_replace(Some(why));
            }
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Every change of the registry is whole before the next begins.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn links(&self) -> MutexGuard<'_, HashMap<SessionId, Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Both clocks.
    pub(crate) fn clocks(&self) -> Now {
        Now { wall: self.now(), mono: self.monotonic() }
    }

    /// Takes over from the entities which agents there are and what they measure, and tells all of them. Blocks.
    pub(crate) fn agents_changed(&self) {
        match self.access().entities().read(all) {
            Ok(agents) => {
                self.agents().set_all(agents);
                self.assign_probes();
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "sessions of agents are not told what changed; they go on as before");
            }
        }
    }
}

/// Every agent of every workspace, and when it was heard of.
fn all(tx: &Reading<'_>) -> Result<Vec<(Agent, Option<AgentSeen>)>, StoreError> {
    let limit = usize::try_from(Agent::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let query = ListQuery { order: Order::Oldest, limit, ..ListQuery::default() };
    let mut found = Vec::new();
    for workspace in workspaces(tx)? {
        for stored in tx.list::<Agent>(workspace.id, &query)?.items {
            let seen = tx.find::<AgentSeen>(workspace.id, SeenId(stored.value.id))?;
            found.push((stored.value, seen.map(|seen| seen.value)));
        }
    }
    Ok(found)
}
