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
    /// When it was made.
    pub created: Timestamp,
}

impl Probe {
    /// Probes of one workspace.
    pub const MAX_PER_WORKSPACE: u64 = 20_000;
}
