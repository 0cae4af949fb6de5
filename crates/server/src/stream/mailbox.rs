//! Where frames wait for one client: for each subscription the newest one, and how many it replaced.
//!
//! A client that does not read costs one shared pointer a subscription, however long it sleeps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use netwatch_model::Timestamp;
use tokio::sync::Notify;

/// A place in the stream of one kind of data: nanoseconds for rates, event numbers for events, nothing else.
pub(crate) type Mark = i64;

/// Data of one production, serialised once for all subscribers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    /// Time of the server.
    pub(super) time: Timestamp,
    /// The data begins after this mark; lowest where each frame is complete in itself.
    pub(super) after: Mark,
    /// The data ends at this mark.
    pub(super) until: Mark,
    /// The `data` of the message, as JSON.
    pub(super) data: Utf8Bytes,
}

/// What is to be sent to one subscription, or why it ends.
pub(super) enum Delivery {
    /// A frame, and how many were skipped before it.
    Frame(Arc<Frame>, u64),
    /// The subscription ends: the problem as JSON.
    End(Utf8Bytes),
}

/// Number of a subscription within its client.
pub(super) type Slot = u64;

/// The frames that wait for one client.
#[derive(Default)]
pub(super) struct Mailbox {
    slots: Mutex<HashMap<Slot, Waiting>>,
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    delivery: Option<Delivery>,
}

impl Mailbox {
    /// Makes room for a subscription.
    pub(super) fn open(&self, slot: Slot) {
        self.lock().insert(slot, Waiting::default());
    }

    /// Throws away what waits for a subscription, and all that still comes.
    pub(super) fn close(&self, slot: Slot) {
        self.lock().remove(&slot);
    }

    /// Puts a frame in place of the one that waits. False when a frame was skipped by that.
    pub(super) fn put(&self, slot: Slot, frame: &Arc<Frame>) -> bool {
        let mut slots = self.lock();
        let Some(waiting) = slots.get_mut(&slot) else { return true };
        let missed = match &waiting.delivery {
            None => 0,
            Some(Delivery::Frame(_, missed)) => missed + 1,
            Some(Delivery::End(_)) => return true,
        };
        waiting.delivery = Some(Delivery::Frame(Arc::clone(frame), missed));
        drop(slots);
        self.filled.notify_one();
        missed == 0
    }

    /// Ends a subscription.
    pub(super) fn end(&self, slot: Slot, problem: Utf8Bytes) {
        if let Some(waiting) = self.lock().get_mut(&slot) {
            waiting.delivery = Some(Delivery::End(problem));
        }
        self.filled.notify_one();
    }

    /// Takes all that waits.
    pub(super) fn take(&self, into: &mut Vec<(Slot, Delivery)>) {
        let mut slots = self.lock();
        into.extend(slots.iter_mut().filter_map(|(slot, w)| w.delivery.take().map(|d| (*slot, d))));
    }

    /// Waits until something waits. Cancel safe; may wake once too often.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Slot, Waiting>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(until: Mark) -> Arc<Frame> {
        Arc::new(Frame { time: Timestamp::ZERO, after: 0, until, data: Utf8Bytes::from_static("{}") })
    }

    fn taken(mailbox: &Mailbox) -> Vec<(Slot, Mark, u64)> {
        let mut all = Vec::new();
        mailbox.take(&mut all);
        all.into_iter()
            .filter_map(|(slot, d)| match d {
                Delivery::Frame(f, missed) => Some((slot, f.until, missed)),
                Delivery::End(_) => None,
            })
            .collect()
    }

    #[test]
    fn the_newest_frame_wins_and_the_others_are_counted() {
        let mailbox = Mailbox::default();
        mailbox.open(1);
        assert!(mailbox.put(1, &frame(1)));
        assert!(!mailbox.put(1, &frame(2)) && !mailbox.put(1, &frame(3)));
        assert_eq!(taken(&mailbox), [(1, 3, 2)]);
        assert!(mailbox.put(1, &frame(4)));
        assert_eq!(taken(&mailbox), [(1, 4, 0)]);
        assert_eq!(taken(&mailbox), []);
    }

    #[test]
    fn nothing_waits_for_a_closed_subscription() {
        let mailbox = Mailbox::default();
        mailbox.open(1);
        mailbox.close(1);
        assert!(mailbox.put(1, &frame(1)));
        assert_eq!(taken(&mailbox), []);
    }
}
