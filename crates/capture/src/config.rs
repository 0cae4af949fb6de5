//! What a user can set of the flow engine, with its defaults.

use std::time::Duration;

use netwatch_model::{FlowState, Protocol};

/// When a record ends although nothing said so; always by packet time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// TCP without a packet. Default 300 s.
    pub tcp: Duration,
    /// TCP of which only the SYN was seen, or that was refused. Default 30 s.
    pub tcp_opening: Duration,
    /// TCP after both sides have sent FIN, or after RST: time for stragglers. Default 5 s.
    pub tcp_closed: Duration,
    /// UDP without a packet. Default 60 s.
    pub udp: Duration,
    /// ICMP without a packet. Default 30 s.
    pub icmp: Duration,
    /// All other protocols. Default 60 s.
    pub other: Duration,
    /// A flow that goes on begins a new record after this time. Default 1800 s.
    pub active: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp: Duration::from_secs(300),
            tcp_opening: Duration::from_secs(30),
            tcp_closed: Duration::from_secs(5),
            udp: Duration::from_secs(60),
            icmp: Duration::from_secs(30),
            other: Duration::from_secs(60),
            active: Duration::from_secs(1800),
        }
    }
}

impl Timeouts {
    /// Time without a packet after which a flow in that state has ended.
    #[must_use]
    pub const fn idle(&self, protocol: Protocol, state: FlowState) -> Duration {
        match (protocol, state) {
            (Protocol::TCP, FlowState::Opening) => self.tcp_opening,
            (Protocol::TCP, FlowState::Closed | FlowState::Reset | FlowState::Refused) => self.tcp_closed,
            (Protocol::TCP, _) => self.tcp,
            (Protocol::UDP, _) => self.udp,
            (Protocol::ICMP | Protocol::ICMPV6, _) => self.icmp,
            _ => self.other,
        }
    }
}

/// How much a worker may say in one tick of 250 ms. What has to wait is said later; nothing is lost by waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Active flows reported because they changed, heaviest first. Zero: active flows are not reported at all.
    pub changed: usize,
    /// Active flows reported because their last report is more than ten seconds old.
    pub overdue: usize,
    /// Ended records; light ones beyond that are counted in "other" without addresses.
    pub ended: usize,
}

impl Budget {
    /// For a running system.
    pub const LIVE: Self = Self { changed: 1024, overdue: 256, ended: 8192 };
    /// For a capture file that is only listed: every ended record, no active ones.
    pub const EVERYTHING: Self = Self { changed: 0, overdue: 0, ended: usize::MAX };
}

/// The flow engine's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowConfig {
    /// Conversations in the table of all workers together. Default 1,000,000.
    pub capacity: usize,
    /// Timeouts.
    pub timeouts: Timeouts,
    /// Limits of reporting.
    pub budget: Budget,
    /// Whether payload is looked at for names (DNS, TLS, QUIC, HTTP). Default yes.
    pub inspect: bool,
}

impl Default for FlowConfig {
    fn default() -> Self {
        Self { capacity: 1_000_000, timeouts: Timeouts::default(), budget: Budget::LIVE, inspect: true }
    }
}
