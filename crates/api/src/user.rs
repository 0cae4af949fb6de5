//! Users of the installation, for site administrators.

use netwatch_model::Timestamp;
use netwatch_model::people::{UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::sign_in::Hidden;

/// A user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Identity.
    #[schema(value_type = String)]
    pub id: UserId,
    /// What they sign in with.
    pub name: String,
    /// How they are shown.
    pub display_name: String,
    /// Where they can be reached.
    pub email: Option<String>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// Whether they administer the whole installation.
    pub site_administrator: bool,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// The kinds of credentials that they have: `password`, `totp`, `passkey`, `external`; `unreadable` when their key is lost.
    pub credentials: Vec<String>,
    /// Workspaces of which they are a member.
    pub workspaces: u64,
    /// When they were made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When they last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sign_in: Option<Timestamp>,
}

/// `GET /api/v1/users`: by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// Only those with this text in their names.
    pub search: Option<String>,
}

/// `POST /api/v1/users`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCreate {
    /// What they sign in with: letters, digits and `. _ @ + -`.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// How they are shown; the name when left out.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Where they can be reached.
    #[serde(default)]
    pub email: Option<String>,
    /// A first password; without it, make a link with `POST /api/v1/users/{user}/link`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 12, max_length = 256)]
    pub password: Option<Hidden>,
    /// Whether they administer the whole installation.
    #[serde(default)]
    pub site_administrator: bool,
}

/// `PATCH /api/v1/users/{user}`: fields that are left out stay as they are. Disabling ends all their sessions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// What they sign in with.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    pub name: Option<String>,
    /// How they are shown.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Where they can be reached; empty removes it. Another one has to be verified again.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether they administer the whole installation.
    #[serde(default)]
    pub site_administrator: Option<bool>,
    /// Whether they may not sign in.
    #[serde(default)]
    pub disabled: Option<bool>,
}

/// `PUT /api/v1/users/{user}/memberships/{workspace}`: a site administrator puts a user into a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserMembership {
    /// The word of a built-in role, or the id of a custom one of that workspace.
    pub role: String,
}

/// A workspace of a user: `GET /api/v1/users/{user}/memberships`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserWorkspace {
    /// Which.
    #[schema(value_type = String)]
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The word of a built-in role, or the id of a custom one.
    pub role: String,
    /// The name of the role, for people.
    pub role_name: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// Workspaces of a user: at most 200.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserWorkspaces {
    /// In the order in which they were made members.
    pub items: Vec<UserWorkspace>,
}
