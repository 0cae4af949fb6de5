//! What can go wrong.

use std::path::PathBuf;

/// Why the store could not do what was asked. Each variant is one operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the store.
    #[error("cannot use the folder {path} for telemetry: check that it exists and that Netwatch may write there")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// DuckDB itself.
    #[error("cannot start DuckDB")]
    Start(#[source] duckdb::Error),
    /// A file of the store.
    #[error("cannot open {path}: it will be set aside and rebuilt from the log at the next start")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: duckdb::Error,
    },
    /// Writing a batch.
    #[error("cannot write to {path}: nothing of this flush was kept there, and the log still has it")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: duckdb::Error,
    },
    /// Noting how far the log is stored.
    #[error("cannot note the position in {path}: the next start reads more of the log than it must")]
    Position {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Reading.
    #[error("cannot answer from the store")]
    Query(#[source] duckdb::Error),
    /// Making a file smaller, or rolling it up.
    #[error("cannot rewrite {path}: it stays as it was")]
    Rewrite {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: duckdb::Error,
    },
    /// A chunk that cannot be unpacked.
    #[error("{path} is damaged: a chunk cannot be unpacked")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The deadline passed, or the one who asked left.
    #[error("the query was cancelled after {0} ms: narrow the range or the filter")]
    Cancelled(u128),
    /// The query would be too expensive.
    #[error("the query is too expensive: {0}")]
    TooExpensive(String),
    /// The cursor belongs to a list that is gone.
    #[error("the list was rewritten since this page was made: begin with the first page")]
    StaleCursor,
    /// New data is refused while the disk is nearly full.
    #[error("the disk is nearly full: nothing new is stored until space is free")]
    ReadOnly,
    /// A thread of the store ended by a defect.
    #[error("the store stopped after a defect: restart Netwatch")]
    Poisoned,
    /// There are too many threads.
    #[error("cannot start a thread that writes history: check how many this user and this service may have")]
    Thread(#[source] std::io::Error),
    /// A file of address ranges or countries.
    #[error("cannot read {path}: {reason}")]
    Lookup {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
}
