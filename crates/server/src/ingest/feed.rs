//! Feeding history from the log.
//!
//! Entries go to the [`Sink`] in order, each once in a run, from where the sink stands: fresh ones from memory, others from the log.
//! What the sink has for good is kept as a checkpoint, behind which the log lets go. After an error of the sink it is fed again from
//! where it then stands; while it is read-only the log refuses new batches, so that the disk does not fill. Entries that cannot be
//! read are counted and passed over. An entry may name series that others of its segment define: who comes to it from elsewhere looks
//! through the segment up to it first.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwatch_model::codec::{Decoded, Decoder};
use netwatch_model::people::WorkspaceId;
use netwatch_model::{Batch, Position, Timestamp};
use netwatch_spool::{Checkpoint, Gap, Item, Reader, SpoolError};
use netwatch_telemetry::health::{Component, State};
use netwatch_telemetry::traces::TARGET;
use tracing::info_span;

use super::entry;
use super::log::{FEED, Fresh, Ingest};

/// How often what the sink has is kept.
const KEEP: Duration = Duration::from_secs(5);
/// How long what was given may wait until it is stored for good.
const FLUSH: Duration = Duration::from_secs(20);
/// Longest wait for a new entry.
const LOOK: Duration = Duration::from_millis(100);
/// The first wait after an error, doubled with each, and the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// Entries after which it is looked at the clock.
const ROUND: usize = 64;

/// What keeps history: the telemetry store.
pub trait Sink: Send {
    /// The newest entry that is stored for good; everything after it is to be given again.
    fn stored(&self) -> Position;

    /// Takes an entry in. Positions grow; one that is stored already changes nothing.
    ///
    /// # Errors
    /// See [`SinkError`].
    fn apply(
        &mut self,
        position: Position,
        workspace: WorkspaceId,
        batch: Batch,
        now: Timestamp,
    ) -> Result<(), SinkError>;

    /// Entries are gone from the log before they could be given.
    fn missing(&mut self, gap: &Gap);

    /// Stores for good what was taken.
    ///
    /// # Errors
    /// See [`SinkError`].
    fn flush(&mut self, now: Timestamp) -> Result<(), SinkError>;

    /// Puts itself in order after an error.
    ///
    /// # Errors
    /// When it cannot; it is asked again later.
    fn recover(&mut self, now: Timestamp) -> Result<(), SinkError>;

    /// Whether it should be put in order although it gave no error.
    fn wants_recovery(&self) -> bool;
}

/// A sink did not take an entry.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// There is no room for more: give it again later.
    #[error("the store of history is read-only: {0}")]
    ReadOnly(String),
    /// It failed: it must be put in order, and given again everything after what it has.
    #[error("the store of history failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// Feeds one sink.
pub struct Feed<S> {
    ingest: Arc<Ingest>,
    sink: S,
    reader: Reader,
    decoder: Decoder,
    /// Which entries the decoder has read without leaving one out: the first, and the one after the newest.
    read: Option<(Position, Position)>,
    /// The next entry to be given.
    next: Position,
    /// What the checkpoint says.
    kept: Position,
    failures: u32,
    /// Since when something was given that is not stored for good; monotonic.
    waiting: Option<Duration>,
    health: Option<Component>,
}

impl<S: Sink> Feed<S> {
    /// A feed that goes on from where the sink stands.
    ///
    /// # Errors
    /// When the log has no place for the checkpoint, which is a defect.
    pub fn new(ingest: Arc<Ingest>, sink: S, health: Option<Component>) -> Result<Self, SpoolError> {
        let kept = ingest.spool().needed_by(FEED)?;
        let next = sink.stored().next();
        // A log that was replaced begins anew: what it gets now is not what the sink has under such a position.
        if let Err(error) = ingest.spool().jump(sink.stored()) {
            tracing::warn!(error = super::log::with_cause(&error), "the log cannot go on where history stands");
        }
        let reader = ingest.spool().reader(next);
        ingest.want_hot();
        Ok(Self {
            ingest,
            sink,
            reader,
            decoder: Decoder::default(),
            read: None,
            next,
            kept,
            failures: 0,
            waiting: None,
            health,
        })
    }

    /// Feeds until the flag is set and everything durable was given; on a thread of its own.
    pub fn run(mut self, stop: &AtomicBool) {
        let clock = Arc::clone(&self.ingest.clock);
        let mut kept = clock.monotonic();
        loop {
            let is_last = stop.load(Ordering::Relaxed);
            match self.round() {
                Ok(given) => {
                    self.well();
                    if given > 0 {
                        self.waiting.get_or_insert(clock.monotonic());
                    }
                    if given == 0 && is_last {
                        break;
                    }
                    if given == 0 {
                        let _is_there = self.reader.wait(LOOK);
                    }
                }
                Err(_) if is_last => break,
                Err(error) => self.fail(&error, stop),
            }
            let now = clock.monotonic();
            if self.waiting.is_some_and(|since| now >= since + FLUSH) {
                self.waiting = None;
                if let Err(error) = self.sink.flush(clock.now()) {
                    self.fail(&error, stop);
                }
            }
            if now >= kept + KEEP {
                kept = now;
                self.keep();
            }
        }
        if let Err(error) = self.sink.flush(clock.now()) {
            tracing::warn!(
                error = super::log::with_cause(&error),
                "history is written at the next start, from the log"
            );
        }
        self.keep();
    }

    /// Gives some entries; tells how many.
    fn round(&mut self) -> Result<usize, SinkError> {
        if self.sink.wants_recovery() {
            self.recover()?;
        }
        let mut given = 0;
        while given < ROUND && self.give()? {
            given += 1;
        }
        Ok(given)
    }

