//! NTP: what a time server says of its clock, and how far ours is from it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::Untrusted;
use crate::probe::Delays;
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};

/// How far the clock may be off.
pub const MAX_OFFSET: OptionField = OptionField {
    name: "max_offset",
    help: "A failure when the clocks differ by more, seconds; 0 for no limit",
    form: OptionForm::Seconds { min: 0.0, max: 86_400.0, default: 0.0 },
};
/// The highest stratum.
pub const MAX_STRATUM: OptionField = OptionField {
    name: "max_stratum",
    help: "A failure when the server is further from a reference clock",
    form: OptionForm::Whole { min: 1, max: 15, default: 15 },
};

/// All that there is to know of NTP probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "ntp",
    help: "A time server: offset, stratum, root distance (RFC 5905)",
    target: TargetForm::HostPort { port: Some(123) },
    interval: 60.0,
    least_interval: 1.0,
    timeout: 3.0,
    count: 1,
    spacing: 2.0,
    options: &[&MAX_OFFSET, &MAX_STRATUM],
    metrics: &[M::Lookup, M::Loss, M::ClockOffset, M::Stratum, M::RootDistance, M::RttMedian],
};

/// What a time server answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ntp {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Requests sent.
    pub sent: u32,
    /// Answers in time.
    pub received: u32,
    /// Round-trip times less the time in the server, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Delays>,
    /// What the answer with the shortest round trip says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<NtpClock>,
}

/// A clock as its server describes it (RFC 5905, 7.3).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NtpClock {
    /// How far it is ahead of ours, seconds.
    pub offset: f64,
    /// Half the round trip: the offset is right within this, whatever the way there and back are.
    pub error: f64,
    /// 1 for a reference clock, 16 for not synchronised.
    pub stratum: u8,
    /// 0 none, 1 a second is inserted, 2 a second is deleted today, 3 not synchronised.
    pub leap: u8,
    /// Reference clock, address or kiss code.
    #[schema(value_type = String)]
    pub reference: Untrusted,
    /// Round-trip time to the reference clock, seconds.
    pub root_delay: f64,
    /// Dispersion to the reference clock, seconds.
    pub root_dispersion: f64,
    /// Version of the protocol.
    pub version: u8,
}

impl Ntp {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        let lost = self.sent.saturating_sub(self.received);
        out.push(Measure::new(M::Loss, f64::from(lost) / f64::from(self.sent.max(1))));
        out.extend(self.rtt.as_ref().map(|rtt| Measure::new(M::RttMedian, rtt.median)));
        if let Some(clock) = &self.clock {
            out.push(Measure::new(M::ClockOffset, clock.offset));
            out.push(Measure::new(M::Stratum, f64::from(clock.stratum)));
            out.push(Measure::new(M::RootDistance, clock.root_delay / 2.0 + clock.root_dispersion));
        }
    }
}
