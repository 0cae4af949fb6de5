//! Requests that the server makes: every one goes through the guard of the crate `egress`.
//!
//! A name is resolved once, every address is judged, and the connection goes to a judged address; TLS then proves the name. Redirects
//! are not followed, and answers beyond the caps are cut off as errors. HTTP/1.1, one request a connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use netwatch_egress::{Caps, Checked, Host, Policy, Refused, Scheme, Target, TargetError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// An outgoing request failed. The text is for the log: it is not shown to whoever named the place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutgoingError {
    /// Not an address that is followed.
    #[error("{url} is not followed")]
    Target {
        /// Which.
        url: String,
        /// Why.
        #[source]
        source: TargetError,
    },
    /// The name cannot be resolved.
    #[error("{host} cannot be resolved")]
    Resolve {
        /// Which.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The policy refuses.
    #[error("{host} is refused")]
    Refused {
        /// Which.
        host: String,
        /// Why.
        #[source]
        source: Refused,
    },
    /// No connection.
    #[error("{host} cannot be connected to")]
    Connect {
        /// Which.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS cannot be set up on this side.
    #[error("TLS cannot be set up: install the certificates of authorities (ca-certificates)")]
    Tls(#[source] rustls::Error),
    /// The conversation broke.
    #[error("the answer of {host} did not arrive")]
    Http {
        /// Whose.
        host: String,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// The answer is too large or broke off.
    #[error("the answer of {host} is too large, or broke off")]
    Body {
        /// Whose.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("{host} took too long")]
    Late {
        /// Who.
        host: String,
    },
}

/// Makes requests within a policy.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    policy: Policy,
    caps: Caps,
    tls: Arc<ClientConfig>,
}

impl Outgoing {
    /// A client that trusts the authorities of this machine.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(policy: Policy, caps: Caps) -> Result<Self, OutgoingError> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (_trusted, _unusable) = roots.add_parsable_certificates(found.certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(OutgoingError::Tls)?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { policy, caps, tls: Arc::new(config) })
    }

    /// Makes one request.
    pub(crate) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, OutgoingError> {
        let url = request.uri().to_string();
        let target = Target::parse(&url).map_err(|source| OutgoingError::Target { url, source })?;
        let host = target.host.to_string();
        let answer = timeout(self.caps.total, self.exchange(&target, &host, request));
        answer.await.map_err(|_| OutgoingError::Late { host: host.clone() })?
    }

    async fn exchange(
        &self,
        target: &Target,
        host: &str,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, OutgoingError> {
        let request = to_origin(target, request);
        let stream = self.connect(target, host).await?;
        let refused = |source| OutgoingError::Connect { host: host.to_owned(), source };
        match target.scheme {
            Scheme::Http => self.ask(stream, host, request).await,
            Scheme::Https => {
                let name = match &target.host {
                    Host::Address(address) => ServerName::from(*address),
                    Host::Name(name) => ServerName::try_from(name.clone()).map_err(|e| refused(io::Error::other(e)))?,
                };
                let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await.map_err(refused)?;
                self.ask(stream, host, request).await
            }
        }
    }

    /// Connects to the first judged address that answers.
    async fn connect(&self, target: &Target, host: &str) -> Result<TcpStream, OutgoingError> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for place in self.judge(target, host).await? {
            match timeout(self.caps.connect, TcpStream::connect(place.address())).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(OutgoingError::Connect { host: host.to_owned(), source: last })
    }

    async fn judge(&self, target: &Target, host: &str) -> Result<Vec<Checked>, OutgoingError> {
        let addresses = match &target.host {
            Host::Address(address) => vec![(*address, target.port).into()],
            Host::Name(name) => {
                let found = lookup_host((name.as_str(), target.port)).await;
                found.map_err(|source| OutgoingError::Resolve { host: host.to_owned(), source })?.collect()
            }
        };
        self.policy.check_all(addresses).map_err(|source| OutgoingError::Refused { host: host.to_owned(), source })
    }

    async fn ask<S>(
        &self,
        stream: S,
        host: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Vec<u8>>, OutgoingError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |source| OutgoingError::Http { host: host.to_owned(), source };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Ends with the connection: when the answer has been read, or this future is dropped.
        let connection = tokio::spawn(connection);
        let _ended = Ending(connection.abort_handle());
        let (parts, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let body = Limited::new(body, self.caps.body).collect().await;
        let body = body.map_err(|source| OutgoingError::Body { host: host.to_owned(), source })?.to_bytes();
        Ok(Response::from_parts(parts, body.into()))
    }
}

/// Ends a task when dropped.
struct Ending(tokio::task::AbortHandle);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The request as a server reads it: path alone, and the host in its header.
fn to_origin(target: &Target, request: Request<Vec<u8>>) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    parts.uri = target.path.parse().unwrap_or(Uri::from_static("/"));
    let named = format!("{}:{}", target.host, target.port);
    if let Ok(value) = HeaderValue::from_str(&named) {
        parts.headers.insert(header::HOST, value);
    }
    parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Request::from_parts(parts, Full::from(body))
}

impl<'c> openidconnect::AsyncHttpClient<'c> for Outgoing {
    type Error = OutgoingError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, OutgoingError>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers every request with this, on loopback.
    async fn server(answer: &'static str) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _request = stream.read(&mut head).await;
                let _answer = stream.write_all(answer.as_bytes()).await;
            }
        });
        (address, task)
    }

    fn get(url: String) -> Request<Vec<u8>> {
        Request::get(url).body(Vec::new()).unwrap()
    }

    #[tokio::test]
    async fn loopback_is_refused_unless_it_is_allowed() {
        let (address, task) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        let closed = Outgoing::new(Policy::default(), Caps::default()).unwrap();
        for url in [format!("http://{address}/"), format!("http://localhost:{}/", address.port())] {
            let error = closed.send(get(url)).await.unwrap_err();
            assert!(matches!(error, OutgoingError::Refused { .. }), "{error}");
        }
        let allow = ["127.0.0.0/8", "::1"].iter().map(|n| n.parse().unwrap()).collect();
        let open = Outgoing::new(Policy { allow, deny: Vec::new() }, Caps::default()).unwrap();
        assert_eq!(open.send(get(format!("http://{address}/x"))).await.unwrap().body(), b"ok");
        task.abort();
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_answers_are_capped() {
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let small = Outgoing::new(Policy { allow, deny: Vec::new() }, Caps { body: 10, ..Caps::default() }).unwrap();
        let (address, task) =
            server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(small.send(get(format!("http://{address}/"))).await.unwrap().status(), 302);
        task.abort();
        let (address, task) = server("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n12345678901").await;
        let error = small.send(get(format!("http://{address}/"))).await.unwrap_err();
        assert!(matches!(error, OutgoingError::Body { source, .. } if source.is::<http_body_util::LengthLimitError>()));
        task.abort();
    }
}
