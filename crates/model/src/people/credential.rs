//! Ways in which a user signs in.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{CredentialId, UserId};
use super::text::{DisplayName, SecretText};
use crate::Timestamp;

/// One way in which one user signs in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Its identity.
    pub id: CredentialId,
    /// Whose it is.
    pub user: UserId,
    /// What the user calls it.
    pub name: DisplayName,
    /// What it is.
    pub kind: CredentialKind,
    /// When it was made or last changed.
    pub created: Timestamp,
    /// When it last let somebody in.
    pub last_used: Option<Timestamp>,
}

/// What a credential is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CredentialKind {
    /// A password; at most one for a user.
    Password {
        /// Argon2id in PHC form: algorithm, version, parameters, salt and hash.
        hash: SecretText,
    },
    /// One-time passwords by time (RFC 6238); at most one for a user.
    Totp {
        /// The shared key, base32 without padding.
        key: SecretText,
        /// The last time step that was used: it and those before are refused.
        last_step: u64,
        /// Hashes of the recovery codes that were not used yet.
        recovery: Vec<Digest>,
        /// Whether the user has shown a right code: before that, it is not asked for.
        confirmed: bool,
    },
    /// A passkey (WebAuthn).
    Passkey {
        /// Its credential id, base64url without padding; unique.
        key_id: String,
        /// Public key, counter and state, in the form of the library that checks it (JSON).
        key: SecretText,
    },
    /// An account at an identity provider.
    External(ExternalIdentity),
}

/// Who somebody is at an identity provider. Issuer and subject together are the key; addresses of e-mail never are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalIdentity {
    /// The issuer, exactly as the provider writes it.
    pub issuer: String,
    /// The subject, exactly as the provider writes it.
    pub subject: String,
}

impl CredentialKind {
    /// The word of the kind.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password",
            Self::Totp { .. } => "totp",
            Self::Passkey { .. } => "passkey",
            Self::External(_) => "external",
        }
    }
}
