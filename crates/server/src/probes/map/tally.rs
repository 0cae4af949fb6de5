//! Nodes and edges while they are added up. Traces that are not old come first: where there is one, old ones add no figures.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use netwatch_api::probe::ProbeState;
use netwatch_api::probe::map::{MapEdge, MapNode, MapNodeKind, MapTrace};
use netwatch_model::AgentId;

use super::way::{Step, Way, What};
use super::{MOST_EDGES, MOST_NODES, Names, state_of, urgency};

/// Names of a target that are shown.
const MOST_TARGETS: usize = 8;

#[derive(Debug)]
pub(super) struct Tally<'a> {
    names: &'a Names,
    agents: &'a HashMap<IpAddr, AgentId>,
    nodes: BTreeMap<String, Node>,
    edges: BTreeMap<(String, String), Edge>,
    /// Packets that leave a node, in traces.
    leaving: HashMap<String, f64>,
}

#[derive(Debug)]
struct Node {
    shown: MapNode,
    targets: BTreeSet<String>,
    is_fresh: bool,
    /// Sum of all round-trip times, seconds, and their number.
    times: (f64, u64),
    /// Of the targets: the state of the worst trace.
    worst: Option<ProbeState>,
}

#[derive(Debug, Default)]
struct Edge {
    is_fresh: bool,
    /// What came to the near end, and to the far one.
    near: f64,
    far: f64,
    weight: f64,
    traces: u32,
}

impl<'a> Tally<'a> {
    pub(super) fn new(names: &'a Names, agents: &'a HashMap<IpAddr, AgentId>) -> Self {
        let (nodes, edges, leaving) = (BTreeMap::new(), BTreeMap::new(), HashMap::new());
        Self { names, agents, nodes, edges, leaving }
    }

    /// Whether all of them find room.
    pub(super) fn has_room(&self, ways: &[Way]) -> bool {
        let nodes: HashSet<&str> = ways.iter().flat_map(|way| &way.steps).map(|step| &*step.id).collect();
        let edges: HashSet<(&str, &str)> = ways.iter().flat_map(pairs).map(|(a, b)| (&*a.id, &*b.id)).collect();
        let new_nodes = nodes.iter().filter(|id| !self.nodes.contains_key(**id)).count();
        let known = |(a, b): &&(&str, &str)| self.edges.contains_key(&((*a).to_owned(), (*b).to_owned()));
        let new_edges = edges.iter().filter(|edge| !known(edge)).count();
        self.nodes.len() + new_nodes <= MOST_NODES && self.edges.len() + new_edges <= MOST_EDGES
    }

    /// Adds a trace.
    pub(super) fn add(&mut self, trace: &MapTrace, ways: &[Way]) {
        let (mut nodes, mut edges) = (HashSet::new(), HashSet::new());
        for way in ways {
            let is_fresh = !trace.old && way.is_known;
            for step in &way.steps {
                let node = self.nodes.entry(step.id.clone()).or_insert_with(|| Node::new(step));
                node.count(step, trace, is_fresh);
                node.shown.traces += u32::from(nodes.insert(&step.id));
            }
            for (near, far) in pairs(way) {
                let edge = self.edges.entry((near.id.clone(), far.id.clone())).or_default();
                edge.count(near, far, way.share, is_fresh);
                edge.traces += u32::from(edges.insert((&near.id, &far.id)));
                *self.leaving.entry(near.id.clone()).or_default() += way.share;
            }
        }
    }

    /// What is shown.
    pub(super) fn finish(self) -> (Vec<MapNode>, Vec<MapEdge>) {
        let Self { names, agents, nodes, edges, leaving } = self;
        let nodes = nodes.into_values().map(|node| node.finish(names, agents));
        let edges = edges.into_iter().map(|((from, to), edge)| {
            let leaving = leaving.get(&from).copied().unwrap_or(edge.weight);
            edge.finish(from, to, leaving)
        });
        (nodes.collect(), edges.collect())
    }
}

/// The steps that follow each other.
fn pairs(way: &Way) -> impl Iterator<Item = (&Step, &Step)> {
    way.steps.iter().zip(way.steps.iter().skip(1))
}

impl Node {
    fn new(step: &Step) -> Self {
        let shown = MapNode {
            id: step.id.clone(),
            kind: kind_of(step),
            address: None,
            name: None,
            agent: None,
            targets: Vec::new(),
            silent: None,
            distance: step.distance,
            state: ProbeState::Unknown,
            loss: None,
            rtt: None,
            rtt_min: None,
            sent: 0,
            answered: 0,
            rate_limited: false,
            asn: None,
            network: None,
            traces: 0,
        };
        Self { shown, targets: BTreeSet::new(), is_fresh: false, times: (0.0, 0), worst: None }
    }

