//! A connection to the server under test, as a real agent makes it: TLS 1.3 with a certificate of both sides, HTTP/2, pings.
//!
//! Each agent comes from a loopback address of its own, because the server limits how often one address enrols. The server's key is not
//! looked at: this bench has started it, in a network of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use netwatch_api::agent::v1::agents_client::AgentsClient;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// How long the whole may take, as in a real agent.
const WHOLE: Duration = Duration::from_secs(40);
/// How often a quiet connection is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// What an agent can ask of the server.
pub(super) type Client = AgentsClient<Channel>;

/// TLS with a key that nobody has seen.
pub(super) fn config() -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let key = rcgen::KeyPair::generate().map_err(io::Error::other)?;
    let certificate = rcgen::CertificateParams::new(["agent".to_owned()]).and_then(|params| params.self_signed(&key));
    let certificate = certificate.map_err(io::Error::other)?.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OurServer(provider)))
        .with_client_auth_cert(vec![certificate], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// Connects from an address.
pub(super) async fn connect(server: SocketAddr, source: Ipv4Addr, config: Arc<ClientConfig>) -> io::Result<Client> {
    timeout(WHOLE, dial(server, source, config)).await?
}

async fn dial(server: SocketAddr, source: Ipv4Addr, config: Arc<ClientConfig>) -> io::Result<Client> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((source, 0)))?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("netwatch").map_err(io::Error::other)?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    let mut stream = Some(TokioIo::new(stream));
    let connector = tower::service_fn(move |_: Uri| {
        let once = stream.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
        async move { once }
    });
    let endpoint = Endpoint::from_static("http://agents.netwatch")
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    endpoint.connect_with_connector(connector).await.map(AgentsClient::new).map_err(io::Error::other)
}

/// Takes whoever answers, if it has the key of its certificate (RFC 8446, 4.4.3).
#[derive(Debug)]
struct OurServer(Arc<CryptoProvider>);

impl ServerCertVerifier for OurServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
