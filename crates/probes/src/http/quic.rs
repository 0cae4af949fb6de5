//! A request over QUIC and HTTP/3 (RFC 9000, RFC 9114).
//!
//! The socket is ours ([`Bound`]), so that the probe's source and DSCP hold: the library would write the whole octet of the traffic class
//! for its congestion marks. The handshake of QUIC is that of TLS too, so that there is one phase for both.
//!
//! Limits: as those of [`exchange`](super::exchange). The library does not tell the cipher suite.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::{Response, header};
use netwatch_model::probe::kind::http::HttpHop;
use netwatch_model::probe::{Failure, FailureReason};
use netwatch_telemetry::clock;
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig};
use quinn::rustls::pki_types::CertificateDer;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, TokioRuntime, UdpPoller};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use super::exchange::{Answer, MAX_HEADER, Read, Reading};
use super::step::{self, Step};
use super::{Journey, connect};
use crate::connect::Deadline;
use crate::socket::failure_of;
use crate::tls::session::{Asked, Seen, describe, lenient};

type Sender = h3::client::SendRequest<h3_quinn::OpenStreams, Bytes>;
type Driver = h3::client::Connection<h3_quinn::Connection, Bytes>;

/// One request and its answer over QUIC.
pub(super) async fn ask(
    journey: &mut Journey<'_>,
    step: &Step,
    hop: &mut HttpHop,
    address: SocketAddr,
    asked: &Asked,
) -> Result<Answer, Failure> {
    let host = step.host();
    if !step.is_secure() {
        return Err(Failure::new(FailureReason::Agent, "HTTP/3 needs a target with https://"));
    }
    let socket = connect::udp(address, journey.spec);
    let deadline = journey.deadline;
    let joined = match socket {
        Ok((socket, source)) => {
            journey.ran.source = source;
            join(socket, address, asked, deadline, &host).await
        }
        Err(failure) => Err(failure),
    };
    hop.phases.connect = journey.laps.lap();
    let joined = joined?;
    journey.accept(joined.session(asked, hop.phases.connect), &host)?;
    let (endpoint, connection) = (joined.endpoint, joined.connection.clone());
    let sent = request(connection, step, journey, deadline, &host).await;
    hop.phases.first_byte = journey.laps.lap();
    let (head, mut stream, _sender) = sent?;
    let (head, ()) = head.into_parts();
    journey.describe(hop, &head, "HTTP/3");
    let most =
        if journey.plan.follow && step::is_redirect(head.status, &head.headers) { 0 } else { journey.plan.max_body };
    let has_body = head.headers.get(header::CONTENT_LENGTH).is_none_or(|length| length != "0");
    let read = body(&mut stream, if has_body { most } else { 0 }, journey.plan.keeps_body(), deadline, &host).await;
    hop.phases.transfer = journey.laps.lap();
    joined.connection.close(0x100_u32.into(), b""); // H3_NO_ERROR (RFC 9114, 8.1)
    drop(endpoint);
    Ok(Answer { status: head.status, headers: head.headers, body: read? })
}

/// A connection of QUIC.
struct Joined {
    endpoint: Endpoint,
    connection: quinn::Connection,
    witness: Arc<crate::tls::session::Witness>,
}

impl Joined {
    fn session(&self, asked: &Asked, seconds: f64) -> netwatch_model::probe::kind::tls::TlsSession {
        let chain = self
            .connection
            .peer_identity()
            .and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok());
        let agreed = self.connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
        let seen = Seen {
            certificates: chain.as_ref().map(|chain| chain.as_slice()).unwrap_or_default(),
            version: "TLS 1.3".to_owned(), // RFC 9001, 4.2: nothing else
            cipher: String::new(),
            alpn: agreed.as_ref().and_then(|agreed| agreed.protocol.as_deref()),
        };
        describe(&seen, asked, &self.witness, seconds, clock::now())
    }
}

async fn join(
    socket: UdpSocket,
    address: SocketAddr,
    asked: &Asked,
    deadline: Deadline,
    host: &str,
) -> Result<Joined, Failure> {
    let what = format!("the QUIC connection to {host}");
    let unable =
        |error: &dyn fmt::Display| Failure::new(FailureReason::Agent, &format!("QUIC cannot be set up: {error}"));
    let (config, witness) = lenient(&asked.alpn).map_err(|error| unable(&error))?;
    let config = QuicClientConfig::try_from(config).map_err(|error| unable(&error))?;
    let socket = Arc::new(Bound { socket, peer: address, broken: Mutex::new(None), told: Notify::new() });
    let abstracted: Arc<dyn AsyncUdpSocket> = Arc::clone(&socket) as _;
    let endpoint =
        Endpoint::new_with_abstract_socket(EndpointConfig::default(), None, abstracted, Arc::new(TokioRuntime));
    let endpoint = endpoint.map_err(|error| failure_of(&error, &what))?;
    let config = quinn::ClientConfig::new(Arc::new(config));
    let connecting = endpoint.connect_with(config, address, &asked.name.to_str()).map_err(|error| unable(&error))?;
    let made = tokio::select! {
        made = deadline.within(&what, connecting) => made?,
        error = socket.breaks() => return Err(failure_of(&error, &what)),
    };
    let connection = made.map_err(|error| lost(&error, &what))?;
    Ok(Joined { endpoint, connection, witness })
}

