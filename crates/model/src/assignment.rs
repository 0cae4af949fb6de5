//! What the server wants of an agent, as one versioned document.
//!
//! The whole document is pushed when anything in it changes; the agent applies the difference. A probe that is in both stays as it is
//! and keeps its schedule, whatever else changes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::AgentId;
use crate::people::ProbeId;
use crate::probe::{ProbeKind, ProbeSpec};

/// Most probes of one agent.
pub const MAX_PROBES: usize = 50_000;

/// What the server wants of an agent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Assignment {
    /// Grows with each change.
    pub revision: u64,
    /// What to measure.
    pub probes: Vec<AssignedProbe>,
    /// Networks that may be measured although they are not public; `10.0.0.0/8`.
    pub allow: Vec<String>,
    /// Networks that may not be measured, whatever else is said.
    pub deny: Vec<String>,
    /// Addresses of the agents that send test packets to this one: its reflector answers them.
    #[serde(default)]
    pub reflect: Vec<IpAddr>,
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
