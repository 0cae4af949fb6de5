//! "Other": conversations that ended while too many ended at once, summed without addresses, by interface.

use std::net::{IpAddr, Ipv4Addr};

use hashbrown::HashMap;
use netwatch_model::{Counters, FlowId, FlowRecord, FlowState, Protocol, Record, VlanStack};

use crate::frame::InterfaceIndex;

/// Slot number of "other" rows: above every slot of a table.
const SLOT: u32 = 0xff_ffff;

/// The "other" rows of one worker. At most one for each interface, so at most 256.
#[derive(Debug, Default)]
pub struct Other {
    rows: HashMap<u8, FlowRecord>,
    changed: bool,
    conversations: u64,
}

impl Other {
    /// Adds a conversation that gets no record of its own.
    pub fn add(&mut self, record: &FlowRecord, interface: InterfaceIndex) {
        self.changed = true;
        self.conversations += 1;
        let row = self.rows.entry(interface.0).or_insert_with(|| empty(record, interface));
        row.start = row.start.min(record.start);
        row.end = row.end.max(record.end);
        row.conversations += 1;
        // Inner packets are part of outer ones: count the conversation, not its octets.
        if record.tunnel.is_none() {
            row.forward = row.forward.plus(record.forward);
            row.reverse = row.reverse.plus(record.reverse);
            row.interface_octets[0] += record.interface_octets[0];
            row.interface_octets[1] += record.interface_octets[1];
        }
    }

    /// Conversations so far.
    pub const fn conversations(&self) -> u64 {
        self.conversations
    }

    /// Gives the rows when they have changed.
    pub fn emit(&mut self, worker: u8, out: &mut Vec<Record>) {
        if std::mem::take(&mut self.changed) {
            for (interface, row) in &self.rows {
                let mut row = row.clone();
                row.id = FlowId::new(worker, SLOT, u32::from(*interface));
                out.push(Record::Flow(Box::new(row)));
            }
        }
    }
}

fn empty(like: &FlowRecord, interface: InterfaceIndex) -> FlowRecord {
    FlowRecord {
        id: FlowId::new(0, SLOT, u32::from(interface.0)),
        source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        source_port: 0,
        destination_port: 0,
        protocol: Protocol(0),
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        forward: Counters::default(),
        reverse: Counters::default(),
        interface_octets: [0; 2],
        state: FlowState::Active,
        tcp: None,
        end_reason: None,
        application: "other".into(),
        name: None,
        process: None,
        conversations: 0,
        ..like.clone()
    }
}
