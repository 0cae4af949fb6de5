//! Probes: what agents are told to measure, and how what they measure stands now.
//!
//! The server keeps probes as entities and gives each agent its assignment, whole, after every change. Results come in as records, like
//! everything else: the [`Board`] holds the last of each probe in memory, history keeps all, and their numbers become samples
//! (`samples`), so that charts, rollups and alerts know them as any series.
//!
//! The agent of this machine is behind the port [`Prober`], which joins after the server is built.

pub(crate) mod board;
pub(crate) mod map;
pub(crate) mod places;
mod route_watch;
pub(crate) mod samples;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use netwatch_entities::{ListQuery, Order, Reading, StoreError};
use netwatch_model::Record;
use netwatch_model::assignment::{AssignedProbe, Assignment};
use netwatch_model::people::WorkspaceId;
use netwatch_model::probe::{Probe, ProbeResult, ProbeSpec};
use netwatch_storage::{Budget, ResultQuery, Span};

use crate::app::App;

pub use board::Board;

/// An agent that runs probes.
pub trait Prober: Send + Sync {
    /// From here on it runs these.
    fn assign(&self, assignment: Assignment);

    /// Runs something once, now; `None` when the agent is busy or has ended.
    fn run(&self, spec: ProbeSpec) -> Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>>;
}

/// Which networks may be measured, as the configuration says: see [`Assignment`].
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
}

impl App {
    /// Tells the agent of this machine what to measure. Blocks.
    pub(crate) fn assign_probes(&self) {
        let slot = self.prober();
        let Some(prober) = slot.get() else { return };
        let mut revision = slot.revision.lock().unwrap_or_else(PoisonError::into_inner);
        match self.access().entities().read(|tx| assigned(tx, self.access().home())) {
            Ok(probes) => {
                let policy = slot.policy.load();
                *revision += 1;
                let (allow, deny) = (policy.allow.clone(), policy.deny.clone());
                prober.assign(Assignment { revision: *revision, probes, allow, deny });
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the agent is not told what changed; it goes on as before");
            }
        }
    }
}

/// So many results of the last day are looked at after a start.
const RECALLED: usize = 20_000;
const DAY: Duration = Duration::from_secs(86_400);

impl App {
    /// Fills the board with what history remembers. Blocks.
    pub(crate) fn recall_probes(&self) {
        let count = self.access().entities().read(|tx| tx.count::<Probe>(self.access().home()));
        let Ok(store) = self.history().get() else { return };
        if count.is_ok_and(|count| count == 0) {
            return;
        }
        let now = self.now();
        let span = Span { from: now - DAY, to: now + DAY };
        let query =
            ResultQuery { span, probe: None, agent: None, kind: None, failed: false, limit: RECALLED, after: None };
        match store.results(crate::ingest::HOME, &query, &Budget::default()) {
            Ok(page) => page.results.iter().rev().for_each(|result| self.store().probes().recall(result)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what probes measured before the start is in history only");
            }
        }
    }
}

/// The probes of a workspace that are switched on.
fn assigned(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<AssignedProbe>, StoreError> {
    let limit = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let query = ListQuery { order: Order::Oldest, limit, ..ListQuery::default() };
    let probes = tx.list::<Probe>(workspace, &query)?.items.into_iter().map(|stored| stored.value);
    Ok(probes.filter(|probe| probe.enabled).map(|probe| AssignedProbe { id: probe.id, spec: probe.spec }).collect())
}

/// The result that a record is, if it is one.
pub(crate) fn result_of(record: &Record) -> Option<&ProbeResult> {
    if let Record::Probe(result) = record { Some(result) } else { None }
}
