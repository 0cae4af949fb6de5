//! Hours of flows: what each value of a dimension carried in an hour, made of its minutes or, where those have too many values, of the
//! slices.
//!
//! An hour keeps all values of a dimension while they are few beside the flows of the hour. Else it keeps those that carried most, and two
//! rows for all others: one with what they carried together ([`REST`]), and one with the most that any single one of them carried
//! ([`BOUND`](crate::duck::rows::BOUND)). From these it is told later whether an answer made of hours is exact; where it is not, the
//! slices are read.

use duckdb::{Connection, Error};

use crate::dimension::{Dimension, TOTAL};
use crate::duck::rows::{BOUND_LO, REST, slice_rows, sum};
use crate::partition::HOUR;

/// Values of a dimension that an hour always keeps.
const MIN_VALUES: u64 = 1000;
/// All are kept when there are so many flows for each.
const FLOWS_FOR_ALL: u64 = 3;
/// Else, for so many flows, one value that carried most.
const FLOWS_A_VALUE: u64 = 32;

/// Makes the sums of an hour anew, of the minutes in `minutes` and the slices in `slices`, within an open transaction.
pub(super) fn roll(to: &Connection, alias: &str, minutes: &str, slices: Option<&str>, hour: i64) -> Result<(), Error> {
    let within = format!("bucket >= {hour} AND bucket < {}", hour + HOUR);
    to.execute(&format!("DELETE FROM {alias}.sums WHERE bucket = ?"), [hour])?;
    let crowded = crowded(to, minutes, &within)?;
    let others = crowded.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let others = if others.is_empty() { String::new() } else { format!("AND dimension NOT IN ({others})") };
    let sums = sums();
    to.execute_batch(&format!(
        "INSERT INTO {alias}.sums SELECT {hour}, dimension, key_hi, key_lo, key_text, {sums}
         FROM {minutes}.sums WHERE {within} {others} GROUP BY ALL ORDER BY dimension, key_hi, key_lo, key_text"
    ))?;
    let known = format!("SELECT coalesce({}, 0)::UBIGINT, coalesce({}, 0)::UBIGINT", sum("octets"), sum("flows"));
    let total: (u64, u64) =
        to.query_row(&format!("{known} FROM {minutes}.sums WHERE {within} AND dimension = {TOTAL}"), [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
    for code in crowded {
        let Some(dimension) = Dimension::ALL.into_iter().find(|d| d.code() == Some(code)) else { continue };
        let whole = match slices {
            Some(slices) => gather(to, dimension, slices, hour, total.0)?,
            None => false,
        };
        if whole {
            keep(to, alias, code, hour, total.1)?;
        } else {
            unknown(to, alias, minutes, code, hour, &within)?;
        }
    }
    to.execute_batch("DROP TABLE IF EXISTS temp.gathered")
}

/// The sums of all columns.
fn sums() -> String {
    let columns = ["octets", "l2_octets", "packets", "flows", "octets_in", "octets_out"];
    columns.map(|column| format!("{} AS {column}", sum(column))).join(", ")
}

/// Dimensions of which some minute has not every value.
fn crowded(to: &Connection, minutes: &str, within: &str) -> Result<Vec<u8>, Error> {
    let sql = format!("SELECT DISTINCT dimension FROM {minutes}.sums WHERE {within} AND {REST} ORDER BY dimension");
    to.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Sums the slices of an hour by a dimension; says whether they are all there: retention may have deleted some.
fn gather(to: &Connection, dimension: Dimension, slices: &str, hour: i64, octets: u64) -> Result<bool, Error> {
    let within = format!("ended >= {hour} AND ended < {} AND tunnel IS NULL", hour + HOUR);
    let all: u64 = to.query_row(
        &format!("SELECT coalesce({}, 0)::UBIGINT FROM {slices}.flow WHERE {within}", sum("f_octets + r_octets")),
        [],
        |row| row.get(0),
    )?;
    if all < octets {
        return Ok(false);
    }
    let (rows, sums) = (slice_rows(Some(dimension), &format!("{slices}.flow"), &within), sums());
    to.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE gathered AS SELECT key_hi, key_lo, key_text, {sums} FROM ({rows}) GROUP BY ALL"
    ))?;
    Ok(true)
}

/// Writes what was gathered: all of it, or the values that carried most, the rest, and the most that one of the rest carried.
fn keep(to: &Connection, alias: &str, code: u8, hour: i64, flows: u64) -> Result<(), Error> {
    let values: u64 = to.query_row("SELECT count(*) FROM gathered", [], |row| row.get(0))?;
    let row = format!("INSERT INTO {alias}.sums SELECT {hour}, {code}::UTINYINT");
    if values <= (flows / FLOWS_FOR_ALL).max(MIN_VALUES) {
        return to.execute_batch(&format!("{row}, * FROM gathered ORDER BY key_hi, key_lo, key_text"));
    }
    let most = (flows / FLOWS_A_VALUE).max(MIN_VALUES);
    // Octets tell values apart that have as many packets or flows, so that the three lists have much in common.
    let largest = ["octets DESC", "packets DESC, octets DESC", "flows DESC, octets DESC"]
        .map(|order| format!("SELECT place FROM (SELECT rowid AS place FROM gathered ORDER BY {order} LIMIT {most})"))
        .join(" UNION ");
    let largest_of = ["octets", "l2_octets", "packets", "flows"].map(|c| format!("max({c})::UBIGINT")).join(", ");
    let (max, bound, sums) = (u64::MAX, BOUND_LO, sums());
    to.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE largest AS {largest};
         {row}, * FROM gathered WHERE rowid IN (SELECT place FROM largest) ORDER BY key_hi, key_lo, key_text;
         {row}, {max}, {max}, NULL, {sums} FROM gathered WHERE rowid NOT IN (SELECT place FROM largest);
         {row}, {max}, {bound}, NULL, {largest_of}, 0, 0 FROM gathered WHERE rowid NOT IN (SELECT place FROM largest);
         DROP TABLE largest;"
    ))
}

/// Slices are missing: everything of the hour is in values that have no row.
fn unknown(to: &Connection, alias: &str, minutes: &str, code: u8, hour: i64, within: &str) -> Result<(), Error> {
    to.execute_batch(&format!(
        "INSERT INTO {alias}.sums SELECT {hour}, {code}::UTINYINT, {max}, {max}, NULL, {sums}
         FROM {minutes}.sums WHERE {within} AND dimension = {TOTAL}",
        max = u64::MAX,
        sums = sums()
    ))
}

/// The statement that fills a rewritten file of sums. Days stay together, so that a question about one reads no month.
pub(super) fn rewritten(alias: &str) -> String {
    format!(
        "INSERT INTO rewritten.sums
         SELECT * FROM (SELECT bucket, dimension, key_hi, key_lo, key_text, {} FROM {alias}.sums GROUP BY ALL)
         ORDER BY bucket // 86400000, dimension, key_hi, key_lo, key_text, bucket",
        sums()
    )
}
