//! Rows on their way into a file: one transaction for each file and flush, with the position of the log inside it.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::{Connection, Error};
use netwatch_model::people::ProbeId;
use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Event};

use super::columns::{Columns, append_parts, in_parts};
use super::files::Attached;
use crate::address::{halves, split};
use crate::dictionary::{SeriesKey, labels_text, metric_word};
use crate::error::StoreError;
use crate::slices::Slice;
use crate::tally::{Key, Sums, vlan};

/// Packed samples or rollups of one series.
#[derive(Debug, Default)]
pub(crate) struct ChunkRow {
    pub(crate) series: u32,
    /// Time of the first sample, or start of the first bucket.
    pub(crate) first: i64,
    /// Time of the last sample, or start of the last bucket.
    pub(crate) last: i64,
    /// Samples, or rollups.
    pub(crate) count: u32,
    pub(crate) data: Vec<u8>,
    /// Of rollups.
    pub(crate) sketches: Option<Vec<u8>>,
}

/// Runs `work` in a transaction on a file and notes `position` in it.
pub(crate) fn transact(
    connection: &Connection,
    file: &Attached,
    position: Option<u64>,
    work: impl FnOnce(&Connection, &str) -> Result<(), Error>,
) -> Result<(), StoreError> {
    let alias = &file.alias;
    let run = || {
        connection.execute_batch("BEGIN")?;
        work(connection, alias)?;
        if let Some(position) = position {
            connection.execute(&format!("INSERT INTO {alias}.progress VALUES (?)"), [position])?;
        }
        connection.execute_batch("COMMIT")
    };
    run().map_err(|source| {
        if let Err(e) = connection.execute_batch("ROLLBACK") {
            tracing::debug!(error = %e, "nothing to roll back");
        }
        StoreError::Write { path: file.path.clone(), source }
    })
}

/// Adds chunks.
pub(crate) fn chunks(to: &Connection, alias: &str, rows: &[ChunkRow]) -> Result<(), Error> {
    let columns = Columns::default()
        .u32(rows.iter().map(|r| r.series).collect())
        .i64(rows.iter().map(|r| r.first).collect())
        .i64(rows.iter().map(|r| r.last).collect())
        .u32(rows.iter().map(|r| r.count).collect())
        .bytes(rows.iter().map(|r| r.data.as_slice()));
    let columns = match rows.first().and_then(|r| r.sketches.as_ref()) {
        Some(_) => columns.bytes(rows.iter().map(|r| r.sketches.as_deref().unwrap_or_default())),
        None => columns,
    };
    columns.append(to, alias, "chunk")
}

/// Lists series in a file.
pub(crate) fn series(to: &Connection, alias: &str, list: &[(u32, SeriesKey)]) -> Result<(), Error> {
    let (metrics, labels): (Vec<_>, Vec<_>) =
        list.iter().map(|(_, key)| (metric_word(key.series.metric), labels_text(&key.series))).unzip();
    Columns::default()
        .u32(list.iter().map(|s| s.0).collect())
        .u64(list.iter().map(|s| s.1.agent.0).collect())
        .text(metrics.iter().map(|m| Some(m.as_str())))
        .text(labels.iter().map(|l| Some(l.as_str())))
        .append(to, alias, "series")
}

/// Notes hours that changed after they were rolled up.
pub(crate) fn late(to: &Connection, alias: &str, hours: &BTreeSet<i64>) -> Result<(), Error> {
    Columns::default().i64(hours.iter().copied().collect()).append(to, alias, "late")
}

/// Adds sums of flows.
pub(crate) fn sums(to: &Connection, alias: &str, rows: &[(i64, Key, Sums)]) -> Result<(), Error> {
    let number = |f: fn(&Sums) -> u64| rows.iter().map(|r| f(&r.2)).collect();
    Columns::default()
        .i64(rows.iter().map(|r| r.0).collect())
        .u8(rows.iter().map(|r| r.1.dimension).collect())
        .u64(rows.iter().map(|r| r.1.number.0).collect())
        .u64(rows.iter().map(|r| r.1.number.1).collect())
        .text(rows.iter().map(|r| r.1.text.as_deref()))
        .u64(number(|s| s.octets))
        .u64(number(|s| s.l2_octets))
        .u64(number(|s| s.packets))
        .u64(number(|s| s.flows))
        .u64(number(|s| s.octets_in))
        .u64(number(|s| s.octets_out))
        .append(to, alias, "sums")
}

