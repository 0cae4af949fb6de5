//! Long headers and the frames of an Initial packet (RFC 9000 sections 17.2, 19).

use super::Version;
use crate::reader::Reader;

/// Frames that are looked at in one packet: Chrome cuts its hello into about ten and mixes in PINGs.
const MAX_FRAMES: usize = 256;

/// The kinds of packet that matter here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Initial,
    /// 0-RTT or Handshake: has a length, so that what follows can be found.
    Other,
}

/// One packet with a long header and a length.
#[derive(Debug)]
pub(super) struct LongPacket<'a> {
    pub(super) kind: Kind,
    pub(super) version: Version,
    pub(super) destination: &'a [u8],
    /// The packet alone.
    pub(super) bytes: &'a [u8],
    /// Where the protected packet number stands in `bytes`.
    pub(super) number_at: usize,
    /// What follows in the datagram.
    pub(super) rest: &'a [u8],
}

impl<'a> LongPacket<'a> {
    pub(super) fn parse(datagram: &'a [u8]) -> Option<Self> {
        const LONG_AND_FIXED: u8 = 0xc0;
        let mut reader = Reader::new(datagram);
        let first = reader.u8().filter(|first| first & LONG_AND_FIXED == LONG_AND_FIXED)?;
        let version = Version::from_number(reader.u32()?)?;
        let destination = connection_id(&mut reader)?;
        connection_id(&mut reader)?;
        let kind = match ((first >> 4) & 0b11).wrapping_sub(version.initial_type()) & 0b11 {
            0 => Kind::Initial,
            3 => return None, // Retry: no length, and nothing follows
            _ => Kind::Other,
        };
        if kind == Kind::Initial {
            let token = usize::try_from(reader.varint()?).ok()?;
            reader.take(token)?;
        }
        let length = usize::try_from(reader.varint()?).ok()?;
        let number_at = datagram.len() - reader.rest().len();
        let (bytes, rest) = datagram.split_at_checked(number_at.checked_add(length)?)?;
        Some(Self { kind, version, destination, bytes, number_at, rest })
    }
}

/// At most 20 bytes in both versions (RFC 9000 section 17.2).
fn connection_id<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    reader.vector8().filter(|id| id.len() <= 20)
}

/// The CRYPTO frames of an opened Initial packet: offset and bytes. Ends at the first frame that has no place in one.
pub(super) fn crypto_frames(payload: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut reader = Reader::new(payload);
    let frames = std::iter::from_fn(move || next_frame(&mut reader));
    frames.take(MAX_FRAMES).flatten()
}

/// `Some(None)` for a frame that carries no CRYPTO bytes.
#[expect(clippy::option_option, reason = "the outer is the iterator's end, the inner a frame without bytes")]
fn next_frame<'a>(reader: &mut Reader<'a>) -> Option<Option<(u64, &'a [u8])>> {
    const PADDING: u8 = 0x00;
    const PING: u8 = 0x01;
    const ACK: u8 = 0x02;
    const ACK_ECN: u8 = 0x03;
    const CRYPTO: u8 = 0x06;
    match reader.u8()? {
        PADDING => {
            let run = reader.rest().iter().take_while(|byte| **byte == PADDING).count();
            reader.take(run)?;
            Some(None)
        }
        PING => Some(None),
        kind @ (ACK | ACK_ECN) => skip_ack(reader, kind == ACK_ECN).map(|()| None),
        CRYPTO => {
            let offset = reader.varint()?;
            let length = usize::try_from(reader.varint()?).ok()?;
            reader.take(length).map(|bytes| Some((offset, bytes)))
        }
        _ => None,
    }
}

/// RFC 9000 section 19.3.
fn skip_ack(reader: &mut Reader<'_>, with_ecn: bool) -> Option<()> {
    let (_largest, _delay, ranges, _first) = (reader.varint()?, reader.varint()?, reader.varint()?, reader.varint()?);
    let counts = if with_ecn { 3 } else { 0 };
    for _ in 0..ranges.saturating_mul(2).saturating_add(counts) {
        reader.varint()?;
    }
    Some(())
}
