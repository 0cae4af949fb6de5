//! Writing what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Event};

use super::{Tenant, Writer, lock};
use crate::address::halves;
use crate::chunk::{self, MAX_SAMPLES, Point};
use crate::duck::files::Lease;
use crate::duck::write::{self, ChunkRow, transact};
use crate::error::StoreError;
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
    /// Writes everything that waits, and empties the heads. When a file cannot be written the samples go on waiting.
    pub(super) fn flush_writer(&self, writer: &mut Writer) -> Result<(), StoreError> {
        self.flush_samples(writer)?;
        self.flush_flows(writer)?;
        self.flush_events(writer)?;
        self.flush_results(writer)
    }

    fn flush_samples(&self, writer: &mut Writer) -> Result<(), StoreError> {
        if writer.samples.is_empty() {
            return Ok(());
        }
        let mut packers = Packers::default();
        let (mut raw, mut minutes) = (Chunks::new(), Chunks::new());
        for (series, points) in writer.samples.sorted() {
            pack(series, points, &mut packers, &mut raw, &mut minutes);
        }
        for (partition, rows) in minutes.into_iter().chain(raw) {
            self.write_chunks(writer, partition, &rows)?;
        }
        writer.samples.clear();
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

    fn flush_flows(&self, writer: &mut Writer) -> Result<(), StoreError> {
        if writer.flows.is_empty() {
            return Ok(());
        }
        let slices = writer.flows.take();
        let mut sums: BTreeMap<Partition, Vec<(i64, Key, Sums)>> = BTreeMap::new();
        for (minute, rows) in tally(&slices) {
            let rows = rows.into_iter().map(|(key, s)| (minute, key, s));
            sums.entry(Partition::at(Kind::FlowMinutes, minute)).or_default().extend(rows);
        }
        // Sums before slices: what is written of an open flow is learnt from the slices.
        for (partition, rows) in &sums {
            let late = self.late(Kind::FlowHours, rows.iter().map(|r| r.0));
            if writer.guard(*partition) < writer.position {
                let file = self.files.lease_or_create(*partition)?;
                self.write(writer, &file, |to, alias| {
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
        self.write_slices(writer, &slices)
    }

    fn write_slices(&self, writer: &mut Writer, slices: &[Slice]) -> Result<(), StoreError> {
        let mut days: BTreeMap<Partition, Vec<&Slice>> = BTreeMap::new();
        for slice in slices {
            days.entry(Partition::at(Kind::Flows, slice.end)).or_default().push(slice);
        }
        for (partition, mut rows) in days {
            if writer.guard(partition) < writer.position {
                // Neighbours that are alike pack well.
                rows.sort_by_cached_key(|s| (halves(s.record.source), halves(s.record.destination), s.end));
                let file = self.files.lease_or_create(partition)?;
                self.write(writer, &file, |to, alias| write::flows(to, alias, &rows))?;
            }
        }
        Ok(())
    }

    fn flush_events(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let mut months: BTreeMap<Partition, Vec<(AgentId, Event)>> = BTreeMap::new();
        for (agent, event) in &writer.events {
            let partition = Partition::at(Kind::Events, event.time.millis());
            months.entry(partition).or_default().push((*agent, event.clone()));
        }
        for (partition, rows) in &months {
            if writer.guard(*partition) < writer.position {
                let file = self.files.lease_or_create(*partition)?;
                self.write(writer, &file, |to, alias| write::events(to, alias, rows))?;
            }
        }
        writer.events.clear();
        Ok(())
    }

    fn flush_results(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let results = std::mem::take(&mut writer.results);
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
        writer.guards.insert(file.partition, writer.position);
        writer.highest = writer.highest.max(writer.position);
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
