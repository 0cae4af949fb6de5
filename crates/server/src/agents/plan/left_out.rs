//! Probes that agents of older versions leave out, so that people learn why these give no results there.
//!
//! A workspace may narrow which networks its probes measure. An agent that does not know this yet is given such probes in a place where
//! it does not look ([`Assignment::narrowed`](netwatch_model::Assignment::narrowed)), and runs none of them.

use std::collections::BTreeMap;

use netwatch_model::AgentId;
use netwatch_model::people::{Agent, WorkspaceId};
use netwatch_model::probe::{Probe, ProbeKind, pair};

use super::{Plan, Planned, Registry, runs};

impl Plan {
    /// How many probes of a workspace an agent leaves out, by kind.
    pub(in crate::agents) fn left_out_by(
        &self,
        agent: &Agent,
        workspace: WorkspaceId,
        registry: &Registry,
    ) -> BTreeMap<ProbeKind, u64> {
        let mut counts = BTreeMap::new();
        if self.narrows(workspace) && registry.leaves_narrowed_out(agent.id) {
            let all = self.of.get(&workspace).into_iter().flatten().filter_map(|place| self.at(*place));
            for planned in all.filter(|planned| planned.enabled && planned.concerns(agent, registry)) {
                *counts.entry(planned.spec.kind).or_default() += 1;
            }
        }
        counts
    }

    /// The agents that leave a probe out, as it is kept or will be.
    pub(in crate::agents) fn leaving_out(&self, probe: &Probe, registry: &Registry) -> Vec<AgentId> {
        if !probe.enabled || !self.narrows(probe.workspace) {
            return Vec::new();
        }
        let planned = Planned::of(probe.clone());
        let older = registry.agents().filter(|agent| registry.leaves_narrowed_out(agent.id));
        let mut found: Vec<AgentId> =
            older.filter(|agent| planned.concerns(agent, registry)).map(|agent| agent.id).collect();
        found.sort_unstable();
        found
    }

    /// Whether a workspace narrows where its probes may measure.
    fn narrows(&self, workspace: WorkspaceId) -> bool {
        self.networks.get(&workspace).is_some_and(|networks| !networks.is_empty())
    }
}

impl Planned {
    /// Whether an agent has something to measure for it.
    fn concerns(&self, agent: &Agent, registry: &Registry) -> bool {
        self.is_run_by(agent, registry) || self.is_measured_back_by(agent, registry)
    }

    fn is_measured_back_by(&self, agent: &Agent, registry: &Registry) -> bool {
        let may = agent.global || agent.workspace == self.workspace;
        may && pair::measured_back(&self.spec) == Some(agent.id)
            && registry.agents().any(|here| here.id != agent.id && runs(here, self.workspace, &self.agents, registry))
    }
}
