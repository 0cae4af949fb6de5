//! All agents on one thread, and what they have done.
//!
//! The fleet grows by one agent with each enrolment token that comes, and ends when nothing can come any more. One that cannot go on for
//! another reason than a lost connection ends the bench, with what the server said.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::agent::Agent;
use super::lines::Acked;
use crate::error::BenchError;
use crate::times::Times;

/// What the times from sending to acknowledgement are called.
const WAITS: &str = "ack";

/// What all agents together have done.
#[derive(Debug, Default)]
pub(super) struct Told {
    live: AtomicUsize,
    made: AtomicU64,
    acknowledged: AtomicU64,
    batches: AtomicU64,
    behind: AtomicU64,
    is_over: AtomicBool,
    waits: Mutex<Times>,
    fault: Mutex<Option<String>>,
}

/// The numbers at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Count {
    /// Sessions that are open.
    pub(super) live: usize,
    /// Results that were made.
    pub(super) made: u64,
    /// Results that were acknowledged.
    pub(super) acknowledged: u64,
    /// Batches that were.
    pub(super) batches: u64,
    /// Results that were made before the session of their agent and are not acknowledged.
    pub(super) behind: u64,
}

impl Told {
    /// How it stands; an error when an agent cannot go on.
    pub(super) fn count(&self) -> Result<Count, BenchError> {
        if let Some(fault) = held(&self.fault).take() {
            return Err(BenchError::Agent(fault));
        }
        // In this order, so that nothing is acknowledged before it is made.
        let (acknowledged, batches) = (self.acknowledged.load(Relaxed), self.batches.load(Relaxed));
        let (live, behind) = (self.live.load(Relaxed), self.behind.load(Relaxed));
        Ok(Count { live, made: self.made.load(Relaxed), acknowledged, batches, behind })
    }

    /// How long batches have waited for their acknowledgement since this was asked last.
    pub(super) fn waits(&self) -> Times {
        std::mem::take(&mut *held(&self.waits))
    }

    /// No more results are made; what there is still goes.
    pub(super) fn end(&self) {
        self.is_over.store(true, Relaxed);
    }

    /// Whether results are made.
    pub(super) fn is_measuring(&self) -> bool {
        !self.is_over.load(Relaxed)
    }

    /// The number of the next result, from 1: no two have the same.
    pub(super) fn next_result(&self) -> u64 {
        self.made.fetch_add(1, Relaxed) + 1
    }

    /// A batch is durable at the server.
    pub(super) fn acked(&self, Acked { results, is_behind, wait }: Acked) {
        self.batches.fetch_add(1, Relaxed);
        self.acknowledged.fetch_add(results, Relaxed);
        if is_behind {
            self.behind.fetch_sub(results, Relaxed);
        }
        held(&self.waits).note(WAITS, wait);
    }

    /// So many results have no session to go through.
    pub(super) fn fell_behind(&self, results: u64) {
        self.behind.fetch_add(results, Relaxed);
    }
}

/// Counts a session as open while it lives.
pub(super) struct Open(Arc<Told>);

impl Open {
    /// From now on.
    pub(super) fn new(told: &Arc<Told>) -> Self {
        told.live.fetch_add(1, Relaxed);
        Self(Arc::clone(told))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Relaxed);
    }
}

/// Lets an agent live for each token, on this thread, until no token can come any more.
pub(super) fn run(mut tokens: mpsc::Receiver<String>, told: &Arc<Told>) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(BenchError::system("start the runtime"))?.block_on(async {
        let (mut agents, mut number) = (JoinSet::new(), 0);
        loop {
            tokio::select! {
                token = tokens.recv() => {
                    let Some(token) = token else { return };
                    number += 1;
                    agents.spawn(Agent::live(number, token, Arc::clone(told)));
                }
                Some(ended) = agents.join_next() => {
                    let why = ended.unwrap_or_else(|error| error.to_string());
                    held(&told.fault).get_or_insert(why);
                }
            }
        }
    });
    Ok(())
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
