//! What can go wrong with a log.

use std::io;

/// The log cannot be opened, read or kept in order.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The limits contradict each other.
    #[error("the log in {place} cannot have these limits: {why}")]
    Config {
        /// The log.
        place: String,
        /// What must be.
        why: &'static str,
    },
    /// Another process has it.
    #[error(
        "the log in {place} is in use by another Netwatch{owner}: stop that one, or choose another directory with --data-dir"
    )]
    Locked {
        /// The log.
        place: String,
        /// " (process 123)", or nothing.
        owner: String,
    },
    /// The directory cannot be made, locked or listed.
    #[error("the directory {place} cannot be used for the log: check that it is writable for this user")]
    Directory {
        /// The log.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("{name} of the log in {place} cannot be read")]
    Read {
        /// The log.
        place: String,
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{name} of the log in {place} cannot be written: check the space and the health of the disk")]
    Write {
        /// The log.
        place: String,
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A checkpoint is too long.
    #[error("the state of the consumer {consumer} has {bytes} bytes, more than {} may be kept", crate::MAX_STATE)]
    State {
        /// Whose.
        consumer: String,
        /// How many.
        bytes: usize,
    },
    /// Nobody of that name was declared when the log was opened.
    #[error("the log has no consumer {0}: this is a defect of Netwatch")]
    Consumer(String),
}

/// A record was not made durable. It may be given again.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It is too long.
    #[error("a record of {bytes} bytes is longer than {} bytes: send it in several", crate::MAX_RECORD)]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// The log is at its cap, and all that is in it is still needed.
    #[error(
        "the log in {place} has reached its {max_bytes} bytes, and its readers have not taken what is there: see what holds them up"
    )]
    Full {
        /// The log.
        place: String,
        /// The cap.
        max_bytes: u64,
    },
    /// The disk is full.
    #[error("no space is left for the log in {place}: free some, and writing goes on by itself")]
    NoSpace {
        /// The log.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A segment cannot be written.
    #[error("a segment of the log in {place} cannot be written: check the health of the disk")]
    Write {
        /// The log.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk did not take it: the segment was abandoned, and nobody knows what of it is there.
    #[error(
        "the disk failed to make the log in {place} durable: the segment is abandoned, check the health of the disk"
    )]
    NotDurable {
        /// The log.
        place: String,
    },
}
