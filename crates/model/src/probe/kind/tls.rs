//! TLS: a handshake, and the certificates that the server shows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};
use crate::{Timestamp, Untrusted};

/// The most certificates of a chain that are kept.
pub const MAX_CHAIN: usize = 10;
/// The most names of a certificate that are kept.
pub const MAX_NAMES: usize = 100;

/// The name that is asked for.
pub const SERVER_NAME: OptionField = OptionField {
    name: "server_name",
    help: "Name to ask for (SNI) and to find in the certificate; the host of the target when empty",
    form: OptionForm::Text(""),
};
/// Whether a certificate that is not trusted is a failure.
pub const VERIFY: OptionField = OptionField {
    name: "verify",
    help: "An untrusted or expired certificate, or one for another name, is a failure; it is shown in any case",
    form: OptionForm::Flag(true),
};
/// How many days before the end.
pub const DAYS: OptionField = OptionField {
    name: "min_days",
    help: "A failure when a certificate of the chain ends in fewer days",
    form: OptionForm::Whole { min: 0, max: 825, default: 0 },
};
/// How plain text becomes TLS.
pub const STARTTLS: OptionField = OptionField {
    name: "starttls",
    help: "Begin in plain text and change to TLS by this protocol",
    form: OptionForm::Choice(&["none", "smtp", "imap", "pop3"]),
};
/// Application protocols.
pub const ALPN: OptionField =
    OptionField { name: "alpn", help: "Application protocols to offer (RFC 7301)", form: OptionForm::Texts };
/// Whom to trust besides.
pub const AUTHORITY: OptionField = OptionField {
    name: "authority",
    help: "Certificates of authorities to trust besides those of the system, in PEM",
    form: OptionForm::Text(""),
};

/// All that there is to know of TLS probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "tls",
    help: "A TLS handshake: version, cipher suite, chain, names, expiry (RFC 8446, RFC 5280)",
    target: TargetForm::HostPort { port: Some(443) },
    interval: 300.0,
    least_interval: 1.0,
    timeout: 10.0,
    count: 1,
    spacing: 0.0,
    options: &[&SERVER_NAME, &VERIFY, &DAYS, &STARTTLS, &ALPN, &AUTHORITY],
    metrics: &[M::Lookup, M::Connect, M::TlsHandshake, M::CertificateExpiry],
};

/// What a handshake showed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Tls {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Seconds to connect by TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<f64>,
    /// The session; absent when there was no handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<TlsSession>,
}

/// A session of TLS and its certificates.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TlsSession {
    /// Seconds of the handshake.
    pub handshake: f64,
    /// Version: "TLS 1.2", "TLS 1.3".
    pub version: String,
    /// Cipher suite, IANA name; empty for QUIC.
    pub cipher: String,
    /// Application protocol that was agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub alpn: Option<Untrusted>,
    /// Whether a trusted root vouches for the chain, now and for the name.
    pub trusted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub distrust: Option<Untrusted>,
    /// As the server sent them, its own first.
    #[schema(max_items = 10)]
    pub chain: Vec<Certificate>,
    /// Seconds until the first of them ends; negative when one has.
    pub expires_in: f64,
}

/// One certificate (RFC 5280).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// Subject, RFC 4514.
    #[schema(value_type = String)]
    pub subject: Untrusted,
    /// Issuer, RFC 4514.
    #[schema(value_type = String)]
    pub issuer: Untrusted,
    /// Names and addresses that it is for.
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub names: Vec<Untrusted>,
    /// Valid from.
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    /// Valid until.
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// SHA-256 of it, hexadecimal.
    pub fingerprint: String,
    /// Key: algorithm and bits, as "EC 256".
    pub key: String,
    /// It is signed by its own key.
    pub self_signed: bool,
}

impl Tls {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|seconds| Measure::new(M::Lookup, seconds)));
        out.extend(self.connect.map(|seconds| Measure::new(M::Connect, seconds)));
        if let Some(session) = &self.session {
            out.push(Measure::new(M::TlsHandshake, session.handshake));
            out.push(Measure::new(M::CertificateExpiry, session.expires_in));
        }
    }
}
