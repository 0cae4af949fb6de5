//! HTTP: a request, its redirects and its phases.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tls::TlsSession;
pub use super::tls::{AUTHORITY, SERVER_NAME};
use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};
use crate::{Timestamp, Untrusted};

/// The most redirects that are followed.
pub const MAX_REDIRECTS: usize = 10;

/// The method.
pub const METHOD: OptionField = OptionField {
    name: "method",
    help: "Method of the request (RFC 9110)",
    form: OptionForm::Choice(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
};
/// Header fields.
pub const HEADERS: OptionField = OptionField {
    name: "headers",
    help: "Header fields, each as `Name: value`; another origin does not get them by a redirect",
    form: OptionForm::Texts,
};
/// The body.
pub const BODY: OptionField = OptionField { name: "body", help: "Body of the request", form: OptionForm::Text("") };
/// Basic authentication.
pub const BASIC: OptionField = OptionField {
    name: "basic_auth",
    help: "`user:password` for Basic authentication (RFC 7617)",
    form: OptionForm::Secret,
};
/// Bearer token.
pub const BEARER: OptionField =
    OptionField { name: "bearer_token", help: "Token for Bearer authentication (RFC 6750)", form: OptionForm::Secret };
/// Status codes that are well.
pub const STATUS: OptionField = OptionField {
    name: "expect_status",
    help: "Status codes that are well, each as `200`, `200-299` or `2xx`; 2xx when none is said",
    form: OptionForm::Texts,
};
/// Text of the body.
pub const CONTAINS: OptionField =
    OptionField { name: "expect_body", help: "Text that the body must contain", form: OptionForm::Text("") };
/// Expression of the body.
pub const MATCHES: OptionField = OptionField {
    name: "expect_regex",
    help: "Regular expression that the body must match; takes time in proportion to the body",
    form: OptionForm::Text(""),
};
/// Expression that must not be.
pub const FORBIDS: OptionField = OptionField {
    name: "refuse_regex",
    help: "Regular expression that the body must not match",
    form: OptionForm::Text(""),
};
/// Path in a body of JSON.
pub const JSON: OptionField = OptionField {
    name: "expect_json",
    help: "JSON path (RFC 9535) that must select something, or `path == value` that must hold for one of what it selects",
    form: OptionForm::Text(""),
};
/// Whether redirects are followed.
pub const REDIRECTS: OptionField =
    OptionField { name: "follow_redirects", help: "Follow up to ten redirects", form: OptionForm::Flag(true) };
/// Whether the certificate must be trusted.
pub const VERIFY: OptionField = OptionField {
    name: "verify",
    help: "An untrusted certificate is a failure; it is shown in any case",
    form: OptionForm::Flag(true),
};
/// The version.
pub const VERSION: OptionField = OptionField {
    name: "version",
    help: "Version of HTTP: as server and client agree, or only this one",
    form: OptionForm::Choice(&["auto", "1.1", "2", "3"]),
};
/// How much of the body is read.
pub const MAX_BODY: OptionField = OptionField {
    name: "max_body",
    help: "Octets of the body that are read; a longer one is cut and said to be. Gzip is decoded when the header asks for it",
    form: OptionForm::Whole { min: 0, max: 16_777_216, default: 1_048_576 },
};

/// All that there is to know of HTTP probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "http",
    help: "A request of HTTP/1.1, 2 or 3: status, body, certificate, and the time of each phase (RFC 9110)",
    target: TargetForm::Url,
    interval: 60.0,
    least_interval: 1.0,
    timeout: 10.0,
    count: 1,
    spacing: 0.0,
    options: &[
        &METHOD,
        &HEADERS,
        &BODY,
        &BASIC,
        &BEARER,
        &STATUS,
        &CONTAINS,
        &MATCHES,
        &FORBIDS,
        &JSON,
        &REDIRECTS,
        &VERIFY,
        &VERSION,
        &MAX_BODY,
        &SERVER_NAME,
        &AUTHORITY,
    ],
    metrics: &[
        M::StatusCode,
        M::HttpResolve,
        M::HttpConnect,
        M::HttpTls,
        M::HttpFirstByte,
        M::HttpTransfer,
        M::Redirects,
        M::BodyOctets,
        M::CertificateExpiry,
    ],
};

/// What a request gave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Http {
    /// The requests: the first, then one for each redirect. Their phases sum to the run.
    #[schema(max_items = 11)]
    pub hops: Vec<HttpHop>,
    /// Octets of the last body that were read.
    pub body_octets: u64,
    /// The body was longer than `max_body`.
    pub body_cut: bool,
    /// SHA-256 of what was read, hexadecimal, to see that it changed; absent without a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<String>,
    /// The session of TLS of the last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSession>,
}

/// One request and its answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HttpHop {
    /// Of what.
    #[schema(value_type = String)]
    pub url: Untrusted,
    /// Where.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Status code; absent without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// "HTTP/1.1", "HTTP/2", "HTTP/3".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Content-Type of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub content_type: Option<Untrusted>,
    /// Content-Length of the answer, octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// Last-Modified of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_modified: Option<Timestamp>,
    /// Where its seconds went.
    pub phases: HttpPhases,
}

/// Where the seconds of a request went, one after the other. Zero for a phase that was not needed.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct HttpPhases {
    /// To resolve the name.
    pub resolve: f64,
    /// To connect by TCP, or QUIC's handshake.
    pub connect: f64,
    /// The TLS handshake; zero for QUIC, which has it in its own.
    pub tls: f64,
    /// From the request to the head of the answer.
    pub first_byte: f64,
    /// To read the answer.
    pub transfer: f64,
}

impl Http {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        let sum = |phase: fn(&HttpPhases) -> f64| self.hops.iter().map(|hop| phase(&hop.phases)).sum::<f64>();
        let phases = [
            (M::HttpResolve, sum(|p| p.resolve)),
            (M::HttpConnect, sum(|p| p.connect)),
            (M::HttpTls, sum(|p| p.tls)),
            (M::HttpFirstByte, sum(|p| p.first_byte)),
            (M::HttpTransfer, sum(|p| p.transfer)),
        ];
        out.extend(phases.map(|(metric, value)| Measure::new(metric, value)));
        let status = self.hops.last().and_then(|hop| hop.status);
        out.extend(status.map(|status| Measure::new(M::StatusCode, f64::from(status))));
        let redirects = u32::try_from(self.hops.len().saturating_sub(1)).unwrap_or(u32::MAX);
        out.push(Measure::new(M::Redirects, f64::from(redirects)));
        #[expect(clippy::cast_precision_loss, reason = "at most 16 MiB")]
        out.push(Measure::new(M::BodyOctets, self.body_octets as f64));
        out.extend(self.tls.as_ref().map(|tls| Measure::new(M::CertificateExpiry, tls.expires_in)));
    }
}
