//! What TCP tells about the network and the application, for one connection, in one cache line.
//!
//! Definitions (sequence arithmetic of RFC 9293, all at the point of capture):
//! - *retransmitted*: a segment with data below the highest byte seen, not yet acknowledged, that is not out of order;
//! - *out of order*: a segment that fills a gap which opened at most 3 ms (or one server-side round trip, if that is longer) ago;
//! - *duplicate*: all of the segment's data had already been acknowledged by the other side;
//! - *zero window*: a segment other than SYN or RST that announces a window of zero;
//! - *keep-alive*: one byte or none just below what was acknowledged, counted in none of these;
//! - *server round trip*: last SYN to the first SYN-ACK; *client round trip*: that SYN-ACK to the first ACK of the initiator;
//! - *response time*: first byte of the request to first byte of the answer, less the server round trip.
//!
//! One gap for each connection is remembered: with several at once the later ones count as retransmissions.
//! Times are kept in units of 100 ns that wrap after 7 minutes: a longer wait for an answer is not measured rightly.

use std::time::Duration;

use netwatch_model::{FlowState, TcpMetrics};

use crate::dissect::Segment;

/// FIN flag.
pub const FIN: u8 = 1;
/// SYN flag.
pub const SYN: u8 = 2;
/// RST flag.
pub const RST: u8 = 4;
/// ACK flag.
pub const ACK: u8 = 16;

/// 3 ms in ticks of 100 ns: what a reordering path keeps a segment back.
const REORDER_TICKS: u32 = 30_000;
/// Not measured.
const NONE: u32 = u32::MAX;

/// State of one connection. "0" and "1" are the ends of the flow's key.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Tcp {
    /// One past the highest sequence number sent by each end.
    next: [u32; 2],
    /// Highest acknowledgement sent by each end.
    acked: [u32; 2],
    gap: [u32; 2],
    gap_tick: u32,
    /// SYN, then SYN-ACK, then first request byte.
    mark: u32,
    server_rtt: u32,
    client_rtt: u32,
    response: u32,
    retransmitted: [u16; 2],
    out_of_order: [u16; 2],
    duplicates: [u8; 2],
    zero_windows: [u8; 2],
    bits: u8,
}

/// `next` of this end is known; shifted by end.
const SEEN: u8 = 1;
/// `acked` of this end is known; shifted by end.
const ACKED: u8 = 4;
/// Whose gap is remembered.
const GAP: u8 = 16;
const GAP_OF_1: u8 = 32;
/// The request was seen.
const REQUEST: u8 = 64;

impl Default for Tcp {
    fn default() -> Self {
        Self {
            next: [0; 2],
            acked: [0; 2],
            gap: [0; 2],
            gap_tick: 0,
            mark: NONE,
            server_rtt: NONE,
            client_rtt: NONE,
            response: NONE,
            retransmitted: [0; 2],
            out_of_order: [0; 2],
            duplicates: [0; 2],
            zero_windows: [0; 2],
            bits: 0,
        }
    }
}

/// One segment with what the flow knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The segment.
    pub segment: Segment,
    /// Octets of payload on the wire.
    pub payload: u32,
    /// The end that sent it.
    pub sender: usize,
    /// The end that began the connection.
    pub initiator: usize,
    /// Nanoseconds since the epoch.
    pub time: i64,
}

impl Tcp {
    /// Takes a segment in and gives the new state of the connection.
    #[inline]
    pub fn segment(&mut self, s: &Seen, state: FlowState, flags_seen: [u8; 2]) -> FlowState {
        let flags = s.segment.flags;
        let tick = ticks(s.time);
        if self.server_rtt == NONE || self.client_rtt == NONE || self.response == NONE {
            self.timing(s, flags, tick);
        }
        if flags & RST == 0 {
            self.sequence(s, flags, tick);
        }
        next_state(state, flags, s.sender, s.initiator, flags_seen)
    }

    /// What was measured so far; forward is from the initiator.
    #[must_use]
    pub fn metrics(&self, initiator: usize, flags: [u8; 2]) -> TcpMetrics {
        let (f, r) = (initiator, 1 - initiator);
        let time = |t: u32| (t != NONE).then(|| Duration::from_nanos(u64::from(t) * 100));
        TcpMetrics {
            flags: flags[f],
            reverse_flags: flags[r],
            server_rtt: time(self.server_rtt),
            client_rtt: time(self.client_rtt),
            response_time: time(self.response),
            retransmitted: self.retransmitted[f].into(),
            reverse_retransmitted: self.retransmitted[r].into(),
            out_of_order: self.out_of_order[f].into(),
            reverse_out_of_order: self.out_of_order[r].into(),
            duplicates: self.duplicates[f].into(),
            reverse_duplicates: self.duplicates[r].into(),
            zero_windows: self.zero_windows[f].into(),
            reverse_zero_windows: self.zero_windows[r].into(),
        }
    }

    /// A new record of the same connection begins: counts start anew, sequence numbers and round trips stay.
    pub fn reset_counters(&mut self) {
        self.retransmitted = [0; 2];
        self.out_of_order = [0; 2];
        self.duplicates = [0; 2];
        self.zero_windows = [0; 2];
        self.bits &= !GAP;
        self.mark = NONE;
    }

