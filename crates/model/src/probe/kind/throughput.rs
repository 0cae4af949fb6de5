//! Throughput: how much a path carries, and what that does to its delay.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};

/// Which way.
pub const DIRECTION: OptionField = OptionField {
    name: "direction",
    help: "To the target, from it, or one after the other",
    form: OptionForm::Choice(&["both", "forward", "reverse"]),
};
/// How long.
pub const SECONDS: OptionField = OptionField {
    name: "seconds",
    help: "Seconds of each direction",
    form: OptionForm::Seconds { min: 1.0, max: 60.0, default: 10.0 },
};
/// How many connections.
pub const STREAMS: OptionField = OptionField {
    name: "streams",
    help: "TCP connections at once",
    form: OptionForm::Whole { min: 1, max: 32, default: 1 },
};
/// The budget.
pub const BUDGET: OptionField = OptionField {
    name: "max_bytes",
    help: "Octets of payload after which a direction ends early; 0 for no limit",
    form: OptionForm::Whole { min: 0, max: 1_000_000_000_000, default: 10_000_000_000 },
};

/// What the line carries.
pub const LINE_RATE: OptionField = OptionField {
    name: "line_rate",
    help: "Bits a second that the narrowest link of the path carries, for the figures of RFC 6349; 0 when it is not known",
    form: OptionForm::Whole { min: 0, max: 1_000_000_000_000, default: 0 },
};

/// Addresses that somebody knows better.
pub const ADDRESSES: OptionField = OptionField {
    name: "addresses",
    help: "When the target is an agent: addresses of it that are tried before those that it says and that the server sees",
    form: OptionForm::Texts,
};

/// All that there is to know of throughput probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "throughput",
    help: "TCP throughput to and from another agent (its id) or an iperf3 server, with RFC 6349 figures, and the delay under load (bufferbloat)",
    target: TargetForm::HostPort { port: Some(5201) },
    interval: 3600.0,
    least_interval: 60.0,
    timeout: 10.0,
    count: 1,
    spacing: 0.0,
    options: &[&DIRECTION, &SECONDS, &STREAMS, &BUDGET, &LINE_RATE, &ADDRESSES],
    metrics: &[M::Lookup, M::ForwardRate, M::ReverseRate, M::Retransmits, M::RttMedian, M::LoadedRtt],
};

/// How much a path carried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Throughput {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// How round-trip times were measured.
    #[serde(default)]
    pub rtt_method: RttMethod,
    /// Median round-trip time of the idle path, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_rtt: Option<f64>,
    /// To the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Transfer>,
    /// From the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<Transfer>,
    /// Octets on their way when the line is full: line rate × idle round-trip time (RFC 6349, 3.3.1); absent without either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_delay: Option<f64>,
    /// How much the delay grows under load: A+ below 5 ms, A below 30, B below 60, C below 200, D below 400, else F; absent without both
    /// round-trip times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bufferbloat: Option<String>,
}

/// How round-trip times of a throughput probe were measured.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RttMethod {
    /// By pings beside the transfer.
    Icmp,
    /// By the kernel, from the segments of the transfer itself: the target does not answer pings.
    #[default]
    Tcp,
}

/// Grade of a link by how many seconds its round trip grows under load: A+ below 5 ms, A below 30 ms, B below 60 ms, C below 200 ms, D below
/// 400 ms, else F.
#[must_use]
pub fn grade(growth: f64) -> &'static str {
    match growth {
        g if g < 0.005 => "A+",
        g if g < 0.030 => "A",
        g if g < 0.060 => "B",
        g if g < 0.200 => "C",
        g if g < 0.400 => "D",
        _ => "F",
    }
}

/// One direction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    /// Octets of payload that arrived.
    pub octets: u64,
    /// Seconds.
    pub seconds: f64,
    /// Bits of payload per second.
    pub bits_per_second: f64,
    /// Segments sent again; absent when the sender does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retransmits: Option<u64>,
    /// Median round-trip time while it was busy, seconds (RFC 6349: buffer delay).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_rtt: Option<f64>,
    /// Octets that arrived at the first try, as a share of those sent (RFC 6349, 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<f64>,
    /// Growth of the round-trip time under load, as a share of the idle one (RFC 6349, 4.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_delay: Option<f64>,
    /// Bits of payload per second that the line could carry, of its rate what headers leave; absent when the rate is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ideal_bits_per_second: Option<f64>,
    /// Actual over ideal time of the transfer, 1 at best (RFC 6349, 4.1); absent when the line's rate is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ratio: Option<f64>,
    /// The budget ended it early.
    pub cut: bool,
}

impl Throughput {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        out.extend(self.idle_rtt.map(|rtt| Measure::new(M::RttMedian, rtt)));
        for (metric, transfer) in [(M::ForwardRate, &self.forward), (M::ReverseRate, &self.reverse)] {
            out.extend(transfer.as_ref().map(|transfer| Measure::new(metric, transfer.bits_per_second)));
        }
        let ways = || self.forward.iter().chain(&self.reverse);
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
        let retransmits = ways().filter_map(|way| way.retransmits).reduce(|a, b| a + b).map(|n| n as f64);
        out.extend(retransmits.map(|n| Measure::new(M::Retransmits, n)));
        let loaded = ways().filter_map(|way| way.loaded_rtt).reduce(f64::max);
        out.extend(loaded.map(|rtt| Measure::new(M::LoadedRtt, rtt)));
    }
}
