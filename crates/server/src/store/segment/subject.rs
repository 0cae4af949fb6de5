//! Asking a filter about a sealed record, or about one value of a column.

use std::net::IpAddr;
use std::sync::Arc;

use netwatch_model::filter::Subject;
use netwatch_model::{
    Counters, EndReason, FlowId, FlowState, NameSource, Process, Protocol, TcpMetrics, Timestamp, Tunnel, Untrusted,
    VlanStack,
};

use super::{Kind, Segment};
use crate::store::row::Words;

/// A sealed record. Values are decoded when they are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentRow<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) row: usize,
    pub(crate) words: &'a Words,
    pub(crate) vlan: VlanStack,
}

impl<'a> SegmentRow<'a> {
    /// That row.
    pub(crate) fn new(segment: &'a Segment, row: usize, words: &'a Words) -> Self {
        Self { segment, row, words, vlan: segment.vlan.get(row) }
    }

    fn kind(&self) -> Kind {
        self.segment.kind.get(self.row)
    }

    fn owner(&self) -> Option<&Process> {
        self.words.process(self.segment.process.get(self.row)).map(|p| &**p)
    }
}

impl Subject for SegmentRow<'_> {
    fn id(&self) -> Option<FlowId> {
        Some(self.segment.id(self.row))
    }
    fn source(&self) -> Option<IpAddr> {
        Some(self.segment.addresses.get(self.segment.source.get(self.row)))
    }
    fn destination(&self) -> Option<IpAddr> {
        Some(self.segment.addresses.get(self.segment.destination.get(self.row)))
    }
    fn source_port(&self) -> Option<u16> {
        self.segment.source_port.get(self.row).copied()
    }
    fn destination_port(&self) -> Option<u16> {
        self.segment.destination_port.get(self.row).copied()
    }
    fn protocol(&self) -> Option<Protocol> {
        Some(self.kind().protocol)
    }
    fn vlan(&self) -> &[u16] {
        self.vlan.as_slice()
    }
    fn tunnel(&self) -> Option<Tunnel> {
        self.segment.tunnel.get(self.row)
    }
    fn application(&self) -> Option<&str> {
        self.words.text(self.segment.application.get(self.row)).map(Untrusted::raw)
    }
    fn name(&self) -> Option<(&str, NameSource)> {
        let text = self.words.text(self.segment.name.get(self.row)).map(Untrusted::raw);
        text.zip(self.kind().name_source)
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
        self.words.text(self.segment.interface.get(self.row)).map(Untrusted::raw)
    }
    fn state(&self) -> Option<FlowState> {
        Some(self.kind().state)
    }
    fn end_reason(&self) -> Option<EndReason> {
        self.kind().end_reason
    }
    fn forward(&self) -> Option<Counters> {
        Some(self.segment.counters(0, self.row))
    }
    fn reverse(&self) -> Option<Counters> {
        Some(self.segment.counters(1, self.row))
    }
    fn interface_octets(&self) -> Option<[u64; 2]> {
        Some(self.segment.interface_octets(self.row))
    }
    fn start(&self) -> Option<Timestamp> {
        Some(self.segment.start(self.row))
    }
    fn end(&self) -> Option<Timestamp> {
        Some(self.segment.end(self.row))
    }
    fn tcp(&self) -> Option<TcpMetrics> {
        self.segment.tcp(self.row)
    }
}

/// One value of a column, to ask a single comparison about it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OneValue<'a> {
    pub(super) kind: Option<Kind>,
    pub(super) vlan: &'a [u16],
    pub(super) tunnel: Option<Tunnel>,
    pub(super) application: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) interface: Option<&'a str>,
    pub(super) process: Option<&'a Arc<Process>>,
}

impl Subject for OneValue<'_> {
    fn protocol(&self) -> Option<Protocol> {
        self.kind.map(|k| k.protocol)
    }
    fn state(&self) -> Option<FlowState> {
        self.kind.map(|k| k.state)
    }
    fn end_reason(&self) -> Option<EndReason> {
        self.kind?.end_reason
    }
    fn vlan(&self) -> &[u16] {
        self.vlan
    }
    fn tunnel(&self) -> Option<Tunnel> {
        self.tunnel
    }
    fn application(&self) -> Option<&str> {
        self.application
    }
    fn name(&self) -> Option<(&str, NameSource)> {
        self.name.map(|name| (name, NameSource::Dns))
    }
    fn interface(&self) -> Option<&str> {
        self.interface
    }
    fn process(&self) -> Option<&str> {
        self.process.map(|p| p.name.raw())
    }
    fn pid(&self) -> Option<u32> {
        self.process.map(|p| p.pid)
    }
    fn user(&self) -> Option<&str> {
        self.process.map(|p| p.user.raw())
    }
    fn container(&self) -> Option<&str> {
        self.process?.container.as_ref().map(Untrusted::raw)
    }
}
