//! Figures of one question: the top talkers of a day of many flows.
//!
//! ```text
//! cargo run --release -p netwatch-storage --example talkers -- [MILLIONS OF FLOWS] [THOUSANDS OF HOSTS] [FOLDER]
//! ```
//!
//! Taking in so many flows would take minutes, so the day is made inside a file of the store by one statement of SQL: single
//! conversations, evenly over the day, among hosts of which few carry most. The minutes have what taking in would have written of them:
//! the total, and that there are too many addresses. Then the store rolls the hours up as always, and is asked.
//!
//! Limits: about 40 bytes of disk for each flow, deleted at the end. The file is not rewritten in the order of addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::filter::Filter;
use netwatch_model::people::WorkspaceId;
use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Counters, EndReason, FlowId, FlowRecord, FlowState, Protocol, Record, Timestamp,
    Untrusted, VlanStack,
};
use netwatch_storage::{
    Budget, Dimension, DuckStore, Explore, Explored, Kind, LookupPaths, Lookups, Measure, Span, StoreConfig,
    TelemetryStore, Watermarks,
};
use netwatch_telemetry::clock;

/// 2026-11-20T00:00:00Z
const DAY: i64 = 1_795_132_800;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (flows, hosts) = (number(50)? * 1_000_000, number(100)? * 1000);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(parent)?;
    say(&format!("{flows} flows of a day among {hosts} hosts"));
    begin(folder.path())?;
    timed("made", || fill(folder.path(), flows, hosts))?;
    let store = open(folder.path())?;
    // Before the day's files are rewritten.
    let now = at(86_400 + 3600);
    timed("rolled up", || store.upkeep(now).map(drop).map_err(Into::into))?;
    sizes(&store, flows);
    ask(&store)?;
    memory();
    Ok(())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(DAY + seconds)
}

fn home() -> WorkspaceId {
    WorkspaceId::from_bits(0)
}

fn open(folder: &Path) -> Result<DuckStore> {
    let watermarks = Watermarks { warn_share: 0.0, stop_share: 0.0, stop_bytes: 0 };
    let config = StoreConfig { watermarks, ..StoreConfig::new(folder) };
    Ok(DuckStore::open(config, Arc::new(Lookups::new(LookupPaths::default())), at(0))?.0)
}

/// A store with one flow, so that the files of the day are there with their tables.
fn begin(folder: &Path) -> Result<()> {
    let store = open(folder)?;
    let key = BatchKey { agent: AgentId(1), boot: BootId(1), sequence: 1 };
    store.append(home(), 1, Batch { key, records: vec![Record::Flow(Box::new(first()))] }, at(60))?;
    Ok(store.flush(at(60))?)
}

fn fill(folder: &Path, flows: u64, hosts: u64) -> Result<()> {
    let file = |kind: &str| folder.join(home().to_string()).join(format!("{kind}-2026-11-20.duckdb"));
    let database = duckdb::Connection::open_in_memory()?;
    let quoted = |kind| format!("'{}'", file(kind).display().to_string().replace('\'', "''"));
    let (from, max) = (DAY * 1000, u64::MAX);
    // An address of 10.0.0.0/8, IPv4-mapped, by the product of two uniform numbers: few hosts carry most.
    let host = format!("(281470681743360 + 167772160 + floor(random() * random() * {hosts})::BIGINT)::UBIGINT");
    database.execute_batch(&format!(
        "SET memory_limit = '1GB'; SET threads = 2; SET preserve_insertion_order = true;
         ATTACH {} AS f; ATTACH {} AS m;
         INSERT INTO f.flow SELECT one.* REPLACE ({from} + (n - 1) * 86400000 // {flows} AS ended, (random() * 30000)::UBIGINT AS lasted,
             n::UINTEGER AS generation, {host} AS src_lo, {host} AS dst_lo, (32768 + random() * 28000)::USMALLINT AS src_port,
             (1 + random() * 50)::UBIGINT AS f_packets, (1 + random() * 50)::UBIGINT AS r_packets,
             (60 + random() * 70000)::UBIGINT AS f_octets, (60 + random() * 20000)::UBIGINT AS r_octets, 0 AS f_extra, 0 AS r_extra)
           FROM (SELECT * FROM f.flow LIMIT 1) one, range(1, {flows} + 1) numbers(n);
         INSERT INTO m.sums SELECT ended // 60000 * 60000 AS minute, code, key, key, NULL, sum(f_octets + r_octets), 0,
             sum(f_packets + r_packets), sum(flows), sum(r_octets), sum(f_octets)
           FROM f.flow, (VALUES (0, 0::UBIGINT), (1, {max}), (2, {max}), (3, {max})) d(code, key)
           WHERE generation > 0 GROUP BY minute, code, key ORDER BY minute;
         CHECKPOINT f; CHECKPOINT m; DETACH f; DETACH m;",
        quoted("flows"),
        quoted("flow_minutes"),
    ))?;
    Ok(())
}

