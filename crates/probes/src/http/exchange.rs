//! One request over one connection, HTTP/1.1 or 2, and its answer.
//!
//! Limits: [`MAX_HEADER`] octets and [`MAX_FIELDS`] fields of header; the body as far as the caller says. Dropping a [`Connection`] ends it.

use std::error::Error as _;
use std::fmt::Write as _;
use std::future::Future;
use std::io;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use netwatch_model::probe::{Failure, FailureReason};
use ring::digest::{Context, Digest, SHA256};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connect::Deadline;
use crate::socket::failure_of;

/// The longest header of an answer, octets.
pub(crate) const MAX_HEADER: usize = 64 << 10;
/// The most fields of a header.
const MAX_FIELDS: usize = 128;
/// What a peer of HTTP/2 may send before we have read it, octets.
const WINDOW: u32 = 1 << 20;

/// What is sent.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) scheme: &'static str,
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Read,
}

/// As much of a body as was read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Octets that were read.
    pub(crate) count: u64,
    /// There was more.
    pub(crate) is_cut: bool,
    /// The octets, if they are kept.
    pub(crate) octets: Vec<u8>,
    digest: Option<Digest>,
}

/// Ends the connection when it is dropped.
#[derive(Debug)]
pub(crate) struct Connection(tokio::task::AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Answer {
    /// How the body is encoded, in lower case.
    pub(crate) fn encoding(&self) -> String {
        let value = self.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_ascii_lowercase()
    }
}

impl Read {
    /// SHA-256 of what was read, hexadecimal; `None` when nothing was.
    pub(crate) fn hash(&self) -> Option<String> {
        let digest = self.digest.filter(|_| self.count > 0)?;
        Some(digest.as_ref().iter().fold(String::with_capacity(64), |mut text, octet| {
            let _infallible = write!(text, "{octet:02x}");
            text
        }))
    }
}

impl Message {
    /// The request with the whole place in it, as HTTP/2 and 3 want it.
    pub(crate) fn absolute(self) -> Result<(Request<()>, Bytes), Failure> {
        let uri = Uri::builder().scheme(self.scheme).authority(self.authority).path_and_query(self.path).build();
        let mut request = Request::new(());
        *request.uri_mut() = uri.map_err(unsendable)?;
        *request.method_mut() = self.method;
        *request.headers_mut() = self.headers;
        Ok((request, self.body))
    }

    /// The request with the path alone, and the host in its field (RFC 9112, 3.2.1).
    fn of_origin(mut self) -> Result<(Request<()>, Bytes), Failure> {
        let host = HeaderValue::from_str(&self.authority).map_err(unsendable)?;
        self.headers.insert(header::HOST, host);
        self.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let mut request = Request::new(());
        *request.uri_mut() = Uri::builder().path_and_query(self.path).build().map_err(unsendable)?;
        *request.method_mut() = self.method;
        *request.headers_mut() = self.headers;
        Ok((request, self.body))
    }
}

/// Sends a request to `peer` and waits for the head of the answer.
pub(crate) async fn send<S>(
    stream: S,
    is_h2: bool,
    message: Message,
    deadline: Deadline,
    peer: &str,
) -> Result<(Response<Incoming>, Connection), Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let what = format!("the answer of {peer}");
    let broken = |error: hyper::Error| failure(&error, &what);
    let io = TokioIo::new(stream);
    if is_h2 {
        let (request, body) = message.absolute()?;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.max_header_list_size(u32::try_from(MAX_HEADER).unwrap_or(u32::MAX));
        builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (mut sender, connection) = deadline.within(&what, builder.handshake(io)).await?.map_err(broken)?;
        let connection = drive(connection);
        let answer = deadline.within(&what, sender.send_request(request.map(|()| Full::new(body)))).await?;
        return Ok((answer.map_err(broken)?, connection));
    }
    let (request, body) = message.of_origin()?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEADER).max_headers(MAX_FIELDS);
    let (mut sender, connection) = deadline.within(&what, builder.handshake(io)).await?.map_err(broken)?;
    let connection = drive(connection);
    let answer = deadline.within(&what, sender.send_request(request.map(|()| Full::new(body)))).await?;
    Ok((answer.map_err(broken)?, connection))
}

/// Reads at most `most` octets of a body, and keeps them if they are wanted.
pub(crate) async fn read<B>(
    mut body: B,
    most: usize,
    keeps: bool,
    deadline: Deadline,
    peer: &str,
) -> Result<Read, Failure>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    let what = format!("the body of {peer}");
    let mut reading = Reading::new(most, keeps);
    reading.read.is_cut = most == 0 && !body.is_end_stream();
    while !reading.read.is_cut {
        let Some(frame) = deadline.within(&what, body.frame()).await? else { break };
        if let Ok(data) = frame.map_err(|error| failure(&error, &what))?.into_data() {
            reading.take(&data);
        }
    }
    Ok(reading.finish())
}

/// A body while it is read.
pub(crate) struct Reading {
    pub(crate) read: Read,
    left: usize,
    keeps: bool,
    hash: Context,
}

impl Reading {
    /// Reads at most `most` octets.
    pub(crate) fn new(most: usize, keeps: bool) -> Self {
        Self { read: Read::default(), left: most, keeps, hash: Context::new(&SHA256) }
    }

    /// Takes what came.
    pub(crate) fn take(&mut self, data: &[u8]) {
        let part = data.get(..self.left).unwrap_or(data);
        self.read.is_cut = part.len() < data.len();
        self.left -= part.len();
        self.read.count += part.len() as u64;
        self.hash.update(part);
        if self.keeps {
            self.read.octets.extend_from_slice(part);
        }
    }

    /// That was all.
    pub(crate) fn finish(self) -> Read {
        Read { digest: Some(self.hash.finish()), ..self.read }
    }
}

fn drive<F: Future<Output = Result<(), hyper::Error>> + Send + 'static>(connection: F) -> Connection {
    Connection(tokio::spawn(connection).abort_handle())
}

fn unsendable(error: impl std::fmt::Display) -> Failure {
    Failure::new(FailureReason::Agent, &format!("the request cannot be sent as it is written: {error}"))
}

/// Why an exchange broke: the reason of the connection beneath, or what was wrong with the answer.
fn failure(error: &hyper::Error, what: &str) -> Failure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.kind() != io::ErrorKind::Other
            && io.kind() != io::ErrorKind::InvalidData
        {
            return failure_of(io, what);
        }
        cause = inner.source();
    }
    let reason = if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        FailureReason::Reset
    } else {
        FailureReason::Malformed
    };
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Failure::new(reason, &format!("{what} broke off: {error}{cause}"))
}
