//! UDP: a datagram, and the answer that a service gives to it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};
use crate::probe::{Delays, Wilson};

/// What is sent.
pub const SEND: OptionField =
    OptionField { name: "send", help: "Payload of the datagram, as text", form: OptionForm::Text("") };
/// The same in hexadecimal.
pub const SEND_HEX: OptionField = OptionField {
    name: "send_hex",
    help: "Payload of the datagram in hexadecimal, instead of text",
    form: OptionForm::Text(""),
};
/// What must come back.
pub const EXPECT: OptionField =
    OptionField { name: "expect", help: "Text that the answer must contain", form: OptionForm::Text("") };

/// All that there is to know of UDP probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "udp",
    help: "A datagram and its answer; a port that is closed says so by ICMP (RFC 768)",
    target: TargetForm::HostPort { port: None },
    interval: 60.0,
    least_interval: 1.0,
    timeout: 3.0,
    count: 1,
    spacing: 1.0,
    options: &[&SEND, &SEND_HEX, &EXPECT],
    metrics: &[
        M::Lookup,
        M::Loss,
        M::Sent,
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

/// What datagrams gave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Udp {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Datagrams sent.
    pub sent: u32,
    /// Answers in time that hold what is expected.
    pub received: u32,
    /// Where the true loss lies with 95 per cent certainty.
    pub loss_interval: Wilson,
    /// Round-trip times, seconds; absent when none was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Delays>,
}

impl Udp {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        let lost = self.sent.saturating_sub(self.received);
        out.push(Measure::new(M::Loss, f64::from(lost) / f64::from(self.sent.max(1))));
        out.push(Measure::new(M::Sent, f64::from(self.sent)));
        if let Some(rtt) = &self.rtt {
            super::ping::round_trip(rtt, out);
        }
    }
}
