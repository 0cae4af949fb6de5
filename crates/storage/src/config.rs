//! What the store is told: where, how much, how long.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use netwatch_model::people::WorkspaceId;

use crate::partition::Kind;

const DAY: Duration = Duration::from_secs(86_400);
const GIB: u64 = 1 << 30;

/// Settings of the store.
#[derive(Clone, PartialEq, Debug)]
pub struct StoreConfig {
    /// The folder, made when it is missing; nothing else may be in it.
    pub folder: PathBuf,
    /// Memory that DuckDB may use, in bytes. Default 512 MiB.
    pub memory: u64,
    /// Threads of DuckDB. Default 2.
    pub threads: u32,
    /// Longest time that records wait in memory before they are written. Default 20 s.
    pub flush_every: Duration,
    /// Samples that may wait in memory, 16 bytes each. Default 4 million.
    pub max_waiting_samples: usize,
    /// Flow records that wait in memory, about 650 bytes each, until they are written; twice as many while those before are being written.
    /// Default 122 880, a row group of `DuckDB`.
    pub max_waiting_flows: usize,
    /// Series of a workspace; samples of others are dropped and counted. Default 1 million.
    pub max_series: usize,
    /// How long and how much of each kind is kept.
    pub retention: Retention,
    /// When the disk is nearly full.
    pub watermarks: Watermarks,
    /// A program that opens a file before this one does, so that a damaged file cannot end Netwatch.
    pub checker: Option<Checker>,
}

impl StoreConfig {
    /// The defaults, in that folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            memory: GIB / 2,
            threads: 2,
            flush_every: Duration::from_secs(20),
            max_waiting_samples: 4_000_000,
            max_waiting_flows: 122_880,
            max_series: 1_000_000,
            retention: Retention::default(),
            watermarks: Watermarks::default(),
            checker: None,
        }
    }
}

/// What can be changed while the store is open ([`TelemetryStore::set_limits`](crate::TelemetryStore::set_limits)).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StoreLimits {
    /// How long and how much of each kind is kept.
    pub retention: Retention,
    /// When the disk is nearly full.
    pub watermarks: Watermarks,
    /// Bytes that all files of a workspace may take together; the oldest go first. Those that are not named may take any.
    pub workspaces: BTreeMap<WorkspaceId, u64>,
}

/// How the checking program is called: `program arguments… DEPTH ROOT FILE…`. It calls [`report_files`](crate::report_files).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checker {
    /// The program, usually this one.
    pub program: PathBuf,
    /// What stands before the file.
    pub arguments: Vec<String>,
    /// Environment variables added for it.
    pub environment: Vec<(String, String)>,
    /// How long it may be silent.
    pub patience: Duration,
}

/// What is kept of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// How old data may become.
    pub age: Duration,
    /// How much room it may take; the oldest goes first.
    pub bytes: u64,
}

/// How long and how much of each kind is kept, whichever is reached first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retention {
    limits: [Keep; Kind::ALL.len()],
}

impl Retention {
    /// What is kept of `kind`.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Keep {
        self.limits[kind as usize]
    }

    /// Sets what is kept of `kind`.
    pub fn set(&mut self, kind: Kind, keep: Keep) {
        self.limits[kind as usize] = keep;
    }
}

impl Default for Retention {
    /// Samples 14 days, their minutes 90 days, their hours 5 years; flows 30 days, their minutes 90 days, their hours 5 years; events
    /// 5 years; results of probes 90 days. Samples and flows take at most 20 GiB each, their rollups and results 5 GiB, events 1 GiB.
    fn default() -> Self {
        let keep = |days: u32, gib: u64| Keep { age: DAY * days, bytes: gib * GIB };
        let limit = |kind| match kind {
            Kind::Samples => keep(14, 20),
            Kind::Flows => keep(30, 20),
            Kind::SampleMinutes | Kind::FlowMinutes => keep(90, 5),
            Kind::SampleHours | Kind::FlowHours => keep(1826, 5),
            Kind::Events => keep(1826, 1),
            Kind::ProbeResults => keep(90, 5),
        };
        Self { limits: Kind::ALL.map(limit) }
    }
}

/// When the disk is nearly full. Shares are of the whole file system, 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Watermarks {
    /// Below this share of free space there is a warning. Default 0.2.
    pub warn_share: f64,
    /// Below this share nothing new is stored. Default 0.1.
    pub stop_share: f64,
    /// Below this many free bytes nothing new is stored. Default 2 GiB.
    pub stop_bytes: u64,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self { warn_share: 0.2, stop_share: 0.1, stop_bytes: 2 * GIB }
    }
}
