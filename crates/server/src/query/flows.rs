//! Lists of flows, page by page, and single flows.

use std::sync::Arc;

use netwatch_api::flow::{Flow, FlowDetail, FlowPage, FlowPoint};
use netwatch_model::{FlowId, Timestamp};

use super::answers::State;
use super::cursor::{Cursor, Snapshot};
use super::page::{Best, Rank};
use super::range::Span;
use super::scan::Scan;
use super::{FlowsRequest, LiveStore, QueryError};
use crate::store::View;

/// Rows that a first page notes.
const NOTED: usize = 1000;
/// Points of a flow's own chart.
const MOST_POINTS: i64 = 600;

impl LiveStore {
    /// A page of flows.
    ///
    /// # Errors
    /// When the cursor is not one of this request, or what it points at is no longer kept.
    pub fn flows(&self, q: &FlowsRequest, now: Timestamp) -> Result<FlowPage, QueryError> {
        if let Some(cursor) = &q.cursor {
            return self.next_page(q, cursor, now);
        }
        let view = self.view(now);
        let span = Span::of(q.range, now);
        let filter = q.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        let question =
            format!("{} {:?} {:?} {:?} {} {filter}", span.words(q.range, now), q.status, q.sort, q.order, q.limit);
        let state = State::of(&view, span.from, now);
        let page = self.desk().pages.get(question, state, || Ok(Arc::new(self.first_page(q, span, &view, now))))?;
        Ok(Arc::unwrap_or_clone(page))
    }

    /// One flow with its own chart.
    #[must_use]
    pub fn flow(&self, id: FlowId, now: Timestamp) -> Option<FlowDetail> {
        let view = self.view(now);
        let (head, volume) = view.find(id).filter(|(_, volume)| volume.end >= view.horizon())?;
        let (first, last) = (volume.start.secs(), volume.end.secs());
        let least = (last.saturating_sub(first) / MOST_POINTS + 1).max(view.history_step().into());
        let step = [1, 10, 60, 600, 3600].into_iter().find(|step| *step >= least).unwrap_or(86_400);
        let mut points = std::collections::BTreeMap::<i64, FlowPoint>::new();
        view.history().of(&volume, |stretch| {
            for (at, part) in stretch.steps(i64::MIN, i64::MAX, step) {
                let time = Timestamp::from_secs(at);
                let none = FlowPoint { time, octets: 0, reverse_octets: 0, packets: 0, reverse_packets: 0 };
                let point = points.entry(at).or_insert(none);
                point.octets += part.octets[0];
                point.reverse_octets += part.octets[1];
                point.packets += part.packets[0];
                point.reverse_packets += part.packets[1];
            }
        });
        let flow = Flow::from(&volume.record(&head, view.words()));
        #[expect(clippy::cast_precision_loss, reason = "at most a day")]
        let step = step as f64;
        Some(FlowDetail { flow, points: points.into_values().collect(), step })
    }

    fn first_page(&self, q: &FlowsRequest, span: Span, view: &View, now: Timestamp) -> FlowPage {
        let request = FlowsRequest { cursor: None, ..q.clone() };
        let mut snapshot = Snapshot {
            request,
            asked: now,
            version: view.version().unwrap_or_default(),
            as_of: view.as_of(),
            rows: Vec::new(),
            more: false,
            matched: 0,
            other_conversations: others(view, span),
        };
        snapshot.matched = self.fill(&mut snapshot, view, span, None);
        self.page_of(snapshot, view, now)
    }

    /// Finds the rows after a place in the order; tells how many rows there are in all.
    fn fill(&self, snapshot: &mut Snapshot, view: &View, span: Span, after: Option<Rank>) -> u64 {
        let q = &snapshot.request;
        let limit = q.limit.max(1);
        let noted = limit * (NOTED / limit).max(1);
        let mut best = Best::new(q.order, after, noted + 1);
        let mut scan = Scan::new(view, self.desk(), span, q.filter.as_deref());
        scan.status = q.status;
        let matched = scan.rank(q.sort, &mut best, q.order);
        snapshot.rows = best.into_sorted();
        snapshot.more = snapshot.rows.len() > noted;
        snapshot.rows.truncate(noted);
        matched
    }

    fn next_page(&self, q: &FlowsRequest, text: &str, now: Timestamp) -> Result<FlowPage, QueryError> {
        let cursor = self.desk().cursors.read(text).ok_or(QueryError::Cursor("is not one that this server gave"))?;
        let snapshot = self.desk().snapshots.get(cursor.snapshot, now).ok_or(QueryError::Gone)?;
        if !snapshot.is_of(q, now) {
            return Err(QueryError::Cursor("belongs to another request"));
        }
        let current = self.view(now);
        let older = if current.version() == Some(snapshot.version) {
            Some(Arc::clone(&current))
        } else {
            self.desk().older(snapshot.version)
        };
        let row = cursor.row as usize;
        if row < snapshot.rows.len() {
            let view = older.unwrap_or(current);
            return Ok(self.cut(&snapshot, cursor.snapshot, row, &view));
        }
        let view = older.ok_or(QueryError::Gone)?;
        let mut further = Snapshot { request: snapshot.request.clone(), rows: Vec::new(), more: false, ..*snapshot };
        let after = snapshot.rows.last().map(|row| row.rank);
        self.fill(&mut further, &view, Span::of(snapshot.request.range, snapshot.asked), after);
        Ok(self.page_of(further, &view, now))
    }

    /// The first page of a snapshot, which is kept if more follow.
    fn page_of(&self, snapshot: Snapshot, view: &View, now: Timestamp) -> FlowPage {
        let limit = snapshot.request.limit.max(1);
        if snapshot.rows.len() <= limit && !snapshot.more {
            return self.cut(&snapshot, 0, 0, view);
        }
        let snapshot = Arc::new(snapshot);
        let number = self.desk().snapshots.keep(Arc::clone(&snapshot), now);
        self.cut(&snapshot, number, 0, view)
    }

    /// Rows of a snapshot from that one on.
    fn cut(&self, snapshot: &Snapshot, number: u64, row: usize, view: &View) -> FlowPage {
        let limit = snapshot.request.limit.max(1);
        let next = row + limit;
        let rows = snapshot.rows.get(row..next.min(snapshot.rows.len())).unwrap_or_default();
        let items = rows.iter().filter_map(|ranked| view.resolve(ranked.found)).map(|r| Flow::from(&r)).collect();
        let follows = next < snapshot.rows.len() || snapshot.more;
        let cursor = Cursor { snapshot: number, row: u32::try_from(next).unwrap_or(u32::MAX) };
        FlowPage {
            items,
            next_cursor: follows.then(|| self.desk().cursors.write(cursor)),
            matched: Some(snapshot.matched),
            as_of: snapshot.as_of,
            other_conversations: snapshot.other_conversations,
        }
    }
}

/// Conversations that had no record of their own in that time.
fn others(view: &View, span: Span) -> u64 {
    view.talkers().cover(span.from.secs(), span.end_second()).buckets.iter().map(|part| part.bucket.others).sum()
}
