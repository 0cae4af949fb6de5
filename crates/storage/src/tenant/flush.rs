//! Writing what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Event};

use super::{Heads, Tenant, Writer, lock};
use crate::address::halves;
use crate::chunk::{self, MAX_SAMPLES, Point};
use crate::duck::columns::Columns;
use crate::duck::files::Lease;
use crate::duck::write::{self, ChunkRow, transact};
use crate::error::StoreError;
use crate::head::SampleHead;
use crate::pack::Packer;
use crate::partition::{HOUR, Kind, MINUTE, Partition};
use crate::rollup::{self, MAX_ROLLUPS, Packers, Rollup, bucket};
use crate::slices::Slice;
use crate::tally::{Key, Sums, tally};

/// An hour, for counting in steps.
const HOUR_STEP: usize = 3_600_000;

/// Chunks of each file.
type Chunks = BTreeMap<Partition, Vec<ChunkRow>>;

impl Tenant {
    /// Writes everything that waits but flow records. When a file cannot be written the samples go on waiting.
    pub(super) fn flush_heads(&self, heads: &mut Heads) -> Result<(), StoreError> {
        let mut writer = self.writer();
        writer.position = heads.position;
        self.flush_samples(&mut writer, &mut heads.samples)?;
        self.flush_events(&mut writer, &mut heads.events)?;
        self.flush_results(&mut writer, &mut heads.results)
    }

    fn flush_samples(&self, writer: &mut Writer, samples: &mut SampleHead) -> Result<(), StoreError> {
        if samples.is_empty() {
            return Ok(());
        }
        let mut packers = Packers::default();
        let (mut raw, mut minutes) = (Chunks::new(), Chunks::new());
        for (series, points) in samples.sorted() {
            pack(series, points, &mut packers, &mut raw, &mut minutes);
        }
        for (partition, rows) in minutes.into_iter().chain(raw) {
            self.write_chunks(writer, partition, &rows)?;
        }
        samples.clear();
        Ok(())
    }

    fn write_chunks(&self, writer: &mut Writer, partition: Partition, rows: &[ChunkRow]) -> Result<(), StoreError> {
        if writer.guard(partition) >= writer.position {
            return Ok(());
        }
        let file = self.files.lease_or_create(partition)?;
        let listed = writer.listed.entry(partition).or_default();
        let fresh: BTreeSet<u32> = rows.iter().map(|r| r.series).filter(|s| !listed.contains(s)).collect();
        let dictionary = self.dictionary.read().unwrap_or_else(PoisonError::into_inner);
        let series: Vec<_> = fresh.iter().filter_map(|n| dictionary.get(*n).map(|key| (*n, key.clone()))).collect();
        drop(dictionary);
        let late = match partition.kind {
            Kind::SampleMinutes => self
                .late(Kind::SampleHours, rows.iter().flat_map(|r| (bucket(r.first, HOUR)..=r.last).step_by(HOUR_STEP))),
            _ => BTreeSet::new(),
        };
        self.write(writer, &file, |to, alias| {
            write::series(to, alias, &series)?;
            write::late(to, alias, &late)?;
            write::chunks(to, alias, rows)
        })?;
        writer.listed.entry(partition).or_default().extend(fresh);
        self.reopen(Kind::SampleHours, &late);
        Ok(())
    }

    /// Writes flow records that were taken out of the heads.
    pub(crate) fn write_flows(&self, WaitingFlows { position, sums, slices }: WaitingFlows) -> Result<(), StoreError> {
        let mut writer = self.writer();
        writer.position = position;
        // Sums before slices: what is written of an open flow is learnt from the slices.
        for (partition, rows) in &sums {
            let late = self.late(Kind::FlowHours, rows.iter().map(|r| r.0));
            if writer.guard(*partition) < position {
                let file = self.files.lease_or_create(*partition)?;
                self.write(&mut writer, &file, |to, alias| {
                    write::late(to, alias, &late)?;
                    write::sums(to, alias, rows)
                })?;
            } else if !late.is_empty() {
                // The slices of these sums are written only now, and hours are made of them, too.
                let file = self.files.lease_or_create(*partition)?;
                transact(&writer.connection, &file, None, |to, alias| write::late(to, alias, &late))?;
            }
            self.reopen(Kind::FlowHours, &late);
        }
        for (partition, rows) in slices {
            if writer.guard(partition) < position {
                let file = self.files.lease_or_create(partition)?;
                self.write(&mut writer, &file, |to, alias| write::flows(to, alias, rows))?;
            }
        }
        Ok(())
    }

    fn flush_events(&self, writer: &mut Writer, waiting: &mut Vec<(AgentId, Event)>) -> Result<(), StoreError> {
        let mut months: BTreeMap<Partition, Vec<(AgentId, Event)>> = BTreeMap::new();
        for (agent, event) in &*waiting {
            let partition = Partition::at(Kind::Events, event.time.millis());
            months.entry(partition).or_default().push((*agent, event.clone()));
        }
        for (partition, rows) in &months {
            if writer.guard(*partition) < writer.position {
                let file = self.files.lease_or_create(*partition)?;
                self.write(writer, &file, |to, alias| write::events(to, alias, rows))?;
            }
        }
        waiting.clear();
        Ok(())
    }

