//! What the cases are written with: a tape that packets are put on, and a TCP conversation that keeps its sequence numbers.

use std::time::Duration;

use netwatch_model::Timestamp;

use super::Capture;
use crate::frames::{ethernet, flags, ipv4, tcp, udp};
use crate::pcap::{ETHERNET, Format, Packet};

/// When every tape begins: 2024-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_704_067_200);

/// That many milliseconds.
#[must_use]
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// That many seconds.
#[must_use]
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Frames by time of capture.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    packets: Vec<Packet>,
}

impl Tape {
    /// An empty tape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a frame that is seen `at` after the start of the tape.
    #[must_use]
    pub fn put(mut self, at: Duration, frame: Vec<u8>) -> Self {
        self.packets.push(Packet::new(START + at, frame));
        self
    }

    /// Adds frames, the first `at` after the start of the tape, the others `gap` after each other.
    #[must_use]
    pub fn put_all(self, at: Duration, gap: Duration, frames: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let times = (0..).map(|index: u32| at + gap * index);
        times.zip(frames).fold(self, |tape, (at, frame)| tape.put(at, frame))
    }

    /// The packets in the order of time; those of the same time in the order in which they were put.
    #[must_use]
    pub fn packets(mut self) -> Vec<Packet> {
        self.packets.sort_by_key(|packet| packet.time);
        self.packets
    }
}

impl From<Tape> for Capture {
    fn from(tape: Tape) -> Self {
        Self { packets: tape.packets(), format: Format::Pcap, link: ETHERNET }
    }
}

/// The client of most cases.
pub const CLIENT: &str = "10.0.0.1";
/// The server of most cases.
pub const SERVER: &str = "10.0.0.2";

/// A UDP packet of [`CLIENT`] to [`SERVER`] with `length` octets of payload: 28 octets more in IP.
pub fn request(source_port: u16, destination_port: u16, length: usize) -> Vec<u8> {
    ipv4(CLIENT, SERVER).carry(udp(source_port, destination_port, &vec![0xaa; length]))
}

/// The packet that answers [`request`] with `length` octets of payload; ports are given as in the request.
pub fn response(source_port: u16, destination_port: u16, length: usize) -> Vec<u8> {
    ipv4(SERVER, CLIENT).carry(udp(destination_port, source_port, &vec![0xbb; length]))
}

/// A TCP conversation: each frame goes on where the last one of its side ended.
#[derive(Clone, Debug)]
pub struct Talk {
    client: (&'static str, u16),
    server: (&'static str, u16),
    next: [u32; 2],
}

impl Talk {
    /// A conversation of the client with the server on these ports, before its first packet.
    #[must_use]
    pub const fn new(client_port: u16, server_port: u16) -> Self {
        Self { client: (CLIENT, client_port), server: (SERVER, server_port), next: [1000, 5000] }
    }

    /// The same with another server.
    #[must_use]
    pub const fn with_server(self, server: &'static str) -> Self {
        Self { server: (server, self.server.1), ..self }
    }

    /// The same with other first sequence numbers of client and server.
    #[must_use]
    pub const fn with_sequence(self, client: u32, server: u32) -> Self {
        Self { next: [client, server], ..self }
    }

    /// A frame from the client with `flags` and `length` octets of payload: 54 octets more.
    pub fn client(&mut self, flags: u8, length: usize) -> Vec<u8> {
        self.say(0, flags, 64_240, &vec![0xaa; length])
    }

    /// A frame from the server.
    pub fn server(&mut self, flags: u8, length: usize) -> Vec<u8> {
        self.say(1, flags, 64_240, &vec![0xbb; length])
    }

    /// A frame from the client with this payload.
    pub fn client_says(&mut self, payload: &[u8]) -> Vec<u8> {
        self.say(0, flags::ACK | flags::PSH, 64_240, payload)
    }

    /// An acknowledgment from the server with that receive window.
    pub fn server_window(&mut self, window: u16) -> Vec<u8> {
        self.say(1, flags::ACK, window, &[])
    }

    /// The three frames that open the conversation: SYN, SYN-ACK, ACK.
    pub fn open(&mut self) -> [Vec<u8>; 3] {
        [self.client(flags::SYN, 0), self.server(flags::SYN | flags::ACK, 0), self.client(flags::ACK, 0)]
    }

    /// The three frames that close it from the client's side: FIN, FIN, ACK.
    pub fn close(&mut self) -> [Vec<u8>; 3] {
        let fin = flags::FIN | flags::ACK;
        [self.client(fin, 0), self.server(fin, 0), self.client(flags::ACK, 0)]
    }

    fn say(&mut self, side: usize, bits: u8, window: u16, payload: &[u8]) -> Vec<u8> {
        let (from, to) = if side == 0 { (self.client, self.server) } else { (self.server, self.client) };
        let ack = if bits & flags::ACK == 0 { 0 } else { self.next[1 - side] };
        let segment = tcp(from.1, to.1, bits).seq(self.next[side]).ack(ack).window(window).payload(payload).build();
        let taken = u32::try_from(payload.len()).unwrap_or(0) + u32::from(bits & (flags::SYN | flags::FIN) != 0);
        self.next[side] = self.next[side].wrapping_add(taken);
        ethernet(ipv4(from.0, to.0).carry(segment)).build()
    }
}
