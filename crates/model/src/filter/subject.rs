//! What a filter asks of a flow.

use std::net::IpAddr;

use crate::{Counters, EndReason, FlowId, FlowRecord, FlowState, NameSource, Protocol, TcpMetrics, Timestamp, Tunnel};

/// Something that a filter can be asked about.
///
/// Each value is asked for only when the filter names it. What a subject does not know it leaves at its default, absent: then every
/// comparison fails, and its exact opposite (`!=`, `!~`, `not in`) holds.
#[expect(missing_docs, reason = "each getter is the field of the same name of `FlowRecord`")]
pub trait Subject {
    fn id(&self) -> Option<FlowId> {
        None
    }
    fn source(&self) -> Option<IpAddr> {
        None
    }
    fn destination(&self) -> Option<IpAddr> {
        None
    }
    fn source_port(&self) -> Option<u16> {
        None
    }
    fn destination_port(&self) -> Option<u16> {
        None
    }
    fn protocol(&self) -> Option<Protocol> {
        None
    }
    /// Outermost first.
    fn vlan(&self) -> &[u16] {
        &[]
    }
    fn tunnel(&self) -> Option<Tunnel> {
        None
    }
    fn application(&self) -> Option<&str> {
        None
    }
    /// Raw text.
    fn name(&self) -> Option<(&str, NameSource)> {
        None
    }
    /// Raw name of the process.
    fn process(&self) -> Option<&str> {
        None
    }
    fn pid(&self) -> Option<u32> {
        None
    }
    fn user(&self) -> Option<&str> {
        None
    }
    fn container(&self) -> Option<&str> {
        None
    }
    fn interface(&self) -> Option<&str> {
        None
    }
    fn state(&self) -> Option<FlowState> {
        None
    }
    /// Absent while the flow is active.
    fn end_reason(&self) -> Option<EndReason> {
        None
    }
    fn forward(&self) -> Option<Counters> {
        None
    }
    fn reverse(&self) -> Option<Counters> {
        None
    }
    /// In, out.
    fn interface_octets(&self) -> Option<[u64; 2]> {
        None
    }
    fn start(&self) -> Option<Timestamp> {
        None
    }
    fn end(&self) -> Option<Timestamp> {
        None
    }
    fn tcp(&self) -> Option<TcpMetrics> {
        None
    }
}

impl Subject for FlowRecord {
    fn id(&self) -> Option<FlowId> {
        Some(self.id)
    }
    fn source(&self) -> Option<IpAddr> {
        Some(self.source)
    }
    fn destination(&self) -> Option<IpAddr> {
        Some(self.destination)
    }
    fn source_port(&self) -> Option<u16> {
        Some(self.source_port)
    }
    fn destination_port(&self) -> Option<u16> {
        Some(self.destination_port)
    }
    fn protocol(&self) -> Option<Protocol> {
        Some(self.protocol)
    }
    fn vlan(&self) -> &[u16] {
        self.vlan.as_slice()
    }
    fn tunnel(&self) -> Option<Tunnel> {
        self.tunnel
    }
    fn application(&self) -> Option<&str> {
        Some(&self.application)
    }
    fn name(&self) -> Option<(&str, NameSource)> {
        self.name.as_ref().map(|(name, source)| (name.raw(), *source))
    }
    fn process(&self) -> Option<&str> {
        self.process.as_ref().map(|p| p.name.raw())
    }
    fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|p| p.pid)
    }
    fn user(&self) -> Option<&str> {
        self.process.as_ref().map(|p| p.user.raw())
    }
    fn container(&self) -> Option<&str> {
        self.process.as_ref()?.container.as_ref().map(crate::Untrusted::raw)
    }
    fn interface(&self) -> Option<&str> {
        Some(self.interface.raw())
    }
    fn state(&self) -> Option<FlowState> {
        Some(self.state)
    }
    fn end_reason(&self) -> Option<EndReason> {
        self.end_reason
    }
    fn forward(&self) -> Option<Counters> {
        Some(self.forward)
    }
    fn reverse(&self) -> Option<Counters> {
        Some(self.reverse)
    }
    fn interface_octets(&self) -> Option<[u64; 2]> {
        Some(self.interface_octets)
    }
    fn start(&self) -> Option<Timestamp> {
        Some(self.start)
    }
    fn end(&self) -> Option<Timestamp> {
        Some(self.end)
    }
    fn tcp(&self) -> Option<TcpMetrics> {
        self.tcp
    }
}
