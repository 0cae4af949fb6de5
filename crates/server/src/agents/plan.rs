//! Which agent measures what: all probes of all workspaces, as one value that sessions share.
//!
//! It is read from the entities once after each change, whatever the number of agents; an agent's part of it is chosen in memory. Pure
//! but for [`Plan::read`]. Limits: [`MAX_PROBES`] probes of one agent, the oldest first.

use std::collections::HashMap;
use std::net::IpAddr;

use netwatch_entities::{ListQuery, Order, Reading, StoreError};
use netwatch_model::AgentId;
use netwatch_model::assignment::{AssignedProbe, MAX_PROBES};
use netwatch_model::people::{Agent, AgentSelector, ProbeId, WorkspaceId};
use netwatch_model::probe::kind::agent::BOTH_WAYS;
use netwatch_model::probe::{OptionValue, Probe, ProbeKind, ProbeSpec, pair};

use super::registry::Registry;
use crate::history::limits::workspaces;

/// Most addresses whose test packets an agent answers.
const MAX_REFLECTED: usize = 4096;

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
        chosen
            .take(MAX_PROBES)
            .map(|probe| AssignedProbe { id: probe.id, peer: None, spec: probe.spec.clone() })
            .collect()
    }

    /// What an agent measures, probes to other agents expanded: it measures those that it is to measure, and is measured by, and measures
    /// back, those of its own workspace that are to measure it. A target that is not there stays as it is, and fails with a reason.
    pub(crate) fn expanded(&self, agent: &Agent, registry: &Registry) -> Expanded {
        let has = |name: &str, value: &str| registry.has_label(agent.id, name, value);
        let mut all = Expanded::default();
        for probe in self.assigned(agent, has) {
            let workspace = self.place(probe.id).map(|planned| planned.workspace);
            let there = target(&probe.spec).and_then(|id| registry.agent(id));
            let there = there.filter(|there| there.global || Some(there.workspace) == workspace);
            match there {
                Some(there) => all.pair(agent.id, &probe, agent, there, registry),
                None => all.probes.push(probe),
            }
        }
        let mine = self.of.get(&agent.workspace).into_iter().flatten().filter_map(|place| self.at(*place));
        for planned in mine.filter(|planned| planned.enabled && target(&planned.spec) == Some(agent.id)) {
            let probe = AssignedProbe { id: planned.id, peer: None, spec: planned.spec.clone() };
            for here in registry.agents().filter(|here| here.id != agent.id && planned.is_run_by(here, registry)) {
                all.pair(agent.id, &probe, here, agent, registry);
            }
        }
        all.probes.truncate(MAX_PROBES);
        all.reflect.sort_unstable();
        all.reflect.dedup();
        all.reflect.truncate(MAX_REFLECTED);
        all
    }

    /// Whether agents measure one another.
    pub(crate) fn has_pairs(&self) -> bool {
        self.probes.iter().any(|planned| planned.enabled && planned.spec.kind == ProbeKind::Agent)
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

    fn place(&self, probe: ProbeId) -> Option<&Planned> {
        self.places.get(&probe).and_then(|place| self.at(*place))
    }

    fn at(&self, place: usize) -> Option<&Planned> {
        self.probes.get(place)
    }
}

impl Planned {
    fn is_run_by(&self, agent: &Agent, registry: &Registry) -> bool {
        let has = |name: &str, value: &str| registry.has_label(agent.id, name, value);
        match self.workspace == agent.workspace {
            true => self.agents.takes(agent.id, has),
            false => agent.global && self.agents.names(agent.id),
        }
    }
}

/// The agent that a probe measures, if it measures one.
fn target(spec: &ProbeSpec) -> Option<AgentId> {
    if spec.kind == ProbeKind::Agent { spec.target.parse().ok() } else { None }
}

/// What an agent does for probes.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Expanded {
    /// What it measures.
    pub(crate) probes: Vec<AssignedProbe>,
    /// Whose test packets it answers.
    pub(crate) reflect: Vec<IpAddr>,
}

