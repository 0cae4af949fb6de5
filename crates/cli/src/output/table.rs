//! Columns for people.

use std::io::{self, Write};

use crate::failure::visible;

/// Where the cells of a column stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a heading.
#[derive(Clone, Debug)]
pub struct Table {
    heading: Vec<(&'static str, Align)>,
    widest: usize,
    rows: Vec<Vec<String>>,
}

/// No column is wider.
const MAX_WIDTH: usize = 64;

impl Table {
    /// An empty table.
    pub fn new(heading: &[(&'static str, Align)]) -> Self {
        Self { heading: heading.to_vec(), widest: MAX_WIDTH, rows: Vec::new() }
    }

    /// The same, but no cell is cut: for sentences.
    pub fn unlimited(self) -> Self {
        Self { widest: usize::MAX, ..self }
    }

    /// Adds a row; what could deceive the eye is made visible, and long cells are cut.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|c| cut(&visible(&c), self.widest)).collect());
    }

    /// Prints heading and rows.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let widest = |at: usize, head: &str| {
            let cells = self.rows.iter().filter_map(|r| r.get(at)).map(|c| c.chars().count());
            cells.max().unwrap_or(0).max(head.chars().count())
        };
        let widths: Vec<usize> = self.heading.iter().enumerate().map(|(at, (head, _))| widest(at, head)).collect();
        let heads = self.heading.iter().map(|(head, _)| (*head).to_owned()).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.heading) {
                match align {
                    Align::Left => line.push_str(&format!("{cell:<width$}  ")),
                    Align::Right => line.push_str(&format!("{cell:>width$}  ")),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// At most `width` characters; what is cut is marked.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_cells_stay_text_in_their_column() {
        let mut table = Table::new(&[("NAME", Align::Left), ("N", Align::Right)]);
        table.row(["\x1b[31m\u{202e}".to_owned(), "5".to_owned()]);
        table.row(["x".repeat(100), "15".to_owned()]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("\\u{1b}[31m\\u{202e} ") && lines[1].ends_with("  5"));
        assert!(lines[2].starts_with(&"x".repeat(63)) && lines[2].contains('…') && lines[2].ends_with("15"));
        assert!(lines.iter().all(|l| l.chars().count() == lines[2].chars().count() || l.ends_with('N')));
    }
}
