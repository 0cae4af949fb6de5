use netwatch_model::FlowState;

use super::*;

/// One connection seen from the outside: end 0 is the initiator.
struct Line {
    tcp: Tcp,
    state: FlowState,
    flags: [u8; 2],
    now: i64,
}

impl Line {
    fn new() -> Self {
        Self { tcp: Tcp::default(), state: FlowState::Active, flags: [0; 2], now: 1_700_000_000_000_000_000 }
    }

    fn send(&mut self, sender: usize, flags: u8, seq: u32, ack: u32, payload: u32) -> &mut Self {
        self.window(sender, flags, seq, ack, payload, 1000)
    }

    fn window(&mut self, sender: usize, flags: u8, seq: u32, ack: u32, payload: u32, window: u16) -> &mut Self {
        let segment = Segment { seq, ack, window, flags, complete: true };
        let seen = Seen { segment, payload, sender, initiator: 0, time: self.now };
        self.state = self.tcp.segment(&seen, self.state, self.flags);
        self.flags[sender] |= flags;
        self
    }

    fn after_micros(&mut self, micros: i64) -> &mut Self {
        self.now += micros * 1000;
        self
    }

    fn open() -> Self {
        let mut line = Self::new();
        line.send(0, SYN, 100, 0, 0).after_micros(10_000);
        line.send(1, SYN | ACK, 500, 101, 0).after_micros(3_000);
        line.send(0, ACK, 101, 501, 0);
        line
    }

    fn metrics(&self) -> TcpMetrics {
        self.tcp.metrics(0, self.flags)
    }
}

const PSH: u8 = 8;

#[test]
fn the_handshake_is_split_into_both_sides() {
    let mut line = Line::open();
    assert_eq!(line.state, FlowState::Established);
    line.after_micros(500).send(0, ACK | PSH, 101, 501, 50).after_micros(35_000);
    line.send(1, ACK | PSH, 501, 151, 900);
    let m = line.metrics();
    assert_eq!(m.server_rtt, Some(Duration::from_millis(10)));
    assert_eq!(m.client_rtt, Some(Duration::from_millis(3)));
    assert_eq!(m.response_time, Some(Duration::from_millis(25)), "35 ms less the way there and back");
}

#[test]
fn a_repeated_syn_restarts_the_round_trip() {
    let mut line = Line::new();
    line.send(0, SYN, 100, 0, 0).after_micros(1_000_000).send(0, SYN, 100, 0, 0).after_micros(7_000);
    line.send(1, SYN | ACK, 500, 101, 0);
    assert_eq!(line.metrics().server_rtt, Some(Duration::from_millis(7)));
    assert_eq!(line.metrics().retransmitted, 1);
}

#[test]
fn a_repeated_segment_is_a_retransmission_until_it_is_acknowledged() {
    let mut line = Line::open();
    line.send(0, ACK, 101, 501, 100).after_micros(200_000).send(0, ACK, 101, 501, 100);
    assert_eq!(line.metrics().retransmitted, 1);
    line.send(1, ACK, 501, 201, 0).after_micros(200_000).send(0, ACK, 101, 501, 100);
    let m = line.metrics();
    assert_eq!((m.retransmitted, m.duplicates, m.out_of_order), (1, 1, 0));
}

#[test]
fn a_gap_that_is_filled_soon_is_reordering_and_later_is_loss() {
    let mut line = Line::open();
    line.send(1, ACK, 501, 101, 100).send(1, ACK, 701, 101, 100).after_micros(500).send(1, ACK, 601, 101, 100);
    assert_eq!(line.metrics().reverse_out_of_order, 1);
    line.send(1, ACK, 901, 101, 100).after_micros(250_000).send(1, ACK, 801, 101, 100);
    let m = line.metrics();
    assert_eq!((m.reverse_out_of_order, m.reverse_retransmitted), (1, 1));
}

#[test]
fn keep_alives_and_plain_acknowledgements_count_as_nothing() {
    let mut line = Line::open();
    line.send(0, ACK, 101, 501, 100).send(1, ACK, 501, 201, 0).after_micros(60_000_000);
    line.send(0, ACK, 200, 501, 0).send(0, ACK, 200, 501, 1).send(1, ACK, 501, 201, 0);
    let m = line.metrics();
    assert_eq!((m.retransmitted, m.duplicates, m.reverse_duplicates), (0, 0, 0));
}

#[test]
fn zero_windows_are_counted_but_not_those_of_a_reset() {
    let mut line = Line::open();
    line.window(1, ACK, 501, 101, 0, 0).window(1, RST | ACK, 501, 101, 0, 0);
    assert_eq!(line.metrics().reverse_zero_windows, 1);
    assert_eq!(line.state, FlowState::Reset);
}

#[test]
fn states_follow_the_flags() {
    let mut refused = Line::new();
    refused.send(0, SYN, 1, 0, 0);
    assert_eq!(refused.state, FlowState::Opening);
    refused.send(1, RST | ACK, 0, 2, 0);
    assert_eq!(refused.state, FlowState::Refused);

    let mut closed = Line::open();
    closed.send(0, FIN | ACK, 101, 501, 0);
    assert_eq!(closed.state, FlowState::Closing);
    closed.send(1, ACK, 501, 102, 0).send(1, FIN | ACK, 501, 102, 0);
    assert_eq!(closed.state, FlowState::Closed);
    closed.send(0, ACK, 102, 502, 0);
    assert_eq!(closed.state, FlowState::Closed);

    let mut middle = Line::new();
    middle.send(0, ACK, 9000, 1, 10);
    assert_eq!(middle.state, FlowState::Active, "seen from the middle: no state is claimed");
}

#[test]
fn sequence_numbers_wrap() {
    let mut line = Line::new();
    line.send(0, ACK, u32::MAX - 9, 1, 20).send(0, ACK, 10, 1, 20);
    assert_eq!(line.metrics().retransmitted, 0);
    line.after_micros(100_000).send(0, ACK, u32::MAX - 9, 1, 20);
    assert_eq!(line.metrics().retransmitted, 1);
}
