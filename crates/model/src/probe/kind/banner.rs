//! SMTP and IMAP: the greeting of a mail server, and what it says that it can do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::tls::AUTHORITY;
use super::tls::TlsSession;
use super::{Descriptor, TargetForm};
use crate::Untrusted;
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};

/// The most capabilities that are kept.
pub const MAX_CAPABILITIES: usize = 64;

/// Whether and how TLS is used.
pub const SECURITY: OptionField = OptionField {
    name: "security",
    help: "Plain text, change to TLS after the greeting (STARTTLS), or TLS from the first octet",
    form: OptionForm::Choice(&["plain", "starttls", "tls"]),
};
/// Whether the certificate must be trusted.
pub const VERIFY: OptionField = OptionField {
    name: "verify",
    help: "An untrusted certificate is a failure; it is shown in any case",
    form: OptionForm::Flag(true),
};
/// What must be in the greeting.
pub const EXPECT: OptionField =
    OptionField { name: "expect", help: "Text that the greeting must contain", form: OptionForm::Text("") };

const METRICS: &[M] = &[M::Lookup, M::Connect, M::RttMedian, M::TlsHandshake, M::CertificateExpiry];

/// All that there is to know of SMTP probes.
pub const SMTP: Descriptor = Descriptor {
    name: "smtp",
    help: "A mail server: greeting, extensions, STARTTLS (RFC 5321, RFC 3207)",
    target: TargetForm::HostPort { port: Some(25) },
    interval: 60.0,
    least_interval: 1.0,
    timeout: 10.0,
    count: 1,
    spacing: 0.0,
    options: &[&SECURITY, &VERIFY, &EXPECT, &AUTHORITY],
    metrics: METRICS,
};

/// All that there is to know of IMAP probes.
pub const IMAP: Descriptor = Descriptor {
    name: "imap",
    help: "A mailbox server: greeting, capabilities, STARTTLS (RFC 9051)",
    target: TargetForm::HostPort { port: Some(143) },
    ..SMTP
};

/// What a mail server said.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Banner {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Seconds to connect by TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<f64>,
    /// Seconds from the connection (or the TLS handshake) to the greeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting_time: Option<f64>,
    /// The first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub greeting: Option<Untrusted>,
    /// What the server can do.
    #[schema(value_type = Vec<String>, max_items = 64)]
    pub capabilities: Vec<Untrusted>,
    /// The session of TLS, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSession>,
}

impl Banner {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|seconds| Measure::new(M::Lookup, seconds)));
        out.extend(self.connect.map(|seconds| Measure::new(M::Connect, seconds)));
        out.extend(self.greeting_time.map(|seconds| Measure::new(M::RttMedian, seconds)));
        if let Some(tls) = &self.tls {
            out.push(Measure::new(M::TlsHandshake, tls.handshake));
            out.push(Measure::new(M::CertificateExpiry, tls.expires_in));
        }
    }
}
