//! A probe to another agent, expanded: what both agents are given to measure. Pure: it takes what is known of both.
//!
//! Each agent checks which address reaches the other ([`ProbeKind::Agent`]), in an order in which the likely ones are first, and remembers
//! the best. Its traces, pings and simulated traffic name the other agent ([`host_of`]) and go where the check found it, so that an agent
//! that moves is followed.
//!
//! **Keys.** Test packets from one agent to another's reflector are authenticated (RFC 8762, 4.4) with a key of this ordered pair alone, which
//! the server gives to both ends ([`Keys`]). Every agent can send with a key; a reflector that cannot tell senders apart by their keys (of
//! an older version) is sent plain packets, and answers them as it always did. A reflector that somebody started by hand, at the port that the
//! probe says, has the key that the probe says.
//!
//! **Throughput.** A test to another agent is made by the one that runs the probe, in both directions; the other one serves it.
//!
//! Limits: [`MAX_ADDRESSES`] addresses of an agent. Loopback, link-local and multicast addresses, and those that the measuring agent has
//! itself, are never tried.

mod key;

use std::net::IpAddr;

pub use self::key::PairKey;
use super::kind::agent::{ADDRESSES, BOTH_WAYS, KEY, PINGS, REFLECTOR, SIMULATION, TRACES};
use super::kind::{simulation, throughput};
use super::spec::Family;
use super::{OptionField, OptionValue, ProbeKind, ProbeSpec};
use crate::AgentId;
use crate::assignment::AssignedProbe;
use crate::people::ProbeId;

/// The most addresses of an agent that are tried.
pub const MAX_ADDRESSES: usize = 16;
/// Seconds between traces, at least.
const TRACE_INTERVAL: f64 = 300.0;
/// What makes an agent a host: a domain that is never in the DNS of the Internet.
const DOMAIN: &str = ".netwatch.internal";

/// An agent, as far as it matters to who measures it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct End {
    /// Which.
    pub agent: AgentId,
    /// The addresses that it says, best first.
    pub addresses: Vec<IpAddr>,
    /// The address that the server sees it at.
    pub seen: Option<IpAddr>,
    /// The UDP port of its reflector; `None` when it has none.
    pub reflector: Option<u16>,
    /// Whether that tells senders apart by their keys.
    pub keyed: bool,
    /// The port at which it serves throughput tests when it is asked to.
    pub throughput: Option<u16>,
}

/// With which keys two agents send test packets; none where the receiving reflector cannot tell senders apart by them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    /// From the agent that runs the probe to its target.
    pub there: Option<PairKey>,
    /// From the target back.
    pub back: Option<PairKey>,
}

/// Whether the target of a kind may be an agent.
#[must_use]
pub const fn may_measure_agents(kind: ProbeKind) -> bool {
    matches!(kind, ProbeKind::Agent | ProbeKind::Throughput)
}

/// The agent that a probe measures, if it measures one.
#[must_use]
pub fn target_of(spec: &ProbeSpec) -> Option<AgentId> {
    if may_measure_agents(spec.kind) { spec.target.parse().ok() } else { None }
}

/// The agent that measures back what a probe measures, if it has one do so.
#[must_use]
pub fn measured_back(spec: &ProbeSpec) -> Option<AgentId> {
    target_of(spec).filter(|_| spec.kind == ProbeKind::Agent && spec.options.flag(&BOTH_WAYS))
}

/// What two agents measure for a probe to an agent ([`target_of`]): `here` runs it, `there` is its target. Empty when both are one agent.
#[must_use]
pub fn expand(id: ProbeId, spec: &ProbeSpec, here: &End, there: &End, keys: &Keys) -> Vec<(AgentId, AssignedProbe)> {
    if here.agent == there.agent || target_of(spec).is_none() {
        return Vec::new();
    }
    if spec.kind == ProbeKind::Throughput {
        return vec![(here.agent, AssignedProbe { id, peer: Some(there.agent), spec: tested(spec, here, there) })];
    }
    let said = said(spec, &ADDRESSES);
    let by_hand = u16::try_from(spec.options.whole(&REFLECTOR)).ok().filter(|port| *port > 0);
    // A port without a key leads to the agent's own reflector, through a translator.
    let key = by_hand.map(|_| spec.options.text(&KEY)).filter(|key| !key.is_empty());
    let key = key.or(keys.there.as_ref().map(PairKey::as_str));
    let port = by_hand.or(there.reflector);
    let mut all = one_way(spec, &candidates(here, there, &said, spec.family), there.agent, port, key);
    let forward = all.len();
    if spec.options.flag(&BOTH_WAYS) {
        // Interfaces and addresses of the one agent are none of the other.
        let back = ProbeSpec { source: None, ..spec.clone() };
        let key = keys.back.as_ref().map(PairKey::as_str);
        all.extend(one_way(&back, &candidates(there, here, &[], spec.family), here.agent, here.reflector, key));
    }
    let of = |(place, spec): (usize, ProbeSpec)| {
        let (agent, peer) = if place < forward { (here.agent, there.agent) } else { (there.agent, here.agent) };
        (agent, AssignedProbe { id, peer: Some(peer), spec })
    };
    all.into_iter().enumerate().map(of).collect()
}

