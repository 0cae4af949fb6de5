//! The agent: takes what collectors emit, makes batches of it, and brings them to the server.
//!
//! Why: collectors must never wait for the server, and what is lost on the way must be counted and seen.
//!
//! ```text
//! collectors ─Intake (bounded)─► Agent::run: Batcher ─► backlog (bounded) ─► Uplink
//! ```
//!
//! In the server's own process the uplink is a queue; an agent of its own ([`session`]) writes to the [`Outbox`] on disk, from where a
//! session over gRPC takes batches to the server that it was enrolled at ([`identity`]).
//!
//! One thread, [`Agent::run`], owns the [`Batcher`]; everything else holds an [`Intake`]. A batch is closed every
//! [`Config::interval`] or at [`Config::batch_records`] records. When the uplink refuses, batches wait in the backlog; when that is
//! full, [`Overflow`] says what happens: the oldest batch is dropped and its records counted (live capture), or the collector is
//! made to wait (a capture file, which can).
//!
//! Every record that was dropped is in the cumulative sample `RecordsDropped`; the beginning of a loss is one event.
//!
//! Limits: memory is at most intake + backlog + one open batch, all counted in records or messages by [`Config`]. Delivery is at
//! most once for each batch of a run; flow records and counters are cumulative, so that a lost batch loses detail and no total.

mod batcher;
mod demand;
pub mod identity;
mod intake;
pub mod link;
mod os;
pub mod outbox;
pub mod probing;
pub mod reflecting;
mod run;
pub mod serving;
pub mod session;
pub mod update;
pub mod watchdog;

pub use batcher::{Batcher, Config, DROP_REASON, Overflow};
pub use intake::{Intake, Refused};
pub use outbox::Outbox;
pub use probing::Probing;
pub use run::{Agent, BuildError};

use netwatch_model::Batch;

/// The way to the server, as the agent needs it.
pub trait Uplink: Send {
    /// Hands a batch over, without waiting.
    ///
    /// # Errors
    /// Gives the batch back when there is no room or no server; the agent tries again.
    fn try_send(&self, batch: Batch) -> Result<(), Batch>;
}
