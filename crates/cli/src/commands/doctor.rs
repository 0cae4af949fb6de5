//! `netwatch doctor`: what this machine allows, and what to do about the rest.
//!
//! Each check looks for real (a packet socket is opened, a ring is made, the port is bound) and gives rows. A row that fails keeps
//! Netwatch from its main job; a row that warns costs a part of it. Exit code 1 when something fails.

mod checks;
mod rights;

use serde::Serialize;

use crate::args::{Cli, DoctorArgs, Overrides};
use crate::config::Settings;
use crate::failure::{Failure, Outcome, one_line as line};
use crate::output::Printer;
use crate::output::table::{Align, Table};

/// How a check went.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// As it should be.
    Ok,
    /// A part will not work.
    Warn,
    /// The main job will not work.
    Fail,
}

/// One row.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
struct Row {
    check: &'static str,
    status: Status,
    detail: String,
    /// What to do; absent when there is nothing to do.
    advice: Option<String>,
}

impl Row {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, detail: detail.into(), advice: None }
    }

    fn warn(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, status: Status::Warn, detail: detail.into(), advice: Some(advice.into()) }
    }

    fn fail(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, status: Status::Fail, detail: detail.into(), advice: Some(advice.into()) }
    }
}

pub fn run(cli: &Cli, args: &DoctorArgs) -> Outcome {
    let mut flags = Overrides::default();
    args.listen.overrides(&mut flags);
    let layers = super::layers(cli, flags);
    let (settings, mut rows) = match Settings::resolve(&layers, super::default_data_dir()) {
        Ok(settings) => (Some(settings), vec![checks::configuration(&layers)]),
        Err(error) => (None, vec![Row::fail("configuration", error.to_string(), "correct it: netwatch config check")]),
    };
    rows.extend(rights::rows());
    rows.extend([checks::interfaces(), checks::ring(), checks::libpcap()]);
    if let Some(settings) = &settings {
        rows.extend([checks::data_directory(settings), checks::port(settings), checks::disk(settings)]);
    }
    rows.extend([checks::kernel(), checks::clock()]);
    let failed = rows.iter().any(|r| r.status == Status::Fail);
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.format, &["check", "status", "detail", "advice"])?;
    printer.rows(rows)?;
    printer.finish(table)?;
    if failed { Err(Failure::Said(1)) } else { Ok(()) }
}

/// For people: a row for the finding, one for what to do.
fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("CHECK", Align::Left), ("RESULT", Align::Left)]).unlimited();
    for row in rows {
        let mark = match row.status {
            Status::Ok => "● ok",
            Status::Warn => "▲ warn",
            Status::Fail => "◆ fail",
        };
        table.row([mark.to_owned(), row.check.to_owned(), row.detail.clone()]);
        if let Some(advice) = &row.advice {
            table.row([String::new(), String::new(), format!("→ {advice}")]);
        }
    }
    table
}
