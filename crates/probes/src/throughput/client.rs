//! One test of one direction, as a client of iperf3.
//!
//! Tasks: one for each stream, which writes or reads as fast as it can. This task sleeps, looks at the kernel's figures of the streams and
//! at the control connection every [`TICK`], and ends the test by time, by budget, or when the peer does. Octets that were sent count when
//! the peer says that they arrived; octets that were received count until the end of the test.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use netwatch_model::probe::{Failure, FailureReason, ProbeSpec};
use netwatch_telemetry::clock;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::control::{Control, late, unexpected};
use super::noise::{cookie, noise};
use super::os::tcp_info;
use super::protocol::{Parameters, Results, State, StreamResult, stream_id};
use crate::socket::{failure_of, prepare};

/// How often figures are taken.
const TICK: Duration = Duration::from_millis(20);
/// Octets of a block.
pub(super) const BLOCK: usize = 128 << 10;
/// Samples of round-trip times that are kept: a minute of 32 streams.
const MAX_SAMPLES: usize = 100_000;
/// Share of the test in which streams have not yet filled the path.
const RAMP: f64 = 0.2;

/// What a test shall do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub address: SocketAddr,
    pub is_reverse: bool,
    pub duration: Duration,
    pub streams: usize,
    /// Octets after which it ends.
    pub budget: Option<u64>,
    /// For each step of the control connection.
    pub timeout: Duration,
}

/// What a test gave.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Carried {
    pub octets: u64,
    pub seconds: f64,
    pub retransmits: Option<u64>,
    pub segments: Option<u64>,
    /// Octets of payload in a full segment, and whether segments carry time stamps.
    pub segment: Option<(u32, bool)>,
    /// Round-trip times of handshakes, seconds.
    pub idle: Vec<f64>,
    /// Round-trip times of busy streams, seconds.
    pub loaded: Vec<f64>,
    pub cut: bool,
}

/// A test that gave nothing.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Stopped {
    pub failure: Failure,
    /// The peer makes another test.
    pub is_busy: bool,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self { failure, is_busy: false }
    }
}

/// Makes a test; `started` is told when streams begin to carry.
pub(super) async fn run(plan: &Plan, spec: &ProbeSpec, started: &Notify) -> Result<Carried, Stopped> {
    let mut control = Control { stream: connect(plan, spec).await?, timeout: plan.timeout };
    let mut carried = Carried::default();
    note_idle(&control.stream, &mut carried);
    let cookie = cookie();
    control.send(&cookie).await?;
    match control.state().await? {
        State::ParamExchange => {}
        State::AccessDenied => return Err(Stopped { failure: unexpected(State::AccessDenied), is_busy: true }),
        other => return Err(unexpected(other).into()),
    }
    control.send_json(&plan.parameters()).await?;
    control.expect(State::CreateStreams).await?;
    let mut streams = Vec::new();
    for _ in 0..plan.streams {
        let mut stream = connect(plan, spec).await?;
        note_idle(&stream, &mut carried);
        let sent = tokio::time::timeout(plan.timeout, stream.write_all(&cookie)).await;
        sent.map_err(|_| late("take a stream"))?.map_err(|error| failure_of(&error, "a stream broke"))?;
        streams.push(Arc::new(stream));
    }
    control.expect(State::TestStart).await?;
    control.expect(State::TestRunning).await?;
    let (counted, tasks) = start(plan, &streams);
    started.notify_one();
    let seconds = busy(plan, &control.stream, &streams, &counted, &mut carried).await?;
    let octets = counted.load(Ordering::Relaxed);
    control.send(&[State::TestEnd.octet()]).await?;
    control.expect(State::ExchangeResults).await?;
    note_end(plan, &streams, &mut carried);
    control.send_json(&plan.results(&streams, octets, seconds)).await?;
    let theirs: Results = control.read_json().await?;
    control.expect(State::DisplayResults).await?;
    control.send(&[State::IperfDone.octet()]).await?;
    drop(tasks);
    if plan.is_reverse {
        (carried.octets, carried.seconds, carried.retransmits) = (octets, seconds, theirs.retransmits());
    } else {
        (carried.octets, carried.seconds) = (theirs.octets(), theirs.seconds().unwrap_or(seconds));
    }
    Ok(carried)
}

impl Plan {
    /// How long streams have not yet filled the path.
    pub(super) fn ramp(&self) -> Duration {
        self.duration.mul_f64(RAMP)
    }

    fn parameters(&self) -> Parameters {
        Parameters {
            tcp: true,
            omit: 0,
            time: self.duration.as_secs() + u64::from(self.duration.subsec_nanos() > 0),
            num: 0,
            blockcount: 0,
            parallel: self.streams,
            len: BLOCK,
            pacing_timer: 1000,
            reverse: self.is_reverse,
            client_version: "3.12",
        }
    }

