//! Printing data: tables for people, JSON, CSV and YAML for programs.
//!
//! Everything printed is data from strangers' packets: names come in their visible form (see `model::Untrusted`), cells of a CSV
//! that a spreadsheet would run as a formula are defused. Lists of rows and tables belong to commands that ask a server.

pub mod csv;
#[cfg(feature = "server")]
mod printer;
#[cfg(feature = "server")]
pub mod table;
pub mod units;

use std::io::Write;

use serde::Serialize;

use crate::failure::Failure;

#[cfg(feature = "server")]
pub use printer::Printer;

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
