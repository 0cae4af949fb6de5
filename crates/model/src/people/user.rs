//! Users.

use serde::{Deserialize, Serialize};

use super::id::UserId;
use super::text::{DisplayName, EmailAddress, UserName};
use crate::Timestamp;

/// A person who can sign in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Their identity.
    pub id: UserId,
    /// What they sign in with; unique.
    pub name: UserName,
    /// How they are shown.
    pub display_name: DisplayName,
    /// Where they can be reached; unique among verified addresses.
    pub email: Option<EmailAddress>,
    /// Whether `email` is known to be theirs.
    pub email_verified: bool,
    /// Whether they administer the whole installation: all permissions, in every workspace.
    pub site_administrator: bool,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// When they were made.
    pub created: Timestamp,
    /// When they last signed in.
    pub last_sign_in: Option<Timestamp>,
}
