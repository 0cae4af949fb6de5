//! What can go wrong in the bench.

use std::error::Error as _;
use std::io;

use netwatch_capture::ring::RingError;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// No interface of that name.
    #[error("cannot open interface {interface}; `ip link` shows which there are")]
    Interface {
        /// Its name.
        interface: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No ring.
    #[error("cannot read the interface")]
    Ring(#[from] RingError),
    /// A system call that never fails has failed.
    #[error("cannot {what}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program did not start.
    #[error("cannot start {program}")]
    Start {
        /// Which.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program has ended although it should run.
    #[error("{program} ended by itself; its last words: {words}")]
    Ended {
        /// Which.
        program: String,
        /// The end of what it wrote on stderr and stdout.
        words: String,
    },
    /// A program did not say what it should.
    #[error("{program} said nothing that can be understood: {words}")]
    Words {
        /// Which.
        program: String,
        /// What it said.
        words: String,
    },
    /// One of many agents cannot go on.
    #[error("a simulated agent cannot go on: {0}")]
    Agent(String),
    /// A part of `all` failed, and has said why.
    #[error("`netwatch-bench {what}` failed")]
    Failed {
        /// Its arguments.
        what: String,
    },
    /// Not root.
    #[error("cannot make a network namespace; run the bench as root")]
    Namespace(#[source] io::Error),
}

impl BenchError {
    /// For `map_err` on system calls.
    pub fn system(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    /// The error and its causes in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let (mut text, mut cause) = (self.to_string(), self.source());
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}
