//! Figures of the telemetry store alone: what taking in, rewriting and asking cost.
//!
//! ```text
//! cargo run --release -p netwatch-storage --example figures -- [MILLIONS OF SAMPLES] [MILLIONS OF FLOWS] [THREADS]
//! ```
//!
//! With no samples (`0`) flows are all that is measured. Samples are those of noisy series, half uneven counters and half gauges with
//! three decimals, one a second. Flows are single records among 100 000 hosts, of which few carry most: first in a rush, then over a
//! day. Times are of the wall; CPU seconds are those of this process, all threads.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::people::WorkspaceId;
use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Counters, EndReason, FlowId, FlowRecord, FlowState, Label, Metric, Protocol,
    Record, Sample, Series, Timestamp, Untrusted, Value, VlanStack,
};
use netwatch_storage::{
    Aggregate, Budget, Dimension, DuckStore, Explore, Kind, LookupPaths, Lookups, Measure, SeriesQuery, SeriesSearch,
    Span, StoreConfig, TelemetryStore, Watermarks,
};
use netwatch_telemetry::clock;

/// 2026-11-20T00:00:00Z
const DAY: i64 = 1_795_132_800;
const DAY_SECONDS: usize = 86_400;
const SERIES: usize = 10_000;
const BATCH: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<usize>());
    let samples = arguments.next().transpose()?.unwrap_or(20);
    let flows = arguments.next().transpose()?.unwrap_or(2);
    let folder = tempfile::tempdir()?;
    if samples > 0 {
        say(&format!("samples: {samples} million of {SERIES} series"));
        take_samples(&folder.path().join("samples"), samples)?;
        say("a 30-day chart of one series, 5-minute steps");
        month(&folder.path().join("month"))?;
    }
    say(&format!("flows: {flows} million, 200 000 a second"));
    take_flows(&folder.path().join("busy"), flows * 1_000_000, flows * 5)?;
    say(&format!("flows: {flows} million in a day"));
    let store = take_flows(&folder.path().join("flows"), flows * 1_000_000, DAY_SECONDS)?;
    ask_flows(&store)
}

fn open(folder: &Path) -> Result<DuckStore, Box<dyn std::error::Error>> {
    let watermarks = Watermarks { warn_share: 0.0, stop_share: 0.0, stop_bytes: 0 };
    let usual = StoreConfig::new(folder);
    let threads = std::env::args().nth(3).map_or(Ok(usual.threads), |text| text.parse())?;
    let config = StoreConfig { watermarks, threads, ..usual };
    Ok(DuckStore::open(config, Arc::new(Lookups::new(LookupPaths::default())), at(0))?.0)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(DAY + seconds)
}

fn batch(n: u64, records: Vec<Record>) -> Batch {
    Batch { key: BatchKey { agent: AgentId(1), boot: BootId(1), sequence: n }, records }
}

fn home() -> WorkspaceId {
    WorkspaceId::from_bits(0)
}

fn series(n: usize) -> Arc<Series> {
    let metric = if n.is_multiple_of(2) { Metric::TrafficOctets } else { Metric::RingFill };
    Arc::new(Series { metric, labels: vec![Label::Interface(Untrusted::new(&format!("if{n}")))] })
}

