//! What applications say: DNS, TLS, HTTP, and frames in VXLAN.

use std::net::Ipv4Addr;

/// A DNS query for the IPv4 address of `name` (RFC 1035).
#[must_use]
pub fn dns_query(id: u16, name: &str) -> Vec<u8> {
    [&dns_header(id, 0x0100, 0), &dns_question(name)[..]].concat()
}

/// The answer to [`dns_query`]: one A record that lives for `ttl` seconds.
#[must_use]
pub fn dns_answer(id: u16, name: &str, address: Ipv4Addr, ttl: u32) -> Vec<u8> {
    let mut message = [&dns_header(id, 0x8180, 1), &dns_question(name)[..]].concat();
    message.extend([0xc0, 12, 0, 1, 0, 1]);
    message.extend(ttl.to_be_bytes());
    message.extend([0, 4]);
    message.extend(address.octets());
    message
}

/// A TLS 1.2 client hello in one record (RFC 8446 section 4.1.2) with a server name (RFC 6066) and the protocol `http/1.1`.
#[must_use]
pub fn tls_client_hello(server_name: &str) -> Vec<u8> {
    let entry = [&[0], &with_length(server_name.as_bytes())[..]].concat();
    let sni = [&[0, 0], &with_length(&with_length(&entry))[..]].concat();
    let protocols = [&[8], &b"http/1.1"[..]].concat();
    let alpn = [&[0, 16], &with_length(&with_length(&protocols))[..]].concat();
    let mut hello = vec![3, 3];
    hello.extend([0x11; 32]);
    hello.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    hello.extend(with_length(&[sni, alpn].concat()));
    let handshake = [&[1, 0], &with_length(&hello)[..]].concat();
    [&[22, 3, 1], &with_length(&handshake)[..]].concat()
}

/// An HTTP/1.1 request with that host (RFC 9112).
#[must_use]
pub fn http_get(host: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n\r\n").into_bytes()
}

/// A frame behind the 8 octets of VXLAN (RFC 7348).
#[must_use]
pub fn vxlan(network: u32, frame: &[u8]) -> Vec<u8> {
    [&[8, 0, 0, 0], &(network << 8).to_be_bytes()[..], frame].concat()
}

fn dns_header(id: u16, flags: u16, answers: u16) -> Vec<u8> {
    [id, flags, 1, answers, 0, 0].map(u16::to_be_bytes).concat()
}

fn dns_question(name: &str) -> Vec<u8> {
    let labels =
        name.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap_or(0)], label.as_bytes()].concat());
    labels.chain([0, 0, 1, 0, 1]).collect()
}

/// `bytes` behind their length in two octets.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap_or(0).to_be_bytes(), bytes].concat()
}
