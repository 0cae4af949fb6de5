//! The messages that this crate reads, written: for tests, corpora and traffic generators.
//!
//! These functions make well-formed messages from trusted arguments. Lengths that do not fit their field are cut to it.

use std::net::IpAddr;

use crate::quic::Version;
use crate::quic::keys::InitialKeys;

/// Bytes written as hexadecimal digits; whatever else stands between them is left out.
#[must_use]
pub fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| digit.try_into().ok()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// What a hello says, beside what every hello says.
#[derive(Clone, Debug, Default)]
pub struct HelloOptions<'a> {
    /// Server name indication.
    pub sni: Option<&'a [u8]>,
    /// Application protocols.
    pub alpn: &'a [&'a str],
    /// Bytes of a key share put *before* the other extensions: a post-quantum share has 1216.
    pub key_share: usize,
}

/// A TLS 1.3 ClientHello as a handshake message, without records.
#[must_use]
pub fn client_hello(options: &HelloOptions<'_>) -> Vec<u8> {
    let mut extensions = Vec::new();
    extension(&mut extensions, 51, &vec![0x5a; options.key_share]);
    if let Some(name) = options.sni {
        let mut entry = vec![0];
        vector16(&mut entry, name);
        let mut list = Vec::new();
        vector16(&mut list, &entry);
        extension(&mut extensions, 0, &list);
    }
    if !options.alpn.is_empty() {
        let mut names = Vec::new();
        options.alpn.iter().for_each(|name| vector8(&mut names, name.as_bytes()));
        let mut list = Vec::new();
        vector16(&mut list, &names);
        extension(&mut extensions, 16, &list);
    }
    extension(&mut extensions, 43, &[2, 3, 4]);
    let mut body = vec![3, 3];
    body.extend([0x11; 32]);
    vector8(&mut body, &[0x22; 32]);
    vector16(&mut body, &[0x13, 0x01, 0x13, 0x02]);
    vector8(&mut body, &[0]);
    vector16(&mut body, &extensions);
    let mut message = vec![1];
    message.extend(low_bytes::<3>(body.len()));
    message.extend(body);
    message
}

/// Puts a handshake message into TLS records of at most `fragment` bytes each.
#[must_use]
pub fn tls_records(handshake: &[u8], fragment: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for piece in handshake.chunks(fragment.clamp(1, 1 << 14)) {
        stream.extend([22, 3, 1]);
        vector16(&mut stream, piece);
    }
    stream
}

/// One client Initial packet of QUIC: the pieces of the CRYPTO stream (offset, bytes), in this order, padded so that the datagram
/// has at least 1200 bytes (RFC 9000 section 14.1).
///
/// `original` is the connection id that the keys are derived from, `destination` the one in the header: they differ after the
/// server's first packet.
#[must_use]
pub fn quic_initial(
    version: Version,
    original: &[u8],
    destination: &[u8],
    packet_number: u8,
    pieces: &[(u32, &[u8])],
) -> Vec<u8> {
    const TAG: usize = 16;
    let mut payload = Vec::new();
    for (offset, bytes) in pieces {
        payload.push(0x06);
        payload.extend((*offset | 0x8000_0000).to_be_bytes());
        payload.extend((u16::try_from(bytes.len()).unwrap_or(0x3fff) & 0x3fff | 0x4000).to_be_bytes());
        payload.extend(*bytes);
    }
    let header = 1 + 4 + 1 + destination.len() + 1 + 1 + 2;
    payload.resize(payload.len().max(1200_usize.saturating_sub(header + 1 + TAG)), 0);
    let mut packet = vec![0xc0 | version.initial_type() << 4];
    packet.extend(version.number().to_be_bytes());
    vector8(&mut packet, destination);
    packet.extend([0, 0]);
    packet.extend((u16::try_from(1 + payload.len() + TAG).unwrap_or(0x3fff) & 0x3fff | 0x4000).to_be_bytes());
    let keys = InitialKeys::client(version, original);
    keys.map(|keys| keys.seal(packet, packet_number, payload)).unwrap_or_default()
}

/// One record of a DNS answer.
#[derive(Clone, Debug)]
pub enum DnsRecord<'a> {
    /// A or AAAA.
    Address(&'a str, u32, IpAddr),
    /// CNAME: owner, seconds to live, target.
    Alias(&'a str, u32, &'a str),
}

/// A DNS response to a question for `question` (none for multicast DNS) without name compression.
#[must_use]
pub fn dns_response(question: Option<&str>, records: &[DnsRecord<'_>]) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 0x81, 0x80, 0, u8::from(question.is_some())];
    message.extend(low_bytes::<2>(records.len()));
    message.extend([0; 4]);
    if let Some(name) = question {
        dns_name(&mut message, name);
        message.extend([0, 1, 0, 1]);
    }
    for record in records {
        let (owner, ttl) = match record {
            DnsRecord::Address(owner, ttl, _) | DnsRecord::Alias(owner, ttl, _) => (owner, ttl),
        };
        let (kind, mut data) = (dns_type(record), Vec::new());
        match record {
            DnsRecord::Address(_, _, IpAddr::V4(address)) => data.extend(address.octets()),
            DnsRecord::Address(_, _, IpAddr::V6(address)) => data.extend(address.octets()),
            DnsRecord::Alias(_, _, target) => dns_name(&mut data, target),
        }
        dns_name(&mut message, owner);
        message.extend([0, kind, 0, 1]);
        message.extend(ttl.to_be_bytes());
        vector16(&mut message, &data);
    }
    message
}

const fn dns_type(record: &DnsRecord<'_>) -> u8 {
    match record {
        DnsRecord::Address(_, _, IpAddr::V4(_)) => 1,
        DnsRecord::Address(_, _, IpAddr::V6(_)) => 28,
        DnsRecord::Alias(..) => 5,
    }
}

fn dns_name(out: &mut Vec<u8>, name: &str) {
    name.split('.').filter(|label| !label.is_empty()).for_each(|label| vector8(out, label.as_bytes()));
    out.push(0);
}

fn extension(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend(kind.to_be_bytes());
    vector16(out, value);
}

fn vector8(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend(bytes.iter().take(usize::from(length)));
}

fn vector16(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(bytes.iter().take(usize::from(length)));
}

fn low_bytes<const N: usize>(number: usize) -> [u8; N] {
    let bytes = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    bytes.last_chunk::<N>().copied().unwrap_or([u8::MAX; N])
}
