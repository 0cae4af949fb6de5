//! What is said of flows: which, how often, and how a record is made.
//!
//! A changed flow is listed for the next tick once it has carried more than a threshold since its last report. The threshold is zero
//! while all changed flows fit into the budget, doubles when they do not and halves when there is room again, so that heavy flows
//! are always current. Light ones follow within ten seconds by the sweep, as far as its budget goes, and at their end.

use std::sync::Arc;

use netwatch_model::{Counters, EndReason, FlowId, FlowRecord, Protocol, Record, Timestamp};

use super::Worker;
use crate::table::Slot;

/// Ended records of at least this many octets are never put into "other".
const HEAVY: u64 = 16 * 1024;

/// Flows that wait to be reported.
#[derive(Debug, Default)]
pub struct Reports {
    changed: Vec<Slot>,
    overdue: Vec<Slot>,
    threshold: u16,
    overflowed: bool,
}

impl Reports {
    /// What a flow must have carried since its last report, in the units of [`Hot::pending`](crate::table::entry::Hot::pending).
    #[inline]
    pub(super) const fn threshold(&self) -> u16 {
        self.threshold
    }

    /// Lists a flow whose last report is too old.
    pub(super) fn overdue(&mut self, slot: Slot, budget: usize) {
        if self.overdue.len() < budget {
            self.overdue.push(slot);
        }
    }
}

impl Worker {
    /// Lists a flow for the next tick: it has carried more than the threshold since its last report.
    pub(super) fn note_change(&mut self, slot: Slot) {
        if self.reports.changed.len() >= 4 * self.config.budget.changed {
            self.reports.overflowed = true;
            return;
        }
        self.table.hot_mut(slot).set_listed(true);
        self.reports.changed.push(slot);
    }

    /// Reports the heaviest of the changed flows, and overdue ones.
    pub(super) fn report_changed(&mut self, out: &mut Vec<Record>) {
        let budget = self.config.budget.changed;
        let mut changed = std::mem::take(&mut self.reports.changed);
        let many = changed.len();
        if many > budget {
            changed.select_nth_unstable_by_key(budget, |slot| std::cmp::Reverse(self.table.hot(*slot).pending));
        }
        for (at, slot) in changed.drain(..).enumerate() {
            self.table.hot_mut(slot).set_listed(false);
            if at < budget {
                self.report(slot, out);
            }
        }
        self.reports.changed = changed;
        let mut overdue = std::mem::take(&mut self.reports.overdue);
        for slot in overdue.drain(..) {
            self.report(slot, out);
        }
        self.reports.overdue = overdue;
        let r = &mut self.reports;
        if std::mem::take(&mut r.overflowed) || many > budget {
            r.threshold = (r.threshold * 2).clamp(1, 1 << 14);
        } else if many < budget / 2 {
            r.threshold /= 2;
        }
    }

    fn report(&mut self, slot: Slot, out: &mut Vec<Record>) {
        let hot = self.table.hot(slot);
        if !hot.used() || hot.pending == 0 {
            return;
        }
        out.push(Record::Flow(Box::new(self.record(slot, None))));
        self.table.hot_mut(slot).pending = 0;
        self.table.cold_mut(slot).reported = self.ticks;
    }

    /// Makes the last record of a flow; a light one joins "other" when too many end at once.
    pub(super) fn close_record(&mut self, slot: Slot, reason: EndReason) {
        let hot = self.table.hot(slot);
        let light = hot.octets_of(0) + hot.octets_of(1) < HEAVY && self.table.cold(slot).reported == 0;
        if light && self.ended_in_tick >= self.config.budget.ended {
            self.other.add(self.bare_record(slot, Some(reason)));
            return;
        }
        self.ended_in_tick += 1;
        let record = self.record(slot, Some(reason));
        self.ended.push(Record::Flow(Box::new(record)));
    }

    fn context_of(&self, slot: Slot) -> crate::dissect::context::Context {
        self.contexts.get(crate::dissect::context::ContextId(self.table.hot(slot).context))
    }

    /// A record with name, application and process.
    fn record(&self, slot: Slot, reason: Option<EndReason>) -> FlowRecord {
        let mut record = self.bare_record(slot, reason);
        self.inspection.describe(slot, self.table.hot(slot).named(), &mut record);
        record
    }

    /// A record without what has to be looked up elsewhere.
    fn bare_record(&self, slot: Slot, end_reason: Option<EndReason>) -> FlowRecord {
        let (hot, cold) = (self.table.hot(slot), self.table.cold(slot));
        let key = self.table.key_of(hot);
        let context = self.context_of(slot);
        let (from, to) = (hot.initiator(), 1 - hot.initiator());
        let ends = <[std::net::IpAddr; 2]>::from(key.addresses.pair());
        let counters = |end: usize| Counters {
            packets: hot.packets[end].into(),
            octets: hot.octets_of(end),
            l2_octets: hot.octets_of(end) + u64::from(hot.overhead[end]),
        };
        let icmp = matches!(key.protocol, Protocol::ICMP | Protocol::ICMPV6);
        let mut interface_octets = [0; 2];
        for end in 0..2 {
            interface_octets[hot.direction(end).index()] += hot.octets_of(end);
        }
        FlowRecord {
            id: FlowId::new(self.number, slot.0, cold.generation),
            interface: self.names.get(usize::from(context.interface.0)).cloned().unwrap_or_else(|| "".into()),
            source: ends[from],
            destination: ends[to],
            source_port: if icmp { 0 } else { key.ports[from] },
            destination_port: if icmp { cold.icmp } else { key.ports[to] },
            protocol: key.protocol,
            icmp_id: if icmp { key.ports[0] } else { 0 },
            vlan: context.vlan,
            tunnel: context.tunnel,
            start: Timestamp::from_nanos(cold.start),
            end: Timestamp::from_nanos(hot.last),
            forward: counters(from),
            reverse: counters(to),
            interface_octets,
            state: hot.state(),
            tcp: self.tcp.get(hot.tcp).map(|tcp| tcp.metrics(from, hot.flags)),
            end_reason,
            application: self.inspection.application_name(hot.application),
            name: None,
            process: None::<Arc<netwatch_model::Process>>,
            conversations: 1,
        }
    }
}
