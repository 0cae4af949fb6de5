//! How loud the log is, and whether there are colours.

use std::io::IsTerminal as _;

use netwatch_telemetry::logs::{self, LogFormat, LogHandle};
use netwatch_telemetry::traces;

use crate::args::Color;
use crate::config::Settings;
use crate::engine::Tracing;

/// Whether something is printed in colour: asked for, or on a terminal where `NO_COLOR` is not set.
pub fn colored(color: Color, terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !refused,
    }
}

/// The filter of the configured level. Log lines of libraries below `warn` are left out unless everything is traced.
pub fn filter(settings: &Settings) -> String {
    let level = settings.log_level.as_str();
    if level == "trace" { "trace".to_owned() } else { directives(level) }
}

/// Starts logging; the handle changes levels later.
///
/// # Errors
/// When the filter is none, which is a defect, or logging runs already.
pub fn start(settings: &Settings, color: Color) -> Result<LogHandle, logs::LogError> {
    logs::init(&filter(settings), format(settings, color), None)
}

/// Starts logging, and collecting spans when there is a collector for them.
///
/// # Errors
/// Those of [`start`].
pub fn start_tracing(settings: &Settings, color: Color) -> Result<(LogHandle, Option<Tracing>), logs::LogError> {
    let share = f64::from(settings.telemetry.sample_percent) / 100.0;
    let wanted = settings.telemetry.export.clone().map(|export| (export, traces::collect(share)));
    let (layer, tracing) = wanted.map(|(export, (layer, ended))| (layer, (export, ended))).unzip();
    Ok((logs::init(&filter(settings), format(settings, color), layer)?, tracing))
}

fn format(settings: &Settings, color: Color) -> LogFormat {
    match (settings.log_json, colored(color, std::io::stderr().is_terminal())) {
        (true, _) => LogFormat::Json,
        (false, true) => LogFormat::Colored,
        (false, false) => LogFormat::Human,
    }
}

fn directives(level: &str) -> String {
    let ours = ["model", "wire", "privilege", "telemetry", "capture", "agent", "api", "server"];
    let ours = ours.iter().map(|name| format!("netwatch_{name}={level}"));
    let others = if level == "error" { "error" } else { "warn" };
    ours.chain([format!("netwatch={level}"), others.to_owned()]).collect::<Vec<_>>().join(",")
}
