//! For how long of each step anything was observed: rates are over that time, and what was not observed is a gap and no zero.
//!
//! A minute was observed when capture said in it how full its ring is, which it does every second, whether or not there is traffic. The
//! first and the last minute of a stretch count from its first and to its last sample. A minute without such a sample counts whole when
//! flows were recorded in it: agents that only send flows have no ring. For steps of an hour or more that second rule looks at hours.
//!
//! Limits: it is about all agents of the workspace together, and about 64 of their interfaces.

use std::collections::HashSet;

use duckdb::Connection;
use netwatch_model::Metric;

use super::Source;
use crate::dimension::TOTAL;
use crate::duck::chart::{Steps, minutes};
use crate::error::StoreError;
use crate::partition::{HOUR, Kind, MINUTE};
use crate::rollup::{Rollup, bucket};
use crate::tenant::lock;

/// Series that tell when capture ran.
const MOST_SERIES: usize = 64;

/// Milliseconds of each step, until a time, in which anything was observed.
pub(super) fn observed(source: &Source<'_>, steps: Steps, until: i64) -> Result<Vec<u64>, StoreError> {
    let mut spans = Spans { steps, until, lengths: vec![0; usize::try_from(steps.count()).unwrap_or(0)] };
    let sampled = sampled(source, steps)?;
    let mut known: HashSet<i64> = HashSet::with_capacity(sampled.len());
    for (n, (start, first, last)) in sampled.iter().enumerate() {
        known.insert(*start);
        let joins = |other: Option<&(i64, i64, i64)>, at: i64| other.is_some_and(|o| o.0 == at);
        let begins = n.checked_sub(1).and_then(|n| sampled.get(n));
        let from = if joins(begins, start - MINUTE) { *start } else { *first };
        let to = if joins(sampled.get(n + 1), start + MINUTE) { start + MINUTE } else { (*last).max(from + 1000) };
        spans.add(from, to.min(start + MINUTE));
    }
    let mut open_from = steps.from;
    if steps.width >= HOUR {
        let hours = source.buckets(Kind::FlowHours, steps)?;
        let sampled: HashSet<i64> = known.iter().map(|minute| bucket(*minute, HOUR)).collect();
        hours.iter().filter(|hour| !sampled.contains(hour)).for_each(|hour| spans.add(*hour, hour + HOUR));
        let done = lock(&source.tenant.done);
        let last = done.iter().filter(|(kind, _)| *kind == Kind::FlowHours).map(|(_, hour)| hour + HOUR).max();
        open_from = last.unwrap_or(open_from).clamp(steps.from, steps.to);
    }
    for minute in source.buckets(Kind::FlowMinutes, Steps { from: open_from, ..steps })? {
        if !known.contains(&minute) {
            spans.add(minute, minute + MINUTE);
        }
    }
    Ok(spans.lengths)
}

/// Minutes with a sample of capture, each with the times of the first and the last one, in order.
fn sampled(source: &Source<'_>, steps: Steps) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    let numbers: Vec<u32> = {
        let dictionary = source.tenant.dictionary.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let of_capture = dictionary.iter().filter(|(_, key)| key.series.metric == Metric::RingFill);
        of_capture.map(|(number, _)| number).take(MOST_SERIES).collect()
    };
    let rollups = minutes(source.tenant, source.connection, source.budget, &numbers, steps)?;
    let mut found: Vec<(i64, i64, i64)> = rollups
        .iter()
        .flatten()
        .map(|Rollup { start, first_time, last_time, .. }| (*start, *first_time, *last_time))
        .collect();
    found.sort_unstable();
    found.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.min(next.1);
            kept.2 = kept.2.max(next.2);
        }
        same
    });
    Ok(found)
}

impl Source<'_> {
    /// Minutes or hours in which flows were recorded.
    fn buckets(&self, kind: Kind, steps: Steps) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        for file in self.hold(kind, steps)? {
            let sql = format!(
                "SELECT DISTINCT bucket FROM {}.sums WHERE dimension = {TOTAL} AND bucket >= ? AND bucket < ?",
                file.alias
            );
            let mut select = prepare(self.connection, &sql)?;
            let mut rows = select.query([steps.from, steps.to]).map_err(StoreError::Query)?;
            while let Some(row) = rows.next().map_err(StoreError::Query)? {
                found.push(row.get(0).map_err(StoreError::Query)?);
            }
        }
        Ok(found)
    }
}

fn prepare<'a>(connection: &'a Connection, sql: &str) -> Result<duckdb::Statement<'a>, StoreError> {
    connection.prepare(sql).map_err(StoreError::Query)
}

/// Adds stretches of time to the steps in which they lie.
struct Spans {
    steps: Steps,
    /// Nothing is added after that.
    until: i64,
    lengths: Vec<u64>,
}

impl Spans {
    fn add(&mut self, from: i64, to: i64) {
        let Steps { from: start, to: end, width } = self.steps;
        let (mut from, to) = (from.max(start), to.min(end).min(self.until));
        while from < to {
            let step = (from - start).div_euclid(width);
            let until = to.min(start + (step + 1) * width);
            if let Some(length) = usize::try_from(step).ok().and_then(|n| self.lengths.get_mut(n)) {
                *length = (*length + (until - from).unsigned_abs()).min(width.unsigned_abs());
            }
            from = until;
        }
    }
}
