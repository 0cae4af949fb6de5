//! Whom the system trusts, and whether a chain of certificates is trusted by that.
//!
//! The authorities of the system are read once an hour, on a thread that may wait: measurements on the others do not feel it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::probe::{Failure, FailureReason};
use netwatch_telemetry::clock;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

/// How long what was read is used.
const FRESH: Duration = Duration::from_secs(3600);

/// The authorities of the system and when they were read.
static SYSTEM: Mutex<Option<(Duration, Arc<RootCertStore>)>> = Mutex::new(None);

/// The authorities that are trusted: those of the system, and the certificates in `more` (PEM), if there are some.
pub(crate) async fn roots(more: &str) -> Result<Arc<RootCertStore>, Failure> {
    let system = of_system().await?;
    if more.is_empty() {
        return Ok(system);
    }
    let mut roots = RootCertStore::clone(&system);
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(more.as_bytes()) {
        let certificate = certificate.map_err(|error| unusable(&error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(&error.to_string()))?;
        added += 1;
    }
    if added == 0 { Err(unusable("there is no certificate in it")) } else { Ok(Arc::new(roots)) }
}

/// Why a chain is not trusted now for the name, all reasons at once; `None` when it is.
pub(crate) fn distrust(
    chain: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    roots: &RootCertStore,
    algorithms: &WebPkiSupportedAlgorithms,
    now: Timestamp,
) -> Option<String> {
    let Some((own, others)) = chain.split_first() else {
        return Some("the server showed no certificate".to_owned());
    };
    let own = match ParsedCertificate::try_from(own) {
        Ok(own) => own,
        Err(error) => return Some(format!("it cannot be read: {}", reason(&error))),
    };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.secs()).unwrap_or(0)));
    let signed = verify_server_cert_signed_by_trust_anchor(&own, roots, others, now, algorithms.all);
    let named = verify_server_name(&own, name);
    let reasons: Vec<String> =
        [signed, named].into_iter().filter_map(Result::err).map(|error| reason(&error)).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

async fn of_system() -> Result<Arc<RootCertStore>, Failure> {
    let now = clock::monotonic();
    let known = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((read, roots)) = known
        && now.saturating_sub(read) < FRESH
    {
        return Ok(roots);
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (_trusted, _unusable) = roots.add_parsable_certificates(found.certs);
        Arc::new(roots)
    });
    let roots = read.await.map_err(|error| {
        Failure::new(FailureReason::Agent, &format!("the trusted certificates cannot be read: {error}"))
    })?;
    *SYSTEM.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&roots)));
    Ok(roots)
}

fn unusable(why: &str) -> Failure {
    Failure::new(FailureReason::Agent, &format!("the option `authority` must be certificates in PEM: {why}"))
}

/// A reason in plain words. What a certificate says of itself is not repeated here.
fn reason(error: &Error) -> String {
    use CertificateError as C;
    let Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        C::Expired | C::ExpiredContext { .. } => "a certificate has expired".to_owned(),
        C::NotValidYet | C::NotValidYetContext { .. } => "a certificate is not valid yet".to_owned(),
        C::UnknownIssuer => "no trusted authority has signed it".to_owned(),
        C::NotValidForName => "it is for another name".to_owned(),
        C::NotValidForNameContext { expected, .. } => format!("it is not for the name {}", expected.to_str()),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => "it is not for servers".to_owned(),
        C::Revoked => "it is revoked".to_owned(),
        C::BadSignature => "a signature in the chain is wrong".to_owned(),
        C::BadEncoding => "it does not follow the encoding rules of certificates".to_owned(),
        other => other.to_string(),
    }
}
