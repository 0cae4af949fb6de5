//! What the server wants of an agent, as one versioned document.
//!
//! The whole document is pushed when anything in it changes; the agent applies the difference. A probe that is in both stays as it is
//! and keeps its schedule, whatever else changes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::AgentId;
use crate::people::ProbeId;
use crate::probe::pair::PairKey;
use crate::probe::{ProbeKind, ProbeNetworks, ProbeSpec};

/// Most probes of one agent.
pub const MAX_PROBES: usize = 50_000;

/// What the server wants of an agent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Assignment {
    /// Grows with each change.
    pub revision: u64,
    /// What to measure, wherever `allow` and `deny` let it.
    pub probes: Vec<AssignedProbe>,
    /// What else to measure: probes of workspaces that narrow what theirs may reach. They stand apart, so that an agent which does not know
    /// this field yet leaves them out, rather than measure what it may not; a server which does not know it narrows nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<NarrowedProbes>,
    /// Networks that may be measured although they are not public; `10.0.0.0/8`.
    pub allow: Vec<String>,
    /// Networks that may not be measured, whatever else is said.
    pub deny: Vec<String>,
    /// Addresses of agents whose test packets its reflector answers as they are: of an agent that cannot tell senders apart by keys.
    #[serde(default)]
    pub reflect: Vec<IpAddr>,
    /// Agents whose test packets its reflector answers when they are authentic, and only then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<Sender>,
    /// Addresses of agents whose throughput tests it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub testers: Vec<IpAddr>,
}

/// An agent that sends test packets to the one that has the assignment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sender {
    /// Where they may come from: its own addresses, and the one that the server sees it at. Other agents may send from the same one.
    pub addresses: Vec<IpAddr>,
    /// With which they are authentic: the key that it uses now, and the one before, because not everybody hears of a new one at once.
    pub keys: Vec<PairKey>,
}

impl Assignment {
    /// Everything to measure, with what narrows it beside `allow` and `deny`.
    pub fn all(&self) -> impl Iterator<Item = (&AssignedProbe, Option<&ProbeNetworks>)> {
        let narrowed = self.narrowed.iter().flat_map(|group| group.probes.iter().map(|probe| (probe, Some(&group.to))));
        self.probes.iter().map(|probe| (probe, None)).chain(narrowed)
    }
}

/// Probes with one bound.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NarrowedProbes {
    /// Where they may measure.
    pub to: ProbeNetworks,
    /// What to measure.
    pub probes: Vec<AssignedProbe>,
}

/// A run on demand with a bound. It travels in a field of its own, so that an agent which does not know it refuses the run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NarrowedRun {
    /// Where it may measure.
    pub to: ProbeNetworks,
    /// What to measure.
    pub spec: ProbeSpec,
}

/// Which entry of an assignment: a probe has one, or one for each other agent and kind.
pub type EntryKey = (ProbeId, Option<(AgentId, ProbeKind)>);

impl AssignedProbe {
    /// What stays the same when anything else of it changes.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        (self.id, self.peer.map(|peer| (peer, self.spec.kind)))
    }
}

/// A probe that an agent runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AssignedProbe {
    /// Which.
    pub id: ProbeId,
    /// The other agent, of what a probe to an agent expands to: such a probe has several entries, one for each agent and kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<AgentId>,
    /// What to measure, and how often.
    pub spec: ProbeSpec,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an agent of before reads: it must not find the narrowed probes, and must not trip over them.
    #[derive(Deserialize)]
    struct Before {
        probes: Vec<AssignedProbe>,
        deny: Vec<String>,
    }

    #[test]
    fn an_agent_of_before_leaves_narrowed_probes_out_and_a_server_of_before_narrows_nothing() {
        let probe = |bits, target: &str| AssignedProbe {
            id: ProbeId::from_bits(bits),
            peer: None,
            spec: ProbeSpec::new(ProbeKind::Ping, target),
        };
        let to = ProbeNetworks { only: vec!["192.0.2.0/24".to_owned()], deny: Vec::new() };
        let narrowed = vec![NarrowedProbes { to: to.clone(), probes: vec![probe(2, "192.0.2.2")] }];
        let probes = vec![probe(1, "192.0.2.1")];
        let assignment = Assignment { revision: 1, probes, narrowed, ..Assignment::default() };
        let text = serde_json::to_string(&assignment).unwrap();
        let before: Before = serde_json::from_str(&text).unwrap();
        assert_eq!((before.probes.len(), before.deny.len()), (1, 0));
        assert_eq!(serde_json::from_str::<Assignment>(&text).unwrap(), assignment);
        let bounds: Vec<_> = assignment.all().map(|(probe, to)| (probe.id.bits(), to)).collect();
        assert_eq!(bounds, [(1, None), (2, Some(&to))]);
        let old: Assignment = serde_json::from_str(r#"{"revision":1,"probes":[],"allow":[],"deny":[]}"#).unwrap();
        assert!(old.narrowed.is_empty());
        // A run that is narrowed is no spec to an agent of before.
        let run = NarrowedRun { to, spec: ProbeSpec::new(ProbeKind::Ping, "192.0.2.2") };
        assert!(serde_json::from_str::<ProbeSpec>(&serde_json::to_string(&run).unwrap()).is_err());
    }
}
