//! A `TPACKET_V3` receive ring on an `AF_PACKET` socket: how frames come out of the kernel without a copy or a system call each.
//!
//! The kernel writes frames into blocks of memory that it shares with us and hands over a whole block when it is full or when
//! [`RingSettings::retire`] has passed. A [`Block`] borrows the ring, gives its frames in place, and goes back to the kernel
//! when it is dropped: nothing is copied, and a worker that is behind is seen as [`Ring::fill`] before frames are lost.
//!
//! Three rules of counting live here:
//! - a super-frame of segmentation offload keeps the segment size of its `virtio_net_hdr` (`PACKET_VNET_HDR`), so that it can be
//!   counted as the segments that it stands for;
//! - on loopback every packet passes twice, sent and received; `PACKET_IGNORE_OUTGOING` keeps the received one;
//! - the capture length is the return value of the socket filter, so that it cuts `Frame::data` and never `wire_length`.
//!
//! Limits: a super-frame whose kind `virtio_net_hdr` cannot tell (SCTP segmentation) is dropped by the kernel and counted in
//! [`RingStatistics::dropped`]. With fanout, frames that arrive while a group is being joined may be missed. The memory map and
//! the hand-over of blocks are the only `unsafe` parts; what is inside a block is read by checked code in [`frames`].

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::bpf::Program;
use crate::frame::{Frame, InterfaceIndex, LinkType};
use crate::os;
use crate::table::os::prefetch;

pub mod frames;

use frames::Frames;

/// How many frames [`Block::for_each_batch`] hands over at once.
pub const BATCH: usize = 64;

/// What [`RingSettings::default`] keeps of each frame: a TLS hello with a post-quantum key share fits.
pub const DEFAULT_CAPTURE_LENGTH: u32 = 2048;

/// Size and behaviour of a ring.
#[derive(Clone, Debug)]
pub struct RingSettings {
    /// Octets of a block: a power of two, at least the page size; also the longest frame that can be captured whole.
    pub block_size: u32,
    /// Blocks of the ring.
    pub block_count: u32,
    /// How long the kernel keeps a block that is not full; in milliseconds, at least one.
    pub retire: Duration,
    /// Octets kept of each frame.
    pub capture_length: u32,
    /// Whether the interface is told to receive frames for other stations too.
    pub promiscuous: bool,
    /// Which frames are wanted; all when absent.
    pub filter: Option<Program>,
}

impl Default for RingSettings {
    /// 16 MiB: a tenth of a second of 1 Gbit/s.
    fn default() -> Self {
        Self {
            block_size: 512 << 10,
            block_count: 32,
            retire: Duration::from_millis(25),
            capture_length: DEFAULT_CAPTURE_LENGTH,
            promiscuous: false,
            filter: None,
        }
    }
}

/// What a ring is bound to.
#[derive(Clone, Copy, Debug)]
pub struct RingTarget {
    /// The kernel's index of the interface.
    pub ifindex: u32,
    /// The number under which its frames are handed over.
    pub interface: InterfaceIndex,
    /// How its frames begin.
    pub link: LinkType,
    /// Whether it is a loopback interface, where every packet passes twice.
    pub loopback: bool,
}

/// Several sockets that share the frames of one interface, each flow on one of them (`PACKET_FANOUT_HASH`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fanout {
    /// The socket takes all frames.
    Alone,
    /// The socket begins a group; [`Ring::fanout_group`] tells its number.
    Begin,
    /// The socket joins the group of that number.
    Join(u16),
}

