//! Mtr: the path to a target, hop by hop, with the loss and delay of each.
//!
//! A hop that gives no answer is silent, not lossy: its `answered` is compared with what was sent, and only loss that all later hops
//! share is loss of the path. The same flow key is kept for a path (Paris traceroute), so that balancing routers do not mix paths up.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::Untrusted;
use crate::probe::Delays;
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};

/// The most hops of a path.
pub const MAX_HOPS: usize = 64;
/// The most paths that are told apart.
pub const MAX_PATHS: usize = 16;

/// What is sent.
pub const PROTOCOL: OptionField = OptionField {
    name: "protocol",
    help: "What is sent: ICMP echo, UDP datagrams or TCP SYN segments",
    form: OptionForm::Choice(&["icmp", "udp", "tcp"]),
};

/// The port of UDP and TCP.
pub const PORT: OptionField = OptionField {
    name: "port",
    help: "Destination port of UDP and TCP; 33434 for UDP and 443 for TCP when it is 0",
    form: OptionForm::Whole { min: 0, max: 65_535, default: 0 },
};

/// How far.
pub const HOPS: OptionField =
    OptionField { name: "max_hops", help: "The most hops", form: OptionForm::Whole { min: 1, max: 64, default: 30 } };

/// How many flows.
pub const PATHS: OptionField = OptionField {
    name: "paths",
    help: "Flows with different ports, to find several paths (Dublin traceroute); 1 keeps one path (Paris traceroute)",
    form: OptionForm::Whole { min: 1, max: 16, default: 1 },
};

/// Octets of each packet.
pub const SIZE: OptionField = OptionField {
    name: "size",
    help: "Octets of each IP packet of ICMP and UDP; large ones find where a path drops what does not fit (PMTU black hole). TCP sends \
           SYN segments, which carry no data",
    form: OptionForm::Whole { min: 44, max: 9000, default: 64 },
};

/// Names of hops.
pub const NAMES: OptionField =
    OptionField { name: "names", help: "Look up the names of hops (PTR)", form: OptionForm::Flag(true) };

/// All that there is to know of mtr.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "mtr",
    help: "The path: hops with loss and round-trip time, several paths kept apart",
    target: TargetForm::Host,
    interval: 300.0,
    least_interval: 10.0,
    timeout: 2.0,
    count: 10,
    spacing: 0.25,
    options: &[&PROTOCOL, &PORT, &HOPS, &PATHS, &SIZE, &NAMES],
    metrics: &[
        M::Lookup,
        M::Loss,
        M::Hops,
        M::Reached,
        M::Paths,
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

/// What a trace found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// Seconds to resolve the name of the target; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Whether the target itself answered.
    pub reached: bool,
    /// Share of packets to the target that it did not answer; 1 when it was not reached.
    pub loss: f64,
    /// Paths, the one with the most answers first.
    #[schema(max_items = 16)]
    pub paths: Vec<Path>,
    /// The largest packet that a router said it can pass on, octets, when it refused ours (RFC 1191, RFC 8201).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_mtu: Option<u16>,
    /// Large packets vanish after this hop without a word, small ones do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub black_hole_after: Option<u8>,
}

/// One path: the hops that packets of one flow key take.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = TracePath)]
pub struct Path {
    /// The same for the same sequence of hops: 16 hexadecimal digits. Silent hops fit every address.
    pub id: String,
    /// The source port (UDP, TCP) or identifier (ICMP) that keeps packets on it.
    pub flow: u16,
    /// Hops from the first on.
    #[schema(max_items = 64)]
    pub hops: Vec<Hop>,
}

/// One hop of a path.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = TraceHop)]
pub struct Hop {
    /// Time to live that ends here, from 1.
    pub ttl: u8,
    /// Who answered; absent for a silent hop.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Others that answered at the same place of the same flow, which means that the route changed meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub others: Vec<IpAddr>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub name: Option<Untrusted>,
    /// Number of its autonomous system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// Who runs that system. Agents do not know it: the server looks it up when it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub organization: Option<Untrusted>,
    /// Labels of its MPLS header (RFC 4950), outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mpls: Vec<MplsLabel>,
    /// Packets sent that would end here.
    pub sent: u32,
    /// Packets answered.
    pub answered: u32,
    /// It answers some packets only, yet later hops answer more: it limits its answers, and loses nothing.
    pub rate_limited: bool,
    /// Round-trip times, seconds; absent for a silent hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Delays>,
}

/// A label of MPLS (RFC 3032).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MplsLabel {
    /// The label, 20 bits.
    pub label: u32,
    /// Traffic class, 3 bits.
    pub class: u8,
    /// Time to live.
    pub ttl: u8,
}

impl Trace {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        let Some(path) = self.paths.first() else { return };
        let hops = path.hops.iter().rfind(|hop| hop.address.is_some());
        out.push(Measure::new(M::Loss, self.loss));
        out.push(Measure::new(M::Hops, hops.map_or(0.0, |hop| f64::from(hop.ttl))));
        out.push(Measure::new(M::Reached, if self.reached { 1.0 } else { 0.0 }));
        out.push(Measure::new(M::Paths, f64::from(u8::try_from(self.paths.len()).unwrap_or(u8::MAX))));
        if self.reached
            && let Some(rtt) = hops.and_then(|hop| hop.rtt.as_ref())
        {
            super::ping::round_trip(rtt, out);
        }
    }
}
