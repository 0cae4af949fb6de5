//! The tables of each kind of file. No keys, no indexes: rows are only appended, and a file is rewritten when its day is over.

use crate::partition::Kind;

/// Version of the tables and of what is packed in them. A file of another version is set aside, but for those from [`OLDEST`] on.
pub(crate) const VERSION: u32 = 3;
/// Files since that version are read as they are, and become files of [`VERSION`]: what is packed in 3 says of each block how it is packed.
pub(crate) const OLDEST: u32 = 2;

/// How far the log is stored in this file (its largest value counts), and which version of the tables it has.
const COMMON: &str = "CREATE TABLE progress(position UBIGINT);
CREATE TABLE format(version UINTEGER, compacted UINTEGER);
INSERT INTO format VALUES (3, 0);";

/// Which series the chunks of this file belong to.
const SERIES: &str = "CREATE TABLE series(id UINTEGER, agent UBIGINT, metric VARCHAR, labels VARCHAR);";

/// Chunks of samples ([`crate::chunk`]).
const SAMPLES: &str = "CREATE TABLE chunk(series UINTEGER, first BIGINT, last BIGINT, count UINTEGER,
  data BLOB USING COMPRESSION uncompressed);";

/// Chunks of rollups ([`crate::rollup`]); sketches apart, because most charts need none.
const ROLLUPS: &str = "CREATE TABLE chunk(series UINTEGER, first BIGINT, last BIGINT, count UINTEGER,
  data BLOB USING COMPRESSION uncompressed, sketches BLOB USING COMPRESSION uncompressed);";

/// Hours that are rolled up in this file.
const DONE: &str = "CREATE TABLE done(hour BIGINT);";

/// Hours of this file that got rows after they were rolled up.
const LATE: &str = "CREATE TABLE late(hour BIGINT);";

const FLOWS: &str = "CREATE TABLE flow(
  ended BIGINT, lasted UBIGINT, agent UBIGINT, boot UBIGINT, slot UINTEGER, generation UINTEGER,
  src_hi UBIGINT, src_lo UBIGINT, dst_hi UBIGINT, dst_lo UBIGINT,
  src_port USMALLINT, dst_port USMALLINT, protocol UTINYINT, icmp_id USMALLINT,
  interface VARCHAR, vlan UBIGINT, tunnel UTINYINT, tunnel_id UINTEGER,
  f_packets UBIGINT, f_octets UBIGINT, f_extra BIGINT, r_packets UBIGINT, r_octets UBIGINT, r_extra BIGINT,
  way UTINYINT, octets_in UBIGINT, octets_out UBIGINT,
  state UTINYINT, reason UTINYINT, application VARCHAR, name VARCHAR, name_source UTINYINT,
  process VARCHAR, pid UINTEGER, usr VARCHAR, container VARCHAR,
  f_flags UTINYINT, r_flags UTINYINT, server_rtt UINTEGER, client_rtt UINTEGER, response_time UINTEGER,
  retransmitted UINTEGER, r_retransmitted UINTEGER, out_of_order UINTEGER, r_out_of_order UINTEGER,
  duplicates UINTEGER, r_duplicates UINTEGER, zero_windows UINTEGER, r_zero_windows UINTEGER, flows UBIGINT);";

const SUMS: &str =
    "CREATE TABLE sums(bucket BIGINT, dimension UTINYINT, key_hi UBIGINT, key_lo UBIGINT, key_text VARCHAR,
  octets UBIGINT, l2_octets UBIGINT, packets UBIGINT, flows UBIGINT, octets_in UBIGINT, octets_out UBIGINT);";

const EVENTS: &str =
    "CREATE TABLE event(time BIGINT, agent UBIGINT, kind VARCHAR, severity UTINYINT, subject VARCHAR, text VARCHAR);";

/// What is asked for stands in columns, all of it in `body`, as JSON.
const RESULTS: &str =
    "CREATE TABLE result(started BIGINT, agent UBIGINT, probe_hi UBIGINT, probe_lo UBIGINT, kind VARCHAR,
  failure VARCHAR, body VARCHAR);";

/// What makes the tables of a new file.
pub(crate) const fn tables(kind: Kind) -> [&'static str; 4] {
    match kind {
        Kind::Samples => [COMMON, SERIES, SAMPLES, ""],
        Kind::SampleMinutes => [COMMON, SERIES, ROLLUPS, LATE],
        Kind::SampleHours => [COMMON, SERIES, ROLLUPS, DONE],
        Kind::Flows => [COMMON, FLOWS, "", ""],
        Kind::FlowMinutes => [COMMON, SUMS, LATE, ""],
        Kind::FlowHours => [COMMON, SUMS, DONE, ""],
        Kind::Events => [COMMON, EVENTS, "", ""],
        Kind::ProbeResults => [COMMON, RESULTS, "", ""],
    }
}
