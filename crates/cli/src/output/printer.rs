//! Rows of a list, in the format that was asked for.

use std::io::Write;

use serde::Serialize;
use serde_json::Value as Json;

use super::{csv, json_line, table, yaml_document};
use crate::args::Format;
use crate::failure::Failure;

/// Prints rows in the wanted format, page by page: only a table waits for its end, because its columns are as wide as their cells.
pub struct Printer<'a, W: Write, T> {
    out: &'a mut W,
    format: Format,
    columns: &'a [&'a str],
    waiting: Vec<T>,
}

impl<'a, W: Write, T: Serialize> Printer<'a, W, T> {
    /// Begins; `columns` are the paths of CSV.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn new(out: &'a mut W, format: Format, columns: &'a [&'a str]) -> Result<Self, Failure> {
        if format == Format::Csv {
            csv::line(out, columns)?;
        }
        Ok(Self { out, format, columns, waiting: Vec::new() })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn rows(&mut self, rows: Vec<T>) -> Result<(), Failure> {
        if self.format == Format::Table {
            self.waiting.extend(rows);
            return Ok(());
        }
        rows.iter().try_for_each(|row| self.row(row))
    }

    /// Ends; `table` makes the cells for people.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn finish(self, table: impl FnOnce(&[T]) -> table::Table) -> Result<(), Failure> {
        if self.format == Format::Table {
            table(&self.waiting).write(self.out)?;
        }
        self.out.flush()?;
        Ok(())
    }

    fn row(&mut self, row: &T) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Json => json_line(self.out, row),
            Format::Yaml => yaml_document(self.out, row),
            Format::Csv => {
                let json = serde_json::to_value(row).map_err(anyhow::Error::new)?;
                Ok(csv::line(self.out, self.columns.iter().map(|path| cell(&json, path)))?)
            }
        }
    }
}

/// The value at a path such as `tcp.flags`: lists joined by spaces, nothing for null.
fn cell(row: &Json, path: &str) -> String {
    let value = path.split('.').try_fold(row, |v, name| v.get(name));
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(list)) => list.iter().map(plain).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
