//! How a command fails: what is printed, and the exit code.
//!
//! Exit codes: 0 all is well; 1 it could not be done; 2 it was asked for in a wrong way (flag, filter, interface, configuration).

use std::fmt;
use std::io::{self, Write as _};

/// Exit code: it could not be done.
pub const OTHER: u8 = 1;
/// Exit code: it was asked for in a wrong way.
pub const USAGE: u8 = 2;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// It was asked for in a wrong way: exit code 2.
    Usage(anyhow::Error),
    /// It could not be done: exit code 1.
    Other(anyhow::Error),
    /// Everything was said already: this exit code.
    Said(u8),
    /// Nobody reads our output any more: exit code 0, not a word.
    Quiet,
}

/// What a command gives.
pub type Outcome = Result<(), Failure>;

/// A wrong question: exit code 2.
pub fn usage(message: impl fmt::Display) -> Failure {
    Failure::Usage(anyhow::Error::msg(message.to_string()))
}

impl Failure {
    /// What went wrong, one cause a line; empty when it was said already.
    #[cfg(feature = "server")]
    pub fn message(&self) -> String {
        match self {
            Self::Usage(error) | Self::Other(error) => {
                error.chain().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            }
            Self::Said(_) | Self::Quiet => String::new(),
        }
    }

    /// Prints what went wrong and gives the exit code.
    pub fn report(&self) -> u8 {
        let (error, code) = match self {
            Self::Usage(error) => (error, USAGE),
            Self::Other(error) => (error, OTHER),
            Self::Said(code) => return *code,
            Self::Quiet => return 0,
        };
        // When standard error is closed there is nobody left to tell.
        let _ = write!(io::stderr(), "{}", text(error));
        code
    }
}

/// The message and its causes, one a line.
fn text(error: &anyhow::Error) -> String {
    let mut out = String::new();
    let mut last = String::new();
    for (i, cause) in error.chain().enumerate() {
        let message = cause.to_string();
        // A library that repeats its source in its message says nothing new.
        if i > 0 && last.contains(&message) {
            continue;
        }
        let head = if i == 0 { "netwatch: " } else { "  because: " };
        out.push_str(head);
        out.push_str(&message.split('\n').map(visible).collect::<Vec<_>>().join("\n"));
        out.push('\n');
        last = message;
    }
    out
}

/// An error with its causes on one line.
pub fn one_line<E: std::error::Error + ?Sized>(error: &E) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // A library that repeats its source in its message says nothing new.
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// Names of files and interfaces are data: what could deceive the eye is written as `\u{…}`.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if netwatch_model::untrusted::is_deceptive(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let broken = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
        if error.chain().filter_map(|c| c.downcast_ref()).any(broken) { Self::Quiet } else { Self::Other(error) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Quiet;
        }
        Self::Other(anyhow::Error::new(error).context("cannot write the output"))
    }
}

#[cfg(feature = "server")]
impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::Usage(anyhow::Error::new(error))
    }
}
