//! How the system itself is doing, by stage of the way of the data.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/statistics`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    /// Version of the program.
    pub version: String,
    /// Start of the process.
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// Time of the server when this was made.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// Where the data comes from: interface names, or files.
    pub sources: Vec<String>,
    /// Frames received, dropped and not understood.
    pub capture: CaptureStatistics,
    /// The flow table of the collector.
    pub table: TableStatistics,
    /// What the server keeps.
    pub store: StoreStatistics,
    /// Clients of the stream.
    pub stream: StreamStatistics,
    /// The process.
    pub process: ProcessStatistics,
}

/// Frames.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CaptureStatistics {
    /// Frames received since start.
    pub frames: u64,
    /// Packets, segments of super-frames counted singly.
    pub packets: u64,
    /// Layer-2 octets.
    pub octets: u64,
    /// Frames dropped by the kernel.
    pub kernel_drops: u64,
    /// Frames that could not be dissected to an IP packet, by reason.
    pub undissected: Vec<Count>,
    /// Fragments whose first fragment was never seen.
    pub fragments_unknown: u64,
}

/// A counted reason.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// A fixed word.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// The flow table.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct TableStatistics {
    /// Conversations in the table.
    pub active: u64,
    /// Places in the table.
    pub capacity: u64,
    /// Conversations seen since start.
    pub started: u64,
    /// Conversations counted in "other" because the table was full.
    pub other: u64,
}

/// What the server keeps in memory.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct StoreStatistics {
    /// Active flows known to the server.
    pub live_flows: u64,
    /// Ended records kept.
    pub archived_flows: u64,
    /// Bytes used by ended records.
    pub archive_bytes: u64,
    /// Byte budget of ended records.
    pub archive_budget: u64,
    /// Ended records dropped because the budget was used up (oldest first).
    pub archive_dropped: u64,
    /// Batches taken in.
    pub batches: u64,
    /// Records taken in.
    pub records: u64,
    /// Batches refused as repeated.
    pub batches_repeated: u64,
    /// Records that the agents dropped because the way to the server was full.
    pub records_dropped: u64,
    /// Records of active flows that found no row because all were taken by heavier flows; they are counted at their end.
    #[serde(default)]
    pub flows_unlisted: u64,
    /// Names and processes left out because too many different ones are kept.
    #[serde(default)]
    pub texts_dropped: u64,
    /// Samples added to "other" because there are too many series.
    #[serde(default)]
    pub series_merged: u64,
    /// End of the oldest ended record kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default)]
    pub oldest: Option<Timestamp>,
}

/// Clients of the stream.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct StreamStatistics {
    /// Clients connected.
    pub clients: u64,
    /// Frames sent since start.
    pub frames_sent: u64,
    /// Frames that slow clients did not get.
    pub frames_dropped: u64,
}

/// The process.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ProcessStatistics {
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// CPU seconds used since start.
    pub cpu_seconds: f64,
    /// Open file descriptors.
    pub open_files: u64,
}

/// `GET /readyz` and `GET /livez`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The worst of all components: `ok`, `starting`, `degraded` or `failed`.
    pub status: String,
    /// One entry for each component that is not ok.
    pub reasons: Vec<HealthReason>,
}

/// Why a component is not ok.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct HealthReason {
    /// Which component.
    pub component: String,
    /// `starting`, `degraded` or `failed`.
    pub status: String,
    /// What and what to do.
    pub reason: String,
}
