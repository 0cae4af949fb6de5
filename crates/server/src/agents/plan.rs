//! Which agent measures what: all probes of all workspaces, as one value that sessions share.
//!
//! It is read from the entities once after each change, whatever the number of agents; an agent's part of it is chosen in memory. Pure
//! but for [`Plan::read`]. Limits: [`MAX_PROBES`] probes of one agent, the oldest first.

mod expanding;
mod left_out;

use std::collections::{BTreeMap, HashMap};

use netwatch_entities::{ListQuery, Order, Reading, StoreError};
use netwatch_model::AgentId;
use netwatch_model::assignment::{AssignedProbe, MAX_PROBES, NarrowedProbes};
use netwatch_model::people::{Agent, AgentSelector, ProbeId, WorkspaceId};
use netwatch_model::probe::pair;
use netwatch_model::probe::{Probe, ProbeNetworks, ProbeSpec};

use super::pairs::PairKeys;
use super::registry::Registry;
use crate::history::limits::workspaces;
use crate::probes::networks;
use expanding::Expanding;
pub(crate) use expanding::{Expanded, Once};

/// All probes.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    probes: Vec<Planned>,
    places: HashMap<ProbeId, usize>,
    of: HashMap<WorkspaceId, Vec<usize>>,
    /// Probes that name agents: a global agent of another workspace may be one of them.
    naming: HashMap<AgentId, Vec<usize>>,
    /// Probes that measure agents: a global agent of another workspace may be one of them, too.
    targeting: HashMap<AgentId, Vec<usize>>,
    /// Where probes of workspaces may measure that narrow it.
    networks: HashMap<WorkspaceId, ProbeNetworks>,
    keys: PairKeys,
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
        let (mut all, mut networks) = (Vec::new(), HashMap::new());
        for workspace in workspaces(tx)? {
            networks.insert(workspace.id, networks::of(tx, workspace.id)?);
            all.extend(tx.list::<Probe>(workspace.id, &query)?.items.into_iter().map(|stored| stored.value));
        }
        Ok(Self { networks, ..Self::of(all) })
    }

    /// These probes.
    pub(crate) fn of(all: impl IntoIterator<Item = Probe>) -> Self {
        let mut plan = Self::default();
        for planned in all.into_iter().map(Planned::of) {
            let place = plan.probes.len();
            plan.places.insert(planned.id, place);
            plan.of.entry(planned.workspace).or_default().push(place);
            for agent in &planned.agents.ids {
                plan.naming.entry(*agent).or_default().push(place);
            }
            if let Some(target) = pair::target_of(&planned.spec) {
                plan.targeting.entry(target).or_default().push(place);
            }
            plan.probes.push(planned);
        }
        plan
    }

    /// The same, and agents send one another test packets with these keys.
    pub(crate) fn with_keys(self, keys: PairKeys) -> Self {
        Self { keys, ..self }
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
        chosen.take(MAX_PROBES).map(|probe| probe.entry(agent)).collect()
    }

    /// What an agent measures, probes to other agents expanded: it measures those that it is to measure, and is measured by, and measures
    /// back, those that are to measure it: of its own workspace, and of any other when it is offered to all. A target that is not there stays as
    /// it is, and fails with a reason.
    /// It also answers those that measure it once (`asked`), and for as long as they do.
    pub(crate) fn expanded(&self, agent: &Agent, registry: &Registry, asked: &[Once]) -> Expanded {
        let has = |name: &str, value: &str| registry.has_label(agent.id, name, value);
        let mut all = Expanding::new(registry, &self.keys);
        for probe in self.assigned(agent, has) {
            let workspace = self.place(probe.id).map(|planned| planned.workspace);
            let there = pair::target_of(&probe.spec).and_then(|id| registry.agent(id));
            let there = there.filter(|there| there.global || Some(there.workspace) == workspace);
            match there {
                Some(there) => all.pair(agent.id, &probe, agent, there),
                None => all.done.probes.push(probe),
            }
        }
        for planned in self.measuring(agent).filter(|planned| planned.enabled) {
            let probe = planned.entry(agent);
            for here in registry.agents().filter(|here| here.id != agent.id && planned.is_run_by(here, registry)) {
                all.pair(agent.id, &probe, here, agent);
            }
        }
        asked.iter().for_each(|once| all.once(agent.id, once));
        all.finish()
    }

    /// A measurement that `here` makes once for a workspace; none when `here` is its target. A target that is no agent which the workspace
    /// knows stays as it is.
    pub(crate) fn once(
        &self,
        workspace: WorkspaceId,
        here: AgentId,
        spec: &ProbeSpec,
        registry: &Registry,
    ) -> Option<Once> {
        let there = pair::target_of(spec).and_then(|id| registry.agent(id));
        let there = there.filter(|there| there.global || there.workspace == workspace).map(|there| there.id);
        (there != Some(here)).then(|| Once { here, there, spec: spec.clone() })
    }

    /// Who measures what of it, the answer first.
    pub(crate) fn parts(&self, once: &Once, registry: &Registry) -> Vec<(AgentId, ProbeSpec)> {
        once.parts(&self.keys, registry)
    }

    /// Probes of an agent, those apart whose workspaces narrow where they may measure. A probe to another agent obeys its own workspace at both
    /// ends.
    pub(crate) fn narrowed(&self, probes: Vec<AssignedProbe>) -> (Vec<AssignedProbe>, Vec<NarrowedProbes>) {
        let (mut free, mut narrowed) = (Vec::new(), BTreeMap::<WorkspaceId, NarrowedProbes>::new());
        for probe in probes {
            let workspace = self.place(probe.id).map(|planned| planned.workspace);
            let bound = workspace.and_then(|workspace| Some((workspace, self.networks.get(&workspace)?)));
            match bound.filter(|(_, networks)| !networks.is_empty()) {
                None => free.push(probe),
                Some((workspace, networks)) => {
                    let new = || NarrowedProbes { to: networks.clone(), probes: Vec::new() };
                    narrowed.entry(workspace).or_insert_with(new).probes.push(probe);
                }
            }
        }
        (free, narrowed.into_values().collect())
    }

    /// Whether agents measure one another.
    pub(crate) fn has_pairs(&self) -> bool {
        self.probes.iter().any(|planned| planned.enabled && pair::target_of(&planned.spec).is_some())
    }

    /// The workspace to which a result of an agent belongs; none when the agent has nothing to say there.
    pub(crate) fn place_of(&self, agent: &Agent, probe: Option<ProbeId>) -> Option<WorkspaceId> {
        let Some(probe) = probe else { return Some(agent.workspace) };
        match self.places.get(&probe).and_then(|place| self.at(*place)) {
            Some(probe) if probe.workspace == agent.workspace => Some(agent.workspace),
            Some(probe) => (agent.global && probe.asks(agent.id)).then_some(probe.workspace),
            // It was deleted while its last results were on their way: of which workspace nobody knows any more.
            None => (!agent.global).then_some(agent.workspace),
        }
    }

    /// Probes whose target an agent is, as far as it may be one.
    fn measuring(&self, agent: &Agent) -> impl Iterator<Item = &Planned> {
        let (workspace, is_offered) = (agent.workspace, agent.global);
        let all = self.targeting.get(&agent.id).into_iter().flatten().filter_map(|place| self.at(*place));
        all.filter(move |planned| is_offered || planned.workspace == workspace)
    }

    fn place(&self, probe: ProbeId) -> Option<&Planned> {
        self.places.get(&probe).and_then(|place| self.at(*place))
    }

    fn at(&self, place: usize) -> Option<&Planned> {
        self.probes.get(place)
    }
}

