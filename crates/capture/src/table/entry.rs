//! One conversation, in one cache line, and what is seldom needed beside it.

use netwatch_model::{Direction, FlowState};

use super::Keyed;
use crate::dissect::Amount;

/// No TCP details.
pub const NO_TCP: u32 = u32::MAX;

const USED: u8 = 1;
const LONG: u8 = 2;
/// The initiator is end 1.
const INITIATOR: u8 = 4;
/// Waits in the list of flows to report.
const LISTED: u8 = 8;
/// Payload is still looked at.
const INSPECT: u8 = 16;
/// End 0 was seen going out of the interface; end 1 with the next bit.
const OUTWARD: u8 = 32;
/// Looking at the payload has given a name.
const NAMED: u8 = 128;

/// In `state`: the active timeout is near, look at the start time with each packet.
const CHECK: u8 = 128;

/// What each packet touches.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Hot {
    /// IPv4 addresses, or the place of the IPv6 pair.
    pub addresses: [u32; 2],
    /// Ports in the order of the ends.
    pub ports: [u16; 2],
    /// Context number.
    pub context: u16,
    /// IP protocol.
    pub protocol: u8,
    bits: u8,
    /// Time of the last packet.
    pub last: i64,
    octets: [u32; 2],
    octets_high: [u16; 2],
    /// Packets by sending end.
    pub packets: [u32; 2],
    /// Frame octets that are not IP octets, by sending end.
    pub overhead: [u32; 2],
    /// OR of TCP flags by sending end.
    pub flags: [u8; 2],
    /// Application number.
    pub application: u16,
    /// Place of the TCP details.
    pub tcp: u32,
    /// Octets not yet reported, in units of 64, saturating.
    pub pending: u16,
    /// Index into [`FlowState::ALL`], and [`CHECK`].
    state: u8,
    /// Payload packets looked at.
    pub looked: u8,
}

impl Default for Hot {
    fn default() -> Self {
        Self {
            addresses: [0; 2],
            ports: [0; 2],
            context: 0,
            protocol: 0,
            bits: 0,
            last: 0,
            octets: [0; 2],
            octets_high: [0; 2],
            packets: [0; 2],
            overhead: [0; 2],
            flags: [0; 2],
            application: 0,
            tcp: NO_TCP,
            pending: 0,
            state: 0,
            looked: 0,
        }
    }
}

impl Hot {
    /// A fresh entry.
    pub fn new(addresses: [u32; 2], long: bool, k: &Keyed, time: i64) -> Self {
        Self {
            addresses,
            ports: k.key.ports,
            context: k.key.context.0,
            protocol: k.key.protocol.0,
            bits: USED | if long { LONG } else { 0 },
            last: time,
            ..Self::default()
        }
    }

    /// Whether the place is taken.
    #[inline]
    #[must_use]
    pub const fn used(&self) -> bool {
        self.bits & USED != 0
    }

    /// Whether the addresses are IPv6.
    #[inline]
    #[must_use]
    pub const fn is_long(&self) -> bool {
        self.bits & LONG != 0
    }

    /// The end that began: 0 or 1.
    #[inline]
    #[must_use]
    pub const fn initiator(&self) -> usize {
        ((self.bits & INITIATOR) >> 2) as usize
    }

    /// Sets who began.
    pub fn set_initiator(&mut self, end: usize) {
        self.set(INITIATOR, end == 1);
    }

    /// Whether the flow waits to be reported.
    #[inline]
    #[must_use]
    pub const fn listed(&self) -> bool {
        self.bits & LISTED != 0
    }

    /// Marks the flow as waiting to be reported, or not.
    #[inline]
    pub fn set_listed(&mut self, on: bool) {
        self.set(LISTED, on);
    }

    /// Whether payload is still looked at.
    #[inline]
    #[must_use]
    pub const fn inspecting(&self) -> bool {
        self.bits & INSPECT != 0
    }

    /// Goes on or stops looking at payload.
    #[inline]
    pub fn set_inspecting(&mut self, on: bool) {
        self.set(INSPECT, on);
    }

    /// Whether the payload gave a name.
    #[inline]
    #[must_use]
    pub const fn named(&self) -> bool {
        self.bits & NAMED != 0
    }

    /// Remembers that the payload gave a name.
    pub fn set_named(&mut self, on: bool) {
        self.set(NAMED, on);
    }

    /// Remembers which way an end's packets go.
    pub fn set_direction(&mut self, end: usize, direction: Direction) {
        self.set(OUTWARD << end, direction == Direction::Out);
    }

    /// Which way an end's packets go.
    #[must_use]
    pub const fn direction(&self, end: usize) -> Direction {
        if self.bits & (OUTWARD << end) == 0 { Direction::In } else { Direction::Out }
    }

    /// Where the conversation stands.
    #[inline]
    #[must_use]
    pub fn state(&self) -> FlowState {
        FlowState::ALL.get(usize::from(self.state & !CHECK)).copied().unwrap_or_default()
    }

    /// Sets where it stands.
    #[inline]
    pub fn set_state(&mut self, state: FlowState) {
        self.state = (self.state & CHECK) | state as u8;
    }

    /// Whether the active timeout is near.
    #[inline]
    #[must_use]
    pub const fn near_active_timeout(&self) -> bool {
        self.state & CHECK != 0
    }

    /// Remembers whether the active timeout is near.
    pub const fn set_near_active_timeout(&mut self, on: bool) {
        self.state = if on { self.state | CHECK } else { self.state & !CHECK };
    }

    /// IP octets sent by an end.
    #[inline]
    #[must_use]
    pub const fn octets_of(&self, end: usize) -> u64 {
        self.octets[end] as u64 | ((self.octets_high[end] as u64) << 32)
    }

    /// Adds what a packet carried.
    #[inline]
    pub fn add(&mut self, end: usize, amount: Amount) {
        let (low, carry) = self.octets[end].overflowing_add(amount.octets);
        self.octets[end] = low;
        self.octets_high[end] += u16::from(carry);
        self.packets[end] += amount.packets;
        self.overhead[end] += amount.l2_octets.saturating_sub(amount.octets);
        let units = (amount.octets >> 6) + 1;
        self.pending = self.pending.saturating_add(u16::try_from(units).unwrap_or(u16::MAX));
    }

    /// Whether one more packet could overflow a counter: the record must end before.
    #[inline]
    #[must_use]
    pub const fn nearly_full(&self, end: usize) -> bool {
        (self.packets[end] | self.overhead[end]) >= 1 << 31 || self.octets_high[end] == u16::MAX
    }

    /// Begins a new record of the same conversation.
    pub fn reset_counters(&mut self) {
        self.octets = [0; 2];
        self.octets_high = [0; 2];
        self.packets = [0; 2];
        self.overhead = [0; 2];
        self.flags = [0; 2];
        self.pending = 0;
    }

    #[inline]
    const fn set(&mut self, bit: u8, on: bool) {
        if on {
            self.bits |= bit;
        } else {
            self.bits &= !bit;
        }
    }
}

/// What only the beginning and the reports of a flow touch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cold {
    /// Time of the first packet of the record.
    pub start: i64,
    /// How often the slot has begun a record.
    pub generation: u32,
    /// ICMP type × 256 + code of the first message.
    pub icmp: u16,
    /// Tick of the last report.
    pub reported: u32,
}

const _: () = assert!(size_of::<Hot>() == 64, "an entry is one cache line");
