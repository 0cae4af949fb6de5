//! One test, as the server of iperf3 makes it: what the client asks for, its streams, and the results of both sides.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::probe::{Failure, FailureReason};
use netwatch_telemetry::clock;
use socket2::SockRef;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Limits;
use super::plan::{Denied, Plan};
use super::streams::{Running, Streams};
use crate::socket::set_class;
use crate::throughput::control::{Control, late, unexpected};
use crate::throughput::protocol::{Asked, Results, State};

/// How long each step of the client is waited for.
const STEP: Duration = Duration::from_secs(10);
/// How much longer than its time a test may take: the client decides when it ends.
const GRACE: Duration = Duration::from_secs(10);
/// How often budgets are looked at.
const TICK: Duration = Duration::from_millis(20);
/// What a client of UDP says first and is answered, since version 3.11 and before.
const GREETINGS: [(u32, u32); 2] = [(0x3637_3839, 0x3938_3736), (123_456_789, 987_654_321)];
/// Datagrams that waited from a test before; more are not looked for.
const STALE: usize = 100_000;

/// A connection that names a test by its cookie, and how many came before it.
pub(super) type Joined = (u64, TcpStream);

/// What a test carried.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Carried {
    pub octets: u64,
    pub seconds: f64,
    pub udp: bool,
}

/// Makes a test with the client at the other end of `control`.
pub(super) async fn run(
    control: TcpStream,
    joined: &mut mpsc::Receiver<Joined>,
    datagrams: &Arc<UdpSocket>,
    limits: &Limits,
) -> Result<Carried, Failure> {
    let peer = control.peer_addr().map_err(|error| crate::throughput::control::broken(&error))?.ip();
    let mut control = Control { stream: control, timeout: STEP };
    control.send(&[State::ParamExchange.octet()]).await?;
    let asked: Asked = control.read_json().await?;
    let plan = match Plan::of(&asked, limits) {
        Ok(plan) => plan,
        Err(denied) => return Err(deny(&mut control, denied).await),
    };
    if plan.udp {
        empty(datagrams);
    }
    control.send(&[State::CreateStreams.octet()]).await?;
    let gathering =
        async { if plan.udp { greet(datagrams, peer, plan.streams()).await } else { gather(joined, &plan).await } };
    let streams = timeout(STEP, gathering).await.map_err(|_| late("open its streams"))??;
    control.send(&[State::TestStart.octet()]).await?;
    control.send(&[State::TestRunning.octet()]).await?;
    let (cpu, begin) = (clock::process_cpu(), clock::monotonic());
    let mut running = Running::start(&plan, streams);
    let seconds = match watch(&mut control, &plan, &mut running, limits).await? {
        Ok(seconds) => seconds,
        Err(denied) => return Err(deny(&mut control, denied).await),
    };
    let passed = clock::monotonic().saturating_sub(begin).as_secs_f64();
    let cpu = clock::process_cpu().saturating_sub(cpu).as_secs_f64() / passed.max(1e-9);
    let results = Results {
        cpu_util_total: cpu * 100.0,
        sender_has_retransmits: if plan.send > 0 && !plan.udp { 1.0 } else { -1.0 },
        streams: running.results(seconds),
        ..Results::default()
    };
    let octets = running.octets();
    drop(running);
    control.send(&[State::ExchangeResults.octet()]).await?;
    let _theirs: Results = control.read_json().await?;
    control.send_json(&results).await?;
    control.send(&[State::DisplayResults.octet()]).await?;
    control.expect(State::IperfDone).await?;
    Ok(Carried { octets, seconds, udp: plan.udp })
}

/// Tells the client why its test is not made, or not finished.
async fn deny(control: &mut Control, denied: Denied) -> Failure {
    let mut said = vec![State::ServerError.octet()];
    said.extend((denied as u32).to_be_bytes());
    said.extend([0; 4]); // no error of the system
    let told = control.send(&said).await;
    told.err().unwrap_or_else(|| Failure::new(FailureReason::Forbidden, &format!("the test was refused: {denied}")))
}

