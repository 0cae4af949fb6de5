//! Rollups as they are kept, for whoever makes more of them than a chart.

use std::sync::PoisonError;

use duckdb::Connection;
use netwatch_model::Timestamp;

use super::super::ask::cancelled;
use super::Reader;
use crate::dictionary::{SeriesKey, label_parts, metric_name};
use crate::error::StoreError;
use crate::partition::{HOUR, Kind, Partition};
use crate::port::{Bucket, BucketLine, BucketQuery, Buckets, Budget, Resolution};
use crate::rollup::{self, Rollup, bucket};
use crate::tenant::{Tenant, lock};

/// The buckets of all series that fit.
pub(crate) fn buckets(
    tenant: &Tenant,
    from: &Connection,
    query: &BucketQuery,
    budget: &Budget,
) -> Result<Buckets, StoreError> {
    let (series, more) = chosen(tenant, query);
    let reader = Reader { tenant, connection: from, budget, sketches: false };
    let numbers: Vec<u32> = series.iter().map(|s| s.0).collect();
    let (start, end) = query.span.millis();
    let start = bucket(start, HOUR);
    let is_coarse = query.finest == Resolution::Hour;
    let minutes_from = tenant.files.within(Kind::SampleMinutes, i64::MIN, i64::MAX).first().map(|p| p.start());
    let split = minutes_from.unwrap_or(i64::MAX).clamp(start, end);
    let mut lines: Vec<Vec<Bucket>> = vec![Vec::new(); numbers.len()];
    let mut gather = Gather { rows: 0, budget, lines: &mut lines };
    if is_coarse {
        for (place, rollups) in reader.read(Resolution::Hour, &numbers, start, end, HOUR)?.into_iter().enumerate() {
            gather.add(place, &rollups)?;
        }
    } else {
        if start < split {
            reader.kept(Kind::SampleHours, &numbers, (start, split), &mut gather)?;
        }
        reader.kept(Kind::SampleMinutes, &numbers, (split, end), &mut gather)?;
    }
    let lines = series.into_iter().zip(lines).map(|((_, key), mut buckets)| {
        buckets.sort_by_key(|b| (b.first, b.last));
        BucketLine { key, buckets }
    });
    Ok(Buckets {
        lines: lines.collect(),
        more,
        minutes_from: minutes_from.filter(|_| !is_coarse).map(Timestamp::from_millis),
    })
}

/// The series that fit, in the order of their numbers.
fn chosen(tenant: &Tenant, query: &BucketQuery) -> (Vec<(u32, SeriesKey)>, bool) {
    let dictionary = tenant.dictionary.read().unwrap_or_else(PoisonError::into_inner);
    let has = |key: &SeriesKey| {
        let mut labels = key.series.labels.iter().filter_map(label_parts);
        labels.any(|(name, value)| name == query.label && query.values.contains(value))
            && query.metrics.contains(&metric_name(&key.series))
    };
    let found = dictionary.iter().filter(|(_, key)| has(key)).map(|(n, key)| (n, key.clone()));
    let mut series: Vec<(u32, SeriesKey)> = found.take(query.limit.saturating_add(1)).collect();
    let more = series.len() > query.limit;
    series.truncate(query.limit);
    (series, more)
}

/// Buckets on their way into an answer.
struct Gather<'a> {
    rows: usize,
    budget: &'a Budget,
    lines: &'a mut [Vec<Bucket>],
}

impl Gather<'_> {
    fn add(&mut self, place: usize, rollups: &[Rollup]) -> Result<(), StoreError> {
        self.rows += rollups.len();
        if self.rows > self.budget.max_rows {
            let rows = self.budget.max_rows;
            return Err(StoreError::TooExpensive(format!("more than {rows} buckets: ask for a shorter range")));
        }
        if self.budget.cancel.is_cancelled() {
            return Err(cancelled(self.budget));
        }
        if let Some(line) = self.lines.get_mut(place) {
            line.extend(rollups.iter().map(of));
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// The rollups of a kind, file by file, so that only what the answer needs of them is in memory.
    fn kept(
        &self,
        kind: Kind,
        numbers: &[u32],
        (from, to): (i64, i64),
        gather: &mut Gather<'_>,
    ) -> Result<(), StoreError> {
        let files = self.tenant.files.within(kind, from, to);
        for partition in files {
            let (start, end) = (partition.start().max(from), partition.end().min(to));
            let rolled = |hour| kind != Kind::SampleHours || self.is_rolled(hour);
            let mut series: Vec<Vec<Rollup>> = vec![Vec::new(); numbers.len()];
            self.rollups(kind, numbers, start, end, &mut series, rolled)?;
            for (place, rollups) in series.into_iter().enumerate() {
                gather.add(place, &rollup::join(rollups, width(partition)))?;
            }
        }
        Ok(())
    }

    fn is_rolled(&self, hour: i64) -> bool {
        lock(&self.tenant.done).contains(&(Kind::SampleHours, hour))
    }
}

fn width(partition: Partition) -> i64 {
    if partition.kind == Kind::SampleHours { HOUR } else { crate::partition::MINUTE }
}

fn of(rollup: &Rollup) -> Bucket {
    Bucket {
        first: Timestamp::from_millis(rollup.first_time),
        last: Timestamp::from_millis(rollup.last_time),
        count: rollup.count,
        sum: rollup.sum,
        first_value: rollup.first,
        last_value: rollup.last,
    }
}
