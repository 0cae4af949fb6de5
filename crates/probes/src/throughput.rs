//! Throughput of TCP to and from a peer that speaks the protocol of iperf3, with the figures of RFC 6349 and the delay under load.
//!
//! Each direction is a test of its own: a control connection (`client`), and as many streams as the probe asks for. Round-trip times come
//! from pings before and during the transfer (`delay`); where the target answers none, from the kernel (`TCP_INFO`): those of the
//! handshakes are the idle path's, those of the busy streams the loaded path's. The other end is `server`.
//!
//! Limits: one test at a time in a process, so that two never share its link; others wait for their turn, and for a peer that is busy at
//! most `QUEUED`. A budget ends a direction early. Dropping the run closes every connection.

mod client;
mod control;
mod delay;
mod noise;
#[cfg_attr(not(target_os = "linux"), path = "throughput/elsewhere/os.rs")]
mod os;
mod peer;
mod protocol;
mod server;

use std::sync::{Arc, LazyLock, Mutex as Shared, PoisonError};
use std::time::Duration;

use netwatch_model::probe::delay::quantile;
use netwatch_model::probe::kind::throughput::{
    BUDGET, DESCRIPTOR, DIRECTION, LINE_RATE, RttMethod, SECONDS, STREAMS, Throughput, Transfer, grade,
};
use netwatch_model::probe::pair::agent_of;
use netwatch_model::probe::spec::split_port;
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec, TargetForm};
use netwatch_telemetry::clock;
use tokio::sync::{Mutex, Notify};

use self::client::{Carried, Plan, Stopped};
use crate::resolve::{Resolved, resolve};
use crate::run::Ran;
use crate::socket::source_for;
use crate::tools::Tools;

pub use server::{Config, Handle, Limits, Server, ServerError};

/// Port of an agent that serves throughput tests, when nobody chose one.
pub const PORT: u16 = 8863;

/// Whose turn it is in this process, as a client or as a server.
static TURN: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

/// How often a peer that closes while it ends the direction before is asked again.
const TRIES: u32 = 10;
/// How long after; a peer that is busy with others is asked again after up to twice as long more.
const PAUSE: Duration = Duration::from_millis(200);
const BUSY_PAUSE: Duration = Duration::from_millis(500);
/// How long a peer may be busy with others.
const QUEUED: Duration = Duration::from_secs(60);
/// Octets of a frame of Ethernet around an IP packet, with preamble and gap, and those of the headers in it (IPv4, IPv6; TCP; time stamps).
const FRAMING: f64 = 38.0;
const HEADERS: (f64, f64) = (40.0, 60.0);
const STAMPS: f64 = 12.0;

/// Runs a test once.
pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    run_within(spec, tools, QUEUED).await
}

/// The same; a busy peer is waited for at most so long.
async fn run_within(spec: &ProbeSpec, tools: &Tools, patience: Duration) -> Ran {
    let mut ran = Ran::default();
    match measure(spec, tools, patience, &mut ran).await {
        Ok((throughput, failure)) => {
            ran.failure = failure;
            ran.detail = Some(Detail::Throughput(Box::new(throughput)));
        }
        Err(failure) => ran.failure = Some(failure),
    }
    ran
}

/// What one direction gave, with round-trip times by pings under load.
#[derive(Debug)]
struct Way {
    is_reverse: bool,
    carried: Carried,
    pings: Vec<f64>,
}

async fn measure(
    spec: &ProbeSpec,
    tools: &Tools,
    patience: Duration,
    ran: &mut Ran,
) -> Result<(Throughput, Option<Failure>), Failure> {
    let default = match DESCRIPTOR.target {
        TargetForm::HostPort { port } => port,
        _ => None,
    };
    let no_target = || Failure::new(FailureReason::Agent, "the target is not a host with a port");
    let (host, port) = split_port(&spec.target, default).ok_or_else(no_target)?;
    let resolved = match agent_of(host) {
        Some(agent) => peer::find(agent, port, spec, tools).await?,
        None => resolve(host, port, spec.family, Duration::from_secs_f64(spec.timeout), tools).await?,
    };
    ran.address = Some(resolved.address.ip());
    ran.source = source_for(resolved.address, spec);
    let until = clock::monotonic().saturating_add(patience);
    loop {
        let turn = TURN.lock().await;
        match both_ways(spec, resolved, tools).await {
            Err(Stopped { is_busy: true, failure }) => {
                // Two that test each other would wait for each other: the turn is free meanwhile, and who asks first is a matter of chance.
                drop(turn);
                let pause = BUSY_PAUSE.mul_f64(1.0 + f64::from(getrandom::u32().unwrap_or(0) >> 16) / 32_768.0);
                if clock::monotonic().saturating_add(pause) > until {
                    return Err(failure);
                }
                tokio::time::sleep(pause).await;
            }
            Err(stopped) => return Err(stopped.failure),
            Ok(outcome) => return Ok(outcome),
        }
    }
}

async fn both_ways(spec: &ProbeSpec, to: Resolved, tools: &Tools) -> Result<(Throughput, Option<Failure>), Stopped> {
    let (forward, reverse) = match spec.options.text(&DIRECTION) {
        "forward" => (true, false),
        "reverse" => (false, true),
        _ => (true, true),
    };
    let idle = delay::idle(spec, to.address, tools).await;
    let mut ways: Vec<Way> = Vec::new();
    let mut failure = None;
    for is_reverse in [false, true] {
        if failure.is_some() || !(if is_reverse { reverse } else { forward }) {
            continue;
        }
        match one_way(spec, to, tools, is_reverse, !ways.is_empty()).await {
            Ok(way) => ways.push(way),
            // What the other direction gave is not thrown away.
            Err(stopped) if !ways.is_empty() => failure = Some(stopped.failure),
            Err(stopped) => return Err(stopped),
        }
    }
    Ok((figures(spec, to, &idle, &ways), failure))
}

