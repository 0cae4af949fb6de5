//! Pages of flow records, events and results of probes, the newest first.
//!
//! Files are asked one after the other, the newest first, until the page is full: a page of a long range reads no more than it must.

use std::time::Duration;

use duckdb::types::Value as Bound;
use duckdb::{Connection, Error, Row};
use netwatch_model::{
    AgentId, Counters, EndReason, Event, FlowId, FlowRecord, FlowState, NameSource, Process, Protocol, Severity,
    TcpMetrics, Timestamp, Tunnel, TunnelKind, Untrusted,
};

use super::ask::cancelled;
use super::files::Attached;
use super::filter::{Clause, pattern};
use super::rows::{OCTETS_IN, OCTETS_OUT};
use crate::address::{split, whole};
use crate::error::StoreError;
use crate::partition::{Kind, Span};
use crate::port::{Budget, Cursor, EventPage, EventQuery, FlowPage, FlowQuery, ResultPage, ResultQuery, StoredEvent};
use crate::tally::vlan_ids;
use crate::tenant::Tenant;

/// A page of a list.
struct Page<'a> {
    tenant: &'a Tenant,
    connection: &'a Connection,
    budget: &'a Budget,
    kind: Kind,
    span: Span,
    limit: usize,
    after: Option<Cursor>,
    /// Name of the table, and of its column with the time.
    table: (&'static str, &'static str),
    /// What is read besides row number and time.
    columns: String,
    clause: Clause,
}

impl Page<'_> {
    /// The rows of the page, and where the next one begins.
    fn read<T>(&self, row: fn(&Row<'_>) -> Result<Option<T>, Error>) -> Result<(Vec<T>, Option<Cursor>), StoreError> {
        let (from, to) = self.span.millis();
        let to = self.after.map_or(to, |c| to.min(c.time + 1));
        let mut items = Vec::new();
        for partition in self.tenant.files.within(self.kind, from, to).into_iter().rev() {
            let here = self.after.filter(|c| c.day == partition.day);
            let generation = self.tenant.files.generation(partition);
            if here.is_some_and(|c| c.generation != generation) {
                return Err(StoreError::StaleCursor);
            }
            let Some(file) = self.tenant.files.lease(partition)? else { continue };
            if self.budget.cancel.is_cancelled() {
                return Err(cancelled(self.budget));
            }
            let missing = self.limit + 1 - items.len();
            let found = self.file(&file, (from, to), here, missing, generation, row).map_err(StoreError::Query)?;
            items.extend(found);
            if items.len() > self.limit {
                items.truncate(self.limit);
                let next = items.last().map(|i| i.0);
                return Ok((items.into_iter().filter_map(|i| i.1).collect(), next));
            }
        }
        Ok((items.into_iter().filter_map(|i| i.1).collect(), None))
    }

    fn file<T>(
        &self,
        file: &Attached,
        (from, to): (i64, i64),
        after: Option<Cursor>,
        limit: usize,
        generation: u32,
        read: fn(&Row<'_>) -> Result<Option<T>, Error>,
    ) -> Result<Vec<(Cursor, Option<T>)>, Error> {
        let ((table, time), condition) = (self.table, &self.clause.sql);
        let later = match after {
            Some(c) => format!("AND ({time} < {} OR ({time} = {} AND rowid < {}))", c.time, c.time, c.row),
            None => String::new(),
        };
        let condition = if condition.is_empty() { "true" } else { condition };
        let sql = format!(
            "SELECT rowid, {time}, {} FROM {}.{table}
             WHERE {time} >= {from} AND {time} < {to} {later} AND {condition} ORDER BY {time} DESC, rowid DESC LIMIT {limit}",
            self.columns, file.alias
        );
        let mut select = self.connection.prepare(&sql)?;
        let mut rows = select.query(duckdb::params_from_iter(self.clause.values.iter()))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let cursor = Cursor { time: row.get(1)?, day: file.partition.day, row: row.get(0)?, generation };
            found.push((cursor, read(row)?));
        }
        Ok(found)
    }
}

/// Flow records, the last ended first.
pub(crate) fn flows(
    tenant: &Tenant,
    from: &Connection,
    query: &FlowQuery,
    budget: &Budget,
) -> Result<FlowPage, StoreError> {
    let page = Page {
        tenant,
        connection: from,
        budget,
        kind: Kind::Flows,
        span: query.span,
        limit: query.limit,
        after: query.after,
        table: ("flow", "ended"),
        columns: format!(
            "lasted, agent, slot, generation, src_hi, src_lo, dst_hi, dst_lo, src_port, dst_port, protocol, icmp_id, interface, vlan,
             tunnel, tunnel_id, f_packets, f_octets, f_extra, r_packets, r_octets, r_extra, {OCTETS_IN}, {OCTETS_OUT}, state, reason,
             application, name, name_source, process, pid, usr, container, f_flags, r_flags, server_rtt, client_rtt, response_time,
             retransmitted, r_retransmitted, out_of_order, r_out_of_order, duplicates, r_duplicates, zero_windows, r_zero_windows,
             flows"
        ),
        clause: query.filter.as_deref().map(Clause::of).unwrap_or_default(),
    };
    let (flows, next) = page.read(|row| flow(row).map(Some))?;
    Ok(FlowPage { flows, next })
}

