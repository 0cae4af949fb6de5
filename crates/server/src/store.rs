//! The live store: active flows, ended records of the last hour, rates, talkers and events, all in memory.
//!
//! ```text
//! batch ─► apply: runs (once only) ─► samples ─► rates
//!                                  ─► flows ─► live table ─► history, talkers (what was carried since the last record)
//!                                  │              └─ended─► archive
//!                                  └► events
//! ```
//!
//! One lock guards all that is written. Readers never hold it while they compute: they take a `View`, which shares everything with
//! the writer until that changes it (copy on write, in pieces of some kilobytes). A view is made when a reader asks and something
//! has changed; while a batch is being taken in, readers get the view before it. Of a large store that is being asked the writer
//! makes the views, with the index and the orders that the view before needed: no reader waits for them. So a query never holds up
//! ingest, nor the reverse.
//!
//! Limits: [`StoreConfig`]; every part has its own, with a policy and a counter. There is no clock here: `now` is handed in.

mod archive;
mod capture;
mod chunk;
mod config;
mod events;
mod history;
mod index;
mod ingest;
mod key;
mod live;
mod row;
mod runs;
mod segment;
mod series;
mod subject;
mod talkers;
#[cfg(test)]
mod testing;
mod texts;
mod view;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use arc_swap::ArcSwap;
use netwatch_model::{Batch, Record, Timestamp};

pub use config::{StoreConfig, TimeBase};
pub(crate) use events::EventLog;
pub(crate) use history::Carried;
pub(crate) use index::{ASK, Index, short_second};
pub use ingest::Applied;
use ingest::Inner;
pub(crate) use key::{Key, Subjects, Tally};
pub(crate) use row::{Crossing, Head, Volume, Words};
pub(crate) use segment::{Block, RowSet, Segment};
pub(crate) use series::{Cell, Of, Port, SECONDS};
pub(crate) use subject::Row;
pub(crate) use talkers::{LEVELS, Table};
#[cfg(test)]
pub(crate) use testing::{FILTERS, any_record, batch_of, record};
pub(crate) use texts::TextId;
pub(crate) use view::{Found, View};

use crate::probes::{Board, result_of};
use crate::query::Desk;

/// With more flows than that, views are made at most four times a second, because much is copied after each.
const LARGE: u64 = 16_384;
/// How old answers of a large store may be.
pub(crate) const LARGE_INTERVAL: Duration = Duration::from_millis(250);
/// How old the view of a large store may be before a reader makes one: the writer makes none when no batches come.
const LARGE_AGE: Duration = Duration::from_secs(2);
/// A view that nobody asked for in that time is given up, so that nothing more is copied for it.
const IDLE: Duration = Duration::from_secs(3);

/// Everything the server remembers of traffic. Shared by `Arc`; every method may be called from any thread.
///
/// The questions are in [`crate::query`].
#[derive(Debug)]
pub struct LiveStore {
    config: StoreConfig,
    inner: Mutex<Inner>,
    events: Mutex<EventLog>,
    version: AtomicU64,
    view: ArcSwap<View>,
    /// A reader found the writer at work: it makes a view when it is done.
    wanted: AtomicBool,
    /// Nanoseconds since 1970 of the newest question.
    asked: AtomicU64,
    desk: Desk,
    probes: Board,
}

impl LiveStore {
    /// An empty store.
    #[must_use]
    pub fn new(config: StoreConfig) -> Self {
        let inner = Inner::new(&config);
        Self {
            view: ArcSwap::from_pointee(inner.view(0, Timestamp::ZERO)),
            events: Mutex::new(EventLog::new(config.events)),
            desk: Desk::new(&config),
            probes: Board::default(),
            inner: Mutex::new(inner),
            version: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            config,
        }
    }

