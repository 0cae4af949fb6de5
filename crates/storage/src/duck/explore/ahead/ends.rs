//! The ends of a range that lie within hours that are rolled up.
//!
//! Such an hour tells how much a value may have carried in any part of it. With the whole hours between the ends that is enough to
//! say which values may be among the largest at all: these alone are read from the slices of the ends, and all others are one sum.
//! It is the threshold argument by which answers made of hours are told exact (ADR 0011), used before anything is read.

use std::collections::BTreeMap;

use super::Each;
use super::stretches::Stretches;
use crate::dimension::Dimension;
use crate::duck::explore::Period;
use crate::duck::explore::source::Source;
use crate::duck::rows::{REST, slice_rows, slice_sums, slice_total};
use crate::error::StoreError;
use crate::partition::{HOUR, Kind};
use crate::rollup::bucket;

/// Values that are read from the slices, beside as many as there shall be groups.
const SPARE: usize = 1000;
/// Fewer conversations than that for each group are as quickly read one by one.
const FLOWS_A_GROUP: u64 = 2000;

/// The same value in two tables.
const SAME: &str = "a.hi0 = b.hi0 AND a.lo0 = b.lo0 AND a.text0 IS NOT DISTINCT FROM b.text0";

impl Source<'_> {
    /// What a table of values, made of everything but the ends, lacks of them: rows as those of [`Source::rows`], and how much of the
    /// bounds each covers. The hours of the ends come to the bounds when some of their values are not told apart.
    pub(super) fn ends(
        &self,
        table: &str,
        dimension: Dimension,
        parts: &[(i64, i64)],
        period: Period,
        bounds: &mut BTreeMap<i64, u64>,
    ) -> Result<String, StoreError> {
        if let Some(most) = self.prune(table, dimension, parts, period)? {
            let bound = most.values().fold(0_u64, |sum, most| sum.saturating_add(*most));
            bounds.extend(most);
            return self.of_wanted(dimension, parts, bound);
        }
        let slices = Stretches { slices: parts.to_vec(), ..Stretches::default() };
        Ok(format!("SELECT *, 0::UBIGINT AS covered FROM ({})", self.rows(Some(dimension), &slices, Each::Value)?))
    }

    /// Makes the table `wanted` of all values that may be needed; gives the most that one of all others may have carried, by hour. None
    /// when that is not sure, or not worth it.
    fn prune(
        &self,
        table: &str,
        dimension: Dimension,
        parts: &[(i64, i64)],
        period: Period,
    ) -> Result<Option<BTreeMap<i64, u64>>, StoreError> {
        let hours: Vec<i64> = parts.iter().map(|(from, _)| bucket(*from, HOUR)).collect();
        let (limit, ranked) = (self.query.limit, period == Period::Now);
        let few = FLOWS_A_GROUP.saturating_mul(limit as u64);
        if limit == 0 || self.conversations(&hours.iter().copied().collect())? < few {
            return Ok(None);
        }
        let hours =
            Stretches { hours: hours.iter().map(|hour| (*hour, hour + HOUR)).collect(), ..Stretches::default() };
        let rest = REST.replace("key_hi", "hi0").replace("key_lo", "lo0").replace("key_text", "text0");
        let rows = self.rows(Some(dimension), &hours, Each::Slice)?;
        let may = format!(
            "SELECT bucket, key_hi AS hi0, key_lo AS lo0, key_text AS text0, measure FROM ({rows}) WHERE NOT ({REST})"
        );
        let values = match period {
            Period::Before => "SELECT hi0, lo0, text0, 0 AS known FROM top".to_owned(),
            Period::Now => format!(
                "SELECT hi0, lo0, text0, sum(known) AS known
                 FROM (SELECT hi0, lo0, text0, measure AS known, measure FROM {table} WHERE NOT ({rest})
                   UNION ALL SELECT hi0, lo0, text0, 0, measure FROM ({may}))
                 GROUP BY hi0, lo0, text0 ORDER BY sum(measure) DESC LIMIT {}",
                limit.saturating_add(SPARE)
            ),
        };
        self.run(&format!("CREATE OR REPLACE TEMP TABLE wanted AS {values}"))?;
        // Another one has a row in the hour, or none.
        let mut most = self.bounds(dimension.code().unwrap_or_default(), &hours)?;
        let others = format!(
            "SELECT a.bucket, max(a.measure)::UBIGINT FROM ({may}) a ANTI JOIN wanted b ON {SAME} GROUP BY a.bucket"
        );
        self.each(&others, |row| {
            let (hour, carried) = (row.get(0)?, row.get::<_, u64>(1)?);
            most.entry(hour).and_modify(|most| *most = carried.max(*most)).or_insert(carried);
            Ok(())
        })?;
        let bound = most.values().fold(0_u64, |sum, most| sum.saturating_add(*most));
        let proof = format!(
            "SELECT (SELECT known FROM wanted ORDER BY known DESC LIMIT 1 OFFSET {}) > {bound}::HUGEINT
               + coalesce((SELECT max(a.measure) FROM {table} a ANTI JOIN wanted b ON {SAME} WHERE NOT ({rest})), 0)",
            limit - 1
        );
        let mut sure = !ranked;
        if ranked {
            self.each(&proof, |row| {
                sure = row.get::<_, Option<bool>>(0)?.unwrap_or(false);
                Ok(())
            })?;
        }
        Ok(sure.then_some(most))
    }

    /// What each of the wanted values carried in those parts, and all others together.
    fn of_wanted(&self, dimension: Dimension, parts: &[(i64, i64)], bound: u64) -> Result<String, StoreError> {
        let (measure, mut few, mut all) = (self.query.measure, Vec::new(), Vec::new());
        let text = if dimension.is_text() { " AND k.key_text IS NOT DISTINCT FROM w.text0" } else { "" };
        for (file, within) in self.files_of(Kind::Flows, parts, "ended")? {
            let rows = slice_rows(Some(dimension), &file, &format!("tunnel IS NULL AND ({within})"));
            let only =
                format!("SELECT k.* FROM ({rows}) k SEMI JOIN wanted w ON k.key_hi = w.hi0 AND k.key_lo = w.lo0{text}");
            few.push(slice_sums(dimension, &only, measure));
            all.push(slice_total(dimension, &rows, measure));
        }
        let (few, all, max) = (few.join(" UNION ALL "), all.join(" UNION ALL "), u64::MAX);
        let columns = ["measure", "octets_in", "octets_out"];
        let sums = columns.map(|c| format!("coalesce(sum({c}), 0)::HUGEINT AS {c}")).join(", ");
        let each = columns.map(|c| format!("coalesce({c}, 0)::UBIGINT AS {c}")).join(", ");
        let rest = columns.map(|c| format!("greatest(a.{c} - f.{c}, 0)::UBIGINT AS {c}")).join(", ");
        Ok(format!(
            "WITH few AS MATERIALIZED ({few})
             SELECT 0::BIGINT AS bucket, b.hi0 AS key_hi, b.lo0 AS key_lo, b.text0 AS key_text, {each}, {bound}::UBIGINT AS covered
             FROM wanted b LEFT JOIN (SELECT key_hi AS hi0, key_lo AS lo0, key_text AS text0, {sums} FROM few GROUP BY ALL) a ON {SAME}
             UNION ALL SELECT 0, {max}, {max}, NULL, {rest}, 0 FROM (SELECT {sums} FROM ({all})) a, (SELECT {sums} FROM few) f"
        ))
    }
}
