//! Opening the files of a workspace: which are whole, how far each is, which series and open flows they know.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};

use duckdb::Connection;
use netwatch_model::{AgentId, BootId, Counters, FlowId};

use super::{Heads, Tenant, Writer};
use crate::config::StoreConfig;
use crate::dictionary::{Dictionary, SeriesKey, series_of};
use crate::duck::engine::Engine;
use crate::duck::files::{Attached, Files};
use crate::duck::schema;
use crate::error::StoreError;
use crate::head::SampleHead;
use crate::partition::{HOUR, Kind, Partition};
use crate::slices::{FlowHead, RecordKey, Written};

/// A flow that nothing was heard of for this long is not open any more: longer than any active timeout.
const OPEN_FOR: i64 = 6 * HOUR;

/// A file that was damaged, and where it is now.
#[derive(Debug)]
pub(crate) struct SetAside {
    pub(crate) partition: Partition,
    pub(crate) now_at: PathBuf,
    pub(crate) reason: String,
}

impl Tenant {
    /// Opens the files in `folder`. Those of which `damaged` says so, and those that cannot be opened after all, are set aside.
    pub(crate) fn open(
        engine: Arc<Engine>,
        config: &StoreConfig,
        folder: PathBuf,
        number: u32,
        damaged: &HashMap<PathBuf, String>,
        stamp: i64,
    ) -> Result<(Self, Vec<SetAside>), StoreError> {
        let files = Files::list(Arc::clone(&engine), folder, number)?;
        let connection = engine.connect()?;
        let mut opened = Opened::new(config.max_series);
        let mut aside = Vec::new();
        for partition in files.all() {
            let path = files.path(partition);
            let problem = match damaged.get(&path) {
                Some(reason) => Some(reason.clone()),
                None => opened.look(&connection, &files, partition).err().map(|e| error_text(&e)),
            };
            if let Some(reason) = problem {
                opened.forget(partition);
                let now_at = files.set_aside(partition, stamp)?;
                aside.push(SetAside { partition, now_at, reason });
            }
        }
        Ok((opened.finish(engine, files, connection), aside))
    }
}

/// What opening has found so far.
struct Opened {
    dictionary: Dictionary,
    flows: FlowHead,
    guards: HashMap<Partition, u64>,
    listed: HashMap<Partition, HashSet<u32>>,
    done: HashSet<(Kind, i64)>,
    late: HashSet<(Kind, i64)>,
    compacted: HashSet<Partition>,
}

impl Opened {
    fn new(max_series: usize) -> Self {
        Self {
            dictionary: Dictionary::new(max_series),
            flows: FlowHead::default(),
            guards: HashMap::new(),
            listed: HashMap::new(),
            done: HashSet::new(),
            late: HashSet::new(),
            compacted: HashSet::new(),
        }
    }

    fn look(&mut self, connection: &Connection, files: &Files, partition: Partition) -> Result<(), StoreError> {
        let Some(file) = files.lease(partition)? else { return Ok(()) };
        self.read(connection, files, &file).map_err(|source| StoreError::Open { path: file.path.clone(), source })
    }

    fn read(&mut self, connection: &Connection, files: &Files, file: &Attached) -> Result<(), duckdb::Error> {
        let (alias, partition) = (&file.alias, file.partition);
        let format = format!("SELECT version, compacted FROM {alias}.format");
        let (version, compacted): (u32, u32) = connection.query_row(&format, [], |r| Ok((r.get(0)?, r.get(1)?)))?;
        if !(schema::OLDEST..=schema::VERSION).contains(&version) {
            return Err(duckdb::Error::InvalidColumnName(format!("tables of version {version}")));
        }
        if version < schema::VERSION {
            // What comes into it from now on an earlier program could not read.
            connection.execute_batch(&format!("UPDATE {alias}.format SET version = {}", schema::VERSION))?;
        }
        if compacted != 0 {
            self.compacted.insert(partition);
        }
        let progress = format!("SELECT coalesce(max(position), 0) FROM {alias}.progress");
        if !partition.kind.is_derived() {
            self.guards.insert(partition, connection.query_row(&progress, [], |r| r.get(0))?);
        }
        match partition.kind {
            Kind::Samples => self.series(connection, file),
            Kind::SampleMinutes => {
                self.series(connection, file)?;
                hours(connection, alias, "late", Kind::SampleHours, &mut self.late)
            }
            Kind::SampleHours => {
                self.series(connection, file)?;
                hours(connection, alias, "done", Kind::SampleHours, &mut self.done)
            }
            Kind::FlowMinutes => hours(connection, alias, "late", Kind::FlowHours, &mut self.late),
            Kind::FlowHours => hours(connection, alias, "done", Kind::FlowHours, &mut self.done),
            Kind::Flows => {
                let newest = files.all().into_iter().filter(|p| p.kind == Kind::Flows).max();
                let near = newest.is_some_and(|n| partition.day + 1 >= n.day);
                if near { self.open_flows(connection, alias) } else { Ok(()) }
            }
            Kind::Events | Kind::ProbeResults => Ok(()),
        }
    }

