//! The codes of fixed words. A code never changes its meaning; new words get new codes, and readers that do not know them skip.

use crate::{Direction, EndReason, EventKind, FlowState, Metric, NameSource, Severity, TunnelKind};

/// A word with a code.
pub(super) trait Word: Copy {
    fn code(self) -> u8;
    fn of(code: u8) -> Option<Self>;
}

macro_rules! words {
    ($($type:ident { $($code:literal $name:ident),+ $(,)? })+) => {$(
        impl Word for $type {
            #[inline]
            fn code(self) -> u8 {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            #[inline]
            fn of(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    )+};
}

words! {
    Metric {
        1 TrafficOctets, 2 TrafficPackets, 3 KernelDrops, 4 RingFill, 5 FramesReceived, 6 RecordsDropped, 7 FlowsOther,
        8 FlowsActive, 9 FlowsCapacity, 10 FlowsStarted, 11 FramesUndissected, 12 FragmentsUnknown, 13 External,
    }
    Direction { 1 In, 2 Out }
    Severity { 1 Info, 2 Warning, 3 Critical }
    EventKind {
        1 CaptureStarted, 2 CaptureStopped, 3 CaptureInterrupted, 4 CaptureResumed, 5 InterfaceDown, 6 InterfaceUp,
        7 InterfaceRenamed, 8 InterfaceDeleted, 9 InterfaceCreated, 10 CaptureDenied, 11 FramesDropped, 12 FlowTableFull,
        13 RecordsDropped, 14 ClockStepped, 15 FileDamaged, 16 ConfigurationReloaded,
        17 ConfigurationRefused, 18 External, 19 StoreDamaged, 20 DiskLow, 21 DiskFull, 22 DiskRecovered,
        32 RouteChanged,
        23 AgentCloned, 24 AgentOffline, 25 AgentOnline,
    }
    EndReason { 1 IdleTimeout, 2 ActiveTimeout, 3 EndOfFlow, 4 ForcedEnd, 5 LackOfResources }
    FlowState { 1 Active, 2 Opening, 3 Established, 4 Closing, 5 Closed, 6 Refused, 7 Reset }
    TunnelKind { 1 Gre, 2 Vxlan, 3 Ipip }
    NameSource { 1 Dns, 2 Http, 3 Quic, 4 Tls }
}
