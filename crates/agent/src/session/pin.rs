//! The server's key is the one that is pinned, whatever its certificate says.
//!
//! The handshake signature is checked as always (RFC 8446, 4.4.3), so that whoever answers has that key; names, dates and signers of the
//! certificate are not looked at, because nobody vouches for them.

use std::sync::{Arc, Mutex, PoisonError};

use netwatch_model::people::Digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::identity::{AgentKey, IdentityError, spki_digest};

/// The protocol that is agreed on in the handshake: HTTP/2 (RFC 9113, 3.2).
const HTTP2: &[u8] = b"h2";

/// Takes one key and no other.
#[derive(Debug)]
pub(super) struct Pinned {
    pin: Digest,
    provider: Arc<CryptoProvider>,
    /// The key that answered instead.
    other: Mutex<Option<Digest>>,
}

impl Pinned {
    pub(super) fn new(pin: Digest) -> Arc<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Arc::new(Self { pin, provider, other: Mutex::new(None) })
    }

    /// The key that answered last in place of the pinned one, once.
    pub(super) fn take_other(&self) -> Option<Digest> {
        self.other.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// TLS 1.3 with this pin and the agent's own key.
    pub(super) fn config(self: &Arc<Self>, key: &AgentKey) -> Result<ClientConfig, ConfigError> {
        let (certificate, key) = key.certificate()?;
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let mut config = builder
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Self>::clone(self))
            .with_client_auth_cert(chain, key)?;
        config.alpn_protocols = vec![HTTP2.to_vec()];
        Ok(config)
    }
}

/// TLS cannot be set up with this key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The key.
    #[error(transparent)]
    Key(#[from] IdentityError),
    /// TLS.
    #[error("TLS cannot be set up with the key of this agent")]
    Tls(#[from] Error),
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (_, certificate) = X509Certificate::from_der(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let found = spki_digest(certificate.tbs_certificate.subject_pki.raw);
        if found == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        *self.other.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
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
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