/// One direction. After another one the peer may need a moment until it listens again.
async fn one_way(
    spec: &ProbeSpec,
    to: Resolved,
    tools: &Tools,
    is_reverse: bool,
    is_second: bool,
) -> Result<Way, Stopped> {
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
        let (started, pings) = (Notify::new(), Shared::default());
        let outcome = tokio::select! {
            outcome = client::run(&plan, spec, &started) => outcome,
            () = delay::loaded(spec, to.address, tools, &started, plan.ramp(), &pings) => continue,
        };
        match outcome {
            Err(stopped) if tries > 0 && is_passing(&stopped.failure) => tokio::time::sleep(PAUSE).await,
            Err(stopped) => return Err(stopped),
            Ok(carried) => {
                let pings = pings.into_inner().unwrap_or_else(PoisonError::into_inner);
                return Ok(Way { is_reverse, carried, pings });
            }
        }
    }
}

const fn is_passing(failure: &Failure) -> bool {
    matches!(failure.reason, FailureReason::Refused | FailureReason::Reset | FailureReason::Unexpected)
}

fn figures(spec: &ProbeSpec, to: Resolved, idle: &[f64], ways: &[Way]) -> Throughput {
    // Both times by the same method: a difference of two methods is none of the path.
    let by_pings = !idle.is_empty() && ways.iter().all(|way| !way.pings.is_empty());
    let idle = if by_pings {
        median(idle.iter().copied())
    } else {
        median(ways.iter().flat_map(|way| way.carried.idle.iter().copied()))
    };
    #[expect(clippy::cast_precision_loss, reason = "the option is below 2^53")]
    let line = Some(spec.options.whole(&LINE_RATE)).filter(|rate| *rate > 0).map(|rate| rate as f64);
    let of = |wanted: bool| {
        let found = ways.iter().find(|way| way.is_reverse == wanted)?;
        let loaded = if by_pings { &found.pings } else { &found.carried.loaded };
        let ideal = line.zip(found.carried.segment).map(|(line, segment)| ideal(line, segment, to.address.is_ipv6()));
        Some(transfer(&found.carried, idle, median(loaded.iter().copied()), ideal))
    };
    let (forward, reverse) = (of(false), of(true));
    let loaded = forward.iter().chain(&reverse).filter_map(|transfer| transfer.loaded_rtt).reduce(f64::max);
    Throughput {
        lookup: to.lookup,
        rtt_method: if by_pings { RttMethod::Icmp } else { RttMethod::Tcp },
        idle_rtt: idle,
        bandwidth_delay: line.zip(idle).map(|(line, idle)| line * idle / 8.0),
        bufferbloat: idle.zip(loaded).map(|(idle, loaded)| grade(loaded - idle).to_owned()),
        forward,
        reverse,
    }
}

/// Bits of payload that a line of Ethernet carries a second (RFC 6349, 3.3.2): of each frame its headers and the gap before it are none.
fn ideal(line: f64, (segment, has_stamps): (u32, bool), v6: bool) -> f64 {
    let payload = f64::from(segment);
    let headers = if v6 { HEADERS.1 } else { HEADERS.0 } + if has_stamps { STAMPS } else { 0.0 };
    line * payload / (payload + headers + FRAMING)
}

#[expect(clippy::cast_precision_loss, reason = "octets and segments of one test are far below 2^53")]
fn transfer(carried: &Carried, idle: Option<f64>, loaded: Option<f64>, ideal: Option<f64>) -> Transfer {
    let growth = |idle: f64, loaded: f64| (loaded - idle) / idle; // RFC 6349, 4.3
    let rate = if carried.seconds > 0.0 { carried.octets as f64 * 8.0 / carried.seconds } else { 0.0 };
    Transfer {
        octets: carried.octets,
        seconds: carried.seconds,
        bits_per_second: rate,
        retransmits: carried.retransmits,
        loaded_rtt: loaded,
        efficiency: efficiency(carried),
        buffer_delay: idle.filter(|idle| *idle > 0.0).zip(loaded).map(|(idle, loaded)| growth(idle, loaded)),
        ideal_bits_per_second: ideal,
        time_ratio: ideal.filter(|_| rate > 0.0).map(|ideal| ideal / rate), // the same octets at both rates: RFC 6349, 4.1
        cut: carried.cut,
    }
}

/// Octets sent less those sent again, over octets sent (RFC 6349, 4.2). A sender counts its segments; of what is received, those that the
/// peer says it sent again are added to those that arrived.
#[expect(clippy::cast_precision_loss, reason = "octets and segments of one test are far below 2^53")]
fn efficiency(carried: &Carried) -> Option<f64> {
    let again = carried.retransmits?;
    if let Some(segments) = carried.segments.filter(|segments| *segments > 0) {
        return Some(segments.saturating_sub(again) as f64 / segments as f64);
    }
    let (octets, again) = (carried.octets as f64, again as f64 * f64::from(carried.segment?.0));
    (octets > 0.0).then(|| octets / (octets + again))
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| quantile(&sorted, 0.5))
}

#[cfg(test)]
mod tests;
