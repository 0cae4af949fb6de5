//! Workspaces: their names, limits and use.

use netwatch_model::Timestamp;
use netwatch_model::people::WorkspaceId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A workspace: `GET /api/v1/workspace` (the one of the request) and `GET /api/v1/workspaces/{workspace}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Workspace {
    /// Identity.
    #[schema(value_type = String)]
    pub id: WorkspaceId,
    /// Name.
    pub name: String,
    /// How much it may have.
    pub limits: WorkspaceLimits,
    /// How much it has.
    pub usage: WorkspaceUsage,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When name or limits were changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated: Timestamp,
}

/// How much a workspace may have; null is without limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspaceLimits {
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

/// How much a workspace has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceUsage {
    /// Members.
    pub members: u64,
    /// Open invitations.
    pub invitations: u64,
    /// API tokens.
    pub tokens: u64,
    /// Custom roles.
    pub roles: u64,
}

/// `POST /api/v1/workspaces`: whoever makes it becomes its owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceCreate {
    /// Name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// How much it may have; only site administrators set it.
    #[serde(default)]
    pub limits: Option<WorkspaceLimits>,
}

/// `PATCH /api/v1/workspace` and `PATCH /api/v1/workspaces/{workspace}`: fields that are left out stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspacePatch {
    /// Name, 1 to 100 characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// All limits anew; only site administrators set them.
    #[serde(default)]
    pub limits: Option<WorkspaceLimits>,
}

/// `GET /api/v1/workspaces`: all workspaces of the site, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct WorkspacesQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// Only those with this text in their name.
    pub search: Option<String>,
}
