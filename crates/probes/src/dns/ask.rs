//! Asking one server, over UDP, TCP (RFC 7766), TLS (RFC 7858) or HTTPS (RFC 8484).
//!
//! What arrives by UDP and answers another question is dropped, as a guess of somebody off the path: the right answer may still come.
//! An answer that was cut is asked for again by TCP; the time is that of both.

use std::io;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue, Method, header};
use netwatch_model::probe::kind::dns::{AUTHORITY, DnsAnswer, DnsSections};
use netwatch_model::probe::{Failure, FailureReason, ProbeSpec};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::message::{Content, MessageError, Question};
use super::servers::{Server, Transport};
use crate::connect::{self, Deadline, Laps};
use crate::http::exchange::{self, Message};
use crate::socket::failure_of;
use crate::tls::session::{Asked as AskedTls, handshake};
use crate::tls::{judge, name_of, trust};

/// The media type of DNS over HTTPS (RFC 8484, 6).
const MEDIA_TYPE: &str = "application/dns-message";
/// The longest message, octets: its length has 16 bits.
const MAX_MESSAGE: usize = 65_535;

/// What asking a server gave.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) address: Option<IpAddr>,
    pub(super) source: Option<IpAddr>,
    /// The answer by UDP was cut.
    pub(super) truncated: bool,
    pub(super) reply: Result<Reply, Failure>,
}

/// An answer and its time.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    /// Seconds.
    pub(super) time: f64,
    /// Those of them until the question could be sent.
    pub(super) connect: f64,
    pub(super) sections: DnsSections,
    pub(super) code: u16,
    pub(super) authenticated: bool,
    pub(super) authoritative: bool,
    pub(super) answers: Vec<DnsAnswer>,
}

/// One server, one question.
struct Errand<'a> {
    server: &'a Server,
    question: &'a Question,
    spec: &'a ProbeSpec,
    deadline: Deadline,
    source: Option<IpAddr>,
    truncated: bool,
    /// Seconds to connect, and for TLS.
    connect: f64,
}

/// Asks a server.
pub(super) async fn ask(server: &Server, question: &Question, spec: &ProbeSpec) -> Asked {
    let deadline = Deadline::of(spec);
    let mut errand = Errand { server, question, spec, deadline, source: None, truncated: false, connect: 0.0 };
    let reply = errand.go().await;
    let address = server.address.as_ref().ok().map(SocketAddr::ip);
    Asked { address, source: errand.source, truncated: errand.truncated, reply }
}