    /// Gives the next entry, if there is one.
    pub(super) fn give(&mut self) -> Result<bool, SinkError> {
        let now = self.ingest.clock.now();
        if let Some(Fresh { position, workspace, batch }) = self.ingest.hot_at(self.next) {
            let span = info_span!(target: TARGET, "ingest.history", records = batch.records.len());
            span.in_scope(|| self.sink.apply(position, workspace, batch, now))?;
            self.ingest.metrics.fed[0].inc();
            self.next = position.next();
            return Ok(true);
        }
        self.reader.seek(self.next);
        match self.reader.next() {
            None => return Ok(false),
            Some(Item::Gap(gap)) => self.sink.missing(&gap),
            Some(Item::Record { position, segment, payload, .. }) => {
                let read = entry::parse(payload).and_then(|(workspace, bytes)| {
                    if self.decoder.lacks(bytes) {
                        // Those of the segment that were read need not be read again, when they are read from its first on.
                        let known = self.read.filter(|(first, end)| *first <= segment && *end <= position);
                        let from = known.map_or(segment, |(_, end)| end.max(segment));
                        learn(&self.ingest, &mut self.decoder, from, position);
                        self.read = Some((segment, position));
                    }
                    Ok((workspace, self.decoder.decode(bytes)?))
                });
                self.read = match self.read {
                    Some((first, end)) if end == position => Some((first, position.next())),
                    // Entries that were given from memory lie between.
                    Some((first, end)) if segment <= end && end < position => Some((first, end)),
                    _ => Some((position, position.next())),
                };
                match read {
                    Ok((workspace, decoded)) => {
                        tell(&self.ingest, position, &decoded);
                        let span = info_span!(target: TARGET, "ingest.history", records = decoded.batch.records.len());
                        span.in_scope(|| self.sink.apply(position, workspace, decoded.batch, now))?;
                        self.ingest.metrics.fed[1].inc();
                    }
                    Err(error) => {
                        self.ingest.metrics.unreadable.inc();
                        tracing::warn!(%error, position = position.0, "an entry of the log cannot be read");
                    }
                }
            }
        }
        self.next = self.reader.position();
        Ok(true)
    }

    /// Keeps what the sink has.
    fn keep(&mut self) {
        let next = self.sink.stored().next();
        let newest = self.ingest.spool().statistics().next;
        self.ingest.metrics.lag.set(i64::try_from(newest.since(next)).unwrap_or(i64::MAX));
        if next == self.kept {
            return;
        }
        match self.ingest.spool().save(FEED, &Checkpoint { next, state: Vec::new() }) {
            Ok(()) => self.kept = next,
            Err(error) => tracing::warn!(%error, "how far history is fed is not kept; the log grows meanwhile"),
        }
    }

    pub(super) fn recover(&mut self) -> Result<(), SinkError> {
        self.sink.recover(self.ingest.clock.now())?;
        self.next = self.sink.stored().next();
        Ok(())
    }

    /// Says so, waits a while, and has the sink put in order.
    fn fail(&mut self, error: &SinkError, stop: &AtomicBool) {
        let text = super::log::with_cause(error);
        self.ingest.metrics.failures.inc();
        if self.failures == 0 {
            tracing::error!(error = text, "history is not written; it will be, from the log");
        }
        if let Some(health) = &self.health {
            health.set(State::Degraded(text), self.ingest.clock.now());
        }
        if let SinkError::ReadOnly(reason) = error {
            self.ingest.set_read_only(Some(reason.clone()));
        }
        self.pause(stop);
        self.failures = self.failures.saturating_add(1);
        if matches!(error, SinkError::Failed(_))
            && let Err(error) = self.recover()
        {
            tracing::warn!(error = super::log::with_cause(&error), "the store of history cannot be put in order yet");
        }
    }

    /// It works, perhaps again.
    fn well(&mut self) {
        if let Some(health) = &self.health {
            health.set(State::Ok, self.ingest.clock.now());
        }
        if std::mem::take(&mut self.failures) > 0 {
            self.ingest.set_read_only(None);
            tracing::info!("history is written again");
        }
    }

    fn pause(&self, stop: &AtomicBool) {
        let wait = RETRY.0.saturating_mul(1 << self.failures.min(8)).min(RETRY.1);
        let until = self.ingest.clock.monotonic() + wait;
        while self.ingest.clock.monotonic() < until && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK.min(wait));
        }
    }
}

/// Has the decoder take in what entries from one position up to before another define.
fn learn(ingest: &Ingest, decoder: &mut Decoder, from: Position, before: Position) {
    let mut reader = ingest.spool().reader(from);
    while reader.position() < before {
        match reader.next() {
            Some(Item::Record { position, payload, .. }) if position < before => {
                // What cannot be read is counted in its turn.
                let _learnt = entry::parse(payload).and_then(|(_, bytes)| decoder.learn(bytes));
            }
            Some(Item::Gap(_)) => {}
            _ => return,
        }
    }
}

/// Counts what an entry should hold and does not give.
fn tell(ingest: &Ingest, position: Position, decoded: &Decoded) {
    ingest.metrics.skipped.inc_by(decoded.skipped);
    ingest.metrics.lost.inc_by(decoded.lost);
    if decoded.lost > 0 {
        let (position, samples) = (position.0, decoded.lost);
        tracing::warn!(position, samples, "what some samples are of was in an entry of the log that is damaged");
    }
}
