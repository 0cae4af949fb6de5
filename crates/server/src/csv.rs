//! Lists as CSV (RFC 4180) for spreadsheets.
//!
//! Cells that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`, TAB or CR first) get an apostrophe in front: names come from the
//! network. Columns are those of the API types, nested ones by their path.

use std::collections::BTreeMap;
use std::fmt::Display;

use axum::http::uri::Uri;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use netwatch_api::audit::AuditRecord;
use netwatch_api::flow::{Flow, FlowPage, Format};
use netwatch_api::history::explore::{Exploration, HistoryGroup};
use netwatch_api::history::list::HistoryFlows;
use netwatch_api::page::Page;
use netwatch_api::range::AddressRange;
use netwatch_api::traffic::{Talker, Top};
use netwatch_api::uptime::Uptime;
use netwatch_storage::Dimension;

use crate::history::convert;

/// Whether the answer is to be CSV: by `format`, else by the first type that `Accept` names.
pub(crate) fn wanted(format: Option<Format>, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    let first = accept.split([',', ';']).next().unwrap_or("").trim();
    format.map_or_else(|| first.eq_ignore_ascii_case("text/csv"), |f| f == Format::Csv)
}

/// A table on its way out.
pub(crate) struct Csv {
    text: String,
    file: &'static str,
    next: Option<HeaderValue>,
}

impl Csv {
    /// Flows, one a line.
    pub(crate) fn flows(page: &FlowPage) -> Self {
        let mut csv = Self::new("flows.csv", FLOW_COLUMNS.iter().map(|(name, _)| *name));
        for flow in &page.items {
            csv.line(FLOW_COLUMNS.iter().map(|(_, cell)| cell(flow)));
        }
        csv
    }

    /// Stored flow records, one a line, with the agent that observed it.
    pub(crate) fn history_flows(page: &HistoryFlows) -> Self {
        let names = std::iter::once("agent").chain(FLOW_COLUMNS.iter().map(|(name, _)| *name));
        let mut csv = Self::new("history-flows.csv", names);
        for item in &page.items {
            let cells = FLOW_COLUMNS.iter().map(|(_, cell)| cell(&item.flow));
            csv.line(std::iter::once(item.agent.clone()).chain(cells));
        }
        csv
    }

    /// Groups of the flow explorer, then `other` and `total`; rates per second.
    pub(crate) fn exploration(answer: &Exploration) -> Self {
        let by: Vec<String> = answer.by.iter().map(|d| Dimension::as_str(convert::dimension(*d)).to_owned()).collect();
        let numbers = ["total", "min", "avg", "p95", "max", "octets_in", "octets_out", "previous"];
        let names = std::iter::once("row").chain(by.iter().map(String::as_str)).chain(numbers);
        let mut csv = Self::new("history.csv", names);
        let groups = answer.groups.iter().map(|g| ("group", g));
        for (row, group) in groups.chain([("other", &answer.other), ("total", &answer.total)]) {
            csv.line(history_group(row, group, by.len()));
        }
        csv
    }

    /// Names of address ranges, as they are read back.
    pub(crate) fn address_ranges(ranges: &[AddressRange]) -> Self {
        let mut csv = Self::new("address-ranges.csv", ["network", "name"]);
        for range in ranges {
            csv.line([range.network.clone(), range.name.clone()]);
        }
        csv
    }

    /// Talkers, then `other` and `total`.
    pub(crate) fn top(top: &Top) -> Self {
        let names = ["row", "key", "label", "octets", "packets", "octets_in", "octets_out", "flows", "filter"];
        let mut csv = Self::new("top.csv", names);
        let items = top.items.iter().map(|t| ("item", t));
        for (row, t) in items.chain([("other", &top.other), ("total", &top.total)]) {
            csv.line(talker(row, t));
        }
        csv
    }

    /// How long probes were up, one a line, in seconds.
    pub(crate) fn uptimes(list: &[Uptime]) -> Self {
        let mut csv = Self::new("uptime.csv", UPTIME_COLUMNS.iter().map(|(name, _)| *name));
        for uptime in list {
            csv.line(UPTIME_COLUMNS.iter().map(|(_, cell)| cell(uptime)));
        }
        csv
    }

    /// Records of the audit log, one a line; fields before and after as `name=value`, separated by semicolons.
    pub(crate) fn audit(page: &Page<AuditRecord>) -> Self {
        let names = [
            "sequence",
            "time",
            "actor",
            "user",
            "name",
            "address",
            "workspace",
            "action",
            "object_kind",
            "object_id",
            "object_name",
            "outcome",
            "before",
            "after",
            "previous",
            "hash",
        ];
        let mut csv = Self::new("audit.csv", names);
        for record in &page.items {
            csv.line(audit(record));
        }
        csv
    }

