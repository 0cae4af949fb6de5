//! A reflector of STAMP (RFC 8762): sends test packets back, with its own numbers and stamps, to those that it knows.
//!
//! It is no amplifier and no open door: a source that is not in the list of allowed networks gets no answer (an empty list means this host
//! alone), an answer is never longer than its request, and each source has a rate. A source that has keys is answered when its packets are
//! authentic, and only then; so are all of the list when the reflector has a key. Sessions are told apart by address, port and identifier, so
//! that nobody can take over another's session.
//!
//! One task for each address that is listened at; all share one `Table` behind a lock that is held for one packet. Dropping the run ends
//! the tasks.

mod known;
mod table;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_egress::Network;
use netwatch_model::assignment::Sender;
use netwatch_telemetry::clock;
use netwatch_wire::stamp::reflect::{Arrival, Sequences, reflect};
use netwatch_wire::stamp::time::{ErrorEstimate, StampTime};
use netwatch_wire::stamp::tlv::TimestampInformation;
use netwatch_wire::stamp::{Key, Reflected, base_length};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use self::table::{Admitted, Table};
use crate::simulation::TTL;
use crate::simulation::os::{self, Received};

pub use self::table::{Limits, Refusal};

/// The longest packet that is sent back, octets.
const MAX_PACKET: usize = 9216;
/// Octets that the kernel keeps for a socket while its task does something else.
const RECEIVE_BUFFER: usize = 1 << 20;
/// How often the kernel is asked how far it trusts its clock.
const CLOCK_PERIOD: Duration = Duration::from_secs(1);

/// What a reflector shall do.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// Whom it answers; this host alone when it is empty.
    pub allow: Vec<Network>,
    /// The key of authenticated mode for those of this list; with it nothing else of them is answered.
    pub key: Option<Key>,
    /// How much it does for how many.
    pub limits: Limits,
}

/// A reflector that cannot begin.
#[derive(Debug, thiserror::Error)]
#[error(
    "the reflector cannot listen at {address}: is the port in use, and may this process use it (CAP_NET_BIND_SERVICE below 1024)?"
)]
pub struct ReflectorError {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

/// A reflector that listens, and answers once it runs.
#[derive(Debug)]
pub struct Reflector {
    sockets: Vec<UdpSocket>,
    handle: Handle,
}

/// What others may ask of a reflector while it runs.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: Mutex<Table>,
    answered: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
}

