//! Levels of log lines and colours, from words.

use std::io::IsTerminal as _;

use netwatch_telemetry::logs::LogFormat;

use crate::args::Color;

/// Whether something is printed in colour: asked for, or on a terminal where `NO_COLOR` is not set.
pub fn colored(color: Color, terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !refused,
    }
}

/// The filter of a level. Log lines of libraries below `warn` are left out unless everything is traced.
pub fn filter(level: &str) -> String {
    if level == "trace" { "trace".to_owned() } else { directives(level) }
}

/// How lines look on standard error.
pub fn format(is_json: bool, color: Color) -> LogFormat {
    match (is_json, colored(color, std::io::stderr().is_terminal())) {
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
