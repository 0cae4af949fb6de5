//! How a batch lies in the spool: under which run and number it goes, and how many records came before it.

/// Grows when a reader of the version before would misunderstand.
const VERSION: u8 = 1;
/// Version and four words.
const LENGTH: usize = 1 + 4 * 8;

/// What stands before the records of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// The line of batches.
    pub(super) run: u64,
    /// Its number in the line, from 1.
    pub(super) sequence: u64,
    /// Records that were written before it since the agent was enrolled.
    pub(super) before: u64,
    /// Its records.
    pub(super) records: u64,
}

impl Frame {
    /// The bytes of a batch in the spool.
    pub(super) fn with(&self, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(LENGTH + payload.len());
        out.push(VERSION);
        for word in [self.run, self.sequence, self.before, self.records] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(payload);
        out
    }

    /// What was written; none when another version wrote it.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (version, rest) = bytes.split_first()?;
        let (words, payload) = rest.split_at_checked(LENGTH - 1)?;
        let (words, []) = words.as_chunks::<8>() else { return None };
        let [run, sequence, before, records] = <[[u8; 8]; 4]>::try_from(words).ok()?.map(u64::from_le_bytes);
        (*version == VERSION).then_some((Self { run, sequence, before, records }, payload))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_are_read_back(run: u64, sequence: u64, before: u64, records: u64, payload: Vec<u8>) {
            let frame = Frame { run, sequence, before, records };
            let bytes = frame.with(&payload);
            prop_assert_eq!(Frame::read(&bytes), Some((frame, &payload[..])));
        }

        #[test]
        fn any_bytes_are_a_frame_or_none(bytes: Vec<u8>) {
            let read = Frame::read(&bytes);
            prop_assert_eq!(read.is_some(), bytes.len() >= LENGTH && bytes[0] == VERSION);
        }
    }
}
