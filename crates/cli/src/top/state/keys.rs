//! What a key does.

use std::time::Duration;

use netwatch_api::flow::FlowSort;
use netwatch_api::traffic::{Dimension, TopSort};

use super::{Editor, State, Tab};

/// A key, as the program knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A character.
    Char(char),
    /// Together with Ctrl.
    Control(char),
    /// Return.
    Enter,
    /// Escape.
    Escape,
    /// To the next page.
    Tab,
    /// To the page before.
    BackTab,
    /// Removes a character.
    Backspace,
    /// One up.
    Up,
    /// One down.
    Down,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Ten up.
    PageUp,
    /// Ten down.
    PageDown,
    /// The first.
    Home,
    /// The last.
    End,
}

/// What is to be done after a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reaction {
    /// Draw.
    Draw,
    /// Draw, and ask the server for something else.
    Ask,
    /// End.
    Quit,
}

/// What talkers can be grouped by, in the order of `g`.
const GROUPS: [Dimension; 8] = [
    Dimension::Host,
    Dimension::Pair,
    Dimension::Port,
    Dimension::Application,
    Dimension::Process,
    Dimension::Name,
    Dimension::Protocol,
    Dimension::Vlan,
];
const FLOW_SORTS: [FlowSort; 5] =
    [FlowSort::Bytes, FlowSort::Packets, FlowSort::Duration, FlowSort::Rate, FlowSort::Start];
const TALKER_SORTS: [TopSort; 3] = [TopSort::Bytes, TopSort::Packets, TopSort::Flows];

impl State {
    /// Acts on a key.
    pub fn key(&mut self, now: Duration, key: Key) -> Reaction {
        self.now = now;
        if key == Key::Control('c') {
            return Reaction::Quit;
        }
        if self.editor.is_some() {
            return self.edit(key);
        }
        let leaving = std::mem::take(&mut self.leaving);
        if self.help {
            self.help = false;
            return Reaction::Draw;
        }
        match key {
            Key::Char('q') if leaving => return Reaction::Quit,
            Key::Char('y') | Key::Enter if leaving => return Reaction::Quit,
            Key::Char('q') => self.leaving = true,
            Key::Char('h' | '?') => self.help = true,
            Key::Char('/') => self.editor = Some(Editor::new(&self.filter)),
            Key::Char('p' | ' ') => self.paused = !self.paused,
            Key::Char('b') => self.bytes = !self.bytes,
            Key::Char(c @ '1'..='4') => return self.go(Tab::ALL[(c as usize - '1' as usize).min(3)]),
            Key::Tab | Key::Char('l') | Key::Right => return self.go(self.beside(1)),
            Key::BackTab | Key::Left => return self.go(self.beside(Tab::ALL.len() - 1)),
            Key::Escape if !self.filter.is_empty() => {
                self.filter.clear();
                return Reaction::Ask;
            }
            key => return self.list_key(key),
        }
        Reaction::Draw
    }

    /// Keys of the lists.
    fn list_key(&mut self, key: Key) -> Reaction {
        match key {
            Key::Char('s') => self.next_sort(),
            Key::Char('S') => {
                self.ascending = !self.ascending;
                return Reaction::Draw;
            }
            Key::Char('t') => self.ended = !self.ended,
            Key::Char('a') => {
                self.group = if self.group == Dimension::Process { Dimension::Host } else { Dimension::Process };
                self.tab = Tab::Talkers;
            }
            Key::Char('g') if self.tab == Tab::Talkers => self.group = next(&GROUPS, self.group),
            key => {
                self.move_row(key);
                return Reaction::Draw;
            }
        }
        self.row = 0;
        Reaction::Ask
    }

    fn move_row(&mut self, key: Key) {
        let last = self.rows().saturating_sub(1);
        self.row = match key {
            Key::Char('j') | Key::Down => (self.row + 1).min(last),
            Key::Char('k') | Key::Up => self.row.saturating_sub(1),
            Key::PageDown | Key::Control('d') => (self.row + 10).min(last),
            Key::PageUp | Key::Control('u') => self.row.saturating_sub(10),
            Key::Char('G') | Key::End => last,
            Key::Char('g') | Key::Home => 0,
            _ => self.row,
        };
    }

    fn edit(&mut self, key: Key) -> Reaction {
        let Some(editor) = &mut self.editor else { return Reaction::Draw };
        match key {
            Key::Char(c) => editor.insert(c),
            Key::Backspace => editor.backspace(),
            Key::Control('u') => editor.clear(),
            Key::Control('a') | Key::Home => editor.jump(false),
            Key::Control('e') | Key::End => editor.jump(true),
            Key::Left => editor.left(),
            Key::Right => editor.right(),
            Key::Escape => self.editor = None,
            // A filter that is wrong stays open, with what is wrong beside it.
            Key::Enter => {
                if let Ok(filter) = editor.check() {
                    self.editor = None;
                    self.row = 0;
                    self.filter = filter;
                    return Reaction::Ask;
                }
            }
            _ => {}
        }
        Reaction::Draw
    }

    fn go(&mut self, tab: Tab) -> Reaction {
        if self.tab == tab {
            return Reaction::Draw;
        }
        (self.tab, self.row) = (tab, 0);
        Reaction::Ask
    }

    fn beside(&self, by: usize) -> Tab {
        let at = Tab::ALL.iter().position(|t| *t == self.tab).unwrap_or(0);
        Tab::ALL[(at + by) % Tab::ALL.len()]
    }

    fn next_sort(&mut self) {
        match self.tab {
            Tab::Flows => self.flow_sort = next(&FLOW_SORTS, self.flow_sort),
            _ => self.talker_sort = next(&TALKER_SORTS, self.talker_sort),
        }
    }
}

fn next<T: Copy + PartialEq>(list: &[T], now: T) -> T {
    let at = list.iter().position(|x| *x == now).map_or(0, |at| (at + 1) % list.len());
    list.get(at).copied().unwrap_or(now)
}
