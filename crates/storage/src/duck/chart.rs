//! Series over time.

pub(crate) mod buckets;

use std::collections::HashSet;
use std::time::Duration;

use duckdb::Connection;
use netwatch_model::Timestamp;

use super::ask::cancelled;
use super::files::Lease;
use crate::chunk::{self, Point};
use crate::error::StoreError;
use crate::partition::{HOUR, Kind, MINUTE};
use crate::port::{Aggregate, Budget, Chart, Line, Resolution, SeriesQuery};
use crate::rollup::{self, Rollup, bucket, growth_between};
use crate::tenant::{Tenant, lock};

/// Steps of one line.
const MAX_STEPS: i64 = 11_000;
/// Series, of a file each, that one statement reads: for few series that costs half of what a statement for each file does, and its
/// answer is held in memory.
const TOGETHER: usize = 32;

/// The steps of a chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    /// Start of the first one, in milliseconds.
    pub(crate) from: i64,
    /// End of the last one.
    pub(crate) to: i64,
    /// Length.
    pub(crate) width: i64,
}

impl Steps {
    /// The steps that cover `from..to`.
    pub(crate) fn covering((from, to): (i64, i64), width: i64) -> Self {
        let start = bucket(from, width);
        let last = bucket(to.max(from + 1) - 1, width);
        Self { from: start, to: last.saturating_add(width), width }
    }

    pub(crate) const fn count(self) -> i64 {
        (self.to - self.from) / self.width
    }

    /// The step of a time within.
    pub(crate) fn index(self, time: i64) -> Option<usize> {
        if time >= self.to {
            return None;
        }
        usize::try_from((time - self.from).div_euclid(self.width)).ok()
    }
}

/// The lines of a chart.
pub(crate) fn chart(
    tenant: &Tenant,
    from: &Connection,
    query: &SeriesQuery,
    budget: &Budget,
) -> Result<Chart, StoreError> {
    let span = query.span.millis();
    let wanted = i64::try_from(query.step.as_millis()).unwrap_or(i64::MAX).max(1000);
    let (resolution, width) = resolve(tenant, wanted, span.0);
    let steps = Steps::covering(span, width);
    let page = super::series::search(tenant, &query.search);
    let rows = usize::try_from(steps.count()).unwrap_or(usize::MAX).saturating_mul(page.series.len());
    if steps.count() > MAX_STEPS || rows > budget.max_rows {
        return Err(StoreError::TooExpensive(format!("{rows} points: take a longer step or fewer series")));
    }
    let reader = Reader { tenant, connection: from, budget, sketches: query.aggregate.quantile().is_some() };
    let numbers: Vec<u32> = page.series.iter().map(|s| s.0).collect();
    // One step more before the range: growth needs a value to grow from.
    let rollups = reader.read(resolution, &numbers, steps.from - width, steps.to, width)?;
    let lines = page.series.into_iter().zip(rollups).map(|((number, key), rollups)| Line {
        number,
        key,
        points: points(&rollups, steps, query.aggregate),
    });
    Ok(Chart {
        from: Timestamp::from_millis(steps.from),
        step: Duration::from_millis(width.unsigned_abs()),
        resolution,
        lines: lines.collect(),
        more: page.next.is_some(),
        partial_first: steps.from < span.0,
        partial_last: steps.to > span.1,
    })
}

/// The rollups by minute of some series, without sketches.
pub(crate) fn minutes(
    tenant: &Tenant,
    from: &Connection,
    budget: &Budget,
    numbers: &[u32],
    steps: Steps,
) -> Result<Vec<Vec<Rollup>>, StoreError> {
    let reader = Reader { tenant, connection: from, budget, sketches: false };
    let mut rollups = vec![Vec::new(); numbers.len()];
    reader.rollups(Kind::SampleMinutes, numbers, bucket(steps.from, MINUTE), steps.to, &mut rollups, |_| true)?;
    Ok(rollups)
}

/// What to read for steps of that length, and how long they become: a coarser rollup than wanted when nothing finer is kept.
fn resolve(tenant: &Tenant, width: i64, from: i64) -> (Resolution, i64) {
    let reaches = |kind| tenant.files.within(kind, i64::MIN, from.saturating_add(1)).last().is_some();
    let (raw, minutes, hours) = (reaches(Kind::Samples), reaches(Kind::SampleMinutes), reaches(Kind::SampleHours));
    let round = |unit: i64| (width + unit - 1) / unit * unit;
    if width % HOUR == 0 || (!raw && !minutes && hours) {
        (Resolution::Hour, round(HOUR))
    } else if width % MINUTE == 0 || (!raw && minutes) {
        (Resolution::Minute, round(MINUTE))
    } else {
        (Resolution::Raw, width)
    }
}

struct Reader<'a> {
    tenant: &'a Tenant,
    connection: &'a Connection,
    budget: &'a Budget,
    sketches: bool,
}