    /// Tells where the next page is (RFC 8288).
    pub(crate) fn next_page(mut self, uri: &Uri, cursor: Option<&str>) -> Self {
        let Some(cursor) = cursor else { return self };
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = form_urlencoded::parse(uri.query().unwrap_or("").as_bytes());
        query.extend_pairs(kept.filter(|(name, _)| name != "cursor")).append_pair("cursor", cursor);
        self.next = HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())).ok();
        self
    }

    fn new<'a>(file: &'static str, header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut csv = Self { text: String::new(), file, next: None };
        csv.line(header.into_iter().map(str::to_owned));
        csv
    }

    fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        for (i, cell) in cells.into_iter().enumerate() {
            if i > 0 {
                self.text.push(',');
            }
            push_cell(&mut self.text, &cell);
        }
        self.text.push_str("\r\n");
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let kind = "text/csv; charset=utf-8; header=present".to_owned();
        let name = format!("attachment; filename=\"{}\"", self.file);
        let mut response =
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], self.text).into_response();
        if let Some(next) = self.next {
            response.headers_mut().insert(header::LINK, next);
        }
        response
    }
}

fn audit(record: &AuditRecord) -> [String; 16] {
    let fields = |side: &Option<BTreeMap<String, String>>| {
        let pairs = side.iter().flatten().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    };
    [
        record.sequence.to_string(),
        record.time.to_string(),
        record.actor.kind.clone(),
        optional(record.actor.user),
        optional(record.actor.name.as_ref()),
        optional(record.address),
        optional(record.workspace),
        record.action.to_string(),
        record.object.kind.clone(),
        record.object.id.clone(),
        record.object.name.to_string(),
        record.outcome.to_string(),
        fields(&record.before),
        fields(&record.after),
        record.previous.to_string(),
        record.hash.to_string(),
    ]
}

/// One cell: quoted when it must be, defused when it begins like a formula.
fn push_cell(text: &mut String, cell: &str) {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = formula || cell.contains([',', '"', '\r', '\n']);
    if quoted {
        text.push('"');
    }
    if formula {
        text.push('\'');
    }
    for c in cell.chars() {
        if c == '"' {
            text.push('"');
        }
        text.push(c);
    }
    if quoted {
        text.push('"');
    }
}

fn talker(row: &str, t: &Talker) -> [String; 9] {
    let numbers = [t.octets, t.packets, t.octets_in, t.octets_out, t.flows].map(|n| n.to_string());
    let [octets, packets, octets_in, octets_out, flows] = numbers;
    let texts = [row, &t.key, &t.label, &t.filter].map(str::to_owned);
    let [row, key, label, filter] = texts;
    [row, key, label, octets, packets, octets_in, octets_out, flows, filter]
}

fn history_group(row: &str, group: &HistoryGroup, dimensions: usize) -> Vec<String> {
    let mut cells = vec![row.to_owned()];
    cells.extend((0..dimensions).map(|n| optional(group.key.get(n).map(|v| &v.label))));
    let s = group.summary;
    cells.push(group.total.to_string());
    cells.extend([s.map(|s| s.min), s.map(|s| s.avg), s.map(|s| s.p95), s.map(|s| s.max)].map(optional));
    cells.extend([group.octets_in.to_string(), group.octets_out.to_string(), optional(group.previous)]);
    cells
}

fn optional<T: Display>(value: Option<T>) -> String {
    value.map_or_else(String::new, |v| v.to_string())
}

fn tcp<T: Display>(flow: &Flow, cell: impl FnOnce(&netwatch_api::flow::FlowTcp) -> Option<T>) -> String {
    optional(flow.tcp.as_ref().and_then(cell))
}

fn process<T: Display>(flow: &Flow, cell: impl FnOnce(&netwatch_api::flow::FlowProcess) -> Option<T>) -> String {
    optional(flow.process.as_ref().and_then(cell))
}

