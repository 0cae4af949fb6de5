//! STAMP test packets (RFC 8762) with their extensions (RFC 8972), and those of TWAMP-light peers (RFC 5357, Appendix I).
//!
//! A sender numbers and stamps its packets ([`Sent`]); a reflector sends each back with two stamps and a number of its own
//! ([`Reflected`]). With a [`Key`] both are authenticated (HMAC-SHA-256 cut to 128 bits, RFC 8762, 4.4), and so are the extensions
//! ([`tlv`]). A TWAMP-light peer sends at least 14 octets and answers with at least 41, which are the heads of the same layout.
//!
//! Limits: [`tlv::MAX_TLVS`] extensions of a packet are looked at. Authenticated mode needs the key of both sides beforehand; RFC 8762
//! leaves its exchange to the operator. Access report and follow-up telemetry are not answered.

mod key;
pub mod reflect;
pub mod time;
pub mod tlv;

use self::time::{ErrorEstimate, StampTime};
use crate::reader::Reader;

pub use self::key::Key;

/// The UDP port of reflectors.
pub const PORT: u16 = 862;
/// Octets of a packet of either side without authentication.
pub const LENGTH: usize = 44;
/// Octets of a packet of either side with authentication.
pub const AUTHENTICATED_LENGTH: usize = 112;
/// Octets that an HMAC covers: all before it.
const COVERED: usize = 96;
/// Least octets of a sender of TWAMP-light.
pub const TWAMP_SENDER_LENGTH: usize = 14;
/// Least octets of an answer of TWAMP-light.
pub const TWAMP_REFLECTOR_LENGTH: usize = 41;

/// Why octets are not a test packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StampError {
    /// Too few octets.
    #[error("the packet has {length} octets, and a test packet has at least {least}")]
    Short {
        /// How many there are.
        length: usize,
        /// How many it must have.
        least: usize,
    },
    /// The HMAC is not that of our key.
    #[error("the packet is not authentic: its HMAC is not that of our key")]
    NotAuthentic,
    /// The multiplier of the error estimate is zero (RFC 4656, 4.1.2: such a packet is thrown away).
    #[error("the error estimate of the packet has the multiplier zero, which is not allowed")]
    ErrorEstimate,
}

/// What a sender says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// Counts the packets of a session.
    pub sequence: u32,
    /// T1: when it left.
    pub time: StampTime,
    /// How far the sender trusts its clock.
    pub error: ErrorEstimate,
    /// Session identifier (SSID, RFC 8972 section 3); 0 for none. With the source address it tells sessions apart.
    pub session: u16,
}

/// What a reflector says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reflected {
    /// Counts the packets that the reflector sent in this session; a stateless reflector repeats the sender's number.
    pub sequence: u32,
    /// T3: when the answer left.
    pub time: StampTime,
    /// How far the reflector trusts its clock.
    pub error: ErrorEstimate,
    /// T2: when the sender's packet arrived.
    pub received: StampTime,
    /// What the sender said; its session is the one of the answer.
    pub sent: Sent,
    /// Time to live, or hop limit, with which the sender's packet arrived.
    pub ttl: u8,
}

/// A packet without extensions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    bytes: [u8; AUTHENTICATED_LENGTH],
    length: usize,
}

impl AsRef<[u8]> for Base {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

/// Octets of a packet without its extensions.
#[must_use]
pub const fn base_length(authenticated: bool) -> usize {
    if authenticated { AUTHENTICATED_LENGTH } else { LENGTH }
}

impl Sent {
    /// Writes it: with a key as RFC 8762, 4.2.2 (figure 3), else as 4.2.1 (figure 2).
    #[must_use]
    pub fn encode(&self, key: Option<&Key>) -> Base {
        let mut writer = Writer::new(key);
        writer.put(&self.sequence.to_be_bytes());
        writer.zeros_if(key.is_some(), 12);
        writer.put(&self.time.to_bytes());
        writer.put(&self.error.to_bytes());
        writer.put(&self.session.to_be_bytes());
        writer.finish(key)
    }

