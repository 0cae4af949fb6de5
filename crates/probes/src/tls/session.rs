//! A handshake that refuses nobody, and what it showed.
//!
//! The verifier lets every certificate pass, so that the session can be described; nothing is sent over it before the verdict of
//! [`trust`]. That the server holds the key of its certificate is noted, too: without that proof it is not trusted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use netwatch_model::probe::kind::tls::TlsSession;
use netwatch_model::probe::{Failure, FailureReason};
use netwatch_model::{Timestamp, Untrusted};
use netwatch_telemetry::clock;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, ProtocolVersion, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{chain, trust};
use crate::connect::{Deadline, Laps};
use crate::socket::failure_of;

/// What is asked of a server.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The name to ask for and to find in the certificate.
    pub(crate) name: ServerName<'static>,
    /// Application protocols to offer.
    pub(crate) alpn: Vec<Vec<u8>>,
    /// Who is trusted.
    pub(crate) roots: Arc<RootCertStore>,
}

/// Makes the handshake with `peer` and describes the session.
pub(crate) async fn handshake<S>(
    stream: S,
    asked: &Asked,
    deadline: Deadline,
    peer: &str,
) -> Result<(TlsStream<S>, TlsSession), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let what = format!("the TLS handshake with {peer}");
    let (config, witness) = lenient(&asked.alpn)
        .map_err(|error| Failure::new(FailureReason::Agent, &format!("TLS cannot be set up: {error}")))?;
    let mut laps = Laps::start();
    let shaken = TlsConnector::from(Arc::new(config)).connect(asked.name.clone(), stream);
    let stream = deadline.within(&what, shaken).await?.map_err(|error| broken(&error, &what))?;
    let seconds = laps.lap();
    let (_, connection) = stream.get_ref();
    let seen = Seen {
        certificates: connection.peer_certificates().unwrap_or_default(),
        version: version(connection.protocol_version()),
        cipher: connection
            .negotiated_cipher_suite()
            .map(|suite| iana(&format!("{:?}", suite.suite())))
            .unwrap_or_default(),
        alpn: connection.alpn_protocol(),
    };
    let session = describe(&seen, asked, &witness, seconds, clock::now());
    Ok((stream, session))
}

/// A configuration that accepts every certificate, and who saw it.
pub(crate) fn lenient(alpn: &[Vec<u8>]) -> Result<(ClientConfig, Arc<Witness>), Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let witness = Arc::new(Witness {
        algorithms: provider.signature_verification_algorithms,
        is_unproven: AtomicBool::new(false),
    });
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&witness) as _;
    let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = alpn.to_vec();
    config.resumption = Resumption::disabled();
    Ok((config, witness))
}

/// What a handshake showed.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    /// As the server sent them, its own first.
    pub(crate) certificates: &'a [CertificateDer<'static>],
    pub(crate) version: String,
    /// The name of IANA; empty when it is not known.
    pub(crate) cipher: String,
    pub(crate) alpn: Option<&'a [u8]>,
}

/// Describes a session, and judges its chain.
pub(crate) fn describe(
    seen: &Seen<'_>,
    asked: &Asked,
    witness: &Witness,
    handshake: f64,
    now: Timestamp,
) -> TlsSession {
    let mut distrust = trust::distrust(seen.certificates, &asked.name, &asked.roots, &witness.algorithms, now);
    if witness.is_unproven.load(Ordering::Relaxed) {
        distrust = Some("the server did not prove that it holds the key of its certificate".to_owned());
    }
    let chain = chain::read(seen.certificates);
    TlsSession {
        handshake,
        version: seen.version.clone(),
        cipher: seen.cipher.clone(),
        alpn: seen.alpn.map(Untrusted::from_bytes),
        trusted: distrust.is_none(),
        distrust: distrust.map(|why| Untrusted::message(&why)),
        expires_in: chain::expires_in(&chain, now),
        chain,
    }
}

/// Lets every certificate pass, and notes whether the server proved that it holds the key.
#[derive(Debug)]
pub(crate) struct Witness {
    algorithms: WebPkiSupportedAlgorithms,
    is_unproven: AtomicBool,
}

impl Witness {
    fn note(&self, proof: &Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        if proof.is_err() {
            self.is_unproven.store(true, Ordering::Relaxed);
        }
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(&verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(&verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Why a handshake failed: a broken connection keeps its reason, everything else is TLS.
fn broken(error: &io::Error, what: &str) -> Failure {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        return Failure::new(FailureReason::Tls, &format!("{what} failed: {error}"));
    }
    failure_of(error, what)
}

fn version(version: Option<ProtocolVersion>) -> String {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        other => other.map(|version| format!("{version:?}")).unwrap_or_default(),
    }
}

/// The name that IANA gives a cipher suite: the library writes those of TLS 1.3 in a way of its own.
fn iana(suite: &str) -> String {
    suite.strip_prefix("TLS13_").map_or_else(|| suite.to_owned(), |rest| format!("TLS_{rest}"))
}
