//! Ping: echo requests to one target, and what their answers say of loss and delay.

use std::net::SocketAddr;
use std::time::Duration;

use netwatch_model::probe::kind::ping::{DONT_FRAGMENT, Ping, SIZE, TTL};
use netwatch_model::probe::{Delays, Detail, Failure, FailureReason, ProbeSpec, Wilson};
use netwatch_telemetry::clock;

use crate::icmp::{Done, Order, Outcome, PingPlan, Tally, Task, Trouble};
use crate::resolve::resolve;
use crate::run::Ran;
use crate::socket::source_for;
use crate::tools::Tools;

/// Runs a ping.
pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let timeout = Duration::from_secs_f64(spec.timeout);
    let resolved = match resolve(&spec.target, 0, spec.family, timeout, tools).await {
        Ok(resolved) => resolved,
        Err(failure) => return failure.into(),
    };
    let ran = Ran { address: Some(resolved.address.ip()), ..Ran::default() };
    match tools.hub.carry_out(order(spec, resolved.address)).await {
        Ok(Done { outcome: Outcome::Ping(tally), kernel_stamps, local, .. }) => Ran {
            // Answers say where they came to; without any, the routing table is asked.
            source: local.or_else(|| source_for(resolved.address, spec)),
            failure: failure_of(&tally, resolved.address, spec),
            detail: Some(Detail::Ping(Box::new(detail_of(&tally, resolved.lookup, kernel_stamps)))),
            ..ran
        },
        Ok(_) => ran,
        Err(failure) => Ran { failure: Some(failure), source: source_for(resolved.address, spec), ..ran },
    }
}

fn order(spec: &ProbeSpec, to: SocketAddr) -> Order {
    Order {
        to,
        source: spec.source.clone(),
        local: None,
        traffic_class: (spec.dscp != 0).then_some(spec.dscp << 2),
        dont_fragment: spec.options.flag(&DONT_FRAGMENT),
        octets: u16::try_from(spec.options.whole(&SIZE)).unwrap_or(u16::MAX),
        task: Task::Ping(PingPlan {
            count: spec.count,
            spacing: Duration::from_secs_f64(spec.spacing),
            timeout: Duration::from_secs_f64(spec.timeout),
            start: clock::monotonic(),
            ttl: u8::try_from(spec.options.whole(&TTL)).ok().filter(|ttl| *ttl > 0),
        }),
    }
}

fn detail_of(tally: &Tally, lookup: Option<f64>, kernel_stamps: bool) -> Ping {
    let received = u32::try_from(tally.rtts.len()).unwrap_or(u32::MAX);
    let lost = tally.sent.saturating_sub(received);
    Ping {
        lookup,
        sent: tally.sent,
        received,
        loss: if tally.sent == 0 { 1.0 } else { f64::from(lost) / f64::from(tally.sent) },
        loss_interval: Wilson::of(lost, tally.sent),
        duplicates: tally.duplicates,
        reordered: tally.reordered,
        late: tally.late,
        rtt: Delays::of(&tally.rtts),
        kernel_stamps: kernel_stamps && received > 0,
        hop_limit: tally.hop_limit,
    }
}

/// Why nothing was answered; none when something was.
fn failure_of(tally: &Tally, to: SocketAddr, spec: &ProbeSpec) -> Option<Failure> {
    if !tally.rtts.is_empty() {
        return None;
    }
    let target = to.ip();
    Some(match &tally.trouble {
        Some(trouble) => failure_of_trouble(trouble, &format!("{target} does not answer pings")),
        None => {
            let late = if tally.late > 0 { format!("; {} came too late", tally.late) } else { String::new() };
            let message = format!("{target} answered none of {} pings within {} s{late}", tally.sent, spec.timeout);
            Failure::new(FailureReason::Timeout, &message)
        }
    })
}

/// What somebody said of packets that did not arrive, in the words of a result; `what` is what did not happen.
pub(crate) fn failure_of_trouble(trouble: &Trouble, what: &str) -> Failure {
    use netwatch_wire::icmp::Cause;
    let why = match trouble {
        Trouble::Network { from, cause: Cause::Unreachable(what) } => {
            format!("{from} says that it is {}", what.words())
        }
        Trouble::Network { from, cause: Cause::TooBig { mtu: Some(mtu) } } => {
            format!("{from} says that packets are too big: the next link carries {mtu} octets")
        }
        Trouble::Network { from, cause: Cause::TooBig { mtu: None } } => {
            format!("{from} says that packets are too big")
        }
        Trouble::Network { from, cause: Cause::TimeExceeded } => {
            format!("packets ended at {from} because their time to live was over, as they do in a loop")
        }
        Trouble::Local(error) => format!("this host does not send them: {}", std::io::Error::from_raw_os_error(*error)),
    };
    Failure::new(FailureReason::Unreachable, &format!("{what}: {why}"))
}
