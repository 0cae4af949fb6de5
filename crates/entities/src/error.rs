//! Why a store cannot be opened, and why an operation on it fails.
//!
//! Nothing of a dialect leaks: causes are boxed, and what callers decide by is the variant.

use std::io;
use std::path::PathBuf;

use crate::kind::Kind;
use crate::vault::VaultError;

/// A cause that only a person reads.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An operation on entities failed. Nothing of its transaction was kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such object in that place; a foreign id is one of these.
    #[error("no such {}", .0.noun())]
    NotFound(Kind),
    /// Another object has the same unique key.
    #[error("another {} has the same {key}", .kind.noun())]
    Taken {
        /// Of which kind.
        kind: Kind,
        /// Name of the key.
        key: &'static str,
    },
    /// The object was changed since it was read.
    #[error("the {} was changed meanwhile: it has version {current}", .kind.noun())]
    Stale {
        /// Of which kind.
        kind: Kind,
        /// The version that it has now.
        current: u64,
    },
    /// What the object belongs to is not there.
    #[error("what the {} belongs to does not exist", .0.noun())]
    Orphan(Kind),
    /// The record is not the next one of its chain.
    #[error("the audit record is not the next of its chain")]
    BrokenChain,
    /// The object is larger than the store keeps.
    #[error("the {} is too large to be kept", .0.noun())]
    TooLarge(Kind),
    /// A secret cannot be sealed or opened.
    #[error("the secret of a {} cannot be used", .kind.noun())]
    Secret {
        /// Of which kind.
        kind: Kind,
        /// Why.
        #[source]
        source: VaultError,
    },
    /// A stored row is not what was written.
    #[error("{what} in the entity database is damaged: restore a backup with `netwatch restore`")]
    Damaged {
        /// Which row.
        what: String,
    },
    /// There is no space left.
    #[error("the disk is full: nothing was changed; free some space and try again")]
    Full(#[source] Cause),
    /// Another process holds the database for too long.
    #[error("the entity database is held by another process: nothing was changed; try again")]
    Busy(#[source] Cause),
    /// The engine behind the port refused.
    #[error("the entity database cannot {action}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A value cannot be written or read as JSON.
    #[error("a {} of the entity database cannot be understood: it was written by another version, or is damaged", .kind.noun())]
    Encode {
        /// Of which kind.
        kind: Kind,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The store is closing, or work on it ended by a defect.
    #[error("the entity database does not answer: Netwatch is stopping or has a defect, and its log tells more")]
    Stopped,
}

/// The store cannot be opened, copied or replaced.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A directory or file beside the database cannot be used.
    #[error("cannot {action} {}: check its owner and the space left", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no space left, and some is needed even to read.
    #[error("{} cannot be opened because its disk is full: free some space", .path.display())]
    Full {
        /// Which file.
        path: PathBuf,
        /// What the engine says.
        #[source]
        source: Cause,
    },
    /// Another process has it open.
    #[error("{} is in use by another Netwatch: stop it, or choose another directory with --data-dir", .0.display())]
    InUse(PathBuf),
    /// The library is too old to be safe.
    #[error(
        "SQLite {found} is too old: at least {needed} is needed, because older ones can lose data after a checkpoint"
    )]
    Engine {
        /// Which is linked.
        found: String,
        /// Which is needed.
        needed: &'static str,
    },
    /// A later Netwatch wrote it.
    #[error(
        "{} has format {found}, and this Netwatch knows formats up to {known}: start the newer Netwatch that wrote it, or restore a backup made before the upgrade", .path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// It is not the database of Netwatch.
    #[error("{} is not an entity database of Netwatch", .0.display())]
    Foreign(PathBuf),
    /// It is damaged.
    #[error("{} is damaged ({detail}). {advice}", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What was found.
        detail: String,
        /// What to do.
        advice: String,
    },
    /// A format could not be brought up to date; the database is as it was.
    #[error("cannot bring {} to format {to}: it is unchanged, and a copy is at {}", .path.display(), .copy.display())]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// The copy made before.
        copy: PathBuf,
        /// To which format.
        to: u32,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The engine cannot open, copy or check it.
    #[error("cannot {action} {}", .path.display())]
    Database {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A backup cannot be written because the file is there already.
    #[error("{} exists already and is not overwritten: choose another name", .0.display())]
    Exists(PathBuf),
    /// A file is no backup, or is not whole.
    #[error("{} cannot be restored: {detail}", .path.display())]
    NoBackup {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The database is gone, or there is nothing in its file; and what would replace it is there.
    #[error("{} is missing or empty. {advice}", .path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
        /// What to do.
        advice: String,
    },
    /// The keys of the secrets cannot be used.
    #[error("the secrets of the entity database cannot be used")]
    Vault(#[from] VaultError),
    /// An operation on the open database failed.
    #[error("the entity database cannot be used")]
    Store(#[from] StoreError),
}

impl OpenError {
    /// For `map_err` of file operations.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
