//! What questions leave behind for those that follow: answers, finds, snapshots of pages, older views.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use netwatch_api::flow::FlowPage;
use netwatch_api::traffic::{Rates, Top};

use super::answers::Answers;
use super::cursor::{Cursors, Snapshots};
use super::selections::Selections;
use super::sums::Sums;
use crate::store::{RowSet, StoreConfig, View};

/// Bytes for rows found in sealed segments.
const SELECTION_BYTES: usize = 24 << 20;
/// Bytes for sums of sealed segments.
const SUM_BYTES: usize = 16 << 20;
/// Older views kept at most.
const MOST_VIEWS: usize = 64;

/// The desk of a store.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(super) pages: Answers<Arc<FlowPage>>,
    pub(super) tops: Answers<Arc<Top>>,
    pub(super) rates: Answers<Arc<Rates>>,
    pub(super) rows: Selections<RowSet>,
    pub(super) sums: Selections<Sums>,
    pub(super) cursors: Cursors,
    pub(super) snapshots: Snapshots,
    /// The one used last is the last.
    views: Mutex<VecDeque<Arc<View>>>,
    view_bytes: usize,
}

impl Desk {
    pub(crate) fn new(config: &StoreConfig) -> Self {
        Self {
            pages: Answers::new(config.answers),
            tops: Answers::new(config.answers),
            rates: Answers::new(config.answers),
            rows: Selections::new(SELECTION_BYTES),
            sums: Selections::new(SUM_BYTES),
            cursors: Cursors::default(),
            snapshots: Snapshots::new(config.snapshots, config.snapshot_life),
            views: Mutex::default(),
            view_bytes: config.view_bytes,
        }
    }

    /// Keeps a view that is no longer the newest, if pages may be asked of it.
    pub(crate) fn retain(&self, old: &View, newer: &View) {
        let needed = old.version().is_some_and(|v| self.snapshots.refer_to(v));
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if needed {
            views.push_back(Arc::new(old.rows_only()));
        }
        views.retain(|view| view.version().is_some_and(|v| self.snapshots.refer_to(v)));
        // What two older views share is counted for each: more than there is, never less.
        let mut bytes: usize = views.iter().map(|view| view.bytes_beside(newer)).sum();
        while views.len() > MOST_VIEWS || bytes > self.view_bytes {
            let Some(oldest) = views.pop_front() else { break };
            bytes = bytes.saturating_sub(oldest.bytes_beside(newer));
        }
    }

    /// The view of that version, if it is kept.
    pub(super) fn older(&self, version: u64) -> Option<Arc<View>> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let at = views.iter().position(|view| view.version() == Some(version))?;
        let view = views.remove(at)?;
        views.push_back(Arc::clone(&view));
        Some(view)
    }
}