    fn flush_results(&self, writer: &mut Writer, waiting: &mut Vec<ProbeResult>) -> Result<(), StoreError> {
        let results = std::mem::take(waiting);
        let mut days: BTreeMap<Partition, Vec<&ProbeResult>> = BTreeMap::new();
        for result in &results {
            days.entry(Partition::at(Kind::ProbeResults, result.start.millis())).or_default().push(result);
        }
        for (partition, rows) in &days {
            if writer.guard(*partition) < writer.position {
                let file = self.files.lease_or_create(*partition)?;
                self.write(writer, &file, |to, alias| write::results(to, alias, rows))?;
            }
        }
        Ok(())
    }

    fn write(
        &self,
        writer: &mut Writer,
        file: &Lease,
        work: impl FnOnce(&duckdb::Connection, &str) -> Result<(), duckdb::Error>,
    ) -> Result<(), StoreError> {
        let reopened = lock(&self.compacted).contains(&file.partition);
        transact(&writer.connection, file, Some(writer.position), |to, alias| {
            if reopened {
                to.execute_batch(&format!("UPDATE {alias}.format SET compacted = 0"))?;
            }
            work(to, alias)
        })?;
        lock(&self.compacted).remove(&file.partition);
        let position = writer.position;
        writer.guards.insert(file.partition, position);
        Ok(())
    }

    /// Which of the hours of these times are rolled up already, or are being rolled up now.
    fn late(&self, kind: Kind, times: impl Iterator<Item = i64>) -> BTreeSet<i64> {
        let rolling = lock(&self.rolling).map(|r| (r.0, r.1));
        let done = lock(&self.done);
        if done.is_empty() && rolling.is_none() {
            return BTreeSet::new();
        }
        let hours: BTreeSet<i64> = times.map(|t| bucket(t, HOUR)).collect();
        hours.into_iter().map(|h| (kind, h)).filter(|h| done.contains(h) || rolling == Some(*h)).map(|h| h.1).collect()
    }

    fn reopen(&self, kind: Kind, hours: &BTreeSet<i64>) {
        let mut done = lock(&self.done);
        for hour in hours {
            done.remove(&(kind, *hour));
        }
        if let Some((rolling, hour, late)) = &mut *lock(&self.rolling) {
            *late |= *rolling == kind && hours.contains(hour);
        }
    }
}

/// Flow records on their way into files.
#[derive(Debug)]
pub(crate) struct WaitingFlows {
    position: u64,
    /// Of each minute.
    sums: BTreeMap<Partition, Vec<(i64, Key, Sums)>>,
    /// Of each day, as columns: they take less room than the records, and whoever writes them waits for the disk as well.
    slices: BTreeMap<Partition, Vec<Columns>>,
}

impl WaitingFlows {
    pub(super) fn new(position: u64, all: Vec<Slice>) -> Self {
        let mut sums: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (minute, rows) in tally(&all) {
            let rows = rows.into_iter().map(|(key, s)| (minute, key, s));
            sums.entry(Partition::at(Kind::FlowMinutes, minute)).or_default().extend(rows);
        }
        let mut slices: BTreeMap<_, Vec<Slice>> = BTreeMap::new();
        for slice in all {
            slices.entry(Partition::at(Kind::Flows, slice.end)).or_default().push(slice);
        }
        let columns = |mut rows: Vec<Slice>| {
            // Neighbours that are alike pack well.
            rows.sort_by_cached_key(|s| (halves(s.record.source), halves(s.record.destination), s.end));
            write::flow_columns(&rows)
        };
        Self { position, sums, slices: slices.into_iter().map(|(day, rows)| (day, columns(rows))).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slices.values().flatten().map(Columns::rows).sum()
    }
}

/// Packs the samples of a series, which are in the order of time, day by day.
fn pack(series: u32, points: &[Point], packers: &mut Packers, raw: &mut Chunks, minutes: &mut Chunks) {
    let mut rest = points;
    while let Some(first) = rest.first() {
        let partition = Partition::at(Kind::Samples, first.time);
        let (day, later) = rest.split_at(rest.partition_point(|p| p.time < partition.end()));
        rest = later;
        let rows = day.chunks(MAX_SAMPLES).filter_map(|c| sample_row(series, c, &mut packers.0));
        raw.entry(partition).or_default().extend(rows);
        let mut rollups = Vec::new();
        rollup::roll(day, MINUTE, &mut rollups);
        let rows = rollups.chunks(MAX_ROLLUPS).filter_map(|c| rollup_row(series, c, packers));
        minutes.entry(Partition { kind: Kind::SampleMinutes, ..partition }).or_default().extend(rows);
    }
}

/// A row of samples.
pub(crate) fn sample_row(series: u32, points: &[Point], packer: &mut Packer) -> Option<ChunkRow> {
    let (first, last) = (points.first()?.time, points.last()?.time);
    chunk::write(packer, points);
    let count = u32::try_from(points.len()).ok()?;
    Some(ChunkRow { series, first, last, count, data: packer.take(), sketches: None })
}

/// A row of rollups.
pub(crate) fn rollup_row(series: u32, rollups: &[Rollup], packers: &mut Packers) -> Option<ChunkRow> {
    let (first, last) = (rollups.first()?.start, rollups.last()?.start);
    let (data, sketches) = packers;
    rollup::write(data, rollups);
    rollup::write_sketches(sketches, rollups);
    let count = u32::try_from(rollups.len()).ok()?;
    Some(ChunkRow { series, first, last, count, data: data.take(), sketches: Some(sketches.take()) })
}
