//! Flow records and events over days.

use std::sync::Arc;

use netwatch_model::filter::{Filter, Glob};
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{Failure, FailureReason, ProbeKind, ProbeResult, Trigger};
use netwatch_model::{
    AgentId, EventKind, FlowRecord, NameSource, Process, Protocol, Record, Severity, TcpMetrics, Tunnel, TunnelKind,
    Untrusted,
};
use netwatch_storage::{Budget, EventQuery, FlowQuery, ResultQuery, TelemetryStore};
use std::time::Duration;

use crate::support::{Bench, DAY, HOUR, at, ended, event, flow, span, workspace};

fn query(from: i64, to: i64, limit: usize) -> FlowQuery {
    FlowQuery { span: span(from, to), filter: None, limit, after: None }
}

fn list(bench: &Bench, query: &FlowQuery) -> Vec<FlowRecord> {
    let page = bench.store.flows(workspace(1), query, &Budget::default()).unwrap();
    page.flows.into_iter().map(|f| f.1).collect()
}

/// Flows of every shape.
fn varied() -> Vec<FlowRecord> {
    let tcp = TcpMetrics {
        flags: 27,
        reverse_flags: 18,
        server_rtt: Some(Duration::from_micros(1500)),
        response_time: Some(Duration::from_millis(12)),
        retransmitted: 3,
        reverse_duplicates: 1,
        ..TcpMetrics::default()
    };
    let process = Process {
        pid: 42,
        name: Untrusted::new("curl"),
        user: Untrusted::new("alice"),
        container: Some(Untrusted::new("0123456789ab")),
    };
    let base = |n| flow(n, 60, 90 + i64::from(n), 1000 * u64::from(n));
    let name = |text: &str, source| Some((Untrusted::new(text), source));
    vec![
        FlowRecord { tcp: Some(tcp), name: name("WWW.example.com", NameSource::Tls), ..base(1) },
        FlowRecord { process: Some(Arc::new(process)), name: name("100%_\\x", NameSource::Dns), ..base(2) },
        FlowRecord { protocol: Protocol::UDP, destination_port: 53, application: "dns".into(), ..base(3) },
        FlowRecord { vlan: [100, 200].into_iter().collect(), interface_octets: [1, 2], ..base(4) },
        FlowRecord { tunnel: Some(Tunnel { kind: TunnelKind::Vxlan, id: 5 }), ..base(5) },
        FlowRecord { protocol: Protocol::ICMP, destination_port: 8 * 256, source_port: 0, icmp_id: 9, ..base(6) },
        FlowRecord { source: "2001:db8::1".parse().unwrap(), destination: "2001:db8::2".parse().unwrap(), ..base(7) },
        FlowRecord { interface: Untrusted::new("'; DROP TABLE flow; --"), ..base(8) },
    ]
}

fn stored() -> Bench {
    let mut bench = Bench::new();
    bench.put(varied().into_iter().map(ended));
    bench.flush();
    bench
}

#[test]
fn records_come_back_as_they_were() {
    let bench = stored();
    let mut must: Vec<FlowRecord> = varied();
    must.reverse();
    let is = list(&bench, &query(0, HOUR, 100));
    for (is, must) in is.iter().zip(&must) {
        assert_eq!(is, &FlowRecord { end_reason: is.end_reason, ..must.clone() });
    }
    assert_eq!(is.len(), must.len());
}

