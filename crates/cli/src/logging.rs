//! How loud the log is, and whether there are colours.

use netwatch_telemetry::logs::{self, LogHandle};
use netwatch_telemetry::traces;

use crate::args::Color;
use crate::config::Settings;
use crate::engine::Tracing;
use crate::levels;
pub use crate::levels::colored;

/// The filter of the configured level. Log lines of libraries below `warn` are left out unless everything is traced.
pub fn filter(settings: &Settings) -> String {
    levels::filter(&settings.log_level)
}

/// Starts logging; the handle changes levels later.
///
/// # Errors
/// When the filter is none, which is a defect, or logging runs already.
pub fn start(settings: &Settings, color: Color) -> Result<LogHandle, logs::LogError> {
    logs::init(&filter(settings), levels::format(settings.log_json, color), None)
}

/// Starts logging, and collecting spans when there is a collector for them.
///
/// # Errors
/// Those of [`start`].
pub fn start_tracing(settings: &Settings, color: Color) -> Result<(LogHandle, Option<Tracing>), logs::LogError> {
    let share = f64::from(settings.telemetry.sample_percent) / 100.0;
    let wanted = settings.telemetry.export.clone().map(|export| (export, traces::collect(share)));
    let (layer, tracing) = wanted.map(|(export, (layer, ended))| (layer, (export, ended))).unzip();
    Ok((logs::init(&filter(settings), levels::format(settings.log_json, color), layer)?, tracing))
}
