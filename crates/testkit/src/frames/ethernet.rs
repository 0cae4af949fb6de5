//! Layer 2: Ethernet with stacked VLAN tags and padding, ARP, LLDP, and Linux cooked capture.

use std::net::Ipv4Addr;

/// The address that frames come from.
pub const CLIENT_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
/// The address that frames go to.
pub const SERVER_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x02];

const MIN_FRAME: usize = 60;

/// An Ethernet II frame without its check sequence.
#[derive(Clone, Debug)]
pub struct Ethernet {
    destination: [u8; 6],
    tags: Vec<(u16, u16)>,
    ethertype: u16,
    payload: Vec<u8>,
    is_padded: bool,
}

/// A frame around an IP packet; the type is taken from the packet's version.
#[must_use]
pub fn ethernet(packet: Vec<u8>) -> Ethernet {
    let ethertype = ethertype_of(&packet);
    raw_ethernet(SERVER_MAC, ethertype, packet)
}

/// A frame around anything.
#[must_use]
pub const fn raw_ethernet(destination: [u8; 6], ethertype: u16, payload: Vec<u8>) -> Ethernet {
    Ethernet { destination, tags: Vec::new(), ethertype, payload, is_padded: false }
}

impl Ethernet {
    /// Adds one more tag inside of those that are there: protocol identifier, and identifier with priority bits.
    #[must_use]
    pub fn vlan(mut self, tpid: u16, tci: u16) -> Self {
        self.tags.push((tpid, tci));
        self
    }

    /// Fills up with zeros to 60 octets, the shortest frame on a wire (64 with check sequence).
    #[must_use]
    pub const fn pad(mut self) -> Self {
        self.is_padded = true;
        self
    }

    /// The octets.
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        let mut frame = [self.destination, CLIENT_MAC].concat();
        for (tpid, tci) in self.tags {
            frame.extend(tpid.to_be_bytes());
            frame.extend(tci.to_be_bytes());
        }
        frame.extend(self.ethertype.to_be_bytes());
        frame.extend(self.payload);
        if self.is_padded && frame.len() < MIN_FRAME {
            frame.resize(MIN_FRAME, 0);
        }
        frame
    }
}

/// An ARP message (RFC 826), 42 octets: operation 1 asks who has `target`, operation 2 answers.
///
/// # Panics
/// When an address is none.
#[must_use]
pub fn arp(operation: u16, sender: &str, target: &str) -> Vec<u8> {
    let address = |text: &str| text.parse::<Ipv4Addr>().expect("an IPv4 address").octets();
    let mut payload = vec![0, 1, 8, 0, 6, 4];
    payload.extend(operation.to_be_bytes());
    payload.extend(CLIENT_MAC);
    payload.extend(address(sender));
    payload.extend([0; 6]);
    payload.extend(address(target));
    raw_ethernet([0xff; 6], 0x0806, payload).build()
}

/// An LLDP frame (IEEE 802.1AB) with chassis, port, lifetime and end, padded.
#[must_use]
pub fn lldp() -> Vec<u8> {
    let mut payload = vec![0x02, 0x07, 4];
    payload.extend(CLIENT_MAC);
    payload.extend([0x04, 0x05, 5, b'e', b't', b'h', b'0', 0x06, 0x02, 0, 120, 0, 0]);
    raw_ethernet([0x01, 0x80, 0xc2, 0, 0, 0x0e], 0x88cc, payload).pad().build()
}

/// An IP packet behind the 16 octets of Linux cooked capture v1 (`LINKTYPE_LINUX_SLL`), as an outgoing one when `is_outgoing`.
#[must_use]
pub fn linux_sll(is_outgoing: bool, packet: &[u8]) -> Vec<u8> {
    let packet_type: u16 = if is_outgoing { 4 } else { 0 };
    let mut frame = packet_type.to_be_bytes().to_vec();
    frame.extend(1_u16.to_be_bytes());
    frame.extend(6_u16.to_be_bytes());
    frame.extend(CLIENT_MAC);
    frame.extend([0, 0]);
    frame.extend(ethertype_of(packet).to_be_bytes());
    frame.extend(packet);
    frame
}

fn ethertype_of(packet: &[u8]) -> u16 {
    if packet.first().is_some_and(|byte| byte >> 4 == 6) { 0x86dd } else { 0x0800 }
}
