//! The help: every key.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::top::theme::Theme;

const KEYS: [(&str, &str); 14] = [
    ("1 2 3 4, Tab", "Overview, Talkers, Flows, Interfaces"),
    ("j k, ↓ ↑", "next and previous row"),
    ("Ctrl-d Ctrl-u", "ten rows on and back"),
    ("g G", "first and last row (g in Talkers: next grouping)"),
    ("/", "filter, for example: src in 10.0.0.0/8 and not port 443"),
    ("Esc", "no filter"),
    ("s S", "next column to sort by, other direction"),
    ("a", "talkers by process"),
    ("t", "show ended flows, or only active ones"),
    ("p, Space", "pause and go on"),
    ("b", "rates in bits or bytes"),
    ("h ?", "this help"),
    ("q", "quit: press it twice"),
    ("Ctrl-c", "quit at once"),
];

/// Draws the help over the page.
pub fn draw(f: &mut Frame<'_>, area: Rect, theme: &Theme) {
    let height = u16::try_from(KEYS.len()).unwrap_or(0) + 2;
    let [row] = Layout::vertical([Constraint::Max(height)]).flex(Flex::Center).areas(area);
    let [place] = Layout::horizontal([Constraint::Max(76)]).flex(Flex::Center).areas(row);
    let line = |(keys, text): &(&'static str, &'static str)| {
        Line::from(vec![Span::styled(format!(" {keys:<15}"), theme.accent), Span::raw(*text)])
    };
    let block = Block::bordered().title(" Keys ").title_bottom(" any key closes ").border_style(theme.faint);
    f.render_widget(Clear, place);
    f.render_widget(Paragraph::new(KEYS.iter().map(line).collect::<Vec<_>>()).block(block), place);
}
