//! Writes frames to a pcapng file (draft-ietf-opsawg-pcapng), readable by Wireshark, tcpdump and ourselves.
//!
//! Each interface has a description with its name, link type and nanosecond clock; each packet its direction; a VLAN tag that
//! the kernel took out is put back in its place. At the end each interface says what it received and dropped.
//!
//! A file is valid at every moment that matters: blocks are collected and written whole, and when the disk is full the file is
//! cut after the last whole block. Limits of size are kept exactly: a packet that would exceed them is not begun.
//!
//! Limits: super-frames of segmentation offload are written as the kernel hands them over, like tcpdump does; up to 256 KiB wait
//! in memory until [`Writer::flush`].

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use netwatch_model::{Direction, Timestamp, Untrusted};

use crate::frame::{Frame, LinkType};
use crate::ring::RingStatistics;

pub mod record;

/// Why frames cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// No right, no such directory, or the file exists.
    #[error("cannot create {}", .file.display())]
    Create {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk is full or broken; what was written before is valid.
    #[error("cannot write to {}; the {packets} packets written before are kept", .file.display())]
    Write {
        /// Which.
        file: PathBuf,
        /// Packets that the file holds.
        packets: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// When to stop; absent means never.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WriteLimits {
    /// Octets of the file.
    pub octets: Option<u64>,
    /// Packets in the file.
    pub packets: Option<u64>,
}

/// An interface whose frames are written; its place in the list is its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrittenInterface {
    /// Its name.
    pub name: Untrusted,
    /// How its frames begin.
    pub link: LinkType,
    /// Octets kept of each frame.
    pub capture_length: u32,
}

/// What became of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// It is in the file, or on its way.
    Yes,
    /// A limit is reached: it is not in the file, and no later one will be.
    Full,
}

/// Where the file goes.
#[derive(Debug)]
pub struct Output {
    file: PathBuf,
    to: To,
}

#[derive(Debug)]
enum To {
    File(File),
    Stream(Box<dyn Stream>),
}

/// Something that can be written to and moved to another thread.
trait Stream: Write + Send + std::fmt::Debug {}
impl<W: Write + Send + std::fmt::Debug> Stream for W {}

impl Output {
    /// A new file, or standard output for `-`. An existing file is only replaced when `force` is set.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<Self, WriteError> {
        let file = path.to_owned();
        if path == Path::new("-") {
            return Ok(Self::stream(path, io::stdout()));
        }
        let mut options = OpenOptions::new();
        options.write(true);
        if force {
            options.create(true).truncate(true)
        } else {
            options.create_new(true)
        };
        match options.open(path) {
            Ok(to) => Ok(Self { file, to: To::File(to) }),
            Err(source) => Err(WriteError::Create { file, source }),
        }
    }

    /// Something that only takes octets; `name` is for messages.
    pub fn stream(name: &Path, stream: impl Write + Send + std::fmt::Debug + 'static) -> Self {
        Self { file: name.to_owned(), to: To::Stream(Box::new(stream)) }
    }
}

/// Writes one pcapng file.
#[derive(Debug)]
pub struct Writer {
    output: Output,
    limits: WriteLimits,
    /// Whole blocks that wait.
    buffer: Vec<u8>,
    /// Where each waiting block ends, and whether it is a packet.
    ends: Vec<(usize, bool)>,
    /// Octets of whole blocks in the file.
    octets: u64,
    /// Packets in the file.
    packets: u64,
    waiting: u64,
}

/// How much waits before it is written.
const BUFFER: usize = 256 << 10;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// Octets of a packet block beside its data: head, five words, the direction, the end of options, the length again.
const PACKET_OVERHEAD: usize = 8 + 20 + 8 + 4 + 4;
/// `if_tsresol`: nanoseconds.
const NANOSECONDS: u8 = 9;

