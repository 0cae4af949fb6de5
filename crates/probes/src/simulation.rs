//! Traffic simulation: the sender of a STAMP session (RFC 8762) and its figures.
//!
//! The core ([`session`]) takes the time and answers and says what to send when; around it stands one UDP socket whose packets carry the
//! probe's DSCP and size, and whose answers are stamped by the kernel. Dropping the run ends it.
//!
//! Limits: 1000 packets a second; stamps of sent packets are taken by the program, just before the kernel takes the packet.

mod figures;
#[cfg_attr(not(target_os = "linux"), path = "simulation/elsewhere/os.rs")]
pub(crate) mod os;
mod session;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::probe::kind::simulation::{BUFFER, CODEC, DESCRIPTOR, KEY, SIZE, Simulation};
use netwatch_model::probe::spec::split_port;
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec, TargetForm};
use netwatch_telemetry::clock;
use netwatch_wire::stamp::time::{ErrorEstimate, StampTime};
use netwatch_wire::stamp::{Key, Reflected, Sent, base_length, tlv};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use self::session::{Incoming, Plan, Session, Step};
use crate::resolve::resolve;
use crate::run::Ran;
use crate::socket::{failure_of, local_address, prepare};
use crate::tools::Tools;

/// Time to live of test packets, so that their answers tell the number of hops (RFC 5357, 4.1.2).
pub(crate) const TTL: u32 = 255;
/// Octets that an answer may have more than the request.
const SLACK: usize = 256;

/// Runs a session once.
pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let mut ran = Ran::default();
    match measure(spec, tools, &mut ran).await {
        Ok((simulation, failure)) => {
            ran.failure = failure;
            ran.detail = Some(Detail::Simulation(Box::new(simulation)));
        }
        Err(failure) => ran.failure = Some(failure),
    }
    ran
}

async fn measure(spec: &ProbeSpec, tools: &Tools, ran: &mut Ran) -> Result<(Simulation, Option<Failure>), Failure> {
    let (host, port) = target(spec)?;
    let timeout = Duration::from_secs_f64(spec.timeout);
    let resolved = resolve(host, port, spec.family, timeout, tools).await?;
    ran.address = Some(resolved.address.ip());
    let (socket, source) = open(spec, resolved.address)?;
    ran.source = source;
    let own_error = os::clock_error();
    let mut sender = Sender::new(spec, socket, own_error)?;
    let refused = sender.run().await?;
    let own_error = own_error.map(|error| error.as_secs_f64());
    let simulation = sender.session.finish(own_error, resolved.lookup);
    let failure = if simulation.received > 0 { None } else { Some(refused.unwrap_or_else(|| sender.silence(spec))) };
    Ok((simulation, failure))
}

fn target(spec: &ProbeSpec) -> Result<(&str, u16), Failure> {
    let default = match DESCRIPTOR.target {
        TargetForm::HostPort { port } => port,
        _ => None,
    };
    let message = || Failure::new(FailureReason::Agent, "the target is not a host with a port");
    split_port(&spec.target, default).ok_or_else(message)
}

/// A connected socket that leaves where the probe says, and the address that it sends from.
fn open(spec: &ProbeSpec, to: SocketAddr) -> Result<(UdpSocket, Option<std::net::IpAddr>), Failure> {
    let failed = |what: &'static str| move |error: io::Error| failure_of(&error, what);
    let v6 = to.is_ipv6();
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP));
    let socket = socket.map_err(failed("a UDP socket cannot be opened"))?;
    prepare(&socket, spec, v6)?;
    let ttl = if v6 { socket.set_unicast_hops_v6(TTL) } else { socket.set_ttl_v4(TTL) };
    ttl.and_then(|()| socket.set_nonblocking(true)).map_err(failed("a UDP socket cannot be set up"))?;
    os::ask(&SockRef::from(&socket), v6).map_err(failed("the kernel does not stamp what a UDP socket receives"))?;
    socket.connect(&SockAddr::from(to)).map_err(failed("there is no way to the target"))?;
    let source = local_address(&socket);
    let socket = UdpSocket::from_std(socket.into()).map_err(failed("a UDP socket cannot be waited for"))?;
    Ok((socket, source))
}

/// The socket around a session.
struct Sender {
    socket: UdpSocket,
    session: Session,
    key: Option<Key>,
    identifier: u16,
    error: ErrorEstimate,
    dscp: u8,
    room: usize,
    packet: Vec<u8>,
    buffer: Vec<u8>,
    not_authentic: u32,
}

