//! Talkers and flows as tables.

use std::time::Duration;

use netwatch_api::flow::{Flow, FlowSort};
use netwatch_api::traffic::{Dimension, Talker, TopSort};
use netwatch_model::Protocol;
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::Text;
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};

use crate::failure::visible;
use crate::output::units;
use crate::top::state::{State, WINDOW};
use crate::top::theme::Theme;

/// A flow that has carried nothing for so long fades.
const QUIET: Duration = Duration::from_secs(10);
/// From this width on there is room for everything.
const WIDE: u16 = 120;

/// Who carries how much.
pub fn talkers(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let Some(top) = &state.talkers else { return empty(f, area, state, theme) };
    let mut rows: Vec<Row<'_>> = ordered(&top.items, state.ascending).map(|t| talker(t, state, theme.text)).collect();
    if rows.is_empty() {
        return empty(f, area, state, theme);
    }
    if top.other.octets > 0 {
        let label = format!("other ({} conversations)", top.other.flows);
        rows.push(talker(&Talker { label, ..top.other.clone() }, state, theme.faint));
    }
    let mark = |sort, text: &str| right(marked(text, state.talker_sort == sort, state.ascending));
    let heading = Row::new([
        Cell::from(format!("{} ({WINDOW} s)", title(state.group))),
        mark(TopSort::Bytes, "BYTES"),
        right("RATE".to_owned()),
        right("IN".to_owned()),
        right("OUT".to_owned()),
        mark(TopSort::Packets, "PACKETS"),
        mark(TopSort::Flows, "FLOWS"),
    ]);
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(9),
        Constraint::Length(13),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Length(7),
    ];
    table(f, area, state, theme, heading, rows, &widths);
}

/// One column of the list of flows.
struct Column {
    heading: &'static str,
    sort: Option<FlowSort>,
    width: Constraint,
    /// Only on wide terminals.
    wide: bool,
    number: bool,
    cell: fn(&Flow, &State) -> String,
}

const fn column(
    heading: &'static str,
    sort: Option<FlowSort>,
    width: Constraint,
    wide: bool,
    number: bool,
    cell: fn(&Flow, &State) -> String,
) -> Column {
    Column { heading, sort, width, wide, number, cell }
}

#[rustfmt::skip]
static COLUMNS: [Column; 9] = [
    column("SOURCE", None, Constraint::Fill(2), false, false, |r, _| end(&r.source, r.source_port, r.protocol)),
    column("DESTINATION", None, Constraint::Fill(3), false, false, |r, _| {
        end(r.name.as_ref().unwrap_or(&r.destination), r.destination_port, r.protocol)
    }),
    column("APP", None, Constraint::Length(9), false, false, |r, _| r.application.clone()),
    column("PROCESS", None, Constraint::Length(15), true, false, |r, _| {
        r.process.as_ref().map(|p| p.name.clone()).unwrap_or_default()
    }),
    column("BYTES", Some(FlowSort::Bytes), Constraint::Length(8), false, true, |r, _| units::bytes(octets(r))),
    column("PACKETS", Some(FlowSort::Packets), Constraint::Length(9), true, true, |r, _| {
        units::count(r.packets.saturating_add(r.reverse_packets))
    }),
    column("RATE", Some(FlowSort::Rate), Constraint::Length(11), false, true, |r, s| units::rate(rate(r), !s.bytes)),
    column("TIME", Some(FlowSort::Duration), Constraint::Length(9), false, true, |r, _| units::duration(r.end.since(r.start))),
    column("STATE", None, Constraint::Length(12), true, false, |r, _| {
        if r.end_reason.is_some() { "ended".to_owned() } else { r.state.clone() }
    }),
];

