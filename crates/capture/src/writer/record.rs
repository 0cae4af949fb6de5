//! Records live frames to a file: the loop behind `netwatch capture`.
//!
//! One thread, one ring for each interface. Packets of one interface stand in the order in which they were seen; those of
//! several interfaces are in order to within [`RingSettings::retire`](crate::ring::RingSettings).
//!
//! [`open`] finds the interfaces by name and opens their rings.
//!
//! Limits: an interface that is deleted is not waited for; when the last one is gone, the recording ends.

use std::io;
use std::time::Duration;

use netwatch_model::Untrusted;
use netwatch_telemetry::clock::ClockSource;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{WriteError, Writer, Written, WrittenInterface};
use crate::bpf::BpfError;
use crate::driver::OpenSocket;
use crate::driver::signal::Signal;
use crate::frame::InterfaceIndex;
use crate::interface::monitor::{self, MonitorError};
use crate::ring::{Fanout, Ring, RingError, RingStatistics, RingTarget};
use crate::source::LiveSource;

/// Why a recording has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It was told to.
    Shutdown,
    /// The limit of size or packets is reached.
    Full,
    /// The time is over.
    Time,
    /// All interfaces are gone.
    Gone,
}

/// Why a recording has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file does not take more.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The rings cannot be waited for.
    #[error("cannot wait for frames")]
    Wait(#[source] io::Error),
    /// The kernel does not tell what it dropped.
    #[error("cannot tell what was dropped")]
    Statistics(#[source] RingError),
}

/// What was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Why it has ended.
    pub ended: Ended,
    /// Packets in the file.
    pub packets: u64,
    /// Octets of the file.
    pub octets: u64,
    /// Frames that the kernel dropped because we were too slow.
    pub dropped: u64,
}

/// How long packets wait in memory at most.
const FLUSH: Duration = Duration::from_millis(500);

/// Why interfaces cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The interfaces of this machine are not known.
    #[error("cannot list the interfaces of this machine")]
    List(#[source] MonitorError),
    /// There is no such interface.
    #[error("there is no interface {name}; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: Untrusted,
        /// What there is.
        known: String,
    },
    /// Its frames cannot be read.
    #[error("interface {name} is of a kind ({hardware}) whose frames cannot be read")]
    Kind {
        /// Which.
        name: Untrusted,
        /// `ARPHRD_…` number.
        hardware: u16,
    },
    /// The filter does not fit the interface.
    #[error("cannot filter interface {name}")]
    Filter {
        /// Which.
        name: Untrusted,
        /// Why.
        #[source]
        source: BpfError,
    },
    /// No ring.
    #[error("cannot capture interface {name}")]
    Ring {
        /// Which.
        name: Untrusted,
        /// Why.
        #[source]
        source: RingError,
    },
}

/// Opens a ring for each interface of `source`, and tells the writer's list of them.
///
/// # Errors
/// When one of them is missing or cannot be captured; none is open then.
pub fn open(
    source: &mut LiveSource,
    sockets: &dyn OpenSocket,
) -> Result<(Vec<Ring>, Vec<WrittenInterface>), OpenError> {
    let links = monitor::list().map_err(OpenError::List)?;
    let (mut rings, mut written) = (Vec::new(), Vec::new());
    for (number, name) in (0..=u8::MAX).zip(&source.interfaces) {
        let Some(link) = links.iter().find(|link| link.name == *name) else {
            let known: Vec<_> = links.iter().map(|link| link.name.to_string()).collect();
            return Err(OpenError::Unknown { name: name.clone(), known: known.join(", ") });
        };
        let (name, hardware) = (name.clone(), link.hardware);
        let Some(kind) = link.link else { return Err(OpenError::Kind { name, hardware }) };
        let mut settings = source.ring.clone();
        if let Some(filter) = &mut source.filter {
            let program = filter.program(kind, name.raw());
            settings.filter = Some(program.map_err(|source| OpenError::Filter { name: name.clone(), source })?);
        }
        let interface = InterfaceIndex(number);
        let target = RingTarget { ifindex: link.index, interface, link: kind, loopback: link.loopback };
        let socket = sockets.open().map_err(RingError::OpenSocket);
        let ring = socket.and_then(|socket| Ring::open(socket, target, Fanout::Alone, &settings));
        rings.push(ring.map_err(|source| OpenError::Ring { name: name.clone(), source })?);
        written.push(WrittenInterface { name, link: kind, capture_length: settings.capture_length });
    }
    Ok((rings, written))
}

/// Writes what the rings give until a limit, `duration`, or `shutdown`. The number of a ring's interface is its place in `rings`
/// and in the list that the writer was told.
///
/// # Errors
/// When the file does not take more; what was written is valid.
pub fn record(
    mut rings: Vec<Ring>,
    mut writer: Writer,
    duration: Option<Duration>,
    shutdown: &Signal,
    clock: &dyn ClockSource,
) -> Result<Recorded, RecordError> {
    let end = duration.map(|duration| clock.monotonic().saturating_add(duration));
    let mut flush = clock.monotonic() + FLUSH;
    let ended = loop {
        let now = clock.monotonic();
        if now >= flush {
            writer.flush()?;
            flush = now + FLUSH;
        }
        let until = end.map_or(flush, |end| end.min(flush));
        wait(&rings, shutdown, until.saturating_sub(now)).map_err(RecordError::Wait)?;
        let stop = if shutdown.is_raised() {
            Some(Ended::Shutdown)
        } else if end.is_some_and(|end| clock.monotonic() >= end) {
            Some(Ended::Time)
        } else if all_gone(&rings) {
            Some(Ended::Gone)
        } else {
            None
        };
        // What was seen before the end belongs to it.
        let full = drain(&mut rings, &mut writer)?;
        if let Some(ended) = full.or(stop) {
            break ended;
        }
    };
    let mut dropped = 0;
    for (number, ring) in (0..=u8::MAX).zip(&mut rings) {
        let statistics: RingStatistics = ring.statistics().map_err(RecordError::Statistics)?;
        dropped += statistics.dropped;
        writer.statistics(number, clock.now(), statistics);
    }
    writer.flush()?;
    Ok(Recorded { ended, packets: writer.packets(), octets: writer.octets(), dropped })
}

/// Writes what waits in the rings; tells when the file is full.
fn drain(rings: &mut [Ring], writer: &mut Writer) -> Result<Option<Ended>, WriteError> {
    for ring in rings {
        for _ in 0..ring.block_count() {
            let Some(block) = ring.next_block() else { break };
            for frame in block.frames() {
                if writer.frame(&frame)? == Written::Full {
                    return Ok(Some(Ended::Full));
                }
            }
        }
    }
    Ok(None)
}

/// Takes errors off the sockets, so that they can be waited for again, and tells whether no interface is left.
fn all_gone(rings: &[Ring]) -> bool {
    for error in rings.iter().filter_map(|ring| ring.take_error().err()) {
        tracing::debug!(%error, "packet socket has an error");
    }
    rings.iter().all(|ring| !ring.is_bound())
}

fn wait(rings: &[Ring], shutdown: &Signal, time: Duration) -> io::Result<()> {
    let timeout = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: i64::from(time.subsec_nanos()) };
    let mut waits: Vec<_> = rings.iter().map(|ring| PollFd::new(ring, PollFlags::IN)).collect();
    waits.push(PollFd::new(shutdown, PollFlags::IN));
    match poll(&mut waits, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
