//! Producers: one task for each distinct feed, whoever and how many listen.
//!
//! A producer asks the store, writes the data as JSON once and puts it into the mailbox of every subscriber. It starts with the first
//! subscriber and ends with the last. It never computes for more than a quarter of the time: a question that takes long is asked
//! more seldom. At most [`MAX_PRODUCERS`] feeds are produced at once; more are refused and counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use netwatch_api::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::feed::{Feed, FeedKey};
use super::mailbox::{Frame, Mailbox, Mark, Slot};
use crate::app::App;
use crate::fault::Fault;

/// Most distinct feeds at once.
const MAX_PRODUCERS: usize = 256;
/// Most clients that can be configured.
const MAX_CLIENTS: u32 = 1 << 20;
/// A producer computes for at most this part of the time.
const DUTY: u32 = 4;
/// A frame comes at least so often, even when nothing changed, so that clients can tell silence from a broken connection.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// All producers, and the places for clients.
pub(crate) struct Hub {
    producers: Mutex<HashMap<FeedKey, Arc<Producer>>>,
    places: Arc<Semaphore>,
    max_clients: u32,
    /// Ends everything.
    pub(crate) stopping: CancellationToken,
}

struct Producer {
    state: Mutex<Subscribers>,
}

#[derive(Default)]
struct Subscribers {
    list: Vec<(Weak<Mailbox>, Slot)>,
    newest: Option<Arc<Frame>>,
    ended: bool,
}

/// A place in the list of a producer; dropping it leaves the list.
pub(super) struct Membership {
    producer: Arc<Producer>,
    mailbox: Arc<Mailbox>,
    slot: Slot,
}

impl Hub {
    /// Room for so many clients.
    pub(crate) fn new(max_clients: usize) -> Self {
        let max_clients = u32::try_from(max_clients).unwrap_or(u32::MAX).min(MAX_CLIENTS);
        let places = Arc::new(Semaphore::new(max_clients as usize));
        Self { producers: Mutex::default(), places, max_clients, stopping: CancellationToken::new() }
    }

    /// A place for one more client, if there is one; given back when dropped.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Waits until no client is left.
    pub(crate) async fn emptied(&self) {
        let _all = self.places.acquire_many(self.max_clients).await;
    }

    /// Begins to put frames of `feed` into a mailbox; the newest one at once, when each is complete in itself.
    pub(super) fn join(&self, app: &App, feed: &Feed, mailbox: &Arc<Mailbox>, slot: Slot) -> Result<Membership, Fault> {
        mailbox.open(slot);
        let mut producers = self.lock();
        if let Some(producer) = producers.get(feed.key())
            && producer.add(mailbox, slot, !feed.is_incremental())
        {
            let (producer, mailbox) = (Arc::clone(producer), Arc::clone(mailbox));
            return Ok(Membership { producer, mailbox, slot });
        }
        if producers.len() >= MAX_PRODUCERS && !producers.contains_key(feed.key()) {
            mailbox.close(slot);
            return Err(Fault::unavailable(format!(
                "more than {MAX_PRODUCERS} different subscriptions: end some of them"
            )));
        }
        let producer = Arc::new(Producer { state: Mutex::default() });
        producer.add(mailbox, slot, false);
        producers.insert(feed.key().clone(), Arc::clone(&producer));
        drop(producers);
        tokio::spawn(run(app.clone(), feed.clone(), Arc::clone(&producer)));
        Ok(Membership { producer, mailbox: Arc::clone(mailbox), slot })
    }

    fn leave(&self, key: &FeedKey, producer: &Arc<Producer>) {
        let mut producers = self.lock();
        if producers.get(key).is_some_and(|p| Arc::ptr_eq(p, producer)) {
            producers.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<FeedKey, Arc<Producer>>> {
        self.producers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.mailbox.close(self.slot);
        let mailbox = Arc::as_ptr(&self.mailbox);
        self.producer.lock().list.retain(|(m, s)| !(m.as_ptr() == mailbox && *s == self.slot));
    }
}

impl Producer {
    /// False when the producer has ended: another one must be made.
    fn add(&self, mailbox: &Arc<Mailbox>, slot: Slot, newest: bool) -> bool {
        let mut state = self.lock();
        if state.ended {
            return false;
        }
        if let Some(frame) = state.newest.as_ref().filter(|_| newest) {
            mailbox.put(slot, frame);
        }
        state.list.push((Arc::downgrade(mailbox), slot));
        true
    }

    /// Whether nobody listens any more; if so, nobody can join either.
    fn ends(&self) -> bool {
        let mut state = self.lock();
        state.list.retain(|(m, _)| m.strong_count() > 0);
        state.ended = state.list.is_empty();
        state.ended
    }

    /// Puts a frame into every mailbox; gives how many frames were skipped by that.
    fn publish(&self, frame: &Arc<Frame>) -> u64 {
        let mut state = self.lock();
        state.newest = Some(Arc::clone(frame));
        let skipped = |(mailbox, slot): &(Weak<Mailbox>, Slot)| mailbox.upgrade().is_some_and(|m| !m.put(*slot, frame));
        state.list.iter().filter(|s| skipped(s)).count() as u64
    }

    fn fail(&self, problem: &Problem) {
        let json = Utf8Bytes::from(serde_json::to_string(problem).unwrap_or_default());
        let mut state = self.lock();
        state.ended = true;
        for (mailbox, slot) in state.list.drain(..) {
            if let Some(mailbox) = mailbox.upgrade() {
                mailbox.end(slot, json.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Subscribers> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task of a producer. Nothing is lost when it is cancelled between two frames.
async fn run(app: App, feed: Feed, producer: Arc<Producer>) {
    let hub = app.hub();
    let mut last =
        Last { mark: app.start_of(&feed, None).await.unwrap_or(Mark::MAX), data: None, quiet: Duration::ZERO };
    let mut ticks = interval(feed.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        loop {
            ticks.tick().await;
            if producer.ends() {
                break;
            }
            let begun = app.monotonic();
            match app.produce(&feed, last.mark).await {
                Ok(frame) => {
                    if let Some(frame) = last.worth_sending(frame, &feed) {
                        app.metrics().frames_dropped(producer.publish(&frame));
                    }
                }
                Err(fault) => {
                    producer.fail(&fault.into_problem());
                    break;
                }
            }
            sleep(((app.monotonic() - begun) * DUTY).saturating_sub(feed.interval())).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = hub.stopping.cancelled() => {}
    }
    hub.leave(feed.key(), &producer);
}

/// What a producer sent last.
struct Last {
    mark: Mark,
    data: Option<Utf8Bytes>,
    /// For how long nothing was worth sending.
    quiet: Duration,
}

impl Last {
    fn worth_sending(&mut self, frame: Frame, feed: &Feed) -> Option<Arc<Frame>> {
        self.mark = frame.until;
        let unchanged =
            if feed.is_incremental() { frame.until == frame.after } else { self.data.as_ref() == Some(&frame.data) };
        self.quiet += feed.interval();
        if feed.only_changes() && unchanged && self.data.is_some() && self.quiet < HEARTBEAT {
            return None;
        }
        self.data = Some(frame.data.clone());
        self.quiet = Duration::ZERO;
        Some(Arc::new(frame))
    }
}