/// Events, the newest first.
pub(crate) fn events(
    tenant: &Tenant,
    from: &Connection,
    query: &EventQuery,
    budget: &Budget,
) -> Result<EventPage, StoreError> {
    let mut clause = Clause { sql: "true".to_owned(), values: Vec::new() };
    if !query.kinds.is_empty() {
        let places = vec!["?"; query.kinds.len()].join(", ");
        clause.sql.push_str(&format!(" AND kind IN ({places})"));
        clause.values.extend(query.kinds.iter().map(|k| Bound::Text(super::event_word(*k))));
    }
    if let Some(severity) = query.severity {
        clause.sql.push_str(" AND severity >= ?");
        clause.values.push(Bound::UTinyInt(severity as u8));
    }
    if let Some(glob) = &query.subject {
        clause.sql.push_str(" AND lower(subject) LIKE ? ESCAPE '\\'");
        clause.values.push(Bound::Text(pattern(glob)));
    }
    if let Some(text) = &query.text {
        clause.sql.push_str(" AND contains(lower(text), lower(?))");
        clause.values.push(Bound::Text(text.clone()));
    }
    let page = Page {
        tenant,
        connection: from,
        budget,
        kind: Kind::Events,
        span: query.span,
        limit: query.limit,
        after: query.after,
        table: ("event", "time"),
        columns: "agent, kind, severity, subject, text".to_owned(),
        clause,
    };
    let (events, next) = page.read(event)?;
    Ok(EventPage { events, next })
}

/// Results of probes, the newest first.
pub(crate) fn results(
    tenant: &Tenant,
    from: &Connection,
    query: &ResultQuery,
    budget: &Budget,
) -> Result<ResultPage, StoreError> {
    let mut clause = Clause { sql: "true".to_owned(), values: Vec::new() };
    let mut and = |condition: &str, values: Vec<Bound>| {
        clause.sql.push_str(condition);
        clause.values.extend(values);
    };
    if let Some(probe) = query.probe {
        let (high, low) = split(probe.bits());
        and(" AND probe_hi = ? AND probe_lo = ?", vec![Bound::UBigInt(high), Bound::UBigInt(low)]);
    }
    if let Some(agent) = query.agent {
        and(" AND agent = ?", vec![Bound::UBigInt(agent.0)]);
    }
    if let Some(kind) = query.kind {
        and(" AND kind = ?", vec![Bound::Text(kind.name().to_owned())]);
    }
    if query.failed {
        and(" AND failure IS NOT NULL", Vec::new());
    }
    let page = Page {
        tenant,
        connection: from,
        budget,
        kind: Kind::ProbeResults,
        span: query.span,
        limit: query.limit,
        after: query.after,
        table: ("result", "started"),
        columns: "body".to_owned(),
        clause,
    };
    let (results, next) = page.read(|row| Ok(serde_json::from_str(&row.get::<_, String>(2)?).ok()))?;
    Ok(ResultPage { results, next })
}

/// An event; `None` for a kind of a later version.
fn event(row: &Row<'_>) -> Result<Option<StoredEvent>, Error> {
    let kind: String = row.get(3)?;
    let severity = match row.get::<_, u8>(4)? {
        0 => Severity::Info,
        1 => Severity::Warning,
        _ => Severity::Critical,
    };
    let (subject, text): (String, String) = (row.get(5)?, row.get(6)?);
    let time = Timestamp::from_millis(row.get(1)?);
    let agent = AgentId(row.get(2)?);
    Ok(super::event_kind(&kind).map(|kind| StoredEvent {
        agent,
        event: Event { time, kind, severity, subject: Untrusted::new(&subject), text: Untrusted::message(&text) },
    }))
}

/// Reads columns one after the other.
struct Reader<'r, 's> {
    row: &'r Row<'s>,
    column: usize,
}

impl Reader<'_, '_> {
    fn next<T: duckdb::types::FromSql>(&mut self) -> Result<T, Error> {
        self.column += 1;
        self.row.get(self.column - 1)
    }

    fn text(&mut self) -> Result<Option<Untrusted>, Error> {
        Ok(self.next::<Option<String>>()?.map(|t| Untrusted::new(&t)))
    }

