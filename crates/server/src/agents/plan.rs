//! Which agent measures what: all probes of all workspaces, as one value that sessions share.
//!
//! It is read from the entities once after each change, whatever the number of agents; an agent's part of it is chosen in memory. Pure
//! but for [`Plan::read`]. Limits: [`MAX_PROBES`](netwatch_model::assignment::MAX_PROBES) probes of one agent, the oldest first.

use std::collections::HashMap;

use netwatch_entities::{ListQuery, Order, Reading, StoreError};
use netwatch_model::AgentId;
use netwatch_model::assignment::{AssignedProbe, MAX_PROBES};
use netwatch_model::people::{Agent, AgentSelector, ProbeId, WorkspaceId};
use netwatch_model::probe::{Probe, ProbeSpec};

use crate::history::limits::workspaces;

/// All probes.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    probes: Vec<Planned>,
    places: HashMap<ProbeId, usize>,
    of: HashMap<WorkspaceId, Vec<usize>>,
    /// Probes that name agents: a global agent of another workspace may be one of them.
    naming: HashMap<AgentId, Vec<usize>>,
}

/// A probe.
#[derive(Debug)]
struct Planned {
    id: ProbeId,
    workspace: WorkspaceId,
    spec: ProbeSpec,
    agents: AgentSelector,
    enabled: bool,
}

impl Plan {
    /// All probes that are kept.
    pub(crate) fn read(tx: &Reading<'_>) -> Result<Self, StoreError> {
        let limit = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
        let query = ListQuery { order: Order::Oldest, limit, ..ListQuery::default() };
        let mut all = Vec::new();
        for workspace in workspaces(tx)? {
            all.extend(tx.list::<Probe>(workspace.id, &query)?.items.into_iter().map(|stored| stored.value));
        }
        Ok(Self::of(all))
    }

    /// These probes.
    pub(crate) fn of(all: impl IntoIterator<Item = Probe>) -> Self {
        let mut plan = Self::default();
        for Probe { id, workspace, spec, agents, enabled, .. } in all {
            let place = plan.probes.len();
            plan.places.insert(id, place);
            plan.of.entry(workspace).or_default().push(place);
            for agent in &agents.ids {
                plan.naming.entry(*agent).or_default().push(place);
            }
            plan.probes.push(Planned { id, workspace, spec, agents, enabled });
        }
        plan
    }

    /// What an agent measures; `has` tells whether it has a label.
    pub(crate) fn assigned(&self, agent: &Agent, has: impl Fn(&str, &str) -> bool) -> Vec<AssignedProbe> {
        let own = self.of.get(&agent.workspace).into_iter().flatten();
        let named = self.naming.get(&agent.id).filter(|_| agent.global).into_iter().flatten();
        let foreign = named.filter(|place| self.at(**place).is_some_and(|probe| probe.workspace != agent.workspace));
        let takes = |probe: &&Planned| {
            probe.enabled && (probe.workspace != agent.workspace || probe.agents.takes(agent.id, &has))
        };
        let chosen = own.chain(foreign).filter_map(|place| self.at(*place)).filter(takes);
        chosen.take(MAX_PROBES).map(|probe| AssignedProbe { id: probe.id, peer: None, spec: probe.spec.clone() }).collect()
    }

    /// The workspace to which a result of an agent belongs; none when the agent has nothing to say there.
    pub(crate) fn place_of(&self, agent: &Agent, probe: Option<ProbeId>) -> Option<WorkspaceId> {
        let Some(probe) = probe else { return Some(agent.workspace) };
        match self.places.get(&probe).and_then(|place| self.at(*place)) {
            Some(probe) if probe.workspace == agent.workspace => Some(agent.workspace),
            Some(probe) => (agent.global && probe.agents.names(agent.id)).then_some(probe.workspace),
            // It was deleted while its last results were on their way: of which workspace nobody knows any more.
            None => (!agent.global).then_some(agent.workspace),
        }
    }

    fn at(&self, place: usize) -> Option<&Planned> {
        self.probes.get(place)
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::Timestamp;
    use netwatch_model::people::AgentOrigin;
    use netwatch_model::probe::ProbeKind;

    use super::*;

    const OURS: WorkspaceId = WorkspaceId::from_bits(1);
    const THEIRS: WorkspaceId = WorkspaceId::from_bits(2);

    fn probe(id: u128, workspace: WorkspaceId, agents: AgentSelector) -> Probe {
        Probe {
            id: ProbeId::from_bits(id),
            workspace,
            name: format!("p{id}").parse().unwrap(),
            spec: ProbeSpec::new(ProbeKind::Ping, "192.0.2.1"),
            agents,
            enabled: true,
            created: Timestamp::from_secs(0),
        }
    }

    fn agent(global: bool) -> Agent {
        Agent {
            id: AgentId(9),
            workspace: OURS,
            name: "a".parse().unwrap(),
            origin: AgentOrigin::Enrolled,
            key: None,
            enabled: true,
            global,
            labels: [].into(),
            group: None,
            location: None,
            created: Timestamp::from_secs(0),
        }
    }

    fn plan() -> Plan {
        let all = || AgentSelector { all: true, ..AgentSelector::default() };
        let named = || AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() };
        Plan::of([
            probe(1, OURS, all()),
            probe(2, OURS, AgentSelector::default()),
            Probe { enabled: false, ..probe(3, OURS, all()) },
            probe(4, OURS, named()),
            probe(5, THEIRS, all()),
            probe(6, THEIRS, named()),
        ])
    }

    fn ids(agent: &Agent) -> Vec<u128> {
        plan().assigned(agent, |_, _| false).iter().map(|probe| probe.id.bits()).collect()
    }

    #[test]
    fn an_agent_measures_for_its_workspace_and_a_global_one_for_those_that_name_it() {
        assert_eq!(ids(&agent(false)), [1, 4]);
        assert_eq!(ids(&agent(true)), [1, 4, 6]);
        assert_eq!(ids(&Agent { id: Agent::OWN, ..agent(false) }), [1, 2]);
    }

    #[test]
    fn results_go_where_their_probe_is_and_nowhere_else() {
        let place = |global, probe: u128| plan().place_of(&agent(global), Some(ProbeId::from_bits(probe)));
        assert_eq!([1, 2, 6, 99].map(|probe| place(false, probe)), [Some(OURS), Some(OURS), None, Some(OURS)]);
        assert_eq!([1, 5, 6, 99].map(|probe| place(true, probe)), [Some(OURS), None, Some(THEIRS), None]);
        assert_eq!(plan().place_of(&agent(true), None), Some(OURS));
    }
}
