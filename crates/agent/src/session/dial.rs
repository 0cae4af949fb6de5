//! From an address to a connection that speaks to the pinned server: TCP, perhaps a proxy, TLS, HTTP/2.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use netwatch_api::agent::v1::agents_client::AgentsClient;
use netwatch_model::people::Digest;
use netwatch_model::probe::spec::split_port;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};

use super::pin::{ConfigError, Pinned};
use super::proxy::{Proxy, ProxyError};
use crate::identity::AgentKey;

/// How long one address may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long proxy and handshake may take together.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// How long the whole may take.
const WHOLE: Duration = Duration::from_secs(40);
/// How often a quiet connection is asked whether it lives, and how long the answer may take: addresses of NAT are kept alive, too.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// The longest message of the server: an assignment of the most probes.
const LARGEST_MESSAGE: usize = 128 << 20;
/// The name in the handshake. Nobody looks at it: the key is what counts.
const NAME: &str = "netwatch";

/// A server that is spoken to.
pub(crate) type Client = AgentsClient<Channel>;

/// No connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The address is none.
    #[error("`{0}` is not HOST:PORT")]
    Address(String),
    /// The name has no address.
    #[error("the name {host} cannot be resolved")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody answers there.
    #[error("no connection to {place}")]
    Connect {
        /// Host and port.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// Another key answered.
    #[error("{server} shows the key {found} and not {pin}, which the enrolment token has: it is another server")]
    WrongServer {
        /// Host and port.
        server: String,
        /// Its key.
        found: Digest,
        /// The pinned one.
        pin: Digest,
    },
    /// No TLS.
    #[error("no TLS with {server}: check that its port is the one for agents")]
    Tls {
        /// Host and port.
        server: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No HTTP/2.
    #[error("what answers at {server} does not speak as a server for agents does")]
    Protocol {
        /// Host and port.
        server: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// It took too long.
    #[error("{server} does not answer in time")]
    Late {
        /// Host and port.
        server: String,
    },
}

/// Makes connections to one server.
#[derive(Clone, Debug)]
pub struct Dialer {
    server: String,
    host: String,
    port: u16,
    pin: Digest,
    pinned: Arc<Pinned>,
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
}

/// There is no way to connect as it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum DialerError {
    /// The address.
    #[error(transparent)]
    Address(DialError),
    /// The key.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Dialer {
    /// For the server at `HOST:PORT` with the key `pin`, as the holder of `key`, through a proxy if there is one.
    ///
    /// # Errors
    /// When the address is none or the key cannot be used.
    pub fn new(server: &str, pin: Digest, key: &AgentKey, proxy: Option<Proxy>) -> Result<Self, DialerError> {
        let wrong = || DialerError::Address(DialError::Address(server.to_owned()));
        let (host, port) = split_port(server, None).ok_or_else(wrong)?;
        let pinned = Pinned::new(pin);
        let tls = Arc::new(pinned.config(key)?);
        Ok(Self { server: server.to_owned(), host: host.to_owned(), port, pin, pinned, tls, proxy })
    }

    /// Where it connects to, for messages.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Connects.
    pub(super) async fn open(&self) -> Result<Client, DialError> {
        let late = |_| DialError::Late { server: self.server.clone() };
        tokio::time::timeout(WHOLE, self.connect()).await.map_err(late)?
    }

    async fn connect(&self) -> Result<Client, DialError> {
        let stream = self.encrypted().await?;
        let mut stream = Some(TokioIo::new(stream));
        // One connection for one session: what breaks is made anew by the session, which knows when.
        let connector = tower::service_fn(move |_: Uri| {
            let once = stream.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
            async move { once }
        });
        let endpoint = Endpoint::from_static("http://agents.netwatch")
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true);
        let protocol = |source| DialError::Protocol { server: self.server.clone(), source };
        let channel = endpoint.connect_with_connector(connector).await.map_err(protocol)?;
        Ok(AgentsClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE))
    }

    async fn encrypted(&self) -> Result<TlsStream<TcpStream>, DialError> {
        let (host, port) = self.proxy.as_ref().map_or((&*self.host, self.port), Proxy::address);
        let mut stream = tcp(host, port).await?;
        // A session is small messages, each of which somebody waits for; without the option it is only slower.
        let _ = stream.set_nodelay(true);
        let handshake = async {
            if let Some(proxy) = &self.proxy {
                proxy.tunnel(&mut stream, &self.host, self.port).await?;
            }
            let name = ServerName::try_from(NAME).map_err(io::Error::other);
            let tls = async { TlsConnector::from(Arc::clone(&self.tls)).connect(name?, stream).await };
            tls.await.map_err(|source| self.no_tls(source))
        };
        let late = |_| DialError::Late { server: self.server.clone() };
        tokio::time::timeout(HANDSHAKE, handshake).await.map_err(late)?
    }

    fn no_tls(&self, source: io::Error) -> DialError {
        let server = self.server.clone();
        match self.pinned.take_other() {
            Some(found) => DialError::WrongServer { server, found, pin: self.pin },
            None => DialError::Tls { server, source },
        }
    }
}

/// Connects to the first address of a name that answers.
async fn tcp(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let resolve = |source| DialError::Resolve { host: host.to_owned(), source };
    let addresses = tokio::net::lookup_host((host, port)).await.map_err(resolve)?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(DialError::Connect { place: format!("{host}:{port}"), source: last })
}
