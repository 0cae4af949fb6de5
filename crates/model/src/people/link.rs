//! Secrets that are good once: invitations and links.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{InvitationId, LinkId, UserId, WorkspaceId};
use super::role::Role;
use super::text::EmailAddress;
use crate::Timestamp;

/// The offer to become a member of a workspace, for whoever holds its secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Its identity.
    pub id: InvitationId,
    /// Into what.
    pub workspace: WorkspaceId,
    /// As what; the inviter chose it, never the invited.
    pub role: Role,
    /// For whom, if it is known.
    pub email: Option<EmailAddress>,
    /// SHA-256 of the secret in the link.
    pub digest: Digest,
    /// Who invited.
    pub by: UserId,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// For what a one-time link is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case", deny_unknown_fields)]
pub enum LinkPurpose {
    /// Make the first administrator.
    SetUp,
    /// Sign in as this user.
    SignIn {
        /// As whom.
        user: UserId,
    },
    /// Set a new password.
    ResetPassword {
        /// Whose.
        user: UserId,
    },
    /// Show that the address is the user's.
    VerifyEmail {
        /// Whose.
        user: UserId,
        /// Which; when the user has another one by then, the link is void.
        email: EmailAddress,
    },
}

/// A link that is good once, and not for long.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneTimeLink {
    /// Its identity.
    pub id: LinkId,
    /// For what it is.
    pub purpose: LinkPurpose,
    /// SHA-256 of the secret in the link.
    pub digest: Digest,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}

impl LinkPurpose {
    /// The user whom it concerns.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::SetUp => None,
            Self::SignIn { user } | Self::ResetPassword { user } | Self::VerifyEmail { user, .. } => Some(*user),
        }
    }

    /// The word of the purpose.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::SignIn { .. } => "sign_in",
            Self::ResetPassword { .. } => "reset_password",
            Self::VerifyEmail { .. } => "verify_email",
        }
    }
}