    fn count(&mut self, step: &Step, trace: &MapTrace, is_fresh: bool) {
        self.name(step, trace);
        self.shown.distance = self.shown.distance.min(step.distance);
        if self.is_fresh && !is_fresh {
            return;
        }
        self.is_fresh |= is_fresh;
        if step.what == What::Target {
            // What it was as a hop of others says less.
            self.shown.loss = self.shown.loss.filter(|_| self.worst.is_some());
            self.shown.loss = Some(self.shown.loss.map_or(trace.loss, |loss| loss.max(trace.loss)));
            self.worst = self.worst.into_iter().chain([trace.state]).min_by_key(|state| urgency(*state));
        } else if step.what == What::Agent {
            self.worst = self.worst.into_iter().chain([trace.state]).max_by_key(|state| merit(*state));
        } else if self.worst.is_none() {
            let loss = (1.0 - step.pass).clamp(0.0, 1.0);
            self.shown.loss = Some(self.shown.loss.map_or(loss, |least| least.min(loss)));
        }
        self.measure(step);
    }

    /// What it is and what it is called.
    fn name(&mut self, step: &Step, trace: &MapTrace) {
        match step.what {
            What::Agent => self.shown.agent = Some(trace.agent.clone()),
            What::Silent(hops) => self.shown.silent = hops,
            What::Target => {
                self.shown.kind = MapNodeKind::Target;
                if self.targets.len() < MOST_TARGETS {
                    self.targets.insert(trace.target.clone());
                }
                self.shown.address = step.address.map(|address| address.to_string());
            }
            What::Hop => self.shown.address = step.address.map(|address| address.to_string()),
        }
        let hop = step.hop.as_ref();
        self.shown.name = hop.and_then(|hop| hop.name.as_ref()).map(ToString::to_string).or(self.shown.name.take());
        self.shown.asn = hop.and_then(|hop| hop.asn).or(self.shown.asn);
    }

    fn measure(&mut self, step: &Step) {
        let Some(hop) = &step.hop else { return };
        self.shown.sent += u64::from(hop.sent);
        self.shown.answered += u64::from(hop.answered);
        self.shown.rate_limited |= hop.rate_limited;
        if let Some(rtt) = &hop.rtt {
            self.times.0 += rtt.mean * f64::from(rtt.count);
            self.times.1 += u64::from(rtt.count);
            self.shown.rtt_min = Some(self.shown.rtt_min.map_or(rtt.min, |least| least.min(rtt.min)));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of answers is far below 2^53")]
    fn finish(self, names: &Names, agents: &HashMap<IpAddr, AgentId>) -> MapNode {
        let Self { mut shown, targets, is_fresh, times, worst } = self;
        shown.targets = targets.into_iter().collect();
        shown.rtt = (times.1 > 0).then(|| times.0 / times.1 as f64);
        let judged = worst.unwrap_or_else(|| state_of(shown.loss));
        shown.state = if is_fresh { judged } else { ProbeState::Unknown };
        match shown.kind {
            MapNodeKind::Agent => {
                let id = shown.agent.as_ref().and_then(|agent| agent.parse::<AgentId>().ok());
                shown.name = id.and_then(|id| names.get(&id).cloned());
                shown.address = None;
            }
            MapNodeKind::Target => {
                let address = shown.address.as_ref().and_then(|address| address.parse().ok());
                let agent = address.and_then(|address: IpAddr| agents.get(&address));
                shown.agent = agent.map(ToString::to_string);
            }
            MapNodeKind::Hop | MapNodeKind::Silent => {}
        }
        shown
    }
}

const fn kind_of(step: &Step) -> MapNodeKind {
    match step.what {
        What::Agent => MapNodeKind::Agent,
        What::Hop => MapNodeKind::Hop,
        What::Silent(_) => MapNodeKind::Silent,
        What::Target => MapNodeKind::Target,
    }
}

/// An agent that reaches one target works.
const fn merit(state: ProbeState) -> u8 {
    match state {
        ProbeState::Unknown => 0,
        ProbeState::Down => 1,
        ProbeState::Degraded => 2,
        ProbeState::Up => 3,
    }
}

impl Edge {
    fn count(&mut self, near: &Step, far: &Step, share: f64, is_fresh: bool) {
        self.weight += share;
        if self.is_fresh && !is_fresh {
            return;
        }
        if is_fresh {
            self.is_fresh = true;
            self.near += share * near.pass;
            self.far += share * far.pass;
        }
    }

    fn finish(self, from: String, to: String, leaving: f64) -> MapEdge {
        // Where nothing comes to the near end nobody knows of the edge.
        let loss = (self.is_fresh && self.near > 0.0).then(|| (1.0 - self.far / self.near).clamp(0.0, 1.0));
        let share = if leaving > 0.0 { (self.weight / leaving).clamp(0.0, 1.0) } else { 1.0 };
        MapEdge { from, to, state: state_of(loss), loss, share, traces: self.traces }
    }
}
