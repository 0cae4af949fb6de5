//! Capture files as a source of frames: pcap and pcapng, each also compressed with gzip, from a path or from standard input.
//!
//! Frames come in batches, in the order of the file, with the time and the link type that the file says; nothing is copied. What
//! a file does not say is decided by rules: the direction by [`direction`], the name of a capture point by the file's name.
//!
//! A file that ends within a packet, or whose block is damaged, gives everything before that place and then one error that names
//! the place. After an error the source is at its end.
//!
//! Limits: a block or packet of at most 16 MiB; 256 capture points; super-frames of segmentation offload count as one packet,
//! because no file format tells their segments; a check sequence that the writer kept counts as part of the frame.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use netwatch_model::{Direction, Timestamp, Untrusted};

use crate::bpf::{self, BpfError, Program};
use crate::frame::{Frame, InterfaceIndex, LinkType};
use crate::ring::BATCH;

pub mod direction;
mod input;
pub mod pace;
mod pcap;
mod pcapng;

use direction::LocalNetworks;
use input::Window;

/// Why a capture file cannot be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is no such file, or no right to read it.
    #[error("cannot open the capture file {}", .file.display())]
    Open {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk or the decompressor failed.
    #[error("cannot read the capture file {} after {offset} octets", .file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Octets, after decompression, that were read.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Neither pcap nor pcapng.
    #[error("{} is not a capture file: it begins like neither pcap nor pcapng, plain or compressed with gzip", .file.display())]
    Format {
        /// Which.
        file: PathBuf,
    },
    /// A part of the file makes no sense.
    #[error("the capture file {} is damaged at octet {offset}: {reason}; what stands before it was read", .file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// Where the damaged part begins, after decompression.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file ends too early.
    #[error("the capture file {} ends within the packet at octet {offset}; what stands before it was read", .file.display())]
    Truncated {
        /// Which.
        file: PathBuf,
        /// Where the part begins that is not whole, after decompression.
        offset: u64,
    },
    /// Frames that we cannot take apart.
    #[error("the capture file {} has frames of link type {link_type}, which cannot be read", .file.display())]
    LinkType {
        /// Which.
        file: PathBuf,
        /// `LINKTYPE_` value of pcap.
        link_type: u16,
    },
    /// The filter does not fit the file.
    #[error("cannot filter the capture file {}", .file.display())]
    Filter {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: BpfError,
    },
}

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// Which frames are wanted, in tcpdump's syntax; all when absent.
    pub filter: Option<String>,
    /// What is on this side, for files that do not tell directions.
    pub local: LocalNetworks,
}

/// What takes frames.
pub trait FrameSink {
    /// A capture point's name, before its first frame.
    fn point(&mut self, interface: InterfaceIndex, name: &Untrusted);
    /// Up to [`BATCH`] frames.
    fn frames(&mut self, frames: &[Frame<'_>]);
}

/// How far a call came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Frames were handed over; there may be more.
    Frames,
    /// The next frame is of that time, later than was asked for.
    Waiting(Timestamp),
    /// The file is at its end.
    End,
}

/// An open capture file.
#[derive(Debug)]
pub struct FileSource {
    file: PathBuf,
    window: Window,
    format: Format,
    points: Vec<Point>,
    announced: usize,
    options: FileOptions,
    ended: bool,
}

impl FileSource {
    /// Opens a file, or standard input for `-`, and reads its first octets.
    ///
    /// # Errors
    /// When there is no such file, no right to read it, or it is no capture file.
    pub fn open(path: &Path, options: FileOptions) -> Result<Self, FileError> {
        let input = input::open(path).map_err(|source| FileError::Open { file: path.to_owned(), source })?;
        Self::from_reader(path, input, options)
    }

