//! The streams of a test: tasks that read or write as fast as they may, and what they have counted.
//!
//! A stream of TCP is a connection with a task. Datagrams of all streams come through the server's one socket, and are told apart by who
//! sent them; each stream that is sent has a task. Dropping [`Running`] ends all tasks.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_telemetry::clock;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::datagrams::{self, Datagrams, HEAD};
use super::plan::Plan;
use crate::simulation::os;
use crate::throughput::noise::noise;
use crate::throughput::os::tcp_info;
use crate::throughput::protocol::{StreamResult, stream_id};

/// The longest datagram that is read, octets.
const MAX_DATAGRAM: usize = 65_507;
/// Datagrams that a task reads or writes before others have their turn.
const TURN: u32 = 64;
/// How far a sender may run ahead of its rate; that of iperf3.
const PACE: Duration = Duration::from_millis(1);

/// Where the streams of a test go.
#[derive(Debug)]
pub(super) enum Streams {
    /// Connections, in the order in which they were opened.
    Tcp(Vec<TcpStream>),
    /// Who sends and receives datagrams, in the order in which they said so.
    Udp(Arc<UdpSocket>, Vec<SocketAddr>),
}

/// What was counted of one stream.
#[derive(Debug, Default)]
struct Count {
    octets: AtomicU64,
    /// Datagrams that were sent.
    sent: AtomicU64,
    datagrams: Mutex<Datagrams>,
}

/// What stood there when the warm-up was over.
#[derive(Clone, Copy, Debug, Default)]
struct Base {
    octets: u64,
    sent: u64,
    datagrams: Datagrams,
}

/// The streams at work.
#[derive(Debug)]
pub(super) struct Running {
    counts: Vec<Arc<Count>>,
    bases: Vec<Base>,
    connections: Vec<Arc<TcpStream>>,
    /// The streams before this one are received, the others sent.
    receive: usize,
    tasks: JoinSet<()>,
}

impl Running {
    /// Begins.
    pub(super) fn start(plan: &Plan, streams: Streams) -> Self {
        let counts: Vec<Arc<Count>> = (0..plan.streams()).map(|_| Arc::default()).collect();
        let mut running = Self {
            bases: vec![Base::default(); counts.len()],
            counts,
            connections: Vec::new(),
            receive: plan.receive,
            tasks: JoinSet::new(),
        };
        match streams {
            Streams::Tcp(connections) => running.start_connections(plan, connections),
            Streams::Udp(socket, peers) => running.start_datagrams(plan, &socket, peers),
        }
        running
    }

    fn start_connections(&mut self, plan: &Plan, connections: Vec<TcpStream>) {
        for (place, stream) in connections.into_iter().enumerate() {
            let Some(count) = self.counts.get(place).map(Arc::clone) else { break };
            let stream = Arc::new(stream);
            self.connections.push(Arc::clone(&stream));
            if place < plan.receive {
                let length = plan.length;
                self.tasks.spawn(async move { read(&stream, &count, length).await });
            } else {
                let plan = *plan;
                self.tasks.spawn(async move { write(&stream, &count, &plan).await });
            }
        }
    }

    fn start_datagrams(&mut self, plan: &Plan, socket: &Arc<UdpSocket>, peers: Vec<SocketAddr>) {
        for (peer, count) in peers.iter().copied().zip(&self.counts).skip(plan.receive) {
            let (socket, count, plan) = (Arc::clone(socket), Arc::clone(count), *plan);
            self.tasks.spawn(async move { send(&socket, peer, &count, &plan).await });
        }
        let known: Vec<_> = peers.into_iter().zip(self.counts.iter().cloned()).take(plan.receive).collect();
        if !known.is_empty() {
            let (socket, wide) = (Arc::clone(socket), plan.wide);
            self.tasks.spawn(async move { receive(&socket, &known, wide).await });
        }
    }

    /// Octets of all streams.
    pub(super) fn octets(&self) -> u64 {
        self.counts.iter().map(|count| count.octets.load(Ordering::Relaxed)).sum()
    }

    /// The warm-up is over: what was counted before does not count.
    pub(super) fn begin_anew(&mut self) {
        for (base, count) in self.bases.iter_mut().zip(&self.counts) {
            let mut datagrams = count.datagrams.lock().unwrap_or_else(PoisonError::into_inner);
            datagrams.begin_anew();
            *base = Base {
                octets: count.octets.load(Ordering::Relaxed),
                sent: count.sent.load(Ordering::Relaxed),
                datagrams: *datagrams,
            };
        }
    }

