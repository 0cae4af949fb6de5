//! Which records are kept for good: all but most of those that a conversation gives while it goes on.
//!
//! A worker says every second and more often what heavy conversations have carried, for the live view. Each such record replaces the
//! one before. Kept are the record of the end, and of what goes on one a minute: history then has minutes, and a crash costs one.
//!
//! Of a conversation that has carried at least [`HEAVY`] since the last time, that is its last record of the minute by the clock of the
//! packets, so that each minute of history has what was carried in it. It is held until the minute is over. What is lighter is kept
//! when [`STEP`] has passed since the last time, and counts where it ends.
//!
//! Limits: [`MOST_HELD`] records are held; heavy conversations beyond that are treated as light ones. [`MOST`] long conversations are
//! remembered; with more, all are forgotten, and some are kept more often than once a minute.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use netwatch_model::{FlowId, FlowRecord, Record, Timestamp};

/// A conversation that goes on is kept once in that time.
pub const STEP: Duration = Duration::from_secs(60);
/// So long after its end a minute is given up for over: workers do not tick together.
pub const GRACE: Duration = Duration::from_secs(1);
/// Octets since the last time from which on it matters in which minute they count.
const HEAVY: u64 = 64 << 10;
/// Records that wait for the end of their minute: some 30 MB.
const MOST_HELD: usize = 1 << 16;
/// Conversations of more than a minute that are remembered: as many as a flow table has by default.
const MOST: usize = 1 << 20;

/// What is kept of a conversation.
#[derive(Clone, Copy, Debug)]
struct Kept {
    until: Timestamp,
    octets: u64,
}

/// Chooses among the records of one run of an agent.
#[derive(Debug, Default)]
pub struct Thinner {
    kept: HashMap<FlowId, Kept, RandomState>,
    held: HashMap<FlowId, Box<FlowRecord>, RandomState>,
    /// The minute that goes on; of those before it nothing is held.
    minute: i64,
}

impl Thinner {
    /// Leaves of the records those that are kept for good; what was held and is due comes before what replaces it.
    pub fn thin(&mut self, records: &mut Vec<Record>) {
        let all = std::mem::take(records);
        records.reserve(all.len());
        let mut newest = None;
        for record in all {
            match record {
                Record::Flow(flow) => {
                    newest = newest.max(Some(flow.end));
                    self.flow(flow, records);
                }
                Record::Sample(sample) => {
                    newest = newest.max(Some(sample.time));
                    records.push(Record::Sample(sample));
                }
                other => records.push(other),
            }
        }
        let Some(now) = newest.map(|newest| minute(newest - GRACE)) else { return };
        if now != self.minute {
            self.minute = now;
            let due: Vec<_> = self.held.extract_if(|_, flow| minute(flow.end) < now).collect();
            due.into_iter().for_each(|(_, flow)| self.keep(flow, records));
        }
    }

    fn flow(&mut self, flow: Box<FlowRecord>, into: &mut Vec<Record>) {
        if !self.held.is_empty()
            && let Some(held) = self.held.remove(&flow.id)
            && minute(held.end) < minute(flow.end)
        {
            self.keep(held, into);
        }
        if flow.end_reason.is_some() {
            // Most conversations are over within a minute.
            if !self.kept.is_empty() {
                self.kept.remove(&flow.id);
            }
            into.push(Record::Flow(flow));
            return;
        }
        let kept = self.kept.get(&flow.id).copied().unwrap_or(Kept { until: flow.start, octets: 0 });
        if octets(&flow).saturating_sub(kept.octets) >= HEAVY && self.held.len() < MOST_HELD {
            self.held.insert(flow.id, flow);
        } else if flow.end.since(kept.until) >= STEP {
            self.keep(flow, into);
        }
    }

    fn keep(&mut self, flow: Box<FlowRecord>, into: &mut Vec<Record>) {
        if self.kept.len() >= MOST && !self.kept.contains_key(&flow.id) {
            self.kept.clear();
        }
        self.kept.insert(flow.id, Kept { until: flow.end, octets: octets(&flow) });
        into.push(Record::Flow(flow));
    }
}

fn octets(flow: &FlowRecord) -> u64 {
    flow.forward.octets.saturating_add(flow.reverse.octets)
}

/// Number of the minute of a time.
fn minute(time: Timestamp) -> i64 {
    time.millis().div_euclid(60_000)
}

#[cfg(test)]
mod tests {
    use netwatch_model::{Counters, EndReason};
    use proptest::prelude::*;

    use super::*;
    use crate::store::record;

    /// A record from `start` to `end`, in milliseconds.
    fn flow(n: u32, (start, end): (i64, i64), octets: u64, end_reason: Option<EndReason>) -> Record {
        let (start, end) = (Timestamp::from_millis(start), Timestamp::from_millis(end));
        let forward = Counters { packets: octets / 1000, octets, l2_octets: octets };
        let (reverse, interface_octets) = (Counters::default(), [0; 2]);
        Record::Flow(Box::new(FlowRecord {
            start,
            end,
            forward,
            reverse,
            interface_octets,
            end_reason,
            ..record(n, 0)
        }))
    }

