//! Cursors, and the snapshots that they point at.
//!
//! The first page of a list notes which rows follow it: up to a thousand, in the order of that moment. Pages are cut from that note, so
//! that no row comes twice and none is left out while flows go on. Beyond the note the next thousand are found in the same state of
//! the store, as long as it is kept.
//!
//! A cursor is a number of a snapshot, a place in it, and a check code made with a secret of this process.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::Timestamp;

use super::FlowsRequest;
use super::page::Ranked;
use super::range::same_question;

/// What a cursor says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cursor {
    pub(super) snapshot: u64,
    pub(super) row: u32,
}

/// Writes and reads cursors.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    secret: RandomState,
}

impl Cursors {
    /// As text: 40 hexadecimal digits.
    pub(super) fn write(&self, cursor: Cursor) -> String {
        format!("{:016x}{:08x}{:016x}", cursor.snapshot, cursor.row, self.check(cursor))
    }

    /// From text that [`Cursors::write`] gave.
    pub(super) fn read(&self, text: &str) -> Option<Cursor> {
        let hex = text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        let part = |range| text.get(range).filter(|_| hex).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let row = u32::try_from(part(16..24)?).ok()?;
        let cursor = Cursor { snapshot: part(0..16)?, row };
        (part(24..40)? == self.check(cursor)).then_some(cursor)
    }

    fn check(&self, cursor: Cursor) -> u64 {
        self.secret.hash_one((cursor.snapshot, cursor.row))
    }
}

/// What follows a first page.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The request, without its cursor, and when it was made.
    pub(super) request: FlowsRequest,
    pub(super) asked: Timestamp,
    /// The state of the store.
    pub(super) version: u64,
    pub(super) as_of: Timestamp,
    pub(super) rows: Vec<Ranked>,
    /// Whether more rows follow these.
    pub(super) more: bool,
    pub(super) matched: u64,
    pub(super) other_conversations: u64,
}

impl Snapshot {
    /// Whether `request`, made at `now`, is the same but for its cursor.
    pub(super) fn is_of(&self, request: &FlowsRequest, now: Timestamp) -> bool {
        let same = |a: &FlowsRequest, b: &FlowsRequest| {
            (&a.filter, a.status, a.sort, a.order, a.limit) == (&b.filter, b.status, b.sort, b.order, b.limit)
        };
        same(&self.request, request) && same_question((self.request.range, self.asked), (request.range, now))
    }
}

/// The newest snapshots; when full, the one unused for longest goes.
#[derive(Debug)]
pub(super) struct Snapshots {
    kept: Mutex<Kept>,
    capacity: usize,
    life: Duration,
}

#[derive(Debug, Default)]
struct Kept {
    next: u64,
    /// Number, last use, snapshot; the last used last.
    all: VecDeque<(u64, Timestamp, Arc<Snapshot>)>,
}

impl Snapshots {
    pub(super) fn new(capacity: usize, life: Duration) -> Self {
        Self { kept: Mutex::default(), capacity: capacity.max(1), life }
    }

    /// Keeps a snapshot; gives its number.
    pub(super) fn keep(&self, snapshot: Arc<Snapshot>, now: Timestamp) -> u64 {
        let mut kept = self.lock();
        kept.all.retain(|(_, used, _)| now.since(*used) <= self.life);
        if kept.all.len() >= self.capacity {
            kept.all.pop_front();
        }
        kept.next += 1;
        let number = kept.next;
        kept.all.push_back((number, now, snapshot));
        number
    }

    /// The snapshot of that number, if it is kept.
    pub(super) fn get(&self, number: u64, now: Timestamp) -> Option<Arc<Snapshot>> {
        let mut kept = self.lock();
        let at = kept.all.iter().position(|(n, used, _)| *n == number && now.since(*used) <= self.life)?;
        let (_, _, snapshot) = kept.all.remove(at)?;
        kept.all.push_back((number, now, Arc::clone(&snapshot)));
        Some(snapshot)
    }

    /// Whether a snapshot needs that version of the store.
    pub(super) fn refer_to(&self, version: u64) -> bool {
        self.lock().all.iter().any(|(_, _, snapshot)| snapshot.version == version)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_cursors_are_read() {
        let cursors = Cursors::default();
        let cursor = Cursor { snapshot: 7, row: 50 };
        let text = cursors.write(cursor);
        assert_eq!(cursors.read(&text), Some(cursor));
        assert_eq!(Cursors::default().read(&text), None, "another process has another secret");
        let forged = text.replacen("00000032", "00000033", 1);
        for bad in ["", "x", &forged, &text[1..], &text.to_uppercase(), &"é".repeat(20)] {
            assert_eq!(cursors.read(bad), None, "{bad}");
        }
    }
}
