//! The first page: top talkers, what was lost, newest events.

use netwatch_api::event::Event;
use netwatch_model::Severity;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use crate::failure::visible;
use crate::output::table::cut;
use crate::output::units;
use crate::top::state::State;
use crate::top::theme::Theme;

/// Draws the page.
pub fn draw(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let [upper, lower] = Layout::vertical([Constraint::Length(8), Constraint::Fill(1)]).areas(area);
    let [left, right] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).areas(upper);
    talkers(f, left, state, theme);
    status(f, right, state, theme);
    events(f, lower, state, theme);
}

fn block<'a>(title: String, theme: &Theme) -> Block<'a> {
    Block::new().borders(Borders::TOP).border_style(theme.faint).title(Span::styled(title, theme.accent))
}

fn talkers(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let block = block(format!(" Top talkers, {} s ", crate::top::state::WINDOW), theme);
    let rows = block.inner(area).height;
    let room = usize::from(area.width.saturating_sub(24));
    let items = state.talkers.iter().flat_map(|t| &t.items).take(usize::from(rows));
    let lines: Vec<Line<'_>> = items
        .map(|t| {
            let rate = units::rate(t.octets / u64::from(crate::top::state::WINDOW), !state.bytes);
            Line::raw(format!(" {:<room$} {rate:>13} {:>8}", cut(&visible(&t.label), room), units::bytes(t.octets)))
        })
        .collect();
    let text = if lines.is_empty() { vec![Line::styled(" No packets yet.", theme.faint)] } else { lines };
    f.render_widget(Paragraph::new(text).block(block), area);
}

fn status(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let block = block(" Netwatch ".to_owned(), theme);
    let Some(s) = &state.statistics else {
        return f
            .render_widget(Paragraph::new(Line::styled(" Waiting for the server.", theme.faint)).block(block), area);
    };
    let dropped = s.capture.kernel_drops.saturating_add(s.store.records_dropped);
    let (drop_text, drop_style) = match dropped {
        0 => ("● none".to_owned(), theme.good),
        n => (format!("▲ {} lost", units::count(n)), theme.warning),
    };
    let row = |name: &'static str, value: Span<'static>| {
        Line::from(vec![Span::styled(format!(" {name:<9}"), theme.faint), value])
    };
    let sources = if s.sources.is_empty() { "none".to_owned() } else { s.sources.join(", ") };
    let lines = vec![
        row("Source", Span::raw(visible(&sources))),
        row("Packets", Span::raw(units::count(s.capture.packets))),
        row("Flows", Span::raw(format!("{} of {}", units::count(s.table.active), units::count(s.table.capacity)))),
        row("Archive", Span::raw(units::count(s.store.archived_flows))),
        row("Losses", Span::styled(drop_text, drop_style)),
        row("Memory", Span::raw(units::bytes(s.process.resident_bytes))),
    ];
    f.render_widget(Paragraph::new(lines).block(block), area);
}

fn events(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let block = block(" Events ".to_owned(), theme);
    let rows = usize::from(block.inner(area).height);
    let first = state.row.saturating_sub(rows.saturating_sub(1));
    let lines: Vec<Line<'_>> = state
        .events
        .iter()
        .skip(first)
        .take(rows)
        .map(|e| {
            let (mark, style) = match e.severity {
                Severity::Info => ("●", theme.good),
                Severity::Warning => ("▲", theme.warning),
                Severity::Critical => ("◆", theme.critical),
            };
            let time = e.time.to_string();
            let clock = time.get(11..19).unwrap_or_default().to_owned();
            Line::from(vec![
                Span::styled(format!(" {mark} "), style),
                Span::styled(format!("{clock} "), theme.faint),
                Span::raw(sentence(e)),
            ])
        })
        .collect();
    let text = if lines.is_empty() { vec![Line::styled(" None yet.", theme.faint)] } else { lines };
    f.render_widget(Paragraph::new(text).block(block), area);
}

/// Subject and text; most texts begin with their subject.
fn sentence(e: &Event) -> String {
    let (subject, text) = (visible(&e.subject), visible(&e.text));
    if text.contains(&subject) { text } else { format!("{subject}: {text}") }
}
