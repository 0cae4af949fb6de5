//! Tokens of programs.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{TokenId, UserId, WorkspaceId};
use super::permission::PermissionSet;
use super::text::DisplayName;
use crate::Timestamp;

/// A token of a program: shown once when it is made, stored hashed.
///
/// It allows what is in `scopes` **and** what its owner may do in the workspace at the moment of the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// Its identity.
    pub id: TokenId,
    /// The one workspace in which it is good.
    pub workspace: WorkspaceId,
    /// Whose permissions bound it.
    pub owner: UserId,
    /// What it is called.
    pub name: DisplayName,
    /// What it may do.
    pub scopes: PermissionSet,
    /// SHA-256 of the whole token.
    pub digest: Digest,
    /// Its first characters, by which people tell tokens apart.
    pub hint: String,
    /// When it was made, or rotated.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was last used; written at most every few minutes.
    pub last_used: Option<Timestamp>,
}