/// Filters of every field.
const FILTERS: &[&str] = &[
    "tcp",
    "udp",
    "not tcp",
    "host 192.0.2.1",
    "src in 192.0.2.0/30",
    "dst = 2001:db8::2",
    "host in ::/0",
    "host in 0.0.0.0/0",
    "port 443",
    "port != 443",
    "port in (53, 40001-40002)",
    "src_port > 40004",
    "vlan 200",
    "vlan != 100",
    "tunnel",
    "tunnel = vxlan",
    "tunnel_id 5",
    "app dns",
    "app ~ HTT*",
    "name = www.EXAMPLE.com",
    "name ~ *example*",
    "name ~ 1??%_*",
    "name != any",
    "name = any",
    "sni ~ *",
    "dns = any",
    "process curl",
    "process = CURL",
    "user != alice",
    "container ~ 0123*",
    "pid 42",
    "interface eth0",
    "interface ~ *DROP*",
    "bytes > 4kB",
    "bytes_in < 10",
    "bytes_out = 2",
    "packets >= 30",
    "rate > 1kbit",
    "duration > 32s",
    "server_rtt < 2ms",
    "rtt = any",
    "response_time > 10ms",
    "retransmitted > 2",
    "duplicates = 1",
    "icmp_type 8",
    "icmp_code 0",
    "start > 2020-01-01T00:00:00Z",
    "end < 2020-01-01T00:00:00Z",
    "state established",
    "reason = end_of_flow",
    "end_reason != any",
    "(tcp or udp) and not host 192.0.2.1",
    "src != 192.0.2.1 and bytes in (0-3kB)",
    "name_source tls",
    "ended",
    "active",
];

#[test]
fn filters_mean_what_the_language_says() {
    let bench = stored();
    let (mut tried, mut some) = (0, 0);
    for text in FILTERS {
        let Ok(filter) = Filter::parse(text) else { panic!("no filter: {text}") };
        let is = list(&bench, &FlowQuery { filter: Some(Arc::new(filter.clone())), ..query(0, HOUR, 100) });
        let must = list(&bench, &query(0, HOUR, 100)).into_iter().filter(|f| filter.matches(f)).collect::<Vec<_>>();
        assert_eq!(
            is.iter().map(|f| f.id).collect::<Vec<_>>(),
            must.iter().map(|f| f.id).collect::<Vec<_>>(),
            "{text}"
        );
        tried += 1;
        some += usize::from(!is.is_empty() && is.len() < 8);
    }
    assert!(tried > 50 && some > 30, "most filters tell flows apart: {some} of {tried}");
}

#[test]
fn pages_join_up_over_days() {
    let mut bench = Bench::new();
    bench.now = at(70 * HOUR);
    for day in 0..3 {
        bench.put((1..=20).map(|n| ended(flow(n, day * 24 * HOUR + 60, day * 24 * HOUR + 60 + i64::from(n / 4), 100))));
    }
    bench.flush();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = bench
            .store
            .flows(workspace(1), &FlowQuery { after, ..query(0, 72 * HOUR, 7) }, &Budget::default())
            .unwrap();
        assert!(page.flows.len() <= 7);
        seen.extend(page.flows.into_iter().map(|f| (f.1.end, f.1.id)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 60);
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60, "no row twice");
}

#[test]
fn events_are_searched() {
    let mut bench = Bench::new();
    bench.put([
        event(1, EventKind::InterfaceUp, Severity::Info, "eth0 came up"),
        event(2, EventKind::InterfaceDown, Severity::Warning, "eth0 went down"),
        event(3, EventKind::DiskFull, Severity::Critical, "100% full"),
    ]);
    bench.flush();
    let all = EventQuery {
        span: span(0, HOUR),
        kinds: Vec::new(),
        severity: None,
        subject: None,
        text: None,
        limit: 10,
        after: None,
    };
    let ask = |query: &EventQuery| {
        let page = bench.store.events(workspace(1), query, &Budget::default()).unwrap();
        page.events.into_iter().map(|e| e.event.kind).collect::<Vec<_>>()
    };
    assert_eq!(ask(&all), [EventKind::DiskFull, EventKind::InterfaceDown, EventKind::InterfaceUp]);
    assert_eq!(ask(&EventQuery { severity: Some(Severity::Warning), ..all.clone() }).len(), 2);
    assert_eq!(ask(&EventQuery { kinds: vec![EventKind::InterfaceUp], ..all.clone() }), [EventKind::InterfaceUp]);
    assert_eq!(ask(&EventQuery { text: Some("0% F".into()), ..all.clone() }), [EventKind::DiskFull]);
    assert_eq!(ask(&EventQuery { subject: Glob::new("ETH?"), ..all.clone() }).len(), 3);
    let first = bench.store.events(workspace(1), &EventQuery { limit: 2, ..all.clone() }, &Budget::default()).unwrap();
    assert_eq!(ask(&EventQuery { after: first.next, ..all }), [EventKind::InterfaceUp]);
}

