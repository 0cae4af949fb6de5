//! A probe that a workspace keeps.

use serde::{Deserialize, Serialize};

use super::spec::ProbeSpec;
use crate::Timestamp;
use crate::people::{AgentSelector, DisplayName, ProbeId, WorkspaceId};

/// A probe that a workspace keeps. It goes with the workspace.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Its identity.
    pub id: ProbeId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// What it is called.
    pub name: DisplayName,
    /// What is measured.
    pub spec: ProbeSpec,
    /// Which agents run it.
    #[serde(default)]
    pub agents: AgentSelector,
    /// Whether it runs.
    pub enabled: bool,
    /// In which share of the time it should be up, more than 0 and less than 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<f64>,
    /// So many agents must say that it is down; absent: more than half of those that know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
}

impl Probe {
    /// Probes of one workspace.
    pub const MAX_PER_WORKSPACE: u64 = 20_000;
}
