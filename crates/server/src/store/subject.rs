//! Asking a filter about a row that is not sealed.

use std::net::IpAddr;

use netwatch_model::filter::Subject;
use netwatch_model::{
    Counters, EndReason, FlowId, FlowState, NameSource, Protocol, TcpMetrics, Timestamp, Tunnel, Untrusted,
};

use super::row::{Head, Volume, Words};

/// A row with the texts that its numbers stand for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) head: &'a Head,
    pub(crate) volume: &'a Volume,
    pub(crate) words: &'a Words,
}

impl Row<'_> {
    fn owner(&self) -> Option<&netwatch_model::Process> {
        self.words.process(self.head.texts.process).map(|p| &**p)
    }
}

impl Subject for Row<'_> {
    fn id(&self) -> Option<FlowId> {
        Some(self.head.id)
    }
    fn source(&self) -> Option<IpAddr> {
        Some(self.head.ends.source())
    }
    fn destination(&self) -> Option<IpAddr> {
        Some(self.head.ends.destination())
    }
    fn source_port(&self) -> Option<u16> {
        Some(self.head.source_port)
    }
    fn destination_port(&self) -> Option<u16> {
        Some(self.head.destination_port)
    }
    fn protocol(&self) -> Option<Protocol> {
        Some(self.head.protocol)
    }
    fn vlan(&self) -> &[u16] {
        self.head.vlan.as_slice()
    }
    fn tunnel(&self) -> Option<Tunnel> {
        self.head.tunnel
    }
    fn application(&self) -> Option<&str> {
        self.words.text(self.head.texts.application).map(Untrusted::raw)
    }
    fn name(&self) -> Option<(&str, NameSource)> {
        self.words.text(self.head.texts.name).map(Untrusted::raw).zip(self.head.name_source)
    }
    fn process(&self) -> Option<&str> {
        self.owner().map(|p| p.name.raw())
    }
    fn pid(&self) -> Option<u32> {
        self.owner().map(|p| p.pid)
    }
    fn user(&self) -> Option<&str> {
        self.owner().map(|p| p.user.raw())
    }
    fn container(&self) -> Option<&str> {
        self.owner()?.container.as_ref().map(Untrusted::raw)
    }
    fn interface(&self) -> Option<&str> {
        self.words.text(self.head.texts.interface).map(Untrusted::raw)
    }
    fn state(&self) -> Option<FlowState> {
        Some(self.volume.state)
    }
    fn end_reason(&self) -> Option<EndReason> {
        self.volume.end_reason
    }
    fn forward(&self) -> Option<Counters> {
        Some(self.volume.forward())
    }
    fn reverse(&self) -> Option<Counters> {
        Some(self.volume.reverse())
    }
    fn interface_octets(&self) -> Option<[u64; 2]> {
        Some(self.volume.interface_octets())
    }
    fn start(&self) -> Option<Timestamp> {
        Some(self.volume.start)
    }
    fn end(&self) -> Option<Timestamp> {
        Some(self.volume.end)
    }
    fn tcp(&self) -> Option<TcpMetrics> {
        self.volume.tcp()
    }
}
