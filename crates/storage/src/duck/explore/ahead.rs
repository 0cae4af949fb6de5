//! Answers made of sums: all flows by at most one of the dimensions that are summed ahead, in whole minutes.
//!
//! The largest values are found first, of hours wherever they are rolled up; only of those the steps are read. Minutes that do not have
//! every value of the dimension are read from the slices instead.
//!
//! Hours may have the values that carried most, and for the others nothing but the most that a single one of them carried. The answer
//! is exact when every group has a row in each such hour, and no other value can have reached the last group. When that does not hold,
//! those hours are read from their slices, as far as these are kept and are not too many ([`MAX_SLICES`]); beyond that the answer says
//! by how much it may be short.

mod stretches;

use std::collections::{BTreeMap, BTreeSet};

use super::Tables;
use super::source::{Source, step_of};
use crate::dimension::{Dimension, TOTAL};
use crate::duck::chart::Steps;
use crate::duck::rows::{BOUND, REST, slice_rows, slice_sums, sum};
use crate::error::StoreError;
use crate::partition::{HOUR, Kind, MINUTE, Partition};
use crate::port::Resolution;

use stretches::{Stretches, within};

/// Conversations at most of hours that are read from their slices although they are rolled up.
const MAX_SLICES: u64 = 20_000_000;

/// What has a row where slices are read.
#[derive(Clone, Copy)]
enum Each {
    /// Every slice, with its time.
    Slice,
    /// Every value, whenever it was.
    Value,
}

/// What the table of a dimension was made of.
pub(super) struct Ahead {
    dimension: Dimension,
    stretches: Stretches,
    /// Hours that have only the largest values, with the most that another one carried.
    bounds: BTreeMap<i64, u64>,
}

impl Ahead {
    fn code(&self) -> u8 {
        self.dimension.code().unwrap_or(TOTAL)
    }

    /// The most that a value without a row in any of those hours carried in all of them.
    fn bound(&self) -> u64 {
        self.bounds.values().fold(0, |sum, most| sum.saturating_add(*most))
    }
}

