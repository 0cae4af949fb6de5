//! Samples: one number of one series at one time.
//!
//! Counters are cumulative since the agent's boot, so that a lost batch loses resolution and never a total.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Direction, Timestamp, Untrusted};

/// What a series measures. Names follow the Prometheus conventions: base units, `_total` on counters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Layer-2 octets, by interface, direction and (in turn) nothing, protocol or application. Outer packets only.
    TrafficOctets,
    /// Packets, with the same labels.
    TrafficPackets,
    /// Frames that the kernel dropped because the ring was full (`tp_drops`), by interface.
    KernelDrops,
    /// Largest share of the ring that was in use since the last sample, 0 to 1, by interface.
    RingFill,
    /// Frames that reached the collector, by interface.
    FramesReceived,
    /// Records that the agent had to throw away because the way to the server was full.
    RecordsDropped,
    /// Conversations that had no place in the flow table and were counted in "other".
    FlowsOther,
    /// Conversations in the flow table.
    FlowsActive,
    /// Places in the flow table.
    FlowsCapacity,
    /// Conversations seen since start.
    FlowsStarted,
    /// Frames that could not be dissected to an IP packet: by reason in [`Label::Reason`].
    FramesUndissected,
    /// Fragments whose first fragment was never seen.
    FragmentsUnknown,
    /// Whatever a program measures that sends samples itself: the name is the series' first label, a [`Label::Name`].
    External,
}

impl Metric {
    /// Whether values only grow, until the next boot.
    #[must_use]
    pub const fn is_counter(self) -> bool {
        !matches!(self, Self::RingFill | Self::FlowsActive | Self::FlowsCapacity | Self::External)
    }
}

/// One label of a series.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// An interface's name, or a capture file's.
    Interface(Untrusted),
    /// In or out.
    Direction(Direction),
    /// Protocol keyword: "tcp", "udp", "icmp", "arp", "lldp", or a number.
    Protocol(Arc<str>),
    /// Application name from the data file.
    Application(Arc<str>),
    /// A fixed word that says why.
    Reason(Arc<str>),
    /// The name of an external metric: letters, digits, `_` and `:`, not a digit first.
    Name(Arc<str>),
    /// A label of an external series: name (letters, digits and `_`) and value.
    Other(Arc<str>, Untrusted),
}

/// A metric and its labels: what identifies a series.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Series {
    /// What is measured.
    pub metric: Metric,
    /// Of what; in the order of [`Label`]'s variants.
    pub labels: Vec<Label>,
}

impl Series {
    /// The name of what is measured, if a program gave it.
    #[must_use]
    pub fn external_name(&self) -> Option<&str> {
        self.labels.iter().find_map(|label| match label {
            Label::Name(name) if self.metric == Metric::External => Some(&**name),
            _ => None,
        })
    }
}

/// A number.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A counter or a whole number.
    Integer(u64),
    /// A gauge.
    Float(f64),
}

impl Value {
    /// As a float; exact up to 2^53.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "documented")]
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Integer(n) => n as f64,
            Self::Float(x) => x,
        }
    }

    /// As a whole number, zero for negative or absent ones.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate")]
    pub const fn as_u64(self) -> u64 {
        match self {
            Self::Integer(n) => n,
            Self::Float(x) => x as u64,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
        }
    }
}

/// One number of one series at one time.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// Shared by all samples of the series.
    pub series: Arc<Series>,
    /// When it was so (packet time for capture files).
    pub time: Timestamp,
    /// The number.
    pub value: Value,
}
