//! Connections that read: up to four at a time, opened when they are needed; others wait for their turn.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use super::connect::{connect, failed};
use crate::error::StoreError;

/// Connections at once.
const MOST: usize = 4;

/// The pool.
pub(super) struct Readers {
    path: PathBuf,
    state: Mutex<Pool>,
    freed: Condvar,
}

struct Pool {
    idle: Vec<Connection>,
    busy: usize,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::new(Pool { idle: Vec::new(), busy: 0 }), freed: Condvar::new() }
    }

    /// Runs work with a connection.
    pub(super) fn run<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> Result<T, StoreError> {
        let mut turn = self.take()?;
        // What a panic leaves behind is closed and not used again.
        let result = turn.connection.as_mut().map(work).ok_or(StoreError::Stopped)?;
        turn.is_whole = true;
        Ok(result)
    }

    fn take(&self) -> Result<Turn<'_>, StoreError> {
        let mut pool = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while pool.busy >= MOST {
            pool = self.freed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        pool.busy += 1;
        let idle = pool.idle.pop();
        drop(pool);
        let mut turn = Turn { readers: self, connection: idle, is_whole: false };
        if turn.connection.is_none() {
            turn.connection = Some(connect(&self.path, false).map_err(failed("be opened"))?);
        }
        Ok(turn)
    }
}

/// A connection that goes back when this is dropped.
struct Turn<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
    is_whole: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.state.lock().unwrap_or_else(PoisonError::into_inner);
        pool.busy -= 1;
        if self.is_whole {
            pool.idle.extend(self.connection.take());
        }
        drop(pool);
        self.readers.freed.notify_one();
    }
}
