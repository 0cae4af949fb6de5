//! Workspaces and who is in them.

use serde::{Deserialize, Serialize};

use super::id::{UserId, WorkspaceId};
use super::role::Role;
use super::text::DisplayName;
use crate::Timestamp;

/// The tenant. Everything belongs to exactly one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// Its identity.
    pub id: WorkspaceId,
    /// Its name.
    pub name: DisplayName,
    /// How much it may have.
    pub limits: Limits,
    /// When it was made.
    pub created: Timestamp,
}

/// How much a workspace may have. `None` is without limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Members and open invitations.
    pub members: Option<u32>,
    /// Agents.
    pub agents: Option<u32>,
    /// Probes.
    pub probes: Option<u32>,
    /// API tokens.
    pub tokens: Option<u32>,
    /// Bytes of telemetry on disk.
    pub storage_bytes: Option<u64>,
}

/// That a user is in a workspace, with a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Where.
    pub workspace: WorkspaceId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}
