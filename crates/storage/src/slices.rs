//! Flow records cut into slices: what a conversation carried since it was last written.
//!
//! A flow record is cumulative from its start and comes again and again while the conversation goes on. The store keeps what was added
//! since the last time, so that sums over any range are plain sums. The first slice of a record counts the conversation, later ones do
//! not. A record that says nothing new gives no slice; hence records that come twice change nothing.
//!
//! Limits: at most [`MAX_OPEN`] records are remembered as open. When there are more, the table is emptied of those that have nothing
//! new, and a record that comes again after that is counted from its beginning: that is counted in `forgotten`, and cannot happen with
//! a flow table of the default size.

use hashbrown::HashMap;
use netwatch_model::{AgentId, BootId, Counters, FlowId, FlowRecord};

/// Open records that are remembered: twice what one agent's table holds by default.
pub(crate) const MAX_OPEN: usize = 2_000_000;

/// Octets of one direction at most, at layer 2: a hundred times what a terabit a second carries in a day. What claims more counts as
/// that, so that both directions and all headers together fit into the 63 bits in which `DuckDB` adds fastest.
pub(crate) const MOST_OCTETS: u64 = 1 << 60;
/// The same of packets and conversations.
const MOST_PACKETS: u64 = 1 << 48;

/// Which record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct RecordKey {
    pub(crate) agent: AgentId,
    pub(crate) boot: BootId,
    pub(crate) id: FlowId,
}

/// What is already written of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Written {
    pub(crate) forward: Counters,
    pub(crate) reverse: Counters,
    pub(crate) interface_octets: [u64; 2],
    /// End of the last slice, in milliseconds.
    pub(crate) until: i64,
    /// Retransmitted, out of order, duplicate, zero window; forward and reverse.
    pub(crate) quality: [u32; 8],
}

/// What a conversation carried from one moment to another.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Slice {
    pub(crate) key: RecordKey,
    /// Everything that does not add up: addresses, names, state.
    pub(crate) record: Box<FlowRecord>,
    /// Milliseconds.
    pub(crate) start: i64,
    /// Milliseconds.
    pub(crate) end: i64,
    pub(crate) forward: Counters,
    pub(crate) reverse: Counters,
    pub(crate) interface_octets: [u64; 2],
    pub(crate) quality: [u32; 8],
    /// Conversations that this slice begins.
    pub(crate) flows: u64,
}

#[derive(Debug, Default)]
struct Open {
    written: Option<Written>,
    latest: Option<Box<FlowRecord>>,
}

/// Flow records that wait in memory until they are written.
#[derive(Debug, Default)]
pub(crate) struct FlowHead {
    open: HashMap<RecordKey, Open, foldhash::quality::RandomState>,
    /// Records that ended without having been open here.
    ended: Vec<(RecordKey, Box<FlowRecord>)>,
    changed: usize,
    /// Open records that had to be forgotten.
    pub(crate) forgotten: u64,
}

impl FlowHead {
    /// Takes a record in; the newest of an id replaces the one before.
    pub(crate) fn push(&mut self, key: RecordKey, record: Box<FlowRecord>) {
        if record.end_reason.is_some() && !self.open.contains_key(&key) {
            self.ended.push((key, record));
            self.changed += 1;
            return;
        }
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&key) {
            let before = self.open.len();
            self.open.retain(|_, open| open.latest.is_some());
            self.forgotten += (before - self.open.len()) as u64;
        }
        let open = self.open.entry(key).or_default();
        self.changed += usize::from(open.latest.is_none());
        open.latest = Some(record);
    }

    /// What the files tell about records that were open when they were written.
    pub(crate) fn learn(&mut self, key: RecordKey, written: Written) {
        self.open.entry(key).or_default().written = Some(written);
    }

    /// How many records wait.
    pub(crate) const fn len(&self) -> usize {
        self.changed
    }

    /// The slices of all that waited; nothing waits after that.
    pub(crate) fn take(&mut self) -> Vec<Slice> {
        let mut slices = Vec::with_capacity(self.changed);
        slices.extend(self.ended.drain(..).filter_map(|(key, record)| slice(key, record, None)));
        self.changed = 0;
        self.open.retain(|key, open| {
            let Some(record) = open.latest.take() else { return true };
            let over = record.end_reason.is_some();
            let now = written(&record);
            slices.extend(slice(*key, record, open.written));
            open.written = Some(now);
            !over
        });
        slices
    }
}

