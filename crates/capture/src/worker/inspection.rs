//! What a worker asks of ports, payload and the local machine: application, name, process.
//!
//! Names that payload gave (SNI, Host) are kept by slot, for at most [`MAX_NAMED`] flows at once; a flow beyond that goes by the DNS
//! name of its address, which is looked up when a record is made and never for a packet.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hashbrown::HashMap;
use netwatch_model::{FlowRecord, NameSource, Protocol, Timestamp, Untrusted};

use super::shared::Shared;
use super::{Step, Worker};
use crate::apps::{AppId, AppTable};
use crate::dissect::Packet;
use crate::inspect::{DEFAULT_BUFFERS, Findings, Inspector, MAX_LOOKED, Payload, Verdict};
use crate::process::{Beginnings, ProcessTable};
use crate::table::Slot;

/// Flows of one worker whose name from payload is kept.
pub const MAX_NAMED: usize = 262_144;

/// The worker's side of inspection.
#[derive(Debug)]
pub struct Inspection {
    apps: Arc<AppTable>,
    inspector: Inspector,
    processes: Option<Arc<ProcessTable>>,
    beginnings: Option<Beginnings>,
    named: HashMap<u32, (Untrusted, NameSource), foldhash::fast::RandomState>,
    not_kept: u64,
    on: bool,
}

impl Inspection {
    /// Looks at payload when `on`.
    pub fn new(on: bool, shared: &Shared) -> Self {
        Self {
            apps: Arc::clone(shared.apps()),
            inspector: Inspector::new(Arc::clone(shared.names()), DEFAULT_BUFFERS),
            processes: shared.processes().map(Arc::clone),
            beginnings: shared.processes().map(|table| Beginnings::new(Arc::clone(table))),
            named: HashMap::default(),
            not_kept: 0,
            on,
        }
    }

    /// A packet has begun a flow: its owner may be gone when the record is made.
    pub fn begun(&mut self, p: &Packet) {
        // Inner packets of tunnels are of no socket here.
        if let Some(beginnings) = self.beginnings.as_mut().filter(|_| !p.counted) {
            let (source, destination) = p.addresses.pair();
            let ends = [SocketAddr::new(source, p.source_port), SocketAddr::new(destination, p.destination_port)];
            beginnings.begun(p.time, p.protocol, ends);
        }
    }

    /// The application that the ports tell.
    pub fn application(&self, protocol: Protocol, initiator_port: u16, responder_port: u16) -> u16 {
        self.apps.by_ports(protocol, initiator_port, responder_port).0
    }

    /// An application's name.
    pub fn application_name(&self, application: u16) -> Arc<str> {
        self.apps.name(AppId(application))
    }

    /// Whether payload of such a flow can tell anything.
    pub const fn wants(&self, protocol: Protocol) -> bool {
        self.on && Inspector::wants(protocol)
    }

    /// Adds the name to a record: what payload gave (`named`), else what DNS said of the responder to the initiator; and the local
    /// process, outside of tunnels.
    pub fn describe(&self, slot: Slot, named: bool, record: &mut FlowRecord) {
        if named {
            record.name = self.named.get(&slot.0).cloned();
        }
        if record.name.is_none() && self.on {
            let name = self.inspector.names().lookup(record.destination, record.source, record.start);
            record.name = name.map(|name| (name, NameSource::Dns));
        }
        if let Some(processes) = self.processes.as_ref().filter(|_| record.tunnel.is_none()) {
            let source = SocketAddr::new(record.source, record.source_port);
            let destination = SocketAddr::new(record.destination, record.destination_port);
            record.process = processes.owner(record.protocol, source, destination);
        }
    }

    /// The flow has ended: `named` and `inspecting` tell what is held for it.
    pub fn forget(&mut self, slot: Slot, named: bool, inspecting: bool) {
        if named {
            self.named.remove(&slot.0);
        }
        if inspecting {
            self.inspector.forget(slot.0);
        }
    }

    /// Flows whose name was not kept because too many had one.
    pub const fn not_kept(&self) -> u64 {
        self.not_kept
    }

    fn keep(&mut self, slot: Slot, findings: Findings) -> bool {
        let Some(name) = findings.name else { return false };
        if self.named.len() >= MAX_NAMED {
            self.not_kept += 1;
            return false;
        }
        self.named.insert(slot.0, name);
        true
    }
}

impl Worker {
    /// Offers the payload of a packet to the inspector.
    pub(super) fn inspect(&mut self, slot: Slot, step: &Step, data: &[u8], segment_size: u16) {
        let p = &step.packet;
        let from = usize::from(p.payload_at);
        let to = from.saturating_add(p.payload_length as usize).min(data.len());
        let Some(bytes) = data.get(from..to).filter(|b| !b.is_empty()) else { return };
        let hot = self.table.hot(slot);
        let initiator = hot.initiator();
        let payload = Payload {
            flow: slot.0,
            looked: hot.looked,
            protocol: p.protocol,
            ports: [hot.ports[initiator], hot.ports[1 - initiator]],
            from_initiator: step.keyed.sender == initiator,
            receiver: receiver(p),
            time: Timestamp::from_nanos(p.time),
            sequence: p.segment.seq,
            segment_size,
            bytes,
        };
        let by_ports = AppId(hot.application);
        let verdict = self.inspection.inspector.inspect(&payload);
        let hot = self.table.hot_mut(slot);
        // DNS never ends; its counter must not wrap to "first packet".
        hot.looked = hot.looked.saturating_add(1).min(MAX_LOOKED);
        if let Verdict::Done(findings) = verdict {
            hot.set_inspecting(false);
            hot.application = findings.refine(&self.inspection.apps, by_ports).0;
            if self.inspection.keep(slot, findings) {
                hot.set_named(true);
            }
        }
    }
}

fn receiver(p: &Packet) -> IpAddr {
    p.addresses.pair().1
}