fn take_samples(folder: &Path, millions: usize) -> Result<(), Box<dyn std::error::Error>> {
    let store = open(folder)?;
    let all: Vec<_> = (0..SERIES).map(series).collect();
    let mut totals = vec![0_u64; SERIES];
    let mut random = Random(1);
    let count = millions * 1_000_000;
    let (mut position, mut spent, mut cpu) = (0, Duration::ZERO, 0.0);
    for part in 0..count / BATCH {
        let records = (part * BATCH..(part + 1) * BATCH).map(|n| {
            let (which, second) = (n % SERIES, n / SERIES);
            totals[which] += random.below(100_000);
            let value = if which.is_multiple_of(2) {
                Value::Integer(totals[which])
            } else {
                Value::Float(f64::from(u32::try_from(random.below(100_000)).unwrap_or(0)) / 1000.0)
            };
            let time = at(i64::try_from(second).unwrap_or(0));
            Record::Sample(Sample { series: Arc::clone(&all[which]), time, value })
        });
        position += 1;
        let batch = batch(position, records.collect());
        let clock = Clock::start();
        store.append(home(), position, batch, at(0) + Duration::from_secs(position / 100))?;
        (spent, cpu) = clock.add(spent, cpu);
    }
    let clock = Clock::start();
    store.flush(at(0))?;
    (spent, cpu) = clock.add(spent, cpu);
    report("taken in", count, spent, cpu);
    sizes(&store, "before", count, &[Kind::Samples, Kind::SampleMinutes]);
    let clock = Clock::start();
    store.upkeep(at(40 * 3600))?;
    (spent, cpu) = clock.add(Duration::ZERO, 0.0);
    report("rolled up and rewritten", count, spent, cpu);
    sizes(&store, "after", count, &[Kind::Samples, Kind::SampleMinutes, Kind::SampleHours]);
    memory();
    Ok(())
}

/// 30 days of a hundred series, a sample each 15 seconds.
fn month(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = open(folder)?;
    let all: Vec<_> = (0..100).map(series).collect();
    let mut random = Random(2);
    let mut position = 0;
    for hour in 0..30 * 24_i64 {
        let records = (0..240).flat_map(|n| all.iter().map(move |s| (s, hour * 3600 + n * 15)));
        let records = records.map(|(series, second)| {
            let value = Value::Float(f64::from(u32::try_from(random.below(100_000)).unwrap_or(0)) / 1000.0);
            Record::Sample(Sample { series: Arc::clone(series), time: at(second - 30 * 86_400), value })
        });
        position += 1;
        store.append(home(), position, batch(position, records.collect()), at(hour * 3600 - 30 * 86_400))?;
    }
    store.flush(at(0))?;
    for _ in 0..20 {
        store.upkeep(at(12 * 3600))?;
    }
    let search = SeriesSearch { limit: 1, ..SeriesSearch::default() };
    let span = Span { from: at(-30 * 86_400), to: at(0) };
    for aggregate in [Aggregate::Avg, Aggregate::P95] {
        let query = SeriesQuery { search: search.clone(), span, step: Duration::from_secs(300), aggregate };
        best(&format!("{aggregate:?}"), || {
            black_box(store.chart(home(), &query, &Budget::default())?);
            Ok(())
        })?;
    }
    Ok(())
}

/// So many flows, evenly over so many seconds.
fn take_flows(folder: &Path, count: usize, seconds: usize) -> Result<DuckStore, Box<dyn std::error::Error>> {
    let store = open(folder)?;
    let mut random = Random(3);
    let (mut spent, mut cpu, mut position) = (Duration::ZERO, 0.0, 0);
    for part in 0..count / BATCH {
        let records = (part * BATCH..(part + 1) * BATCH).map(|n| {
            let second = i64::try_from(n * seconds / count).unwrap_or(0);
            Record::Flow(Box::new(flow(n, second, &mut random)))
        });
        position += 1;
        let batch = batch(position, records.collect());
        let now = at(i64::try_from(part * BATCH * seconds / count).unwrap_or(0));
        let clock = Clock::start();
        store.append(home(), position, batch, now)?;
        (spent, cpu) = clock.add(spent, cpu);
    }
    let clock = Clock::start();
    store.flush(at(i64::try_from(seconds)?))?;
    (spent, cpu) = clock.add(spent, cpu);
    report("taken in", count, spent, cpu);
    sizes(&store, "before", count, &[Kind::Flows, Kind::FlowMinutes]);
    let clock = Clock::start();
    store.upkeep(at(40 * 3600))?;
    (spent, cpu) = clock.add(Duration::ZERO, 0.0);
    report("rolled up and rewritten", count, spent, cpu);
    sizes(&store, "after", count, &[Kind::Flows, Kind::FlowMinutes, Kind::FlowHours]);
    memory();
    Ok(store)
}