    fn thinned(thinner: &mut Thinner, records: impl IntoIterator<Item = Record>) -> Vec<FlowRecord> {
        let mut records = records.into_iter().collect();
        thinner.thin(&mut records);
        let flows = records.into_iter().map(|record| match record {
            Record::Flow(flow) => *flow,
            other => panic!("not a flow: {other:?}"),
        });
        flows.collect()
    }

    fn ends(flows: &[FlowRecord]) -> Vec<i64> {
        flows.iter().map(|flow| flow.end.millis()).collect()
    }

    #[test]
    fn a_light_conversation_is_kept_each_minute_and_at_its_end() {
        let mut thinner = Thinner::default();
        let going = |second: i64| flow(1, (1_000_000, (1000 + second) * 1000), 100, None);
        let kept: Vec<_> = (0..200).flat_map(|second| thinned(&mut thinner, [going(second)])).collect();
        assert_eq!(ends(&kept), [1_060_000, 1_120_000, 1_180_000]);
        assert_eq!(thinned(&mut thinner, [flow(2, (1_190_000, 1_200_000), 100, None)]), [], "another one, and young");
        let end = |n, reason| flow(n, (1_000_000, 1_201_000), 100, Some(reason));
        assert_eq!(thinned(&mut thinner, [end(1, EndReason::IdleTimeout), end(2, EndReason::EndOfFlow)]).len(), 2);
        assert!(thinner.kept.is_empty() && thinner.held.is_empty());
    }

    #[test]
    fn a_heavy_one_that_falls_silent_is_kept_when_its_minute_is_over() {
        let mut thinner = Thinner::default();
        assert_eq!(thinned(&mut thinner, [flow(1, (90_000, 95_000), HEAVY, None)]), []);
        let other = |end| flow(2, (90_000, end), 100, None);
        assert_eq!(thinned(&mut thinner, [other(120_500)]), [], "another worker may still say more of that minute");
        assert_eq!(ends(&thinned(&mut thinner, [other(121_000)])), [95_000]);
        assert_eq!(thinned(&mut thinner, [other(122_000)]), []);
        let end = flow(1, (90_000, 95_000), HEAVY, Some(EndReason::IdleTimeout));
        assert_eq!(thinned(&mut thinner, [end]).len(), 1);
    }

    #[test]
    fn no_more_than_so_many_are_held() {
        let mut thinner = Thinner::default();
        let many = u32::try_from(MOST_HELD).unwrap() + 10;
        let all = (0..many).map(|n| flow(n, (1000, 2000), HEAVY, None));
        assert_eq!(thinned(&mut thinner, all), []);
        assert_eq!(thinner.held.len(), MOST_HELD);
        let none = [flow(many, (1000, 61_000), 0, Some(EndReason::EndOfFlow))];
        assert_eq!(thinned(&mut thinner, none).len(), MOST_HELD + 1);
    }

    proptest! {
        /// What a steady conversation carries is said every so often, whenever it began: each whole minute has what was carried in it.
        #[test]
        fn each_minute_has_what_was_carried_in_it(
            start in 0_i64..120_000,
            length in 1_i64..400_000,
            said_every in 250_i64..2000,
            quiet in 0_i64..90_000,
        ) {
            const PER_MILLI: u64 = 1000;
            let mut thinner = Thinner::default();
            let carried = |until: i64| u64::try_from((until - start).max(0)).unwrap() * PER_MILLI;
            let mut kept = Vec::new();
            let mut now = start;
            while now + said_every < start + length {
                now += said_every;
                kept.extend(thinned(&mut thinner, [flow(1, (start, now), carried(now), None)]));
            }
            let end = start + length;
            // Another conversation goes on, until this one is known to be over.
            kept.extend(thinned(&mut thinner, [flow(2, (end, end + quiet), 100, None)]).into_iter().filter(|f| f.id == kept_id()));
            let last = flow(1, (start, end), carried(end), Some(EndReason::IdleTimeout));
            kept.extend(thinned(&mut thinner, [last]));
            let mut before = 0;
            let mut minutes: HashMap<i64, u64> = HashMap::new();
            for flow in &kept {
                *minutes.entry(minute(flow.end)).or_default() += octets(flow) - before;
                before = octets(flow);
            }
            prop_assert_eq!(before, carried(end));
            for n in 0..=minute(Timestamp::from_millis(end)) {
                let truth = carried(((n + 1) * 60_000).min(end)) - carried((n * 60_000).max(start).min(end));
                let found = minutes.get(&n).copied().unwrap_or(0);
                // What was carried between the last record and the turn of the minute counts after it, or what is too little to be held.
                let slack = u64::try_from(said_every).unwrap() * PER_MILLI + HEAVY;
                prop_assert!(found.abs_diff(truth) <= slack, "minute {}: {} of {}", n, found, truth);
            }
        }
    }

    fn kept_id() -> FlowId {
        let Record::Flow(flow) = flow(1, (0, 0), 0, None) else { unreachable!() };
        flow.id
    }
}
