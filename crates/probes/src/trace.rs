//! Traces: the way to a target, hop by hop, by ICMP, UDP or TCP.
//!
//! Each run asks the hub for one trace, joins flows that took the same way, gives routes the names that they had before, and looks names of
//! hops up. Limits: SYN segments carry no data, so that `size` does not apply to TCP, and black holes are looked for by ICMP and UDP only;
//! what a UDP service sends as an answer names no packet and is not counted; the number of a hop's autonomous system is left to the server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwatch_model::probe::kind::mtr::{HOPS, NAMES, PATHS, PORT, PROTOCOL, SIZE, Trace};
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec};
use netwatch_telemetry::clock;

use crate::icmp::{Carrier, Done, Findings, Order, Outcome, Task, TracePlan, Trouble, local_mtu};
use crate::ping::failure_of_trouble;
use crate::resolve::resolve;
use crate::run::Ran;
use crate::socket::source_for;
use crate::tools::Tools;

mod identity;
mod names;
mod report;

use identity::Routes;
use names::Names;

/// Ports of UDP and TCP when none is said: the first of traceroute, and that of HTTPS.
const PORTS: (u16, u16) = (33_434, 443);
/// `EMSGSIZE` of this system: the packet is too big for its link.
#[cfg(unix)]
const TOO_BIG: i32 = libc::EMSGSIZE;
/// The same of Windows.
#[cfg(windows)]
const TOO_BIG: i32 = windows_sys::Win32::Networking::WinSock::WSAEMSGSIZE;
/// Packets above this may vanish where smaller ones pass: the least that every IPv4 link must carry whole is far below, but none in use is.
const LARGE: i64 = 576;

/// What traces remember from one run to the next: routes, so that one keeps its name although a hop is silent now and then, and names.
#[derive(Debug, Default)]
pub struct TraceMemory {
    routes: Routes,
    names: Names,
}

/// Runs a trace.
pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let carrier = carrier_of(spec);
    let timeout = Duration::from_secs_f64(spec.timeout);
    let resolved = match resolve(&spec.target, port_of(spec, carrier), spec.family, timeout, tools).await {
        Ok(resolved) => resolved,
        Err(failure) => return failure.into(),
    };
    let to = resolved.address;
    let source = source_for(to, spec);
    let ran = Ran { address: Some(to.ip()), source, ..Ran::default() };
    let (findings, flow_keys) = match tools.hub.carry_out(order(spec, to, source, carrier)).await {
        Ok(Done { outcome: Outcome::Trace(findings), flow_keys, .. }) => (findings, flow_keys),
        Ok(_) => return ran,
        Err(failure) => return Ran { failure: Some(failure), ..ran },
    };
    let failure = failure_of(&findings, to.ip());
    let own_mtu = is_too_big(&findings).then(|| local_mtu(to, spec.source.as_ref())).flatten();
    let paths = report::paths(&findings.flows, &flow_keys);
    let mut trace = Trace {
        lookup: resolved.lookup,
        reached: report::is_reached(&findings.flows),
        loss: report::loss(&findings.flows),
        paths: report::model(paths, to.ip(), &tools.memory.routes),
        path_mtu: findings.path_mtu.or(own_mtu),
        black_hole_after: findings.black_hole_after,
    };
    if spec.options.flag(&NAMES) {
        tools.memory.names.look_up(&mut trace).await;
    }
    Ran { failure, detail: Some(Detail::Mtr(Box::new(trace))), ..ran }
}

fn order(spec: &ProbeSpec, to: SocketAddr, local: Option<IpAddr>, carrier: Carrier) -> Order {
    let octet = |field| u8::try_from(spec.options.whole(field)).unwrap_or(u8::MAX);
    let size = spec.options.whole(&SIZE);
    let plan = TracePlan {
        target: to.ip(),
        cycles: spec.count,
        spacing: Duration::from_secs_f64(spec.spacing),
        timeout: Duration::from_secs_f64(spec.timeout),
        start: clock::monotonic(),
        max_hops: octet(&HOPS),
        flows: octet(&PATHS),
        large: size > LARGE && carrier != Carrier::Tcp,
    };
    Order {
        to,
        source: spec.source.clone(),
        local,
        traffic_class: (spec.dscp != 0).then_some(spec.dscp << 2),
        dont_fragment: true,
        octets: u16::try_from(size).unwrap_or(u16::MAX),
        task: Task::Trace(plan, carrier),
    }
}

fn carrier_of(spec: &ProbeSpec) -> Carrier {
    match spec.options.text(&PROTOCOL) {
        "udp" => Carrier::Udp,
        "tcp" => Carrier::Tcp,
        _ => Carrier::Icmp,
    }
}

fn port_of(spec: &ProbeSpec, carrier: Carrier) -> u16 {
    match (u16::try_from(spec.options.whole(&PORT)).unwrap_or_default(), carrier) {
        (_, Carrier::Icmp) => 0,
        (0, Carrier::Udp) => PORTS.0,
        (0, Carrier::Tcp) => PORTS.1,
        (port, _) => port,
    }
}

fn failure_of(findings: &Findings, target: IpAddr) -> Option<Failure> {
    if report::is_reached(&findings.flows) {
        return None;
    }
    let last = findings.flows.iter().filter_map(|flow| flow.hops.iter().rev().find_map(|hop| hop.address())).next();
    let end = last.map_or_else(|| "no hop answered".to_owned(), |last| format!("the last hop that answered is {last}"));
    let what = format!("{target} was not reached, {end}");
    Some(match (&findings.trouble, findings.black_hole_after) {
        (Some(trouble), _) => failure_of_trouble(trouble, &what),
        (None, Some(hop)) => {
            let message =
                format!("{what}: packets of this size vanish behind hop {hop} and nobody says so, small ones pass");
            Failure::new(FailureReason::Unreachable, &message)
        }
        (None, None) => Failure::new(FailureReason::Timeout, &what),
    })
}

/// Whether this host itself refused a packet because of its size.
fn is_too_big(findings: &Findings) -> bool {
    matches!(findings.trouble, Some(Trouble::Local(error)) if error == TOO_BIG)
}
