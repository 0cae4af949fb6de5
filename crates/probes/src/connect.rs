//! Connections and datagram sockets that leave where the probe says, the time that they took, and the time that is left.
//!
//! Every kind that speaks with one server begins here: [`locate`] finds the one judged address, [`tcp`] and [`udp`] give a socket that is
//! bound to the probe's source and carries its DSCP, and fail with the reason.
//!
//! Limits: [`AT_ONCE`] tries of one run are under way at a time.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt as _;
use netwatch_model::probe::spec::split_port;
use netwatch_model::probe::{Failure, FailureReason, ProbeSpec, TargetForm};
use netwatch_telemetry::clock;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::resolve::{Resolved, resolve};
use crate::socket::{failure_of, local_address, prepare};
use crate::tools::Tools;

pub(crate) mod lines;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

/// The most tries of one run that are under way at a time; a later one waits for its place.
const AT_ONCE: usize = 64;

/// The moment at which a run, or one try of it, ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    end: Duration,
    timeout: Duration,
}

impl Deadline {
    /// As long from now as the probe waits for an answer.
    pub(crate) fn of(spec: &ProbeSpec) -> Self {
        let timeout = Duration::try_from_secs_f64(spec.timeout).unwrap_or(Duration::from_secs(1));
        Self { end: clock::monotonic().saturating_add(timeout), timeout }
    }

    /// What is left of it.
    pub(crate) fn left(self) -> Duration {
        self.end.saturating_sub(clock::monotonic())
    }

    /// Waits for `future` no longer than this. `what` begins the sentence that says what took too long.
    pub(crate) async fn within<T>(self, what: &str, future: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::time::timeout(self.left(), future).await.map_err(|_| self.missed(what))
    }

    /// That there was no answer in time.
    pub(crate) fn missed(self, what: &str) -> Failure {
        let message = format!("{what} took longer than the timeout of {} s", self.timeout.as_secs_f64());
        Failure::new(FailureReason::Timeout, &message)
    }
}

/// Times one thing after the other, so that the parts sum to the whole.
#[derive(Debug)]
pub(crate) struct Laps {
    mark: Duration,
}

impl Laps {
    /// Begins now.
    pub(crate) fn start() -> Self {
        Self { mark: clock::monotonic() }
    }

    /// Seconds since the start or the lap before.
    pub(crate) fn lap(&mut self) -> f64 {
        let now = clock::monotonic();
        let seconds = now.saturating_sub(self.mark).as_secs_f64();
        self.mark = now;
        seconds
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: TcpStream,
    /// Seconds from SYN to SYN-ACK, as connect(2) sees it.
    pub(crate) seconds: f64,
    /// Where it leaves.
    pub(crate) source: Option<IpAddr>,
}

/// The one address that the target of a probe stands for, judged by the policy.
pub(crate) async fn locate(spec: &ProbeSpec, usual: Option<u16>, tools: &Tools) -> Result<Resolved, Failure> {
    let (host, port) = host_and_port(spec, usual)?;
    resolve(host, port, spec.family, Deadline::of(spec).left(), tools).await
}

/// Host and port of the target; `usual` is the port when the target says none, else that of the kind.
pub(crate) fn host_and_port(spec: &ProbeSpec, usual: Option<u16>) -> Result<(&str, u16), Failure> {
    let form = spec.kind.descriptor().target;
    let of_kind = if let TargetForm::HostPort { port } = form { port } else { None };
    split_port(&spec.target, usual.or(of_kind)).ok_or_else(|| {
        let message = format!("the target `{}` is not {}", spec.target, form.must());
        Failure::new(FailureReason::Agent, &message)
    })
}

/// Connects by TCP.
pub(crate) async fn tcp(address: SocketAddr, spec: &ProbeSpec, deadline: Deadline) -> Result<Connected, Failure> {
    let what = format!("the connection to {address}");
    let failed = |error: io::Error| failure_of(&error, &what);
    let socket = open(address, Type::STREAM, Protocol::TCP).map_err(failed)?;
    prepare(&socket, spec, address.is_ipv6())?;
    socket.set_tcp_nodelay(true).map_err(failed)?;
    let socket = TcpSocket::from_std_stream(socket.into());
    let mut laps = Laps::start();
    let stream = deadline.within(&what, socket.connect(address)).await?.map_err(failed)?;
    let seconds = laps.lap();
    let source = stream.local_addr().ok().map(|address| address.ip());
    Ok(Connected { stream, seconds, source })
}

/// A datagram socket that hears `address` alone, and its errors (RFC 1122, 4.1.3.3). Its port is chosen by the system at random.
pub(crate) fn udp(address: SocketAddr, spec: &ProbeSpec) -> Result<(UdpSocket, Option<IpAddr>), Failure> {
    let what = format!("a datagram socket for {address}");
    let failed = |error: io::Error| failure_of(&error, &what);
    let socket = open(address, Type::DGRAM, Protocol::UDP).map_err(failed)?;
    prepare(&socket, spec, address.is_ipv6())?;
    socket.connect(&SockAddr::from(address)).map_err(failed)?;
    let source = local_address(&socket);
    Ok((UdpSocket::from_std(socket.into()).map_err(failed)?, source))
}

/// Makes the tries of a run, each at its time, and gives back what came of them in the order in which they ended.
pub(crate) async fn paced<T, F: Future<Output = T>>(spec: &ProbeSpec, one: impl Fn(u32) -> F) -> Vec<T> {
    let began = clock::monotonic();
    let spacing = Duration::try_from_secs_f64(spec.spacing).unwrap_or_default();
    let one = &one;
    let tries = futures_util::stream::iter(0..spec.count).map(|index| async move {
        let due = began.saturating_add(spacing.saturating_mul(index));
        let early = due.saturating_sub(clock::monotonic());
        if !early.is_zero() {
            tokio::time::sleep(early).await;
        }
        one(index).await
    });
    tries.buffer_unordered(AT_ONCE).collect().await
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
