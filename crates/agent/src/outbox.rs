//! The outbox: what waits to be sent, on disk, until the server has it.
//!
//! ```text
//! batches ─► put: encoded, framed, durable ─► spool ─► lanes: catch up, live ─► session ─► ack ─► checkpoint ─► gone
//! ```
//!
//! Each batch is durable before it is sent, with the run and the number under which it goes: sent again it is the same batch, and the
//! server counts it once. A new run begins with each session, so that what waited ([`Lane`] of the runs before) and what is new are two
//! lines. What is acknowledged out of order is remembered (`acked`), so that only what is missing is sent again.
//!
//! At the caps of the spool the oldest goes. Each frame says how many records were written before it, so that what was lost is known to
//! the record: it is told as an event with its range of times, and counted since the agent was enrolled.
//!
//! Limits: a batch of more than [`LARGEST`] octets is written in parts; one record that is larger alone is dropped and counted. After a
//! crash the last seconds of acks may be forgotten: those batches go once more, under the same numbers.

mod acked;
mod frame;
mod lane;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwatch_model::codec::{EncodeError, Encoder};
use netwatch_model::{AgentId, Batch, BatchKey, BootId, Position, Record, Timestamp};
use netwatch_spool::files::Files;
use netwatch_spool::{AppendError, Checkpoint, Config, GapReason, Item, Recovery, Spool, SpoolError, SpoolMetrics};
use netwatch_telemetry::clock::ClockSource;
use tokio::sync::Notify;

use crate::Uplink;
use acked::Acked;
use frame::Frame;
pub use lane::{Lane, Lanes, Ready, Step};

/// The most octets of a batch on its way.
pub const LARGEST: usize = 1 << 20;
/// Who reads the spool.
const CONSUMER: &str = "server";
/// How often what was acknowledged is written down.
const CHECKPOINT: Duration = Duration::from_secs(5);

/// Records that had to go before the server had them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost {
    /// How many.
    pub records: u64,
    /// When the first was written.
    pub from: Timestamp,
    /// When the last was written.
    pub to: Timestamp,
    /// Why.
    pub reason: GapReason,
}

/// What waits, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// Octets on disk; zero when nothing waits.
    pub bytes: u64,
    /// Batches that the server does not have.
    pub batches: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
    /// Records that were lost since the agent was enrolled.
    pub dropped: u64,
}

