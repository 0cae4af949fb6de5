//! Echo requests through a datagram socket for ICMP, which macOS gives to everyone.

use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwatch_telemetry::clock;
use netwatch_wire::icmp::{self, Echo, Message};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Answer, Asked, Request};

/// Octets of data that tell one request from all others.
const TOKEN: usize = 16;
/// The longest message that is read.
const LONGEST: usize = 1500;

/// Asks, and waits for the answer.
pub(super) fn ask(request: &Request) -> io::Result<Asked> {
    let v6 = request.to.is_ipv6();
    let (domain, protocol) = if v6 { (Domain::IPV6, Protocol::ICMPV6) } else { (Domain::IPV4, Protocol::ICMPV4) };
    let mut socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    if let Some(from) = request.from {
        socket.bind(&SockAddr::from(SocketAddr::new(from, 0)))?;
    }
    if let Some(ttl) = request.ttl.map(u32::from) {
        if v6 { socket.set_unicast_hops_v6(ttl)? } else { socket.set_ttl_v4(ttl)? }
    }
    if let Some(class) = request.traffic_class.map(u32::from) {
        if v6 { socket.set_tclass_v6(class)? } else { socket.set_tos_v4(class)? }
    }
    let mut token = [0; TOKEN];
    getrandom::fill(&mut token).map_err(io::Error::other)?;
    let [a, b, c, d, ..] = token;
    let mut data = token.to_vec();
    data.resize(request.octets.max(TOKEN), 0);
    let (identifier, sequence) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let mut message = Vec::with_capacity(data.len() + icmp::HEADER);
    icmp::write_echo(v6, false, Echo { identifier, sequence, data: &data }, &mut message);
    let left = clock::monotonic();
    socket.send_to(&message, &SockAddr::from(SocketAddr::new(request.to, 0)))?;
    let end = left + request.timeout;
    let mut buffer = [0; LONGEST];
    loop {
        let patience = end.saturating_sub(clock::monotonic());
        if patience.is_zero() {
            return Ok(Asked { left, came: end, answer: Answer::Nothing });
        }
        socket.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
        let length = match socket.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => continue,
            Err(error) => return Err(error),
        };
        let came = clock::monotonic();
        let bytes = buffer.get(..length).unwrap_or_default();
        if let Some(answer) = answer(bytes, v6, &token, request.to) {
            return Ok(Asked { left, came, answer });
        }
    }
}

/// What a datagram means for the request with that token; `None` when it is about another one.
fn answer(bytes: &[u8], v6: bool, token: &[u8; TOKEN], _: IpAddr) -> Option<Answer> {
    // IPv4 comes with its header.
    let header = if v6 { 0 } else { usize::from(bytes.first()? & 0x0f) * 4 };
    let hop_limit = if v6 { None } else { bytes.get(8).copied() };
    let message = bytes.get(header..)?;
    match if v6 { icmp::decode_v6(message) } else { icmp::decode_v4(message) }? {
        Message::EchoReply(echo) if echo.data.starts_with(token) => Some(Answer::Target(hop_limit)),
        // Who sent an error stands in the header of IPv4 alone; the request that it is about is quoted with its sequence number.
        Message::Error(error) if !v6 && error.quote.transport.get(6..8)? == token.get(2..4)? => {
            let from = bytes.get(12..16)?.first_chunk::<4>()?;
            Some(Answer::Error(IpAddr::from(*from), error.cause))
        }
        _ => None,
    }
}
