//! Which records are kept for good: all but most of those that a conversation gives while it goes on.
//!
//! A worker says every second and more often what heavy conversations have carried, for the live view. Each such record replaces the
//! one before. Kept are the record of the end, and of what goes on one a minute: history then has minutes, and a crash costs one.
//!
//! Limits: [`MOST`] long conversations are remembered; with more, all are forgotten, and some are kept more often than once a minute.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use netwatch_model::{FlowId, FlowRecord, Record, Timestamp};

/// A conversation that goes on is kept once in that time.
pub const STEP: Duration = Duration::from_secs(60);
/// Conversations of more than a minute that are remembered: as many as a flow table has by default.
const MOST: usize = 1 << 20;

/// Chooses among the records of one run of an agent.
#[derive(Debug, Default)]
pub struct Thinner {
    kept: HashMap<FlowId, Timestamp, RandomState>,
}

impl Thinner {
    /// Whether a record is kept for good.
    pub fn keeps(&mut self, record: &Record) -> bool {
        match record {
            Record::Sample(_) | Record::Event(_) | Record::Probe(_) => true,
            Record::Flow(flow) => self.keeps_flow(flow),
        }
    }

    fn keeps_flow(&mut self, flow: &FlowRecord) -> bool {
        if flow.end_reason.is_some() {
            // Most conversations are over within a minute.
            if !self.kept.is_empty() {
                self.kept.remove(&flow.id);
            }
            return true;
        }
        if flow.duration() < STEP {
            return false;
        }
        let kept = self.kept.get(&flow.id).copied().unwrap_or(flow.start);
        if flow.end.since(kept) < STEP {
            return false;
        }
        if self.kept.len() >= MOST && !self.kept.contains_key(&flow.id) {
            self.kept.clear();
        }
        self.kept.insert(flow.id, flow.end);
        true
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::EndReason;

    use super::*;
    use crate::store::record;

    fn flow(n: u32, start: i64, end: i64, end_reason: Option<EndReason>) -> Record {
        let (start, end) = (Timestamp::from_secs(start), Timestamp::from_secs(end));
        Record::Flow(Box::new(FlowRecord { start, end, end_reason, ..record(n, 0) }))
    }

    #[test]
    fn a_conversation_is_kept_each_minute_and_at_its_end() {
        let mut thinner = Thinner::default();
        let kept: Vec<i64> = (0..200).filter(|second| thinner.keeps(&flow(1, 1000, 1000 + second, None))).collect();
        assert_eq!(kept, [60, 120, 180]);
        assert!(!thinner.keeps(&flow(2, 1190, 1200, None)), "another one, and young");
        assert!(thinner.keeps(&flow(1, 1000, 1201, Some(EndReason::IdleTimeout))));
        assert!(thinner.keeps(&flow(2, 1190, 1201, Some(EndReason::EndOfFlow))));
        assert!(thinner.kept.is_empty());
    }
}