    /// What each stream has seen, for the client; `seconds` since the warm-up.
    pub(super) fn results(&self, seconds: f64) -> Vec<StreamResult> {
        let counts = self.counts.iter().zip(&self.bases).enumerate();
        counts.map(|(place, (count, base))| self.result(place, count, base, seconds)).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "octets and packets of one test are far below 2^53")]
    fn result(&self, place: usize, count: &Count, base: &Base, seconds: f64) -> StreamResult {
        let octets = count.octets.load(Ordering::Relaxed).saturating_sub(base.octets);
        let mut result = StreamResult { id: stream_id(place) as f64, bytes: octets as f64, ..StreamResult::default() };
        result.end_time = seconds;
        if place < self.receive {
            let seen = *count.datagrams.lock().unwrap_or_else(PoisonError::into_inner);
            (result.jitter, result.errors, result.packets) = (seen.jitter, seen.lost as f64, seen.highest as f64);
            result.omitted_errors = base.datagrams.lost as f64;
            result.omitted_packets = base.datagrams.highest as f64;
        } else {
            result.packets = count.sent.load(Ordering::Relaxed) as f64;
            result.omitted_packets = base.sent as f64;
            let info = self.connections.get(place).and_then(|stream| tcp_info(&SockRef::from(&stream)).ok());
            result.retransmits = info.map_or(0.0, |info| f64::from(info.retransmits));
        }
        result
    }
}

fn add(counter: &AtomicU64, length: usize) {
    counter.fetch_add(length as u64, Ordering::Relaxed);
}

async fn read(stream: &TcpStream, count: &Count, length: usize) {
    let mut block = vec![0; length];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut block) {
            Ok(0) => return,
            Ok(length) => add(&count.octets, length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn write(stream: &TcpStream, count: &Count, plan: &Plan) {
    let (block, began) = (noise(plan.length), clock::monotonic());
    loop {
        keep_pace(plan.rate, count.octets.load(Ordering::Relaxed), began).await;
        if stream.writable().await.is_err() {
            return;
        }
        match stream.try_write(&block) {
            Ok(length) => add(&count.octets, length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Sends datagrams with numbers from 1 on.
async fn send(socket: &UdpSocket, to: SocketAddr, count: &Count, plan: &Plan) {
    let (mut datagram, began) = (noise(plan.length.max(HEAD)), clock::monotonic());
    for number in 1.. {
        keep_pace(plan.rate, count.octets.load(Ordering::Relaxed), began).await;
        datagrams::write(&mut datagram, plan.wide, clock::now(), number);
        // One that finds no room here, or nobody there, is lost like any other.
        let sent = socket.send_to(&datagram, to).await;
        add(&count.octets, sent.unwrap_or(0));
        count.sent.fetch_add(1, Ordering::Relaxed);
        if number % u64::from(TURN) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Receives the datagrams of all streams. Those of others are not looked at.
async fn receive(socket: &UdpSocket, known: &[(SocketAddr, Arc<Count>)], wide: bool) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut turn = 0;
    loop {
        let received = socket.async_io(Interest::READABLE, || os::receive(&SockRef::from(&socket), &mut buffer)).await;
        let Ok(received) = received else {
            // The error of a datagram that was sent: its stream has a task of its own, which goes on. One that stays takes no processor.
            tokio::time::sleep(PACE).await;
            continue;
        };
        let Some((_, count)) = known.iter().find(|(peer, _)| *peer == received.source) else { continue };
        let bytes = buffer.get(..received.length).unwrap_or_default();
        add(&count.octets, bytes.len());
        let at = received.stamp.unwrap_or_else(clock::now);
        count.datagrams.lock().unwrap_or_else(PoisonError::into_inner).arrived(bytes, wide, at);
        turn += 1;
        if turn % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Waits until so many octets may have been sent at a rate.
#[expect(clippy::cast_precision_loss, reason = "octets of one test are far below 2^53")]
async fn keep_pace(rate: Option<f64>, octets: u64, began: Duration) {
    let Some(rate) = rate else { return };
    let due = Duration::try_from_secs_f64(octets as f64 * 8.0 / rate).unwrap_or(Duration::MAX);
    let early = began.saturating_add(due).saturating_sub(clock::monotonic());
    if early > PACE {
        tokio::time::sleep(early).await;
    }
}
