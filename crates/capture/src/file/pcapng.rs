//! The block format (draft-ietf-opsawg-pcapng): sections, capture points with their own clocks, packets with directions.
//!
//! Blocks of other kinds are passed over. Capture points are numbered through the whole file; a new section begins its own count.

use netwatch_model::{Direction, Timestamp, Untrusted};

use super::{MAX_BLOCK, Packet, Step};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Block type and length before a block's body, and the length again behind it.
const HEAD: usize = 8;
const TAIL: usize = 4;

/// The section that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    big_endian: bool,
    /// The number of the section's first capture point in the file.
    first: usize,
    clocks: Vec<Clock>,
    /// For packets without a time.
    last: Timestamp,
}

/// How a capture point tells the time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Units in a second.
    per_second: u64,
    /// Seconds to add.
    offset: i64,
    snap_length: u32,
}

impl Section {
    /// Whether a file begins with a section header.
    pub(super) fn begins(octets: &[u8]) -> bool {
        octets.starts_with(&SECTION_HEADER.to_be_bytes()) && octets.get(8..12).is_some_and(|m| order(m).is_some())
    }

    /// What stands at the beginning of `octets`.
    pub(super) fn step(&mut self, octets: &[u8]) -> Step {
        let Some(head) = octets.first_chunk::<12>() else { return Step::More(12) };
        let section = head.starts_with(&SECTION_HEADER.to_be_bytes());
        if section {
            let Some(big_endian) = order(&head[8..12]) else {
                return Step::Damaged("a section has no order of octets");
            };
            self.big_endian = big_endian;
        }
        let used = self.word(head, 4) as usize;
        if used < HEAD + TAIL || !used.is_multiple_of(4) || used > MAX_BLOCK {
            return Step::Damaged("the length of a block makes no sense");
        }
        let Some(block) = octets.get(..used) else { return Step::More(used) };
        if self.word(block, used - TAIL) as usize != used {
            return Step::Damaged("the two lengths of a block differ");
        }
        let body = block.get(HEAD..used - TAIL).unwrap_or_default();
        let step = match self.word(head, 0) {
            _ if section => {
                self.first += self.clocks.len();
                self.clocks.clear();
                Some(Step::Skip(used))
            }
            INTERFACE_DESCRIPTION => self.point(body, used),
            ENHANCED_PACKET => self.enhanced(body, used),
            OLD_PACKET => self.old(body, used),
            SIMPLE_PACKET => self.simple(body, used),
            _ => Some(Step::Skip(used)),
        };
        step.unwrap_or(Step::Damaged("a block is too short for what it says"))
    }

    fn point(&mut self, body: &[u8], used: usize) -> Option<Step> {
        let link_type = self.half(body, 0)?;
        let mut clock = Clock { per_second: 1_000_000, offset: 0, snap_length: self.word_at(body, 4)? };
        let mut name = None;
        for (code, value) in self.options(body.get(8..)?) {
            match code {
                2 => name = Some(Untrusted::from_bytes(value)),
                9 => clock.per_second = units(*value.first()?),
                14 => clock.offset = self.long(value)?,
                _ => {}
            }
        }
        self.clocks.push(clock);
        Some(Step::Point { used, link_type, name: name.filter(|name| !name.is_empty()) })
    }

    fn enhanced(&mut self, body: &[u8], used: usize) -> Option<Step> {
        let point = self.word_at(body, 0)? as usize;
        let units = u64::from(self.word_at(body, 4)?) << 32 | u64::from(self.word_at(body, 8)?);
        let (captured, wire_length) = (self.word_at(body, 12)? as usize, self.word_at(body, 16)?);
        self.packet(body, used, 20, (point, units, captured, wire_length))
    }

    fn old(&mut self, body: &[u8], used: usize) -> Option<Step> {
        let point = usize::from(self.half(body, 0)?);
        let units = u64::from(self.word_at(body, 4)?) << 32 | u64::from(self.word_at(body, 8)?);
        let (captured, wire_length) = (self.word_at(body, 12)? as usize, self.word_at(body, 16)?);
        self.packet(body, used, 20, (point, units, captured, wire_length))
    }

