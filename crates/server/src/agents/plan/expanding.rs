//! Probes from agent to agent, expanded: what one agent measures of them, and whom it answers.
//!
//! Limits: [`MAX_REFLECTED`] agents are answered.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netwatch_model::AgentId;
use netwatch_model::assignment::{AssignedProbe, MAX_PROBES, Sender};
use netwatch_model::people::{Agent, ProbeId};
use netwatch_model::probe::kind::agent::{BOTH_WAYS, REFLECTOR};
use netwatch_model::probe::pair::{self, End};
use netwatch_model::probe::{OptionValue, ProbeKind, ProbeSpec};

use super::{PairKeys, Registry};

/// Most addresses, and most agents with keys, whose test packets an agent answers.
const MAX_REFLECTED: usize = 4096;

/// What an agent does for probes.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Expanded {
    /// What it measures.
    pub(crate) probes: Vec<AssignedProbe>,
    /// Whose test packets it answers as they are.
    pub(crate) reflect: Vec<IpAddr>,
    /// Whose test packets it answers when they are authentic.
    pub(crate) senders: Vec<Sender>,
    /// Whose throughput tests it serves.
    pub(crate) testers: Vec<IpAddr>,
}

/// A measurement that is made once. While it is, its agents answer each other as for a probe.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Once {
    /// Who makes it.
    pub(super) here: AgentId,
    /// Its target, when that is an agent.
    pub(super) there: Option<AgentId>,
    /// What is measured.
    pub(super) spec: ProbeSpec,
}

/// What two agents measure of each other: who, and what.
struct Pair {
    from: End,
    to: End,
    parts: Vec<(AgentId, AssignedProbe)>,
}

impl Once {
    /// The other agent, when its target is one: it must hear of it first.
    pub(crate) fn ends(&self) -> Option<[AgentId; 2]> {
        self.there.map(|there| [there, self.here])
    }

    fn concerns(&self, agent: AgentId) -> bool {
        self.ends().is_some_and(|ends| ends.contains(&agent))
    }

    /// Who measures what, the answer first.
    pub(super) fn parts(&self, keys: &PairKeys, registry: &Registry) -> Vec<(AgentId, ProbeSpec)> {
        let pair = self.pair(keys, registry).map(|pair| pair.parts);
        let Some(parts) = pair else { return vec![(self.here, self.spec.clone())] };
        parts.into_iter().map(|(agent, part)| (agent, part.spec)).collect()
    }

    fn pair(&self, keys: &PairKeys, registry: &Registry) -> Option<Pair> {
        let probe = AssignedProbe { id: ProbeId::from_bits(0), peer: None, spec: self.spec.clone() };
        self.there.map(|there| Pair::of(&probe, self.here, there, keys, registry))
    }
}

impl Pair {
    /// A probe from `here` to `there`. An agent of which no address is known is not measured back.
    fn of(probe: &AssignedProbe, here: AgentId, there: AgentId, keys: &PairKeys, registry: &Registry) -> Self {
        let (from, to) = (registry.end(here), registry.end(there));
        let mut spec = probe.spec.clone();
        if spec.kind == ProbeKind::Agent && from.addresses.is_empty() && from.seen.is_none() {
            spec.options.set(&BOTH_WAYS, OptionValue::Flag(false));
        }
        let parts = pair::expand(probe.id, &spec, &from, &to, &keys.of(&from, &to));
        Self { from, to, parts }
    }
}

/// What an agent does for probes, as far as it is known.
pub(super) struct Expanding<'a> {
    registry: &'a Registry,
    keys: &'a PairKeys,
    pub(super) done: Expanded,
    senders: BTreeMap<AgentId, Sender>,
}

impl<'a> Expanding<'a> {
    /// Nothing yet.
    pub(super) fn new(registry: &'a Registry, keys: &'a PairKeys) -> Self {
        Self { registry, keys, done: Expanded::default(), senders: BTreeMap::new() }
    }

    /// Adds what `agent` does for a probe from `here` to `there`, of which it is one.
    pub(super) fn pair(&mut self, agent: AgentId, probe: &AssignedProbe, here: &Agent, there: &Agent) {
        let pair = Pair::of(probe, here.id, there.id, self.keys, self.registry);
        self.serve(agent, &pair);
        let own = pair.parts.into_iter().filter(|(of, _)| *of == agent);
        self.done.probes.extend(own.map(|(_, part)| part));
    }

    /// Adds what `agent` does for a measurement that is made once: it answers.
    pub(super) fn once(&mut self, agent: AgentId, once: &Once) {
        if let Some(pair) = once.pair(self.keys, self.registry).filter(|_| once.concerns(agent)) {
            self.serve(agent, &pair);
        }
    }

    /// Adds whom `agent` answers.
    fn serve(&mut self, agent: AgentId, Pair { from, to, parts }: &Pair) {
        for (of, AssignedProbe { spec, .. }) in parts.iter().filter(|(of, _)| *of != agent) {
            let (sender, own) = if *of == from.agent { (from, to) } else { (to, from) };
            if spec.kind == ProbeKind::Agent && spec.options.whole(&REFLECTOR) > 0 {
                self.answers(sender, own);
            } else if spec.kind == ProbeKind::Throughput {
                self.done.testers.extend(sender.addresses.iter().copied().chain(sender.seen));
            }
        }
    }

    /// The reflector of the agent answers `sender`.
    fn answers(&mut self, sender: &End, own: &End) {
        let addresses = sender.addresses.iter().copied().chain(sender.seen);
        let keys = self.keys.between(sender.agent, own);
        if keys.is_empty() {
            self.done.reflect.extend(addresses);
        } else {
            let mut addresses: Vec<IpAddr> = addresses.collect();
            addresses.sort_unstable();
            addresses.dedup();
            self.senders.insert(sender.agent, Sender { addresses, keys });
        }
    }

    /// All of it, within limits.
    pub(super) fn finish(self) -> Expanded {
        let Self { mut done, senders, .. } = self;
        done.probes.truncate(MAX_PROBES);
        for addresses in [&mut done.reflect, &mut done.testers] {
            addresses.sort_unstable();
            addresses.dedup();
            addresses.truncate(MAX_REFLECTED);
        }
        done.senders = senders.into_values().take(MAX_REFLECTED).collect();
        done
    }
}
