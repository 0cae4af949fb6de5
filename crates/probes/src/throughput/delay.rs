//! Round-trip times of the path beside a transfer, by pings: what others on the link feel.
//!
//! Pings are of the hub, whose thread no transfer holds up, and which the kernel stamps. Before the transfer some say how long the idle
//! path takes; during it one follows the other, so that a full queue is not made fuller.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::probe::ProbeSpec;
use netwatch_telemetry::clock;
use tokio::sync::Notify;

use crate::icmp::{Done, Order, Outcome, PingPlan, Task};
use crate::tools::Tools;

/// Pings of the idle path, from one to the next, and how long an answer is waited for.
const IDLE: (u32, Duration, Duration) = (10, Duration::from_millis(50), Duration::from_millis(500));
/// The least time from one ping to the next during a transfer, and how long an answer is waited for.
const LOADED: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Octets of data.
const OCTETS: u16 = 56;

/// Round-trip times of the idle path, seconds; none when the target does not answer pings, or they may not be sent.
pub(super) async fn idle(spec: &ProbeSpec, to: SocketAddr, tools: &Tools) -> Vec<f64> {
    let (count, spacing, timeout) = IDLE;
    ping(spec, to, tools, PingPlan { count, spacing, timeout, ttl: None, start: clock::monotonic() }).await
}

/// Pings until it is dropped, from `after` past the start of the transfer on.
pub(super) async fn loaded(
    spec: &ProbeSpec,
    to: SocketAddr,
    tools: &Tools,
    started: &Notify,
    after: Duration,
    times: &Mutex<Vec<f64>>,
) {
    started.notified().await;
    tokio::time::sleep(after).await;
    let mut pace = tokio::time::interval(LOADED.0);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let plan =
            PingPlan { count: 1, spacing: Duration::ZERO, timeout: LOADED.1, ttl: None, start: clock::monotonic() };
        let found = ping(spec, to, tools, plan).await;
        times.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }
}

async fn ping(spec: &ProbeSpec, to: SocketAddr, tools: &Tools, plan: PingPlan) -> Vec<f64> {
    let order = Order {
        to,
        source: spec.source.clone(),
        local: None,
        traffic_class: (spec.dscp != 0).then_some(spec.dscp << 2),
        dont_fragment: false,
        octets: OCTETS,
        task: Task::Ping(plan),
    };
    match tools.hub.carry_out(order).await {
        Ok(Done { outcome: Outcome::Ping(tally), .. }) => tally.rtts,
        _ => Vec::new(),
    }
}
