//! What was lost, and why: ranges of positions and times that were acknowledged and are gone.
//!
//! They are kept in a small file that is replaced as a whole before the records go. Limits: [`MAX_GAPS`]; beyond it the two oldest are
//! joined, so that their range also covers what lies between them.

use std::io;

use netwatch_model::{Position, Timestamp};

use crate::files::{Files, read_whole, replace};

/// The most gaps that are remembered one by one.
pub const MAX_GAPS: usize = 256;

const MAGIC: [u8; 8] = *b"NWGAPS01";
const FILE: &str = "gaps";
/// Reason, first, last, from, to, records.
const ENTRY: usize = 6 * 8;

/// Why records are gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum GapReason {
    /// The log was full: the oldest had to go.
    Full,
    /// They were older than the log may keep them.
    Age,
    /// Their bytes were damaged or missing.
    Damaged,
}

impl GapReason {
    const ALL: [Self; 3] = [Self::Full, Self::Age, Self::Damaged];

    /// The word in messages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Age => "age",
            Self::Damaged => "damaged",
        }
    }
}

/// Records that are gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// Not before that time were they appended.
    pub from: Timestamp,
    /// Nor after that time.
    pub to: Timestamp,
    /// How many they were: at most as many as there are positions.
    pub records: u64,
}

impl Gap {
    /// Both as one; the reason of this one.
    fn joined(self, other: Self) -> Self {
        Self {
            reason: self.reason,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            records: self.records.saturating_add(other.records),
        }
    }
}

/// All gaps, in the order in which they were noted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Gaps(Vec<Gap>);

impl Gaps {
    pub(crate) fn all(&self) -> &[Gap] {
        &self.0
    }

    /// One after the last position that is gone.
    pub(crate) fn end(&self) -> Position {
        self.0.iter().map(|gap| gap.last.next()).max().unwrap_or_default()
    }

    /// Notes a gap; false when it was known.
    pub(crate) fn note(&mut self, gap: Gap) -> bool {
        if self.0.iter().any(|known| known.first <= gap.first && gap.last <= known.last) {
            return false;
        }
        match self.0.last_mut() {
            Some(last) if last.reason == gap.reason && last.last.next() == gap.first => *last = last.joined(gap),
            _ => self.0.push(gap),
        }
        if self.0.len() > MAX_GAPS {
            let oldest = self.0.remove(0);
            if let Some(second) = self.0.first_mut() {
                *second = oldest.joined(*second);
            }
        }
        true
    }

    /// What is on disk; nothing when that is damaged.
    pub(crate) fn read(files: &dyn Files) -> io::Result<Self> {
        let file = match files.open(FILE) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let most = MAGIC.len() + MAX_GAPS * ENTRY + 4;
        Ok(read_whole(&*file, most)?.and_then(|bytes| Self::decode(&bytes)).unwrap_or_default())
    }

    pub(crate) fn write(&self, files: &dyn Files) -> io::Result<()> {
        replace(files, FILE, &self.encode())
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for gap in &self.0 {
            let reason = GapReason::ALL.iter().position(|reason| *reason == gap.reason).unwrap_or_default() as u64;
            let (from, to) = (gap.from.nanos().cast_unsigned(), gap.to.nanos().cast_unsigned());
            for word in [reason, gap.first.0, gap.last.0, from, to, gap.records] {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk()?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let entries = body.strip_prefix(&MAGIC)?.chunks_exact(ENTRY);
        entries.map(decode_entry).collect::<Option<Vec<_>>>().map(Self)
    }
}

fn decode_entry(bytes: &[u8]) -> Option<Gap> {
    let mut words = bytes.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(*word.first_chunk()?)));
    let reason = *GapReason::ALL.get(usize::try_from(words.next()?).ok()?)?;
    let (first, last) = (Position(words.next()?), Position(words.next()?));
    let mut time = || Some(Timestamp::from_nanos(words.next()?.cast_signed()));
    let (from, to) = (time()?, time()?);
    Some(Gap { reason, first, last, from, to, records: words.next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(reason: GapReason, first: u64, last: u64) -> Gap {
        let at = |n| Timestamp::from_secs(i64::try_from(n).unwrap());
        Gap {
            reason,
            first: Position(first),
            last: Position(last),
            from: at(first),
            to: at(last),
            records: last - first + 1,
        }
    }

    #[test]
    fn neighbours_become_one_and_the_same_is_not_noted_twice() {
        let mut gaps = Gaps::default();
        assert!(gaps.note(gap(GapReason::Full, 1, 10)));
        assert!(gaps.note(gap(GapReason::Full, 11, 15)));
        assert!(!gaps.note(gap(GapReason::Damaged, 12, 13)));
        assert!(gaps.note(gap(GapReason::Damaged, 16, 16)));
        assert_eq!(gaps.all(), [gap(GapReason::Full, 1, 15), gap(GapReason::Damaged, 16, 16)]);
        assert_eq!(Gaps::decode(&gaps.encode()), Some(gaps));
    }

    #[test]
    fn the_oldest_are_joined_when_there_are_too_many() {
        let mut gaps = Gaps::default();
        for n in 0..2 * MAX_GAPS as u64 {
            gaps.note(gap(GapReason::Age, 10 * n + 1, 10 * n + 2));
        }
        assert_eq!(gaps.all().len(), MAX_GAPS);
        assert_eq!(gaps.all().iter().map(|gap| gap.records).sum::<u64>(), 4 * MAX_GAPS as u64);
        assert_eq!(gaps.all()[0].first, Position(1));
        assert_eq!(Gaps::decode(&gaps.encode()), Some(gaps));
    }
}
