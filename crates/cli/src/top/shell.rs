//! Owns the terminal: draws, reads keys, and puts everything back on return, panic and signals.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::Context as _;
use netwatch_telemetry::clock::monotonic;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::link::Link;
use super::state::{Input, Key, Reaction, State, Tab};
use super::theme::{Depth, Theme};
use super::view;
use crate::client::Endpoint;
use crate::failure::{Outcome, usage};

/// How long a key is waited for before frames are looked at.
const TURN: Duration = Duration::from_millis(50);
/// At least so often it is drawn anew, for ages and staleness.
const REDRAW: Duration = Duration::from_secs(1);

/// Refuses to run where there is no terminal.
///
/// # Errors
/// A wrong question: output or input is not a terminal.
pub fn check_terminal() -> Outcome {
    if io::stdout().is_terminal() && io::stdin().is_terminal() {
        return Ok(());
    }
    Err(usage("netwatch top needs a terminal: for scripts there is `netwatch flows --format json`"))
}

/// Shows what `endpoint` tells until the user has seen enough.
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(endpoint: Endpoint, filter: String, colored: bool) -> Outcome {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let theme = Theme::new(Depth::of(&variable("TERM"), &variable("COLORTERM"), colored));
    let mut state = State::new(filter);
    let (link, inputs) = Link::start(endpoint, state.subscriptions())?;
    with_terminal(|terminal| watch(terminal, &mut state, &link, &inputs, &theme))??;
    Ok(())
}

/// Takes the terminal for as long as `show` runs. A panic, in whichever thread, puts it back before it prints.
fn with_terminal<R>(show: impl FnOnce(&mut DefaultTerminal) -> R) -> anyhow::Result<R> {
    let mut terminal = ratatui::try_init().context("cannot use the terminal")?;
    let result = show(&mut terminal);
    ratatui::restore();
    Ok(result)
}

fn watch(
    terminal: &mut DefaultTerminal,
    state: &mut State,
    link: &Link,
    inputs: &Receiver<Input>,
    theme: &Theme,
) -> anyhow::Result<()> {
    const GONE: &str = "the terminal is gone";
    let mut drawn = Duration::ZERO;
    let mut dirty = true;
    loop {
        let now = monotonic();
        for input in inputs.try_iter() {
            dirty = true;
            if state.update(now, input) {
                return Ok(());
            }
        }
        if dirty || now.saturating_sub(drawn) >= REDRAW {
            state.now = now;
            terminal.draw(|f| view::render(f, state, theme)).context(GONE)?;
            (dirty, drawn) = (false, now);
        }
        if !event::poll(TURN).context(GONE)? {
            continue;
        }
        dirty = true;
        let Event::Key(pressed) = event::read().context(GONE)? else { continue };
        match key(pressed).map(|key| state.key(now, key)) {
            Some(Reaction::Quit) => return Ok(()),
            Some(Reaction::Ask) => link.ask(state.subscriptions(), state.tab == Tab::Interfaces),
            Some(Reaction::Draw) | None => {}
        }
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => Key::Control(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
