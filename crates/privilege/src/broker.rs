//! The broker: a small process that keeps the rights, so that the rest of Netwatch need not have any.
//!
//! Why: an interface that comes back needs a new capture socket, which needs `CAP_NET_RAW`, at any time. The code that reads
//! what strangers send must not have that right. What: [`Broker::start`] forks a child before the first thread exists. The
//! child keeps `CAP_NET_RAW`, `CAP_SYS_PTRACE` and `CAP_DAC_READ_SEARCH` as far as it has them, and nothing else; it answers
//! four requests on a socketpair that no other process can reach:
//! - open a raw socket for ICMP, of IPv4 or IPv6, for probes;
//! - open a raw socket for TCP, for traces;
//! - open a packet socket: `AF_PACKET`, `SOCK_RAW`, protocol 0, not bound, so that it receives nothing yet;
//! - owners: run the function that was given at start, and return the bytes that it wrote.
//!
//! The child closes every other descriptor, ignores the terminal, may write no file and start no program (seccomp), and ends
//! when its parent does. It has no Landlock layer: Landlock would forbid it to read what other processes have open.
//!
//! Limits: a request has 8 bytes, a message at most 32 KiB, an answer at most [`MAX_OWNERS_BYTES`]; one request is
//! served at a time; a call ends after the handle's timeout. A broker that died stays dead until Netwatch is restarted.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::caps::CapSet;
use crate::grant::Grant;
use crate::status::Status;

mod channel;
mod child;
mod filter;
mod fork;
mod protocol;
#[cfg(test)]
mod tests;

use channel::{Answer, Channel};
use protocol::{Failure, Operation};

/// The longest answer that the owners function may give, in bytes.
pub const MAX_OWNERS_BYTES: usize = 4 << 20;
/// How long a call waits for the broker unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// What the broker keeps, if it is permitted.
pub const KEPT: CapSet = CapSet::NET_RAW.union(CapSet::SYS_PTRACE).union(CapSet::DAC_READ_SEARCH);

/// Starts the broker.
#[derive(Clone, Copy, Debug)]
pub struct Broker;

/// What the broker said of itself when it was ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BrokerStatus {
    /// Its process id.
    pub pid: u32,
    /// What it kept of [`KEPT`].
    pub capabilities: CapSet,
    /// Whether its system calls are filtered.
    pub seccomp: bool,
}

/// Asks the broker. Clones share one connection; calls wait for each other.
#[derive(Clone, Debug)]
pub struct BrokerHandle {
    channel: Arc<Mutex<Channel>>,
    status: BrokerStatus,
    grant: Grant,
    timeout: Duration,
}

