//! The other end of throughput tests: a server to which clients of iperf3 speak, real ones and those of other agents.
//!
//! Why: between two agents somebody must be the server, and nobody should have to install one. What: TCP and UDP, either direction or both
//! at once, several streams, with a warm-up, at a rate, by time or by octets. One test at a time, and none while this process is itself a
//! client: two tests never share a link. Who comes meanwhile is told that the server is busy, as iperf3 tells it.
//!
//! It is no open door: who is not in the list of allowed networks is not spoken to (an empty list means this host alone), a test has a
//! budget of time, octets and streams, and a client that says nothing is not waited for.
//!
//! Limits: no authentication as iperf3 has it, no SCTP; what only tunes sockets (window, segment size, congestion control) is not taken
//! over. Of processor time the total is told. Dropping the run ends a test under way. A test can use a whole processor: give
//! [`Server::run`] a thread of its own where others must not wait.

mod datagrams;
mod plan;
mod streams;
mod test;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_egress::Network;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use self::test::Joined;
use super::TURN;
use super::protocol::{COOKIE, State};
use crate::simulation::os;

/// Connections that have not yet said which test they belong to.
const STRANGERS: usize = 64;
/// How long they may take to say it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Octets that the kernel keeps for datagrams.
const ROOM: usize = 8 << 20;

/// What a test may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long it may take, with its warm-up.
    pub time: Duration,
    /// Octets of both directions.
    pub octets: u64,
    /// Streams of each direction.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(120), octets: 1 << 40, streams: 32 }
    }
}

/// What a server shall do.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it listens, for TCP and for UDP.
    pub listen: Vec<SocketAddr>,
    /// Whose tests it makes; those of this host alone when it is empty.
    pub allow: Vec<Network>,
    /// How much a test may use.
    pub limits: Limits,
}

/// A server that cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("throughput tests cannot be served at {address}: is the port in use, perhaps by iperf3?")]
pub struct ServerError {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

/// A server that listens, and makes tests once it runs.
#[derive(Debug)]
pub struct Server {
    doors: Vec<(TcpListener, Arc<UdpSocket>)>,
    handle: Handle,
}

/// What others may ask of a server while it runs.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    allowed: Mutex<Vec<Network>>,
    limits: Limits,
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The test under way: its cookie, and where its streams are awaited.
    current: Mutex<Option<([u8; COOKIE], mpsc::Sender<Joined>)>>,
    strangers: Arc<Semaphore>,
    tests: AtomicU64,
    refused: AtomicU64,
}

impl Handle {
    /// Says anew whose tests are made. A test under way goes on.
    pub fn allow(&self, networks: Vec<Network>) {
        *self.0.allowed.lock().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    /// Tests that were finished.
    #[must_use]
    pub fn tests(&self) -> u64 {
        self.0.tests.load(Ordering::Relaxed)
    }

    /// Connections that were not served: of strangers, too many at once, or while another test was made.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    fn refuse(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn is_known(&self, address: IpAddr) -> bool {
        let (allowed, address) =
            (self.0.allowed.lock().unwrap_or_else(PoisonError::into_inner), address.to_canonical());
        if allowed.is_empty() { address.is_loopback() } else { allowed.iter().any(|network| network.contains(address)) }
    }
}

impl Server {
    /// Listens at every address; needs a runtime of tokio.
    ///
    /// # Errors
    /// When one of them cannot be listened at.
    pub fn bind(config: &Config) -> Result<Self, ServerError> {
        Self::bind_with(config, Arc::clone(&TURN))
    }

    /// The same; tests are made while nobody has the turn.
    fn bind_with(config: &Config, turn: Arc<tokio::sync::Mutex<()>>) -> Result<Self, ServerError> {
        let bound = config
            .listen
            .iter()
            .map(|address| listen(*address).map_err(|source| ServerError { address: *address, source }));
        let shared = Shared {
            allowed: Mutex::new(config.allow.clone()),
            limits: config.limits,
            turn,
            current: Mutex::default(),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
            tests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        };
        Ok(Self { doors: bound.collect::<Result<_, _>>()?, handle: Handle(Arc::new(shared)) })
    }

