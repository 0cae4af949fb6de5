//! Who the agent is: its key, its server's key, and what the server calls it; kept in the data directory.
//!
//! ```text
//! agent.key      the private key (PKCS #8, PEM), readable for its owner alone; it never leaves this host
//! identity.json  server, pinned key, name; and whether the agent was deleted
//! ```
//!
//! Agent and server know each other by the SHA-256 of their SubjectPublicKeyInfo: certificates are made anew at each start and say
//! nothing. The pin comes with the enrolment token (`token`), so that the first connection is as safe as the last.
//!
//! Limits: one agent for each data directory.

mod files;
mod token;

use std::path::{Path, PathBuf};

use netwatch_model::Timestamp;
use netwatch_model::people::Digest;
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

pub use files::{FileError, read_json, write_json, write_private};
pub use token::{Token, TokenError};

const KEY: &str = "agent.key";
const IDENTITY: &str = "identity.json";
/// What belongs to an enrolment besides: it goes when the agent is enrolled anew.
const OF_ENROLMENT: [&str; 2] = ["spool", "assignment.json"];

/// Who the agent cannot be.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key is damaged.
    #[error("the key {} cannot be used: remove the data directory and enrol this agent anew", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// No key or certificate can be made.
    #[error("the key of the agent cannot be made: the system's random source failed")]
    Make(#[source] rcgen::Error),
    /// Nothing says which server.
    #[error("this agent is not enrolled: start it with --server HOST:PORT and --token, which the web app prints")]
    NotEnrolled,
    /// A token without its server.
    #[error("--token needs --server HOST:PORT: copy the whole command from the web app")]
    NoServer,
    /// The token is for another server than that of the data directory.
    #[error(
        "{} is enrolled at the server {server}, whose key is another than that of the token: give this agent a data directory of its own with --data-dir, or remove that one",
        path.display()
    )]
    OtherServer {
        /// The data directory.
        path: PathBuf,
        /// Its server.
        server: String,
    },
    /// The agent was deleted.
    #[error(
        "this agent was deleted on the server {server} ({time}): {message}. Enrol it anew with --token, or uninstall it"
    )]
    Deleted {
        /// Its server.
        server: String,
        /// When it heard of it.
        time: Timestamp,
        /// What the server said.
        message: String,
    },
}

/// What the data directory remembers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    /// `HOST:PORT`.
    pub server: String,
    /// SHA-256 of the server's SubjectPublicKeyInfo.
    pub pin: Digest,
    /// What the server calls it, 16 hexadecimal digits; absent until the first session when the answer to the enrolment was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Its name there.
    pub name: String,
    /// Its workspace there.
    pub workspace: String,
    /// When it was enrolled.
    pub enrolled: Timestamp,
    /// That it was deleted, and when it heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deleted>,
}

/// The end of an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deleted {
    /// When the agent heard of it.
    pub time: Timestamp,
    /// What the server said.
    pub message: String,
}

/// What is to be done before the first session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begin {
    /// The agent is known to its server. A token that was given besides is not used.
    Known {
        /// As whom.
        enrolled: Enrolled,
        /// A token was given, and was not needed.
        spare_token: bool,
    },
    /// It must be enrolled first.
    Enrol {
        /// Where.
        server: String,
        /// With what.
        token: Token,
    },
}

/// The data directory of an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Home(PathBuf);

/// The key of an agent.
#[derive(Debug)]
pub struct AgentKey(KeyPair);

impl Home {
    /// That directory; it need not be there yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// As whom it is enrolled, if it is.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn enrolled(&self) -> Result<Option<Enrolled>, IdentityError> {
        Ok(read_json(&self.file(IDENTITY))?)
    }

    /// Keeps who the agent is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, enrolled: &Enrolled) -> Result<(), IdentityError> {
        Ok(write_json(&self.file(IDENTITY), enrolled)?)
    }

    /// What is to be done, from what was said at the start and what is there.
    ///
    /// # Errors
    /// When it is not enrolled and cannot be, was deleted, or belongs to another server.
    pub fn begin(&self, server: Option<&str>, token: Option<Token>) -> Result<Begin, IdentityError> {
        match (self.enrolled()?, token) {
            (None, None) => Err(IdentityError::NotEnrolled),
            (Some(Enrolled { deleted: Some(deleted), server, .. }), None) => {
                Err(IdentityError::Deleted { server, time: deleted.time, message: deleted.message })
            }
            (Some(mut enrolled), token) if enrolled.deleted.is_none() => {
                if token.as_ref().is_some_and(|token| token.pin() != enrolled.pin) {
                    return Err(IdentityError::OtherServer { path: self.0.clone(), server: enrolled.server });
                }
                // The same server at another address.
                if let Some(server) = server.filter(|server| *server != enrolled.server) {
                    server.clone_into(&mut enrolled.server);
                    self.keep(&enrolled)?;
                }
                Ok(Begin::Known { enrolled, spare_token: token.is_some() })
            }
            (_, Some(token)) => {
                let server = server.ok_or(IdentityError::NoServer)?.to_owned();
                Ok(Begin::Enrol { server, token })
            }
            (Some(_), None) => Err(IdentityError::NotEnrolled),
        }
    }

    /// Makes room for a new enrolment of an agent that was deleted: another key, and nothing of before.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clear_deleted(&self) -> Result<(), IdentityError> {
        if self.enrolled()?.is_none_or(|enrolled| enrolled.deleted.is_none()) {
            return Ok(());
        }
        for name in OF_ENROLMENT.iter().chain([&KEY, &IDENTITY]) {
            files::remove(&self.file(name))?;
        }
        Ok(())
    }

    /// The agent's key; made when there is none.
    ///
    /// # Errors
    /// When it cannot be read, used, made or written.
    pub fn key(&self) -> Result<AgentKey, IdentityError> {
        let path = self.file(KEY);
        if let Some(pem) = files::read(&path)? {
            let pem = String::from_utf8_lossy(&pem);
            return KeyPair::from_pem(&pem).map(AgentKey).map_err(|source| IdentityError::Key { path, source });
        }
        let key = KeyPair::generate().map_err(IdentityError::Make)?;
        write_private(&path, key.serialize_pem().as_bytes())?;
        Ok(AgentKey(key))
    }
}

impl AgentKey {
    /// By what the server knows it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        spki_digest(&self.0.subject_public_key_info())
    }

    /// A certificate for the handshake, signed by itself, and the key in DER (PKCS #8).
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn certificate(&self) -> Result<(Vec<u8>, Vec<u8>), IdentityError> {
        let params = CertificateParams::new(vec!["netwatch-agent".to_owned()]).map_err(IdentityError::Make)?;
        let certificate = params.self_signed(&self.0).map_err(IdentityError::Make)?;
        Ok((certificate.der().to_vec(), self.0.serialize_der()))
    }
}

/// By what a key is known: SHA-256 of its SubjectPublicKeyInfo (RFC 5280, 4.1), DER.
#[must_use]
pub fn spki_digest(spki: &[u8]) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, spki).as_ref());
    Digest::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