impl Handle {
    /// Says anew whom it answers: those networks, and `senders` with their keys.
    pub fn allow(&self, networks: Vec<Network>, senders: &[Sender]) {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner).allow(networks, senders);
    }

    /// Packets that were answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.0.answered.load(Ordering::Relaxed)
    }

    /// Packets that were not answered, by reason.
    #[must_use]
    pub fn refused(&self, why: Refusal) -> u64 {
        self.0.refused.get(why as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    fn refuse(&self, why: Refusal) {
        if let Some(count) = self.0.refused.get(why as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Reflector {
    /// Listens at every address; needs a runtime of tokio.
    ///
    /// # Errors
    /// When one of them cannot be listened at.
    pub fn bind(config: Config) -> Result<Self, ReflectorError> {
        let bound = config
            .listen
            .iter()
            .map(|address| listen(*address).map_err(|source| ReflectorError { address: *address, source }));
        let sockets = bound.collect::<Result<_, _>>()?;
        let table = Mutex::new(Table::new(config.limits, config.allow, config.key));
        let shared = Shared { table, answered: AtomicU64::new(0), refused: Default::default() };
        Ok(Self { sockets, handle: Handle(Arc::new(shared)) })
    }

    /// Listens at a port of every address, for nobody but this host at first; needs a runtime of tokio.
    ///
    /// # Errors
    /// When the port cannot be listened at.
    pub fn everywhere(port: u16) -> Result<Self, ReflectorError> {
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let bind = |listen| Self::bind(Config { listen, ..Config::default() });
        // A host without IPv6 answers over IPv4.
        bind(vec![v4, v6]).or_else(|_| bind(vec![v4]))
    }

    /// Where it listens, with the ports that the system gave for port 0.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// For who wants to know what it does.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Answers until it is dropped.
    pub async fn run(self) {
        let mut tasks = JoinSet::new();
        for socket in self.sockets {
            tasks.spawn(serve(socket, self.handle.clone()));
        }
        while tasks.join_next().await.is_some() {}
    }
}

fn listen(address: SocketAddr) -> io::Result<UdpSocket> {
    let v6 = address.is_ipv6();
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if v6 {
        // IPv4 has a socket of its own, so that an address means the same on both.
        socket.set_only_v6(true)?;
        socket.set_unicast_hops_v6(TTL)?;
    } else {
        socket.set_ttl_v4(TTL)?;
    }
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    os::ask(&SockRef::from(&socket), v6)?;
    socket.bind(&SockAddr::from(address))?;
    UdpSocket::from_std(socket.into())
}

/// What a socket's task knows beside the table.
struct Server {
    socket: UdpSocket,
    handle: Handle,
    port: u16,
    error: ErrorEstimate,
    asked: Option<Duration>,
}

async fn serve(socket: UdpSocket, handle: Handle) {
    let port = socket.local_addr().map_or(0, |address| address.port());
    let mut server = Server { socket, handle, port, error: ErrorEstimate::default(), asked: None };
    let mut buffer = vec![0; MAX_PACKET];
    loop {
        let socket = &server.socket;
        let received = socket.async_io(Interest::READABLE, || os::receive(&SockRef::from(&socket), &mut buffer)).await;
        match received {
            Ok(received) => server.answer(&received, &mut buffer),
            Err(error) => {
                tracing::warn!(%error, "the reflector cannot receive");
                // A socket that fails at once and always must not take a whole processor.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl Server {
    /// Answers a packet in place, or counts why not.
    fn answer(&mut self, received: &Received, buffer: &mut [u8]) {
        let now = clock::monotonic();
        let admitted = match buffer.get(..received.length).filter(|_| !received.is_cut) {
            None => Err(Refusal::Size),
            Some(bytes) => {
                let mut table = self.handle.0.table.lock().unwrap_or_else(PoisonError::into_inner);
                table.admit(now, received.source, bytes)
            }
        };
        match admitted {
            Ok(admitted) => self.send(now, received, &admitted, buffer),
            Err(why) => self.handle.refuse(why),
        }
    }

    fn send(&mut self, now: Duration, received: &Received, admitted: &Admitted, buffer: &mut [u8]) {
        let (Some(packet), key) = (buffer.get_mut(..received.length), admitted.key.as_ref()) else { return };
        if self.asked.is_none_or(|asked| now.saturating_sub(asked) >= CLOCK_PERIOD) {
            self.asked = Some(now);
            let error = os::clock_error();
            self.error = ErrorEstimate::of(error.unwrap_or_default(), error.is_some());
        }
        let class = received.traffic_class.unwrap_or(0);
        let arrival = self.arrival(received, admitted, class);
        let base = base_length(key.is_some()).min(packet.len());
        let (head, extensions) = packet.split_at_mut(base);
        let sequences = Sequences { request: admitted.sent.sequence, answer: admitted.number };
        let wanted = reflect(extensions, sequences, &arrival, key).unwrap_or(class >> 2);
        let stamp = clock::now();
        let answer = Reflected {
            sequence: admitted.number,
            time: StampTime::ntp(stamp),
            error: self.error,
            received: StampTime::ntp(received.stamp.unwrap_or(stamp)),
            sent: admitted.sent,
            ttl: received.ttl.unwrap_or(0),
        };
        let written = answer.encode(key);
        head.iter_mut().zip(written.as_ref()).for_each(|(place, octet)| *place = *octet);
        let sent = os::send_from(&SockRef::from(&self.socket), packet, received.source, received.local, wanted << 2);
        match sent {
            Ok(_) => {
                self.handle.0.answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => tracing::debug!(%error, to = %received.source, "an answer of the reflector did not leave"),
        }
    }

    fn arrival(&self, received: &Received, admitted: &Admitted, class: u8) -> Arrival {
        let own = received.local.map_or(received.source.ip(), |(address, _)| address);
        let follows = if self.error.is_synchronised() { TimestampInformation::NTP } else { TimestampInformation::FREE };
        let software = TimestampInformation::SOFTWARE;
        let timestamps =
            TimestampInformation { source_in: follows, method_in: software, source_out: follows, method_out: software };
        Arrival {
            source: received.source,
            destination: SocketAddr::new(own, self.port),
            dscp: class >> 2,
            ecn: class & 3,
            timestamps,
            received: admitted.number.wrapping_add(1),
            sent: admitted.number.wrapping_add(1),
        }
    }
}

#[cfg(test)]
mod tests;
