//! Another agent as a target: through which of its addresses it is reached, and with which probes.
//!
//! A probe of this kind is expanded by the server ([`expand`](crate::probe::pair::expand)): both agents are given a check of the other's
//! addresses, which is what this kind measures, and traces, pings and simulated traffic to the address that the check found.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};

/// Addresses that somebody knows better.
pub const ADDRESSES: OptionField = OptionField {
    name: "addresses",
    help: "Addresses of the other agent that are tried before those that it says and that the server sees",
    form: OptionForm::Texts,
};
/// Whether the path is traced.
pub const TRACES: OptionField =
    OptionField { name: "traces", help: "Trace the path every 5 minutes", form: OptionForm::Flag(true) };
/// Whether it is pinged.
pub const PINGS: OptionField =
    OptionField { name: "pings", help: "Ping at the probe's interval", form: OptionForm::Flag(true) };
/// Whether traffic is simulated.
pub const SIMULATION: OptionField = OptionField {
    name: "simulation",
    help: "Simulate traffic at the probe's interval, where the other agent has a reflector",
    form: OptionForm::Flag(true),
};
/// Whether the other agent does the same.
pub const BOTH_WAYS: OptionField = OptionField {
    name: "both_ways",
    help: "Have the other agent measure the way back, too",
    form: OptionForm::Flag(true),
};
/// The port of the other agent's reflector.
pub const REFLECTOR: OptionField = OptionField {
    name: "reflector",
    help: "UDP port that leads to the other agent's reflector, or to one started by hand; 0 for the one that it says",
    form: OptionForm::Whole { min: 0, max: 65_535, default: 0 },
};
/// The key of a reflector that was started by hand.
pub const KEY: OptionField = OptionField {
    name: "key",
    help: "Key of a reflector started by hand at the port `reflector` (HMAC-SHA-256, RFC 8762, 4.4); agents' own have keys from the server",
    form: OptionForm::Secret,
};

/// All that there is to know of probes to another agent.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "agent",
    help: "Another agent: which of its addresses reaches it, with traces, pings and simulated traffic in both directions",
    target: TargetForm::Agent,
    interval: 60.0,
    least_interval: 10.0,
    timeout: 2.0,
    count: 3,
    spacing: 0.02,
    options: &[&ADDRESSES, &TRACES, &PINGS, &SIMULATION, &BOTH_WAYS, &REFLECTOR, &KEY],
    metrics: &[M::RttMedian],
};

/// Through which addresses another agent is reached.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AgentReach)]
pub struct Reach {
    /// Where probes to this agent go from here on; absent when no address answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Every address that was tried, in the order of preference.
    pub tried: Vec<Tried>,
}

/// An address that was tried.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AgentAddressTried)]
pub struct Tried {
    /// Which.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// Median round-trip time, seconds; absent when nothing answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<f64>,
    /// Whether the agent's reflector answered; otherwise pings, of which nobody knows whose host answered.
    pub reflector: bool,
}

impl Reach {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        let reached = self.tried.iter().find(|tried| Some(tried.address) == self.address);
        out.extend(reached.and_then(|tried| tried.rtt).map(|rtt| Measure::new(M::RttMedian, rtt)));
    }
}