impl Writer {
    /// Begins a file with its interfaces; `application` is the program's name and version.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn new(
        output: Output,
        application: &str,
        interfaces: &[WrittenInterface],
        limits: WriteLimits,
    ) -> Result<Self, WriteError> {
        let (buffer, ends) = (Vec::with_capacity(BUFFER + (64 << 10)), Vec::new());
        let mut writer = Self { output, limits, buffer, ends, octets: 0, packets: 0, waiting: 0 };
        writer.block(SECTION_HEADER, |body| {
            body.extend(0x1a2b_3c4d_u32.to_le_bytes());
            body.extend([1, 0, 0, 0]);
            // The length of the section is not known.
            body.extend([0xff; 8]);
            option(body, 4, application.as_bytes());
            option(body, 0, &[]);
        });
        for interface in interfaces {
            writer.block(INTERFACE_DESCRIPTION, |body| {
                body.extend(link_type(interface.link).to_le_bytes());
                body.extend([0, 0]);
                body.extend(interface.capture_length.to_le_bytes());
                option(body, 2, interface.name.raw().as_bytes());
                option(body, 9, &[NANOSECONDS]);
                option(body, 0, &[]);
            });
        }
        writer.flush()?;
        Ok(writer)
    }

    /// Adds a frame; its interface is one of those that [`Writer::new`] was told.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn frame(&mut self, frame: &Frame<'_>) -> Result<Written, WriteError> {
        // A tag goes back behind the two stations.
        let tag = frame.tag.filter(|_| frame.data.len() >= 12);
        let length = frame.data.len() + if tag.is_some() { 4 } else { 0 };
        let size = PACKET_OVERHEAD + length.next_multiple_of(4);
        let over = |limit: Option<u64>, value: u64| limit.is_some_and(|limit| value > limit);
        let octets = self.octets + (self.buffer.len() + size) as u64;
        if over(self.limits.octets, octets) || over(self.limits.packets, self.packets + self.waiting + 1) {
            return Ok(Written::Full);
        }
        let wire_length = frame.wire_length.saturating_add(if tag.is_some() { 4 } else { 0 });
        self.block(ENHANCED_PACKET, |body| {
            body.extend(u32::from(frame.interface.0).to_le_bytes());
            time(body, frame.time);
            body.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
            body.extend(wire_length.to_le_bytes());
            match tag {
                Some(tag) => {
                    let (stations, rest) = frame.data.split_at(12);
                    body.extend(stations);
                    body.extend(tag.tpid.to_be_bytes());
                    body.extend(tag.tci.to_be_bytes());
                    body.extend(rest);
                }
                None => body.extend(frame.data),
            }
            pad(body);
            let flags: u32 = if frame.direction == Direction::In { 1 } else { 2 };
            option(body, 2, &flags.to_le_bytes());
            option(body, 0, &[]);
        });
        self.waiting += 1;
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(Written::Yes)
    }

    /// Says at the end what interface number `interface` received and dropped. Not subject to the limit of size.
    pub fn statistics(&mut self, interface: u8, now: Timestamp, statistics: RingStatistics) {
        self.block(INTERFACE_STATISTICS, |body| {
            body.extend(u32::from(interface).to_le_bytes());
            time(body, now);
            // `isb_ifrecv` counts what was dropped later, too.
            option(body, 4, &(statistics.received + statistics.dropped).to_le_bytes());
            option(body, 5, &statistics.dropped.to_le_bytes());
            option(body, 0, &[]);
        });
    }

    /// Writes what waits. Call it at the end, and every now and then.
    ///
    /// # Errors
    /// When the output does not take it; a file is then cut after the last whole block.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        let mut done = 0;
        let result = loop {
            let rest = self.buffer.get(done..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            let written = match &mut self.output.to {
                To::File(file) => file.write(rest),
                To::Stream(stream) => stream.write(rest),
            };
            match written {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(octets) => done += octets,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        let whole = self.ends.iter().take_while(|(end, _)| *end <= done);
        let (end, packets) = whole.fold((0, 0), |(_, packets), (end, packet)| (*end, packets + u64::from(*packet)));
        self.octets += end as u64;
        self.packets += packets;
        self.waiting = 0;
        self.buffer.clear();
        self.ends.clear();
        result.and_then(|()| self.settle()).map_err(|source| self.failed(source))
    }

    /// Packets that the output has taken.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Octets that the output has taken.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    fn settle(&mut self) -> io::Result<()> {
        match &mut self.output.to {
            To::File(_) => Ok(()),
            To::Stream(stream) => stream.flush(),
        }
    }

    fn failed(&mut self, source: io::Error) -> WriteError {
        if let To::File(file) = &mut self.output.to
            && let Err(error) = file.set_len(self.octets)
        {
            tracing::warn!(%error, "the capture file could not be cut after its last whole packet");
        }
        WriteError::Write { file: self.output.file.clone(), packets: self.packets, source }
    }

    fn block(&mut self, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.buffer.len();
        self.buffer.extend(kind.to_le_bytes());
        self.buffer.extend([0; 4]);
        write(&mut self.buffer);
        let length = u32::try_from(self.buffer.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
        self.buffer.extend(length);
        if let Some(place) = self.buffer.get_mut(start + 4..start + 8) {
            place.copy_from_slice(&length);
        }
        self.ends.push((self.buffer.len(), kind == ENHANCED_PACKET));
    }
}

/// An option: code, length, value, padding to four.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    body.extend(code.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(value.iter().take(usize::from(length)));
    pad(body);
}

/// Blocks begin at multiples of four, so the buffer's length tells the padding.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

/// Nanoseconds, the higher half first; times before 1970 are written as 1970.
fn time(body: &mut Vec<u8>, time: Timestamp) {
    let nanos = u64::try_from(time.nanos()).unwrap_or(0);
    body.extend(((nanos >> 32) as u32).to_le_bytes());
    body.extend((nanos as u32).to_le_bytes());
}

/// `LINKTYPE_` values.
const fn link_type(link: LinkType) -> u16 {
    match link {
        LinkType::Null => 0,
        LinkType::Ethernet => 1,
        LinkType::Ip => 101,
        LinkType::LinuxSll => 113,
        LinkType::LinuxSll2 => 276,
    }
}

#[cfg(test)]
mod tests;