impl Reader<'_> {
    /// The rollups of each series in buckets of `width`.
    fn read(
        &self,
        resolution: Resolution,
        numbers: &[u32],
        from: i64,
        to: i64,
        width: i64,
    ) -> Result<Vec<Vec<Rollup>>, StoreError> {
        let mut series: Vec<Vec<Rollup>> = vec![Vec::new(); numbers.len()];
        if resolution == Resolution::Raw {
            let mut points: Vec<Vec<Point>> = vec![Vec::new(); numbers.len()];
            self.samples(numbers, from, to, &mut points)?;
            for (list, rollups) in points.iter_mut().zip(&mut series) {
                list.sort_by_key(|p| p.time);
                rollup::roll(list, width, rollups);
            }
            return Ok(series);
        }
        let mut rolled = HashSet::new();
        if resolution == Resolution::Hour {
            let done = lock(&self.tenant.done);
            rolled.extend(
                done.iter()
                    .filter(|(kind, hour)| *kind == Kind::SampleHours && *hour >= from && *hour < to)
                    .map(|h| h.1),
            );
            drop(done);
            self.rollups(Kind::SampleHours, numbers, from, to, &mut series, |hour| rolled.contains(&hour))?;
        }
        let hours = (bucket(from, HOUR)..to).step_by(HOUR.unsigned_abs() as usize);
        let first_open = hours.into_iter().find(|hour| !rolled.contains(hour)).unwrap_or(to).max(from);
        self.rollups(Kind::SampleMinutes, numbers, first_open, to, &mut series, |t| {
            !rolled.contains(&bucket(t, HOUR))
        })?;
        Ok(series.into_iter().map(|rollups| rollup::join(rollups, width)).collect())
    }

    fn samples(&self, numbers: &[u32], from: i64, to: i64, into: &mut [Vec<Point>]) -> Result<(), StoreError> {
        let mut read = Vec::new();
        self.chunks(Kind::Samples, numbers, from, to, |place, data, _| {
            read.clear();
            chunk::read(data, &mut read)?;
            into.get_mut(place)?.extend(read.iter().filter(|p| p.time >= from && p.time < to));
            Some(())
        })
    }

    fn rollups(
        &self,
        kind: Kind,
        numbers: &[u32],
        from: i64,
        to: i64,
        into: &mut [Vec<Rollup>],
        keep: impl Fn(i64) -> bool,
    ) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let mut read = Vec::new();
        self.chunks(kind, numbers, from, to, |place, data, sketches| {
            rollup::read(data, sketches, &mut read)?;
            let within = read.drain(..).filter(|r| r.start >= from && r.start < to && keep(r.start));
            into.get_mut(place)?.extend(within);
            Some(())
        })
    }

    /// Calls `each` with the place of the series in `numbers`, the chunk, and its sketches when they are wanted.
    fn chunks(
        &self,
        kind: Kind,
        numbers: &[u32],
        from: i64,
        to: i64,
        mut each: impl FnMut(usize, &[u8], Option<&[u8]>) -> Option<()>,
    ) -> Result<(), StoreError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let with_sketches = self.sketches && kind != Kind::Samples;
        let columns = if with_sketches { "series, data, sketches" } else { "series, data" };
        let list = numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let together = (TOGETHER / numbers.len()).max(1);
        for files in self.tenant.files.leases(kind, from, to)?.chunks(together) {
            let select = |(n, file): (usize, &Lease)| {
                let alias = &file.alias;
                // A rollup begins before the range when its bucket does.
                format!(
                    "SELECT {n}, {columns} FROM {alias}.chunk WHERE series IN ({list}) AND first < {to} AND last >= {from}"
                )
            };
            let sql = files.iter().enumerate().map(select).collect::<Vec<_>>().join(" UNION ALL ");
            let mut select = self.connection.prepare(&sql).map_err(StoreError::Query)?;
            let mut rows = select.query([]).map_err(StoreError::Query)?;
            while let Some(row) = rows.next().map_err(StoreError::Query)? {
                if self.budget.cancel.is_cancelled() {
                    return Err(cancelled(self.budget));
                }
                let file: usize = row.get(0).map_err(StoreError::Query)?;
                let number: u32 = row.get(1).map_err(StoreError::Query)?;
                let bytes = |n| row.get_ref(n).map_err(StoreError::Query).map(|v| v.as_blob().unwrap_or_default());
                let sketches = if with_sketches { Some(bytes(3)?) } else { None };
                let Some(place) = numbers.iter().position(|n| *n == number) else { continue };
                let path = || files.get(file).map_or_else(Default::default, |file| file.path.clone());
                each(place, bytes(2)?, sketches).ok_or_else(|| StoreError::Damaged { path: path() })?;
            }
        }
        Ok(())
    }
}

fn points(rollups: &[Rollup], steps: Steps, aggregate: Aggregate) -> Vec<Option<f64>> {
    let mut points = vec![None; usize::try_from(steps.count()).unwrap_or(0)];
    let mut before: Option<&Rollup> = None;
    for rollup in rollups {
        if let Some(place) = steps.index(rollup.start).and_then(|n| points.get_mut(n)) {
            let near = before.filter(|b| b.start + steps.width >= rollup.start);
            *place = value(rollup, near, aggregate);
        }
        before = Some(rollup);
    }
    points
}

#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds are far below 2^53")]
fn value(rollup: &Rollup, before: Option<&Rollup>, aggregate: Aggregate) -> Option<f64> {
    match aggregate {
        Aggregate::Min => Some(rollup.min),
        Aggregate::Max => Some(rollup.max),
        Aggregate::Avg => Some(rollup.sum / rollup.count as f64),
        Aggregate::Sum => Some(rollup.sum),
        Aggregate::Count => Some(rollup.count as f64),
        Aggregate::Last => Some(rollup.last),
        // Over the time that really passed between the samples, never over the nominal length.
        Aggregate::Rate => {
            let (growth, since) = match before {
                Some(b) => (growth_between(b.last, rollup.first) + rollup.growth, b.last_time),
                None => (rollup.growth, rollup.first_time),
            };
            let seconds = (rollup.last_time - since) as f64 / 1000.0;
            (seconds > 0.0).then(|| growth / seconds)
        }
        Aggregate::P50 | Aggregate::P95 | Aggregate::P99 => rollup.sketch.quantile(aggregate.quantile()?),
    }
}
