//! The log as others hold it: one lock over the [`State`], files, and the sync that is shared.
//!
//! There is no thread. Whoever waits for a record to be durable syncs for all who wait, one at a time; meanwhile others append.
//! Lock order: bookkeeping (small files) before the state. Files are created and removed under the lock of the state, which is
//! seldom; the sync of a segment is not.

mod append;
mod keeping;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwatch_model::{Position, Timestamp};
use netwatch_telemetry::clock::{ClockSource, Reading};

use crate::checkpoint::{self, EndNote};
use crate::config::Config;
use crate::error::{AppendError, SpoolError};
use crate::files::{File, Files};
use crate::gap::{Gap, GapReason};
use crate::metrics::SpoolMetrics;
use crate::reader::Reader;
use crate::recovery::{self, Recovery};
use crate::segment::Name;
use crate::state::{Place, Segment, State, Statistics};

/// Failed syncs of which is remembered which records they refused. Whoever waits is woken by each.
const FAILURES: usize = 64;

/// A log. Clones share it.
#[derive(Clone, Debug)]
pub struct Spool(Arc<Shared>);

/// A record that was written and is not durable yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "the record is acknowledged when `Spool::commit` returns"]
pub struct Ticket {
    /// Its place.
    pub position: Position,
    /// The first position of its segment.
    pub segment: Position,
}

pub(crate) struct Shared {
    files: Arc<dyn Files>,
    clock: Arc<dyn ClockSource>,
    metrics: SpoolMetrics,
    inner: Mutex<Inner>,
    changed: Condvar,
    bookkeeping: Mutex<()>,
    opened: Reading,
    end: EndNote,
    _lock: Box<dyn Send + Sync>,
}

struct Inner {
    state: State,
    active: Option<Active>,
    is_syncing: bool,
    /// Whether the reserve file is there.
    has_reserve: bool,
    /// Ranges of positions that a failed sync refused, the end not included.
    failures: VecDeque<(Position, Position)>,
    /// Head and payload of the record that is written.
    record: Vec<u8>,
}

struct Active {
    file: Arc<dyn File>,
    /// Whether its name is durable.
    is_named: bool,
}

/// What one sync makes durable.
struct Work {
    file: Arc<dyn File>,
    is_named: bool,
    end: Position,
    bytes: u64,
}

impl Spool {
    /// Opens a log, putting in order what a crash left.
    ///
    /// # Errors
    /// When the limits contradict each other, another process has it, or the directory cannot be used. Damage is no error.
    pub fn open(
        config: Config,
        files: Arc<dyn Files>,
        clock: Arc<dyn ClockSource>,
        metrics: SpoolMetrics,
    ) -> Result<(Self, Recovery), SpoolError> {
        let place = files.place();
        if let Some(why) = config.fault() {
            return Err(SpoolError::Config { place, why });
        }
        let lock = files.lock().map_err(|source| locked(place, source))?;
        let (state, recovery) = recovery::recover(&*files, config)?;
        metrics.recovered(&recovery);
        metrics.publish(&state.statistics());
        let inner = Inner {
            state,
            active: None,
            is_syncing: false,
            has_reserve: false,
            failures: VecDeque::new(),
            record: Vec::new(),
        };
        let opened = clock.reading();
        let end = EndNote::open(&*files);
        end.say(inner.state.durable_end);
        let shared = Shared {
            files,
            clock,
            metrics,
            inner: Mutex::new(inner),
            changed: Condvar::new(),
            bookkeeping: Mutex::new(()),
            opened,
            end,
            _lock: lock,
        };
        Ok((Self(Arc::new(shared)), recovery))
    }

    /// Returns when the record of that ticket is durable, and with it all records before.
    ///
    /// # Errors
    /// When the disk failed: the record may be there or not, and is to be given again.
    pub fn commit(&self, ticket: Ticket) -> Result<Position, AppendError> {
        let mut inner = self.inner();
        loop {
            if inner.failures.iter().any(|(first, end)| *first <= ticket.position && ticket.position < *end) {
                return Err(AppendError::NotDurable { place: self.0.files.place() });
            }
            if ticket.position < inner.state.durable() {
                return Ok(ticket.position);
            }
            inner = if inner.is_syncing { self.wait_on(inner) } else { self.sync(inner) };
        }
    }

    /// From here on records get positions beyond that one: for a consumer that remembers more than the log, which was replaced.
    ///
    /// # Errors
    /// When what was written cannot be made durable.
    pub fn jump(&self, beyond: Position) -> Result<(), AppendError> {
        loop {
            let mut inner = self.inner();
            let (next, durable) = (inner.state.next, inner.state.durable());
            if next > beyond {
                return Ok(());
            }
            if durable == next {
                inner.active = None;
                inner.state.jump(beyond);
                return Ok(());
            }
            let segment = inner.state.active().map_or(next, |active| active.name.first);
            drop(inner);
            self.commit(Ticket { position: next.before(), segment })?;
        }
    }

    /// A reader that begins at a position, or at the oldest record after it.
    #[must_use]
    pub fn reader(&self, from: Position) -> Reader {
        Reader::new(self.clone(), from)
    }

