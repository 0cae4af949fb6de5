//! The parent's end of the connection: one question at a time, each with a deadline.
//!
//! A late answer to a question that was given up is recognised by its sequence number and thrown away. The deadline is a
//! timer descriptor, so that no clock is read.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendFlags, recvmsg, send};
use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};

use super::protocol::{Failure, Kind, MESSAGE_BYTES, Operation, Reply, Request, decode_ready};
use super::{BrokerError, MAX_OWNERS_BYTES};

/// How long the end of the process is waited for, once the connection is closed.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// What was asked for.
#[derive(Debug)]
pub(super) enum Answer {
    Ready { capabilities: u64, seccomp: bool },
    Socket(OwnedFd),
    Bytes(Vec<u8>),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Channel {
    /// `None` once the broker is gone.
    socket: Option<OwnedFd>,
    timer: OwnedFd,
    child: Pid,
    /// For waiting on its end; absent before Linux 5.3.
    child_fd: Option<OwnedFd>,
    sequence: u32,
    end: String,
    message: Vec<u8>,
}

/// One message, taken apart.
struct Received {
    length: usize,
    descriptor: Option<OwnedFd>,
}

impl Channel {
    pub(super) fn new(socket: OwnedFd, child: Pid) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        Ok(Self {
            socket: Some(socket),
            timer,
            child,
            child_fd: pidfd_open(child, PidfdFlags::empty()).ok(),
            sequence: 0,
            end: String::new(),
            message: vec![0; MESSAGE_BYTES],
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.as_raw_nonzero().get().cast_unsigned()
    }

    /// Waits for the greeting.
    pub(super) fn receive_ready(&mut self, timeout: Duration) -> Result<Result<Answer, Failure>, BrokerError> {
        self.start_timer(timeout)?;
        self.answer(timeout)
    }

    /// Asks and waits for the whole answer.
    pub(super) fn call(
        &mut self,
        operation: Operation,
        timeout: Duration,
    ) -> Result<Result<Answer, Failure>, BrokerError> {
        self.sequence = self.sequence.wrapping_add(1);
        self.start_timer(timeout)?;
        self.send(Request { sequence: self.sequence, operation }, timeout)?;
        self.answer(timeout)
    }

    fn send(&mut self, request: Request, timeout: Duration) -> Result<(), BrokerError> {
        let socket = self.socket()?;
        loop {
            match send(socket, &request.encode(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                // The queue holds hundreds of questions: a broker that took none of them answers none.
                Err(Errno::AGAIN) => return Err(BrokerError::Timeout { pid: self.pid(), after: timeout }),
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(self.hang_up()),
                Err(e) => return Err(BrokerError::Connection(e.into())),
            }
        }
    }

    /// Collects messages with the present sequence number until the answer is whole.
    fn answer(&mut self, timeout: Duration) -> Result<Result<Answer, Failure>, BrokerError> {
        let mut bytes = Vec::new();
        loop {
            self.wait(timeout)?;
            let Some(Received { length, descriptor }) = self.receive()? else { continue };
            let message = self.message.get(..length).unwrap_or_default();
            let Some(reply) = Reply::decode(message) else {
                return Err(BrokerError::Damaged("a message of unknown form"));
            };
            if reply.sequence != self.sequence {
                continue;
            }
            match reply.kind {
                Kind::Failed(failure) => return Ok(Err(failure)),
                Kind::Ready => {
                    let (capabilities, seccomp) =
                        decode_ready(reply.payload).ok_or(BrokerError::Damaged("a greeting of unknown form"))?;
                    return Ok(Ok(Answer::Ready { capabilities, seccomp }));
                }
                Kind::Socket => {
                    let socket = descriptor.ok_or(BrokerError::Damaged("the socket is missing"))?;
                    return Ok(Ok(Answer::Socket(socket)));
                }
                Kind::Part | Kind::Last => {
                    if bytes.len() + reply.payload.len() > MAX_OWNERS_BYTES {
                        return Err(BrokerError::Damaged("more bytes than agreed"));
                    }
                    bytes.extend_from_slice(reply.payload);
                    if reply.kind == Kind::Last {
                        return Ok(Ok(Answer::Bytes(bytes)));
                    }
                }
            }
        }
    }

    /// Until there is a message, the end, or no time left.
    fn wait(&mut self, timeout: Duration) -> Result<(), BrokerError> {
        let socket = self.socket()?;
        let mut fds = [PollFd::new(socket, PollFlags::IN), PollFd::new(&self.timer, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) if !fds[1].revents().is_empty() => Err(BrokerError::Timeout { pid: self.pid(), after: timeout }),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(e) => Err(BrokerError::Connection(e.into())),
        }
    }

    /// The next message; nothing when the wait was for nothing.
    fn receive(&mut self) -> Result<Option<Received>, BrokerError> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let Some(socket) = &self.socket else { return Err(self.gone()) };
        let mut buffers = [IoSliceMut::new(&mut self.message)];
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        match recvmsg(socket, &mut buffers, &mut control, flags) {
            Ok(message) if message.bytes == 0 => Err(self.hang_up()),
            Ok(message) if message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) => {
                Err(BrokerError::Damaged("a message longer than agreed"))
            }
            Ok(message) => {
                let descriptor = control.drain().find_map(|m| match m {
                    RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
                    _ => None,
                });
                Ok(Some(Received { length: message.bytes, descriptor }))
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(None),
            Err(Errno::CONNRESET) => Err(self.hang_up()),
            Err(e) => Err(BrokerError::Connection(e.into())),
        }
    }

    fn start_timer(&self, timeout: Duration) -> Result<(), BrokerError> {
        // Zero would mean "never".
        let timeout = timeout.max(Duration::from_nanos(1));
        let once = Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(timeout) };
        let set = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
        set.map(drop).map_err(|e| BrokerError::Connection(e.into()))
    }

    fn socket(&self) -> Result<&OwnedFd, BrokerError> {
        self.socket.as_ref().ok_or_else(|| self.gone())
    }

    fn gone(&self) -> BrokerError {
        BrokerError::Gone { pid: self.pid(), how: self.end.clone() }
    }

    /// Closes this side, and learns how the process ended.
    fn hang_up(&mut self) -> BrokerError {
        self.end = self.reap();
        self.gone()
    }

    /// Closing the socket ends a broker that still runs; its status is then taken, so that no zombie is left.
    fn reap(&mut self) -> String {
        self.socket = None;
        if let Some(child) = &self.child_fd {
            let mut fds = [PollFd::new(child, PollFlags::IN)];
            // Interrupted or late: the status below is then not there yet, which is told.
            let _ = poll(&mut fds, Some(&timespec(END_PATIENCE)));
        }
        match waitpid(Some(self.child), WaitOptions::NOHANG) {
            Ok(Some((_, status))) => match (status.terminating_signal(), status.exit_status()) {
                (Some(signal), _) => format!("was ended by signal {signal}"),
                (_, Some(code)) => format!("ended with status {code}"),
                _ => "ended".to_owned(),
            },
            Ok(None) => "hung up".to_owned(),
            Err(_) => "ended".to_owned(),
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.socket.is_some() {
            self.reap();
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
