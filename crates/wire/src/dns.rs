//! DNS messages: which names the addresses on the wire were asked for.
//!
//! A response tells that an address was found for a name (RFC 1035). The chain of aliases (CNAME) from the question to the address
//! is followed, so that the address gets the name that the user asked for, not that of the content network behind it. Multicast DNS
//! (RFC 6762) announces its own names without a question: there the owner is the name.
//!
//! Limits: [`MAX_RECORDS`] records, [`MAX_ANSWERS`] addresses, [`MAX_ALIASES`] aliases; names of 255 bytes on the wire, compression
//! that points backwards only. DNS over TLS, HTTPS or QUIC is encrypted and shows nothing.

mod name;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netwatch_model::Untrusted;

use self::name::Name;

/// Records of a message that are looked at.
pub const MAX_RECORDS: usize = 256;

/// Addresses of a message that are kept.
pub const MAX_ANSWERS: usize = 64;

/// Aliases of a message that are kept.
pub const MAX_ALIASES: usize = 16;

/// Why bytes are not a DNS message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DnsError {
    /// The message ends before what it announces.
    #[error("the DNS message is cut short")]
    Short,
    /// A name is too long, has a reserved label type, or points forwards.
    #[error("the DNS message has a malformed name")]
    Name,
    /// The header is not that of a DNS query or response.
    #[error("the bytes are not a DNS message")]
    NotDns,
}

/// An address and the name that it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The address.
    pub address: IpAddr,
    /// The name of the question, or the owner in multicast DNS. Lower case.
    pub name: Untrusted,
    /// Seconds to live: the least of the records on the way.
    pub ttl: u32,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// A response, else a query.
    pub is_response: bool,
    /// Response code of the header (RFC 1035 section 4.1.1): 0 is no error, 3 no such name.
    pub rcode: u8,
    /// The name of the first question, in lower case.
    pub question: Option<Untrusted>,
    /// Addresses, for responses without error.
    pub answers: Vec<Answer>,
    /// Whether the message was cut, by the server (TC bit) or by the capture: `answers` may lack some.
    pub is_truncated: bool,
}

/// Reads a message as it stands in a UDP datagram.
///
/// # Errors
/// When the header or a question is not that of DNS. Records that cannot be read end the list of answers.
pub fn message(bytes: &[u8]) -> Result<Message, DnsError> {
    let header = Header::parse(bytes)?;
    let mut cursor = Cursor { bytes, at: Header::LENGTH };
    let mut question = None;
    for _ in 0..header.questions {
        let name = cursor.name()?;
        cursor.skip(4)?;
        question.get_or_insert(name);
    }
    let mut message = Message {
        is_response: header.is_response,
        rcode: header.rcode,
        question: question.as_ref().map(Name::to_untrusted),
        answers: Vec::new(),
        is_truncated: header.is_truncated,
    };
    if header.is_response && header.rcode == 0 {
        // RFC 6762 section 6: multicast responses have no question, and give addresses as additional records.
        let records = if question.is_some() { header.answers } else { header.records };
        let (found, whole) = Records::read(&mut cursor, records);
        message.answers = found.answers(question);
        message.is_truncated |= !whole;
    }
    Ok(message)
}

/// The first message of a TCP stream, where each stands behind a length of two bytes (RFC 7766 section 8).
///
/// `None` when the stream has not all of it yet.
#[must_use]
pub fn tcp_message(stream: &[u8]) -> Option<&[u8]> {
    crate::reader::Reader::new(stream).vector16()
}

struct Header {
    is_response: bool,
    is_truncated: bool,
    rcode: u8,
    questions: usize,
    answers: usize,
    /// Answers, authorities and additional records.
    records: usize,
}

impl Header {
    const LENGTH: usize = 12;

    fn parse(bytes: &[u8]) -> Result<Self, DnsError> {
        let [_, _, high, low, counts @ ..] = bytes.first_chunk::<{ Self::LENGTH }>().ok_or(DnsError::Short)?;
        let count = |index: usize| match counts.get(index..index + 2) {
            Some([a, b]) => usize::from(u16::from_be_bytes([*a, *b])),
            _ => 0,
        };
        let opcode = (high >> 3) & 0x0f;
        if opcode != 0 || low & 0x40 != 0 || count(0) > 16 {
            return Err(DnsError::NotDns); // not QUERY, or the reserved bit is set, or no server would answer that
        }
        Ok(Self {
            is_response: high & 0x80 != 0,
            is_truncated: high & 0x02 != 0,
            rcode: low & 0x0f,
            questions: count(0),
            answers: count(2),
            records: count(2) + count(4) + count(6),
        })
    }
}

