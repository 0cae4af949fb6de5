//! The log of batches: each once, durable before it is acknowledged.
//!
//! Batches of one segment share a dictionary of series: the labels of a series are written once, and each segment can be read alone.
//! What defines a series comes again until one such batch is durable, so that no batch that survives a crash needs one that did not.
//!
//! Limits: windows (see `dedupe`) for repeated batches, [`HOT`] records in memory for the feed. One lock guards windows, encoder
//! and the list of what is not yet durable; it is held while a batch is encoded and written, never while the disk is waited for.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwatch_model::codec::{EncodeError, Encoder, Mark};
use netwatch_model::people::WorkspaceId;
use netwatch_model::{AgentId, Batch, BatchKey, BootId, Position, Record, Timestamp};
use netwatch_spool::files::Files;
use netwatch_spool::{AppendError, Checkpoint, Config, Item, Recovery, Spool, SpoolError, SpoolMetrics, Ticket};
use netwatch_telemetry::clock::ClockSource;

use super::dedupe::Windows;
use super::entry;
use super::metrics::IngestMetrics;

/// The workspace of the agent of this process, and of what the server says itself.
pub const HOME: WorkspaceId = WorkspaceId::from_bits(0);

/// Who keeps a checkpoint in the log: the windows of this module, and the feed of history when there is one.
#[must_use]
pub fn consumers(with_history: bool) -> Vec<&'static str> {
    if with_history { vec![SEEN, FEED] } else { vec![SEEN] }
}

pub(super) const SEEN: &str = "seen";
pub(super) const FEED: &str = "history";

/// The agent whose records are the server's own, and those of programs.
const OWN: AgentId = AgentId(0);
/// Records that wait in memory for the feed; what does not fit is read from the log.
const HOT: usize = 400_000;
/// Bytes of the log after which the windows are kept anew: what must be read at a start.
pub(super) const KEEP_EVERY: u64 = 32 << 20;

/// The log of batches. Every method may be called from any thread.
pub struct Ingest {
    pub(super) spool: Spool,
    pub(super) clock: Arc<dyn ClockSource>,
    pub(super) metrics: IngestMetrics,
    inner: Mutex<Inner>,
    hot: Mutex<Hot>,
}

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is in the log since earlier, or too old to know.
    Repeated,
    /// There is nothing in it.
    Empty,
    /// It is written; [`Ingest::commit`] makes it durable.
    Written(Ticket),
}

/// A batch was not taken; it may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Nothing new is taken in for now.
    #[error("nothing new is kept: {0}")]
    ReadOnly(String),
    /// The log did not take it.
    #[error("the log of what comes in did not take a batch")]
    Log(#[source] AppendError),
    /// It is too large.
    #[error("a batch is too large for the log")]
    TooLarge(#[source] EncodeError),
}

impl NotTaken {
    /// Whether it is for want of room, and goes away by itself.
    pub(super) const fn is_full(&self) -> bool {
        matches!(self, Self::ReadOnly(_) | Self::Log(AppendError::Full { .. } | AppendError::NoSpace { .. }))
    }
}

struct Inner {
    windows: Windows,
    encoder: Encoder,
    /// The segment that the encoder's dictionary belongs to.
    segment: Option<Position>,
    entry: Vec<u8>,
    /// What is written and not known to be durable.
    pending: VecDeque<Pending>,
    /// The newest entry.
    newest: Option<Ticket>,
    /// Bytes written since the windows were kept.
    since_kept: u64,
    /// Numbers the server's own batches.
    own: BatchKey,
    read_only: Option<String>,
    loss: Option<Loss>,
}

struct Pending {
    ticket: Ticket,
    mark: Mark,
    key: BatchKey,
    records: u64,
    /// Whether nobody sends it again.
    is_once: bool,
}

/// Durable records that the log did not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Loss {
    pub(super) records: u64,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) reason: String,
}

/// The newest entries, until the feed takes them.
#[derive(Default)]
struct Hot {
    entries: VecDeque<Fresh>,
    records: usize,
    is_wanted: bool,
}

/// An entry as it came.
pub(super) struct Fresh {
    pub(super) position: Position,
    pub(super) workspace: WorkspaceId,
    pub(super) batch: Batch,
}