/// Adds events.
pub(crate) fn events(to: &Connection, alias: &str, rows: &[(AgentId, Event)]) -> Result<(), Error> {
    let kinds: Vec<String> = rows.iter().map(|r| super::event_word(r.1.kind)).collect();
    Columns::default()
        .i64(rows.iter().map(|r| r.1.time.millis()).collect())
        .u64(rows.iter().map(|r| r.0.0).collect())
        .text(kinds.iter().map(|k| Some(k.as_str())))
        .u8(rows.iter().map(|r| r.1.severity as u8).collect())
        .text(rows.iter().map(|r| Some(r.1.subject.raw())))
        .text(rows.iter().map(|r| Some(r.1.text.raw())))
        .append(to, alias, "event")
}

/// Adds results of probes.
pub(crate) fn results(to: &Connection, alias: &str, rows: &[&ProbeResult]) -> Result<(), Error> {
    let id = |r: &&ProbeResult| r.probe.map_or(0, ProbeId::bits);
    let failures: Vec<Option<String>> = rows.iter().map(|r| r.failure.as_ref().map(super::failure_word)).collect();
    let bodies: Vec<String> = rows.iter().map(|r| serde_json::to_string(r).unwrap_or_default()).collect();
    Columns::default()
        .i64(rows.iter().map(|r| r.start.millis()).collect())
        .u64(rows.iter().map(|r| r.agent.0).collect())
        .u64(rows.iter().map(|r| split(id(r)).0).collect())
        .u64(rows.iter().map(|r| split(id(r)).1).collect())
        .text(rows.iter().map(|r| Some(r.kind.name())))
        .text(failures.iter().map(|f| f.as_deref()))
        .text(bodies.iter().map(|b| Some(b.as_str())))
        .append(to, alias, "result")
}

/// Which counters are the octets that came in: 0 the reverse ones, 1 the forward ones, 2 neither.
fn way(s: &Slice) -> u8 {
    let (forward, reverse) = (s.forward.octets, s.reverse.octets);
    match s.interface_octets {
        i if i == [reverse, forward] => 0,
        i if i == [forward, reverse] => 1,
        _ => 2,
    }
}

/// Layer-2 octets beyond those of a plain Ethernet header for each packet: mostly zero, and then free.
fn extra(c: netwatch_model::Counters) -> i64 {
    let plain = c.octets.saturating_add(c.packets.saturating_mul(14));
    c.l2_octets.wrapping_sub(plain).cast_signed()
}

fn micros(time: Option<std::time::Duration>) -> Option<u32> {
    time.map(|t| u32::try_from(t.as_micros()).unwrap_or(u32::MAX))
}

/// The columns of slices of flows.
pub(crate) fn flow_columns(rows: &[Slice]) -> Vec<Columns> {
    in_parts(rows, |part| tail(head(Columns::default(), part), part))
}

/// Adds slices of flows.
pub(crate) fn flows(to: &Connection, alias: &str, parts: Vec<Columns>) -> Result<(), Error> {
    append_parts(to, (alias, "flow"), parts)
}