    /// Takes a batch in; `now` is the wall clock. The same batch again changes nothing.
    pub fn apply(&self, batch: &Batch, now: Timestamp) -> Applied {
        batch.records.iter().filter_map(result_of).for_each(|result| self.probes.note(result));
        let mut inner = lock(&self.inner);
        let applied = inner.apply(batch, now, &self.events);
        let version = self.version.fetch_add(1, Ordering::AcqRel) + 1;
        let (before, clock) = (self.view.load_full(), inner.clock());
        let is_idle = self.is_idle(clock);
        if self.wanted.swap(false, Ordering::AcqRel) || (!is_idle && self.is_due(&before, clock)) {
            let fresh = inner.view(version, clock);
            drop(inner);
            if fresh.may_age() {
                fresh.prepare(&before);
            }
            self.publish(fresh);
        } else if is_idle && before.version().is_some() {
            self.publish(before.outdated());
        }
        applied
    }

    /// Adds an event for each route that is another one by the traces of a batch. Before the batch is applied or kept, so that the
    /// events are part of it, once and for good.
    pub fn tell_route_changes(&self, batch: &mut Batch) {
        let traces = batch.records.iter().filter_map(result_of);
        let changes: Vec<Record> = traces.filter_map(|t| self.probes.watch_route(t)).map(Record::Event).collect();
        batch.records.extend(changes);
    }

    /// How probes stand.
    #[must_use]
    pub const fn probes(&self) -> &Board {
        &self.probes
    }

    /// Grows whenever something changed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Time of the newest packet or sample taken in: what "now" is when data comes from a capture file.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        lock(&self.inner).newest()
    }

    /// Limits of the store.
    #[must_use]
    pub const fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// Everything as it is now, or was a moment ago while a batch is being taken in.
    pub(crate) fn view(&self, now: Timestamp) -> Arc<View> {
        self.asked.store(u64::try_from(now.nanos()).unwrap_or(0), Ordering::Relaxed);
        let current = self.view.load_full();
        if current.version() == Some(self.version()) || self.may_wait(&current, now) {
            return current;
        }
        let inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(e)) => e.into_inner(),
            Err(TryLockError::WouldBlock) if current.version().is_some() => {
                self.wanted.store(true, Ordering::Release);
                return current;
            }
            Err(TryLockError::WouldBlock) => lock(&self.inner),
        };
        self.publish(inner.view(self.version(), inner.clock().max(now)))
    }

    /// Everything as it is now, for an answer that is made at once and needs no rows: nobody else gets this view, so that nothing is
    /// copied or prepared for it.
    pub(crate) fn glance(&self, now: Timestamp) -> View {
        let inner = lock(&self.inner);
        inner.view(self.version(), inner.clock().max(now))
    }

    /// Makes a view the newest; the one before is kept if pages may be asked of it.
    fn publish(&self, view: View) -> Arc<View> {
        let fresh = Arc::new(view);
        let before = self.view.swap(Arc::clone(&fresh));
        self.desk.retain(&before, &fresh);
        fresh
    }

    pub(crate) const fn desk(&self) -> &Desk {
        &self.desk
    }

    pub(crate) fn event_log(&self) -> MutexGuard<'_, EventLog> {
        lock(&self.events)
    }

    /// Whether a large store's view is young enough.
    fn may_wait(&self, view: &View, now: Timestamp) -> bool {
        let age = now.since(view.as_of());
        view.version().is_some() && view.may_age() && now >= view.as_of() && age < LARGE_AGE
    }

    /// Whether a large store needs another view, which the writer makes so that no reader waits for it.
    fn is_due(&self, view: &View, clock: Timestamp) -> bool {
        view.version().is_some() && view.may_age() && clock.since(view.as_of()) >= view.renewed_after()
    }

    fn is_idle(&self, clock: Timestamp) -> bool {
        let asked = i64::try_from(self.asked.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        clock.since(Timestamp::from_nanos(asked)) > IDLE
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking writer left is still a valid state: every step of it is.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
