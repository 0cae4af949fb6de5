//! `netwatch log-level` and `netwatch reload`: steering a running server.

use std::io::Write as _;

use netwatch_api::control::{LogLevel, Reload};

use crate::args::{Cli, LogLevelArgs, Overrides, ReloadArgs, ServerArgs};
use crate::client::Endpoint;
use crate::config::Key;
use crate::failure::{Failure, Outcome, visible};

/// `netwatch log-level [FILTER]`
pub fn log_level(cli: &Cli, args: &LogLevelArgs) -> Outcome {
    let endpoint = endpoint(cli, &args.server, args.data_dir.as_deref())?;
    let path = "/api/v1/system/log-level";
    let level: LogLevel = match &args.filter {
        None => endpoint.get(path, &[])?,
        Some(filter) => endpoint.send("PUT", path, &LogLevel { filter: filter.clone() })?,
    };
    let mut out = super::stdout();
    writeln!(out, "{}", visible(&level.filter))?;
    out.flush()?;
    Ok(())
}

/// `netwatch reload`
pub fn reload(cli: &Cli, args: &ReloadArgs) -> Outcome {
    let endpoint = endpoint(cli, &args.server, args.data_dir.as_deref())?;
    let report: Reload = endpoint.send("POST", "/api/v1/system/reload", &())?;
    let mut out = super::stdout();
    for (changes, note) in [(&report.applied, ""), (&report.restart, " (waits for a restart)")] {
        for change in changes {
            let [before, after] = [&change.before, &change.after].map(|text| visible(text));
            writeln!(out, "{}: {before} -> {after}{note}", change.key)?;
        }
    }
    if report.applied.is_empty() && report.restart.is_empty() {
        writeln!(out, "nothing has changed")?;
    }
    out.flush()?;
    Ok(())
}

/// The server that is asked.
pub fn endpoint(cli: &Cli, server: &ServerArgs, data_dir: Option<&str>) -> Result<Endpoint, Failure> {
    let mut flags = Overrides::default();
    flags.text(Key::DataDir, data_dir);
    Endpoint::resolve(server, &super::settings(cli, flags)?)
}