fn ask_flows(store: &DuckStore) -> Result<(), Box<dyn std::error::Error>> {
    let query = Explore {
        span: Span { from: at(0), to: at(86_400) },
        step: None,
        dimensions: vec![Dimension::Host],
        filter: None,
        measure: Measure::Octets,
        limit: 20,
        previous: false,
        complete_until: at(86_400),
    };
    let budget = Budget { deadline: Duration::from_secs(120), ..Budget::default() };
    best("top 20 hosts of 24 h", || {
        black_box(store.explore(home(), &query, &budget)?);
        Ok(())
    })?;
    let two = Explore { dimensions: vec![Dimension::Source, Dimension::Application], ..query };
    best("two dimensions of 24 h", || {
        black_box(store.explore(home(), &two, &budget)?);
        Ok(())
    })?;
    Ok(())
}

fn flow(n: usize, second: i64, random: &mut Random) -> FlowRecord {
    let host = |r: &mut Random| {
        // The square of a uniform number: few hosts carry most.
        let n = r.below(100_000) * r.below(100_000) / 100_000;
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(n).unwrap_or(0)))
    };
    let packets = 1 + random.below(50);
    let (octets, back) = (packets * (60 + random.below(1400)), packets * (60 + random.below(400)));
    let count = |octets: u64| Counters { packets, octets, l2_octets: octets + packets * 14 };
    let lasted = Duration::from_millis(random.below(30_000));
    let port = [443, 443, 443, 80, 53, 22, 8080, 5432][usize::try_from(random.below(8)).unwrap_or(0)];
    FlowRecord {
        id: FlowId::from_bits(n as u64),
        interface: Untrusted::new("eth0"),
        source: host(random),
        destination: host(random),
        source_port: 32_768 + u16::try_from(random.below(28_000)).unwrap_or(0),
        destination_port: port,
        protocol: if port == 53 { Protocol::UDP } else { Protocol::TCP },
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start: at(second) - lasted,
        end: at(second) + Duration::from_millis(random.below(1000)),
        forward: count(octets),
        reverse: count(back),
        interface_octets: [back, octets],
        state: FlowState::Closed,
        tcp: None,
        end_reason: Some(EndReason::EndOfFlow),
        application: if port == 443 { "https".into() } else { "other".into() },
        name: None,
        process: None,
        conversations: 1,
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

struct Clock(Duration, Duration);

impl Clock {
    fn start() -> Self {
        Self(clock::monotonic(), clock::process_cpu())
    }

    fn add(self, wall: Duration, cpu: f64) -> (Duration, f64) {
        let cpu_spent = clock::process_cpu() - self.1;
        (wall + (clock::monotonic() - self.0), cpu + cpu_spent.as_secs_f64())
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn report(what: &str, count: usize, wall: Duration, cpu: f64) {
    let (count, wall) = (count as f64, wall.as_secs_f64());
    say(&format!("  {what}: {:.0} a second, {:.3} CPU seconds a million", count / wall, cpu / count * 1e6));
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn sizes(store: &DuckStore, when: &str, count: usize, kinds: &[Kind]) {
    let usage = store.usage(None);
    let of = |kind: &Kind| usage.kinds.iter().find(|k| k.kind == *kind).map_or(0, |k| k.bytes) as f64 / count as f64;
    let parts: Vec<String> = kinds.iter().map(|k| format!("{} {:.2}", k.as_str(), of(k))).collect();
    say(&format!("  bytes each, {when} rewriting: {:.2} ({})", kinds.iter().map(of).sum::<f64>(), parts.join(", ")));
}

fn memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name| status.lines().find(|l| l.starts_with(name)).map_or("", str::trim).replace('\t', " ");
    say(&format!("  {} {}", line("VmHWM"), line("VmRSS")));
}

fn best(
    what: &str,
    mut run: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    for _ in 0..7 {
        let clock = Clock::start();
        run()?;
        times.push(clock.add(Duration::ZERO, 0.0).0);
    }
    times.sort();
    say(&format!(
        "  {what}: median {:.1} ms, worst {:.1} ms",
        times[3].as_secs_f64() * 1e3,
        times[6].as_secs_f64() * 1e3
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result")]
fn say(text: &str) {
    println!("{text}");
}
