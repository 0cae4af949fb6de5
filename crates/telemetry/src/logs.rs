//! Log lines on standard error.
//!
//! Why a formatter of our own: log lines carry names that strangers chose, and end up in terminals and in other people's
//! systems. So in both formats a line is one line, control and bidirectional characters are made visible, every value has a
//! limit, and a field that is named after a secret never shows its value. What: [`init`] starts logging; the [`LogHandle`]
//! changes levels at run time.
//!
//! Limits: [`MAX_VALUE_BYTES`] for each value, [`MAX_FIELDS`] fields for an event or a span, [`MAX_SPANS`] spans of context. A
//! line that cannot be written is lost, and the program goes on. Text inside a message is not searched for secrets.

use std::io::Write;

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

mod layer;
mod line;
#[cfg(test)]
mod tests;

use layer::LineLayer;

use crate::traces::TraceLayer;

/// The longest value of a field, and the longest message.
pub const MAX_VALUE_BYTES: usize = 4096;
/// The most fields of one event or span; further ones are left out.
pub const MAX_FIELDS: usize = 32;
/// The most spans that are shown around an event, the innermost first.
pub const MAX_SPANS: usize = 8;

/// The most characters of a filter, written out as `module=level` parts.
pub const MAX_FILTER_CHARS: usize = 1000;

/// How a line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people: time, level, module, message, fields.
    #[default]
    Human,
    /// The same with the level in colour: for terminals.
    Colored,
    /// One JSON object a line: `time`, `level`, `target`, `message`, `fields`, `spans`.
    Json,
}

/// Logging could not be started or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The text is not a list of levels.
    #[error(
        "`{filter}` is not a log filter: write a level, or module=level parts, for example `info,netwatch_capture=debug`"
    )]
    Filter {
        /// As given, cut to 100 characters.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The text is too long.
    #[error(
        "a log filter may have {MAX_FILTER_CHARS} characters when all its parts are written as module=level; this has {0}"
    )]
    Long(usize),
    /// Logging has been started before.
    #[error("logging has been started already")]
    Started(#[source] tracing_subscriber::util::TryInitError),
    /// The subscriber is gone.
    #[error("the log filter cannot be changed any more")]
    Ended(#[source] reload::Error),
}

/// Changes what is logged while the program runs. Clones act on the same log.
#[derive(Clone, Debug)]
pub struct LogHandle {
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Starts logging to standard error, for the whole process.
///
/// `filter` is a level (`info`), or parts of the form `module=level`, separated by commas. With `traces` spans are collected, too,
/// whatever the filter says.
///
/// # Errors
/// The filter is none, or logging has been started before.
pub fn init(filter: &str, format: LogFormat, traces: Option<TraceLayer>) -> Result<LogHandle, LogError> {
    let (subscriber, handle) = subscriber(filter, LineLayer::new(format, to_stderr), traces)?;
    subscriber.try_init().map_err(LogError::Started)?;
    Ok(handle)
}

impl LogHandle {
    /// Logs by another filter from now on. When it is none, nothing changes.
    ///
    /// # Errors
    /// The filter is none.
    pub fn set_filter(&self, filter: &str) -> Result<(), LogError> {
        self.filter.reload(parse(filter)?).map_err(LogError::Ended)
    }

    /// The filter in force, as text.
    #[must_use]
    pub fn filter(&self) -> String {
        self.filter.with_current(ToString::to_string).unwrap_or_default()
    }
}

fn subscriber(
    filter: &str,
    lines: LineLayer,
    traces: Option<TraceLayer>,
) -> Result<(impl tracing::Subscriber + Send + Sync + 'static, LogHandle), LogError> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let layers: Vec<_> = std::iter::once(lines.with_filter(filter).boxed()).chain(traces).collect();
    Ok((tracing_subscriber::registry().with(layers), LogHandle { filter: handle }))
}

fn parse(filter: &str) -> Result<EnvFilter, LogError> {
    let fail = |source| LogError::Filter { filter: filter.chars().take(100).collect(), source };
    let filter = EnvFilter::builder().parse(filter).map_err(fail)?;
    match filter.to_string().chars().count() {
        0..=MAX_FILTER_CHARS => Ok(filter),
        chars => Err(LogError::Long(chars)),
    }
}

/// In one write, so that lines of several processes do not mix.
fn to_stderr(line: &str) {
    // There is no place left to tell of a log that cannot be written.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
