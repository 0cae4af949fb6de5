//! Questions about what flows carried.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::filter::Filter;
use netwatch_model::{AgentId, Protocol, Timestamp, Untrusted};

use super::Resolution;
use crate::dimension::Dimension;
use crate::partition::Span;

/// What is added up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Measure {
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

impl Measure {
    /// Its column in sums.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Octets => "octets",
            Self::L2Octets => "l2_octets",
            Self::Packets => "packets",
            Self::Flows => "flows",
        }
    }
}

/// What flows carried, by dimensions.
#[derive(Clone, PartialEq, Debug)]
pub struct Explore {
    /// From when to when.
    pub span: Span,
    /// Length of a step, whole seconds; absent: totals only.
    pub step: Option<Duration>,
    /// None to five.
    pub dimensions: Vec<Dimension>,
    /// Which flows; absent: all.
    pub filter: Option<Arc<Filter>>,
    /// What is added up.
    pub measure: Measure,
    /// Most groups; the rest is added in "other".
    pub limit: usize,
    /// Whether the period before, of the same length, is summed too.
    pub previous: bool,
    /// Until when everything that was carried is stored. What came since counts in sums; rates are over the time before.
    pub complete_until: Timestamp,
}

/// The value of a dimension.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Value {
    /// There is none: no name, no process, an address in no known network.
    Absent,
    /// An address.
    Address(IpAddr),
    /// A port of a protocol.
    Port(Protocol, u16),
    /// A port of any protocol.
    AnyPort(u16),
    /// A protocol.
    Protocol(Protocol),
    /// VLAN identifiers, outermost first.
    Vlan(Vec<u16>),
    /// An agent.
    Agent(AgentId),
    /// A text.
    Text(Untrusted),
}

/// What the steps of a group amount to: rates over the time that was observed. A step in which nothing was observed counts for nothing;
/// one in which others carried something and this group did not is zero.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Summary {
    /// The smallest step, per second.
    pub min: f64,
    /// What the steps carried divided by the time that was observed, per second.
    pub avg: f64,
    /// 95th percentile of the steps (nearest rank), per second.
    pub p95: f64,
    /// The largest step, per second.
    pub max: f64,
}

/// One group.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// A value for each dimension; empty for "other" and "total".
    pub key: Vec<Value>,
    /// Everything of the range.
    pub total: u64,
    /// What was received: by the host when the first dimension is the host, else by the interface. IP octets, whatever is measured.
    pub octets_in: u64,
    /// What was sent.
    pub octets_out: u64,
    /// One value for each step; empty without steps.
    pub points: Vec<u64>,
    /// IP octets received in each step, whatever is measured; empty without steps.
    pub points_in: Vec<u64>,
    /// IP octets sent in each step.
    pub points_out: Vec<u64>,
    /// Of the steps; absent without steps.
    pub summary: Option<Summary>,
    /// The total of the period before; absent when it was not asked for.
    pub previous: Option<u64>,
}

/// What went from a value of one dimension to a value of the next: a band of a Sankey diagram.
#[derive(Clone, PartialEq, Debug)]
pub struct Edge {
    /// Which dimension it leaves: 0 for the first.
    pub level: usize,
    /// Value there.
    pub from: Value,
    /// Value of the next dimension.
    pub to: Value,
    /// How much.
    pub total: u64,
}

/// What flows carried.
#[derive(Clone, PartialEq, Debug)]
pub struct Explored {
    /// Start of the first step.
    pub from: Timestamp,
    /// End of the last step.
    pub to: Timestamp,
    /// Length of a step.
    pub step: Option<Duration>,
    /// What it was made of.
    pub resolution: Resolution,
    /// Largest first.
    pub groups: Vec<Group>,
    /// All that is in no group.
    pub other: Group,
    /// Everything. With hosts as a dimension each octet counts for both ends in the groups, and in the total once.
    pub total: Group,
    /// Milliseconds of each step, until [`Explore::complete_until`], in which anything was observed, whatever the filter; empty without
    /// steps. A step with none is a gap.
    pub observed: Vec<u64>,
    /// Steps of the period before, for everything; empty when it was not asked for.
    pub previous: Vec<u64>,
    /// Between the dimensions of the groups, largest first.
    pub edges: Vec<Edge>,
    /// Zero when the groups are exact. Else the most that one of them lacks, and the most that a value that is none of them may have
    /// carried; what they lack is in `other`. Only where no flow records are kept any more, and hours have the largest values alone.
    pub short_by: u64,
    /// Whether the first step began before the range.
    pub partial_first: bool,
    /// Whether the last step ends after the range.
    pub partial_last: bool,
}
