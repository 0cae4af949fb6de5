//! Everything in the store as it was at one time, for readers.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use netwatch_model::{FlowId, FlowRecord, Timestamp};

use super::LARGE;
use super::archive::ArchiveView;
use super::capture::Source;
use super::chunk::{Chunk, ROWS};
use super::config::TimeBase;
use super::history::HistoryView;
use super::index::Index;
use super::ingest::Counts;
use super::row::{Head, Volume, Words};
use super::segment::Block as _;
use super::series::SeriesView;
use super::talkers::TalkersView;

/// Where a row is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Place {
    /// In the live table.
    Live(u32),
    /// In a segment of the archive, sealed or not: its number and the row.
    Ended(u32, u32),
}

/// A row found by a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) id: FlowId,
    pub(crate) place: Place,
}

/// The store at one time. Never changes.
#[derive(Debug)]
pub(crate) struct View {
    pub(super) version: Option<u64>,
    pub(super) time_base: TimeBase,
    pub(super) as_of: Timestamp,
    pub(super) horizon: Timestamp,
    pub(super) live: Vec<Chunk>,
    pub(super) archive: ArchiveView,
    pub(super) words: Words,
    pub(super) history: HistoryView,
    pub(super) history_step: u32,
    pub(super) talkers: TalkersView,
    pub(super) series: SeriesView,
    pub(super) sources: Arc<Vec<Source>>,
    pub(super) counts: Counts,
    /// Made when a query first needs it.
    pub(super) index: OnceLock<Index>,
}

impl View {
    /// The version of the store that this shows; none when the view was given up.
    pub(crate) const fn version(&self) -> Option<u64> {
        self.version
    }

    /// When it was made.
    pub(crate) const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// What ended before is no longer shown.
    pub(crate) const fn horizon(&self) -> Timestamp {
        self.horizon
    }

    /// Whether there is so much that answers may be a moment old. Never where time is that of the records: it stands
    /// still when they end, and what came last would never be shown.
    pub(crate) fn may_age(&self) -> bool {
        self.time_base == TimeBase::Wall && self.counts.live + self.counts.archived > LARGE
    }

    /// How old it is when the writer makes another. Copying, indexing and ordering take longer the more rows go on, and are to take a
    /// small share of the time: from less than the time between batches to most of a second with a quarter of a million rows.
    pub(super) fn renewed_after(&self) -> Duration {
        let rows = u32::try_from(self.counts.live).unwrap_or(u32::MAX);
        (Duration::from_micros(3).saturating_mul(rows)).clamp(Duration::from_millis(200), Duration::from_secs(1))
    }

    pub(crate) const fn archive(&self) -> &ArchiveView {
        &self.archive
    }

    pub(crate) const fn words(&self) -> &Words {
        &self.words
    }

    pub(crate) const fn history(&self) -> &HistoryView {
        &self.history
    }

    /// Seconds that an entry of the history stands for now.
    pub(crate) const fn history_step(&self) -> u32 {
        self.history_step
    }

    pub(crate) const fn talkers(&self) -> &TalkersView {
        &self.talkers
    }

    pub(crate) const fn series(&self) -> &SeriesView {
        &self.series
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What filters ask for most, of all rows that are not sealed.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&self.live, &self.archive))
    }

    /// Makes what questions to the view before have needed, so that nobody waits for it.
    pub(super) fn prepare(&self, before: &Self) {
        if let Some(older) = before.index.get() {
            self.index().prepare(older);
        }
    }

    /// A view that shares nothing with the writer and only says that a new one is needed.
    pub(super) fn outdated(&self) -> Self {
        Self { version: None, live: Vec::new(), archive: ArchiveView::default(), ..self.rows_only() }
    }

    /// The rows alone, for pages that are asked for later.
    pub(crate) fn rows_only(&self) -> Self {
        Self {
            version: self.version,
            time_base: self.time_base,
            as_of: self.as_of,
            horizon: self.horizon,
            live: self.live.clone(),
            archive: self.archive.clone(),
            words: self.words.clone(),
            history: HistoryView::default(),
            history_step: self.history_step,
            talkers: TalkersView::default(),
            series: SeriesView::default(),
            sources: Arc::clone(&self.sources),
            counts: self.counts,
            index: OnceLock::new(),
        }
    }

    /// The row at a place.
    pub(crate) fn row(&self, place: Place) -> Option<(Head, Volume)> {
        match place {
            Place::Live(slot) => at(&self.live, slot).map(|(head, volume)| (head.clone(), volume.clone())),
            Place::Ended(number, row) if number == self.archive.open_number => {
                at(&self.archive.open, row).map(|(head, volume)| (head.clone(), volume.clone()))
            }
            Place::Ended(number, row) => {
                let segment = self.archive.segment(number)?;
                let row = (row as usize).min(segment.rows().checked_sub(1)?);
                Some((segment.head(row), segment.volume(row)))
            }
        }
    }

    /// The row of a flow, wherever it is now.
    pub(crate) fn find(&self, id: FlowId) -> Option<(Head, Volume)> {
        if let Some((head, volume)) = self.index().find(id) {
            return Some((head.clone(), volume.clone()));
        }
        let sealed = self.archive.segments.iter().rev().find_map(|s| Some((s, s.find(id)?)));
        sealed.map(|(segment, row)| (segment.head(row), segment.volume(row)))
    }

    /// The record of a row that was found before: in its place, or wherever it went when it ended.
    pub(crate) fn resolve(&self, found: Found) -> Option<FlowRecord> {
        let there = self.row(found.place).filter(|(head, _)| head.id == found.id);
        let (head, volume) = there.or_else(|| self.find(found.id))?;
        Some(volume.record(&head, &self.words))
    }

    /// Bytes of rows that are not sealed and that this view does not share with `other`.
    pub(crate) fn bytes_beside(&self, other: &Self) -> usize {
        let beside = |mine: &[Chunk], theirs: &[Chunk]| -> usize {
            mine.iter().enumerate().map(|(at, chunk)| chunk.bytes_beside(theirs.get(at))).sum()
        };
        beside(&self.live, &other.live) + beside(&self.archive.open, &other.archive.open)
    }
}

/// The row of that number in a list of chunks.
pub(super) fn at(chunks: &[Chunk], row: u32) -> Option<(&Head, &Volume)> {
    chunks.get(row as usize / ROWS)?.get(row as usize % ROWS)
}