/// Why a ring could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// No right, or no such protocol in this kernel.
    #[error("no packet socket")]
    OpenSocket(#[source] io::Error),
    /// The kernel refused a socket option.
    #[error("cannot set {option} on the packet socket")]
    SetOption {
        /// Name of the option.
        option: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The kernel has not enough memory, or refuses the sizes.
    #[error("cannot make a ring of {blocks} blocks of {block_size} octets; ask for a smaller ring")]
    MakeRing {
        /// Blocks asked for.
        blocks: u32,
        /// Octets of a block.
        block_size: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The ring could not be mapped.
    #[error("cannot map the ring of {octets} octets into memory")]
    Map {
        /// Octets of the ring.
        octets: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The interface is gone or was never there.
    #[error("cannot bind the packet socket to interface number {ifindex}")]
    Bind {
        /// The kernel's index of the interface.
        ifindex: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The kernel did not tell its counters.
    #[error("cannot read {option} of the packet socket")]
    ReadOption {
        /// Name of the option.
        option: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What happened since the last reading; reading resets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RingStatistics {
    /// Frames that reached us.
    pub received: u64,
    /// Frames that the kernel dropped because no block was free.
    pub dropped: u64,
    /// How often the ring ran full.
    pub freezes: u64,
}

/// A packet socket of the kind that [`Ring::open`] wants: raw, bound to nothing, closed on exec.
///
/// # Errors
/// Without `CAP_NET_RAW` in the network namespace's user namespace.
pub fn open_socket() -> Result<OwnedFd, RingError> {
    os::packet_socket().map_err(RingError::OpenSocket)
}

/// A ring that receives.
#[derive(Debug)]
pub struct Ring {
    socket: OwnedFd,
    map: NonNull<u8>,
    block_size: usize,
    block_count: usize,
    next: usize,
    target: RingTarget,
}

// SAFETY: the map belongs to this value alone and is not bound to the thread that made it.
unsafe impl Send for Ring {}

impl Ring {
    /// Makes a ring on `socket` (from [`open_socket`] or a broker; `SOCK_RAW`, protocol 0) and starts to receive.
    ///
    /// An interface that is down can be bound alone; it cannot begin or join a fanout group.
    ///
    /// # Errors
    /// When the kernel refuses a step; the socket is closed then.
    pub fn open(
        socket: OwnedFd,
        target: RingTarget,
        fanout: Fanout,
        settings: &RingSettings,
    ) -> Result<Self, RingError> {
        let accepted = settings.filter.clone().unwrap_or_else(Program::accept_all);
        let program = accepted.with_capture_length(settings.capture_length);
        set(&socket, "PACKET_VERSION", libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as libc::c_int))?;
        set(&socket, "PACKET_VNET_HDR", libc::PACKET_VNET_HDR, &1)?;
        if target.loopback {
            set(&socket, "PACKET_IGNORE_OUTGOING", libc::PACKET_IGNORE_OUTGOING, &1)?;
        }
        let mut ring = Self::map(socket, target, settings)?;
        let first = if fanout == Fanout::Alone { &program } else { &Program::refuse_all() };
        ring.attach(first)?;
        ring.bind()?;
        if fanout != Fanout::Alone {
            // Until the socket is in its group it would see every frame beside the others: it refuses all of them.
            ring.join(fanout)?;
            ring.attach(&program)?;
        }
        if settings.promiscuous {
            os::join_promiscuous(&ring.socket, target.ifindex)
                .map_err(|source| RingError::SetOption { option: "PACKET_ADD_MEMBERSHIP", source })?;
        }
        Ok(ring)
    }

    /// The next block that the kernel has handed over, if there is one.
    #[inline]
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        if self.status(self.next).load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        Some(Block { ring: self })
    }

    /// Share of the ring that waits for us, 0 to 1, in steps of one block.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ring has far fewer than 2^52 blocks")]
    pub fn fill(&self) -> f64 {
        let waiting = (0..self.block_count)
            .filter(|&block| self.status(block).load(Ordering::Relaxed) & libc::TP_STATUS_USER != 0)
            .count();
        waiting as f64 / self.block_count as f64
    }

    /// What happened since the last call.
    ///
    /// # Errors
    /// When the kernel does not tell, which it always does for a packet socket.
    pub fn statistics(&mut self) -> Result<RingStatistics, RingError> {
        let stats = os::packet_statistics(&self.socket)
            .map_err(|source| RingError::ReadOption { option: "PACKET_STATISTICS", source })?;
        // `tp_packets` includes `tp_drops` (packet_getsockopt adds them up).
        Ok(RingStatistics {
            received: u64::from(stats.tp_packets.saturating_sub(stats.tp_drops)),
            dropped: u64::from(stats.tp_drops),
            freezes: u64::from(stats.tp_freeze_q_cnt),
        })
    }

    /// The error that waits on the socket, cleared by reading: `ENETDOWN` once after the interface went down or away.
    ///
    /// # Errors
    /// That error.
    pub fn take_error(&self) -> io::Result<()> {
        Ok(rustix::net::sockopt::socket_error(&self.socket)??)
    }

    /// Whether the interface is still there; a deleted one never comes back to this ring, though its name or number may.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        os::bound_index(&self.socket).is_ok_and(|index| index == self.target.ifindex)
    }

    /// The number of the fanout group that the ring belongs to.
    ///
    /// # Errors
    /// When it belongs to none.
    pub fn fanout_group(&self) -> Result<u16, RingError> {
        let group: libc::c_int = os::packet_option(&self.socket, libc::PACKET_FANOUT)
            .map_err(|source| RingError::ReadOption { option: "PACKET_FANOUT", source })?;
        Ok((group & 0xffff) as u16)
    }

    /// Blocks of the ring.
    #[must_use]
    pub const fn block_count(&self) -> usize {
        self.block_count
    }

    /// What the ring is bound to.
    #[must_use]
    pub const fn target(&self) -> RingTarget {
        self.target
    }

    fn map(socket: OwnedFd, target: RingTarget, settings: &RingSettings) -> Result<Self, RingError> {
        let (block_size, blocks) = (settings.block_size, settings.block_count);
        let failed = |source| RingError::MakeRing { blocks, block_size, source };
        let frames_each = block_size / FRAME_SIZE;
        let frames = frames_each.checked_mul(blocks).ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        let request = libc::tpacket_req3 {
            tp_block_size: block_size,
            tp_block_nr: blocks,
            tp_frame_size: FRAME_SIZE,
            tp_frame_nr: frames,
            tp_retire_blk_tov: u32::try_from(settings.retire.as_millis()).unwrap_or(u32::MAX).max(1),
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        os::set_packet_option(&socket, libc::PACKET_RX_RING, &request).map_err(failed)?;
        let (block_size, block_count) = (block_size as usize, blocks as usize);
        let octets = block_size * block_count;
        let map = os::map_shared(&socket, octets).map_err(|source| RingError::Map { octets, source })?;
        Ok(Self { socket, map, block_size, block_count, next: 0, target })
    }

    fn attach(&self, program: &Program) -> Result<(), RingError> {
        os::attach_filter(&self.socket, program)
            .map_err(|source| RingError::SetOption { option: "SO_ATTACH_FILTER", source })
    }

    fn bind(&self) -> Result<(), RingError> {
        let ifindex = self.target.ifindex;
        os::bind_packet(&self.socket, ifindex).map_err(|source| RingError::Bind { ifindex, source })
    }

    fn join(&mut self, fanout: Fanout) -> Result<(), RingError> {
        let group = match fanout {
            Fanout::Alone => return Ok(()),
            Fanout::Begin => (libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_UNIQUEID) << 16,
            Fanout::Join(group) => libc::PACKET_FANOUT_HASH << 16 | u32::from(group),
        };
        set(&self.socket, "PACKET_FANOUT", libc::PACKET_FANOUT, &group)
    }

    /// The word by which kernel and user hand block `block` to each other.
    #[inline]
    fn status(&self, block: usize) -> &AtomicU32 {
        debug_assert!(block < self.block_count);
        // SAFETY: `block` is below `block_count`, so the header lies within the map, which lives as long as `self`; blocks are
        // aligned to pages, and the kernel accesses the word atomically too.
        unsafe { AtomicU32::from_ptr(self.map.add(block * self.block_size + frames::STATUS_OFFSET).cast().as_ptr()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the map that `os::map_shared` made, unmapped once, and no block borrows it any more.
        unsafe { os::unmap(self.map, self.block_size * self.block_count) };
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.as_raw_fd()
    }
}

/// A block of frames that is ours until it is dropped; then the kernel has it back.
#[derive(Debug)]
pub struct Block<'r> {
    ring: &'r mut Ring,
}

impl Block<'_> {
    /// The frames of the block, in the order in which they were seen.
    #[inline]
    #[must_use]
    pub fn frames(&self) -> Frames<'_> {
        Frames::new(self.octets(), self.ring.target.interface, self.ring.target.link)
    }

    /// Hands the frames over in slices of up to [`BATCH`], without allocation.
    #[inline]
    pub fn for_each_batch(&self, mut take: impl FnMut(&[Frame<'_>])) {
        let octets = self.octets();
        let used = frames::used(octets);
        let mut frames = self.frames();
        let mut batch = [Frame::EMPTY; BATCH];
        let mut asked = 0;
        loop {
            let mut count = 0;
            for place in &mut batch {
                let until = (frames.offset() + AHEAD).min(used);
                while asked < until {
                    if let Some(octet) = octets.get(asked) {
                        prefetch(octet);
                    }
                    asked += LINE;
                }
                let Some(frame) = frames.next() else { break };
                *place = frame;
                count += 1;
            }
            if count == 0 {
                return;
            }
            take(&batch[..count]);
        }
    }

    #[inline]
    fn octets(&self) -> &[u8] {
        // SAFETY: `next` is below `block_count`, so the block lies within the map; while its status is TP_STATUS_USER, which
        // `next_block` has seen with acquire order, the kernel does not write to it, and we never do.
        unsafe {
            std::slice::from_raw_parts(
                self.ring.map.add(self.ring.next * self.ring.block_size).as_ptr(),
                self.ring.block_size,
            )
        }
    }
}

impl Drop for Block<'_> {
    #[inline]
    fn drop(&mut self) {
        self.ring.status(self.ring.next).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.ring.next = (self.ring.next + 1) % self.ring.block_count;
    }
}

/// How far ahead of the frame at hand memory is asked for.
const AHEAD: usize = 4096;
/// Octets of a cache line.
const LINE: usize = 64;

/// Only has to divide the block size: frames of `TPACKET_V3` take the room that they need.
const FRAME_SIZE: u32 = 2048;

fn set<T: Copy>(socket: &OwnedFd, option: &'static str, number: libc::c_int, value: &T) -> Result<(), RingError> {
    os::set_packet_option(socket, number, value).map_err(|source| RingError::SetOption { option, source })
}
