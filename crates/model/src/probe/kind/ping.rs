//! Ping: ICMP echo requests and their answers (RFC 792, RFC 4443).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};
use crate::probe::{Delays, Wilson};

/// Octets of data in each request.
pub const SIZE: OptionField = OptionField {
    name: "size",
    help: "Octets of data in each echo request, without headers",
    form: OptionForm::Whole { min: 16, max: 65_000, default: 56 },
};

/// Whether routers may fragment.
pub const DONT_FRAGMENT: OptionField = OptionField {
    name: "dont_fragment",
    help: "Forbid fragmentation, to find out which size passes",
    form: OptionForm::Flag(false),
};

/// How many routers a request passes.
pub const TTL: OptionField = OptionField {
    name: "ttl",
    help: "Time to live (hop limit) of each request; 0: that of the system",
    form: OptionForm::Whole { min: 0, max: 255, default: 0 },
};

/// All that there is to know of ping.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "ping",
    help: "ICMP echo: loss and round-trip time (RFC 792, RFC 4443, RFC 2681, RFC 6673)",
    target: TargetForm::Host,
    interval: 60.0,
    least_interval: 1.0,
    timeout: 3.0,
    count: 20,
    spacing: 1.0,
    options: &[&SIZE, &DONT_FRAGMENT, &TTL],
    metrics: &[
        M::Lookup,
        M::Loss,
        M::Sent,
        M::Duplicates,
        M::Reordered,
        M::RttMin,
        M::RttMean,
        M::RttMedian,
        M::RttP95,
        M::RttMax,
        M::RttDeviation,
        M::Jitter,
        M::PdvP95,
    ],
};

/// What a run of ping measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ping {
    /// Seconds to resolve the name of the target; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Requests sent.
    pub sent: u32,
    /// Requests answered within the timeout; a duplicate counts once.
    pub received: u32,
    /// Requests not answered in time, as a share of those sent; a late answer is a loss.
    pub loss: f64,
    /// Where the true loss lies with 95 per cent certainty.
    pub loss_interval: Wilson,
    /// Answers that came again.
    pub duplicates: u32,
    /// Answers that came after one to a later request (RFC 4737).
    pub reordered: u32,
    /// Answers that came after the timeout; their requests count as lost.
    pub late: u32,
    /// Round-trip times, seconds; absent when none was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Delays>,
    /// Whether the kernel stamped the arrivals, so that waiting for the processor is not measured.
    pub kernel_stamps: bool,
    /// Time to live (hop limit) of the last answer, as it arrived; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_limit: Option<u8>,
}

impl Ping {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        out.push(Measure::new(M::Loss, self.loss));
        for (metric, count) in [(M::Sent, self.sent), (M::Duplicates, self.duplicates), (M::Reordered, self.reordered)]
        {
            out.push(Measure::new(metric, f64::from(count)));
        }
        if let Some(rtt) = &self.rtt {
            round_trip(rtt, out);
        }
    }
}

/// The numbers of round-trip times.
pub(super) fn round_trip(rtt: &Delays, out: &mut Vec<Measure>) {
    let of = [
        (M::RttMin, rtt.min),
        (M::RttMean, rtt.mean),
        (M::RttMedian, rtt.median),
        (M::RttP95, rtt.p95),
        (M::RttMax, rtt.max),
        (M::RttDeviation, rtt.deviation),
        (M::Jitter, rtt.jitter),
        (M::PdvP95, rtt.pdv_p95),
    ];
    out.extend(of.map(|(metric, value)| Measure::new(metric, value)));
}