type Stream = h3::client::RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>;

async fn request(
    connection: quinn::Connection,
    step: &Step,
    journey: &Journey<'_>,
    deadline: Deadline,
    host: &str,
) -> Result<(Response<()>, Stream, (Sender, Driving)), Failure> {
    let what = format!("the answer of {host}");
    let broken =
        |error: &dyn fmt::Display| Failure::new(FailureReason::Malformed, &format!("{what} broke off: {error}"));
    let (request, body) = step.message(journey.plan).absolute()?;
    let exchange = async {
        let mut builder = h3::client::builder();
        builder.max_field_section_size(MAX_HEADER as u64);
        let (driver, mut sender) =
            builder.build(h3_quinn::Connection::new(connection)).await.map_err(|error| broken(&error))?;
        let driving = Driving::new(driver);
        let mut stream = sender.send_request(request).await.map_err(|error| broken(&error))?;
        if !body.is_empty() {
            stream.send_data(body).await.map_err(|error| broken(&error))?;
        }
        stream.finish().await.map_err(|error| broken(&error))?;
        let head = stream.recv_response().await.map_err(|error| broken(&error))?;
        Ok((head, stream, (sender, driving)))
    };
    deadline.within(&what, exchange).await?
}

async fn body(stream: &mut Stream, most: usize, keeps: bool, deadline: Deadline, host: &str) -> Result<Read, Failure> {
    let what = format!("the body of {host}");
    let mut reading = Reading::new(most, keeps);
    while most > 0 && !reading.read.is_cut {
        let data = deadline.within(&what, stream.recv_data()).await?;
        let data = data.map_err(|error| Failure::new(FailureReason::Reset, &format!("{what} broke off: {error}")))?;
        let Some(mut data) = data else { break };
        while data.has_remaining() && !reading.read.is_cut {
            let chunk = data.chunk();
            let length = chunk.len();
            reading.take(chunk);
            data.advance(length);
        }
    }
    Ok(reading.finish())
}

/// Why a connection of QUIC was lost.
fn lost(error: &quinn::ConnectionError, what: &str) -> Failure {
    use quinn::ConnectionError as C;
    let reason = match error {
        C::TimedOut => FailureReason::Timeout,
        C::Reset | C::ApplicationClosed(_) => FailureReason::Reset,
        // RFC 9001, 4.8: 0x100 and above are alerts of TLS.
        C::ConnectionClosed(close) if (0x100..0x200).contains(&u64::from(close.error_code)) => FailureReason::Tls,
        C::TransportError(error) if (0x100..0x200).contains(&u64::from(error.code)) => FailureReason::Tls,
        C::ConnectionClosed(_) => FailureReason::Refused,
        _ => FailureReason::Malformed,
    };
    Failure::new(reason, &format!("{what} failed: {error}"))
}

/// Serves a connection until it is dropped.
struct Driving(tokio::task::AbortHandle);

impl Driving {
    fn new(mut driver: Driver) -> Self {
        let serve = async move { std::future::poll_fn(|context| driver.poll_close(context)).await };
        Self(tokio::spawn(serve).abort_handle())
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connected socket. What the network says of the peer (refused, unreachable) ends the connection, which the library would wait out.
#[derive(Debug)]
struct Bound {
    socket: UdpSocket,
    peer: SocketAddr,
    broken: Mutex<Option<io::Error>>,
    told: Notify,
}

impl Bound {
    async fn breaks(&self) -> io::Error {
        loop {
            self.told.notified().await;
            if let Some(error) = self.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return error;
            }
        }
    }

    fn tell(&self, error: io::Error) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.told.notify_one();
    }
}

impl AsyncUdpSocket for Bound {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Poller(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.socket.try_send(transmit.contents) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => {
                self.tell(error);
                Ok(())
            }
        }
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(room), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        loop {
            let mut buffer = ReadBuf::new(room);
            match ready!(self.socket.poll_recv(context, &mut buffer)) {
                Ok(()) => {
                    let len = buffer.filled().len();
                    *meta = RecvMeta { addr: self.peer, len, stride: len, ecn: None, dst_ip: None::<IpAddr> };
                    return Poll::Ready(Ok(1));
                }
                Err(error) => self.tell(error),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

#[derive(Debug)]
struct Poller(Arc<Bound>);

impl UdpPoller for Poller {
    fn poll_writable(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.socket.poll_send_ready(context)
    }
}
