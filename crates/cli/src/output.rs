//! Printing data: tables for people, JSON, CSV and YAML for programs.
//!
//! Everything printed is data from strangers' packets: names come in their visible form (see `model::Untrusted`), cells of a CSV
//! that a spreadsheet would run as a formula are defused.

pub mod csv;
pub mod table;
pub mod units;

use std::io::Write;

use serde::Serialize;
use serde_json::Value as Json;

use crate::args::Format;
use crate::failure::Failure;

/// Prints rows in the wanted format; `columns` are the paths of CSV, `table` makes the cells for people.
///
/// # Errors
/// When the output cannot be written.
pub fn rows<T: Serialize>(
    out: &mut impl Write,
    format: Format,
    rows: &[T],
    columns: &[&str],
    table: impl FnOnce(&[T]) -> table::Table,
) -> Result<(), Failure> {
    match format {
        Format::Table => table(rows).write(out)?,
        Format::Json => {
            for row in rows {
                json_line(out, row)?;
            }
        }
        Format::Yaml => {
            for row in rows {
                yaml_document(out, row)?;
            }
        }
        Format::Csv => {
            csv::line(out, columns)?;
            for row in rows {
                let json = serde_json::to_value(row).map_err(anyhow::Error::new)?;
                csv::line(out, columns.iter().map(|path| cell(&json, path)))?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// One JSON object on a line of its own.
///
/// # Errors
/// When the output cannot be written.
pub fn json_line(out: &mut impl Write, row: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(row).map_err(anyhow::Error::new)?;
    writeln!(out, "{line}")?;
    Ok(())
}

/// One YAML document.
///
/// # Errors
/// When the output cannot be written.
pub fn yaml_document(out: &mut impl Write, row: &impl Serialize) -> Result<(), Failure> {
    let document = serde_saphyr::to_string(row).map_err(anyhow::Error::new)?;
    writeln!(out, "---\n{}", document.trim_end())?;
    Ok(())
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