type Column<T> = (&'static str, fn(&T) -> String);

/// The columns of a flow: each with its name in the API.
const FLOW_COLUMNS: &[Column<Flow>] = &[
    ("id", |f| f.id.clone()),
    ("source", |f| f.source.clone()),
    ("source_port", |f| f.source_port.to_string()),
    ("destination", |f| f.destination.clone()),
    ("destination_port", |f| f.destination_port.to_string()),
    ("protocol", |f| f.protocol.to_string()),
    ("vlan", |f| f.vlan.iter().map(u16::to_string).collect::<Vec<_>>().join(" ")),
    ("packets", |f| f.packets.to_string()),
    ("reverse_packets", |f| f.reverse_packets.to_string()),
    ("octets", |f| f.octets.to_string()),
    ("reverse_octets", |f| f.reverse_octets.to_string()),
    ("l2_octets", |f| f.l2_octets.to_string()),
    ("reverse_l2_octets", |f| f.reverse_l2_octets.to_string()),
    ("octets_in", |f| f.octets_in.to_string()),
    ("octets_out", |f| f.octets_out.to_string()),
    ("start", |f| f.start.to_string()),
    ("end", |f| f.end.to_string()),
    ("end_reason", |f| optional(f.end_reason.as_ref())),
    ("state", |f| f.state.clone()),
    ("application", |f| f.application.clone()),
    ("name", |f| optional(f.name.as_ref())),
    ("name_source", |f| optional(f.name_source.as_ref())),
    ("interface", |f| f.interface.clone()),
    ("icmp_id", |f| optional(f.icmp_id)),
    ("tunnel.kind", |f| optional(f.tunnel.as_ref().map(|t| &t.kind))),
    ("tunnel.id", |f| optional(f.tunnel.as_ref().map(|t| t.id))),
    ("tcp.flags", |f| tcp(f, |t| Some(t.flags.clone()))),
    ("tcp.reverse_flags", |f| tcp(f, |t| Some(t.reverse_flags.clone()))),
    ("tcp.server_rtt", |f| tcp(f, |t| t.server_rtt)),
    ("tcp.client_rtt", |f| tcp(f, |t| t.client_rtt)),
    ("tcp.response_time", |f| tcp(f, |t| t.response_time)),
    ("tcp.retransmitted", |f| tcp(f, |t| Some(t.retransmitted))),
    ("tcp.reverse_retransmitted", |f| tcp(f, |t| Some(t.reverse_retransmitted))),
    ("process.pid", |f| process(f, |p| Some(p.pid))),
    ("process.name", |f| process(f, |p| Some(p.name.clone()))),
    ("process.user", |f| process(f, |p| Some(p.user.clone()))),
    ("process.container", |f| process(f, |p| p.container.clone())),
    ("conversations", |f| f.conversations.to_string()),
];

/// The columns of uptime: each with its name in the API.
const UPTIME_COLUMNS: &[Column<Uptime>] = &[
    ("probe", |u| u.probe.to_string()),
    ("name", |u| u.name.clone()),
    ("kind", |u| u.kind.name().to_owned()),
    ("target", |u| u.target.clone()),
    ("zone", |u| u.zone.clone()),
    ("from", |u| u.from.to_string()),
    ("to", |u| u.to.to_string()),
    ("up", |u| u.total.up.to_string()),
    ("degraded", |u| u.total.degraded.to_string()),
    ("down", |u| u.total.down.to_string()),
    ("maintenance", |u| u.total.maintenance.to_string()),
    ("unknown", |u| u.total.unknown.to_string()),
    ("maintenance_down", |u| u.total.maintenance_down.to_string()),
    ("outages", |u| u.total.outages.to_string()),
    ("availability", |u| optional(u.total.availability)),
    ("budget.objective", |u| optional(u.budget.map(|b| b.objective))),
    ("budget.allowed", |u| optional(u.budget.map(|b| b.allowed))),
    ("budget.met", |u| optional(u.budget.and_then(|b| b.met))),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = String::new();
        push_cell(&mut out, text);
        out
    }

    #[test]
    fn cells_are_quoted_as_rfc_4180_says() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("a\"b"), "a\"\"b".replacen("a\"\"b", "\"a\"\"b\"", 1));
        assert_eq!(cell("a\r\nb"), "\"a\r\nb\"");
    }

    #[test]
    fn formulas_are_defused() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(cell(text), format!("\"'{text}\""));
        }
        assert_eq!(cell("1=1"), "1=1");
    }

    #[test]
    fn accept_and_format_choose() {
        let mut headers = HeaderMap::new();
        assert!(!wanted(None, &headers));
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/csv, application/json;q=0.5"));
        assert!(wanted(None, &headers) && !wanted(Some(Format::Json), &headers));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/csv"));
        assert!(!wanted(None, &headers) && wanted(Some(Format::Csv), &headers));
    }

    #[test]
    fn the_next_page_keeps_the_other_parameters() {
        let uri: Uri = "/api/v1/flows?limit=2&cursor=old&filter=port%20443".parse().unwrap();
        let csv = Csv::new("x", ["a"]).next_page(&uri, Some("new&x"));
        let next = csv.next.unwrap();
        assert_eq!(next, "</api/v1/flows?limit=2&filter=port+443&cursor=new%26x>; rel=\"next\"");
    }
}
