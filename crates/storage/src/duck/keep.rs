//! Upkeep of files: hours are rolled up when they are over, and files rewritten when their day is over.
//!
//! Rolling up an hour replaces what was there for it, in one transaction, so that it can be done again for late data. Rewriting merges
//! the many small chunks of a day into few large ones in the order of their series, adds up sums of the same minute, and drops what
//! only the day itself needed; the new file takes the place of the old one by a rename.

mod hours;

use std::path::PathBuf;
use std::sync::PoisonError;

use duckdb::{Connection, Error};

use super::files::{Attached, attach_statement};
use super::write::{self, ChunkRow, transact};
use crate::chunk::{self, MAX_SAMPLES};
use crate::duck::schema;
use crate::error::StoreError;
use crate::partition::{HOUR, Kind, MINUTE, Partition};
use crate::rollup::{self, MAX_ROLLUPS, Packers, bucket};
use crate::tenant::{Tenant, lock, rollup_row, sample_row};

/// Bytes of chunks that are read at once while a file is rewritten.
const PORTION: i64 = 16 << 20;

/// Rolls an hour up from its minutes; says whether there was anything.
pub(crate) fn roll_hour(tenant: &Tenant, connection: &Connection, kind: Kind, hour: i64) -> Result<bool, StoreError> {
    let minutes = if kind == Kind::SampleHours { Kind::SampleMinutes } else { Kind::FlowMinutes };
    let Some(from) = tenant.files.lease(Partition::at(minutes, hour))? else { return Ok(false) };
    let source = &from.alias;
    let rewrite = |source| StoreError::Rewrite { path: from.path.clone(), source };
    let chunks = match kind {
        Kind::SampleHours => roll_samples(connection, &from, hour)?,
        _ => Vec::new(),
    };
    let exists =
        format!("SELECT count(*) > 0 FROM (SELECT 1 FROM {source}.sums WHERE bucket >= ? AND bucket < ? LIMIT 1)");
    let any = match kind {
        Kind::SampleHours => !chunks.is_empty(),
        _ => connection.query_row(&exists, [hour, hour + HOUR], |r| r.get(0)).map_err(rewrite)?,
    };
    if !any {
        return Ok(false);
    }
    let into = tenant.files.lease_or_create(Partition::at(kind, hour))?;
    let slices = match kind {
        Kind::FlowHours => tenant.files.lease(Partition::at(Kind::Flows, hour))?,
        _ => None,
    };
    let series = unlisted(tenant, connection, &into, &chunks)?;
    transact(connection, &into, None, |to, alias| {
        if kind == Kind::SampleHours {
            to.execute(&format!("DELETE FROM {alias}.chunk WHERE first = ?"), [hour])?;
            write::series(to, alias, &series)?;
            write::chunks(to, alias, &chunks)?;
        } else {
            hours::roll(to, alias, source, slices.as_deref().map(|f| f.alias.as_str()), hour)?;
        }
        to.execute(&format!("DELETE FROM {alias}.done WHERE hour = ?"), [hour])?;
        to.execute(&format!("INSERT INTO {alias}.done VALUES (?)"), [hour]).map(drop)
    })?;
    transact(connection, &from, None, |to, alias| {
        to.execute(&format!("DELETE FROM {alias}.late WHERE hour = ?"), [hour]).map(drop)
    })?;
    Ok(true)
}

/// One chunk for each series with samples in the hour.
fn roll_samples(connection: &Connection, from: &Attached, hour: i64) -> Result<Vec<ChunkRow>, StoreError> {
    let sql = format!(
        "SELECT series, data, sketches FROM {}.chunk WHERE first < ? AND last >= ? ORDER BY series",
        from.alias
    );
    let mut merge = Merge::new(from, HOUR, MAX_ROLLUPS);
    merge.within = (hour, hour + HOUR);
    let mut rows = Vec::new();
    each_chunk(connection, &sql, &[hour + HOUR, hour], from, |series, data, sketches| {
        merge.add(series, data, sketches, &mut rows)
    })?;
    merge.finish(&mut rows);
    Ok(rows)
}

/// Series of the chunks that a file does not list yet.
fn unlisted(
    tenant: &Tenant,
    connection: &Connection,
    file: &Attached,
    chunks: &[ChunkRow],
) -> Result<Vec<(u32, crate::dictionary::SeriesKey)>, StoreError> {
    if chunks.is_empty() {
        return Ok(Vec::new());
    }
    let list = || {
        let mut select = connection.prepare(&format!("SELECT id FROM {}.series", file.alias))?;
        let ids = select.query_map([], |r| r.get::<_, u32>(0))?;
        ids.collect::<Result<std::collections::HashSet<_>, Error>>()
    };
    let listed = list().map_err(|source| StoreError::Rewrite { path: file.path.clone(), source })?;
    let dictionary = tenant.dictionary.read().unwrap_or_else(PoisonError::into_inner);
    let fresh = chunks.iter().map(|c| c.series).filter(|s| !listed.contains(s));
    Ok(fresh.filter_map(|n| dictionary.get(n).map(|k| (n, k.clone()))).collect())
}