impl Errand<'_> {
    async fn go(&mut self) -> Result<Reply, Failure> {
        let address = self.server.address.clone()?;
        let mut laps = Laps::start();
        let mut content = match self.server.transport {
            Transport::Udp => self.by_udp(address).await?,
            Transport::Tcp => self.by_tcp(address).await?,
            Transport::Tls => self.by_tls(address).await?,
            Transport::Https => self.by_https(address).await?,
        };
        if self.server.transport == Transport::Udp && content.truncated {
            self.truncated = true;
            content = self.by_tcp(address).await?;
        }
        let Content { code, authenticated, authoritative, answers, sections, .. } = content;
        let (time, connect) = (laps.lap(), self.connect);
        Ok(Reply { time, connect, sections, code, authenticated, authoritative, answers })
    }

    async fn by_udp(&mut self, address: SocketAddr) -> Result<Content, Failure> {
        let what = self.what();
        let failed = |error: io::Error| failure_of(&error, &what);
        let id = random_id().map_err(failed)?;
        let mut laps = Laps::start();
        let (socket, source) = connect::udp(address, self.spec)?;
        self.connect += laps.lap();
        self.source = source;
        socket.send(&self.question.message(id)?).await.map_err(failed)?;
        let mut room = vec![0_u8; MAX_MESSAGE];
        let mut useless = None;
        loop {
            let got = match self.deadline.within(&what, socket.recv(&mut room)).await {
                Ok(got) => got.map_err(failed)?,
                Err(late) => return Err(useless.map_or(late, |error| self.not_an_answer(error))),
            };
            match self.question.read(room.get(..got).unwrap_or_default(), id) {
                Ok(content) => return Ok(content),
                Err(error) => useless = Some(error),
            }
        }
    }

    async fn by_tcp(&mut self, address: SocketAddr) -> Result<Content, Failure> {
        let connected = connect::tcp(address, self.spec, self.deadline).await?;
        self.connect += connected.seconds;
        self.source = connected.source;
        self.by_stream(connected.stream).await
    }

    async fn by_tls(&mut self, address: SocketAddr) -> Result<Content, Failure> {
        let stream = self.secured(address, vec![b"dot".to_vec()]).await?; // RFC 7858, 8.1 (errata): the name of the protocol
        self.by_stream(stream).await
    }

    /// One question over a stream: each message behind its length (RFC 1035, 4.2.2).
    async fn by_stream<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) -> Result<Content, Failure> {
        let what = self.what();
        let failed = |error: io::Error| failure_of(&error, &what);
        let id = random_id().map_err(failed)?;
        let question = self.question.message(id)?;
        let length = u16::try_from(question.len()).unwrap_or(u16::MAX);
        let exchange = async {
            stream.write_all(&[length.to_be_bytes().as_slice(), question.as_slice()].concat()).await?;
            stream.flush().await?;
            let length = stream.read_u16().await?;
            let mut answer = vec![0_u8; usize::from(length)];
            stream.read_exact(&mut answer).await?;
            Ok(answer)
        };
        let answer: Vec<u8> = self.deadline.within(&what, exchange).await?.map_err(failed)?;
        self.question.read(&answer, id).map_err(|error| self.not_an_answer(error))
    }

    async fn by_https(&mut self, address: SocketAddr) -> Result<Content, Failure> {
        let stream = self.secured(address, vec![b"h2".to_vec(), b"http/1.1".to_vec()]).await?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // RFC 8484, 4.1: the id is zero, so that caches know the same question.
        let body = self.question.message(0)?.into();
        let message = Message {
            method: Method::POST,
            scheme: "https",
            authority: self.authority(address),
            path: self.server.path.clone(),
            headers,
            body,
        };
        let (answer, _connection) = exchange::send(stream, is_h2, message, self.deadline, &self.server.name).await?;
        let status = answer.status();
        let read = exchange::read(answer.into_body(), MAX_MESSAGE, true, self.deadline, &self.server.name).await?;
        if status != 200 {
            let message = format!("{} answered the question with status {status}", self.server.name);
            return Err(Failure::new(FailureReason::Unexpected, &message));
        }
        self.question.read(&read.octets, 0).map_err(|error| self.not_an_answer(error))
    }

    /// A connection under TLS to a server whose certificate is trusted.
    async fn secured(
        &mut self,
        address: SocketAddr,
        alpn: Vec<Vec<u8>>,
    ) -> Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>, Failure> {
        let roots = trust::roots(self.spec.options.text(&AUTHORITY)).await?;
        let asked = AskedTls { name: name_of(&self.server.host)?, alpn, roots };
        let connected = connect::tcp(address, self.spec, self.deadline).await?;
        self.source = connected.source;
        self.connect += connected.seconds;
        let (stream, session) = handshake(connected.stream, &asked, self.deadline, &self.server.name).await?;
        self.connect += session.handshake;
        judge(&session, true, 0, &self.server.name)?;
        Ok(stream)
    }

    fn authority(&self, address: SocketAddr) -> String {
        let host = &self.server.host;
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.clone() };
        if address.port() == 443 { host } else { format!("{host}:{}", address.port()) }
    }

    fn what(&self) -> String {
        format!("the answer of the name server {}", self.server.name)
    }

    fn not_an_answer(&self, error: MessageError) -> Failure {
        Failure::new(FailureReason::Malformed, &format!("the name server {} sent {error}", self.server.name))
    }
}

/// A number that nobody off the path can guess (RFC 5452, 9.2).
fn random_id() -> io::Result<u16> {
    let mut octets = [0_u8; 2];
    getrandom::fill(&mut octets).map_err(io::Error::other)?;
    Ok(u16::from_be_bytes(octets))
}
