//! The classic format: a header of 24 octets, then packets (draft-ietf-opsawg-pcap). Micro- and nanoseconds, both orders of octets.

use netwatch_model::Timestamp;

use super::{MAX_BLOCK, Packet, Step};

/// Octets of the file header.
pub(super) const HEADER: usize = 24;
/// Octets of a packet's header.
const RECORD: usize = 16;

/// What the file header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    big_endian: bool,
    nanos_per_unit: i64,
}

impl Header {
    /// Reads a file header and the link type in it; nothing when it is none.
    pub(super) fn read(octets: &[u8]) -> Option<(Self, u16)> {
        let head = octets.first_chunk::<HEADER>()?;
        let (big_endian, nanos_per_unit) = match [head[0], head[1], head[2], head[3]] {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            _ => return None,
        };
        let header = Self { big_endian, nanos_per_unit };
        // The upper bits tell about check sequences.
        let link_type = (header.word(head, 20) & 0xffff) as u16;
        Some((header, link_type))
    }

    /// What stands at the beginning of `octets`.
    pub(super) fn step(&self, octets: &[u8]) -> Step {
        let Some(head) = octets.first_chunk::<RECORD>() else { return Step::More(RECORD) };
        let [seconds, fraction, captured, wire_length] = [0, 4, 8, 12].map(|at| self.word(head, at));
        let used = RECORD + captured as usize;
        if used > MAX_BLOCK {
            return Step::Damaged("a packet says that it is longer than 16 MiB");
        }
        if octets.len() < used {
            return Step::More(used);
        }
        let time = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.nanos_per_unit;
        let time = Timestamp::from_nanos(time);
        Step::Packet { used, packet: Packet { time, data: RECORD..used, wire_length, point: 0, direction: None } }
    }

    fn word<const N: usize>(&self, octets: &[u8; N], at: usize) -> u32 {
        let word = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
        if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }
}