#[test]
fn a_rewritten_file_makes_a_cursor_stale() {
    let mut bench = stored();
    let first = bench.store.flows(workspace(1), &query(0, HOUR, 2), &Budget::default()).unwrap();
    bench.now = at(31 * HOUR);
    bench.store.upkeep(bench.now).unwrap();
    let again = FlowQuery { after: first.next, ..query(0, HOUR, 2) };
    assert!(bench.store.flows(workspace(1), &again, &Budget::default()).is_err());
    assert_eq!(list(&bench, &query(0, HOUR, 100)).len(), 8, "from the first page on everything is there");
}

#[test]
fn results_of_probes_are_kept_once_and_found_by_probe_kind_and_failure() {
    let mut bench = Bench::new();
    bench.put([
        result(1, 7, ProbeKind::Tcp, None),
        result(2, 7, ProbeKind::Tcp, Some(FailureReason::Timeout)),
        result(3, 8, ProbeKind::Mtr, None),
    ]);
    bench.flush();
    let all = ResultQuery {
        span: span(0, HOUR),
        probe: None,
        agent: None,
        kind: None,
        failed: false,
        limit: 10,
        after: None,
    };
    let seconds = |bench: &Bench, query: &ResultQuery| {
        let page = bench.store.results(workspace(1), query, &Budget::default()).unwrap();
        page.results.iter().map(|r| r.start.secs() - DAY).collect::<Vec<_>>()
    };
    assert_eq!(seconds(&bench, &all), [3, 2, 1]);
    assert_eq!(seconds(&bench, &ResultQuery { probe: Some(ProbeId::from_bits(7)), ..all }), [2, 1]);
    assert_eq!(seconds(&bench, &ResultQuery { kind: Some(ProbeKind::Mtr), ..all }), [3]);
    assert_eq!(seconds(&bench, &ResultQuery { failed: true, ..all }), [2]);
    assert!(seconds(&bench, &ResultQuery { agent: Some(AgentId(99)), ..all }).is_empty());
    let first = bench.store.results(workspace(1), &ResultQuery { limit: 2, ..all }, &Budget::default()).unwrap();
    assert_eq!(first.results[0], *probe_result(3, 8, ProbeKind::Mtr, None), "it comes back as it was");
    assert_eq!(seconds(&bench, &ResultQuery { after: first.next, ..all }), [1]);
    // The log hands it over again after a crash.
    let mut bench = bench.crash();
    bench.put_at(1, [result(1, 7, ProbeKind::Tcp, None)]);
    bench.flush();
    assert_eq!(seconds(&bench, &all), [3, 2, 1]);
}

fn result(second: i64, probe: u128, kind: ProbeKind, failure: Option<FailureReason>) -> Record {
    Record::Probe(probe_result(second, probe, kind, failure))
}

fn probe_result(second: i64, probe: u128, kind: ProbeKind, failure: Option<FailureReason>) -> Box<ProbeResult> {
    Box::new(ProbeResult {
        probe: Some(ProbeId::from_bits(probe)),
        agent: AgentId(7),
        kind,
        target: "192.0.2.1:22".to_owned(),
        address: None,
        source: None,
        scheduled: at(second),
        start: at(second),
        duration: 0.25,
        trigger: Trigger::Schedule,
        late: false,
        failure: failure.map(|reason| Failure::new(reason, "no answer")),
        detail: None,
    })
}