impl Planned {
    fn of(Probe { id, workspace, spec, agents, enabled, .. }: Probe) -> Self {
        Self { id, workspace, spec, agents, enabled }
    }

    /// What an agent is told of it: one of another workspace hears no label.
    fn entry(&self, agent: &Agent) -> AssignedProbe {
        let mut spec = self.spec.clone();
        if self.workspace != agent.workspace {
            spec.labels.clear();
        }
        AssignedProbe { id: self.id, peer: None, spec }
    }

    fn is_run_by(&self, agent: &Agent, registry: &Registry) -> bool {
        runs(agent, self.workspace, &self.agents, registry)
    }

    /// Whether an agent of another workspace has something to say: it is named, or measures the way back.
    fn asks(&self, agent: AgentId) -> bool {
        self.agents.names(agent) || pair::measured_back(&self.spec) == Some(agent)
    }
}

/// Whether an agent runs what a workspace has these agents run.
fn runs(agent: &Agent, workspace: WorkspaceId, agents: &AgentSelector, registry: &Registry) -> bool {
    let has = |name: &str, value: &str| registry.has_label(agent.id, name, value);
    match workspace == agent.workspace {
        true => agents.takes(agent.id, has),
        false => agent.global && agents.names(agent.id),
    }
}

#[cfg(test)]
mod tests;
