//! Batches come in: into the log, from which the store of history is fed, and into the live store.
//!
//! ```text
//! agent ─try_send─► queue (16 batches) ─► InProcess::run ─┬─► live store                           everything, for an hour
//! programs ─POST──────────────────────────► Ingest::take ─┴─► log ─commit─► Feed::run ─► Sink      what is kept for long
//! ```
//!
//! - **An ack means durable.** [`Ingest::take`] writes a batch into the log, [`Ingest::commit`] returns when it outlives a power cut.
//! - **Each batch counts once.** A batch is known by (agent, boot, sequence). What was taken is remembered in windows, rebuilt from the log
//!   and a checkpoint at each start: a repeated or reordered batch changes nothing.
//! - **What is kept** ([`Thinner`]): samples, events, flow records that have ended, and of conversations that go on the last one of each
//!   minute. The others are live only: the next record says it again.
//! - **The sink is fed from the log**, and never ahead of it: what it loses it is given again from where it stands.
//! - **Without space the log refuses**; live data goes on, what was not kept is counted, and one durable event tells the range of time
//!   when it is over.
//!
//! Threads: `nw-ingest` ([`InProcess::run`]) takes batches in, `nw-ingest-log` ([`Ingest::keep`]) commits for it, `nw-feed`
//! ([`Feed::run`]) feeds the sink. None waits for another: a slow disk never holds up live data.

mod dedupe;
mod door;
mod entry;
mod feed;
mod keep;
mod log;
mod metrics;
mod session;
#[cfg(test)]
mod tests;
mod thin;

pub use door::Door;
pub use feed::{Feed, Sink, SinkError};
pub use keep::COMMIT;
pub use log::{HOME, Ingest, NotTaken, Taken, consumers};
pub use metrics::IngestMetrics;
pub use session::{InProcess, InProcessSender};
pub use thin::{GRACE, STEP, Thinner};