    /// Reads from `input`; `name` is for messages and for the name of the capture point.
    ///
    /// # Errors
    /// When it is no capture file, or cannot be read.
    pub fn from_reader(name: &Path, input: Box<dyn io::Read + Send>, options: FileOptions) -> Result<Self, FileError> {
        let file = name.to_owned();
        let read = |source| FileError::Read { file: file.clone(), offset: 0, source };
        let input = input::decompress(input).map_err(read)?;
        let mut window = Window::new(input);
        window.fill(pcap::HEADER).map_err(read)?;
        let (format, first) = if let Some((header, link_type)) = pcap::Header::read(window.octets()) {
            window.pass(pcap::HEADER);
            (Format::Pcap(header), Some(link_type))
        } else if pcapng::Section::begins(window.octets()) {
            (Format::PcapNg(pcapng::Section::default()), None)
        } else {
            return Err(FileError::Format { file });
        };
        let mut source = Self { file, window, format, points: Vec::new(), announced: 0, options, ended: false };
        if let Some(link_type) = first {
            source.add_point(link_type, None)?;
        }
        Ok(source)
    }

    /// Hands over the next frames, those of `until` or before. Frames of one call are of one batch.
    ///
    /// # Errors
    /// Once, when the file cannot be read on; all frames before that place have been handed over.
    pub fn next_batch(&mut self, until: Timestamp, sink: &mut impl FrameSink) -> Result<Progress, FileError> {
        if self.ended {
            return Ok(Progress::End);
        }
        let result = self.collect(until, sink);
        self.ended = matches!(result, Err(_) | Ok(Progress::End));
        result
    }

    /// What the file is called.
    #[must_use]
    pub fn name(&self) -> Untrusted {
        Untrusted::new(&self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy())
    }

    fn collect(&mut self, until: Timestamp, sink: &mut impl FrameSink) -> Result<Progress, FileError> {
        let mut batch: [Packet; BATCH] = [const { Packet::EMPTY }; BATCH];
        let (mut count, mut at) = (0, 0);
        let mut waiting = None;
        while count < BATCH && waiting.is_none() {
            let rest = self.window.octets().get(at..).unwrap_or_default();
            let step = match &mut self.format {
                Format::Pcap(header) => header.step(rest),
                Format::PcapNg(section) => section.step(rest),
            };
            match step {
                Step::Packet { packet, .. } if packet.time > until => waiting = Some(packet.time),
                Step::Packet { used, packet } => {
                    if self.wanted(&packet, at)? {
                        batch[count] = packet.moved(at);
                        count += 1;
                    }
                    at += used;
                }
                Step::Skip(used) => at += used,
                Step::Point { used, link_type, name } => {
                    self.add_point(link_type, name)?;
                    at += used;
                }
                // What is whole goes first; the rest is looked at again by the next call.
                Step::More(_) | Step::Damaged(_) if count > 0 => break,
                Step::More(need) => {
                    self.window.pass(at);
                    at = 0;
                    if !self.fill(need)? {
                        return Ok(Progress::End);
                    }
                }
                Step::Damaged(reason) => {
                    let offset = self.window.offset() + at as u64;
                    return Err(FileError::Damaged { file: self.file.clone(), offset, reason });
                }
            }
        }
        self.hand_over(&batch[..count], sink);
        self.window.pass(at);
        Ok(if count == 0 { waiting.map_or(Progress::Frames, Progress::Waiting) } else { Progress::Frames })
    }

    /// Reads on; false at the end of the file.
    fn fill(&mut self, need: usize) -> Result<bool, FileError> {
        let (file, offset) = (self.file.clone(), self.window.offset());
        match self.window.fill(need) {
            Ok(()) if self.window.octets().len() >= need => Ok(true),
            Ok(()) if self.window.octets().is_empty() => Ok(false),
            Ok(()) => Err(FileError::Truncated { file, offset }),
            // A compressed file that was cut.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(FileError::Truncated { file, offset }),
            Err(source) => Err(FileError::Read { file, offset, source }),
        }
    }

    fn wanted(&self, packet: &Packet, at: usize) -> Result<bool, FileError> {
        let Some(point) = self.points.get(packet.point) else { return Ok(false) };
        if point.link.is_none() {
            return Err(FileError::LinkType { file: self.file.clone(), link_type: point.link_type });
        }
        let Some(filter) = &point.filter else { return Ok(true) };
        let data = self.window.octets().get(at + packet.data.start..at + packet.data.end).unwrap_or_default();
        Ok(filter.run(data, packet.wire_length) != 0)
    }

