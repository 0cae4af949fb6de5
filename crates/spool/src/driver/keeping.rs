//! The small files beside the segments: checkpoints, gaps, the reserve; and taking segments away.

use std::io;
use std::sync::{MutexGuard, PoisonError};

use netwatch_model::Position;

use super::{Inner, Spool};
use crate::checkpoint::{Checkpoint, MAX_STATE};
use crate::error::SpoolError;
use crate::files::is_full;
use crate::state::Removal;

/// The file that is given up when there is no space left for anything else.
const RESERVE: &str = "reserve";

impl Spool {
    /// The checkpoint of a consumer; none when it has none yet, or it was damaged.
    ///
    /// # Errors
    /// When it cannot be read, or nobody of that name was declared.
    pub fn checkpoint(&self, consumer: &str) -> Result<Option<Checkpoint>, SpoolError> {
        self.declared(consumer)?;
        let (place, name) = (self.0.files.place(), format!("the checkpoint of {consumer}"));
        let found = Checkpoint::read(&*self.0.files, consumer);
        Ok(found.map_err(|source| SpoolError::Read { place, name, source })?.map(|(checkpoint, _)| checkpoint))
    }

    /// Keeps a checkpoint, durably; then segments that nobody needs may go. It may also go back, as far as the log reaches.
    ///
    /// # Errors
    /// When it cannot be written, has too long a state, or nobody of that name was declared.
    pub fn save(&self, consumer: &str, checkpoint: &Checkpoint) -> Result<(), SpoolError> {
        let consumer = self.declared(consumer)?;
        let bytes = checkpoint.state.len();
        if bytes > MAX_STATE {
            return Err(SpoolError::State { consumer: consumer.to_owned(), bytes });
        }
        let _turn = self.bookkeeping();
        let (place, name) = (self.0.files.place(), format!("the checkpoint of {consumer}"));
        let end = self.inner().state.durable_end;
        self.with_reserve(|| checkpoint.write(&*self.0.files, consumer, end)).map_err(|source| SpoolError::Write {
            place,
            name,
            source,
        })?;
        let mut inner = self.inner();
        inner.state.consumers.insert(consumer, checkpoint.next);
        self.expire(&mut inner);
        Ok(())
    }

    /// Removes what is too old. To be called now and then, when nothing is appended.
    pub fn tidy(&self) {
        let _turn = self.bookkeeping();
        self.expire(&mut self.inner());
    }

    /// The first position that a consumer needs.
    ///
    /// # Errors
    /// When nobody of that name was declared.
    pub fn needed_by(&self, consumer: &str) -> Result<Position, SpoolError> {
        let consumer = self.declared(consumer)?;
        Ok(self.inner().state.consumers.get(consumer).copied().unwrap_or_default())
    }

    fn expire(&self, inner: &mut Inner) {
        while let Some(removal) = inner.state.expired(self.age_clock()) {
            if let Err(error) = self.remove(inner, removal) {
                tracing::warn!(%error, segment = removal.name.to_file(), "a segment of the log cannot be removed");
                break;
            }
        }
        self.0.metrics.publish(&inner.state.statistics());
    }

    /// Takes a segment away, after what is lost by it was written down.
    pub(super) fn remove(&self, inner: &mut Inner, removal: Removal) -> io::Result<()> {
        if let Some(gap) = removal.gap {
            let mut gaps = inner.state.gaps.clone();
            gaps.note(gap);
            match gaps.write(&*self.0.files) {
                Err(error) if is_full(&error) && self.release_reserve(inner) => gaps.write(&*self.0.files)?,
                result => result?,
            }
        }
        match self.0.files.remove(&removal.name.to_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Some(gap) = removal.gap {
            tracing::warn!(
                log = self.0.files.place(), reason = gap.reason.as_str(), records = gap.records, from = %gap.from, to = %gap.to,
                "records of the log are dropped"
            );
        }
        inner.state.removed(removal);
        Ok(())
    }

    /// Writes down what was lost. The turn for it is the caller's.
    pub(super) fn write_gaps(&self) {
        let gaps = self.inner().state.gaps.clone();
        if let Err(error) = self.with_reserve(|| gaps.write(&*self.0.files)) {
            tracing::warn!(%error, "what the log lost cannot be written down");
        }
    }

    /// Takes the reserve back, before anything else is written.
    pub(super) fn ensure_reserve(&self, inner: &mut Inner) -> io::Result<()> {
        let size = inner.state.config.reserve_bytes;
        if inner.has_reserve || size == 0 {
            return Ok(());
        }
        let file = match self.0.files.open(RESERVE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.0.files.create(RESERVE)?,
            other => other?,
        };
        if let Err(error) = file.reserve(size) {
            if is_full(&error) {
                let _ = self.0.files.remove(RESERVE);
                return Err(error);
            }
            // Some file systems cannot: then there is no reserve, and everything else works.
            tracing::info!(%error, log = self.0.files.place(), "no space can be reserved on this file system");
        }
        inner.has_reserve = true;
        Ok(())
    }

    /// Whether giving up the reserve has freed something.
    fn release_reserve(&self, inner: &mut Inner) -> bool {
        // It may be there from a run before.
        inner.has_reserve = false;
        self.0.files.remove(RESERVE).is_ok()
    }

    /// Writes a small file; without space, once more with that of the reserve.
    fn with_reserve(&self, write: impl Fn() -> io::Result<()>) -> io::Result<()> {
        match write() {
            Err(error) if is_full(&error) && self.release_reserve(&mut self.inner()) => write(),
            result => result,
        }
    }

    /// One small file at a time is written.
    pub(super) fn bookkeeping(&self) -> MutexGuard<'_, ()> {
        self.0.bookkeeping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn declared(&self, consumer: &str) -> Result<&'static str, SpoolError> {
        let declared = self.inner().state.config.consumers.iter().copied().find(|name| *name == consumer);
        declared.ok_or_else(|| SpoolError::Consumer(consumer.to_owned()))
    }
}
