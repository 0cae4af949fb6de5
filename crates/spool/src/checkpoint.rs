//! How far a consumer has what it needs, and what it wants to remember with that: a small file that is replaced as a whole.
//!
//! A damaged one counts as absent: the consumer reads again from the beginning of the log, and must know for itself what it has.

use std::io;

use netwatch_model::Position;

use crate::files::{Files, read_whole, replace};

/// The longest state of a consumer, bytes.
pub const MAX_STATE: usize = 4 << 20;

const MAGIC: [u8; 8] = *b"NWCHECK1";
const PREFIX: &str = "consumer-";
/// Magic, position, checksum.
const FRAME: usize = 8 + 8 + 4;

/// What a consumer has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checkpoint {
    /// The first record that it still needs.
    pub next: Position,
    /// Its own, at most [`MAX_STATE`] bytes.
    pub state: Vec<u8>,
}

impl Checkpoint {
    pub(crate) fn read(files: &dyn Files, consumer: &str) -> io::Result<Option<Self>> {
        let file = match files.open(&file_of(consumer)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(read_whole(&*file, MAX_STATE + FRAME)?.and_then(|bytes| Self::decode(&bytes)))
    }

    pub(crate) fn write(&self, files: &dyn Files, consumer: &str) -> io::Result<()> {
        replace(files, &file_of(consumer), &self.encode())
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FRAME + self.state.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.next.0.to_le_bytes());
        out.extend_from_slice(&self.state);
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk()?;
        let rest = body.strip_prefix(&MAGIC)?;
        let (next, state) = rest.split_first_chunk()?;
        let is_whole = crc32c::crc32c(body) == u32::from_le_bytes(*checksum);
        is_whole.then(|| Self { next: Position(u64::from_le_bytes(*next)), state: state.to_vec() })
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
            let mut bytes = checkpoint.encode();
            prop_assert_eq!(Checkpoint::decode(&bytes), Some(checkpoint));
            let at = bit.index(bytes.len() * 8);
            bytes[at / 8] ^= 1 << (at % 8);
            prop_assert_eq!(Checkpoint::decode(&bytes), None);
            prop_assert_eq!(Checkpoint::decode(&bytes[..at / 8]), None);
        }
    }
}
