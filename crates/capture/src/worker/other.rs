//! "Other": conversations that ended while too many ended at once. They are not lost but summed, and what they have in common is kept.
//!
//! A scan has one source, a flood with forged sources one destination. So within a tick conversations are grouped by source, or by
//! destination once eight sources have met at it, as long as there are places (`PLACES` groups); the rest is summed without any
//! address. Each group becomes one record with the number of its conversations, the address in common, and "unspecified" for what
//! differs. Sums of octets and packets are exact; only addresses and ports are missing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;
use netwatch_model::{EndReason, FlowId, FlowRecord, FlowState, Protocol, Record, VlanStack};

/// Slot number of "other" records: above every slot of a table.
const SLOT: u32 = 0xff_ffff;
/// Groups in one tick.
const PLACES: usize = 512;
/// Sources that make a destination a group of its own.
const SOURCES: u32 = 8;

/// What the conversations of a group have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Common {
    Source(IpAddr),
    Destination(IpAddr),
    Nothing,
}

/// The groups of one worker.
#[derive(Debug, Default)]
pub struct Other {
    groups: HashMap<(Common, netwatch_model::Untrusted), FlowRecord>,
    destinations: HashMap<IpAddr, u32>,
    conversations: u64,
    emitted: u32,
}

impl Other {
    /// Adds a conversation that gets no record of its own.
    pub fn add(&mut self, record: FlowRecord) {
        self.conversations += 1;
        let key = (self.common(&record), record.interface.clone());
        match self.groups.get_mut(&key) {
            Some(group) => merge(group, &record, key.0),
            None => {
                self.groups.insert(key, record);
            }
        }
    }

    /// Conversations so far.
    pub const fn conversations(&self) -> u64 {
        self.conversations
    }

    /// Gives the groups of this tick.
    pub fn emit(&mut self, worker: u8, out: &mut Vec<Record>) {
        for (_, mut group) in self.groups.drain() {
            self.emitted = self.emitted.wrapping_add(1);
            group.id = FlowId::new(worker, SLOT, self.emitted);
            out.push(Record::Flow(Box::new(group)));
        }
        self.destinations.clear();
    }

    fn common(&mut self, record: &FlowRecord) -> Common {
        let source = Common::Source(record.source);
        let destination = Common::Destination(record.destination);
        let known = |common| self.groups.contains_key(&(common, record.interface.clone()));
        if known(source) {
            return source;
        }
        if known(destination) {
            return destination;
        }
        if self.groups.len() >= PLACES {
            return Common::Nothing;
        }
        let met = self.destinations.entry(record.destination).or_insert(0);
        *met += 1;
        if *met > SOURCES { destination } else { source }
    }
}

/// Adds a conversation to its group and takes out what differs.
fn merge(group: &mut FlowRecord, record: &FlowRecord, common: Common) {
    let nobody = |like: IpAddr| match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    if group.source != record.source || common == Common::Nothing {
        group.source = nobody(group.source);
    }
    if group.destination != record.destination || common == Common::Nothing {
        group.destination = nobody(group.destination);
    }
    if group.protocol != record.protocol {
        group.protocol = Protocol(0);
    }
    if group.destination_port != record.destination_port {
        group.destination_port = 0;
    }
    if group.vlan != record.vlan {
        group.vlan = VlanStack::EMPTY;
    }
    if group.application != record.application {
        group.application = "other".into();
    }
    // Inner packets are part of outer ones: a mixed group counts the outer ones' octets only.
    if group.tunnel != record.tunnel {
        if group.tunnel.is_some() {
            (group.forward, group.reverse, group.interface_octets) = Default::default();
        }
        group.tunnel = None;
    }
    if record.tunnel == group.tunnel {
        group.forward = group.forward.plus(record.forward);
        group.reverse = group.reverse.plus(record.reverse);
        group.interface_octets[0] += record.interface_octets[0];
        group.interface_octets[1] += record.interface_octets[1];
    }
    group.source_port = 0;
    group.icmp_id = 0;
    group.start = group.start.min(record.start);
    group.end = group.end.max(record.end);
    group.state = FlowState::Active;
    group.tcp = None;
    group.end_reason = Some(EndReason::LackOfResources);
    group.conversations += 1;
}

#[cfg(test)]
mod tests;
