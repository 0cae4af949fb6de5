//! Draws a state. Names from the network come from the API in visible form and are made visible once more here.

mod frame;
mod help;
mod interfaces;
mod lists;
mod overview;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};

use super::state::{State, Tab};
use super::theme::Theme;

/// The smallest terminal that is drawn on.
pub const SMALLEST: (u16, u16) = (60, 12);

/// Draws everything.
pub fn render(f: &mut Frame<'_>, state: &State, theme: &Theme) {
    let area = f.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("terminal too small: {}x{} needed", SMALLEST.0, SMALLEST.1);
        f.render_widget(ratatui::widgets::Paragraph::new(text), area);
        return;
    }
    let [head, rates, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(4), Constraint::Fill(1), Constraint::Length(1)])
            .areas(area);
    frame::head(f, head, state, theme);
    frame::rates(f, rates, state, theme);
    match state.tab {
        Tab::Overview => overview::draw(f, body, state, theme),
        Tab::Talkers => lists::talkers(f, body, state, theme),
        Tab::Flows => lists::flows(f, body, state, theme),
        Tab::Interfaces => interfaces::draw(f, body, state, theme),
    }
    frame::foot(f, foot, state, theme);
    if state.help {
        help::draw(f, area, theme);
    }
}
