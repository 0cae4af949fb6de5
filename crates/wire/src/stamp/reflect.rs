//! What a reflector does with the extensions of a packet: they are filled in place, so that an answer is never longer than its request.
//!
//! A type that is not known keeps the flag U, one whose length is wrong gets M, and when the HMAC of the extensions is not right all of
//! them get I and nothing is filled (RFC 8972 sections 4 and 4.8).

use std::net::{IpAddr, SocketAddr};

use super::Key;
use super::key::TAG;
use super::tlv::{
    ClassOfService, HEADER, MALFORMED, MAX_TLVS, NOT_AUTHENTIC, TimestampInformation, UNRECOGNIZED, kind,
};

/// How a packet came to the reflector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Who sent it.
    pub source: SocketAddr,
    /// Where it was sent to.
    pub destination: SocketAddr,
    /// DSCP of its header.
    pub dscp: u8,
    /// ECN of its header.
    pub ecn: u8,
    /// Where our stamps come from.
    pub timestamps: TimestampInformation,
    /// Packets of the session that arrived, with this one.
    pub received: u32,
    /// Answers of the session that were sent, with this one.
    pub sent: u32,
}

/// Numbers of the packet and of its answer, which the HMAC of the extensions covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sequences {
    /// The sender's.
    pub request: u32,
    /// The reflector's.
    pub answer: u32,
}

/// Fills the extensions; gives the DSCP with which the answer shall leave, when the sender says one.
pub fn reflect(tlvs: &mut [u8], sequences: Sequences, arrival: &Arrival, key: Option<&Key>) -> Option<u8> {
    if let Some(key) = key
        && !is_authentic(tlvs, sequences.request, key)
    {
        each(tlvs, |_, header, _, _| header[0] = header[0] & !UNRECOGNIZED | NOT_AUTHENTIC);
        return None;
    }
    let mut wanted = None;
    each(tlvs, |before, header, value, is_cut| {
        if is_cut {
            header[0] |= MALFORMED;
            return;
        }
        match fill(header[1], value, arrival, &mut wanted) {
            Filled::Unknown => {}
            Filled::Malformed => header[0] = header[0] & !UNRECOGNIZED | MALFORMED,
            Filled::Done => header[0] &= !UNRECOGNIZED,
        }
        if let (kind::HMAC, Some(key)) = (header[1], key) {
            header[0] &= !UNRECOGNIZED;
            value.copy_from_slice(&key.tag(&[&sequences.answer.to_be_bytes(), before]));
        }
    });
    wanted
}

enum Filled {
    Done,
    Unknown,
    Malformed,
}

fn fill(kind: u8, value: &mut [u8], arrival: &Arrival, wanted: &mut Option<u8>) -> Filled {
    match kind {
        kind::EXTRA_PADDING => Filled::Done,
        kind::CLASS_OF_SERVICE => {
            let Some(asked) = ClassOfService::from_bytes(value) else { return Filled::Malformed };
            *wanted = Some(asked.wanted);
            let answer = ClassOfService { arrived: arrival.dscp, ecn: arrival.ecn, reverse_path: 0, ..asked };
            put(value, &answer.to_bytes())
        }
        kind::TIMESTAMP_INFORMATION => put(value, &arrival.timestamps.to_bytes()),
        kind::DIRECT_MEASUREMENT => count(value, arrival),
        kind::LOCATION => locate(value, arrival),
        _ => Filled::Unknown,
    }
}

fn put(value: &mut [u8], answer: &[u8]) -> Filled {
    if value.len() != answer.len() {
        return Filled::Malformed;
    }
    value.copy_from_slice(answer);
    Filled::Done
}

/// Direct measurement (RFC 8972, 4.5): what the sender has sent, then what we have received and sent.
fn count(value: &mut [u8], arrival: &Arrival) -> Filled {
    let Ok(value) = <&mut [u8; 12]>::try_from(value) else { return Filled::Malformed };
    let [_, _, _, _, received @ .., a, b, c, d] = value;
    received.copy_from_slice(&arrival.received.to_be_bytes());
    [*a, *b, *c, *d] = arrival.sent.to_be_bytes();
    Filled::Done
}

/// Location (RFC 8972, 4.2): ports, then what the sender asks for. Hardware addresses are not told.
fn locate(value: &mut [u8], arrival: &Arrival) -> Filled {
    const DESTINATION: u8 = 4;
    const SOURCE: u8 = 7;
    let Some((ports, asked)) = value.split_first_chunk_mut::<4>() else { return Filled::Malformed };
    let [a, b] = arrival.destination.port().to_be_bytes();
    let [c, d] = arrival.source.port().to_be_bytes();
    *ports = [a, b, c, d];
    each(asked, |_, header, value, is_cut| {
        let address = match header[1] {
            _ if is_cut => return header[0] |= MALFORMED,
            DESTINATION => arrival.destination.ip(),
            SOURCE => arrival.source.ip(),
            _ => return,
        };
        let Ok(place) = <&mut [u8; 16]>::try_from(value) else { return header[0] |= MALFORMED };
        // The type that was asked for is general; the next two are those of IPv4 and IPv6.
        header[1] += if address.is_ipv4() { 1 } else { 2 };
        header[0] &= !UNRECOGNIZED;
        *place = octets(address);
    });
    Filled::Done
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
    }
}

/// Calls `visit` with what stands before an extension, its header, its value, and whether it is cut.
fn each(bytes: &mut [u8], mut visit: impl FnMut(&[u8], &mut [u8; HEADER], &mut [u8], bool)) {
    let mut at = 0;
    for _ in 0..MAX_TLVS {
        let Some((before, rest)) = bytes.split_at_mut_checked(at) else { return };
        let Some((header, values)) = rest.split_first_chunk_mut::<HEADER>() else { return };
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let is_cut = length > values.len();
        let value = values.get_mut(..length).unwrap_or_default();
        visit(before, header, value, is_cut);
        if is_cut {
            return;
        }
        at += HEADER + length;
    }
}

/// Whether the HMAC behind the extensions is right. Padding alone needs none.
fn is_authentic(tlvs: &[u8], sequence: u32, key: &Key) -> bool {
    let mut read = 0;
    let mut needs = false;
    for tlv in super::tlv::tlvs(tlvs) {
        let before = tlvs.get(..read).unwrap_or_default();
        read += HEADER + tlv.value.len();
        match tlv.kind {
            kind::HMAC => {
                let only_padding = super::tlv::tlvs(tlvs.get(read..).unwrap_or_default());
                let is_last = only_padding.into_iter().all(|tlv| tlv.kind == kind::EXTRA_PADDING);
                let is_tag = tlv.value.len() == TAG && key.is_tag(&[&sequence.to_be_bytes(), before], tlv.value);
                return is_last && is_tag;
            }
            kind::EXTRA_PADDING => {}
            _ => needs = true,
        }
    }
    !needs
}
