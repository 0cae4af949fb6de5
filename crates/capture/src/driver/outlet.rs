//! The bounded way of records from the workers to the sink.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use netwatch_model::Record;

use super::RecordSink;

/// Batches that may wait; one is what a worker says in one tick.
const DEPTH: usize = 8;

/// Where workers put records.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    sender: SyncSender<Vec<Record>>,
    dropped: Arc<AtomicU64>,
}

/// Where they come out.
#[derive(Debug)]
pub(super) struct Drain(Receiver<Vec<Record>>);

/// A new, empty way.
pub(super) fn channel() -> (Outlet, Drain) {
    let (sender, receiver) = sync_channel(DEPTH);
    (Outlet { sender, dropped: Arc::default() }, Drain(receiver))
}

impl Outlet {
    /// Hands `records` over without waiting, and leaves it empty; when the way is full they are thrown away and counted.
    pub(super) fn offer(&self, records: &mut Vec<Record>) {
        if records.is_empty() {
            return;
        }
        if let Err(TrySendError::Full(lost) | TrySendError::Disconnected(lost)) =
            self.sender.try_send(std::mem::take(records))
        {
            self.dropped.fetch_add(lost.len() as u64, Ordering::Relaxed);
        }
    }

    /// Hands `records` over, waits while the way is full, and leaves it empty.
    pub(super) fn put(&self, records: &mut Vec<Record>) {
        if records.is_empty() {
            return;
        }
        if let Err(lost) = self.sender.send(std::mem::take(records)) {
            self.dropped.fetch_add(lost.0.len() as u64, Ordering::Relaxed);
        }
    }

    /// Records thrown away since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drain {
    /// Gives records to the sink until all outlets are gone.
    pub(super) fn run(self, mut sink: Box<dyn RecordSink>) {
        while let Ok(records) = self.0.recv() {
            sink.take(records);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netwatch_model::{Event, EventKind, Severity, Timestamp, Untrusted};

    fn records(count: usize) -> Vec<Record> {
        let event = Event {
            time: Timestamp::ZERO,
            kind: EventKind::CaptureStarted,
            severity: Severity::Info,
            subject: Untrusted::new("a"),
            text: Untrusted::new("b"),
        };
        vec![Record::Event(event); count]
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_rest_arrives() {
        let (outlet, drain) = channel();
        for _ in 0..DEPTH + 2 {
            outlet.offer(&mut records(3));
        }
        outlet.offer(&mut Vec::new());
        assert_eq!(outlet.dropped(), 6);
        drop(outlet);
        let (seen, told) = sync_channel(DEPTH + 1);
        drain.run(Box::new(move |records: Vec<Record>| seen.send(records.len()).unwrap()));
        assert_eq!(told.iter().sum::<usize>(), DEPTH * 3);
    }

    #[test]
    fn without_a_sink_everything_is_counted() {
        let (outlet, drain) = channel();
        drop(drain);
        outlet.put(&mut records(2));
        outlet.offer(&mut records(2));
        assert_eq!(outlet.dropped(), 4);
    }
}
