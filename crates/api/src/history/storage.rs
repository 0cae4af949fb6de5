//! The room that the telemetry store takes.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is stored, and kept for its own time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    /// Samples as they came.
    Samples,
    /// Samples rolled up by minute.
    SampleMinutes,
    /// Samples rolled up by hour.
    SampleHours,
    /// Flow records as they came.
    Flows,
    /// Sums of flows by minute.
    FlowMinutes,
    /// Sums of flows by hour.
    FlowHours,
    /// Events.
    Events,
    /// Results of probes.
    ProbeResults,
}

/// What one kind takes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StorageUsage {
    /// Which.
    pub kind: StorageKind,
    /// Files.
    pub files: u32,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Start of the oldest file.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest: Option<Timestamp>,
    /// Seconds for which the kind is kept.
    pub keep_seconds: f64,
    /// Bytes that it may take; the oldest file goes first.
    pub keep_bytes: u64,
    /// Growth of the last days in bytes a day; null before there are two days.
    pub bytes_per_day: Option<f64>,
}

/// How full the disk is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageState {
    /// Enough room.
    Normal,
    /// Less than a fifth is free.
    Warning,
    /// Nothing new is stored until there is room again; reading works.
    ReadOnly,
}

/// The telemetry store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Storage {
    /// One entry for each kind.
    pub kinds: Vec<StorageUsage>,
    /// How full the disk is.
    pub state: StorageState,
    /// Bytes of the file system.
    pub disk_total: u64,
    /// Bytes that may still be written.
    pub disk_free: u64,
    /// Seconds until the disk is full if the store goes on growing as in the last days; null when it will not be.
    pub full_in_seconds: Option<f64>,
    /// Series that are known.
    pub series: u64,
    /// Records that wait to be written.
    pub waiting: u64,
    /// Files that were damaged and are set aside.
    pub set_aside: u32,
}

/// How much is kept: `GET` and `PUT /api/v1/storage/retention`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StorageRetention {
    /// One entry for each kind.
    pub kinds: Vec<KindRetention>,
    /// Below this percentage of free space there is a warning.
    pub warn_percent: StorageLimit,
    /// Below this percentage of free space nothing new is stored.
    pub stop_percent: StorageLimit,
    /// Below this many free bytes nothing new is stored.
    pub stop_bytes: StorageLimit,
}

/// How much of a kind is kept, whichever is reached first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KindRetention {
    /// Which.
    pub kind: StorageKind,
    /// Seconds for which it is kept.
    pub age_seconds: StorageLimit,
    /// Bytes that it may take; the oldest goes first.
    pub bytes: StorageLimit,
}

/// One limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StorageLimit {
    /// What holds.
    pub value: u64,
    /// What holds unless somebody says otherwise.
    pub default: u64,
    /// The least that it may be.
    pub min: u64,
    /// The most that it may be.
    pub max: u64,
    /// The place in the configuration that says it, where alone it can be changed; null when it can be changed here.
    pub managed_by: Option<String>,
}

/// `PUT /api/v1/storage/retention`: what is absent gets its default, or stays what the configuration says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StorageRetentionPut {
    /// By kind, each at most once.
    #[schema(max_items = 7)]
    pub kinds: Vec<KindRetentionPut>,
    /// Below this percentage of free space there is a warning.
    #[schema(maximum = 90)]
    pub warn_percent: Option<u64>,
    /// Below this percentage of free space nothing new is stored.
    #[schema(maximum = 90)]
    pub stop_percent: Option<u64>,
    /// Below this many free bytes nothing new is stored.
    pub stop_bytes: Option<u64>,
}

/// How much of a kind shall be kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KindRetentionPut {
    /// Which.
    pub kind: StorageKind,
    /// Seconds for which it is kept, at least an hour.
    pub age_seconds: Option<u64>,
    /// Bytes that it may take, at least 64 MiB.
    pub bytes: Option<u64>,
}
