//! The first flight of a QUIC client: the TLS hello behind the Initial packets of version 1 and 2.
//!
//! Initial packets are encrypted with keys that everybody on the path can derive from the client's first destination connection
//! id (RFC 9001 section 5.2, RFC 9369 section 3.3). [`InitialReassembly`] takes the client's datagrams, opens their Initial packets,
//! puts the CRYPTO frames together, which may come in any order and spread over several datagrams, and reads the hello.
//!
//! Limits: [`MAX_DATAGRAMS`] datagrams, [`MAX_PACKETS`] packets in each, packets of [`MAX_PACKET`] bytes, the first
//! [`Window::CAPACITY`] bytes of the hello. A packet that the capture has cut cannot be opened. Packets of the server are not read.

pub(crate) mod keys;
mod packet;

use self::keys::InitialKeys;
use self::packet::{Kind, LongPacket, crypto_frames};
use crate::tls::{self, ClientHello, Hello};
use crate::window::Window;

/// Datagrams that one reassembly looks at.
pub const MAX_DATAGRAMS: u8 = 8;

/// Coalesced packets that are looked at in one datagram (RFC 9000 section 12.2).
pub const MAX_PACKETS: usize = 6;

/// The longest packet that is opened, in bytes: more than a jumbo frame carries is no Initial.
pub const MAX_PACKET: usize = 9216;

/// A version of QUIC whose Initial packets can be opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Version {
    /// RFC 9000.
    V1,
    /// RFC 9369.
    V2,
}

impl Version {
    /// The version of that number.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0x0000_0001 => Some(Self::V1),
            0x6b33_43cf => Some(Self::V2),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::V1 => 0x0000_0001,
            Self::V2 => 0x6b33_43cf,
        }
    }

    /// The two type bits of an Initial packet (RFC 9369 section 3.2 turns them).
    pub(crate) const fn initial_type(self) -> u8 {
        match self {
            Self::V1 => 0b00,
            Self::V2 => 0b01,
        }
    }
}

/// What the client's datagrams so far are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Initial {
    /// The hello is whole.
    Complete(ClientHello),
    /// An Initial was opened, or may follow; what is known so far.
    NeedMore(ClientHello),
    /// Something else, or nothing that can be opened.
    NotQuic,
}

/// Whether a datagram begins as an Initial packet of a version that can be opened: cheap enough for every datagram.
#[must_use]
pub fn is_initial(datagram: &[u8]) -> bool {
    let Some(([first, a, b, c, d], _)) = datagram.split_first_chunk::<5>() else { return false };
    let version = Version::from_number(u32::from_be_bytes([*a, *b, *c, *d]));
    version.is_some_and(|version| first & 0xf0 == 0xc0 | version.initial_type() << 4)
}

/// The client's side of one connection's start.
#[derive(Default)]
pub struct InitialReassembly {
    keys: Option<InitialKeys>,
    crypto: Window,
    datagrams: u8,
    opened: bool,
}

impl InitialReassembly {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, for another connection.
    pub fn clear(&mut self) {
        self.keys = None;
        self.crypto.clear();
        self.datagrams = 0;
        self.opened = false;
    }

    /// Takes the next datagram of the client.
    pub fn datagram(&mut self, datagram: &[u8]) -> Initial {
        if self.datagrams == MAX_DATAGRAMS {
            return Initial::NotQuic;
        }
        self.datagrams += 1;
        let mut rest = datagram;
        for _ in 0..MAX_PACKETS {
            let Some(packet) = LongPacket::parse(rest) else { break };
            rest = packet.rest;
            if packet.kind == Kind::Initial {
                self.initial(&packet);
            }
        }
        self.outcome()
    }

    fn initial(&mut self, packet: &LongPacket<'_>) {
        if packet.bytes.len() > MAX_PACKET {
            return;
        }
        if let Some(payload) = self.keys.as_ref().and_then(|keys| keys.open(packet.bytes, packet.number_at)) {
            self.add(&payload);
            return;
        }
        // The first packet, or a client that starts again after Retry with keys from its new id (RFC 9001 section 5.2).
        let Some(keys) = InitialKeys::client(packet.version, packet.destination) else { return };
        if let Some(payload) = keys.open(packet.bytes, packet.number_at) {
            self.keys = Some(keys);
            self.crypto.clear();
            self.add(&payload);
        }
    }

    fn add(&mut self, payload: &[u8]) {
        self.opened = true;
        for (offset, bytes) in crypto_frames(payload) {
            self.crypto.insert(offset, bytes);
        }
    }

    fn outcome(&self) -> Initial {
        let last = self.datagrams == MAX_DATAGRAMS || self.crypto.is_full();
        match tls::handshake_hello(self.crypto.prefix()) {
            _ if !self.opened => Initial::NotQuic,
            Hello::NotTls => Initial::NotQuic,
            Hello::Complete(hello) => Initial::Complete(hello),
            Hello::NeedMore { so_far, .. } if last => Initial::Complete(so_far),
            Hello::NeedMore { so_far, .. } => Initial::NeedMore(so_far),
        }
    }
}

impl std::fmt::Debug for InitialReassembly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InitialReassembly")
            .field("crypto", &self.crypto)
            .field("datagrams", &self.datagrams)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
