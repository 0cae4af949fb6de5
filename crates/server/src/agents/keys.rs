//! The server's key, and what is seen of the keys of agents.
//!
//! There is no authority: the agent knows the server by the hash of its key (it stands in the enrolment token), the server knows the
//! agent by the hash of its key. Certificates only carry the keys and are signed by themselves; names and dates in them mean nothing.
//! TLS 1.3 alone (RFC 8446), and a client certificate is a must; what is verified is that the other side holds the key that it shows.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netwatch_model::people::Digest;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, PeerIncompatible, ServerConfig, SignatureScheme,
};
use sha2::{Digest as _, Sha256};

/// Key and certificate in the folder of agents.
const FILES: [&str; 2] = ["server.key", "server.pem"];

/// The key with which the server meets agents cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AgentKeyError {
    /// A file cannot be read.
    #[error("cannot read {}: check the path and who may read it", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No key can be made.
    #[error("cannot make a key for the connections of agents")]
    Make(#[source] rcgen::Error),
    /// Key and certificate do not go together, or are of a kind that is not known.
    #[error("the key or the certificate for agents cannot be used: the certificate must be that of the key, as PEM")]
    Use(#[source] rustls::Error),
    /// The certificate cannot be understood.
    #[error("{} holds no certificate", .0.display())]
    Certificate(PathBuf),
}

/// What is served, and under which hash.
#[derive(Debug)]
pub(crate) struct ServerKey {
    /// For the listener.
    pub(crate) tls: Arc<ServerConfig>,
    /// SHA-256 of the SubjectPublicKeyInfo: what tokens hold.
    pub(crate) digest: Digest,
}

/// The key of these files; without files that of the folder, which is made when it is missing.
pub(crate) fn load(folder: &Path, files: Option<&(PathBuf, PathBuf)>) -> Result<ServerKey, AgentKeyError> {
    let [key_file, certificate_file] = match files {
        Some((certificate, key)) => [key.clone(), certificate.clone()],
        None => own(folder)?,
    };
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| AgentKeyError::Read { path, source }
    };
    let key = PrivateKeyDer::from_pem_file(&key_file).map_err(read(&key_file))?;
    let chain = CertificateDer::pem_file_iter(&certificate_file).map_err(read(&certificate_file))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(read(&certificate_file))?;
    let digest = chain.first().and_then(digest_of).ok_or(AgentKeyError::Certificate(certificate_file))?;
    Ok(ServerKey { tls: Arc::new(config(chain, key).map_err(AgentKeyError::Use)?), digest })
}

/// SHA-256 of the SubjectPublicKeyInfo of a certificate; none when it is no certificate.
pub(crate) fn digest_of(certificate: &CertificateDer<'_>) -> Option<Digest> {
    let (rest, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    rest.is_empty().then(|| Digest::from_bytes(Sha256::digest(parsed.public_key().raw).into()))
}

fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyKey(Arc::clone(&provider)));
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // Each connection shows its key anew.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Paths of the server's own key and certificate.
fn own(folder: &Path) -> Result<[PathBuf; 2], AgentKeyError> {
    let paths = FILES.map(|name| folder.join(name));
    let [key_file, certificate_file] = &paths;
    if key_file.exists() && certificate_file.exists() {
        return Ok(paths);
    }
    let wrote = |path: &Path| {
        let path = path.to_owned();
        move |source| AgentKeyError::Write { path, source }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(wrote(folder))?;
    // A key without its certificate stays: agents know the server by it.
    let key = match fs::read_to_string(key_file) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(AgentKeyError::Make)?,
        Err(_) => KeyPair::generate().map_err(AgentKeyError::Make)?,
    };
    let certificate = CertificateParams::new(vec!["netwatch".to_owned()]).and_then(|params| params.self_signed(&key));
    let certificate = certificate.map_err(AgentKeyError::Make)?;
    write(key_file, &key.serialize_pem()).map_err(wrote(key_file))?;
    write(certificate_file, &certificate.pem()).map_err(wrote(certificate_file))?;
    Ok(paths)
}

/// Writes a file whole or not at all, for its owner only.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Lets in whoever holds the key that they show; who that is, the service decides.
#[derive(Debug)]
struct AnyKey(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let bad = || rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        digest_of(certificate).map(|_| ClientCertVerified::assertion()).ok_or_else(bad)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("agents");
        let first = load(&folder, None).unwrap().digest;
        assert_eq!(load(&folder, None).unwrap().digest, first);
        let mode = fs::metadata(folder.join("server.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A lost certificate is made again for the same key.
        fs::remove_file(folder.join("server.pem")).unwrap();
        assert_eq!(load(&folder, None).unwrap().digest, first);
        let key = KeyPair::from_pem(&fs::read_to_string(folder.join("server.key")).unwrap()).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        assert_eq!(first, Digest::from_bytes(Sha256::digest(spki).into()));
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| own(&dir.path().join(name)).unwrap());
        let mixed = load(dir.path(), Some(&(a[1].clone(), b[0].clone()))).unwrap_err();
        assert!(matches!(mixed, AgentKeyError::Use(_)), "{mixed}");
        let missing = load(dir.path(), Some(&(dir.path().join("none.pem"), b[0].clone()))).unwrap_err();
        assert!(missing.to_string().contains("none.pem"), "{missing}");
    }
}
