//! The port: what a telemetry store can do, whatever is behind it.
//!
//! Records come in batches with the position of the ingest log; [`TelemetryStore::replay_after`] says from where the log must be
//! handed over again after a start. Questions are values of this module, never texts; each comes with a [`Budget`].

mod buckets;
pub(crate) mod budget;
mod explore;
mod flows;
mod series;
mod usage;

use std::net::IpAddr;

use netwatch_model::people::WorkspaceId;
use netwatch_model::{Batch, Event, Timestamp, Untrusted};

pub use buckets::{Bucket, BucketLine, BucketQuery, Buckets};
pub use budget::{Budget, Cancel};
pub use explore::{Edge, Explore, Explored, Group, Measure, Summary, Value};
pub use flows::{Cursor, EventPage, EventQuery, FlowPage, FlowQuery, ResultPage, ResultQuery, StoredEvent};
pub use series::{
    Aggregate, Chart, Completion, LabelMatch, Line, Resolution, SeriesPage, SeriesQuery, SeriesSearch, Wanted,
};
pub use usage::{Disk, DiskState, KindUsage, Usage};

use crate::config::StoreLimits;
use crate::error::StoreError;
use crate::lookup::{AddressFacts, Ranges};

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// Records that will be written.
    pub stored: u64,
    /// Records that had been written before.
    pub repeated: u64,
    /// Records older than what is kept.
    pub too_old: u64,
    /// Records of more than a day in the future.
    pub too_new: u64,
    /// Samples of series that found no room in the dictionary.
    pub too_many_series: u64,
}

/// What one round of upkeep did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Upkeep {
    /// What people should know: damage, a full disk, files that retention deleted for want of room.
    pub events: Vec<Event>,
    /// Hours that were rolled up.
    pub rolled_hours: u32,
    /// Files that were rewritten.
    pub compacted: u32,
    /// Files that were deleted because of age or size.
    pub deleted: u32,
}

/// What files about addresses tell of one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Whereabouts {
    /// ISO 3166-1 alpha-2.
    pub country: Option<Untrusted>,
    /// `AS64500 Name`.
    pub asn: Option<Untrusted>,
}

/// A store of samples, flow records and events.
pub trait TelemetryStore: Send + Sync {
    /// The position of the last batch that is stored for good. All batches after it must be handed over again, in order, before new
    /// ones; those that are stored already change nothing.
    fn replay_after(&self) -> u64;

    /// Takes a batch of a workspace in. `position` is its place in the ingest log, and grows. It is durable after the next
    /// [`TelemetryStore::flush`], which happens by itself when much or old data waits.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] when the disk is nearly full: hand the same batch over later. After any other error call
    /// [`TelemetryStore::recover`], and hand everything after that position over again.
    fn append(&self, workspace: WorkspaceId, position: u64, batch: Batch, now: Timestamp) -> Result<Taken, StoreError>;

    /// Writes everything that waits.
    ///
    /// # Errors
    /// As [`TelemetryStore::append`].
    fn flush(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Opens all files anew after an error or when one was set aside; gives [`TelemetryStore::replay_after`].
    ///
    /// # Errors
    /// When the folder cannot be used at all.
    fn recover(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Whether a file was found damaged, so that [`TelemetryStore::recover`] should be called.
    fn wants_recovery(&self) -> bool;

    /// Rolls up, rewrites, deletes, and looks at the disk. Called about once a minute on a thread of its own.
    ///
    /// # Errors
    /// When something could not be done; it is tried again the next time.
    fn upkeep(&self, now: Timestamp) -> Result<Upkeep, StoreError>;

    /// Series of a metric over time.
    ///
    /// # Errors
    /// When the budget is spent or a file is damaged.
    fn chart(&self, workspace: WorkspaceId, query: &SeriesQuery, budget: &Budget) -> Result<Chart, StoreError>;

    /// The rollups of series as they are kept, for whoever makes more of them than a chart.
    ///
    /// # Errors
    /// As [`TelemetryStore::chart`].
    fn buckets(&self, workspace: WorkspaceId, query: &BucketQuery, budget: &Budget) -> Result<Buckets, StoreError>;

    /// Which series there are.
    ///
    /// # Errors
    /// As [`TelemetryStore::chart`].
    fn search(&self, workspace: WorkspaceId, search: &SeriesSearch) -> Result<SeriesPage, StoreError>;

    /// Metrics, label names or label values that begin with a text.
    ///
    /// # Errors
    /// As [`TelemetryStore::chart`].
    fn complete(&self, workspace: WorkspaceId, wanted: &Wanted, limit: usize) -> Result<Completion, StoreError>;

    /// What flows carried, by up to five dimensions.
    ///
    /// # Errors
    /// As [`TelemetryStore::chart`].
    fn explore(&self, workspace: WorkspaceId, query: &Explore, budget: &Budget) -> Result<Explored, StoreError>;

    /// Flow records, the last ended first.
    ///
    /// # Errors
    /// As [`TelemetryStore::chart`], and [`StoreError::StaleCursor`].
    fn flows(&self, workspace: WorkspaceId, query: &FlowQuery, budget: &Budget) -> Result<FlowPage, StoreError>;

    /// Events, the newest first.
    ///
    /// # Errors
    /// As [`TelemetryStore::flows`].
    fn events(&self, workspace: WorkspaceId, query: &EventQuery, budget: &Budget) -> Result<EventPage, StoreError>;

    /// Results of probes, the newest first.
    ///
    /// # Errors
    /// As [`TelemetryStore::flows`].
    fn results(&self, workspace: WorkspaceId, query: &ResultQuery, budget: &Budget) -> Result<ResultPage, StoreError>;

    /// How long and how much is kept.
    fn limits(&self) -> StoreLimits;

    /// Keeps so much from here on. What is too much goes at the next [`TelemetryStore::upkeep`].
    fn set_limits(&self, limits: StoreLimits);

    /// Calls addresses of a workspace so from here on; these names win over those of the file. `None`: as the file does.
    fn name_ranges(&self, workspace: WorkspaceId, ranges: Option<Ranges>);

    /// What files and the workspace tell about each of these addresses now, in their order.
    fn facts(&self, workspace: WorkspaceId, addresses: &[IpAddr]) -> Vec<AddressFacts>;
    /// Country and autonomous system of an address, as far as files about addresses tell.
    fn whereabouts(&self, address: IpAddr) -> Whereabouts;

    /// How much room everything takes, of one workspace or all, and when the disk will be full.
    fn usage(&self, workspace: Option<WorkspaceId>) -> Usage;
}
