//! What a worker asks of payload, ports and the local machine: application, name, process.

use std::sync::Arc;

use netwatch_model::{FlowRecord, Protocol};

use super::shared::Shared;
use super::{Step, Worker};
use crate::apps::{AppId, AppTable};
use crate::table::Slot;

/// The worker's side of inspection.
#[derive(Debug)]
pub struct Inspection {
    apps: Arc<AppTable>,
    on: bool,
}

impl Inspection {
    /// Looks at payload when `on`.
    pub fn new(on: bool, shared: &Shared) -> Self {
        Self { apps: Arc::clone(shared.apps()), on }
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
    pub const fn wants(&self, _protocol: Protocol, _initiator_port: u16, _responder_port: u16) -> bool {
        self.on
    }

    /// Adds name and process to a record.
    pub fn describe(&self, _slot: Slot, _named: bool, _record: &mut FlowRecord) {}

    /// The flow has ended.
    pub fn forget(&mut self, _slot: Slot) {}
}

impl Worker {
    /// Looks at the payload of a packet.
    pub(super) fn inspect(&mut self, slot: Slot, _step: &Step, _data: &[u8]) {
        self.table.hot_mut(slot).set_inspecting(false);
    }
}