fn each_chunk(
    connection: &Connection,
    sql: &str,
    values: &[i64],
    file: &Attached,
    mut each: impl FnMut(u32, &[u8], Option<&[u8]>) -> Option<()>,
) -> Result<(), StoreError> {
    let fail = |source| StoreError::Rewrite { path: file.path.clone(), source };
    let mut select = connection.prepare(sql).map_err(fail)?;
    let mut rows = select.query(duckdb::params_from_iter(values)).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let bytes = |n| row.get_ref(n).map(|v| v.as_blob().unwrap_or_default());
        let sketches = if file.partition.kind == Kind::Samples { None } else { Some(bytes(2).map_err(fail)?) };
        let series = row.get(0).map_err(fail)?;
        each(series, bytes(1).map_err(fail)?, sketches)
            .ok_or_else(|| StoreError::Damaged { path: file.path.clone() })?;
    }
    Ok(())
}

/// Joins chunks of the same series, which come one after the other.
struct Merge {
    kind: Kind,
    width: i64,
    most: usize,
    within: (i64, i64),
    series: Option<u32>,
    points: Vec<chunk::Point>,
    rollups: Vec<rollup::Rollup>,
    packers: Packers,
}

impl Merge {
    fn new(file: &Attached, width: i64, most: usize) -> Self {
        let packers = Packers::default();
        let within = (i64::MIN, i64::MAX);
        Self {
            kind: file.partition.kind,
            width,
            most,
            within,
            series: None,
            points: Vec::new(),
            rollups: Vec::new(),
            packers,
        }
    }

    fn add(&mut self, series: u32, data: &[u8], sketches: Option<&[u8]>, out: &mut Vec<ChunkRow>) -> Option<()> {
        if self.series != Some(series) {
            self.finish(out);
            self.series = Some(series);
        }
        if self.kind == Kind::Samples {
            return chunk::read(data, &mut self.points);
        }
        let before = self.rollups.len();
        rollup::read(data, sketches, &mut self.rollups)?;
        let (from, to) = self.within;
        let mut n = 0;
        self.rollups.retain(|r| {
            n += 1;
            n <= before || (r.start >= from && r.start < to)
        });
        Some(())
    }

    fn finish(&mut self, out: &mut Vec<ChunkRow>) {
        let Some(series) = self.series else { return };
        if !self.points.is_sorted_by_key(|p| p.time) {
            self.points.sort_by_key(|p| p.time);
        }
        out.extend(self.points.chunks(self.most).filter_map(|c| sample_row(series, c, &mut self.packers.0)));
        self.points.clear();
        let rollups = rollup::join(std::mem::take(&mut self.rollups), self.width);
        out.extend(rollups.chunks(self.most).filter_map(|c| rollup_row(series, c, &mut self.packers)));
    }
}

/// A file that was rewritten and does not yet take the place of the old one.
struct Rewritten {
    partition: Partition,
    path: PathBuf,
    /// Up to where it has everything that the old one has.
    position: u64,
}

/// Rewrites a file of a day that is over; says whether it was done. Not when somebody holds the file, or something was written to it
/// meanwhile: then the next time.
pub(crate) fn compact(tenant: &Tenant, connection: &Connection, partition: Partition) -> Result<bool, StoreError> {
    rewrite(tenant, connection, partition)?.map_or(Ok(false), |rewritten| put_in_place(tenant, &rewritten))
}

/// Writes what is in a file into a new one; none when there is no such file.
fn rewrite(tenant: &Tenant, connection: &Connection, partition: Partition) -> Result<Option<Rewritten>, StoreError> {
    let Some(old) = tenant.files.lease(partition)? else { return Ok(None) };
    // Before the first row is read: what is written to the old file from here on is not in the new one.
    let position = tenant.position_of(partition);
    let path = fresh_path(tenant, partition);
    let fail = |source| StoreError::Rewrite { path: old.path.clone(), source };
    remove(&path)?;
    tenant.engine.run(&attach_statement(&path, "rewritten")).map_err(fail)?;
    let copied = copy(connection, &old);
    let detached = tenant.engine.run("CHECKPOINT rewritten; DETACH rewritten;").map_err(fail);
    copied.and(detached)?;
    Ok(Some(Rewritten { partition, path, position }))
}

/// The new file takes the place of the old one, unless that got something that the new one lacks.
fn put_in_place(tenant: &Tenant, rewritten: &Rewritten) -> Result<bool, StoreError> {
    let Rewritten { partition, path, position } = rewritten;
    let replaced = tenant.replace_if_untouched(*partition, *position, path)?;
    if replaced {
        lock(&tenant.compacted).insert(*partition);
    } else {
        remove(path)?;
    }
    Ok(replaced)
}

fn fresh_path(tenant: &Tenant, partition: Partition) -> PathBuf {
    tenant.files.folder().join(format!("{}.rewritten", partition.file_name()))
}