fn head(columns: Columns, rows: &[Slice]) -> Columns {
    let (source, destination): (Vec<_>, Vec<_>) =
        rows.iter().map(|s| (halves(s.record.source), halves(s.record.destination))).unzip();
    let explicit = |s: &Slice, n: usize| if way(s) == 2 { s.interface_octets[n] } else { 0 };
    columns
        .i64(rows.iter().map(|s| s.end).collect())
        .u64(rows.iter().map(|s| s.end.saturating_sub(s.start).max(0).cast_unsigned()).collect())
        .u64(rows.iter().map(|s| s.key.agent.0).collect())
        .u64(rows.iter().map(|s| s.key.boot.0).collect())
        .u32(rows.iter().map(|s| u32::try_from(s.key.id.bits() >> 32).unwrap_or(0)).collect())
        .u32(rows.iter().map(|s| u32::try_from(s.key.id.bits() & 0xffff_ffff).unwrap_or(0)).collect())
        .u64(source.iter().map(|a| a.0).collect())
        .u64(source.iter().map(|a| a.1).collect())
        .u64(destination.iter().map(|a| a.0).collect())
        .u64(destination.iter().map(|a| a.1).collect())
        .u16(rows.iter().map(|s| s.record.source_port).collect())
        .u16(rows.iter().map(|s| s.record.destination_port).collect())
        .u8(rows.iter().map(|s| s.record.protocol.0).collect())
        .u16(rows.iter().map(|s| s.record.icmp_id).collect())
        .text(rows.iter().map(|s| Some(s.record.interface.raw())))
        .u64(rows.iter().map(|s| vlan(s.record.vlan.as_slice())).collect())
        .maybe_u8(rows.iter().map(|s| s.record.tunnel.map(|t| t.kind as u8)).collect())
        .maybe_u32(rows.iter().map(|s| s.record.tunnel.map(|t| t.id)).collect())
        .u64(rows.iter().map(|s| s.forward.packets).collect())
        .u64(rows.iter().map(|s| s.forward.octets).collect())
        .i64(rows.iter().map(|s| extra(s.forward)).collect())
        .u64(rows.iter().map(|s| s.reverse.packets).collect())
        .u64(rows.iter().map(|s| s.reverse.octets).collect())
        .i64(rows.iter().map(|s| extra(s.reverse)).collect())
        .u8(rows.iter().map(way).collect())
        .u64(rows.iter().map(|s| explicit(s, 0)).collect())
        .u64(rows.iter().map(|s| explicit(s, 1)).collect())
}

fn tail(columns: Columns, rows: &[Slice]) -> Columns {
    let process = |s: &Slice| s.record.process.as_ref().map(Arc::clone);
    let processes: Vec<_> = rows.iter().map(process).collect();
    let mut columns = columns
        .u8(rows.iter().map(|s| s.record.state as u8).collect())
        .maybe_u8(rows.iter().map(|s| s.record.end_reason.map(|r| r as u8)).collect())
        .text(rows.iter().map(|s| Some(&*s.record.application)))
        .text(rows.iter().map(|s| s.record.name.as_ref().map(|n| n.0.raw())))
        .maybe_u8(rows.iter().map(|s| s.record.name.as_ref().map(|n| n.1 as u8)).collect())
        .text(processes.iter().map(|p| p.as_ref().map(|p| p.name.raw())))
        .maybe_u32(processes.iter().map(|p| p.as_ref().map(|p| p.pid)).collect())
        .text(processes.iter().map(|p| p.as_ref().map(|p| p.user.raw())))
        .text(processes.iter().map(|p| p.as_ref().and_then(|p| p.container.as_ref()).map(|c| c.raw())))
        .maybe_u8(rows.iter().map(|s| s.record.tcp.map(|t| t.flags)).collect())
        .maybe_u8(rows.iter().map(|s| s.record.tcp.map(|t| t.reverse_flags)).collect())
        .maybe_u32(rows.iter().map(|s| micros(s.record.tcp.and_then(|t| t.server_rtt))).collect())
        .maybe_u32(rows.iter().map(|s| micros(s.record.tcp.and_then(|t| t.client_rtt))).collect())
        .maybe_u32(rows.iter().map(|s| micros(s.record.tcp.and_then(|t| t.response_time))).collect());
    for n in 0..8 {
        columns = columns.maybe_u32(rows.iter().map(|s| s.record.tcp.map(|_| s.quality[n])).collect());
    }
    columns.u64(rows.iter().map(|s| s.flows).collect())
}