impl Source<'_> {
    /// Makes the tables of a question that sums can answer; none for another one.
    pub(super) fn make_ahead(&self, name: &str, steps: Steps) -> Result<Option<(Resolution, Tables)>, StoreError> {
        let dimension = match &self.query.dimensions[..] {
            [] => None,
            [one] if one.code().is_some() => Some(*one),
            _ => return Ok(None),
        };
        if self.query.filter.is_some() || steps.from % MINUTE != 0 || steps.width % MINUTE != 0 {
            return Ok(None);
        }
        let stretches = self.stretches(TOTAL, steps, &self.coarse(steps), &BTreeSet::new())?;
        let total = format!("{}_{name}", if dimension.is_some() { "total" } else { "keyed" });
        let rows = self.rows(None, &stretches, Each::Slice)?;
        self.by_step(&total, &rows, steps)?;
        let Some(dimension) = dimension else {
            return Ok(Some((stretches.resolution(), Tables::of(&total))));
        };
        let ahead = self.sum_up(&format!("keyed_{name}"), dimension, steps, &BTreeSet::new())?;
        let fine = self.fine(&ahead, steps)?;
        let lanes = if self.query.step.is_some() { format!("points_{name}") } else { format!("keyed_{name}") };
        let tables = Tables { keyed: format!("keyed_{name}"), lanes, total, ahead: Some(ahead) };
        Ok(Some((fine.resolution(), tables)))
    }

    /// Sees to it that the values of the table `top` are right, and makes their steps. `ranked`: that they are the largest, too.
    pub(super) fn settle(&self, tables: &mut Tables, steps: Steps, ranked: bool) -> Result<Settled, StoreError> {
        let Some(ahead) = &tables.ahead else { return Ok(Settled::default()) };
        if ahead.bounds.is_empty() || self.is_exact(tables, ahead, ranked)? {
            return Ok(Settled::default());
        }
        let kept: BTreeSet<i64> = ahead.bounds.keys().copied().filter(|hour| self.has(Kind::Flows, *hour)).collect();
        if kept.is_empty() || self.conversations(&kept)? > MAX_SLICES {
            return Ok(Settled { short_by: ahead.bound(), anew: None });
        }
        let ahead = self.sum_up(&tables.keyed, ahead.dimension, steps, &kept)?;
        let short_by = ahead.bound();
        let anew = Some(self.fine(&ahead, steps)?.resolution());
        tables.ahead = Some(ahead);
        Ok(Settled { short_by, anew })
    }

    /// Makes the table of steps of the values in `top`; all others are one.
    pub(super) fn make_points(&self, tables: &Tables, steps: Steps) -> Result<(), StoreError> {
        let Some(ahead) = &tables.ahead else { return Ok(()) };
        if self.query.step.is_none() {
            return Ok(());
        }
        let rows = self.rows(Some(ahead.dimension), &self.fine(ahead, steps)?, Each::Slice)?;
        let step = step_of("k.bucket", steps);
        self.run(&format!(
            "CREATE TEMP TABLE {} AS SELECT t.hi0, t.lo0, t.text0, {step} AS step, {} AS measure, {} AS octets_in, {} AS octets_out
             FROM ({rows}) k LEFT JOIN top t ON k.key_hi = t.hi0 AND k.key_lo = t.lo0 AND k.key_text IS NOT DISTINCT FROM t.text0
             GROUP BY ALL",
            tables.lanes,
            sum("k.measure"),
            sum("k.octets_in"),
            sum("k.octets_out")
        ))
    }

    /// Hours that may be taken as they are for steps of this length.
    fn coarse(&self, steps: Steps) -> BTreeSet<i64> {
        let whole = self.query.step.is_none() || steps.width % HOUR == 0;
        if whole { self.rolled(steps) } else { BTreeSet::new() }
    }

    /// What steps of values are made of.
    fn fine(&self, ahead: &Ahead, steps: Steps) -> Result<Stretches, StoreError> {
        if self.query.step.is_none() || steps.width % HOUR == 0 {
            return Ok(ahead.stretches.clone());
        }
        self.stretches(ahead.code(), steps, &BTreeSet::new(), &BTreeSet::new())
    }

    /// Makes the table of values, with those hours read from their slices.
    fn sum_up(
        &self,
        table: &str,
        dimension: Dimension,
        steps: Steps,
        from_slices: &BTreeSet<i64>,
    ) -> Result<Ahead, StoreError> {
        let code = dimension.code().unwrap_or(TOTAL);
        let stretches = self.stretches(code, steps, &self.rolled(steps), from_slices)?;
        let bounds = self.bounds(code, &stretches)?;
        let rows = self.rows(Some(dimension), &stretches, Each::Value)?;
        let (text, group) = if dimension.is_text() { ("key_text", ", key_text") } else { ("NULL::VARCHAR", "") };
        let list = bounds.iter().map(|(hour, most)| format!("({hour}::BIGINT, {most}::UBIGINT)")).collect::<Vec<_>>();
        let (covered, join) = if list.is_empty() {
            ("0::UBIGINT".to_owned(), String::new())
        } else {
            let join = format!("LEFT JOIN (VALUES {}) b(hour, most) ON bucket = b.hour", list.join(", "));
            (sum("coalesce(b.most, 0)"), join)
        };
        self.run(&format!(
            "CREATE OR REPLACE TEMP TABLE {table} AS SELECT key_hi AS hi0, key_lo AS lo0, {text} AS text0, {}::BIGINT AS step,
               {} AS measure, {} AS octets_in, {} AS octets_out, {covered} AS covered
             FROM ({rows}) {join} GROUP BY key_hi, key_lo{group}",
            steps.from,
            sum("measure"),
            sum("octets_in"),
            sum("octets_out")
        ))?;
        Ok(Ahead { dimension, stretches, bounds })
    }

    fn by_step(&self, table: &str, rows: &str, steps: Steps) -> Result<(), StoreError> {
        let step = step_of("bucket", steps);
        self.run(&format!(
            "CREATE TEMP TABLE {table} AS SELECT {step} AS step, {} AS measure, {} AS octets_in, {} AS octets_out
             FROM ({rows}) GROUP BY ALL",
            sum("measure"),
            sum("octets_in"),
            sum("octets_out")
        ))
    }

    /// The rows of a dimension, or of everything, as a query: time, key, what is measured, octets in and out.
    fn rows(&self, dimension: Option<Dimension>, stretches: &Stretches, each: Each) -> Result<String, StoreError> {
        let code = dimension.and_then(Dimension::code).unwrap_or(TOTAL);
        let measure = self.query.measure.column();
        let columns = format!("bucket, key_hi, key_lo, key_text, {measure}::UBIGINT AS measure, octets_in, octets_out");
        let mut parts = Vec::new();
        for (kind, list) in [(Kind::FlowHours, &stretches.hours), (Kind::FlowMinutes, &stretches.minutes)] {
            for rows in self.rows_of(kind, list)? {
                parts.push(format!("SELECT {columns} FROM ({rows}) WHERE dimension = {code} AND NOT ({BOUND})"));
            }
        }
        for rows in self.rows_of(Kind::Flows, &stretches.slices)? {
            let rows = slice_rows(dimension, &format!("({rows})"), "tunnel IS NULL");
            parts.push(match each {
                Each::Slice => format!("SELECT {columns} FROM ({rows})"),
                Each::Value => slice_sums(dimension, &rows, self.query.measure),
            });
        }
        let nothing =
            "SELECT 0::BIGINT AS bucket, 0::UBIGINT AS key_hi, 0::UBIGINT AS key_lo, NULL::VARCHAR AS key_text,
            0::UBIGINT AS measure, 0::UBIGINT AS octets_in, 0::UBIGINT AS octets_out WHERE false";
        Ok(if parts.is_empty() { nothing.to_owned() } else { parts.join(" UNION ALL ") })
    }

    /// The rows of each file of a kind in those stretches, as queries.
    fn rows_of(&self, kind: Kind, list: &[(i64, i64)]) -> Result<Vec<String>, StoreError> {
        let (Some(first), Some(last)) = (list.first(), list.last()) else { return Ok(Vec::new()) };
        let files = self.hold(kind, Steps { from: first.0, to: last.1, width: MINUTE })?;
        let (table, time) = if kind == Kind::Flows { ("flow", "ended") } else { ("sums", "bucket") };
        let parts = files.iter().map(|file| {
            let (start, end) = (file.partition.start(), file.partition.end());
            let here = list.iter().map(|(a, b)| (*a.max(&start), *b.min(&end))).filter(|(a, b)| a < b);
            within(&format!("{}.{table}", file.alias), time, &here.collect::<Vec<_>>())
        });
        Ok(parts.filter(|rows| !rows.is_empty()).collect())
    }

    /// Hours of which not every value has a row, with the most that one of those without carried; at least one.
    fn bounds(&self, code: u8, stretches: &Stretches) -> Result<BTreeMap<i64, u64>, StoreError> {
        let measure = self.query.measure.column();
        let mut bounds = BTreeMap::new();
        // What all of the others carried together is the bound of hours that have none, and of minutes whose slices are gone.
        for (kind, list) in [(Kind::FlowHours, &stretches.hours), (Kind::FlowMinutes, &stretches.minutes)] {
            for rows in self.rows_of(kind, list)? {
                let sql = format!(
                    "SELECT bucket, least(coalesce(max({measure}) FILTER (WHERE {BOUND}), sum({measure}) FILTER (WHERE {REST})), {})::UBIGINT
                     FROM ({rows}) WHERE dimension = {code} AND (({BOUND}) OR ({REST})) GROUP BY bucket",
                    u64::MAX
                );
                self.each(&sql, |row| {
                    bounds.insert(row.get(0)?, row.get::<_, u64>(1)?.max(1));
                    Ok(())
                })?;
            }
        }
        Ok(bounds)
    }

    /// Whether the groups lack nothing, and, when `ranked`, no other value can be larger.
    fn is_exact(&self, tables: &Tables, ahead: &Ahead, ranked: bool) -> Result<bool, StoreError> {
        let (keyed, bound, most) = (&tables.keyed, ahead.bound(), u64::MAX);
        let same = "k.hi0 = t.hi0 AND k.lo0 = t.lo0 AND k.text0 IS NOT DISTINCT FROM t.text0";
        let rest = REST.replace("key_hi", "k.hi0").replace("key_lo", "k.lo0").replace("key_text", "k.text0");
        let sql = format!(
            "SELECT (SELECT coalesce(min(coalesce(k.covered, 0)), {bound})::UBIGINT FROM top t LEFT JOIN {keyed} k ON {same}),
               (SELECT least(coalesce(max(k.measure::HUGEINT + {bound}::HUGEINT - k.covered), 0), {most})::UBIGINT FROM {keyed} k ANTI JOIN top t ON {same}
                WHERE k.covered < {bound}::UBIGINT AND NOT ({rest})),
               (SELECT count(*) FROM top)::UBIGINT, (SELECT coalesce(min(measure), 0) FROM top)::UBIGINT"
        );
        let mut exact = false;
        self.each(&sql, |row| {
            let [covered, next, groups, least]: [u64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let is_full = groups >= self.query.limit as u64;
            // Of equal values the lesser keys come first: one that is not known for sure must be smaller.
            exact = covered >= bound && (!ranked || (is_full && next.max(bound) < least));
            Ok(())
        })?;
        Ok(exact)
    }

    /// Conversations that began in those hours.
    fn conversations(&self, hours: &BTreeSet<i64>) -> Result<u64, StoreError> {
        let mut began = 0_u64;
        let list: Vec<(i64, i64)> = hours.iter().map(|hour| (*hour, hour + HOUR)).collect();
        for rows in self.rows_of(Kind::FlowHours, &list)? {
            let sql = format!("SELECT coalesce({}, 0)::UBIGINT FROM ({rows}) WHERE dimension = {TOTAL}", sum("flows"));
            self.each(&sql, |row| {
                began = began.saturating_add(row.get(0)?);
                Ok(())
            })?;
        }
        Ok(began)
    }

    /// Whether there is a file of that kind for that time.
    pub(super) fn has(&self, kind: Kind, time: i64) -> bool {
        let partition = Partition::at(kind, time);
        self.tenant.files.within(kind, partition.start(), partition.end()).contains(&partition)
    }

    fn each(
        &self,
        sql: &str,
        mut work: impl FnMut(&duckdb::Row<'_>) -> Result<(), duckdb::Error>,
    ) -> Result<(), StoreError> {
        let mut select = self.connection.prepare(sql).map_err(StoreError::Query)?;
        let mut rows = select.query([]).map_err(StoreError::Query)?;
        while let Some(row) = rows.next().map_err(StoreError::Query)? {
            work(row).map_err(StoreError::Query)?;
        }
        Ok(())
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        if self.budget.cancel.is_cancelled() {
            return Err(crate::duck::ask::cancelled(self.budget));
        }
        self.connection.execute_batch(sql).map_err(StoreError::Query)
    }
}

/// What [`Source::settle`] found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settled {
    /// The most that a group lacks, and that a value that is no group may have more than the last one.
    pub(super) short_by: u64,
    /// The table of values was made anew, of this.
    pub(super) anew: Option<Resolution>,
}
