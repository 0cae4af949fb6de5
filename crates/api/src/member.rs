//! Members of the workspace of the request, and those who are invited.

use netwatch_model::Timestamp;
use netwatch_model::people::{InvitationId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Who.
    #[schema(value_type = String)]
    pub user: UserId,
    /// What they sign in with.
    pub name: String,
    /// How they are shown.
    pub display_name: String,
    /// As what: the word of a built-in role, or the id of a custom one.
    pub role: String,
    /// The name of the role, for people.
    pub role_name: String,
    /// Whether the user may not sign in now.
    pub disabled: bool,
    /// Since when they are a member.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The file that owns the membership; then it cannot be edited but there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

/// `GET /api/v1/members`: by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MembersQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// Only those with this text in their names.
    pub search: Option<String>,
}

/// `PATCH /api/v1/members/{user}`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    /// The word of a built-in role, or the id of a custom one; with no more permissions than one's own.
    pub role: String,
}

/// An open invitation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MemberInvitation {
    /// Identity.
    #[schema(value_type = String)]
    pub id: InvitationId,
    /// As what: the word of a built-in role, or the id of a custom one.
    pub role: String,
    /// The name of the role, for people.
    pub role_name: String,
    /// For whom, if the inviter said so.
    pub email: Option<String>,
    /// Who invited.
    #[schema(value_type = String)]
    pub by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

/// `POST /api/v1/invitations`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationCreate {
    /// The word of a built-in role, or the id of a custom one; with no more permissions than one's own.
    pub role: String,
    /// For whom: shown to them, and to members.
    #[serde(default)]
    pub email: Option<String>,
}

/// A new invitation with its link, which is shown once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvitationMade {
    /// The invitation.
    pub invitation: MemberInvitation,
    /// Path and code: put the address of this server before it.
    pub path: String,
}
