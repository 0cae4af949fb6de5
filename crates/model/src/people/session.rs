//! Signed-in browsers.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{SessionId, UserId, WorkspaceId};
use super::words::words;
use crate::{Timestamp, Untrusted};

words! {
    /// How somebody showed who they are.
    pub enum Method ("sign-in method") {
        /// A password alone.
        Password = "password",
        /// A password and a one-time password.
        PasswordTotp = "password_totp",
        /// A password and a recovery code.
        PasswordRecovery = "password_recovery",
        /// A password and a passkey.
        PasswordPasskey = "password_passkey",
        /// A passkey.
        Passkey = "passkey",
        /// An identity provider.
        External = "external",
        /// A link that the server printed, or one that an administrator made.
        Link = "link",
    }
}

/// A signed-in browser. Only the browser holds the reference (256 random bits).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its identity, by which it is listed and revoked.
    pub id: SessionId,
    /// SHA-256 of the reference.
    pub digest: Digest,
    /// Who is signed in.
    pub user: UserId,
    /// How they signed in.
    pub method: Method,
    /// When they signed in.
    pub created: Timestamp,
    /// When the browser last asked for something; written at most every few minutes.
    pub used: Timestamp,
    /// From where they signed in.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub browser: Untrusted,
    /// The workspace that is open when a request names none.
    pub workspace: Option<WorkspaceId>,
}