impl Ingest {
    /// Opens the log and learns which batches are in it.
    ///
    /// # Errors
    /// When the log cannot be opened: damage is no reason, another process that has it is.
    pub fn open(
        config: Config,
        files: Arc<dyn Files>,
        clock: Arc<dyn ClockSource>,
        (spool_metrics, metrics): (SpoolMetrics, IngestMetrics),
    ) -> Result<(Self, Recovery), SpoolError> {
        let (spool, recovery) = Spool::open(config, files, Arc::clone(&clock), spool_metrics)?;
        let windows = learn(&spool, &metrics)?;
        let now = clock.now().nanos().cast_unsigned();
        let boot = BootId(getrandom::u64().unwrap_or(now));
        let inner = Inner {
            windows,
            encoder: Encoder::sharing(boot.0),
            segment: None,
            entry: Vec::new(),
            pending: VecDeque::new(),
            newest: None,
            since_kept: 0,
            own: BatchKey { agent: OWN, boot, sequence: 0 },
            read_only: None,
            loss: None,
        };
        Ok((Self { spool, clock, metrics, inner: Mutex::new(inner), hot: Mutex::default() }, recovery))
    }

    /// Writes a batch into the log, unless it is there.
    ///
    /// # Errors
    /// When the log does not take it; the same batch may come again.
    pub fn take(&self, workspace: WorkspaceId, batch: Batch) -> Result<Taken, NotTaken> {
        self.take_locked(&mut self.inner(), workspace, batch, false)
    }

    /// The same for a batch that will not come again: when the log does not take it, its records are counted as not kept.
    ///
    /// # Errors
    /// When the log does not take it.
    pub fn take_once(&self, workspace: WorkspaceId, batch: Batch) -> Result<Taken, NotTaken> {
        let records = batch.records.len() as u64;
        let mut inner = self.inner();
        let taken = self.take_locked(&mut inner, workspace, batch, true);
        if let Err(refused) = &taken {
            self.lost(&mut inner, records, &with_cause(refused));
        }
        taken
    }

    /// Writes records that the server itself made, or a program sent, as a batch of their own.
    ///
    /// # Errors
    /// When the log does not take them.
    pub fn take_own(&self, workspace: WorkspaceId, records: Vec<Record>) -> Result<Taken, NotTaken> {
        let mut inner = self.inner();
        inner.own.sequence += 1;
        let key = inner.own;
        self.take_locked(&mut inner, workspace, Batch { key, records }, false)
    }

    /// Returns when an entry is durable, and with it all before.
    ///
    /// # Errors
    /// When the disk failed: the batch may come again.
    pub fn commit(&self, ticket: Ticket) -> Result<Position, NotTaken> {
        let committed = self.spool.commit(ticket);
        let mut inner = self.inner();
        while let Some(pending) = inner.pending.pop_front_if(|pending| pending.ticket.position <= ticket.position) {
            // Those before it have the same fate or a known one: this does not wait.
            if self.spool.commit(pending.ticket).is_ok() {
                inner.encoder.settle(pending.mark);
            } else {
                inner.windows.take_back(pending.key);
                if pending.is_once {
                    self.lost(&mut inner, pending.records, "the disk failed");
                }
            }
        }
        committed.map_err(NotTaken::Log)
    }

    /// The newest entry that was written.
    #[must_use]
    pub fn newest(&self) -> Option<Ticket> {
        self.inner().newest
    }

    /// Refuses everything new for that reason, or takes in again.
    pub fn set_read_only(&self, reason: Option<String>) {
        self.inner().read_only = reason;
    }

    /// The log beneath.
    #[must_use]
    pub const fn spool(&self) -> &Spool {
        &self.spool
    }

    fn take_locked(
        &self,
        inner: &mut Inner,
        workspace: WorkspaceId,
        batch: Batch,
        is_once: bool,
    ) -> Result<Taken, NotTaken> {
        if inner.windows.has(batch.key) {
            self.metrics.repeated.inc();
            return Ok(Taken::Repeated);
        }
        let records = batch.records.len();
        if records == 0 {
            return Ok(Taken::Empty);
        }
        let (ticket, mark) = self.write(inner, workspace, &batch)?;
        inner.windows.note(batch.key);
        inner.newest = Some(ticket);
        inner.pending.push_back(Pending { ticket, mark, key: batch.key, records: records as u64, is_once });
        self.metrics.forgotten.inc_by(inner.windows.forgotten().saturating_sub(self.metrics.forgotten.get()));
        self.keep_hot(Fresh { position: ticket.position, workspace, batch });
        Ok(Taken::Written(ticket))
    }

