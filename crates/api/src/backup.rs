//! Backups of all that is edited, and the keys of its secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/v1/site/restore`: what was put in place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Restored {
    /// File, on the machine of the server, that has the state before.
    pub kept: String,
    /// What is there now.
    pub contents: BackupContents,
}

/// What a backup has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupContents {
    /// Format of the database.
    pub format: u32,
    /// Objects of each kind.
    pub objects: BTreeMap<String, u64>,
    /// Records of the audit log.
    pub audit_records: u64,
}

/// `POST /api/v1/site/keys`: a new key seals all secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyRotated {
    /// Secrets that were sealed anew.
    pub secrets: u64,
}