    fn counters(&mut self) -> Result<Counters, Error> {
        let (packets, octets, extra): (u64, u64, i64) = (self.next()?, self.next()?, self.next()?);
        let plain = octets.saturating_add(packets.saturating_mul(14));
        Ok(Counters { packets, octets, l2_octets: plain.saturating_add_signed(extra) })
    }

    fn micros(&mut self) -> Result<Option<Duration>, Error> {
        Ok(self.next::<Option<u32>>()?.map(|n| Duration::from_micros(n.into())))
    }

    fn count(&mut self) -> Result<u32, Error> {
        Ok(self.next::<Option<u32>>()?.unwrap_or(0))
    }
}

fn flow(row: &Row<'_>) -> Result<(AgentId, FlowRecord), Error> {
    let mut r = Reader { row, column: 1 };
    let (ended, lasted): (i64, u64) = (r.next()?, r.next()?);
    let agent = AgentId(r.next()?);
    let (slot, generation): (u32, u32) = (r.next()?, r.next()?);
    let (source, destination) = (whole(r.next()?, r.next()?), whole(r.next()?, r.next()?));
    let (source_port, destination_port) = (r.next()?, r.next()?);
    let (protocol, icmp_id) = (Protocol(r.next()?), r.next()?);
    let interface = r.text()?.unwrap_or_else(|| Untrusted::new(""));
    let vlan = vlan_ids(r.next()?).into_iter().collect();
    let tunnel = tunnel(r.next()?, r.next()?);
    let (forward, reverse) = (r.counters()?, r.counters()?);
    let interface_octets = [r.next()?, r.next()?];
    let state = FlowState::ALL.get(usize::from(r.next::<u8>()?)).copied().unwrap_or_default();
    let reason: Option<u8> = r.next()?;
    let application = r.next::<Option<String>>()?.unwrap_or_default();
    let (name, name_source) = (r.text()?, r.next::<Option<u8>>()?);
    let process = process(&mut r)?;
    let tcp = tcp(&mut r)?;
    let record = FlowRecord {
        id: FlowId::from_bits(u64::from(slot) << 32 | u64::from(generation)),
        interface,
        source,
        destination,
        source_port,
        destination_port,
        protocol,
        icmp_id,
        vlan,
        tunnel,
        start: Timestamp::from_millis(ended.saturating_sub_unsigned(lasted)),
        end: Timestamp::from_millis(ended),
        forward,
        reverse,
        interface_octets,
        state,
        tcp,
        end_reason: reason.and_then(|r| EndReason::ALL.into_iter().find(|e| *e as u8 == r)),
        application: application.into(),
        name: name.zip(name_source.and_then(source_of_name)),
        process,
        // A slice that goes on with a conversation begins none.
        conversations: r.next::<u64>()?.max(1),
    };
    Ok((agent, record))
}

fn tunnel(kind: Option<u8>, id: Option<u32>) -> Option<Tunnel> {
    let kind = [TunnelKind::Gre, TunnelKind::Vxlan, TunnelKind::Ipip].into_iter().find(|k| Some(*k as u8) == kind)?;
    Some(Tunnel { kind, id: id.unwrap_or(0) })
}

fn source_of_name(code: u8) -> Option<NameSource> {
    [NameSource::Dns, NameSource::Http, NameSource::Quic, NameSource::Tls].into_iter().find(|s| *s as u8 == code)
}

fn process(r: &mut Reader<'_, '_>) -> Result<Option<std::sync::Arc<Process>>, Error> {
    let (name, pid, user, container) = (r.text()?, r.next::<Option<u32>>()?, r.text()?, r.text()?);
    let user = user.unwrap_or_else(|| Untrusted::new(""));
    Ok(name.map(|name| std::sync::Arc::new(Process { pid: pid.unwrap_or(0), name, user, container })))
}

fn tcp(r: &mut Reader<'_, '_>) -> Result<Option<TcpMetrics>, Error> {
    let (flags, reverse_flags): (Option<u8>, Option<u8>) = (r.next()?, r.next()?);
    let metrics = TcpMetrics {
        flags: flags.unwrap_or(0),
        reverse_flags: reverse_flags.unwrap_or(0),
        server_rtt: r.micros()?,
        client_rtt: r.micros()?,
        response_time: r.micros()?,
        retransmitted: r.count()?,
        reverse_retransmitted: r.count()?,
        out_of_order: r.count()?,
        reverse_out_of_order: r.count()?,
        duplicates: r.count()?,
        reverse_duplicates: r.count()?,
        zero_windows: r.count()?,
        reverse_zero_windows: r.count()?,
    };
    Ok(flags.map(|_| metrics))
}
