//! The form of a segment: its name, its header, and the head of a record. All numbers are little endian.
//!
//! ```text
//! name     first position (20 digits) - salt (8 hexadecimal digits) .seg
//! header   "NWSPOOL1" │ salt u32 │ zero u32 │ first u64 │ expected u64 │ created i64 │ CRC32C u32 │ zero u32      48 bytes
//! record   "NWr\x01" │ length u32 │ position u64 │ time i64 │ CRC32C of payload u32 │ CRC32C of head u32 │ payload  32 + length
//! ```
//!
//! The salt is random and is part of the checksum of each head, so that what a disk or a payload holds from elsewhere is never taken
//! for a record of this segment. It is in the name too: a damaged header costs no record. `expected` is one after the last durable
//! record before this segment: what is missing there was lost, what was never acknowledged is not missed. Times are nanoseconds
//! since 1970.

use netwatch_model::{Position, Timestamp};

/// The longest record, bytes.
pub const MAX_RECORD: usize = 16 << 20;

/// Bytes of a segment's header.
pub const HEADER: usize = 48;
/// Bytes of a record's head.
pub const HEAD: usize = 32;

const MAGIC: [u8; 8] = *b"NWSPOOL1";
/// How every record begins.
pub(crate) const MARK: [u8; 4] = *b"NWr\x01";
const SUFFIX: &str = ".seg";

/// What the name of a segment tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name {
    /// Position of its first record.
    pub first: Position,
    /// Part of the checksums.
    pub salt: u32,
}

/// What the header of a segment tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// As in the name.
    pub name: Name,
    /// One after the last durable record before this segment.
    pub expected: Position,
    /// When it was begun.
    pub created: Timestamp,
}

/// What stands in front of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Bytes of the payload.
    pub length: u32,
    /// Its place in the log.
    pub position: Position,
    /// When it was appended.
    pub time: Timestamp,
    /// Checksum of the payload.
    pub checksum: u32,
}

impl Name {
    /// As a file name.
    #[must_use]
    pub fn to_file(self) -> String {
        format!("{:020}-{:08x}{SUFFIX}", self.first.0, self.salt)
    }

    /// From a file name; none when it is not that of a segment.
    #[must_use]
    pub fn parse(file: &str) -> Option<Self> {
        let (first, salt) = file.strip_suffix(SUFFIX)?.split_once('-')?;
        let name = Self { first: Position(first.parse().ok()?), salt: u32::from_str_radix(salt, 16).ok()? };
        (name.to_file() == file).then_some(name)
    }
}

impl Header {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        put(&mut out, 0, MAGIC);
        put(&mut out, 8, self.name.salt.to_le_bytes());
        put(&mut out, 16, self.name.first.0.to_le_bytes());
        put(&mut out, 24, self.expected.0.to_le_bytes());
        put(&mut out, 32, self.created.nanos().to_le_bytes());
        let checksum = crc32c::crc32c(&out[..40]);
        put(&mut out, 40, checksum.to_le_bytes());
        out
    }

    /// From bytes; none when they are damaged.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let is_whole = bytes.starts_with(&MAGIC) && crc32c::crc32c(bytes.get(..40)?) == get_u32(bytes, 40)?;
        is_whole.then_some(Self {
            name: Name { first: Position(get_u64(bytes, 16)?), salt: get_u32(bytes, 8)? },
            expected: Position(get_u64(bytes, 24)?),
            created: Timestamp::from_nanos(get_u64(bytes, 32)?.cast_signed()),
        })
    }
}

impl Head {
    /// Of a payload of at most [`MAX_RECORD`] bytes.
    #[must_use]
    pub fn of(payload: &[u8], position: Position, time: Timestamp) -> Option<Self> {
        let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= MAX_RECORD)?;
        Some(Self { length, position, time, checksum: crc32c::crc32c(payload) })
    }

    /// As bytes, in a segment of that salt.
    #[must_use]
    pub fn encode(&self, salt: u32) -> [u8; HEAD] {
        let mut out = [0; HEAD];
        put(&mut out, 0, MARK);
        put(&mut out, 4, self.length.to_le_bytes());
        put(&mut out, 8, self.position.0.to_le_bytes());
        put(&mut out, 16, self.time.nanos().to_le_bytes());
        put(&mut out, 24, self.checksum.to_le_bytes());
        let checksum = crc32c::crc32c_append(salt, &out[..28]);
        put(&mut out, 28, checksum.to_le_bytes());
        out
    }

    /// From bytes of a segment of that salt; none when they are damaged.
    #[must_use]
    pub fn decode(bytes: &[u8], salt: u32) -> Option<Self> {
        let is_whole = bytes.starts_with(&MARK) && crc32c::crc32c_append(salt, bytes.get(..28)?) == get_u32(bytes, 28)?;
        let length = get_u32(bytes, 4)?;
        (is_whole && length as usize <= MAX_RECORD).then_some(Self {
            length,
            position: Position(get_u64(bytes, 8)?),
            time: Timestamp::from_nanos(get_u64(bytes, 16)?.cast_signed()),
            checksum: get_u32(bytes, 24)?,
        })
    }

    /// Bytes of the whole record.
    #[must_use]
    pub const fn size(&self) -> u64 {
        HEAD as u64 + self.length as u64
    }
}

fn put<const N: usize>(out: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = out.get_mut(at..at + N) {
        place.copy_from_slice(&bytes);
    }
}

fn get_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn get_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: Name = Name { first: Position(42), salt: 0xdead_beef };

    #[test]
    fn names_sort_as_positions_do() {
        assert_eq!(NAME.to_file(), "00000000000000000042-deadbeef.seg");
        assert_eq!(Name::parse(&NAME.to_file()), Some(NAME));
        for other in
            ["lock", "42-deadbeef.seg", "00000000000000000042-DEADBEEF.seg", "+0000000000000000042-deadbeef.seg"]
        {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_seen(position in any::<u64>(), nanos in any::<i64>(), payload in any::<Vec<u8>>(), bit in 0..HEADER * 8) {
            let (position, time) = (Position(position), Timestamp::from_nanos(nanos));
            let header = Header { name: NAME, expected: position, created: time };
            let mut bytes = header.encode();
            prop_assert_eq!(Header::decode(&bytes), Some(header));
            bytes[bit / 8] ^= 1 << (bit % 8);
            // The last four bytes have no meaning, and the four after the salt are covered but not read.
            prop_assert!(Header::decode(&bytes).is_none() == (bit / 8 < 44));

            let head = Head::of(&payload, position, time).unwrap();
            let mut bytes = head.encode(NAME.salt);
            prop_assert_eq!(Head::decode(&bytes, NAME.salt), Some(head));
            prop_assert_eq!(Head::decode(&bytes, NAME.salt ^ 1), None);
            bytes[bit / 8 % HEAD] ^= 1 << (bit % 8);
            prop_assert_eq!(Head::decode(&bytes, NAME.salt), None);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in any::<Vec<u8>>(), file in ".*") {
            let _whatever = (Header::decode(&bytes), Head::decode(&bytes, 1), Name::parse(&file));
        }
    }
}
