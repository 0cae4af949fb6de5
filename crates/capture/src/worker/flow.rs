//! The life of a flow: how a packet begins it, is added to it, or shows that it has ended.

use netwatch_model::{EndReason, FlowState, Protocol};

use super::{Step, Worker};
use crate::config::Timeouts;
use crate::dissect::Packet;
use crate::frame::Frame;
use crate::table::entry::NO_TCP;
use crate::table::{Keyed, Slot};
use crate::tcp::{ACK, SYN, Seen};

/// Entries among which the lightest gives way when the table is full.
const EVICTION_LOOK: usize = 16;

/// How long flows may be quiet, in nanoseconds, by state: [`Timeouts`] as it is asked for each packet.
#[derive(Debug)]
pub(super) struct Patience {
    tcp: [i64; FlowState::ALL.len()],
    udp: i64,
    icmp: i64,
    other: i64,
}

impl Patience {
    pub(super) fn new(timeouts: &Timeouts) -> Self {
        let any = |protocol| nanos(timeouts.idle(protocol, FlowState::Active));
        Self {
            tcp: FlowState::ALL.map(|state| nanos(timeouts.idle(Protocol::TCP, state))),
            udp: any(Protocol::UDP),
            icmp: any(Protocol::ICMP),
            other: any(Protocol::GRE),
        }
    }

    /// Time without a packet after which a flow in that state has ended.
    #[inline]
    pub(super) const fn idle(&self, protocol: Protocol, state: FlowState) -> i64 {
        match protocol {
            Protocol::TCP => self.tcp[state as usize],
            Protocol::UDP => self.udp,
            Protocol::ICMP | Protocol::ICMPV6 => self.icmp,
            _ => self.other,
        }
    }
}

impl Worker {
    /// Last pass: adds a packet to its flow.
    #[inline]
    pub(super) fn count(&mut self, step: &Step, frame: Option<&Frame<'_>>) {
        let (p, k) = (&step.packet, &step.keyed);
        let found = step.guess.and_then(|slot| self.go_on(slot, p, k));
        let Some(slot) = found.or_else(|| self.begin(p, k)) else { return };
        let hot = self.table.hot_mut(slot);
        hot.last = hot.last.max(p.time);
        if hot.packets[k.sender] == 0 {
            hot.set_direction(k.sender, p.direction);
        }
        hot.add(k.sender, p.amount);
        if hot.tcp != NO_TCP && p.segment.complete {
            let seen = Seen {
                segment: p.segment,
                payload: p.payload_length,
                sender: k.sender,
                initiator: hot.initiator(),
                time: p.time,
            };
            if let Some(tcp) = self.tcp.get_mut(hot.tcp) {
                let state = tcp.segment(&seen, hot.state(), hot.flags);
                hot.set_state(state);
            }
            hot.flags[k.sender] |= p.segment.flags;
        }
        let application = hot.application;
        let inspect = hot.inspecting() && p.payload_at != 0 && p.payload_length != 0;
        if hot.pending > self.reports.threshold() && !hot.listed() {
            self.note_change(slot);
        }
        if !p.counted {
            let a = p.amount;
            self.rates.packet(p.interface, p.direction, p.protocol, application, a.packets, a.l2_octets);
        }
        if inspect && let Some(frame) = frame {
            self.inspect(slot, step, frame.data, frame.segment_size);
        }
    }

    /// Whether the packet goes on with the flow in `slot`; else that record has ended.
    #[inline]
    fn go_on(&mut self, slot: Slot, p: &Packet, k: &Keyed) -> Option<Slot> {
        let hot = self.table.hot(slot);
        let state = hot.state();
        let quiet = p.time.saturating_sub(hot.last);
        if quiet > self.patience.idle(p.protocol, state) {
            self.end(slot, idle_reason(state));
            return None;
        }
        let opens = p.protocol == Protocol::TCP && p.segment.flags & (SYN | ACK) == SYN;
        if opens && is_over(state) {
            self.end(slot, EndReason::EndOfFlow);
            return None;
        }
        if hot.near_active_timeout() || hot.nearly_full(k.sender) {
            let full = hot.nearly_full(k.sender);
            let age = p.time.saturating_sub(self.table.cold(slot).start);
            if full || age > nanos(self.config.timeouts.active) {
                self.renew(slot, p.time);
            }
        }
        Some(slot)
    }

