//! The rows of a list, in order and no more than wanted.

use std::cmp::Ordering;
use std::collections::HashMap;

use netwatch_api::flow::Flow;
use netwatch_model::filter::Filter;
use netwatch_model::{FlowId, FlowRecord};

use crate::args::SortColumn;

/// Records that fit the filter; with a limit, memory is that of twice as many rows.
#[derive(Debug)]
pub struct Rows {
    filter: Filter,
    sort: SortColumn,
    limit: usize,
    rows: Vec<FlowRecord>,
    /// "Other" rows grow while the file is read: the newest of each counts.
    other: HashMap<FlowId, FlowRecord>,
}

impl Rows {
    /// No rows yet.
    pub fn new(filter: Filter, sort: SortColumn, limit: Option<u64>) -> Self {
        let limit = limit.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        Self { filter, sort, limit, rows: Vec::new(), other: HashMap::new() }
    }

    /// Takes a record in.
    pub fn add(&mut self, record: FlowRecord) {
        if record.is_other() {
            self.other.insert(record.id, record);
        } else if self.filter.matches(&record) {
            self.rows.push(record);
            if self.rows.len() >= self.limit.saturating_mul(2).max(1024) {
                self.shorten();
            }
        }
    }

    /// The rows in order.
    pub fn finish(mut self) -> Vec<Flow> {
        let other = std::mem::take(&mut self.other);
        self.rows.extend(other.into_values().filter(|r| self.filter.matches(r)));
        self.shorten();
        self.rows.iter().map(Flow::from).collect()
    }

    fn shorten(&mut self) {
        let sort = self.sort;
        self.rows.sort_by(|a, b| order(sort, a, b));
        self.rows.truncate(self.limit);
    }
}

/// Start: oldest first; everything else: largest first; equals by start and id.
fn order(sort: SortColumn, a: &FlowRecord, b: &FlowRecord) -> Ordering {
    let by = match sort {
        SortColumn::Start => Ordering::Equal,
        SortColumn::Bytes => b.total().octets.cmp(&a.total().octets),
        SortColumn::Packets => b.total().packets.cmp(&a.total().packets),
        SortColumn::Duration => b.duration().cmp(&a.duration()),
        SortColumn::Rate => rate(b).cmp(&rate(a)),
    };
    by.then(a.start.cmp(&b.start)).then(a.id.cmp(&b.id))
}

/// Bits per second over one second at least.
fn rate(r: &FlowRecord) -> u128 {
    u128::from(r.total().octets) * 8_000_000_000 / r.duration().as_nanos().max(1_000_000_000)
}