fn ask(store: &DuckStore) -> Result<()> {
    let day = Explore {
        span: Span { from: at(0), to: at(86_400) },
        step: None,
        dimensions: vec![Dimension::Host],
        filter: None,
        measure: Measure::Octets,
        limit: 20,
        previous: false,
        complete_until: at(86_400),
    };
    best(store, "top 20 hosts of 24 whole hours", &day)?;
    let ragged = Span { from: at(1380), to: at(86_400 - 2220) };
    let ragged = Explore { span: ragged, ..day.clone() };
    best(store, "top 20 hosts, 23 minutes after the hour to 37 before it", &ragged)?;
    best(
        store,
        "top 20 hosts of 24 h in steps of an hour",
        &Explore { step: Some(Duration::from_secs(3600)), ..day.clone() },
    )?;
    for query in [&day, &ragged] {
        let slices = Explore { filter: Some(Arc::new(Filter::parse("bytes >= 0")?)), ..query.clone() };
        let (sums, raw) = (once(store, query)?, once(store, &slices)?);
        let same =
            sums.groups == raw.groups && sums.other == raw.other && sums.total == raw.total && sums.short_by == 0;
        say(&format!(
            "  the same groups, rest and total from the slices themselves: {}",
            if same { "yes" } else { "NO" }
        ));
    }
    Ok(())
}

fn once(store: &DuckStore, query: &Explore) -> Result<Explored> {
    let budget = Budget { deadline: Duration::from_secs(600), ..Budget::default() };
    Ok(store.explore(home(), query, &budget)?)
}

fn best(store: &DuckStore, what: &str, query: &Explore) -> Result<()> {
    let (mut times, mut cpu) = (Vec::new(), clock::process_cpu());
    for _ in 0..7 {
        let begin = clock::monotonic();
        once(store, query)?;
        times.push((clock::monotonic() - begin).as_secs_f64() * 1e3);
    }
    cpu = (clock::process_cpu() - cpu) / 7;
    times.sort_by(f64::total_cmp);
    let (median, worst) = (times[3], times[6]);
    say(&format!("  {what}: median {median:.1} ms, worst {worst:.1} ms, CPU {:.1} ms", cpu.as_secs_f64() * 1e3));
    Ok(())
}

fn timed(what: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let (begin, cpu) = (clock::monotonic(), clock::process_cpu());
    work()?;
    let (wall, cpu) = (clock::monotonic() - begin, clock::process_cpu() - cpu);
    say(&format!("  {what} in {:.1} s, {:.1} CPU seconds", wall.as_secs_f64(), cpu.as_secs_f64()));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn sizes(store: &DuckStore, flows: u64) {
    let usage = store.usage(None);
    for kind in [Kind::Flows, Kind::FlowMinutes, Kind::FlowHours] {
        let bytes = usage.kinds.iter().find(|k| k.kind == kind).map_or(0, |k| k.bytes);
        say(&format!("  {}: {:.2} bytes a flow", kind.as_str(), bytes as f64 / flows as f64));
    }
}

fn memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name| status.lines().find(|l| l.starts_with(name)).map_or("", str::trim).replace('\t', " ");
    say(&format!("  {} {}", line("VmHWM"), line("VmRSS")));
}

fn first() -> FlowRecord {
    let counters = Counters { packets: 1, octets: 0, l2_octets: 14 };
    FlowRecord {
        id: FlowId::from_bits(0),
        interface: Untrusted::new("eth0"),
        source: [10, 0, 0, 1].into(),
        destination: [10, 0, 0, 2].into(),
        source_port: 40_000,
        destination_port: 443,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start: at(0),
        end: at(0),
        forward: counters,
        reverse: counters,
        interface_octets: [0, 0],
        state: FlowState::Closed,
        tcp: None,
        end_reason: Some(EndReason::EndOfFlow),
        application: "https".into(),
        name: None,
        process: None,
        conversations: 1,
    }
}

#[expect(clippy::print_stdout, reason = "the result")]
fn say(text: &str) {
    println!("{text}");
}