/// The connections of a test, in the order in which they were opened.
async fn gather(joined: &mut mpsc::Receiver<Joined>, plan: &Plan) -> Result<Streams, Failure> {
    let mut streams = Vec::new();
    while streams.len() < plan.streams() {
        let next = joined.recv().await;
        streams
            .push(next.ok_or_else(|| Failure::new(FailureReason::Agent, "the server of throughput tests has ended"))?);
    }
    streams.sort_by_key(|(place, _)| *place);
    let streams: Vec<TcpStream> = streams.into_iter().map(|(_, stream)| stream).collect();
    for stream in &streams {
        // What cannot be set changes how fast the test is, not whether its figures are right.
        let _ = stream.set_nodelay(plan.no_delay);
        if plan.traffic_class > 0 {
            let class = u32::from(plan.traffic_class);
            let socket = SockRef::from(stream);
            let v6 = stream.local_addr().is_ok_and(|address| address.is_ipv6());
            let _ = set_class(&socket, v6, class);
        }
    }
    Ok(Streams::Tcp(streams))
}

/// Answers the greeting of each stream of UDP.
async fn greet(socket: &Arc<UdpSocket>, peer: IpAddr, streams: usize) -> Result<Streams, Failure> {
    let mut peers = Vec::new();
    let mut buffer = [0; 4];
    let failed = |error| crate::socket::failure_of(&error, "the datagrams of a test");
    while peers.len() < streams {
        let (length, from) = socket.recv_from(&mut buffer).await.map_err(failed)?;
        let Some(answer) = answer(buffer.get(..length).unwrap_or_default()) else { continue };
        // A greeting is as long as its answer; from elsewhere it is none.
        if from.ip() == peer {
            socket.send_to(&answer, from).await.map_err(failed)?;
            if !peers.contains(&from) {
                peers.push(from);
            }
        }
    }
    Ok(Streams::Udp(Arc::clone(socket), peers))
}

/// The answer of a greeting, in the order of octets of who greets.
fn answer(greeting: &[u8]) -> Option<[u8; 4]> {
    let octets = *greeting.first_chunk::<4>()?;
    GREETINGS.iter().find_map(|(asked, said)| {
        let little = (octets == asked.to_le_bytes()).then(|| said.to_le_bytes());
        little.or_else(|| (octets == asked.to_be_bytes()).then(|| said.to_be_bytes()))
    })
}

/// Throws away what waits in the socket.
fn empty(socket: &UdpSocket) {
    let mut buffer = [0; 4];
    (0..STALE).find(|_| socket.try_recv_from(&mut buffer).is_err());
}

/// Waits until the client ends the test or a budget is used up; how many seconds it took after the warm-up.
async fn watch(
    control: &mut Control,
    plan: &Plan,
    running: &mut Running,
    limits: &Limits,
) -> Result<Result<f64, Denied>, Failure> {
    let begin = clock::monotonic();
    let mut counts_from = begin;
    let mut is_warm = plan.omit.is_zero();
    let most = plan.time.map_or(limits.time, |time| time.saturating_add(plan.omit).saturating_add(GRACE));
    let mut tick = tokio::time::interval(TICK);
    let mut octet = [0];
    loop {
        tokio::select! {
            () = async { _ = control.stream.readable().await } => match control.stream.try_read(&mut octet) {
                Ok(0) => return Err(Failure::new(FailureReason::Reset, "the client ended the test early")),
                Ok(_) => match State::from_octet(octet[0]) {
                    State::TestEnd => {
                        return Ok(Ok(clock::monotonic().saturating_sub(counts_from).as_secs_f64()));
                    }
                    State::ClientTerminate => {
                        return Err(Failure::new(FailureReason::Reset, "the client ended the test early"));
                    }
                    state => return Err(unexpected(state)),
                },
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(crate::throughput::control::broken(&error)),
            },
            _ = tick.tick() => {}
        }
        let passed = clock::monotonic().saturating_sub(begin);
        if !is_warm && passed >= plan.omit {
            (is_warm, counts_from) = (true, clock::monotonic());
            running.begin_anew();
        }
        if passed > most {
            return Ok(Err(Denied::Duration));
        }
        if running.octets() > limits.octets {
            return Ok(Err(Denied::Octets));
        }
    }
}
