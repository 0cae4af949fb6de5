//! The newest events, numbered as they came.

use std::collections::VecDeque;
use std::sync::Arc;

use netwatch_model::Event;

/// A bounded ring of events; when full, the oldest goes.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    kept: VecDeque<(u64, Arc<Event>)>,
    capacity: usize,
    next: u64,
}

impl EventLog {
    /// An empty log for that many events.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { kept: VecDeque::new(), capacity: capacity.max(1), next: 1 }
    }

    /// Gives the event the next number.
    pub(crate) fn push(&mut self, event: Event) {
        if self.kept.len() >= self.capacity {
            self.kept.pop_front();
        }
        self.kept.push_back((self.next, Arc::new(event)));
        self.next += 1;
    }

    /// Newest first, only those before that number.
    pub(crate) fn before(&self, number: Option<u64>) -> impl Iterator<Item = &(u64, Arc<Event>)> {
        self.kept.iter().rev().filter(move |(id, _)| number.is_none_or(|n| *id < n))
    }

    /// Oldest first, only those after that number.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &(u64, Arc<Event>)> {
        let first = self.kept.partition_point(|(id, _)| *id <= number);
        self.kept.range(first..)
    }
}
