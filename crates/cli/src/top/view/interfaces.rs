//! Where it is captured, and what was lost.

use netwatch_api::interface::{CaptureState, Interface};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Text;
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState, Wrap};

use crate::failure::visible;
use crate::output::units;
use crate::top::state::State;
use crate::top::theme::Theme;

/// Draws the list, and below it why the selected one does not capture.
pub fn draw(f: &mut Frame<'_>, area: Rect, state: &State, theme: &Theme) {
    if state.interfaces.is_empty() {
        return super::lists::empty(f, area, state, theme);
    }
    let right = |text: String| Cell::from(Text::from(text).right_aligned());
    let headings = ["IN", "OUT", "FRAMES", "DROPPED", "RING"].map(|h| right(h.to_owned()));
    let heading = Row::new([Cell::from("INTERFACE"), Cell::from("STATE")].into_iter().chain(headings));
    let rows = state.interfaces.iter().map(|i| row(i, state, theme));
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(14),
        Constraint::Length(12),
        Constraint::Length(12),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Length(5),
    ];
    let [area, detail] = Layout::vertical([Constraint::Fill(1), Constraint::Length(2)]).areas(area);
    let why = state.interfaces.get(state.row).and_then(|i| i.detail.as_deref()).map(visible).unwrap_or_default();
    f.render_widget(Paragraph::new(why).style(theme.warning).wrap(Wrap { trim: true }), detail);
    let table = Table::new(rows, widths).header(heading.style(theme.accent)).row_highlight_style(theme.selected);
    let mut selected = TableState::new().with_selected(Some(state.row));
    f.render_stateful_widget(table, area, &mut selected);
}

fn row<'a>(i: &Interface, state: &State, theme: &Theme) -> Row<'a> {
    let (word, style) = match i.state {
        CaptureState::Capturing => ("● capturing", theme.good),
        CaptureState::Interrupted => ("◌ interrupted", theme.warning),
        CaptureState::Denied => ("◆ denied", theme.critical),
        CaptureState::Ended => ("■ ended", theme.faint),
    };
    let right = |text: String| Cell::from(Text::from(text).right_aligned());
    let dropped = right(units::count(i.kernel_drops));
    Row::new([
        Cell::from(visible(&i.name)),
        Cell::from(word).style(style),
        right(units::rate(i.rate_in, !state.bytes)),
        right(units::rate(i.rate_out, !state.bytes)),
        right(units::count(i.frames)),
        if i.kernel_drops > 0 { dropped.style(theme.warning) } else { dropped },
        right(format!("{:.0} %", i.ring_fill * 100.0)),
    ])
}
