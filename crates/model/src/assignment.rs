//! What the server wants of an agent, as one versioned document.
//!
//! The whole document is pushed when anything in it changes; the agent applies the difference. A probe that is in both stays as it is
//! and keeps its schedule, whatever else changes.

use serde::{Deserialize, Serialize};

use crate::people::ProbeId;
use crate::probe::ProbeSpec;

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
}

/// A probe that an agent runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AssignedProbe {
    /// Which.
    pub id: ProbeId,
    /// What to measure, and how often.
    pub spec: ProbeSpec,
}