    fn write(&self, inner: &mut Inner, workspace: WorkspaceId, batch: &Batch) -> Result<(Ticket, Mark), NotTaken> {
        if let Some(reason) = &inner.read_only {
            return Err(NotTaken::ReadOnly(reason.clone()));
        }
        if let Some(segment) = inner.segment {
            let mark = inner.encode(workspace, batch)?;
            if let Some(ticket) = self.spool.append_within(segment, &inner.entry).map_err(NotTaken::Log)? {
                return Ok((ticket, mark));
            }
        }
        // The segment has ended: with a new dictionary the batch may stand anywhere.
        inner.encoder.begin();
        inner.segment = None;
        let mark = inner.encode(workspace, batch)?;
        let ticket = self.spool.append(&inner.entry).map_err(NotTaken::Log)?;
        inner.segment = Some(ticket.segment);
        Ok((ticket, mark))
    }

    fn lost(&self, inner: &mut Inner, records: u64, reason: &str) {
        self.metrics.not_kept.inc_by(records);
        let now = self.clock.now();
        let loss = inner.loss.get_or_insert_with(|| Loss { records: 0, from: now, to: now, reason: String::new() });
        loss.records += records;
        loss.to = now;
        reason.clone_into(&mut loss.reason);
    }

    /// Whether the log refuses now, and what it refused.
    pub(super) fn trouble(&self) -> Option<Loss> {
        self.inner().loss.clone()
    }

    /// What was refused until now; from here on it is counted anew.
    pub(super) fn take_loss(&self) -> Option<Loss> {
        self.inner().loss.take()
    }

    /// What was refused goes on being counted.
    pub(super) fn put_loss_back(&self, earlier: Loss) {
        let mut inner = self.inner();
        inner.loss = Some(match inner.loss.take() {
            None => earlier,
            Some(later) => Loss { records: later.records + earlier.records, from: earlier.from, ..later },
        });
    }

    /// The windows as bytes, and the entry up to which they tell, when enough was written since they were kept.
    pub(super) fn windows_to_keep(&self, at_least: u64) -> Option<(Vec<u8>, Ticket)> {
        let mut inner = self.inner();
        let newest = inner.newest.filter(|_| inner.since_kept >= at_least)?;
        inner.since_kept = 0;
        Some((inner.windows.encode(), newest))
    }

    /// From now on the newest entries are kept for the feed.
    pub(super) fn want_hot(&self) {
        self.hot().is_wanted = true;
    }

    /// The durable entry at a position, when it is still in memory; those before it are let go.
    pub(super) fn hot_at(&self, position: Position) -> Option<Fresh> {
        let mut hot = self.hot();
        while let Some(fresh) = hot.entries.pop_front_if(|fresh| fresh.position < position) {
            hot.records -= fresh.batch.records.len();
        }
        let fresh = hot.entries.pop_front_if(|fresh| fresh.position == position && self.spool.has(position))?;
        hot.records -= fresh.batch.records.len();
        Some(fresh)
    }

    fn keep_hot(&self, fresh: Fresh) {
        let mut hot = self.hot();
        let records = fresh.batch.records.len();
        if hot.is_wanted && hot.records + records <= HOT {
            hot.records += records;
            hot.entries.push_back(fresh);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What a panicking writer left is still a valid state: every step of it is.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hot(&self) -> MutexGuard<'_, Hot> {
        self.hot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Makes the entry of a batch.
    fn encode(&mut self, workspace: WorkspaceId, batch: &Batch) -> Result<Mark, NotTaken> {
        entry::begin(workspace, &mut self.entry);
        let encoded = self.encoder.encode(batch.key, &batch.records, &mut self.entry).map_err(NotTaken::TooLarge)?;
        self.since_kept += self.entry.len() as u64;
        Ok(encoded.mark)
    }
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest").field("spool", &self.spool).finish_non_exhaustive()
    }
}

/// Which batches are in the log: what was kept, and what came after it.
fn learn(spool: &Spool, metrics: &IngestMetrics) -> Result<Windows, SpoolError> {
    // A checkpoint that cannot be read is none: then the whole log is looked through.
    let Checkpoint { next, state } = spool.checkpoint(SEEN).ok().flatten().unwrap_or_default();
    let mut windows = Windows::decode(&state).unwrap_or_default();
    let mut reader = spool.reader(next);
    while let Some(item) = reader.next() {
        let Item::Record { payload, .. } = item else { continue };
        match entry::key(payload) {
            Ok(key) => windows.note(key),
            Err(_) => _ = metrics.unreadable.inc(),
        }
    }
    Ok(windows)
}

/// An error and its causes in one line.
pub(super) fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
