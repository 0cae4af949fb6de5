//! What agents last told of their hosts: the results of the built-in measurements that belong to no probe.
//!
//! In memory; history has all of them. Limits: [`KINDS`] kinds of each agent, [`AGENTS`] agents.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwatch_model::AgentId;
use netwatch_model::probe::{ProbeKind, ProbeResult};

const KINDS: usize = 4;
const AGENTS: usize = 20_000;

type Results = HashMap<AgentId, Vec<(ProbeKind, Arc<ProbeResult>)>>;

/// The last results of each agent.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Results>);

impl Told {
    /// Notes a result that belongs to no probe. An older one changes nothing.
    pub(crate) fn note(&self, result: &ProbeResult) {
        let mut all = self.all();
        if !all.contains_key(&result.agent) && all.len() >= AGENTS {
            return;
        }
        let of = all.entry(result.agent).or_default();
        let Some(place) = of.iter().position(|(kind, _)| *kind == result.kind) else {
            if of.len() < KINDS {
                of.push((result.kind, Arc::new(result.clone())));
            }
            return;
        };
        if let Some((_, last)) = of.get_mut(place)
            && last.start <= result.start
        {
            *last = Arc::new(result.clone());
        }
    }

    /// The last result of a kind.
    pub(crate) fn of(&self, agent: AgentId, kind: &str) -> Option<Arc<ProbeResult>> {
        let all = self.all();
        let found = all.get(&agent)?.iter().find(|(of, _)| of.name() == kind);
        found.map(|(_, result)| Arc::clone(result))
    }

    /// Forgets an agent.
    pub(crate) fn forget(&self, agent: AgentId) {
        self.all().remove(&agent);
    }

    fn all(&self) -> MutexGuard<'_, Results> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
