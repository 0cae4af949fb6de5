//! API tokens of the workspace of the request.

use netwatch_model::Timestamp;
use netwatch_model::people::{Permission, TokenId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A token of a program. It allows its scopes **and** what its owner may do at the moment of the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Identity.
    #[schema(value_type = String)]
    pub id: TokenId,
    /// What it is called.
    pub name: String,
    /// Its first characters.
    pub hint: String,
    /// Whose permissions bound it.
    #[schema(value_type = String)]
    pub owner: UserId,
    /// The owner's name.
    pub owner_name: String,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    pub scopes: Vec<Permission>,
    /// When it was made, or rotated.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// When it was last used, to within five minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
}

/// `GET /api/v1/tokens`: by name. Who may not see those of all members sees their own.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TokensQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// Only those with this text in their name.
    pub search: Option<String>,
}

/// `POST /api/v1/tokens`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenCreate {
    /// What it is called, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it may do; nothing that one may not do oneself.
    #[schema(value_type = Vec<String>)]
    pub scopes: Vec<Permission>,
    /// When it ends by itself, within 366 days; without it, it does not end.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

/// `PATCH /api/v1/tokens/{token}`: fields that are left out stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenPatch {
    /// What it is called, 1 to 100 characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// What it may do; nothing that one may not do oneself.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub scopes: Option<Vec<Permission>>,
    /// When it ends by itself, within 366 days.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

/// A new token, or one with a new secret: `POST /api/v1/tokens` and `POST /api/v1/tokens/{token}/rotate`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenMade {
    /// The token.
    pub token: Token,
    /// The secret, for `Authorization: Bearer`. It is shown this once and stored hashed.
    pub secret: String,
}