impl Expanded {
    /// Adds what `agent` does for a probe from `here` to `there`, of which it is one. An agent of which no address is known is not measured
    /// back.
    fn pair(&mut self, agent: AgentId, probe: &AssignedProbe, here: &Agent, there: &Agent, registry: &Registry) {
        let (from, to) = (registry.end(here.id), registry.end(there.id));
        let mut spec = probe.spec.clone();
        if from.addresses.is_empty() && from.seen.is_none() {
            spec.options.set(&BOTH_WAYS, OptionValue::Flag(false));
        }
        for (of, part) in pair::expand(probe.id, &spec, &from, &to, None) {
            if of == agent {
                self.probes.push(part);
            } else if part.spec.kind == ProbeKind::Simulation {
                let other = if of == from.agent { &from } else { &to };
                self.reflect.extend(other.addresses.iter().copied().chain(other.seen));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use netwatch_model::Timestamp;
    use netwatch_model::people::{AgentInfo, AgentOrigin, AgentSeen};

    use super::super::registry::AgentRules;

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
            objective: None,
            quorum: None,
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
    fn a_probe_to_an_agent_is_measured_from_both_ends() {
        let other = Agent { id: AgentId(0xb2), name: "b".parse().unwrap(), ..agent(false) };
        let foreign = Agent { id: AgentId(0xc3), name: "c".parse().unwrap(), workspace: THEIRS, ..agent(false) };
        let mut registry = Registry::new(AgentRules::default(), Duration::ZERO);
        let seen = |agent: &Agent, address: &str| {
            let info = AgentInfo { addresses: vec![address.parse().unwrap()], ..AgentInfo::default() };
            let (agent, workspace, last_seen) = (agent.id, agent.workspace, Timestamp::from_secs(1));
            AgentSeen { agent, workspace, last_seen, info, peer: None, cloned_at: None }
        };
        for (agent, address) in [(&agent(false), "203.0.113.1"), (&other, "203.0.113.2"), (&foreign, "203.0.113.3")] {
            assert_eq!(registry.put(agent.clone(), Some(seen(agent, address))), None);
        }
        let to = |id: u128, target: &str| Probe {
            spec: ProbeSpec::new(ProbeKind::Agent, target),
            ..probe(id, OURS, AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() })
        };
        let plan = Plan::of([to(1, "00000000000000b2"), to(2, "00000000000000c3")]);
        let kinds = |agent: &Agent| -> Vec<(u128, ProbeKind)> {
            plan.expanded(agent, &registry).probes.iter().map(|part| (part.id.bits(), part.spec.kind)).collect()
        };
        use ProbeKind as K;
        let there = [(1, K::Agent), (1, K::Mtr), (1, K::Ping)];
        assert_eq!(kinds(&agent(false)), [&there[..], &[(2, K::Agent)]].concat(), "an agent of others stays unknown");
        assert_eq!(kinds(&other), there);
        assert_eq!(kinds(&foreign), []);
    }

    #[test]
    fn a_reflector_answers_those_that_measure_its_agent() {
        let other = Agent { id: AgentId(0xb2), name: "b".parse().unwrap(), ..agent(false) };
        let mut registry = Registry::new(AgentRules::default(), Duration::ZERO);
        let (own, theirs): (IpAddr, IpAddr) = ("203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap());
        for (agent, address) in [(agent(false), own), (other.clone(), theirs)] {
            let info = AgentInfo { addresses: vec![address], reflector_port: Some(8862), ..AgentInfo::default() };
            let last_seen = Timestamp::from_secs(1);
            let (id, workspace) = (agent.id, agent.workspace);
            let seen = AgentSeen { agent: id, workspace, last_seen, info, peer: None, cloned_at: None };
            assert_eq!(registry.put(agent, Some(seen)), None);
        }
        let spec = ProbeSpec::new(ProbeKind::Agent, "00000000000000b2");
        let to = Probe { spec, ..probe(1, OURS, AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() }) };
        let reflected = |both: bool| {
            let mut to = to.clone();
            to.spec.options.set(&BOTH_WAYS, OptionValue::Flag(both));
            let plan = Plan::of([to]);
            [&agent(false), &other].map(|agent| plan.expanded(agent, &registry).reflect)
        };
        assert_eq!(reflected(true), [vec![theirs], vec![own]]);
        assert_eq!(reflected(false), [vec![], vec![own]]);
    }

    #[test]
    fn results_go_where_their_probe_is_and_nowhere_else() {
        let place = |global, probe: u128| plan().place_of(&agent(global), Some(ProbeId::from_bits(probe)));
        assert_eq!([1, 2, 6, 99].map(|probe| place(false, probe)), [Some(OURS), Some(OURS), None, Some(OURS)]);
        assert_eq!([1, 5, 6, 99].map(|probe| place(true, probe)), [Some(OURS), None, Some(THEIRS), None]);
        assert_eq!(plan().place_of(&agent(true), None), Some(OURS));
    }
}