#[derive(Default)]
struct Records {
    addresses: Vec<(Name, IpAddr, u32)>,
    aliases: Vec<(Name, Name, u32)>,
}

impl Records {
    /// Reads up to `count` records; false when some were announced and could not be read.
    fn read(cursor: &mut Cursor<'_>, count: usize) -> (Self, bool) {
        let mut records = Self::default();
        for _ in 0..count.min(MAX_RECORDS) {
            if records.read_one(cursor).is_err() {
                return (records, false);
            }
        }
        (records, count <= MAX_RECORDS)
    }

    fn read_one(&mut self, cursor: &mut Cursor<'_>) -> Result<(), DnsError> {
        const INTERNET: u16 = 1;
        const CACHE_FLUSH: u16 = 0x8000; // RFC 6762 section 10.2
        let owner = cursor.name()?;
        let (kind, class) = (cursor.u16()?, cursor.u16()?);
        let ttl = cursor.u32()?;
        let length = usize::from(cursor.u16()?);
        let mut data = Cursor { bytes: cursor.bytes, at: cursor.at };
        cursor.skip(length)?;
        if class & !CACHE_FLUSH != INTERNET {
            return Ok(());
        }
        match (kind, length) {
            (1, 4) => self.add_address(owner, Ipv4Addr::from(data.array::<4>()?).into(), ttl),
            (28, 16) => self.add_address(owner, Ipv6Addr::from(data.array::<16>()?).into(), ttl),
            (5, _) if self.aliases.len() < MAX_ALIASES => self.aliases.push((owner, data.name()?, ttl)),
            _ => {}
        }
        Ok(())
    }

    fn add_address(&mut self, owner: Name, address: IpAddr, ttl: u32) {
        if self.addresses.len() < MAX_ANSWERS {
            self.addresses.push((owner, address, ttl));
        }
    }

    fn answers(self, question: Option<Name>) -> Vec<Answer> {
        let Some(question) = question else {
            let own = |(owner, address, ttl): (Name, IpAddr, u32)| Answer { address, name: owner.to_untrusted(), ttl };
            return self.addresses.into_iter().map(own).collect();
        };
        let chain = self.chain(&question);
        let name = question.to_untrusted();
        let reached = |owner: &Name| chain.iter().find(|(link, _)| *link == owner).map(|(_, ttl)| *ttl);
        self.addresses
            .iter()
            .filter_map(|(owner, address, ttl)| Some((address, (*ttl).min(reached(owner)?))))
            .map(|(address, ttl)| Answer { address: *address, name: name.clone(), ttl })
            .collect()
    }

    /// The names that stand for the question's, with the least time to live up to there.
    fn chain<'a>(&'a self, question: &'a Name) -> Vec<(&'a Name, u32)> {
        let mut chain = vec![(question, u32::MAX)];
        for _ in 0..self.aliases.len() {
            let Some((last, least)) = chain.last().copied() else { break };
            let next = self.aliases.iter().find(|(owner, ..)| owner == last);
            let Some((_, target, ttl)) = next else { break };
            chain.push((target, least.min(*ttl)));
        }
        chain
    }
}

/// A place in a message: names may point back to any byte of it.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn name(&mut self) -> Result<Name, DnsError> {
        let (name, next) = Name::parse(self.bytes, self.at)?;
        self.at = next;
        Ok(name)
    }

    fn skip(&mut self, count: usize) -> Result<(), DnsError> {
        let next = self.at.checked_add(count).filter(|next| *next <= self.bytes.len());
        self.at = next.ok_or(DnsError::Short)?;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DnsError> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        self.at += N;
        found.copied().ok_or(DnsError::Short)
    }

    fn u16(&mut self) -> Result<u16, DnsError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, DnsError> {
        self.array().map(u32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests;
