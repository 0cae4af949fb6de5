//! The flow explorer.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Resolution;
use crate::flow::Format;

/// What flows are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryDimension {
    /// Each address, whichever side it was on; each octet counts for both ends.
    Host,
    /// The initiator's address.
    Source,
    /// The responder's address.
    Destination,
    /// The initiator's port.
    SourcePort,
    /// The responder's port with its protocol.
    Port,
    /// The IP protocol.
    Protocol,
    /// The application.
    Application,
    /// The name of the service.
    Name,
    /// The local process.
    Process,
    /// The user of the process.
    User,
    /// The container of the process.
    Container,
    /// The interface or capture file.
    Interface,
    /// The VLAN stack.
    Vlan,
    /// The agent that observed.
    Agent,
    /// The country of the initiator's address (needs an MMDB file).
    SourceCountry,
    /// The country of the responder's address.
    DestinationCountry,
    /// The autonomous system of the initiator's address (needs an MMDB file).
    SourceAsn,
    /// The autonomous system of the responder's address.
    DestinationAsn,
    /// The named range of the initiator's address (needs a file of ranges).
    SourceNetwork,
    /// The named range of the responder's address.
    DestinationNetwork,
}

/// What is added up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryMeasure {
    /// IP octets.
    #[default]
    Octets,
    /// Octets of frames without check sequence.
    L2Octets,
    /// Packets.
    Packets,
    /// Conversations that began.
    Flows,
}

/// `GET /api/v1/history/explore`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ExploreQuery {
    /// RFC 3339, or relative to now as `-15m`. Default `-24h`.
    pub from: Option<String>,
    /// RFC 3339, `now`, or relative. Default `now`.
    pub to: Option<String>,
    /// Seconds of a step; default so that there are at most 300 steps; 0: totals only.
    #[param(minimum = 0, maximum = 2678400)]
    pub step: Option<u32>,
    /// One to five dimensions with commas between: `source,application`. Default `host`.
    pub by: Option<String>,
    /// Filter text over flows. A long conversation is stored in slices: tests of size and duration see a slice.
    pub filter: Option<String>,
    /// What is added up. Default `octets`.
    #[param(inline)]
    pub measure: Option<HistoryMeasure>,
    /// Largest number of groups; the rest is added in "other". 1 to 500, default 10.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Whether the period before, of the same length, is summed too. Default false.
    pub previous: Option<bool>,
    /// `json` or `csv`. Default: what `Accept` asks for, else `json`.
    #[param(inline)]
    pub format: Option<Format>,
}

/// The value of a dimension.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryValue {
    /// Which dimension.
    pub dimension: HistoryDimension,
    /// What people read; "none" where there is no value.
    pub label: String,
    /// A filter text that selects exactly the flows with this value; null where the filter language has no such field.
    pub filter: Option<String>,
}

/// The steps of a group, per second, over the time that was observed. A step in which nothing was observed counts for nothing; one in
/// which others carried something and this group did not is zero.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct HistorySummary {
    /// The smallest step.
    pub min: f64,
    /// What the steps carried divided by the time that was observed.
    pub avg: f64,
    /// 95th percentile of the steps (nearest rank).
    pub p95: f64,
    /// The largest step.
    pub max: f64,
}

/// One group of flows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryGroup {
    /// A value for each dimension; empty for "other" and "total".
    pub key: Vec<HistoryValue>,
    /// Everything of the range, in the measure.
    pub total: u64,
    /// IP octets received: by the host when the first dimension is `host`, else by the interface.
    pub octets_in: u64,
    /// IP octets sent.
    pub octets_out: u64,
    /// The measure in each step; empty without steps.
    pub points: Vec<u64>,
    /// IP octets received in each step, as in `octets_in`; empty without steps.
    pub points_in: Vec<u64>,
    /// IP octets sent in each step.
    pub points_out: Vec<u64>,
    /// Of the steps; null without steps.
    pub summary: Option<HistorySummary>,
    /// The total of the period before; null when it was not asked for.
    pub previous: Option<u64>,
}

/// What went from a value of one dimension to a value of the next: a band of a Sankey diagram.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryEdge {
    /// Which dimension it leaves: 0 for the first.
    pub level: u32,
    /// Value there.
    pub source: HistoryValue,
    /// Value of the next dimension.
    pub target: HistoryValue,
    /// How much.
    pub total: u64,
}

/// What flows carried, by dimensions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Exploration {
    /// Start of the first step.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// End of the last step.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Seconds of a step; null without steps.
    pub step: Option<f64>,
    /// What it was made of.
    pub resolution: Resolution,
    /// In the order in which they were asked for.
    pub by: Vec<HistoryDimension>,
    /// What was added up.
    pub measure: HistoryMeasure,
    /// Largest first.
    pub groups: Vec<HistoryGroup>,
    /// All that is in no group.
    pub other: HistoryGroup,
    /// Everything. With `host` as a dimension each octet counts for both ends in groups and "other", and here once.
    pub total: HistoryGroup,
    /// Until when everything that was carried is stored: the end of the last whole minute, because conversations that go on are stored
    /// at the end of each. What came since counts in totals as far as it is stored; rates are over the time before.
    #[schema(value_type = String, format = DateTime)]
    pub complete_until: Timestamp,
    /// Seconds of each step, until `complete_until`, in which anything was observed, whatever the filter; empty without steps. A step
    /// with none is a gap, not zero.
    pub observed: Vec<f64>,
    /// Steps of the period before, for everything; empty when it was not asked for.
    pub previous: Vec<u64>,
    /// Between the dimensions of the groups, largest first; empty with one dimension.
    pub edges: Vec<HistoryEdge>,
    /// Zero when the groups are exact. Else the most that one of them lacks, and the most that a value that is none of them may have
    /// carried; what they lack is in "other". Only beyond the time for which flow records are kept.
    pub short_by: u64,
    /// Whether the first step is covered in part.
    pub partial_first: bool,
    /// Whether the last step is covered in part.
    pub partial_last: bool,
}