    fn series(&mut self, connection: &Connection, file: &Attached) -> Result<(), duckdb::Error> {
        let mut select = connection.prepare(&format!("SELECT id, agent, metric, labels FROM {}.series", file.alias))?;
        let mut rows = select.query([])?;
        let listed = self.listed.entry(file.partition).or_default();
        while let Some(row) = rows.next()? {
            let (number, agent): (u32, u64) = (row.get(0)?, row.get(1)?);
            let (metric, labels): (String, String) = (row.get(2)?, row.get(3)?);
            let Some(series) = series_of(&metric, &labels) else { continue };
            if self.dictionary.learn(number, SeriesKey { agent: AgentId(agent), series: Arc::new(series) }) {
                listed.insert(number);
            } else {
                tracing::warn!(file = %file.path.display(), number, "a series has a number that another one has");
            }
        }
        Ok(())
    }

    /// What is already written of flows that were still open.
    fn open_flows(&mut self, connection: &Connection, alias: &str) -> Result<(), duckdb::Error> {
        let sum = |column: &str| format!("sum({column})::UBIGINT");
        let sums = ["f_packets", "f_octets", "r_packets", "r_octets"].map(sum).join(", ");
        let quality = [
            "retransmitted",
            "r_retransmitted",
            "out_of_order",
            "r_out_of_order",
            "duplicates",
            "r_duplicates",
            "zero_windows",
            "r_zero_windows",
        ];
        let quality = quality.map(|c| format!("least(coalesce(sum({c}), 0), 4294967295)::UINTEGER")).join(", ");
        let sql = format!(
            "SELECT agent, boot, slot, generation, max(ended), {sums}, sum(f_extra)::BIGINT, sum(r_extra)::BIGINT,
               sum(CASE way WHEN 0 THEN r_octets WHEN 1 THEN f_octets ELSE octets_in END)::UBIGINT,
               sum(CASE way WHEN 0 THEN f_octets WHEN 1 THEN r_octets ELSE octets_out END)::UBIGINT, {quality}
             FROM {alias}.flow WHERE ended >= (SELECT max(ended) FROM {alias}.flow) - ?
             GROUP BY agent, boot, slot, generation HAVING count(reason) = 0"
        );
        let mut select = connection.prepare(&sql)?;
        let mut rows = select.query([OPEN_FOR])?;
        while let Some(row) = rows.next()? {
            let (slot, generation): (u32, u32) = (row.get(2)?, row.get(3)?);
            let id = FlowId::from_bits(u64::from(slot) << 32 | u64::from(generation));
            let key = RecordKey { agent: AgentId(row.get(0)?), boot: BootId(row.get(1)?), id };
            let counters = |packets: u64, octets: u64, extra: i64| Counters {
                packets,
                octets,
                l2_octets: (octets + packets * 14).wrapping_add_signed(extra),
            };
            let mut quality = [0; 8];
            for (n, value) in quality.iter_mut().enumerate() {
                *value = row.get(13 + n)?;
            }
            let written = Written {
                until: row.get(4)?,
                forward: counters(row.get(5)?, row.get(6)?, row.get(9)?),
                reverse: counters(row.get(7)?, row.get(8)?, row.get(10)?),
                interface_octets: [row.get(11)?, row.get(12)?],
                quality,
            };
            self.flows.learn(key, written);
        }
        Ok(())
    }

    fn forget(&mut self, partition: Partition) {
        self.guards.remove(&partition);
        self.listed.remove(&partition);
        self.compacted.remove(&partition);
        let hours = partition.start()..partition.end();
        self.done.retain(|(kind, hour)| *kind != partition.kind || !hours.contains(hour));
    }

    fn finish(mut self, engine: Arc<Engine>, files: Files, connection: Connection) -> Tenant {
        let stops: BTreeSet<u64> = self.guards.values().copied().filter(|g| *g > 0).collect();
        self.done.retain(|hour| !self.late.contains(hour));
        let heads = Heads {
            samples: SampleHead::default(),
            flows: self.flows,
            results: Vec::new(),
            events: Vec::new(),
            position: 0,
            known: self.guards.clone(),
            highest: stops.last().copied().unwrap_or(0),
            stops: VecDeque::from_iter(stops),
        };
        let writer = Writer { connection, position: 0, guards: self.guards, listed: self.listed };
        Tenant {
            engine,
            files,
            dictionary: RwLock::new(self.dictionary),
            done: Mutex::new(self.done),
            rolling: Mutex::new(None),
            compacted: Mutex::new(self.compacted),
            heads: Mutex::new(heads),
            writer: Mutex::new(writer),
        }
    }
}

fn hours(
    connection: &Connection,
    alias: &str,
    table: &str,
    kind: Kind,
    into: &mut HashSet<(Kind, i64)>,
) -> Result<(), duckdb::Error> {
    let mut select = connection.prepare(&format!("SELECT hour FROM {alias}.{table}"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        into.insert((kind, row.get(0)?));
    }
    Ok(())
}

/// An error with its causes, on one line.
#[must_use]
pub fn error_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}
