//! How far a consumer has what it needs, and what it wants to remember with that: a small file that is replaced as a whole.
//!
//! It also says where the log ended then, so that a log that is empty knows which positions were used.
//! A damaged one counts as absent: the consumer reads again from the beginning of the log, and must know for itself what it has.

use std::io;

use netwatch_model::Position;

use crate::files::{File, Files, read_whole, replace, write_all};

/// The longest state of a consumer, bytes.
pub const MAX_STATE: usize = 4 << 20;

const MAGIC: [u8; 8] = *b"NWCHECK1";
const PREFIX: &str = "consumer-";
const END: &str = "end";
/// Magic, two positions, checksum.
const FRAME: usize = 8 + 2 * 8 + 4;

/// What a consumer has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checkpoint {
    /// The first record that it still needs.
    pub next: Position,
    /// Its own, at most [`MAX_STATE`] bytes.
    pub state: Vec<u8>,
}

impl Checkpoint {
    /// The checkpoint, and one after the last durable record of that time.
    pub(crate) fn read(files: &dyn Files, consumer: &str) -> io::Result<Option<(Self, Position)>> {
        Self::read_file(files, &file_of(consumer))
    }

    /// Whether there is one, intact or not.
    pub(crate) fn is_there(files: &dyn Files, consumer: &str) -> bool {
        !files.open(&file_of(consumer)).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn write(&self, files: &dyn Files, consumer: &str, end: Position) -> io::Result<()> {
        replace(files, &file_of(consumer), &self.encode(end))
    }

    fn read_file(files: &dyn Files, name: &str) -> io::Result<Option<(Self, Position)>> {
        let file = match files.open(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(read_whole(&*file, MAX_STATE + FRAME)?.and_then(|bytes| Self::decode(&bytes)))
    }

    fn encode(&self, end: Position) -> Vec<u8> {
        let mut out = Vec::with_capacity(FRAME + self.state.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.next.0.to_le_bytes());
        out.extend_from_slice(&end.0.to_le_bytes());
        out.extend_from_slice(&self.state);
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<(Self, Position)> {
        let (body, checksum) = bytes.split_last_chunk()?;
        let rest = body.strip_prefix(&MAGIC)?;
        let (next, rest) = rest.split_first_chunk()?;
        let (end, state) = rest.split_first_chunk()?;
        let is_whole = crc32c::crc32c(body) == u32::from_le_bytes(*checksum);
        let position = |bytes: &[u8; 8]| Position(u64::from_le_bytes(*bytes));
        is_whole.then(|| (Self { next: position(next), state: state.to_vec() }, position(end)))
    }
}

/// Where the log ended when somebody last said so; zero when nobody knows.
pub(crate) fn read_end(files: &dyn Files) -> Position {
    Checkpoint::read_file(files, END).ok().flatten().map_or(Position::ZERO, |(_, end)| end)
}

/// The log is closed, and ends there: what is then missing at the next start was lost, and not merely never written.
pub(crate) fn write_end(files: &dyn Files, end: Position) -> io::Result<()> {
    replace(files, END, &Checkpoint::default().encode(end))
}

/// Says after each sync where the log ends, for the start after a crash. It is not synced itself and so costs next to nothing: what a
/// power cut leaves of it is older than what is durable, or damaged and then not believed. It never promises what is not there.
#[derive(Debug)]
pub(crate) struct EndNote(Option<Box<dyn File>>);

impl EndNote {
    /// Without it less is known after a crash, and everything else works.
    pub(crate) fn open(files: &dyn Files) -> Self {
        let file = files.open(END).or_else(|_| files.create(END));
        Self(file.and_then(|file| file.cut(FRAME as u64).map(|()| file)).ok())
    }

    /// Everything before `end` is durable.
    pub(crate) fn say(&self, end: Position) {
        if let Some(file) = &self.0
            && let Err(error) = write_all(&**file, 0, &Checkpoint::default().encode(end))
        {
            tracing::debug!(%error, "the end of the log cannot be noted");
        }
    }
}

fn file_of(consumer: &str) -> String {
    format!("{PREFIX}{consumer}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_damaged_checkpoint_is_none(next in any::<u64>(), state in any::<Vec<u8>>(), bit in any::<prop::sample::Index>()) {
            let checkpoint = Checkpoint { next: Position(next), state };
            let mut bytes = checkpoint.encode(Position(5));
            prop_assert_eq!(Checkpoint::decode(&bytes), Some((checkpoint, Position(5))));
            let at = bit.index(bytes.len() * 8);
            bytes[at / 8] ^= 1 << (at % 8);
            prop_assert_eq!(Checkpoint::decode(&bytes), None);
            prop_assert_eq!(Checkpoint::decode(&bytes[..at / 8]), None);
        }
    }
}