    fn hand_over(&mut self, batch: &[Packet], sink: &mut impl FrameSink) {
        for (index, point) in (0..=u8::MAX).zip(&self.points).skip(self.announced) {
            sink.point(InterfaceIndex(index), &point.name);
        }
        self.announced = self.points.len();
        if batch.is_empty() {
            return;
        }
        let mut frames = [Frame::EMPTY; BATCH];
        for (frame, packet) in frames.iter_mut().zip(batch) {
            *frame = self.frame(packet);
        }
        sink.frames(&frames[..batch.len()]);
    }

    fn frame(&self, packet: &Packet) -> Frame<'_> {
        let data = self.window.octets().get(packet.data.clone()).unwrap_or_default();
        let link = self.points.get(packet.point).and_then(|point| point.link).unwrap_or_default();
        let direction = packet.direction.unwrap_or_else(|| direction::guess(data, link, &self.options.local));
        Frame {
            time: packet.time,
            data,
            wire_length: packet.wire_length.max(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            tag: None,
            segment_size: 0,
            direction,
            interface: InterfaceIndex(u8::try_from(packet.point).unwrap_or(u8::MAX)),
            link,
        }
    }

    fn add_point(&mut self, link_type: u16, name: Option<Untrusted>) -> Result<(), FileError> {
        let number = self.points.len();
        if number > usize::from(u8::MAX) {
            let (file, offset) = (self.file.clone(), self.window.offset());
            return Err(FileError::Damaged { file, offset, reason: "it has more than 256 capture points" });
        }
        let own = if number == 0 { self.name() } else { Untrusted::new(&format!("{}:{number}", self.name().raw())) };
        let filter = match (&self.options.filter, link(link_type)) {
            (Some(text), Some(_)) => Some(
                bpf::compile_for_file(text, link_type)
                    .map_err(|source| FileError::Filter { file: self.file.clone(), source })?,
            ),
            _ => None,
        };
        self.points.push(Point { name: name.unwrap_or(own), link_type, link: link(link_type), filter });
        Ok(())
    }
}

/// Where frames of a file were captured.
#[derive(Debug)]
struct Point {
    name: Untrusted,
    link_type: u16,
    link: Option<LinkType>,
    filter: Option<Program>,
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::Header),
    PcapNg(pcapng::Section),
}

/// What stands at a place of a file.
#[derive(Debug)]
enum Step {
    /// Nothing whole yet: at least that many octets are needed from here.
    More(usize),
    /// Nothing for us.
    Skip(usize),
    /// The next capture point.
    Point { used: usize, link_type: u16, name: Option<Untrusted> },
    /// A packet.
    Packet { used: usize, packet: Packet },
    /// Something that cannot be.
    Damaged(&'static str),
}

/// A packet, with its octets as a range from where it was found.
#[derive(Clone, Debug)]
struct Packet {
    time: Timestamp,
    data: Range<usize>,
    wire_length: u32,
    point: usize,
    direction: Option<Direction>,
}

impl Packet {
    const EMPTY: Self = Self { time: Timestamp::ZERO, data: 0..0, wire_length: 0, point: 0, direction: None };

    fn moved(mut self, by: usize) -> Self {
        self.data = self.data.start + by..self.data.end + by;
        self
    }
}

/// The largest packet or block that is read.
const MAX_BLOCK: usize = 16 << 20;

/// The link types that can be taken apart (`LINKTYPE_` values; 12 and 14 are what some systems write for 101, and 108 is 0
/// in network order).
const fn link(link_type: u16) -> Option<LinkType> {
    match link_type {
        0 | 108 => Some(LinkType::Null),
        1 => Some(LinkType::Ethernet),
        12 | 14 | 101 | 228 | 229 => Some(LinkType::Ip),
        113 => Some(LinkType::LinuxSll),
        276 => Some(LinkType::LinuxSll2),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
