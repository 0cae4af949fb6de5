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

/// Parts at most that are read by themselves.
const MAX_PARTS: usize = 24;

/// Parts of a range, in order, half-open; they do not overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    pub(super) hours: Vec<(i64, i64)>,
    pub(super) minutes: Vec<(i64, i64)>,
    pub(super) slices: Vec<(i64, i64)>,
}

impl Stretches {
    /// The coarsest of what they are read from.
    pub(super) fn resolution(&self) -> Resolution {
        match (self.hours.is_empty(), self.minutes.is_empty(), self.slices.is_empty()) {
            (false, _, _) => Resolution::Hour,
            (true, true, false) => Resolution::Raw,
            _ => Resolution::Minute,
        }
    }
}

impl Source<'_> {
    /// Hours of the steps that are rolled up.
    pub(super) fn rolled(&self, steps: Steps) -> BTreeSet<i64> {
        let done = lock(&self.tenant.done);
        let fits = |hour: &i64| *hour >= steps.from && *hour + HOUR <= steps.to;
        done.iter().filter(|(kind, _)| *kind == Kind::FlowHours).map(|h| h.1).filter(fits).collect()
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
                let list = if summed || !slices.contains(day) { &mut found.minutes } else { &mut found.slices };
                push(list, part);
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
                "SELECT DISTINCT bucket FROM ({}) WHERE dimension = {code} AND {REST}",
                within(&format!("{}.sums", file.alias), "bucket", &open)
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

/// The rows of a table in those parts, as a query. Each part is read by itself: DuckDB leaves out row groups by a range of time, and not
/// by alternatives of such.
pub(super) fn within(table: &str, time: &str, parts: &[(i64, i64)]) -> String {
    let range = |(from, to): &(i64, i64)| format!("{time} >= {from} AND {time} < {to}");
    let some = parts.chunks(parts.len().div_ceil(MAX_PARTS).max(1)).map(|some| {
        let condition = match some {
            [first, .., last] => {
                let each: Vec<_> = some.iter().map(range).collect();
                format!("{} AND ({})", range(&(first.0, last.1)), each.join(" OR "))
            }
            one => one.iter().map(range).collect(),
        };
        format!("SELECT * FROM {table} WHERE {condition}")
    });
    some.collect::<Vec<_>>().join(" UNION ALL ")
}

#[cfg(test)]
mod tests {
    use super::{MAX_PARTS, within};

    #[test]
    fn parts_are_read_by_themselves_as_long_as_they_are_few() {
        assert_eq!(
            within("f.flow", "ended", &[(1, 3), (5, 9)]),
            "SELECT * FROM f.flow WHERE ended >= 1 AND ended < 3 UNION ALL SELECT * FROM f.flow WHERE ended >= 5 AND ended < 9"
        );
        let many: Vec<(i64, i64)> = (0..100).map(|n| (n * 10, n * 10 + 5)).collect();
        let sql = within("f.flow", "ended", &many);
        assert_eq!(sql.matches("SELECT").count(), 100_usize.div_ceil(100_usize.div_ceil(MAX_PARTS)));
        assert!(
            sql.starts_with("SELECT * FROM f.flow WHERE ended >= 0 AND ended < 45 AND (ended >= 0 AND ended < 5 OR ")
        );
        assert!(many.iter().all(|(from, to)| sql.contains(&format!("ended >= {from} AND ended < {to}"))));
    }
}
