//! What became of what stood in a file, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::Place;
use crate::failure::visible;

/// The most characters of a note.
const MAX_NOTE: usize = 400;

/// What became of one thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is taken over as it was.
    Taken,
    /// It is taken over with a change.
    Changed,
    /// It is not taken over.
    NotTaken,
}

/// One thing of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Item {
    /// The file that it stands in.
    pub file: String,
    /// Where in the file, from 1; 0 for the whole of it.
    pub line: u64,
    /// What it is called there.
    pub name: String,
    /// What became of it.
    pub outcome: Fate,
    /// The probe that it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// What changed, or why it is not taken over.
    pub notes: Vec<String>,
}

impl Item {
    /// What became of a thing at a place.
    pub fn new(place: &Place, name: &str, outcome: Fate, probe: Option<String>, notes: Vec<String>) -> Self {
        let short = |text: &str| text.chars().take(MAX_NOTE).collect::<String>();
        let notes = notes.iter().map(|note| short(note)).collect();
        Self { file: place.file.clone(), line: place.line, name: short(name), outcome, probe, notes }
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    taken: usize,
    changed: usize,
    not_taken: usize,
    items: &'a [Item],
}

/// One object of JSON on a line.
pub fn json(items: &[Item], out: &mut impl Write) -> io::Result<()> {
    let [taken, changed, not_taken] = counts(items);
    let whole = Whole { taken, changed, not_taken, items };
    writeln!(out, "{}", serde_json::to_string(&whole).map_err(io::Error::other)?)
}

/// Lines for people: what changed, what is not taken over, and how many of each.
pub fn text(items: &[Item], out: &mut impl Write) -> io::Result<()> {
    for (fate, sign) in [(Fate::Changed, '~'), (Fate::NotTaken, '-')] {
        for item in items.iter().filter(|item| item.outcome == fate) {
            let line = if item.line == 0 { String::new() } else { format!(":{}", item.line) };
            writeln!(out, "{sign} {}{line}: {}", visible(&item.file), visible(&item.name))?;
            for note in &item.notes {
                writeln!(out, "    {}", visible(note))?;
            }
        }
    }
    let [taken, changed, not_taken] = counts(items);
    writeln!(out, "{taken} taken over, {changed} with a change, {not_taken} not taken over")
}

fn counts(items: &[Item]) -> [usize; 3] {
    [Fate::Taken, Fate::Changed, Fate::NotTaken].map(|fate| items.iter().filter(|item| item.outcome == fate).count())
}
