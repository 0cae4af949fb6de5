//! The log: records of bytes on disk, in order, durable before they are acknowledged.
//!
//! Why: an ack means that a power cut loses nothing, and a consumer that was away finds everything where it left off. The agent's
//! spool and the server's ingest log are this one component; it knows bytes and no batches.
//!
//! ```text
//! append ─► active segment ─► sync (one for all who wait) ─► ack ─► readers ─► checkpoint ─► old segments go
//! ```
//!
//! - A **segment** is a file; a **record** in it has a length, a position, a time, and CRC32C of head and payload ([`segment`]).
//! - [`Spool::append`] writes, [`Spool::commit`] returns when the record is durable; whoever comes first syncs for all who wait.
//! - A [`Reader`] reads durable records from a position on, while others write. What is missing is an [`Item::Gap`], never silence.
//! - A **consumer** keeps a checkpoint here: up to where it has what it needs, with some bytes of its own state.
//! - Caps by bytes and age hold always. What all consumers have goes first and silently; what somebody still needs goes, with the
//!   range of positions and times recorded ([`Gap`]), or new records are refused: [`WhenFull`] says which.
//! - After a crash only the newest segment is looked through: its torn end is cut, a damaged record costs itself alone. Older
//!   segments are checked as they are read.
//! - After a failed sync the segment is abandoned: what was not acknowledged is refused, and the next record begins a new one.
//! - Without space appending fails and everything else goes on; a reserve file is given up so that checkpoints can be written.
//!
//! Limits: a record has at most [`MAX_RECORD`] bytes, the state of a consumer [`MAX_STATE`], there are at most [`MAX_CONSUMERS`]
//! consumers and [`MAX_GAPS`] recorded gaps (older ones are joined). One process at a time has a log open. Disk space is
//! [`Config::max_bytes`] and one segment more, memory the largest record.

mod checkpoint;
mod config;
mod driver;
mod error;
pub mod files;
mod gap;
mod metrics;
mod os;
mod reader;
mod recovery;
mod scan;
pub mod segment;
mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, MAX_STATE};
pub use config::{Config, MAX_CONSUMERS, WhenFull};
pub use driver::{Spool, Ticket};
pub use error::{AppendError, SpoolError};
pub use gap::{Gap, GapReason, MAX_GAPS};
pub use metrics::SpoolMetrics;
pub use os::Directory;
pub use reader::{Item, Reader};
pub use recovery::Recovery;
pub use segment::MAX_RECORD;
pub use state::Statistics;
