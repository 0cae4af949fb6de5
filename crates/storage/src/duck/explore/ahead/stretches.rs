//! Which parts of a range are read from hours, which from minutes, and which from slices.

use std::collections::{BTreeSet, HashSet};

use crate::dimension::TOTAL;
use crate::duck::chart::Steps;
use crate::duck::explore::source::Source;
use crate::duck::rows::REST;
use crate::error::StoreError;
use crate::partition::{HOUR, Kind, Partition};
use crate::port::Resolution;
use crate::rollup::bucket;
use crate::tenant::lock;

/// Parts of a range, in order, half-open; they do not overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    pub(super) hours: Vec<(i64, i64)>,
    pub(super) minutes: Vec<(i64, i64)>,
    pub(super) slices: Vec<(i64, i64)>,
    /// Parts of hours that are rolled up, which are read from slices, too; each is of one hour.
    pub(super) ends: Vec<(i64, i64)>,
}

impl Stretches {
    /// The coarsest of what they are read from.
    pub(super) fn resolution(&self) -> Resolution {
        match (self.hours.is_empty(), self.minutes.is_empty(), self.of_slices().is_empty()) {
            (false, _, _) => Resolution::Hour,
            (true, true, false) => Resolution::Raw,
            _ => Resolution::Minute,
        }
    }
}

impl Stretches {
    /// All that is read from slices.
    pub(super) fn of_slices(&self) -> Vec<(i64, i64)> {
        let mut all = [&self.slices[..], &self.ends[..]].concat();
        all.sort_unstable();
        all
    }

    /// The ends by themselves; none when there is no whole hour between them, because then there is little else.
    pub(super) fn apart(mut self) -> (Self, Vec<(i64, i64)>) {
        if self.hours.is_empty() {
            return (self, Vec::new());
        }
        let ends = std::mem::take(&mut self.ends);
        (self, ends)
    }
}

impl Source<'_> {
    /// Hours of the steps that are rolled up.
    pub(super) fn rolled(&self, steps: Steps) -> BTreeSet<i64> {
        let done = lock(&self.tenant.done);
        let fits = |hour: &i64| *hour >= steps.from && *hour + HOUR <= steps.to;
        done.iter().filter(|(kind, _)| *kind == Kind::FlowHours).map(|h| h.1).filter(fits).collect()
    }

    fn is_rolled(&self, hour: i64) -> bool {
        lock(&self.tenant.done).contains(&(Kind::FlowHours, hour))
    }

    /// What the steps are read from: hours that are `rolled`, but for those that shall come `from_slices`; else minutes, but for those
    /// that have not every value of the dimension or are gone.
    pub(super) fn stretches(
        &self,
        code: u8,
        steps: Steps,
        rolled: &BTreeSet<i64>,
        from_slices: &BTreeSet<i64>,
    ) -> Result<Stretches, StoreError> {
        let mut found = Stretches::default();
        rolled.difference(from_slices).for_each(|hour| push(&mut found.hours, (*hour, hour + HOUR)));
        let crowded = self.crowded(code, steps, rolled)?;
        let days = |kind| -> BTreeSet<i32> {
            self.tenant.files.within(kind, steps.from, steps.to).iter().map(|file| file.day).collect()
        };
        let (minutes, slices) = (days(Kind::FlowMinutes), days(Kind::Flows));
        for day in minutes.union(&slices) {
            let file = Partition { kind: Kind::Flows, day: *day };
            for hour in (0..24).map(|n| file.start() + n * HOUR) {
                let part = (hour.max(steps.from), (hour + HOUR).min(steps.to));
                if part.0 >= part.1 || (rolled.contains(&hour) && !from_slices.contains(&hour)) {
                    continue;
                }
                let summed = minutes.contains(day) && !crowded.contains(&hour) && !from_slices.contains(&hour);
                let whole = part == (hour, hour + HOUR);
                if summed || !slices.contains(day) {
                    push(&mut found.minutes, part);
                } else if whole || from_slices.contains(&hour) || !self.is_rolled(hour) {
                    push(&mut found.slices, part);
                } else {
                    found.ends.push(part);
                }
            }
        }
        Ok(found)
    }

    /// Hours, other than those, with a minute that has not every value of a dimension.
    fn crowded(&self, code: u8, steps: Steps, rolled: &BTreeSet<i64>) -> Result<HashSet<i64>, StoreError> {
        let mut found = HashSet::new();
        if code == TOTAL {
            return Ok(found);
        }
        for file in self.hold(Kind::FlowMinutes, steps)? {
            let hours = (0..24).map(|n| file.partition.start() + n * HOUR);
            let mut open = Vec::new();
            hours.filter(|hour| !rolled.contains(hour)).for_each(|hour| push(&mut open, (hour, hour + HOUR)));
            if open.is_empty() {
                continue;
            }
            let sql = format!(
                "SELECT DISTINCT bucket FROM {}.sums WHERE dimension = {code} AND {REST} AND ({})",
                file.alias,
                ranges("bucket", &open)
            );
            let mut select = self.connection.prepare(&sql).map_err(StoreError::Query)?;
            let mut rows = select.query([]).map_err(StoreError::Query)?;
            while let Some(row) = rows.next().map_err(StoreError::Query)? {
                found.insert(bucket(row.get(0).map_err(StoreError::Query)?, HOUR));
            }
        }
        Ok(found)
    }
}

/// Adds a part that comes after all others.
fn push(list: &mut Vec<(i64, i64)>, part: (i64, i64)) {
    match list.last_mut() {
        Some(last) if last.1 == part.0 => last.1 = part.1,
        _ => list.push(part),
    }
}

/// The condition that a time is in one of the parts.
pub(super) fn ranges(time: &str, parts: &[(i64, i64)]) -> String {
    let one = |(from, to): &(i64, i64)| format!("({time} >= {from} AND {time} < {to})");
    parts.iter().map(one).collect::<Vec<_>>().join(" OR ")
}