impl Sender {
    fn new(spec: &ProbeSpec, socket: UdpSocket, own_error: Option<Duration>) -> Result<Self, Failure> {
        let secret = spec.options.text(&KEY);
        let key = (!secret.is_empty()).then(|| Key::new(secret.as_bytes()));
        let codec = spec.options.text(&CODEC).parse();
        let codec = codec.map_err(|error| Failure::new(FailureReason::Agent, &format!("{error}")))?;
        let plan = Plan {
            count: spec.count,
            spacing: Duration::from_secs_f64(spec.spacing),
            timeout: Duration::from_secs_f64(spec.timeout),
            codec,
            buffer: Duration::from_secs_f64(spec.options.seconds(&BUFFER)),
        };
        let size = usize::try_from(spec.options.whole(&SIZE)).unwrap_or(0);
        let room = size.saturating_sub(base_length(key.is_some()));
        // With the port it tells our sessions apart; the first stamp makes it differ from the run before.
        let identifier = u16::try_from(clock::monotonic().subsec_nanos() % 65_535).unwrap_or(0) + 1;
        let error = ErrorEstimate::of(own_error.unwrap_or_default(), own_error.is_some());
        let (packet, buffer) = (Vec::with_capacity(size), vec![0; size + SLACK]);
        let session = Session::new(plan);
        Ok(Self { socket, session, key, identifier, error, dscp: spec.dscp, room, packet, buffer, not_authentic: 0 })
    }

    /// Sends and receives until the session is over. Gives the refusal when the target refuses the first packets.
    async fn run(&mut self) -> Result<Option<Failure>, Failure> {
        loop {
            let now = clock::monotonic();
            let outcome = match self.session.step(now) {
                Step::Done => return Ok(None),
                Step::Send(sequence) => self.send(sequence, now).await,
                Step::Wait(until) => self.wait(until.saturating_sub(now)).await,
            };
            match outcome {
                Ok(()) => {}
                Err(error) if self.session.is_answered() => {
                    tracing::debug!(%error, "a packet of a simulation did not leave, or was refused");
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    let what = "nothing listens at the target's port; start a reflector there";
                    return Ok(Some(failure_of(&error, what)));
                }
                Err(error) => return Err(failure_of(&error, "a test packet cannot be sent")),
            }
        }
    }

    async fn send(&mut self, sequence: u32, now: Duration) -> io::Result<()> {
        let stamp = clock::now();
        self.write(sequence, stamp);
        let sent = self.socket.send(&self.packet).await;
        // What the kernel did not take is as lost as what the network did not carry.
        self.session.sent(sequence, now, stamp);
        sent.map(|_| ())
    }

    fn write(&mut self, sequence: u32, stamp: Timestamp) {
        let key = self.key.as_ref();
        let sent = Sent { sequence, time: StampTime::ntp(stamp), error: self.error, session: self.identifier };
        self.packet.clear();
        self.packet.extend_from_slice(sent.encode(key).as_ref());
        tlv::request(&mut self.packet, self.room, self.dscp, sequence, key);
    }

    /// Takes one answer, if one comes in time.
    async fn wait(&mut self, time: Duration) -> io::Result<()> {
        let (socket, buffer) = (&self.socket, &mut self.buffer);
        let receive = socket.async_io(Interest::READABLE, || os::receive(&SockRef::from(&socket), buffer));
        let Ok(received) = tokio::time::timeout(time, receive).await else { return Ok(()) };
        let received = received?;
        let bytes = self.buffer.get(..received.length).unwrap_or_default();
        let key = self.key.as_ref();
        match Reflected::decode(bytes, key) {
            Ok(answer) => {
                let extensions = bytes.get(base_length(key.is_some())..).unwrap_or_default();
                let class = tlv::answers(extensions, answer.sequence, key).class_of_service;
                let stamp = received.stamp.unwrap_or_else(clock::now);
                let dscp = received.traffic_class.map(|class| class >> 2);
                self.session.receive(&Incoming { now: clock::monotonic(), stamp, answer, dscp, class });
            }
            Err(error) => {
                self.not_authentic = self.not_authentic.saturating_add(1);
                tracing::debug!(%error, "an answer to a simulation is not used");
            }
        }
        Ok(())
    }

    /// Why nothing came back.
    fn silence(&self, spec: &ProbeSpec) -> Failure {
        if self.not_authentic > 0 {
            let message =
                "all answers were thrown away: they are no test packets, or the key of the reflector is another";
            return Failure::new(FailureReason::Unexpected, message);
        }
        let message = format!(
            "no packet came back within {} s: is a reflector running at {}, is this host among those that it answers, and is the key right?",
            spec.timeout, spec.target
        );
        Failure::new(FailureReason::Timeout, &message)
    }
}

#[cfg(test)]
mod tests;
