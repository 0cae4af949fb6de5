//! Log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::Color;
use crate::config::Settings;

/// Whether something is printed in colour: asked for, or on a terminal where `NO_COLOR` is not set.
pub fn colored(color: Color, terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !refused,
    }
}

/// Starts logging. Log lines of libraries below `warn` are left out unless everything is traced.
pub fn start(settings: &Settings, color: Color) {
    let level = settings.log_level.as_str();
    let rule = if level == "trace" { "trace".to_owned() } else { directives(level) };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(rule))
        .with_writer(std::io::stderr)
        .with_ansi(colored(color, std::io::stderr().is_terminal()))
        .with_target(false);
    // A second start, as in tests, changes nothing.
    let _ = if settings.log_json { builder.json().finish().try_init() } else { builder.finish().try_init() };
}

fn directives(level: &str) -> String {
    let ours = ["model", "wire", "privilege", "telemetry", "capture", "agent", "api", "server"];
    let ours = ours.iter().map(|name| format!("netwatch_{name}={level}"));
    let others = if level == "error" { "error" } else { "warn" };
    ours.chain([format!("netwatch={level}"), others.to_owned()]).collect::<Vec<_>>().join(",")
}