    /// Reads it; what follows are extensions or padding.
    ///
    /// # Errors
    /// When it is too short, not authentic, or says that its error estimate is none.
    pub fn decode(bytes: &[u8], key: Option<&Key>) -> Result<Self, StampError> {
        let least = if key.is_some() { AUTHENTICATED_LENGTH } else { TWAMP_SENDER_LENGTH };
        let short = StampError::Short { length: bytes.len(), least };
        let bytes = verified(bytes, key, short)?;
        let mut reader = Reader::new(bytes);
        let mut sent = Self { sequence: reader.u32().ok_or(short)?, ..Self::default() };
        skip_if(key.is_some(), &mut reader, 12).ok_or(short)?;
        sent.time = StampTime::from_bytes(reader.array().ok_or(short)?);
        sent.error = estimate(&mut reader, short)?;
        let session = reader.u16().unwrap_or(0);
        // TWAMP pads with what it likes, from octet 14 on; in STAMP zeros follow the session (MBZ).
        let rest = if key.is_some() { COVERED } else { LENGTH };
        let zeros = bytes.get(TWAMP_SENDER_LENGTH + 2..rest).is_some_and(|mbz| mbz.iter().all(|octet| *octet == 0));
        sent.session = if key.is_some() || zeros { session } else { 0 };
        Ok(sent)
    }
}

impl Reflected {
    /// Writes it: with a key as RFC 8762, 4.3.2 (figure 7), else as 4.3.1 (figure 6). For a TWAMP-light peer, cut it to the length of
    /// the request, but not below [`TWAMP_REFLECTOR_LENGTH`].
    #[must_use]
    pub fn encode(&self, key: Option<&Key>) -> Base {
        let wide = key.is_some();
        let mut writer = Writer::new(key);
        writer.put(&self.sequence.to_be_bytes());
        writer.zeros_if(wide, 12);
        writer.put(&self.time.to_bytes());
        writer.put(&self.error.to_bytes());
        writer.put(&self.sent.session.to_be_bytes());
        writer.zeros_if(wide, 4);
        writer.put(&self.received.to_bytes());
        writer.zeros_if(wide, 8);
        writer.put(&self.sent.sequence.to_be_bytes());
        writer.zeros_if(wide, 12);
        writer.put(&self.sent.time.to_bytes());
        writer.put(&self.sent.error.to_bytes());
        writer.zeros_if(true, 2);
        writer.zeros_if(wide, 4);
        writer.put(&[self.ttl]);
        writer.finish(key)
    }

    /// Reads it; what follows are extensions or padding.
    ///
    /// # Errors
    /// When it is too short, not authentic, or says that its error estimate is none.
    pub fn decode(bytes: &[u8], key: Option<&Key>) -> Result<Self, StampError> {
        let wide = key.is_some();
        let least = if wide { AUTHENTICATED_LENGTH } else { TWAMP_REFLECTOR_LENGTH };
        let short = StampError::Short { length: bytes.len(), least };
        let bytes = verified(bytes, key, short)?;
        let mut reader = Reader::new(bytes);
        let skip = |reader: &mut Reader<'_>, count| skip_if(wide, reader, count).ok_or(short);
        let mut answer = Self { sequence: reader.u32().ok_or(short)?, ..Self::default() };
        skip(&mut reader, 12)?;
        answer.time = StampTime::from_bytes(reader.array().ok_or(short)?);
        answer.error = estimate(&mut reader, short)?;
        answer.sent.session = reader.u16().ok_or(short)?;
        skip(&mut reader, 4)?;
        answer.received = StampTime::from_bytes(reader.array().ok_or(short)?);
        skip(&mut reader, 8)?;
        answer.sent.sequence = reader.u32().ok_or(short)?;
        skip(&mut reader, 12)?;
        answer.sent.time = StampTime::from_bytes(reader.array().ok_or(short)?);
        answer.sent.error = ErrorEstimate::from_bytes(reader.array().ok_or(short)?);
        reader.take(2).ok_or(short)?;
        skip(&mut reader, 4)?;
        answer.ttl = reader.u8().ok_or(short)?;
        Ok(answer)
    }
}

/// The octets, once their number and their HMAC are right.
fn verified<'a>(bytes: &'a [u8], key: Option<&Key>, short: StampError) -> Result<&'a [u8], StampError> {
    let StampError::Short { least, .. } = short else { return Err(short) };
    if bytes.len() < least {
        return Err(short);
    }
    if let (Some(key), Some(base)) = (key, bytes.first_chunk::<AUTHENTICATED_LENGTH>()) {
        let (covered, tag) = base.split_at(COVERED);
        if !key.is_tag(&[covered], tag) {
            return Err(StampError::NotAuthentic);
        }
    }
    Ok(bytes)
}

fn estimate(reader: &mut Reader<'_>, short: StampError) -> Result<ErrorEstimate, StampError> {
    let error = ErrorEstimate::from_bytes(reader.array().ok_or(short)?);
    if error.is_valid() { Ok(error) } else { Err(StampError::ErrorEstimate) }
}

fn skip_if(wide: bool, reader: &mut Reader<'_>, count: usize) -> Option<()> {
    if wide { reader.take(count).map(|_| ()) } else { Some(()) }
}

/// Puts fields one after the other.
struct Writer {
    base: Base,
    at: usize,
}

impl Writer {
    const fn new(key: Option<&Key>) -> Self {
        let length = base_length(key.is_some());
        Self { base: Base { bytes: [0; AUTHENTICATED_LENGTH], length }, at: 0 }
    }

    fn put(&mut self, field: &[u8]) {
        if let Some(place) = self.base.bytes.get_mut(self.at..self.at + field.len()) {
            place.copy_from_slice(field);
        }
        self.at += field.len();
    }

    /// Fields that must be zero, which only the authenticated layout has, or both.
    const fn zeros_if(&mut self, present: bool, count: usize) {
        if present {
            self.at += count;
        }
    }

    fn finish(mut self, key: Option<&Key>) -> Base {
        if let Some(key) = key {
            let (covered, tag) = self.base.bytes.split_at_mut(COVERED);
            tag.copy_from_slice(&key.tag(&[covered]));
        }
        self.base
    }
}

#[cfg(test)]
mod tests;
