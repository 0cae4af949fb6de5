//! How much room the store takes.

use std::time::Duration;

use netwatch_model::Timestamp;

use crate::config::Keep;
use crate::partition::Kind;

/// What one kind takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct KindUsage {
    /// Which.
    pub kind: Kind,
    /// Files.
    pub files: u32,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Start of the oldest file.
    pub oldest: Option<Timestamp>,
    /// End of the newest file.
    pub newest: Option<Timestamp>,
    /// What is kept.
    pub keep: Keep,
    /// Growth of the last days, in bytes a day; absent before there are two days.
    pub bytes_per_day: Option<f64>,
}

/// How full the disk is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub enum DiskState {
    /// Enough room.
    #[default]
    Normal,
    /// Less than the warning share is free.
    Warning,
    /// Nothing new is stored.
    ReadOnly,
}

impl DiskState {
    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::ReadOnly => "read_only",
        }
    }
}

/// The file system of the store.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Disk {
    /// Bytes in all.
    pub total: u64,
    /// Bytes that may still be written.
    pub free: u64,
    /// How full it is.
    pub state: DiskState,
    /// When it will be full if the store goes on growing as in the last days and retention deletes nothing; absent when it does not
    /// grow, or retention will have deleted as much by then.
    pub full_in: Option<Duration>,
}

/// How much room everything takes.
#[derive(Clone, PartialEq, Debug)]
pub struct Usage {
    /// In the order of [`Kind::ALL`].
    pub kinds: Vec<KindUsage>,
    /// The file system.
    pub disk: Disk,
    /// Series in the dictionary.
    pub series: usize,
    /// Records that wait to be written.
    pub waiting: usize,
    /// Files that were set aside because they were damaged, and are still there.
    pub set_aside: u32,
}