/// No counter beyond what a network can carry.
fn credible(counters: Counters) -> Counters {
    Counters {
        packets: counters.packets.min(MOST_PACKETS),
        octets: counters.octets.min(MOST_OCTETS),
        l2_octets: counters.l2_octets.min(MOST_OCTETS),
    }
}

fn quality(record: &FlowRecord) -> [u32; 8] {
    record.tcp.map_or([0; 8], |t| {
        [
            t.retransmitted,
            t.reverse_retransmitted,
            t.out_of_order,
            t.reverse_out_of_order,
            t.duplicates,
            t.reverse_duplicates,
            t.zero_windows,
            t.reverse_zero_windows,
        ]
    })
}

fn written(record: &FlowRecord) -> Written {
    Written {
        forward: record.forward,
        reverse: record.reverse,
        interface_octets: record.interface_octets,
        until: record.end.millis(),
        quality: quality(record),
    }
}

fn slice(key: RecordKey, record: Box<FlowRecord>, before: Option<Written>) -> Option<Slice> {
    let base = before.unwrap_or_default();
    let (forward, reverse) =
        (credible(record.forward.since(base.forward)), credible(record.reverse.since(base.reverse)));
    let ends = record.end_reason.is_some();
    if before.is_some() && forward.plus(reverse) == Counters::default() && !ends {
        return None;
    }
    let (begin, end) = (record.start.millis(), record.end.millis());
    let start = if before.is_some() { base.until.clamp(begin, end) } else { begin };
    let now = quality(&record);
    let [read, sent] = record.interface_octets;
    Some(Slice {
        key,
        start,
        end,
        forward,
        reverse,
        interface_octets: [
            read.saturating_sub(base.interface_octets[0]).min(MOST_OCTETS),
            sent.saturating_sub(base.interface_octets[1]).min(MOST_OCTETS),
        ],
        quality: std::array::from_fn(|n| now[n].saturating_sub(base.quality[n])),
        flows: if before.is_some() { 0 } else { record.conversations.min(MOST_PACKETS) },
        record,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::record;

    fn key(n: u32) -> RecordKey {
        RecordKey { agent: AgentId(1), boot: BootId(1), id: FlowId::new(0, n, 0) }
    }

    #[test]
    fn a_record_that_says_nothing_new_gives_no_slice() {
        let mut head = FlowHead::default();
        let flow = record(1, 100);
        head.push(key(1), Box::new(flow.clone()));
        head.push(key(1), Box::new(flow.clone()));
        let slices = head.take();
        assert_eq!((slices.len(), slices[0].flows, slices[0].forward.octets), (1, 1, 100));
        head.push(key(1), Box::new(flow));
        assert_eq!(head.take(), []);
    }

    proptest! {
        #[test]
        fn slices_add_up_to_the_last_record(
            steps in prop::collection::vec((0_u64..1000, any::<bool>()), 1..50),
            restart in 0_usize..50,
        ) {
            let (mut head, mut total, mut sums) = (FlowHead::default(), 0, (0_u64, 0_u64));
            let mut last = 0;
            for (n, (more, flush)) in steps.iter().enumerate() {
                total += more;
                head.push(key(1), Box::new(record(1, total)));
                if *flush {
                    for slice in head.take() {
                        sums = (sums.0 + slice.forward.octets, sums.1 + slice.flows);
                    }
                    last = total;
                }
                if n == restart {
                    // What waited is lost, and comes again from the log; what was written is learnt from the files.
                    let mut fresh = FlowHead::default();
                    if sums.1 > 0 {
                        fresh.learn(key(1), written(&record(1, last)));
                    }
                    fresh.push(key(1), Box::new(record(1, total)));
                    head = fresh;
                }
            }
            for slice in head.take() {
                sums = (sums.0 + slice.forward.octets, sums.1 + slice.flows);
            }
            prop_assert_eq!(sums, (total, 1));
        }
    }
}
