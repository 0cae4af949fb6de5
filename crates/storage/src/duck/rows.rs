//! Flows as rows of SQL: which columns a dimension has, and which rows of sums stand for many values.

use crate::dimension::Dimension;
use crate::port::Measure;

/// IP octets that came in on the interface.
pub(crate) const OCTETS_IN: &str = "(CASE way WHEN 0 THEN r_octets WHEN 1 THEN f_octets ELSE octets_in END)";
/// IP octets that went out.
pub(crate) const OCTETS_OUT: &str = "(CASE way WHEN 0 THEN f_octets WHEN 1 THEN r_octets ELSE octets_out END)";
/// Lower half of the key of [`BOUND`].
pub(crate) const BOUND_LO: u64 = u64::MAX - 1;
/// Which rows stand for all values that have none of their own.
pub(crate) const REST: &str =
    "key_hi = 18446744073709551615::UBIGINT AND key_lo = 18446744073709551615::UBIGINT AND key_text IS NULL";
/// Which rows tell the most that one of those carried.
pub(crate) const BOUND: &str =
    "key_hi = 18446744073709551615::UBIGINT AND key_lo = 18446744073709551614::UBIGINT AND key_text IS NULL";

/// The sum of a column, in SQL; what no number holds is the largest one.
pub(crate) fn sum(column: &str) -> String {
    format!("least(sum({column}), {})::UBIGINT", u64::MAX)
}

/// Rows of [`slice_rows`] with one for each value: its key, what is measured, octets in and out, and a bucket that is none.
///
/// Slices have no counter that a BIGINT does not hold ([`MOST_OCTETS`](crate::slices::MOST_OCTETS)). From such columns DuckDB can tell
/// that a sum of theirs needs no more than 64 bits either, and adds up in half the time. Octets of a host are those that it received
/// and sent, so that they need no sum of their own.
pub(crate) fn slice_sums(dimension: Option<Dimension>, rows: &str, measure: Measure) -> String {
    let big = |column: &str| format!("TRY_CAST({column} AS BIGINT)");
    let [read, sent] = ["octets_in", "octets_out"].map(|column| sum(&big(column)));
    let measured = match (dimension, measure) {
        (Some(Dimension::Host), Measure::Octets) => {
            format!("least({read}::HUGEINT + {sent}::HUGEINT, {})::UBIGINT", u64::MAX)
        }
        _ => sum(&big(measure.column())),
    };
    let (text, group) = match dimension {
        Some(dimension) if dimension.is_text() => ("key_text", ", key_text"),
        _ => ("NULL::VARCHAR", ""),
    };
    format!(
        "SELECT 0::BIGINT AS bucket, key_hi, key_lo, {text} AS key_text, {measured} AS measure, {read} AS octets_in, {sent} AS octets_out
         FROM ({rows}) GROUP BY key_hi, key_lo{group}"
    )
}

/// Slices, of a table or a query in parentheses, as rows of sums by a dimension, or by none, with their end as bucket; with hosts as
/// dimension one for each end of a conversation.
pub(crate) fn slice_rows(dimension: Option<Dimension>, slices: &str, within: &str) -> String {
    let select = |[hi, lo, text]: [&str; 3], read: &str, sent: &str, condition: &str| {
        format!(
            "SELECT ended AS bucket, {hi} AS key_hi, {lo} AS key_lo, {text} AS key_text, f_octets + r_octets AS octets,
               ((f_octets + r_octets + 14 * (f_packets + r_packets))::BIGINT + f_extra + r_extra)::UBIGINT AS l2_octets,
               f_packets + r_packets AS packets, flows, {read} AS octets_in, {sent} AS octets_out
             FROM {slices} WHERE {within}{condition}"
        )
    };
    if dimension != Some(Dimension::Host) {
        let nothing = ["0::UBIGINT", "0::UBIGINT", "NULL::VARCHAR"];
        return select(dimension.map_or(nothing, columns), OCTETS_IN, OCTETS_OUT, "");
    }
    let (source, destination) = (columns(Dimension::Source), columns(Dimension::Destination));
    let other = " AND NOT (src_hi = dst_hi AND src_lo = dst_lo)";
    format!(
        "{} UNION ALL {}",
        select(source, "r_octets", "f_octets", ""),
        select(destination, "f_octets", "r_octets", other)
    )
}

/// The three columns of a dimension that is stored.
pub(crate) const fn columns(dimension: Dimension) -> [&'static str; 3] {
    const NONE: &str = "0::UBIGINT";
    const TEXTLESS: &str = "NULL::VARCHAR";
    match dimension {
        Dimension::Host => ["host_hi", "host_lo", TEXTLESS],
        Dimension::Source => ["src_hi", "src_lo", TEXTLESS],
        Dimension::Destination => ["dst_hi", "dst_lo", TEXTLESS],
        Dimension::SourcePort => [NONE, "src_port::UBIGINT", TEXTLESS],
        Dimension::Port => ["protocol::UBIGINT", "dst_port::UBIGINT", TEXTLESS],
        Dimension::Protocol => [NONE, "protocol::UBIGINT", TEXTLESS],
        Dimension::Vlan => [NONE, "vlan", TEXTLESS],
        Dimension::Agent => [NONE, "agent", TEXTLESS],
        Dimension::Application => [NONE, NONE, "application"],
        Dimension::Name => [NONE, NONE, "name"],
        Dimension::Process => [NONE, NONE, "process"],
        Dimension::User => [NONE, NONE, "usr"],
        Dimension::Container => [NONE, NONE, "container"],
        Dimension::Interface => [NONE, NONE, "interface"],
        _ => [NONE, NONE, TEXTLESS],
    }
}