/// The outbox. Clones share it.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    spool: Spool,
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    encoder: Encoder,
    run: u64,
    sequence: u64,
    /// Records written since the agent was enrolled.
    written: u64,
    acked: Acked,
    dropped: u64,
    is_dirty: bool,
    saved: Duration,
    /// When the oldest batch that waits was written, and which that is.
    oldest: Option<(Position, Timestamp)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("run", &self.run).field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Opens the spool, and puts in order what a crash left. `run` is the run of what is written before the first session.
    ///
    /// # Errors
    /// When another process has it or the directory cannot be used. Damage is no error.
    pub fn open(
        files: Arc<dyn Files>,
        clock: Arc<dyn ClockSource>,
        run: u64,
        limits: impl FnOnce(&mut Config),
    ) -> Result<(Self, Recovery), SpoolError> {
        let mut config = Config::spool(CONSUMER);
        limits(&mut config);
        let (spool, recovery) = Spool::open(config, files, clock, SpoolMetrics::unregistered())?;
        let kept = spool.checkpoint(CONSUMER)?;
        let (acked, dropped) =
            kept.as_ref().and_then(decode).unwrap_or_else(|| (Acked::starting_at(Position::FIRST, 0), 0));
        let written = last_total(&spool).unwrap_or(0).max(acked.records_before());
        let state = State {
            encoder: Encoder::default(),
            run,
            sequence: 0,
            written,
            acked,
            dropped,
            is_dirty: false,
            saved: Duration::ZERO,
            oldest: None,
        };
        Ok((Self(Arc::new(Shared { spool, state: Mutex::new(state), wake: Notify::new() })), recovery))
    }

    /// Writes records, durably: when it returns they outlive a power cut.
    ///
    /// # Errors
    /// When the disk fails or is full; nothing counts as written then, and it may be given again.
    pub fn put(&self, records: &[Record]) -> Result<(), AppendError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        let key = BatchKey { agent: AgentId::default(), boot: BootId(state.run), sequence: state.sequence + 1 };
        let mut payload = Vec::new();
        let encoded = state.encoder.encode(key, records, &mut payload);
        let is_large =
            payload.len() > LARGEST || matches!(encoded, Err(EncodeError::TooLarge(_) | EncodeError::TooManyRecords));
        if !is_large {
            return self.write(state, records.len() as u64, &payload);
        }
        if records.len() == 1 {
            state.dropped += 1;
            state.is_dirty = true;
            tracing::error!(octets = payload.len(), "a record is too large to be sent and is dropped");
            return Ok(());
        }
        drop(state);
        let (first, second) = records.split_at(records.len() / 2);
        self.put(first)?;
        self.put(second)
    }

    /// A session begins: what was written so far is one line, what is written from now on another, of the run `run`.
    #[must_use]
    pub fn begin(&self, run: u64) -> Lanes {
        let mut state = self.state();
        (state.run, state.sequence) = (run, 0);
        let boundary = self.0.spool.statistics().next;
        let (from, before, written) = (state.acked.next(), state.acked.records_before(), state.written);
        drop(state);
        let boundary = boundary.max(from);
        Lanes {
            catch_up: Lane::new(self.clone(), from, Some(boundary), before),
            live: Lane::new(self.clone(), boundary, None, written),
        }
    }

    /// The server has a batch, durably.
    pub fn acked(&self, position: Position, records: u64) {
        let mut state = self.state();
        state.acked.add(position, position, records);
        state.is_dirty = true;
    }

    /// Writes down what the server has, when that is due or `at_once`.
    ///
    /// # Errors
    /// When it cannot be written; what was acknowledged since goes once more after a restart.
    pub fn checkpoint(&self, now: Duration, at_once: bool) -> Result<(), SpoolError> {
        let mut state = self.state();
        let is_due = at_once || now.saturating_sub(state.saved) >= CHECKPOINT;
        if !state.is_dirty || !is_due {
            return Ok(());
        }
        let next = state.acked.next();
        let checkpoint = Checkpoint { next, state: encode(&state.acked, state.dropped) };
        (state.is_dirty, state.saved) = (false, now);
        drop(state);
        let saved = self.0.spool.save(CONSUMER, &checkpoint);
        if saved.is_err() {
            self.state().is_dirty = true;
        }
        saved
    }

    /// Removes what is too old: to be called now and then while nothing is written.
    pub fn tidy(&self) {
        self.0.spool.tidy();
    }

    /// What waits.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let statistics = self.0.spool.statistics();
        let mut state = self.state();
        let first = statistics.oldest.map_or(statistics.next, |(first, _)| first).max(state.acked.next());
        let batches = statistics.next.since(first).saturating_sub(state.acked.batches_ahead());
        let dropped = state.dropped;
        if batches == 0 {
            return Waiting { dropped, ..Waiting::default() };
        }
        if state.oldest.is_none_or(|(position, _)| position != first) {
            state.oldest = self.time_at(first).map(|time| (first, time));
        }
        // Positions that a crash has skipped hold nothing.
        let Some((_, oldest)) = state.oldest.filter(|(position, _)| *position == first) else {
            return Waiting { dropped, ..Waiting::default() };
        };
        Waiting { bytes: statistics.bytes, batches, oldest: Some(oldest), dropped }
    }

    /// Waits until something was written since the last call.
    pub async fn written(&self) {
        self.0.wake.notified().await;
    }

    fn write(&self, mut state: MutexGuard<'_, State>, records: u64, payload: &[u8]) -> Result<(), AppendError> {
        let frame = Frame { run: state.run, sequence: state.sequence + 1, before: state.written, records };
        let ticket = self.0.spool.append(&frame.with(payload))?;
        state.sequence += 1;
        state.written += records;
        drop(state);
        let durable = self.0.spool.commit(ticket);
        if let Err(error) = durable {
            // Given again it has the same number: should it lie there twice, it counts once.
            let mut state = self.state();
            if state.run == frame.run {
                state.sequence = frame.sequence - 1;
            }
            state.written = frame.before;
            return Err(error);
        }
        self.0.wake.notify_one();
        Ok(())
    }

    /// When the batch at a position, or the next after it, was written.
    fn time_at(&self, position: Position) -> Option<Timestamp> {
        match self.0.spool.reader(position).next()? {
            Item::Record { time, .. } => Some(time),
            Item::Gap(gap) => Some(gap.from),
        }
    }

    /// Positions that hold nothing, or nothing any more.
    fn pass(&self, first: Position, last: Position) {
        if first <= last {
            let mut state = self.state();
            state.acked.add(first, last, 0);
            state.is_dirty = true;
        }
    }

    /// The records at these positions are gone; how many of them the server did not have.
    fn lost(&self, first: Position, last: Position, records: u64) -> u64 {
        let mut state = self.state();
        let missing = records.saturating_sub(state.acked.records_within(first, last));
        state.dropped += missing;
        state.acked.add(first, last, missing);
        state.is_dirty = true;
        missing
    }

    fn acked_at(&self, position: Position) -> Option<(Position, Option<u64>)> {
        self.state().acked.range_at(position)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uplink for Outbox {
    fn try_send(&self, batch: Batch) -> Result<(), Batch> {
        self.put(&batch.records).map_err(|error| {
            tracing::error!(%error, "records cannot be written to the spool");
            batch
        })
    }
}

/// Records written up to the newest batch that is there.
fn last_total(spool: &Spool) -> Option<u64> {
    let newest = spool.statistics().next.before();
    let mut reader = spool.reader(newest);
    match reader.next()? {
        Item::Record { payload, .. } => {
            Frame::read(payload).map(|(frame, _)| frame.before.saturating_add(frame.records))
        }
        Item::Gap(_) => None,
    }
}

/// The state beside a checkpoint: records lost, then what is acknowledged.
fn encode(acked: &Acked, dropped: u64) -> Vec<u8> {
    let mut out = dropped.to_le_bytes().to_vec();
    acked.encode(&mut out);
    out
}

fn decode(checkpoint: &Checkpoint) -> Option<(Acked, u64)> {
    let (dropped, rest) = checkpoint.state.split_first_chunk()?;
    Some((Acked::decode(checkpoint.next, rest)?, u64::from_le_bytes(*dropped)))
}

#[cfg(test)]
mod tests;
