//! ICMP as probes need it: echo messages, and errors with what they quote and the labels that routers add.
//!
//! The forms of IPv4 (RFC 792) and IPv6 (RFC 4443) differ in numbers only, and come out as one type. An error quotes the packet that
//! caused it ([`Quote`]), in older routers its first 8 octets only; extensions (RFC 4884) follow the quote.
//!
//! Limits: at most [`MAX_LABELS`] labels. Checksums of messages are computed here and verified by who received the whole message.

mod checksum;
mod extension;
mod quote;

pub use checksum::Sum;
pub use extension::{MAX_LABELS, extensions};
pub use quote::{EchoQuote, Quote, TcpQuote, UdpQuote};

use netwatch_model::probe::kind::mtr::MplsLabel;

use crate::reader::Reader;

/// Octets of the header of each message.
pub const HEADER: usize = 8;
/// IP protocol number of ICMP.
pub const PROTOCOL_V4: u8 = 1;
/// IP protocol number of ICMP for IPv6.
pub const PROTOCOL_V6: u8 = 58;
/// Where extensions begin when the length of the quote is not told (RFC 4884, 5.5), counted from the start of the quote.
const QUOTE_WITHOUT_LENGTH: usize = 128;

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message<'a> {
    /// A request to be answered.
    EchoRequest(Echo<'a>),
    /// The answer to one.
    EchoReply(Echo<'a>),
    /// Something happened to a packet.
    Error(Error<'a>),
}

/// What request and answer carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Echo<'a> {
    /// Tells programs apart.
    pub identifier: u16,
    /// Tells requests apart.
    pub sequence: u16,
    /// What the answer repeats.
    pub data: &'a [u8],
}

/// What happened to a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error<'a> {
    /// Why it did not arrive.
    pub cause: Cause,
    /// The start of the packet.
    pub quote: Quote<'a>,
    /// Labels of the packet where it ended (RFC 4950), outermost first.
    pub labels: Vec<MplsLabel>,
}

/// Why a packet did not arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Its time to live ended at the sender of the error.
    TimeExceeded,
    /// It cannot be delivered.
    Unreachable(Unreachable),
    /// It is too big for the next link, and may not be fragmented.
    TooBig {
        /// What the next link carries, octets; absent in routers older than RFC 1191.
        mtu: Option<u16>,
    },
}

/// What cannot be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreachable {
    /// No route.
    Network,
    /// The host does not answer its router.
    Host,
    /// The host does not speak the protocol.
    Protocol,
    /// Nobody listens at the port.
    Port,
    /// A rule forbids it.
    Prohibited,
    /// Another code.
    Other(u8),
}

impl Unreachable {
    /// In words that follow "is".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Network => "on a network without a route",
            Self::Host => "a host that does not answer its router",
            Self::Protocol => "without this protocol",
            Self::Port => "without a listener at this port",
            Self::Prohibited => "administratively prohibited",
            Self::Other(_) => "not reachable",
        }
    }
}

impl Cause {
    /// From type, code and next-hop MTU of ICMP for IPv4; `None` for what is no error that ends a packet.
    #[must_use]
    pub const fn of_v4(kind: u8, code: u8, mtu: u16) -> Option<Self> {
        Some(match (kind, code) {
            (11, 0) => Self::TimeExceeded,
            (3, 4) => Self::TooBig { mtu: if mtu == 0 { None } else { Some(mtu) } },
            (3, 0 | 6 | 11) => Self::Unreachable(Unreachable::Network),
            (3, 1 | 7 | 8 | 12) => Self::Unreachable(Unreachable::Host),
            (3, 2) => Self::Unreachable(Unreachable::Protocol),
            (3, 3) => Self::Unreachable(Unreachable::Port),
            (3, 9 | 10 | 13) => Self::Unreachable(Unreachable::Prohibited),
            (3, code) => Self::Unreachable(Unreachable::Other(code)),
            _ => return None,
        })
    }

    /// The same for IPv6.
    #[must_use]
    pub fn of_v6(kind: u8, code: u8, mtu: u32) -> Option<Self> {
        Some(match (kind, code) {
            (3, 0) => Self::TimeExceeded,
            (2, _) => Self::TooBig { mtu: (mtu > 0).then(|| u16::try_from(mtu).unwrap_or(u16::MAX)) },
            (1, 0) => Self::Unreachable(Unreachable::Network),
            (1, 1 | 5 | 6) => Self::Unreachable(Unreachable::Prohibited),
            (1, 3) => Self::Unreachable(Unreachable::Host),
            (1, 4) => Self::Unreachable(Unreachable::Port),
            (4, 1) => Self::Unreachable(Unreachable::Protocol),
            (1 | 4, code) => Self::Unreachable(Unreachable::Other(code)),
            _ => return None,
        })
    }
}