/// The host by which probes name an agent.
#[must_use]
pub fn host_of(agent: AgentId) -> String {
    format!("{agent}{DOMAIN}")
}

/// The agent that a host names, if it names one.
#[must_use]
pub fn agent_of(host: &str) -> Option<AgentId> {
    host.strip_suffix(DOMAIN)?.parse().ok()
}

/// A throughput test to another agent: to the port that it says, else to that of a server that somebody has started there.
fn tested(spec: &ProbeSpec, here: &End, there: &End) -> ProbeSpec {
    let addresses = candidates(here, there, &said(spec, &throughput::ADDRESSES), spec.family);
    let host = host_of(there.agent);
    let target = there.throughput.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    let mut spec = ProbeSpec { target, ..spec.clone() };
    let addresses = addresses.iter().map(ToString::to_string).collect();
    spec.options.set(&throughput::ADDRESSES, OptionValue::Texts(addresses));
    spec
}

/// Addresses that somebody knows better.
fn said(spec: &ProbeSpec, field: &OptionField) -> Vec<IpAddr> {
    spec.options.texts(field).iter().filter_map(|text| text.parse().ok()).collect()
}

/// What one agent measures of the other.
fn one_way(
    spec: &ProbeSpec,
    candidates: &[IpAddr],
    peer: AgentId,
    reflector: Option<u16>,
    key: Option<&str>,
) -> Vec<ProbeSpec> {
    let host = host_of(peer);
    let like = |kind, target: &str| ProbeSpec {
        interval: spec.interval,
        source: spec.source.clone(),
        family: spec.family,
        dscp: spec.dscp,
        labels: spec.labels.clone(),
        ..ProbeSpec::new(kind, target)
    };
    let secret = |to: &mut ProbeSpec, field| {
        if let Some(key) = key {
            to.options.set(field, OptionValue::Text(key.to_owned()));
        }
    };
    let mut check = ProbeSpec {
        timeout: spec.timeout,
        count: spec.count,
        spacing: spec.spacing,
        ..like(ProbeKind::Agent, &peer.to_string())
    };
    check.options.set(&ADDRESSES, OptionValue::Texts(candidates.iter().map(ToString::to_string).collect()));
    check.options.set(&REFLECTOR, OptionValue::Whole(reflector.map_or(0, i64::from)));
    secret(&mut check, &KEY);
    let mut all = vec![check];
    if spec.options.flag(&TRACES) {
        all.push(ProbeSpec { interval: spec.interval.max(TRACE_INTERVAL), ..like(ProbeKind::Mtr, &host) });
    }
    if spec.options.flag(&PINGS) {
        all.push(like(ProbeKind::Ping, &host));
    }
    if let (true, Some(port)) = (spec.options.flag(&SIMULATION), reflector) {
        let mut simulated = like(ProbeKind::Simulation, &format!("{host}:{port}"));
        secret(&mut simulated, &simulation::KEY);
        all.push(simulated);
    }
    all
}

/// Where `there` may be reached from `here`: what somebody says first. Behind the same address of the Internet an agent's own addresses
/// come before that one, which is a router's; otherwise private ones come last, because another host may have them here.
fn candidates(here: &End, there: &End, said: &[IpAddr], family: Family) -> Vec<IpAddr> {
    let is_same_site = here.seen.is_some() && here.seen == there.seen;
    let own = |public: bool| there.addresses.iter().copied().filter(move |address| is_public(*address) == public);
    let all: Vec<IpAddr> = if is_same_site {
        said.iter().copied().chain(there.addresses.iter().copied()).chain(there.seen).collect()
    } else {
        said.iter().copied().chain(own(true)).chain(there.seen).chain(own(false)).collect()
    };
    let mut chosen: Vec<IpAddr> = Vec::new();
    for address in all.into_iter().map(|address| address.to_canonical()) {
        let is_of_family = match family {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        };
        // What the measuring agent has itself would be itself.
        let is_own = here.addresses.contains(&address);
        if is_of_family
            && !is_own
            && is_reachable(address)
            && !chosen.contains(&address)
            && chosen.len() < MAX_ADDRESSES
        {
            chosen.push(address);
        }
    }
    chosen
}

const fn is_reachable(address: IpAddr) -> bool {
    let is_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !is_local && !address.is_loopback() && !address.is_unspecified() && !address.is_multicast()
}

/// Whether the address is not of a range that every site may use for itself (RFC 1918, RFC 6598, RFC 4193).
const fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            !(v4.is_private() || first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(v6) => !v6.is_unique_local(),
    }
}

#[cfg(test)]
mod tests;
