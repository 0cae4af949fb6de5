//! Probes: what agents are told to measure, and how what they measure stands now.
//!
//! The server keeps probes as entities and gives each agent its assignment, whole, after every change. Results come in as records, like
//! everything else: the [`Board`] holds the last of each probe in memory, history keeps all, and their numbers become samples
//! (`samples`), so that charts, rollups and alerts know them as any series.
//!
//! The agent of this machine is behind the port [`Prober`], which joins after the server is built.

pub(crate) mod board;
pub(crate) mod heat;
pub(crate) mod map;
pub(crate) mod networks;
pub(crate) mod places;
mod route_watch;
pub(crate) mod samples;
pub(crate) mod told;
pub(crate) mod uptime;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use netwatch_entities::{Reading, StoreError};
use netwatch_model::Record;
use netwatch_model::assignment::{Assignment, NarrowedRun};
use netwatch_model::people::{Agent, WorkspaceId};
use netwatch_model::probe::{Probe, ProbeResult};
use netwatch_storage::{Budget, ResultQuery, Span, TelemetryStore};

use crate::agents::{Expanded, PairKeys, Plan};
use crate::app::App;
use crate::history::limits::workspaces;
use crate::history::place;

pub use board::Board;

/// An agent that runs probes.
pub trait Prober: Send + Sync {
    /// From here on it runs these.
    fn assign(&self, assignment: Assignment);

    /// Runs something once, now; `None` when the agent is busy or has ended.
    fn run(&self, run: NarrowedRun) -> Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>>;
}

/// Which networks may be measured, as the configuration says: see [`Assignment`]. Workspaces narrow it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProbePolicy {
    /// Not public, and yet allowed.
    pub allow: Vec<String>,
    /// Refused, whatever else is said.
    pub deny: Vec<String>,
}

/// A place for a prober that comes later.
#[derive(Default)]
pub(crate) struct ProberSlot {
    prober: OnceLock<Arc<dyn Prober>>,
    policy: ArcSwap<ProbePolicy>,
    /// Held while the agent is told, so that it hears of changes in their order.
    revision: Mutex<u64>,
}

impl ProberSlot {
    /// The prober from here on; the first one stays.
    pub(crate) fn fill(&self, prober: Arc<dyn Prober>) {
        _ = self.prober.set(prober);
    }

    /// What may be measured from here on.
    pub(crate) fn set_policy(&self, policy: ProbePolicy) {
        self.policy.store(Arc::new(policy));
    }

    pub(crate) fn get(&self) -> Option<&Arc<dyn Prober>> {
        self.prober.get()
    }

    /// What may be measured.
    pub(crate) fn policy(&self) -> Arc<ProbePolicy> {
        self.policy.load_full()
    }
}

impl App {
    /// Tells all agents what to measure, those that are connected and that of this machine. Blocks.
    pub(crate) fn assign_probes(&self) {
        let slot = self.prober();
        let mut revision = slot.revision.lock().unwrap_or_else(PoisonError::into_inner);
        match self.access().entities().read(Plan::read) {
            Ok(plan) => {
                self.agents().set_plan(plan.with_keys(PairKeys::read(self.access().entities())));
                self.assign_prober(&mut revision);
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "agents are not told what changed; they go on as before");
            }
        }
    }
}

impl App {
    /// Tells the agent of this machine what to do, as far as others ask it to. Blocks.
    pub(crate) fn assign_own(&self) {
        self.assign_prober(&mut self.prober().revision.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn assign_prober(&self, revision: &mut u64) {
        let Some(prober) = self.prober().get() else { return };
        let expanded = self.agents().expanded(&self.own_agent());
        *revision += 1;
        prober.assign(self.assignment(*revision, &self.agents().plan(), expanded));
    }

    /// What an agent is told of what it does: `expanded`, with where it may measure.
    pub(crate) fn assignment(&self, revision: u64, plan: &Plan, expanded: Expanded) -> Assignment {
        let Expanded { probes, reflect, senders, testers } = expanded;
        let (probes, narrowed) = plan.narrowed(probes);
        let policy = self.prober().policy();
        let (allow, deny) = (policy.allow.clone(), policy.deny.clone());
        Assignment { revision, probes, narrowed, allow, deny, reflect, senders, testers }
    }
}

/// So many results of the last day are looked at after a start.
const RECALLED: usize = 20_000;
const DAY: Duration = Duration::from_secs(86_400);

impl App {
    /// Fills the boards with what history remembers. Blocks.
    pub(crate) fn recall_probes(&self) {
        let Ok(store) = self.history().get() else { return };
        match self.access().entities().read(workspaces) {
            Ok(all) => all.iter().for_each(|workspace| self.recall_workspace(&*store, workspace.id)),
            Err(error) => not_recalled(&error),
        }
    }

    fn recall_workspace(&self, store: &dyn TelemetryStore, workspace: WorkspaceId) {
        let is_empty = |tx: &Reading<'_>| -> Result<bool, StoreError> {
            Ok(tx.count::<Probe>(workspace)? == 0 && tx.count::<Agent>(workspace)? == 0)
        };
        if self.access().entities().read(is_empty).unwrap_or(false) {
            return;
        }
        let now = self.now();
        let span = Span { from: now - DAY, to: now + DAY };
        let query =
            ResultQuery { span, probe: None, agent: None, kind: None, failed: false, limit: RECALLED, after: None };
        match store.results(place(self, workspace), &query, &Budget::default()) {
            Ok(page) => page.results.iter().rev().for_each(|result| self.board_of(workspace).recall(result)),
            Err(error) => not_recalled(&error),
        }
    }
}

fn not_recalled(error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error, "what probes measured before the start is in history only");
}

/// The result that a record is, if it is one.
pub(crate) fn result_of(record: &Record) -> Option<&ProbeResult> {
    if let Record::Probe(result) = record { Some(result) } else { None }
}