    /// Waits until there is a durable record at `position` or after it; false when there is none within `timeout`.
    #[must_use]
    pub fn wait(&self, position: Position, timeout: Duration) -> bool {
        let is_ahead = |inner: &mut Inner| inner.state.locate(position) == Place::Ahead;
        let waited = self.0.changed.wait_timeout_while(self.inner(), timeout, is_ahead);
        let (mut inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !is_ahead(&mut inner)
    }

    /// Whether the record at a position is durable and may be read.
    #[must_use]
    pub fn has(&self, position: Position) -> bool {
        matches!(self.locate(position), Place::In(_))
    }

    /// The log in numbers.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.inner().state.statistics()
    }

    /// What was lost, oldest first: of this run and of those before.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        self.inner().state.gaps.all().to_vec()
    }

    pub(crate) fn locate(&self, position: Position) -> Place {
        self.inner().state.locate(position)
    }

    pub(crate) fn open_segment(&self, name: Name) -> io::Result<Box<dyn File>> {
        self.0.files.open(&name.to_file())
    }

    /// Makes what was written durable, with the lock given up meanwhile.
    fn sync<'a>(&'a self, mut inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        let Some(work) = inner.work() else {
            // Nothing is active, so that everything written is durable or was refused.
            return inner;
        };
        inner.is_syncing = true;
        drop(inner);
        let begun = self.0.clock.monotonic();
        let result = work.file.sync().and_then(|()| if work.is_named { Ok(()) } else { self.0.files.sync() });
        self.0.metrics.synced(self.0.clock.monotonic().saturating_sub(begun));
        let mut inner = self.inner();
        inner.is_syncing = false;
        match result {
            Ok(()) => {
                inner.synced(&work, self.age_clock());
                self.0.end.say(inner.state.durable_end);
            }
            Err(error) => {
                tracing::error!(%error, log = self.0.files.place(), "the disk failed to make records durable: the segment is abandoned");
                inner.state.counts.failed_syncs += 1;
                self.abandon(&mut inner);
            }
        }
        self.0.metrics.publish(&inner.state.statistics());
        self.0.changed.notify_all();
        inner
    }

    /// Gives the active segment up: what is not durable in it is refused, and never synced again.
    fn abandon(&self, inner: &mut Inner) {
        let refused = (inner.state.durable(), inner.state.next);
        let Some((segment, is_empty)) = inner.state.abandon() else { return };
        inner.failures.push_back(refused);
        if inner.failures.len() > FAILURES {
            inner.failures.pop_front();
        }
        let name = segment.name.to_file();
        // Either may fail on a broken disk. What then stays is read again after a restart, and was never acknowledged.
        let file = inner.active.take().map(|active| active.file);
        let tidied =
            if is_empty { self.0.files.remove(&name) } else { file.map_or(Ok(()), |file| file.cut(segment.bytes)) };
        if let Err(error) = tidied {
            tracing::warn!(%error, segment = name, "the refused end of a segment cannot be cut off");
        }
    }

    /// The wall clock, but never further on than the monotonic one says: a clock that is set forward makes nothing old.
    fn age_clock(&self) -> Timestamp {
        let Reading { wall, monotonic } = self.0.clock.reading();
        wall.min(self.0.opened.wall + monotonic.saturating_sub(self.0.opened.monotonic))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What a panicking writer left is still a valid state: every step of it is.
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_on<'a>(&self, inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        self.0.changed.wait(inner).unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that records of a segment are damaged; none when that was known.
    pub(crate) fn note_damage(&self, segment: &Segment, first: Position, last: Position) -> Gap {
        let (from, to) = segment.times;
        let gap = Gap { reason: GapReason::Damaged, first, last, from, to, records: last.next().since(first) };
        let _turn = self.bookkeeping();
        let is_new = self.inner().state.note_damage(gap);
        if is_new {
            tracing::warn!(
                log = self.0.files.place(),
                first = first.0,
                last = last.0,
                "records of the log are damaged"
            );
            self.write_gaps();
            self.0.metrics.publish(&self.statistics());
        }
        gap
    }
}

impl Inner {
    /// What is there to sync.
    fn work(&self) -> Option<Work> {
        let (segment, active) = (self.state.active()?, self.active.as_ref()?);
        Some(Work { file: Arc::clone(&active.file), is_named: active.is_named, end: segment.end, bytes: segment.bytes })
    }

    fn synced(&mut self, work: &Work, now: Timestamp) {
        // The segment may have been abandoned meanwhile, because a write to it failed.
        let Some(active) = self.active.as_mut().filter(|active| Arc::ptr_eq(&active.file, &work.file)) else { return };
        active.is_named = true;
        self.state.synced(work.end, work.bytes, now);
        if self.state.active().is_none() {
            self.active = None;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Without it the next start knows a little less.
        if let Err(error) = checkpoint::write_end(&*self.files, inner.state.durable_end) {
            tracing::debug!(%error, "the end of the log cannot be noted");
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("files", &self.files).finish_non_exhaustive()
    }
}

fn locked(place: String, source: io::Error) -> SpoolError {
    if source.kind() != io::ErrorKind::WouldBlock {
        return SpoolError::Directory { place, source };
    }
    let process = source.to_string();
    let is_known = !process.is_empty() && process.bytes().all(|b| b.is_ascii_digit());
    let owner = if is_known { format!(" (process {process})") } else { String::new() };
    SpoolError::Locked { place, owner }
}
