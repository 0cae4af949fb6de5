//! `netwatch flows`: the flows of a capture file, or of a running server.

mod file;
mod rows;

use netwatch_api::flow::{Flow, FlowPage};
use netwatch_capture::bpf::{self, BpfError};
use netwatch_model::Protocol;
use netwatch_model::filter::{Filter, FilterError};

use crate::args::{Cli, FlowsArgs, Overrides, SortColumn};
use crate::client::Endpoint;
use crate::config::Key;
use crate::failure::{Failure, Outcome, usage};
use crate::output::table::{Align, Table};
use crate::output::{Printer, csv, units};

pub use file::open;

/// Rows of one page of the server.
const PAGE: u64 = 1000;

pub fn run(cli: &Cli, args: &FlowsArgs) -> Outcome {
    let mut flags = Overrides::default();
    args.flows.overrides(&mut flags);
    flags.text(Key::CaptureLength, args.capture_length.as_deref());
    flags.text(Key::DataDir, args.data_dir.as_ref().and_then(|p| p.to_str()));
    let mut settings = super::settings(cli, flags)?;
    // The configured filter is for live capture.
    settings.capture_filter = args.capture_filter.clone().unwrap_or_default();
    let filter = args.filter.as_deref().map(filter).transpose()?.unwrap_or_default();
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.format, csv::FLOW)?;
    let Some(path) = &args.read else {
        ask(&Endpoint::resolve(&args.server, &settings)?, args, &filter, |page| printer.rows(page))?;
        return printer.finish(table);
    };
    let read = file::read(path, &settings, filter, args.sort, args.limit)?;
    printer.rows(read.flows)?;
    printer.finish(table)?;
    // What was read before the damage has been printed; now tell of the damage.
    read.damage.map_or(Ok(()), |error| Err(Failure::Other(anyhow::Error::new(error))))
}

/// Reads a filter; a bad one is a wrong question, shown with a mark under the fault.
pub fn filter(text: &str) -> Result<Filter, Failure> {
    Filter::parse(text).map_err(|e| usage(explain(text, &e)))
}

/// Refuses a filter in tcpdump syntax that cannot be compiled, before anything is opened.
pub fn check_capture_filter(expression: &str) -> Outcome {
    if expression.is_empty() {
        return Ok(());
    }
    match bpf::compile_for_file(expression, 1) {
        Ok(_) | Err(BpfError::LiveOnly { .. } | BpfError::Vlan { .. }) => Ok(()),
        Err(e @ BpfError::Invalid { .. }) => Err(Failure::Usage(anyhow::Error::new(e))),
        Err(e) => Err(Failure::Other(anyhow::Error::new(e))),
    }
}

/// Message, text, and a mark under the fault. Only texts of one short line are shown.
fn explain(text: &str, e: &FilterError) -> String {
    let plain = text.len() <= 200 && !text.chars().any(netwatch_model::untrusted::is_deceptive);
    if !plain {
        return format!("the filter is not valid at byte {}: {e}", e.position);
    }
    let before = text.get(..e.position).unwrap_or(text).chars().count();
    let length = text.get(e.position..e.position + e.length).map_or(1, |t| t.chars().count());
    format!("the filter is not valid: {e}\n  {text}\n  {}{}", " ".repeat(before), "^".repeat(length.max(1)))
}

/// Gives page after page of the server to `take`, as many rows as wanted.
fn ask(endpoint: &Endpoint, args: &FlowsArgs, filter: &Filter, mut take: impl FnMut(Vec<Flow>) -> Outcome) -> Outcome {
    let (text, sort) = (filter.to_string(), sort_word(args.sort));
    let order = if args.sort == SortColumn::Start { "asc" } else { "desc" };
    let (mut taken, mut cursor) = (0, None::<String>);
    loop {
        let missing = args.limit.map_or(PAGE, |limit| limit.saturating_sub(taken).min(PAGE));
        let limit = missing.to_string();
        let mut query = vec![("sort", sort), ("order", order), ("limit", limit.as_str())];
        if !text.is_empty() {
            query.push(("filter", &text));
        }
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let page: FlowPage = endpoint.get("/api/v1/flows", &query)?;
        taken += page.items.len() as u64;
        take(page.items)?;
        cursor = page.next_cursor;
        if cursor.is_none() || args.limit.is_some_and(|limit| taken >= limit) {
            return Ok(());
        }
    }
}

const fn sort_word(sort: SortColumn) -> &'static str {
    match sort {
        SortColumn::Start => "start",
        SortColumn::Bytes => "bytes",
        SortColumn::Packets => "packets",
        SortColumn::Duration => "duration",
        SortColumn::Rate => "rate",
    }
}

fn table(flows: &[Flow]) -> Table {
    let (left, right) = (Align::Left, Align::Right);
    let heading = [
        ("START", left),
        ("DURATION", right),
        ("PROTO", left),
        ("SOURCE", left),
        ("DESTINATION", left),
        ("APPLICATION", left),
        ("NAME", left),
        ("PACKETS", right),
        ("BYTES", right),
        ("STATE", left),
    ];
    let mut table = Table::new(&heading);
    for f in flows {
        let start = f.start.to_string();
        let state = f.end_reason.as_ref().map_or_else(|| f.state.clone(), |r| format!("{} ({r})", f.state));
        table.row([
            start.get(..23).map_or(start.clone(), |t| t.replace('T', " ")),
            units::duration(f.end.since(f.start)),
            Protocol(f.protocol).to_string(),
            end(&f.source, f.source_port, f),
            end(&f.destination, f.destination_port, f),
            f.application.clone(),
            f.name.clone().unwrap_or_default(),
            units::count(f.packets.saturating_add(f.reverse_packets)),
            units::bytes(f.octets.saturating_add(f.reverse_octets)),
            state,
        ]);
    }
    table
}

/// Address and port; the "other" row has neither.
fn end(address: &str, port: u16, flow: &Flow) -> String {
    if flow.conversations != 1 {
        return format!("other ({})", flow.conversations);
    }
    match (Protocol(flow.protocol).has_ports(), address.contains(':')) {
        (false, _) => address.to_owned(),
        (true, false) => format!("{address}:{port}"),
        (true, true) => format!("[{address}]:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_is_marked_where_it_is_bad() {
        let Err(Failure::Usage(e)) = filter("tcp and prot 443") else { panic!("not refused") };
        let text = e.to_string();
        assert!(text.ends_with("\n  tcp and prot 443\n          ^^^^"), "{text}");
        let Err(Failure::Usage(e)) = filter("tcp \u{202e}") else { panic!("not refused") };
        assert!(!e.to_string().contains('\u{202e}'));
    }
}
