//! A store to try things on, and records to put into it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::people::WorkspaceId;
use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Counters, EndReason, Event, EventKind, FlowId, FlowRecord, FlowState, Label,
    Metric, Protocol, Record, Sample, Series, Severity, Timestamp, Untrusted, Value, VlanStack,
};
use netwatch_storage::{
    Budget, DuckStore, Explore, Explored, LookupPaths, Lookups, Measure, Span, StoreConfig, Taken, TelemetryStore,
    Watermarks,
};
use tempfile::TempDir;

/// 2026-11-20T00:00:00Z
pub const DAY: i64 = 1_795_132_800;

/// A store in a folder of its own.
pub struct Bench {
    pub store: DuckStore,
    pub folder: TempDir,
    pub now: Timestamp,
    pub events: Vec<Event>,
    position: u64,
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(DAY + seconds)
}

pub fn span(from: i64, to: i64) -> Span {
    Span { from: at(from), to: at(to) }
}

pub fn workspace(n: u128) -> WorkspaceId {
    format!("{n:032x}").parse().expect("32 digits")
}

pub fn config(folder: &Path) -> StoreConfig {
    // The disk of the machine that runs the tests may be nearly full.
    let watermarks = Watermarks { warn_share: 0.0, stop_share: 0.0, stop_bytes: 0 };
    StoreConfig { watermarks, ..StoreConfig::new(folder) }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|c| c, LookupPaths::default())
    }

    pub fn with(change: impl Fn(StoreConfig) -> StoreConfig, lookups: LookupPaths) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lookups = Lookups::new(lookups);
        assert!(lookups.refresh().is_empty());
        let (store, events) =
            DuckStore::open(change(config(folder.path())), Arc::new(lookups), at(0)).expect("a store");
        Self { store, folder, now: at(3600), events, position: 0 }
    }

    /// Opens the store anew, as after a crash: what was not flushed is gone.
    pub fn crash(self) -> Self {
        self.closed(|_| ())
    }

    /// The same, with something done to the databases while nobody has them open.
    pub fn closed(self, work: impl FnOnce(&[PathBuf])) -> Self {
        let files: Vec<_> = self.files().into_iter().filter(|f| f.extension().is_some_and(|e| e == "duckdb")).collect();
        let Self { store, folder, now, position, .. } = self;
        let config = store.config().clone();
        drop(store);
        work(&files);
        let (store, events) =
            DuckStore::open(config, Arc::new(Lookups::new(LookupPaths::default())), now).expect("a store");
        Self { store, folder, now, events, position }
    }

    pub fn put(&mut self, records: impl IntoIterator<Item = Record>) -> Taken {
        self.position += 1;
        self.put_at(self.position, records)
    }

    pub fn put_at(&mut self, position: u64, records: impl IntoIterator<Item = Record>) -> Taken {
        self.position = self.position.max(position);
        let key = BatchKey { agent: AgentId(7), boot: BootId(3), sequence: position };
        let batch = Batch { key, records: records.into_iter().collect() };
        self.store.append(workspace(1), position, batch, self.now).expect("taken in")
    }

    pub fn flush(&self) {
        self.store.flush(self.now).expect("written");
    }

    pub fn explore(&self, query: &Explore) -> Explored {
        self.store.explore(workspace(1), query, &Budget::default()).expect("an answer")
    }

    /// All octets of a stretch.
    pub fn octets(&self, from: i64, to: i64) -> u64 {
        self.explore(&question(from, to)).total.total
    }

    /// The files of the workspace, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join(workspace(1).to_string())).expect("a folder");
        let mut files: Vec<_> = entries.map(|e| e.expect("an entry").path()).collect();
        files.sort();
        files
    }
}

/// Everything, in octets.
pub fn question(from: i64, to: i64) -> Explore {
    Explore {
        span: span(from, to),
        step: None,
        dimensions: Vec::new(),
        filter: None,
        measure: Measure::Octets,
        limit: 10,
        previous: false,
        complete_until: at(u32::MAX.into()),
    }
}

pub fn counters(octets: u64) -> Counters {
    Counters { packets: octets / 100, octets, l2_octets: octets + octets / 100 * 14 }
}

/// A flow of 192.0.2.n to 198.51.100.1, begun at `start` and last seen at `end`, that sent so much and got half of it.
pub fn flow(n: u8, start: i64, end: i64, octets: u64) -> FlowRecord {
    FlowRecord {
        id: FlowId::new(0, n.into(), u32::try_from(start).unwrap_or(0)),
        interface: Untrusted::new("eth0"),
        source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)),
        destination: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
        source_port: 40_000 + u16::from(n),
        destination_port: 443,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start: at(start),
        end: at(end),
        forward: counters(octets),
        reverse: counters(octets / 2),
        interface_octets: [octets / 2, octets],
        state: FlowState::Established,
        tcp: None,
        end_reason: None,
        application: "https".into(),
        name: None,
        process: None,
        conversations: 1,
    }
}

pub fn open(flow: FlowRecord) -> Record {
    Record::Flow(Box::new(flow))
}

pub fn ended(flow: FlowRecord) -> Record {
    Record::Flow(Box::new(FlowRecord { end_reason: Some(EndReason::EndOfFlow), ..flow }))
}

pub fn series(interface: &str) -> Arc<Series> {
    Arc::new(Series { metric: Metric::TrafficOctets, labels: vec![Label::Interface(Untrusted::new(interface))] })
}

pub fn sample(series: &Arc<Series>, seconds: i64, value: Value) -> Record {
    Record::Sample(Sample { series: Arc::clone(series), time: at(seconds), value })
}

pub fn event(seconds: i64, kind: EventKind, severity: Severity, text: &str) -> Record {
    let (subject, text) = (Untrusted::new("eth0"), Untrusted::new(text));
    Record::Event(Event { time: at(seconds), kind, severity, subject, text })
}

pub const HOUR: i64 = 3600;

pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}