/// Conversations.
pub fn flows(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    if state.flows.is_empty() {
        return empty(f, area, state, theme);
    }
    let columns: Vec<&Column> = COLUMNS.iter().filter(|c| !c.wide || area.width >= WIDE).collect();
    let cell = |number, text: String| if number { right(text) } else { Cell::from(text) };
    let heading = columns.iter().map(|c| {
        let sorted = c.sort.is_some_and(|s| s == state.flow_sort);
        cell(c.number, marked(c.heading, sorted, state.ascending))
    });
    let rows = ordered(&state.flows, state.ascending).map(|r| {
        let cells = columns.iter().map(|c| cell(c.number, visible(&(c.cell)(r, state))));
        Row::new(cells.collect::<Vec<_>>()).style(age(r, state, theme))
    });
    let widths: Vec<Constraint> = columns.iter().map(|c| c.width).collect();
    table(f, area, state, theme, Row::new(heading.collect::<Vec<_>>()), rows.collect(), &widths);
}

fn table(
    f: &mut Frame<'_>,
    area: Rect,
    state: &State,
    theme: &Theme,
    heading: Row<'_>,
    rows: Vec<Row<'_>>,
    widths: &[Constraint],
) {
    let table = Table::new(rows, widths.to_vec()).header(heading.style(theme.accent));
    let mut selected = TableState::new().with_selected(Some(state.row));
    f.render_stateful_widget(table.row_highlight_style(theme.selected), area, &mut selected);
}

fn talker<'a>(t: &Talker, state: &State, style: Style) -> Row<'a> {
    Row::new([
        Cell::from(visible(&t.label)),
        right(units::bytes(t.octets)),
        right(units::rate(t.octets / u64::from(WINDOW), !state.bytes)),
        right(units::bytes(t.octets_in)),
        right(units::bytes(t.octets_out)),
        right(units::count(t.packets)),
        right(units::count(t.flows)),
    ])
    .style(style)
}

/// Ended flows are faint; those that have carried nothing for a while warn.
fn age(r: &Flow, state: &State, theme: &Theme) -> Style {
    let quiet = state.server_time.is_some_and(|now| now.since(r.end) > QUIET);
    match (&r.end_reason, quiet) {
        (Some(_), _) => theme.faint,
        (None, true) => theme.warning,
        (None, false) => theme.text,
    }
}

const fn octets(r: &Flow) -> u64 {
    r.octets.saturating_add(r.reverse_octets)
}

/// Octets a second over one second at least.
fn rate(r: &Flow) -> u64 {
    u64::try_from(u128::from(octets(r)) * 1000 / r.end.since(r.start).as_millis().max(1000)).unwrap_or(u64::MAX)
}

/// Address or name with its port, where the protocol has ports.
fn end(text: &str, port: u16, protocol: u8) -> String {
    match (Protocol(protocol).has_ports(), text.contains(':')) {
        (false, _) => text.to_owned(),
        (true, false) => format!("{text}:{port}"),
        (true, true) => format!("[{text}]:{port}"),
    }
}

/// What is missing, and the one thing to do.
pub fn empty(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let text = match (state.filter.is_empty(), state.is_stale()) {
        (_, true) => "\n  Waiting for the server.",
        (false, _) => "\n  Nothing fits the filter. Press Esc to see everything.",
        (true, _) => "\n  No packets yet. Press 4 to see whether the interfaces capture, t to show ended flows.",
    };
    f.render_widget(Paragraph::new(text).style(theme.faint), area);
}

fn ordered<T>(list: &[T], ascending: bool) -> Box<dyn Iterator<Item = &T> + '_> {
    if ascending { Box::new(list.iter().rev()) } else { Box::new(list.iter()) }
}

fn marked(text: &str, sorted: bool, ascending: bool) -> String {
    match (sorted, ascending) {
        (false, _) => text.to_owned(),
        (true, false) => format!("{text}↓"),
        (true, true) => format!("{text}↑"),
    }
}

fn right<'a>(text: String) -> Cell<'a> {
    Cell::from(Text::from(text).right_aligned())
}

const fn title(group: Dimension) -> &'static str {
    match group {
        Dimension::Host => "HOST",
        Dimension::Pair => "PAIR",
        Dimension::Port => "PORT",
        Dimension::Application => "APPLICATION",
        Dimension::Process => "PROCESS",
        Dimension::Name => "NAME",
        Dimension::Vlan => "VLAN",
        Dimension::Protocol => "PROTOCOL",
        Dimension::Interface => "INTERFACE",
        Dimension::Direction => "DIRECTION",
    }
}
