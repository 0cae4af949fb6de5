//! A client that asks and asks again, and how long it waited.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwatch_api::flow::{FlowSort, FlowStatus, SortOrder};
use netwatch_api::traffic::{Dimension, TopSort};
use netwatch_model::Timestamp;
use netwatch_model::filter::Filter;
use netwatch_server::query::{FlowsRequest, LiveStore, RatesRequest, TimeRange, TopRequest};
use netwatch_telemetry::clock::monotonic;

use super::cpu;

/// Times by kind of question: on the clock, and on the CPU.
#[derive(Debug, Default)]
pub struct Times(BTreeMap<&'static str, Vec<[Duration; 2]>>);

impl Times {
    /// Adds those of another client.
    pub fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(kind, times)| self.0.entry(kind).or_default().extend(times));
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| question | answers | p50 | p99 | CPU mean | CPU p99 |\n|---|---|---|---|---|---|")?;
        let all: Vec<[Duration; 2]> = self.0.values().flatten().copied().collect();
        for (kind, times) in self.0.iter().chain([(&"all", &all)]) {
            let [clock, cpu] = [0, 1].map(|which| {
                let mut times: Vec<Duration> = times.iter().map(|t| t[which]).collect();
                times.sort_unstable();
                times
            });
            let at = |times: &[Duration], part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
            let mean = cpu.iter().sum::<Duration>() / u32::try_from(cpu.len().max(1)).unwrap_or(u32::MAX);
            let (p50, p99, cpu99) = (at(&clock, 50), at(&clock, 99), at(&cpu, 99));
            writeln!(f, "| {kind} | {} | {p50:.1?} | {p99:.1?} | {mean:.1?} | {cpu99:.1?} |", times.len())?;
        }
        Ok(())
    }
}

/// Asks until told to stop.
pub fn client(number: u64, store: &LiveStore, stop: &AtomicBool, clock: impl Fn() -> Timestamp) -> Times {
    let mut times = Times::default();
    let mut turn = number.wrapping_mul(7);
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let now = clock();
        let from = [monotonic(), cpu()];
        let kind = ask(turn, store, now);
        let took = [monotonic().saturating_sub(from[0]), cpu().saturating_sub(from[1])];
        times.0.entry(kind).or_default().push(took);
    }
    times
}

fn ask(turn: u64, store: &LiveStore, now: Timestamp) -> &'static str {
    let sorts = [FlowSort::Bytes, FlowSort::Packets, FlowSort::Duration, FlowSort::Rate, FlowSort::Start];
    let sort = sorts[(turn / 16 % 5) as usize];
    let server = Ipv4Addr::from_bits(((turn % 900) as u32).wrapping_mul(2_654_435_761) | 0x2000_0000);
    let host = |address| format!("host {}", IpAddr::V4(address));
    match turn % 16 {
        0 | 1 => flows(store, now, "flows", "", sort, 900),
        2 => flows(store, now, "flows of an hour", "", sort, 3600),
        3 | 4 => flows(store, now, "flows of a server", &host(server), sort, 3600),
        5 => flows(
            store,
            now,
            "flows of a host",
            &host(Ipv4Addr::from_bits(0x0a01_0000 + (turn % 500) as u32)),
            sort,
            3600,
        ),
        6 => flows(store, now, "flows by port 22", "port 22", sort, 3600),
        7 => flows(store, now, "flows by port 443", "port 443", sort, 3600),
        8 => flows(store, now, "flows by name", &format!("name ~ \"host{}.*\"", turn / 16 % 20), sort, 3600),
        9 => flows(store, now, "flows by application", "app = ssh", sort, 3600),
        10 => flows(store, now, "flows by bytes", "bytes > 1MB", sort, 3600),
        11 => flows(store, now, "flows by network", "src in 10.1.0.0/24 and not port 443", sort, 3600),
        12 => top(store, now, "top hosts", "", 300),
        13 => top(store, now, "top hosts of an hour", "", 3600),
        14 => top(store, now, "top hosts of dns", "app = dns", 60),
        _ => rates(store, now),
    }
}

fn range(now: Timestamp, seconds: u64) -> TimeRange {
    TimeRange { from: now - Duration::from_secs(seconds), to: now }
}

fn filter(text: &str) -> Option<Arc<Filter>> {
    Filter::parse(text).ok().filter(|f| !f.is_all()).map(Arc::new)
}

fn flows(
    store: &LiveStore,
    now: Timestamp,
    kind: &'static str,
    text: &str,
    sort: FlowSort,
    seconds: u64,
) -> &'static str {
    let request = FlowsRequest {
        range: range(now, seconds),
        filter: filter(text),
        status: FlowStatus::All,
        sort,
        order: SortOrder::Desc,
        limit: 50,
        cursor: None,
    };
    std::hint::black_box(store.flows(&request, now)).map_or("failed", |_| kind)
}

fn top(store: &LiveStore, now: Timestamp, kind: &'static str, text: &str, seconds: u64) -> &'static str {
    let (by, sort) = (Dimension::Host, TopSort::Bytes);
    let request = TopRequest { range: range(now, seconds), by, limit: 10, filter: filter(text), sort };
    std::hint::black_box(store.top(&request, now)).map_or("failed", |_| kind)
}

fn rates(store: &LiveStore, now: Timestamp) -> &'static str {
    let (by, range) = (Dimension::Application, range(now, 300));
    let request = RatesRequest { range, step: None, by, filter: None, limit: 8, interface: None };
    std::hint::black_box(store.rates(&request, now)).map_or("failed", |_| "rates")
}