/// Reads a message of ICMP for IPv4, from its type on. `None` for what probes do not need, and for what is cut.
#[must_use]
pub fn decode_v4(message: &[u8]) -> Option<Message<'_>> {
    let (header, rest) = header_of(message)?;
    let [kind, code, _, _, _, words, mtu_high, mtu_low] = header;
    match kind {
        0 => Some(Message::EchoReply(echo(header, rest))),
        8 => Some(Message::EchoRequest(echo(header, rest))),
        _ => {
            let cause = Cause::of_v4(kind, code, u16::from_be_bytes([mtu_high, mtu_low]))?;
            // RFC 4884, 4.1: the length of the quote is counted in words of 32 bits.
            let (quote, labels) = split(rest, usize::from(words) * 4);
            Some(Message::Error(Error { cause, quote: Quote::v4(quote)?, labels }))
        }
    }
}

/// The same for IPv6.
#[must_use]
pub fn decode_v6(message: &[u8]) -> Option<Message<'_>> {
    let (header, rest) = header_of(message)?;
    let [kind, code, _, _, words, a, b, c] = header;
    match kind {
        129 => Some(Message::EchoReply(echo(header, rest))),
        128 => Some(Message::EchoRequest(echo(header, rest))),
        _ => {
            let cause = Cause::of_v6(kind, code, u32::from_be_bytes([words, a, b, c]))?;
            // RFC 4884, 4.2: words of 64 bits, in messages of type 1 and 3 only; elsewhere the octet is part of another field.
            let length = if matches!(kind, 1 | 3) { usize::from(words) * 8 } else { 0 };
            let (quote, labels) = split(rest, length);
            Some(Message::Error(Error { cause, quote: Quote::v6(quote)?, labels }))
        }
    }
}

/// Writes a request or (`reply`) an answer of IPv4 or IPv6. The checksum of IPv6 covers addresses, and is left to who knows them.
pub fn write_echo(v6: bool, reply: bool, echo: Echo<'_>, out: &mut Vec<u8>) {
    let kind = match (v6, reply) {
        (false, false) => 8,
        (false, true) => 0,
        (true, false) => 128,
        (true, true) => 129,
    };
    let mut header = [kind, 0, 0, 0, 0, 0, 0, 0];
    let [_, _, _, _, rest @ ..] = &mut header;
    let [a, b] = echo.identifier.to_be_bytes();
    let [c, d] = echo.sequence.to_be_bytes();
    *rest = [a, b, c, d];
    if !v6 {
        let [high, low] = Sum::new().octets(&header).octets(echo.data).finish().to_be_bytes();
        let [_, _, sum_high, sum_low, ..] = &mut header;
        (*sum_high, *sum_low) = (high, low);
    }
    out.extend_from_slice(&header);
    out.extend_from_slice(echo.data);
}

fn header_of(message: &[u8]) -> Option<([u8; HEADER], &[u8])> {
    let mut reader = Reader::new(message);
    let header = reader.array::<HEADER>()?;
    Some((header, reader.rest()))
}

const fn echo(header: [u8; HEADER], data: &[u8]) -> Echo<'_> {
    let [_, _, _, _, a, b, c, d] = header;
    Echo { identifier: u16::from_be_bytes([a, b]), sequence: u16::from_be_bytes([c, d]), data }
}

/// The quote, and the labels behind it. `length` is what the message says of the quote; 0 when it says nothing.
fn split(rest: &[u8], length: usize) -> (&[u8], Vec<MplsLabel>) {
    if length > 0 {
        return match rest.split_at_checked(length) {
            Some((quote, after)) => (quote, extensions(after, false)),
            None => (rest, Vec::new()),
        };
    }
    // RFC 4884, 5.5: routers that do not tell the length put extensions behind 128 octets; a checksum shows that they are some.
    match rest.split_at_checked(QUOTE_WITHOUT_LENGTH) {
        Some((quote, after)) => {
            let labels = extensions(after, true);
            if labels.is_empty() { (rest, labels) } else { (quote, labels) }
        }
        None => (rest, Vec::new()),
    }
}

#[cfg(test)]
mod tests;