    /// Where it listens, with the ports that the system gave for port 0.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().filter_map(|(listener, _)| listener.local_addr().ok()).collect()
    }

    /// For who wants to know what it does.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Makes tests until it is dropped.
    pub async fn run(self) {
        let mut tasks = JoinSet::new();
        for (listener, datagrams) in self.doors {
            tasks.spawn(serve(listener, datagrams, self.handle.clone()));
        }
        while tasks.join_next().await.is_some() {}
    }
}

/// A port for both: the system's choice for TCP must be free for UDP, too.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, Arc<UdpSocket>)> {
    let open = |kind, protocol, address: SocketAddr| {
        let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() {
            // `[::]` is for IPv4, too, as people expect of a server that listens everywhere.
            socket.set_only_v6(false)?;
        }
        if kind == Type::STREAM {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&SockAddr::from(address))?;
        Ok::<Socket, io::Error>(socket)
    };
    let listener = open(Type::STREAM, Protocol::TCP, address)?;
    listener.listen(128)?;
    let listener = TcpListener::from_std(listener.into())?;
    let datagrams = open(Type::DGRAM, Protocol::UDP, listener.local_addr()?)?;
    // Less room is no failure: what is lost for want of it is lost for the test, too.
    let _ = datagrams.set_recv_buffer_size(ROOM);
    os::ask(&SockRef::from(&datagrams), address.is_ipv6())?;
    Ok((listener, Arc::new(UdpSocket::from_std(datagrams.into())?)))
}

/// Takes connections, each in a task of its own, so that one that says nothing holds up nobody.
async fn serve(listener: TcpListener, datagrams: Arc<UdpSocket>, handle: Handle) {
    let mut tasks = JoinSet::new();
    for place in 0.. {
        while tasks.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a throughput test cannot be accepted");
                // A socket that fails at once and always must not take a whole processor.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let permit = Arc::clone(&handle.0.strangers).try_acquire_owned();
        let (true, Ok(permit)) = (handle.is_known(peer.ip()), permit) else {
            handle.refuse();
            continue;
        };
        let (datagrams, handle) = (Arc::clone(&datagrams), handle.clone());
        tasks.spawn(async move {
            let mut stream = stream;
            let mut cookie = [0; COOKIE];
            let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut cookie)).await;
            drop(permit);
            if matches!(read, Ok(Ok(_))) {
                admit(stream, place, cookie, &datagrams, &handle).await;
            }
        });
    }
}

/// A stream joins its test; a new test begins when there is none.
async fn admit(mut stream: TcpStream, place: u64, cookie: [u8; COOKIE], datagrams: &Arc<UdpSocket>, handle: &Handle) {
    let current = || handle.0.current.lock().unwrap_or_else(PoisonError::into_inner);
    let known = current().as_ref().filter(|(known, _)| *known == cookie).map(|(_, streams)| streams.clone());
    if let Some(streams) = known {
        // A test that has all its streams takes no more.
        let _ = streams.try_send((place, stream));
        return;
    }
    let (sender, mut streams) = mpsc::channel(handle.0.limits.streams.max(1) * 2);
    let turn = handle.0.turn.try_lock();
    let begins = turn.is_ok() && {
        let mut current = current();
        let is_free = current.is_none();
        if is_free {
            *current = Some((cookie, sender));
        }
        is_free
    };
    if !begins {
        handle.refuse();
        // Who does not listen to it has gone.
        let _ = stream.write_all(&[State::AccessDenied.octet()]).await;
        return;
    }
    let ended = End(handle);
    match test::run(stream, &mut streams, datagrams, &handle.0.limits).await {
        Ok(carried) => {
            handle.0.tests.fetch_add(1, Ordering::Relaxed);
            tracing::info!(
                octets = carried.octets,
                seconds = carried.seconds,
                udp = carried.udp,
                "a throughput test was made"
            );
        }
        Err(failure) => tracing::warn!(reason = %failure.message, "a throughput test was not finished"),
    }
    drop(ended);
    drop(turn);
}

/// Makes room for the next test, also when a test is dropped.
struct End<'a>(&'a Handle);

impl Drop for End<'_> {
    fn drop(&mut self) {
        *self.0.0.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests;
