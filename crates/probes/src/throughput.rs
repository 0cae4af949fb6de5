//! Throughput of TCP to and from a peer that speaks the protocol of iperf3, with the figures of RFC 6349 and the delay under load.
//!
//! Each direction is a test of its own: a control connection ([`client`]), and as many streams as the probe asks for. Round-trip times come
//! from the kernel (`TCP_INFO`): those of the handshakes are the idle path's, those of the busy streams the loaded path's.
//!
//! Limits: one test at a time in a process, so that two never share its link; others wait for their turn. A budget ends a direction early.
//! Dropping the run closes every connection.

mod client;
mod os;
mod protocol;

use std::time::Duration;

use netwatch_model::probe::delay::quantile;
use netwatch_model::probe::kind::throughput::{BUDGET, DESCRIPTOR, DIRECTION, SECONDS, STREAMS, Throughput, Transfer};
use netwatch_model::probe::spec::split_port;
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec, TargetForm};
use tokio::sync::Mutex;

use self::client::{Carried, Plan};
use crate::resolve::{Resolved, resolve};
use crate::run::Ran;
use crate::socket::source_for;
use crate::tools::Tools;

/// Whose turn it is.
static TURN: Mutex<()> = Mutex::const_new(());

/// How often a peer that is still busy with the direction before is asked again, and how long after.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// Runs a test once.
pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let mut ran = Ran::default();
    match measure(spec, tools, &mut ran).await {
        Ok((throughput, failure)) => {
            ran.failure = failure;
            ran.detail = Some(Detail::Throughput(Box::new(throughput)));
        }
        Err(failure) => ran.failure = Some(failure),
    }
    ran
}

async fn measure(spec: &ProbeSpec, tools: &Tools, ran: &mut Ran) -> Result<(Throughput, Option<Failure>), Failure> {
    let default = match DESCRIPTOR.target {
        TargetForm::HostPort { port } => port,
        _ => None,
    };
    let no_target = || Failure::new(FailureReason::Agent, "the target is not a host with a port");
    let (host, port) = split_port(&spec.target, default).ok_or_else(no_target)?;
    let resolved = resolve(host, port, spec.family, Duration::from_secs_f64(spec.timeout), tools).await?;
    ran.address = Some(resolved.address.ip());
    ran.source = source_for(resolved.address, spec);
    let _turn = TURN.lock().await;
    let (forward, reverse) = match spec.options.text(&DIRECTION) {
        "forward" => (true, false),
        "reverse" => (false, true),
        _ => (true, true),
    };
    let mut done = Vec::new();
    let mut failure = None;
    for is_reverse in [false, true] {
        if failure.is_some() || !(if is_reverse { reverse } else { forward }) {
            continue;
        }
        match one_way(spec, resolved, is_reverse, !done.is_empty()).await {
            Ok(carried) => done.push((is_reverse, carried)),
            // What the other direction gave is not thrown away.
            Err(error) if !done.is_empty() => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    Ok((figures(resolved, &done), failure))
}

/// One direction. After another one the peer may need a moment until it listens again.
async fn one_way(spec: &ProbeSpec, to: Resolved, is_reverse: bool, is_second: bool) -> Result<Carried, Failure> {
    let plan = Plan {
        address: to.address,
        is_reverse,
        duration: Duration::from_secs_f64(spec.options.seconds(&SECONDS)),
        streams: usize::try_from(spec.options.whole(&STREAMS)).unwrap_or(1),
        budget: u64::try_from(spec.options.whole(&BUDGET)).ok().filter(|budget| *budget > 0),
        timeout: Duration::from_secs_f64(spec.timeout),
    };
    let mut tries = if is_second { TRIES } else { 1 };
    loop {
        tries -= 1;
        match client::run(&plan, spec).await {
            Err(failure) if tries > 0 && is_busy(&failure) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
}

const fn is_busy(failure: &Failure) -> bool {
    matches!(failure.reason, FailureReason::Refused | FailureReason::Reset | FailureReason::Unexpected)
}

fn figures(to: Resolved, done: &[(bool, Carried)]) -> Throughput {
    let idle = median(done.iter().flat_map(|(_, carried)| carried.idle.iter().copied()));
    let of = |wanted: bool| {
        let found = done.iter().find(|(is_reverse, _)| *is_reverse == wanted);
        found.map(|(_, carried)| transfer(carried, idle))
    };
    let (forward, reverse) = (of(false), of(true));
    let loaded = forward.iter().chain(&reverse).filter_map(|transfer| transfer.loaded_rtt).reduce(f64::max);
    let bufferbloat = idle.zip(loaded).map(|(idle, loaded)| grade(loaded - idle).to_owned());
    Throughput { lookup: to.lookup, idle_rtt: idle, forward, reverse, bufferbloat }
}

#[expect(clippy::cast_precision_loss, reason = "octets and segments of one test are far below 2^53")]
fn transfer(carried: &Carried, idle: Option<f64>) -> Transfer {
    let loaded_rtt = median(carried.loaded.iter().copied());
    let segments = carried.segments.filter(|segments| *segments > 0);
    let efficiency = segments.zip(carried.retransmits).map(|(segments, again)| {
        segments.saturating_sub(again) as f64 / segments as f64 // RFC 6349, 4.2
    });
    let growth = |idle: f64, loaded: f64| (loaded - idle) / idle; // RFC 6349, 4.3
    Transfer {
        octets: carried.octets,
        seconds: carried.seconds,
        bits_per_second: if carried.seconds > 0.0 { carried.octets as f64 * 8.0 / carried.seconds } else { 0.0 },
        retransmits: carried.retransmits,
        loaded_rtt,
        efficiency,
        buffer_delay: idle.filter(|idle| *idle > 0.0).zip(loaded_rtt).map(|(idle, loaded)| growth(idle, loaded)),
        cut: carried.cut,
    }
}

/// Grade of a link by how many seconds its round trip grows under load.
fn grade(growth: f64) -> &'static str {
    match growth {
        g if g < 0.030 => "A",
        g if g < 0.060 => "B",
        g if g < 0.200 => "C",
        g if g < 0.400 => "D",
        _ => "F",
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| quantile(&sorted, 0.5))
}

#[cfg(test)]
mod tests;
