//! The one thread that writes.
//!
//! Work comes through a queue of 64 places; whoever finds it full waits. Each piece runs alone, and a piece that panics takes nothing
//! else with it. The thread starts with the first piece, and ends when the store is dropped.
//!
//! When nothing was written for a while the write-ahead log is emptied into the database: of a damaged log SQLite silently leaves out
//! the rest, so that as little as possible should be in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::connect;
use crate::error::StoreError;

/// Pieces of work that wait.
const QUEUE: usize = 64;
/// After so long without work the write-ahead log is emptied.
const IDLE: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// Hands work to the thread.
pub(super) struct Writer(Mutex<State>);

enum State {
    /// Nothing was written yet: no thread may start before this process has given up its rights.
    Idle(Box<Connection>),
    Running(SyncSender<Work>, JoinHandle<()>),
    Ended,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Mutex::new(State::Idle(Box::new(connection))))
    }

    /// Runs work on the thread and waits for what it gives.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (give, take) = sync_channel(1);
        let piece: Work = Box::new(move |connection| {
            if let Ok(result) = catch_unwind(AssertUnwindSafe(|| work(connection))) {
                // Whoever waits holds the other end.
                let _ = give.send(result);
            }
        });
        self.queue()?.send(piece).map_err(|_| StoreError::Stopped)?;
        take.recv().map_err(|_| StoreError::Stopped)
    }

    fn queue(&self) -> Result<SyncSender<Work>, StoreError> {
        let mut state = self.0.lock().map_err(|_| StoreError::Stopped)?;
        if let State::Idle(_) = *state
            && let State::Idle(connection) = std::mem::replace(&mut *state, State::Ended)
        {
            *state = start(*connection)?;
        }
        match &*state {
            State::Running(queue, _) => Ok(queue.clone()),
            State::Idle(_) | State::Ended => Err(StoreError::Stopped),
        }
    }
}

impl Drop for Writer {
    /// Lets queued work end, so that the database is closed when the store is gone.
    fn drop(&mut self) {
        let Ok(state) = self.0.get_mut() else { return };
        if let State::Running(queue, thread) = std::mem::replace(state, State::Ended) {
            drop(queue);
            if thread.join().is_err() {
                tracing::error!("the writer of the entity database ended by a defect");
            }
        }
    }
}

fn start(mut connection: Connection) -> Result<State, StoreError> {
    let (queue, work) = sync_channel::<Work>(QUEUE);
    let thread = std::thread::Builder::new().name("nw-entities".to_owned());
    let thread = thread.spawn(move || write(&mut connection, &work));
    let thread = thread.map_err(|source| StoreError::Engine { action: "start its writer", source: source.into() })?;
    Ok(State::Running(queue, thread))
}

/// Does the work that comes, until nobody can send any.
fn write(connection: &mut Connection, work: &Receiver<Work>) {
    // What was there at the start was emptied then.
    let mut is_empty = true;
    loop {
        let piece = if is_empty { work.recv().map_err(RecvTimeoutError::from) } else { work.recv_timeout(IDLE) };
        match piece {
            Ok(piece) => {
                piece(connection);
                is_empty = false;
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = connect::empty_log(connection) {
                    tracing::debug!(%error, "the write-ahead log of the entity database stays as it is");
                }
                // Whoever holds it back, or a full disk, does so until the next change at most.
                is_empty = true;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