    /// What we have seen, for the peer's own report. Octets of streams are not counted apart.
    #[expect(clippy::cast_precision_loss, reason = "octets of one test are far below 2^53")]
    fn results(&self, streams: &[Arc<TcpStream>], octets: u64, seconds: f64) -> Results {
        let share = octets / streams.len().max(1) as u64;
        let one = |(n, stream): (usize, &Arc<TcpStream>)| {
            let again =
                if self.is_reverse { 0 } else { tcp_info(&SockRef::from(&stream)).map_or(0, |info| info.retransmits) };
            let (id, bytes, retransmits) = (stream_id(n) as f64, share as f64, f64::from(again));
            StreamResult { id, bytes, retransmits, end_time: seconds, ..StreamResult::default() }
        };
        let sender_has_retransmits = if self.is_reverse { -1.0 } else { 1.0 };
        Results { sender_has_retransmits, streams: streams.iter().enumerate().map(one).collect(), ..Results::default() }
    }
}

/// A connection that leaves where the probe says.
async fn connect(plan: &Plan, spec: &ProbeSpec) -> Result<TcpStream, Failure> {
    let failed = |what: &'static str| move |error: io::Error| failure_of(&error, what);
    let socket = Socket::new(Domain::for_address(plan.address), Type::STREAM, Some(Protocol::TCP));
    let socket = socket.map_err(failed("a TCP socket cannot be opened"))?;
    prepare(&socket, spec, plan.address.is_ipv6())?;
    socket.set_nonblocking(true).map_err(failed("a TCP socket cannot be set up"))?;
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(plan.address);
    let connected = tokio::time::timeout(plan.timeout, connecting).await.map_err(|_| late("take a connection"))?;
    let stream = connected.map_err(failed("the peer cannot be reached; is an iperf3 server listening there?"))?;
    stream.set_nodelay(true).map_err(failed("a TCP socket cannot be set up"))?;
    Ok(stream)
}

/// Starts a task for each stream; the octets that all of them carry.
fn start(plan: &Plan, streams: &[Arc<TcpStream>]) -> (Arc<AtomicU64>, JoinSet<()>) {
    let counted = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for stream in streams {
        let (stream, counted, budget) = (Arc::clone(stream), Arc::clone(&counted), plan.budget.unwrap_or(u64::MAX));
        if plan.is_reverse {
            tasks.spawn(async move { read(&stream, &counted).await });
        } else {
            tasks.spawn(async move { write(&stream, &counted, budget).await });
        }
    }
    (counted, tasks)
}

async fn write(stream: &TcpStream, counted: &AtomicU64, budget: u64) {
    let block = noise(BLOCK);
    while counted.load(Ordering::Relaxed) < budget && stream.writable().await.is_ok() {
        match stream.try_write(&block) {
            Ok(length) => count(counted, length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn read(stream: &TcpStream, counted: &AtomicU64) {
    let mut block = vec![0; BLOCK];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut block) {
            Ok(0) => return,
            Ok(length) => count(counted, length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

fn count(counted: &AtomicU64, length: usize) {
    counted.fetch_add(u64::try_from(length).unwrap_or(0), Ordering::Relaxed);
}

/// Waits for the end of the test and looks at it meanwhile; how many seconds it took.
async fn busy(
    plan: &Plan,
    control: &TcpStream,
    streams: &[Arc<TcpStream>],
    counted: &AtomicU64,
    carried: &mut Carried,
) -> Result<f64, Failure> {
    let begin = clock::monotonic();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let passed = clock::monotonic().saturating_sub(begin);
        carried.cut = plan.budget.is_some_and(|budget| counted.load(Ordering::Relaxed) >= budget);
        if carried.cut || passed >= plan.duration {
            return Ok(passed.as_secs_f64());
        }
        if passed > plan.ramp() && carried.loaded.len() < MAX_SAMPLES {
            let infos = streams.iter().filter_map(|stream| tcp_info(&SockRef::from(&stream)).ok());
            let times = infos.map(|info| if plan.is_reverse { info.receive_rtt } else { info.rtt });
            carried.loaded.extend(times.filter(|time| !time.is_zero()).map(|time| time.as_secs_f64()));
        }
        let mut octet = [0];
        match control.try_read(&mut octet) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) => return Err(Failure::new(FailureReason::Reset, "the peer ended the test early")),
            Ok(_) => return Err(unexpected(State::from_octet(octet[0]))),
            Err(error) => return Err(failure_of(&error, "the control connection broke")),
        }
    }
}

fn note_idle(stream: &TcpStream, carried: &mut Carried) {
    let rtt = tcp_info(&SockRef::from(&stream)).map(|info| info.rtt).unwrap_or_default();
    if !rtt.is_zero() {
        carried.idle.push(rtt.as_secs_f64());
    }
}

/// What the kernel knows of the streams, and has counted of those that we sent.
fn note_end(plan: &Plan, streams: &[Arc<TcpStream>], carried: &mut Carried) {
    let first = streams.first().and_then(|stream| tcp_info(&SockRef::from(&stream)).ok());
    carried.segment = first.map(|info| (info.segment, info.has_timestamps)).filter(|(octets, _)| *octets > 0);
    if plan.is_reverse {
        return;
    }
    let infos: Vec<_> = streams.iter().filter_map(|stream| tcp_info(&SockRef::from(&stream)).ok()).collect();
    carried.retransmits = Some(infos.iter().map(|info| u64::from(info.retransmits)).sum());
    carried.segments = infos.iter().map(|info| info.segments.map(u64::from)).sum();
}