    /// A packet without time: that of the one before it.
    fn simple(&mut self, body: &[u8], used: usize) -> Option<Step> {
        let wire_length = self.word_at(body, 0)?;
        let Some(clock) = self.clocks.first() else { return Some(NO_POINT) };
        let limit = if clock.snap_length == 0 { u32::MAX } else { clock.snap_length };
        let end = HEAD + 4 + wire_length.min(limit) as usize;
        let data = HEAD + 4..end;
        (end <= HEAD + body.len()).then_some(())?;
        let packet = Packet { time: self.last, data, wire_length, point: self.first, direction: None };
        Some(Step::Packet { used, packet })
    }

    fn packet(&mut self, body: &[u8], used: usize, head: usize, told: (usize, u64, usize, u32)) -> Option<Step> {
        let (point, units, captured, wire_length) = told;
        let Some(clock) = self.clocks.get(point) else { return Some(NO_POINT) };
        let end = head.checked_add(captured)?;
        body.get(head..end)?;
        self.last = clock.time(units);
        let options = body.get(end.next_multiple_of(4)..).unwrap_or_default();
        let direction = self.options(options).find(|(code, _)| *code == 2).and_then(|(_, flags)| self.direction(flags));
        let data = HEAD + head..HEAD + end;
        let packet = Packet { time: self.last, data, wire_length, point: self.first + point, direction };
        Some(Step::Packet { used, packet })
    }

    /// The lowest two bits of `epb_flags`.
    fn direction(&self, flags: &[u8]) -> Option<Direction> {
        match self.word_at(flags, 0)? & 3 {
            1 => Some(Direction::In),
            2 => Some(Direction::Out),
            _ => None,
        }
    }

    /// Options up to their end, or up to one that does not fit.
    fn options<'a>(&self, octets: &'a [u8]) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let big_endian = self.big_endian;
        let mut rest = octets;
        std::iter::from_fn(move || {
            let head = rest.first_chunk::<4>()?;
            let (code, length) = (half(big_endian, [head[0], head[1]]), half(big_endian, [head[2], head[3]]));
            let value = rest.get(4..4 + usize::from(length))?;
            rest = rest.get(4 + usize::from(length).next_multiple_of(4)..).unwrap_or_default();
            (code != 0).then_some((code, value))
        })
    }

    fn word(&self, octets: &[u8], at: usize) -> u32 {
        self.word_at(octets, at).unwrap_or(0)
    }

    fn word_at(&self, octets: &[u8], at: usize) -> Option<u32> {
        let word = *octets.get(at..)?.first_chunk::<4>()?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }

    fn half(&self, octets: &[u8], at: usize) -> Option<u16> {
        Some(half(self.big_endian, *octets.get(at..)?.first_chunk::<2>()?))
    }

    fn long(&self, octets: &[u8]) -> Option<i64> {
        let long = *octets.first_chunk::<8>()?;
        Some(if self.big_endian { i64::from_be_bytes(long) } else { i64::from_le_bytes(long) })
    }
}

impl Clock {
    /// Saturates at the ends of what a [`Timestamp`] can tell.
    fn time(&self, units: u64) -> Timestamp {
        let nanos = if self.per_second == 1_000_000_000 {
            i128::from(units)
        } else {
            i128::from(units) * 1_000_000_000 / i128::from(self.per_second)
        };
        let nanos = nanos + i128::from(self.offset) * 1_000_000_000;
        let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
        Timestamp::from_nanos(i64::try_from(nanos.clamp(least, most)).unwrap_or(i64::MAX))
    }
}

const NO_POINT: Step = Step::Damaged("a packet names a capture point that was not described");

/// Whether the byte-order magic is that of a big-endian writer; nothing when it is none.
fn order(magic: &[u8]) -> Option<bool> {
    match magic {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(true),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(false),
        _ => None,
    }
}

/// `if_tsresol`: a negative power of ten, or of two when the highest bit is set. What does not fit is taken as the finest.
fn units(resolution: u8) -> u64 {
    let power = u32::from(resolution & 0x7f);
    if resolution & 0x80 == 0 { 10_u64.saturating_pow(power) } else { 1_u64.checked_shl(power).unwrap_or(1 << 63) }
}

const fn half(big_endian: bool, octets: [u8; 2]) -> u16 {
    if big_endian { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) }
}