/// The broker could not be started, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// Called too late.
    #[error("the broker must be started before the first thread, but {threads} threads run")]
    Threads {
        /// How many.
        threads: u32,
    },
    /// No `/proc`.
    #[error("this process cannot be inspected: mount /proc")]
    Inspect(#[source] io::Error),
    /// No socketpair, descriptor or process could be made.
    #[error("the broker process could not be started")]
    Start(#[source] io::Error),
    /// The child could not give up its other rights.
    #[error("the broker could not confine itself, and ended")]
    Unconfined(#[source] io::Error),
    /// The right to capture is missing.
    #[error("capturing needs the right CAP_NET_RAW, which netwatch does not have: {grant}")]
    Denied {
        /// The command that grants it.
        grant: Grant,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The kernel refused a packet socket for another reason.
    #[error("the kernel gave the broker no packet socket")]
    Open(#[source] io::Error),
    /// The process ended, or hung up.
    #[error("the broker process {pid} {how}: restart netwatch to capture again")]
    Gone {
        /// It was this process.
        pid: u32,
        /// What is known of its end.
        how: String,
    },
    /// No answer in time.
    #[error("the broker process {pid} gave no answer within {} s", after.as_secs_f64())]
    Timeout {
        /// It is this process.
        pid: u32,
        /// What the handle was willing to wait.
        after: Duration,
    },
    /// The connection itself failed.
    #[error("the connection to the broker failed")]
    Connection(#[source] io::Error),
    /// The broker's answer is not one.
    #[error("the broker gave a damaged answer: {0}")]
    Damaged(&'static str),
    /// The owners function wrote too much.
    #[error("the list of owners has {bytes} bytes, more than the {MAX_OWNERS_BYTES} that the broker hands over")]
    TooLarge {
        /// How much it wrote.
        bytes: u32,
    },
    /// The owners function panicked; the broker still serves.
    #[error("the search for owners failed inside the broker")]
    Panicked,
    /// The broker did not understand, or did not trust, the request.
    #[error("the broker refused the request")]
    Refused,
}

impl From<BrokerError> for io::Error {
    /// [`io::ErrorKind::PermissionDenied`] exactly when the right to capture is missing.
    fn from(error: BrokerError) -> Self {
        let kind = match &error {
            BrokerError::Denied { .. } => io::ErrorKind::PermissionDenied,
            BrokerError::Gone { .. } => io::ErrorKind::NotConnected,
            BrokerError::Timeout { .. } => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl Broker {
    /// Forks the broker and waits until it is ready and confined. Call it in `main` itself: the broker ends with the thread
    /// that started it.
    ///
    /// `owners` runs in the child at each [`BrokerHandle::owners`], with an emptied buffer. What it captured is copied by the
    /// fork; descriptors are not: it opens what it needs at its first call. It may read files, and use netlink sockets; it
    /// may not write files, start programs or threads.
    ///
    /// # Errors
    /// More than one thread runs, the system has no room, or the child could not give up its other rights. A missing right to
    /// capture is no error here: the broker starts, and each call tells.
    pub fn start(owners: impl FnMut(&mut Vec<u8>) + Send + 'static) -> Result<BrokerHandle, BrokerError> {
        let threads = Status::current().map_err(BrokerError::Inspect)?.threads;
        if threads > 1 {
            return Err(BrokerError::Threads { threads });
        }
        let grant = Grant::for_this_program().map_err(BrokerError::Inspect)?;
        let (ours, theirs) = pair().map_err(BrokerError::Start)?;
        let parent = rustix::process::getpid();
        let child = fork::run_in_child(theirs, move |socket| child::run(&socket, parent, Box::new(owners)));
        let mut channel = Channel::new(ours, child.map_err(BrokerError::Start)?).map_err(BrokerError::Start)?;
        let status = ready(&mut channel)?;
        Ok(BrokerHandle { channel: Arc::new(Mutex::new(channel)), status, grant, timeout: DEFAULT_TIMEOUT })
    }
}

impl BrokerHandle {
    /// The same broker, with another patience.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// What the broker said of itself.
    #[must_use]
    pub fn status(&self) -> BrokerStatus {
        self.status
    }

    /// A new `AF_PACKET`, `SOCK_RAW` socket with protocol 0: bind it to start receiving. Close-on-exec.
    ///
    /// # Errors
    /// [`BrokerError::Denied`] when the right is missing; otherwise as the variants say.
    pub fn open_packet_socket(&self) -> Result<OwnedFd, BrokerError> {
        self.socket(Operation::OpenPacketSocket)
    }

    /// A new raw socket for ICMP, of IPv4 or (`v6`) IPv6. Close-on-exec.
    ///
    /// # Errors
    /// As [`BrokerHandle::open_packet_socket`].
    pub fn open_icmp_socket(&self, v6: bool) -> Result<OwnedFd, BrokerError> {
        self.socket(Operation::OpenIcmpSocket { v6 })
    }

    /// A new raw socket for TCP, of IPv4 or (`v6`) IPv6. Close-on-exec.
    ///
    /// # Errors
    /// As [`BrokerHandle::open_packet_socket`].
    pub fn open_tcp_socket(&self, v6: bool) -> Result<OwnedFd, BrokerError> {
        self.socket(Operation::OpenTcpSocket { v6 })
    }

    /// What the owners function writes now.
    ///
    /// # Errors
    /// As the variants say.
    pub fn owners(&self) -> Result<Vec<u8>, BrokerError> {
        match self.call(Operation::Owners)? {
            Answer::Bytes(bytes) => Ok(bytes),
            Answer::Socket(_) | Answer::Ready { .. } => Err(BrokerError::Damaged("a socket instead of bytes")),
        }
    }

    fn socket(&self, operation: Operation) -> Result<OwnedFd, BrokerError> {
        match self.call(operation)? {
            Answer::Socket(socket) => Ok(socket),
            Answer::Bytes(_) | Answer::Ready { .. } => Err(BrokerError::Damaged("bytes instead of a socket")),
        }
    }

    fn call(&self, operation: Operation) -> Result<Answer, BrokerError> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = channel.call(operation, self.timeout)?;
        answer.map_err(|failure| self.explain(failure))
    }

    fn explain(&self, failure: Failure) -> BrokerError {
        match failure {
            Failure::System(errno) => {
                let source = io::Error::from_raw_os_error(errno);
                if source.kind() == io::ErrorKind::PermissionDenied {
                    return BrokerError::Denied { grant: self.grant.clone(), source };
                }
                BrokerError::Open(source)
            }
            Failure::TooLarge(bytes) => BrokerError::TooLarge { bytes },
            Failure::Panicked => BrokerError::Panicked,
            Failure::Refused => BrokerError::Refused,
        }
    }
}

/// Whether this process itself may open a packet socket, tried on a real one that is closed at once.
///
/// # Errors
/// What the kernel said: [`io::ErrorKind::PermissionDenied`] when the right is missing.
pub fn try_packet_socket() -> io::Result<()> {
    child::packet_socket().map(drop).map_err(io::Error::from)
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// The child's first message tells what it kept.
fn ready(channel: &mut Channel) -> Result<BrokerStatus, BrokerError> {
    match channel.receive_ready(DEFAULT_TIMEOUT)? {
        Ok(Answer::Ready { capabilities, seccomp }) => {
            Ok(BrokerStatus { pid: channel.pid(), capabilities: CapSet::from_bits(capabilities), seccomp })
        }
        Ok(_) => Err(BrokerError::Damaged("no greeting")),
        Err(Failure::System(errno)) => Err(BrokerError::Unconfined(io::Error::from_raw_os_error(errno))),
        Err(_) => Err(BrokerError::Damaged("a greeting that is none")),
    }
}
