//! Roles of the workspace of the request, and the table of permissions.

use netwatch_model::people::Permission;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A role: `GET /api/v1/roles` has the four built-in ones and those that the workspace made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Role {
    /// The word of a built-in role, or the id of a custom one.
    pub id: String,
    /// Name.
    pub name: String,
    /// Whether every workspace has it.
    pub built_in: bool,
    /// What it allows.
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
    /// The file that owns it; then it cannot be edited but there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

/// All roles of a workspace: at most 104.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Roles {
    /// Built-in ones first, weakest first; then the others by name.
    pub items: Vec<Role>,
}

/// `POST /api/v1/roles`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleCreate {
    /// Name, 1 to 100 characters, unique in the workspace.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it allows; nothing that one does not have oneself, that reaches over the site, or that owners alone have.
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
}

/// `PATCH /api/v1/roles/{role}`: fields that are left out stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolePatch {
    /// Name, 1 to 100 characters, unique in the workspace.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// What it allows.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub permissions: Option<Vec<Permission>>,
}

/// One line of the table of permissions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PermissionLine {
    /// Its word.
    #[schema(value_type = String)]
    pub permission: Permission,
    /// What it allows, for people.
    pub text: String,
    /// `workspace` or `site`.
    pub reach: String,
    /// The built-in roles that have it.
    pub roles: Vec<String>,
    /// Whether custom roles and tokens can have it.
    pub assignable: bool,
}

/// `GET /api/v1/permissions`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PermissionTable {
    /// In the order of the table.
    pub items: Vec<PermissionLine>,
}