    fn timing(&mut self, s: &Seen, flags: u8, tick: u32) {
        let from_initiator = s.sender == s.initiator;
        if flags & (SYN | ACK) == SYN {
            if self.server_rtt == NONE {
                self.mark = tick;
            }
        } else if flags & (SYN | ACK) == SYN | ACK {
            if self.server_rtt == NONE && self.mark != NONE && !from_initiator {
                self.server_rtt = tick.wrapping_sub(self.mark);
                self.mark = tick;
            }
        } else if self.client_rtt == NONE && self.server_rtt != NONE && from_initiator && flags & ACK != 0 {
            self.client_rtt = tick.wrapping_sub(self.mark);
        }
        if s.payload > 0 && flags & SYN == 0 && self.response == NONE && self.server_rtt != NONE {
            if from_initiator && self.bits & REQUEST == 0 {
                self.bits |= REQUEST;
                self.mark = tick;
            } else if !from_initiator && self.bits & REQUEST != 0 {
                self.response = tick.wrapping_sub(self.mark).saturating_sub(self.server_rtt);
            }
        }
    }

    #[inline]
    fn sequence(&mut self, s: &Seen, flags: u8, tick: u32) {
        let (me, other) = (s.sender, 1 - s.sender);
        if flags & ACK != 0 {
            if self.bits & (ACKED << me) == 0 || after(s.segment.ack, self.acked[me]) {
                self.acked[me] = s.segment.ack;
                self.bits |= ACKED << me;
            }
            if s.segment.window == 0 && flags & SYN == 0 {
                self.zero_windows[me] = self.zero_windows[me].saturating_add(1);
            }
        }
        let length = s.payload + u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        if length == 0 {
            return;
        }
        let (first, end) = (s.segment.seq, s.segment.seq.wrapping_add(length));
        if self.bits & (SEEN << me) == 0 {
            self.bits |= SEEN << me;
            self.next[me] = end;
        } else if !after(self.next[me], first) {
            if after(first, self.next[me]) {
                self.gap = [self.next[me], first];
                self.gap_tick = tick;
                self.bits = (self.bits & !GAP_OF_1) | GAP | if me == 1 { GAP_OF_1 } else { 0 };
            }
            self.next[me] = end;
        } else {
            self.late(s, other, tick);
            if after(end, self.next[me]) {
                self.next[me] = end;
            }
        }
    }

    /// A segment below the highest byte seen.
    fn late(&mut self, s: &Seen, other: usize, tick: u32) {
        let me = s.sender;
        let length = s.payload + u32::from(s.segment.flags & (SYN | FIN) != 0);
        let (first, end) = (s.segment.seq, s.segment.seq.wrapping_add(length));
        let acked = self.bits & (ACKED << other) != 0 && !after(end, self.acked[other]);
        if acked {
            // A keep-alive repeats at most the last byte, RFC 9293 3.8.4.
            let keep_alive = s.payload <= 1 && s.segment.flags & (SYN | FIN) == 0 && end == self.acked[other];
            if !keep_alive {
                self.duplicates[me] = self.duplicates[me].saturating_add(1);
            }
            return;
        }
        let mine = (self.bits & GAP_OF_1 != 0) == (me == 1);
        let patience = if self.server_rtt == NONE { REORDER_TICKS } else { REORDER_TICKS.max(self.server_rtt) };
        let fills = self.bits & GAP != 0
            && mine
            && !after(self.gap[0], first)
            && !after(end, self.gap[1])
            && tick.wrapping_sub(self.gap_tick) <= patience;
        if fills {
            self.out_of_order[me] = self.out_of_order[me].saturating_add(1);
            if first == self.gap[0] {
                self.gap[0] = end;
            }
            if self.gap[0] == self.gap[1] {
                self.bits &= !GAP;
            }
        } else {
            self.retransmitted[me] = self.retransmitted[me].saturating_add(1);
        }
    }
}

/// Where the connection stands after a segment with `flags`; `seen` are the flags of each end before it.
#[inline]
fn next_state(state: FlowState, flags: u8, sender: usize, initiator: usize, seen: [u8; 2]) -> FlowState {
    use FlowState::{Active, Closed, Closing, Established, Opening, Refused, Reset};
    if flags & RST != 0 {
        return match state {
            Opening => Refused,
            Refused | Closed => state,
            _ => Reset,
        };
    }
    if flags & FIN != 0 && !matches!(state, Refused | Reset) {
        return if state == Closed || seen[1 - sender] & FIN != 0 { Closed } else { Closing };
    }
    match state {
        Active if flags & SYN != 0 => Opening,
        Opening if sender == initiator && flags & (SYN | ACK) == ACK && seen[1 - sender] & SYN != 0 => Established,
        _ => state,
    }
}

/// Whether sequence number `a` is later than `b`.
#[inline]
const fn after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).wrapping_sub(1) < 0x7fff_ffff
}

#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ticks wrap")]
const fn ticks(nanos: i64) -> u32 {
    let tick = (nanos / 100) as u32;
    if tick == NONE { NONE - 1 } else { tick }
}

const _: () = assert!(size_of::<Tcp>() == 64, "TCP details are one cache line");

#[cfg(test)]
mod tests;