fn remove(path: &std::path::Path) -> Result<(), StoreError> {
    for path in [path.to_owned(), super::files::wal(path)] {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Folder { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn copy(connection: &Connection, old: &Attached) -> Result<(), StoreError> {
    let fail = |source| StoreError::Rewrite { path: old.path.clone(), source };
    let (alias, kind) = (&old.alias, old.partition.kind);
    let tables = schema::tables(kind).concat();
    connection.execute_batch(&format!("USE rewritten; {tables} USE memory;")).map_err(fail)?;
    let common = format!(
        "UPDATE rewritten.format SET compacted = 1;
         INSERT INTO rewritten.progress SELECT max(position) FROM {alias}.progress HAVING count(*) > 0;"
    );
    connection.execute_batch(&common).map_err(fail)?;
    let run = |sql: &str| connection.execute_batch(sql).map_err(fail);
    match kind {
        Kind::Samples | Kind::SampleMinutes | Kind::SampleHours => {
            run(&format!("INSERT INTO rewritten.series SELECT * FROM {alias}.series ORDER BY id"))?;
            // At once: what is packed again at each of many commits leaves holes in the file.
            run("BEGIN")?;
            let copied = copy_chunks(connection, old);
            let ended = run(if copied.is_ok() { "COMMIT" } else { "ROLLBACK" });
            copied.and(ended)?;
        }
        Kind::Flows => run(&flows(alias))?,
        Kind::FlowMinutes | Kind::FlowHours => run(&hours::rewritten(alias))?,
        Kind::Events => run(&format!("INSERT INTO rewritten.event SELECT * FROM {alias}.event ORDER BY time"))?,
        Kind::ProbeResults => {
            run(&format!("INSERT INTO rewritten.result SELECT * FROM {alias}.result ORDER BY started"))?;
        }
    }
    match kind {
        Kind::SampleMinutes | Kind::FlowMinutes => {
            run(&format!("INSERT INTO rewritten.late SELECT * FROM {alias}.late"))
        }
        Kind::SampleHours | Kind::FlowHours => run(&format!("INSERT INTO rewritten.done SELECT * FROM {alias}.done")),
        _ => Ok(()),
    }
}

/// Identities are needed while a flow may be open, and take as much room as everything else.
fn flows(alias: &str) -> String {
    format!(
        "INSERT INTO rewritten.flow SELECT * REPLACE (0::UBIGINT AS boot, 0::UINTEGER AS slot, 0::UINTEGER AS generation)
         FROM {alias}.flow ORDER BY ended // 3600000, src_hi, src_lo, dst_hi, dst_lo, ended"
    )
}

fn copy_chunks(connection: &Connection, old: &Attached) -> Result<(), StoreError> {
    let fail = |source| StoreError::Rewrite { path: old.path.clone(), source };
    let (alias, kind) = (&old.alias, old.partition.kind);
    let (columns, width, most) = match kind {
        Kind::Samples => ("series, data", HOUR, MAX_SAMPLES),
        Kind::SampleHours => ("series, data, sketches", HOUR, MAX_ROLLUPS),
        _ => ("series, data, sketches", MINUTE, MAX_ROLLUPS),
    };
    let sql = format!("SELECT {columns} FROM {alias}.chunk WHERE series >= ? AND series <= ? ORDER BY series, first");
    let mut merge = Merge::new(old, width, most);
    for (first, last) in portions(connection, alias).map_err(fail)? {
        let mut rows = Vec::new();
        each_chunk(connection, &sql, &[first, last], old, |series, data, sketches| {
            merge.add(series, data, sketches, &mut rows)
        })?;
        merge.finish(&mut rows);
        merge.series = None;
        write::chunks(connection, "rewritten", &rows).map_err(fail)?;
    }
    Ok(())
}

/// Ranges of series, both ends included, of which each has so many bytes as are read at once.
fn portions(connection: &Connection, alias: &str) -> Result<Vec<(i64, i64)>, Error> {
    let sql =
        format!("SELECT series, sum(octet_length(data))::BIGINT FROM {alias}.chunk GROUP BY series ORDER BY series");
    let mut select = connection.prepare(&sql)?;
    let mut rows = select.query([])?;
    let (mut portions, mut bytes) = (Vec::<(i64, i64)>::new(), i64::MAX);
    while let Some(row) = rows.next()? {
        let (series, size): (i64, i64) = (row.get(0)?, row.get(1)?);
        match portions.last_mut() {
            Some(last) if bytes < PORTION => last.1 = series,
            _ => {
                portions.push((series, series));
                bytes = 0;
            }
        }
        bytes = bytes.saturating_add(size);
    }
    Ok(portions)
}

/// The hours of a day that are over and not rolled up, of which there may be something.
pub(crate) fn open_hours(tenant: &Tenant, kind: Kind, until: i64) -> Vec<i64> {
    let minutes = if kind == Kind::SampleHours { Kind::SampleMinutes } else { Kind::FlowMinutes };
    let files = tenant.files.within(minutes, i64::MIN, until);
    let done = lock(&tenant.done);
    let hours = files.iter().flat_map(|p| (p.start()..p.end()).step_by(usize::try_from(HOUR).unwrap_or(1)));
    hours.filter(|hour| hour + HOUR <= bucket(until, HOUR) && !done.contains(&(kind, *hour))).collect()
}

#[cfg(test)]
mod tests;
