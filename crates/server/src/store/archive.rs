//! Ended records: the newest in open rows, the others in sealed segments, oldest first.
//!
//! Rows keep their segment and place for as long as they are kept: sealing changes neither. A segment goes as a whole, when all of it
//! is older than the window, or when the byte budget is used up; the latter is counted.

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Timestamp;

use super::chunk::{Chunk, ROWS};
use super::config::StoreConfig;
use super::row::{Head, Volume};
use super::segment::{Block as _, Segment};

/// A segment is sealed after this time, however few its rows, so that it can go when it is old.
const SEAL_AFTER: Duration = Duration::from_secs(600);
/// Memory of an open row.
const OPEN_ROW: usize = size_of::<Head>() + size_of::<Volume>();

/// Ended records as they were at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArchiveView {
    /// Sealed, oldest first.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Rows of the segment that is not sealed yet.
    pub(crate) open: Vec<Chunk>,
    /// Its number.
    pub(crate) open_number: u32,
}

impl ArchiveView {
    /// The sealed segment of that number.
    pub(crate) fn segment(&self, number: u32) -> Option<&Arc<Segment>> {
        let at = self.segments.binary_search_by_key(&number, |s| s.number()).ok()?;
        self.segments.get(at)
    }
}

/// Ended records.
#[derive(Debug)]
pub(super) struct Archive {
    view: ArchiveView,
    open_rows: usize,
    open_since: Option<Timestamp>,
    rows: usize,
    bytes: usize,
    budget: usize,
    segment_rows: usize,
    dropped: u64,
}

impl Archive {
    pub(super) fn new(config: &StoreConfig) -> Self {
        Self {
            view: ArchiveView { open_number: 1, ..ArchiveView::default() },
            open_rows: 0,
            open_since: None,
            rows: 0,
            bytes: 0,
            budget: config.archive_bytes,
            segment_rows: config.segment_rows.clamp(1, StoreConfig::MAX_SEGMENT_ROWS),
            dropped: 0,
        }
    }

    /// For readers.
    pub(super) fn view(&self) -> ArchiveView {
        self.view.clone()
    }

    /// Records kept.
    pub(super) const fn rows(&self) -> usize {
        self.rows + self.open_rows
    }

    /// Memory.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes + self.open_rows * OPEN_ROW
    }

    /// Records dropped because the budget was used up.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Adds an ended record.
    pub(super) fn push(&mut self, head: Head, volume: Volume, now: Timestamp) {
        let at = self.open_rows % ROWS;
        if at == 0 {
            self.view.open.push(Chunk::default());
        }
        if let Some(chunk) = self.view.open.last_mut() {
            chunk.put(at, head, volume);
            self.open_rows += 1;
        }
        self.open_since.get_or_insert(now);
        if self.open_rows >= self.segment_rows {
            self.seal();
        }
    }

    /// Seals what is old enough and drops what is too old or too much.
    pub(super) fn tidy(&mut self, now: Timestamp, horizon: Timestamp) {
        if self.open_since.is_some_and(|since| now.since(since) >= SEAL_AFTER) {
            self.seal();
        }
        while let Some(oldest) = self.view.segments.first() {
            let outdated = oldest.zone().last_end < horizon;
            if !outdated && self.bytes() <= self.budget {
                break;
            }
            if !outdated {
                self.dropped += oldest.rows() as u64;
            }
            self.rows -= oldest.rows();
            self.bytes -= oldest.bytes();
            self.view.segments.remove(0);
        }
    }

    fn seal(&mut self) {
        let open = std::mem::take(&mut self.view.open);
        let rows: Vec<(&Head, &Volume)> = open.iter().flat_map(|c| c.rows().map(|(_, h, v)| (h, v))).collect();
        let segment = Segment::seal(self.view.open_number, &rows);
        self.rows += segment.rows();
        self.bytes += segment.bytes();
        self.view.segments.push(Arc::new(segment));
        self.view.open_number = self.view.open_number.wrapping_add(1);
        (self.open_rows, self.open_since) = (0, None);
    }
}
