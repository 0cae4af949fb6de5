//! What an IP packet carries: TCP, UDP, ICMP, SCTP and tunnels.

use super::checksum;

/// TCP flags.
pub mod flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment number is valid.
    pub const ACK: u8 = 0x10;
}

/// Where the checksum stands, and whether the addresses are part of it.
#[derive(Clone, Copy, Debug)]
enum Sum {
    None,
    Own(usize),
    WithAddresses(usize),
}

/// What an IP packet carries: its protocol and octets; the checksum is filled in once the addresses are known.
#[derive(Clone, Debug)]
pub struct Transport {
    protocol: u8,
    bytes: Vec<u8>,
    sum: Sum,
}

impl Transport {
    /// The IP protocol number.
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        self.protocol
    }

    /// The octets with their checksum; `addresses` is source and destination.
    pub(super) fn finish(mut self, addresses: &[u8]) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        let (at, sum) = match self.sum {
            Sum::None => return self.bytes,
            Sum::Own(at) => (at, checksum(&[&self.bytes])),
            Sum::WithAddresses(at) => (at, checksum(&[addresses, &length, &[0, self.protocol], &self.bytes])),
        };
        self.bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        self.bytes
    }
}

/// Any octets as any protocol.
#[must_use]
pub fn protocol(number: u8, bytes: &[u8]) -> Transport {
    Transport { protocol: number, bytes: bytes.to_vec(), sum: Sum::None }
}

/// A UDP datagram.
#[must_use]
pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Transport {
    let length = u16::try_from(8 + payload.len()).unwrap_or(0);
    let header = [source, destination, length, 0].map(u16::to_be_bytes).concat();
    Transport { protocol: 17, bytes: [&header, payload].concat(), sum: Sum::WithAddresses(6) }
}

/// A TCP segment in the making.
#[derive(Clone, Debug)]
pub struct Tcp {
    source: u16,
    destination: u16,
    flags: u8,
    seq: u32,
    ack: u32,
    window: u16,
    payload: Vec<u8>,
}

/// A TCP segment with `flags`, sequence number 0 and a window of 64 240 octets.
#[must_use]
pub const fn tcp(source: u16, destination: u16, flags: u8) -> Tcp {
    Tcp { source, destination, flags, seq: 0, ack: 0, window: 64_240, payload: Vec::new() }
}

impl Tcp {
    /// Sets the sequence number.
    #[must_use]
    pub const fn seq(mut self, seq: u32) -> Self {
        self.seq = seq;
        self
    }

    /// Sets the acknowledgment number.
    #[must_use]
    pub const fn ack(mut self, ack: u32) -> Self {
        self.ack = ack;
        self
    }

    /// Sets the receive window.
    #[must_use]
    pub const fn window(mut self, window: u16) -> Self {
        self.window = window;
        self
    }

    /// Sets the payload.
    #[must_use]
    pub fn payload(mut self, payload: &[u8]) -> Self {
        self.payload = payload.to_vec();
        self
    }

    /// The segment, with a header of 20 octets.
    #[must_use]
    pub fn build(self) -> Transport {
        let mut bytes = [self.source, self.destination].map(u16::to_be_bytes).concat();
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        bytes.extend([0x50, self.flags]);
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.payload);
        Transport { protocol: 6, bytes, sum: Sum::WithAddresses(16) }
    }
}

/// An ICMP echo request, or its reply, of 8 octets and the payload.
#[must_use]
pub fn icmp_echo(is_reply: bool, id: u16, sequence: u16, payload: &[u8]) -> Transport {
    let header = echo(if is_reply { 0 } else { 8 }, id, sequence);
    Transport { protocol: 1, bytes: [&header, payload].concat(), sum: Sum::Own(2) }
}

/// An ICMP "port unreachable" about `packet`, of which 28 octets are quoted.
#[must_use]
pub fn icmp_unreachable(packet: &[u8]) -> Transport {
    let header = [3, 3, 0, 0, 0, 0, 0, 0];
    Transport { protocol: 1, bytes: [&header, &packet[..packet.len().min(28)]].concat(), sum: Sum::Own(2) }
}

/// An `ICMPv6` echo request, or its reply, of 8 octets and the payload.
#[must_use]
pub fn icmpv6_echo(is_reply: bool, id: u16, sequence: u16, payload: &[u8]) -> Transport {
    let header = echo(if is_reply { 129 } else { 128 }, id, sequence);
    Transport { protocol: 58, bytes: [&header, payload].concat(), sum: Sum::WithAddresses(2) }
}

/// An SCTP packet (RFC 9260) with one chunk of that type; the chunk's value is a multiple of four octets long.
#[must_use]
pub fn sctp(source: u16, destination: u16, chunk: u8, value: &[u8]) -> Transport {
    let mut bytes = [source, destination].map(u16::to_be_bytes).concat();
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend([chunk, 0]);
    bytes.extend(u16::try_from(4 + value.len()).unwrap_or(0).to_be_bytes());
    bytes.extend(value);
    let sum = crc32c(&bytes);
    bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    protocol(132, &bytes)
}

/// A packet or frame in GRE (RFC 2784), with a key (RFC 2890) when given; `ethertype` says what `inner` is.
#[must_use]
pub fn gre(ethertype: u16, key: Option<u32>, inner: &[u8]) -> Transport {
    let flags: u16 = if key.is_some() { 0x2000 } else { 0 };
    let mut bytes = [flags, ethertype].map(u16::to_be_bytes).concat();
    bytes.extend(key.iter().flat_map(|key| key.to_be_bytes()));
    bytes.extend(inner);
    protocol(47, &bytes)
}

/// An IPv4 or IPv6 packet in IP (RFC 2003, RFC 4213).
#[must_use]
pub fn in_ip(inner: &[u8]) -> Transport {
    let is_v6 = inner.first().is_some_and(|byte| byte >> 4 == 6);
    protocol(if is_v6 { 41 } else { 4 }, inner)
}

fn echo(kind: u8, id: u16, sequence: u16) -> Vec<u8> {
    [&[kind, 0, 0, 0], &id.to_be_bytes()[..], &sequence.to_be_bytes()[..]].concat()
}

/// CRC-32C (RFC 9260 appendix A).
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 })
    };
    !bytes.iter().fold(u32::MAX, step)
}
