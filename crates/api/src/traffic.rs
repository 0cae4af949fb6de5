//! Rates over time and top talkers.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::flow::Format;

/// What a chart is stacked by, or a list of talkers grouped by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Each address: what it sent and received.
    #[default]
    Host,
    /// Each pair of addresses, whoever began.
    Pair,
    /// Each responder's port with its protocol.
    Port,
    /// Each application.
    Application,
    /// Each local process.
    Process,
    /// Each name of a service.
    Name,
    /// Each VLAN stack.
    Vlan,
    /// Each IP protocol (and ARP, LLDP and other non-IP in rates).
    Protocol,
    /// Each interface.
    Interface,
    /// In and out.
    Direction,
}

/// `GET /api/v1/traffic/rates`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RatesQuery {
    /// RFC 3339, or relative to now as `-15m`. Default `-5m`.
    pub from: Option<String>,
    /// RFC 3339, `now`, or relative. Default `now`.
    pub to: Option<String>,
    /// Seconds of a step, 1 to 3600; default so that there are at most 600 steps.
    #[param(minimum = 1, maximum = 3600)]
    pub step: Option<u32>,
    /// What the series are: `interface`, `direction`, `protocol` and `application` are exact counts of every frame (layer-2 octets);
    /// all others, and every request with a filter, are computed from flows (IP octets). Default `interface`.
    #[param(inline)]
    pub by: Option<Dimension>,
    /// Filter text over flows.
    pub filter: Option<String>,
    /// Largest number of series; the rest is added in "other". 1 to 50, default 8.
    #[param(minimum = 1, maximum = 50)]
    pub limit: Option<u32>,
    /// Only this interface. Default: all, added.
    pub interface: Option<String>,
}

/// Octets and packets of each step. `null`: no data (nothing ran); 0: nothing was carried.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Points {
    /// Octets in each step.
    pub octets: Vec<Option<u64>>,
    /// Packets in each step.
    pub packets: Vec<Option<u64>>,
}

/// One series of a chart.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RateSeries {
    /// Value of the dimension, as it would be written in a filter; empty for "other".
    pub key: String,
    /// What people read.
    pub label: String,
    /// Whether this is the sum of all that have no series of their own.
    pub other: bool,
    /// Received by the interface.
    #[serde(rename = "in")]
    pub inbound: Points,
    /// Sent by the interface.
    #[serde(rename = "out")]
    pub outbound: Points,
}

/// What was lost in each step; drawn on the same chart.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Losses {
    /// Frames dropped by the kernel.
    pub kernel_drops: Vec<u64>,
    /// Largest fill of a ring, 0 to 1.
    pub ring_fill: Vec<f64>,
    /// Records that did not reach the server.
    pub records_dropped: Vec<u64>,
    /// Conversations that had no place in the flow table.
    pub flows_other: Vec<u64>,
}

/// Rates over time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Rates {
    /// Start of the first step.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// End of the last step.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Seconds of a step.
    pub step: f64,
    /// What the series are.
    pub by: Dimension,
    /// `l2` (frames without check sequence) or `l3` (IP).
    pub layer: Layer,
    /// Largest first, "other" last.
    pub series: Vec<RateSeries>,
    /// What is missing from the series.
    pub losses: Losses,
    /// Whether anything was lost in the range.
    pub incomplete: bool,
    /// The oldest time for which data is kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest: Option<Timestamp>,
}

/// Which octets were counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Frames without check sequence.
    L2,
    /// IP header and payload.
    L3,
}

/// Which column orders talkers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TopSort {
    /// IP octets.
    #[default]
    Bytes,
    /// Packets.
    Packets,
    /// Conversations.
    Flows,
}

/// `GET /api/v1/traffic/top`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TopQuery {
    /// What to group by. Default `host`.
    #[param(inline)]
    pub by: Option<Dimension>,
    /// RFC 3339, or relative to now as `-15m`. Default `-5m`.
    pub from: Option<String>,
    /// RFC 3339, `now`, or relative. Default `now`.
    pub to: Option<String>,
    /// Rows, 1 to 500. Default 10.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Filter text over flows.
    pub filter: Option<String>,
    /// Column that orders the rows.
    #[param(inline)]
    pub sort: Option<TopSort>,
    /// `json` or `csv`. Default: what `Accept` asks for, else `json`.
    #[param(inline)]
    pub format: Option<Format>,
}

/// What one talker carried. All octets are IP octets, outer packets only unless the filter names `tunnel`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Talker {
    /// Value of the dimension as it would be written in a filter; empty for "other" and "total".
    pub key: String,
    /// What people read: the key, with a name where one is known.
    pub label: String,
    /// A filter text that selects exactly this talker's flows.
    pub filter: String,
    /// Octets of both directions.
    pub octets: u64,
    /// Packets of both directions.
    pub packets: u64,
    /// By host: octets received by the host; else: octets that came in on the interface.
    pub octets_in: u64,
    /// By host: octets sent by the host; else: octets that went out of the interface.
    pub octets_out: u64,
    /// Conversations.
    pub flows: u64,
}

/// Top talkers with everything else.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Top {
    /// What the rows are.
    pub by: Dimension,
    /// Start of the range that was really used.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// End of the range.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Largest first.
    pub items: Vec<Talker>,
    /// All that is not in `items`: `total` is always `items` and `other` added (by host each octet counts for both ends).
    pub other: Talker,
    /// Everything.
    pub total: Talker,
    /// Largest octets by which any row can be too low because traffic was counted without addresses in a full table.
    pub error_octets: u64,
}
