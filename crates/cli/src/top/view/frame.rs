//! What stands around every page: tabs and status, the rate with its history, the line at the foot.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use crate::failure::visible;
use crate::output::units;
use crate::top::state::{LinkState, State, Tab};
use crate::top::theme::Theme;

/// Tabs to the left, status to the right.
pub fn head(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let mut spans = vec![Span::styled("netwatch  ", theme.faint)];
    for tab in Tab::ALL {
        let style = if tab == state.tab { theme.accent } else { theme.text };
        let text = if tab == state.tab { format!("[{}]", tab.title()) } else { format!(" {} ", tab.title()) };
        spans.push(Span::styled(text, style));
    }
    f.render_widget(Paragraph::new(Line::from(spans)), area);
    let (text, style) = match (&state.link, state.paused) {
        (LinkState::Connecting, _) => ("◌ connecting", theme.warning),
        (LinkState::Lost(_), _) => ("◌ no connection", theme.critical),
        (LinkState::Live, true) => ("‖ paused", theme.warning),
        (LinkState::Live, false) if state.is_stale() => ("◌ no data", theme.warning),
        (LinkState::Live, false) => ("● live", theme.good),
    };
    f.render_widget(Paragraph::new(Span::styled(text, style)).alignment(Alignment::Right), area);
}

/// Two lines each: received above, sent below, each with the rate of the last second.
pub fn rates(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let [top, bottom] = Layout::vertical([Constraint::Length(2), Constraint::Length(2)]).areas(area);
    let now = state.rate_now();
    let width = usize::from(area.width.saturating_sub(LABEL));
    let history = state.history(width.min(crate::top::state::HISTORY));
    // One scale for both, so that they can be compared.
    let highest = history.iter().flat_map(|s| [s.inbound, s.outbound]).max().unwrap_or(0).max(1);
    let rows = [
        (top, "▼ in ", now.inbound, theme.inbound, history.iter().map(|s| s.inbound).collect::<Vec<_>>()),
        (bottom, "▲ out", now.outbound, theme.outbound, history.iter().map(|s| s.outbound).collect::<Vec<_>>()),
    ];
    for (area, word, rate, style, data) in rows {
        let [label, chart] = Layout::horizontal([Constraint::Length(LABEL), Constraint::Fill(1)]).areas(area);
        let style = if state.is_stale() { theme.faint } else { style };
        let text = format!("{word} {:>14}", units::rate(rate, !state.bytes));
        f.render_widget(Paragraph::new(Span::styled(text, style)), label);
        f.render_widget(Sparkline::default().data(data).max(highest).style(style), chart);
    }
}

/// Columns of the rate before its history.
const LABEL: u16 = 22;

/// The filter that is typed or in force, what went wrong, or the most useful keys.
pub fn foot(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    let width = usize::from(area.width);
    let line = if let Some(editor) = &state.editor {
        let (before, after) = editor.parts();
        let cursor = after.chars().next().unwrap_or(' ');
        let rest: String = after.chars().skip(1).collect();
        // The end is what is being typed: a long text is cut at its front.
        let long = before.chars().count().saturating_sub(width / 2);
        let before: String = before.chars().skip(long).collect();
        let mut spans =
            vec![Span::styled("/", theme.accent), Span::raw(before), Span::styled(cursor.to_string(), theme.selected)];
        spans.push(Span::raw(rest));
        if let Err(why) = editor.check() {
            spans.push(Span::styled(format!("  ▲ {}", visible(&why)), theme.warning));
        }
        Line::from(spans)
    } else if state.leaving {
        Line::styled("Quit? q, y or Enter: yes; any other key: no", theme.warning)
    } else if let LinkState::Lost(why) = &state.link {
        Line::styled(format!("◆ {}", visible(why)), theme.critical)
    } else if let Some(why) = &state.refused {
        Line::styled(format!("▲ {}", visible(why)), theme.warning)
    } else if state.filter.is_empty() {
        let keys = "/ filter  s sort  a by process  t ended  p pause  b bits/bytes  ? help  q quit";
        Line::styled(keys, theme.faint)
    } else {
        let hint = Span::styled("  Esc: all", theme.faint);
        Line::from(vec![Span::styled("filter: ", theme.faint), Span::raw(visible(&state.filter)), hint])
    };
    f.render_widget(Paragraph::new(line), area);
}
