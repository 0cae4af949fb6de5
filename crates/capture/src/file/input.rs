//! The octets of a capture file, decompressed, through a window that can be looked at.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// How much is read at once, at least.
const CHUNK: usize = 1 << 20;

/// A file, or standard input for `-`.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Box::new(file))
}

/// Decompresses what begins like gzip (RFC 1952), several members too.
pub(super) fn decompress(mut input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::with_capacity(2);
    input.by_ref().take(2).read_to_end(&mut magic)?;
    let compressed = magic == [0x1f, 0x8b];
    let whole = Cursor::new(magic).chain(input);
    Ok(if compressed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// A part of the file in memory, which moves on.
pub(super) struct Window {
    input: Box<dyn Read + Send>,
    octets: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `start` stands in the file.
    offset: u64,
}

impl Window {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, octets: Vec::new(), start: 0, end: 0, offset: 0 }
    }

    /// What is in the window.
    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the window begins in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Leaves the first octets behind.
    pub(super) fn pass(&mut self, octets: usize) {
        let octets = octets.min(self.end - self.start);
        self.start += octets;
        self.offset += octets as u64;
    }

    /// Reads until `need` octets are in the window, or the file ends.
    pub(super) fn fill(&mut self, need: usize) -> io::Result<()> {
        self.octets.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let size = need.max(CHUNK);
        if self.octets.len() < size {
            self.octets.resize(size, 0);
        }
        while self.end < need {
            match self.input.read(&mut self.octets[self.end..]) {
                Ok(0) => return Ok(()),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window")
            .field("offset", &self.offset)
            .field("octets", &self.octets().len())
            .finish_non_exhaustive()
    }
}