    /// Begins a flow; the lightest of a few gives way when the table is full.
    fn begin(&mut self, p: &Packet, k: &Keyed) -> Option<Slot> {
        self.started += 1;
        let slot = match self.table.insert(k, p.time) {
            Some(slot) => slot,
            None => {
                let victim = self.table.lightest(EVICTION_LOOK)?;
                self.evicted += 1;
                self.end(victim, EndReason::LackOfResources);
                self.table.insert(k, p.time)?
            }
        };
        let initiator = if sender_is_responder(p) { 1 - k.sender } else { k.sender };
        let ports = [k.key.ports[initiator], k.key.ports[1 - initiator]];
        let application = self.inspection.application(p.protocol, ports[0], ports[1]);
        let tcp = if p.protocol == Protocol::TCP && p.segment.complete { self.tcp.take() } else { NO_TCP };
        let inspect = self.inspection.wants(p.protocol);
        self.table.cold_mut(slot).icmp = p.icmp;
        let hot = self.table.hot_mut(slot);
        hot.set_initiator(initiator);
        hot.application = application;
        hot.tcp = tcp;
        hot.set_inspecting(inspect);
        self.inspection.begun(p);
        Some(slot)
    }

    /// Ends the record and goes on with a new one of the same conversation.
    fn renew(&mut self, slot: Slot, time: i64) {
        self.close_record(slot, EndReason::ActiveTimeout);
        let cold = self.table.cold_mut(slot);
        cold.start = time;
        cold.generation = cold.generation.wrapping_add(1);
        let hot = self.table.hot_mut(slot);
        hot.reset_counters();
        hot.set_near_active_timeout(false);
        let at = hot.tcp;
        if let Some(tcp) = self.tcp.get_mut(at) {
            tcp.reset_counters();
        }
    }

    /// Ends a flow and gives its place back.
    pub(super) fn end(&mut self, slot: Slot, reason: EndReason) {
        self.close_record(slot, reason);
        let hot = self.table.hot(slot);
        if hot.tcp != NO_TCP {
            self.tcp.give_back(hot.tcp);
        }
        self.inspection.forget(slot, hot.named(), hot.inspecting());
        self.table.remove(slot);
    }
}

/// Reason of a flow that nothing was heard of for too long: its end was seen, or it was not.
pub(super) const fn idle_reason(state: FlowState) -> EndReason {
    match state {
        FlowState::Closed | FlowState::Reset | FlowState::Refused => EndReason::EndOfFlow,
        _ => EndReason::IdleTimeout,
    }
}

/// A new SYN after this state is a new connection.
const fn is_over(state: FlowState) -> bool {
    matches!(state, FlowState::Closing | FlowState::Closed | FlowState::Reset | FlowState::Refused)
}

/// Nanoseconds of a duration, as packet times count them.
pub(super) fn nanos(d: std::time::Duration) -> i64 {
    i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)
}

/// Whether the first packet seen came from the responder: SYN with ACK, an echo reply, or, in the middle of a conversation, from a
/// port below 1024 to one above.
fn sender_is_responder(p: &Packet) -> bool {
    match p.protocol {
        Protocol::TCP if p.segment.flags & SYN != 0 => p.segment.flags & ACK != 0,
        Protocol::ICMP => p.icmp >> 8 == 0,
        Protocol::ICMPV6 => p.icmp >> 8 == 129,
        other if other.has_ports() => p.source_port < 1024 && p.destination_port >= 1024,
        _ => false,
    }
}
