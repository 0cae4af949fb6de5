//! DNS: a question to one or several name servers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::tls::AUTHORITY;
use super::{Descriptor, TargetForm};
use crate::Untrusted;
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};

/// The most records of an answer that are kept.
pub const MAX_RECORDS: usize = 64;
/// The most name servers of a probe.
pub const MAX_SERVERS: usize = 16;

/// The type of record.
pub const RECORD: OptionField = OptionField {
    name: "record",
    help: "Type of record that is asked for",
    form: OptionForm::Choice(&["A", "AAAA", "MX", "TXT", "CNAME", "NS", "SOA", "SRV", "PTR"]),
};
/// The transport.
pub const TRANSPORT: OptionField = OptionField {
    name: "transport",
    help: "UDP with TCP when the answer is cut (RFC 7766), TCP, DNS over TLS (RFC 7858) or over HTTPS (RFC 8484)",
    form: OptionForm::Choice(&["udp", "tcp", "tls", "https"]),
};
/// Whom to ask.
pub const SERVERS: OptionField = OptionField {
    name: "servers",
    help: "Name servers: address, address:port, or https:// URL; those of the system when there is none. All are asked and compared",
    form: OptionForm::Texts,
};
/// What must come.
pub const EXPECT: OptionField =
    OptionField { name: "expect", help: "Values of which each must be in every answer", form: OptionForm::Texts };
/// Whether the answer must be signed.
pub const DNSSEC: OptionField = OptionField {
    name: "dnssec",
    help: "The server must say that it has validated the answer (AD, RFC 4035)",
    form: OptionForm::Flag(false),
};

/// All that there is to know of DNS probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "dns",
    help: "A question to name servers: time, code, answers, agreement between servers (RFC 1035)",
    target: TargetForm::Host,
    interval: 60.0,
    least_interval: 1.0,
    timeout: 5.0,
    count: 1,
    spacing: 0.0,
    options: &[&RECORD, &TRANSPORT, &SERVERS, &EXPECT, &DNSSEC, &AUTHORITY],
    metrics: &[M::QueryTime, M::Answers, M::ResponseCode],
};

/// What name servers answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Dns {
    /// The type that was asked for.
    pub record: String,
    /// Each server's answer, in the order of the option.
    #[schema(max_items = 16)]
    pub servers: Vec<DnsServer>,
    /// All servers that answered gave the same values.
    pub agree: bool,
}

/// The answer of one name server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DnsServer {
    /// The server as written.
    pub server: String,
    /// Seconds from the question to the answer, with connection and TLS when the transport has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// Seconds of `time` until the question could be sent: to connect, and for TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<f64>,
    /// Seconds before `time` to resolve the name of the server; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Response code (RFC 1035, RFC 6895): 0 is no error, 2 server failure, 3 no such name, 5 refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// Records of the answer section of the type that was asked for, and aliases on the way.
    #[schema(max_items = 64)]
    pub answers: Vec<DnsAnswer>,
    /// How many records each section of the answer has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections: Option<DnsSections>,
    /// The server says that it has validated the answer.
    pub authenticated: bool,
    /// The server is authoritative for the name.
    pub authoritative: bool,
    /// The answer by UDP was cut, and asked for again by TCP.
    pub truncated: bool,
    /// Why there is no answer, or not the expected one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub problem: Option<Untrusted>,
}

/// Records of each section of an answer (RFC 1035, 4.1), whatever their type; the OPT record of EDNS does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct DnsSections {
    /// Of the answer section.
    pub answer: u16,
    /// Of the authority section.
    pub authority: u16,
    /// Of the additional section.
    pub additional: u16,
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DnsAnswer {
    /// Its name.
    #[schema(value_type = String)]
    pub name: Untrusted,
    /// Its type.
    pub record: String,
    /// Its value in presentation form.
    #[schema(value_type = String)]
    pub value: Untrusted,
    /// Seconds that it may be kept.
    pub ttl: u32,
}

impl Dns {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        let slowest = self.servers.iter().filter_map(|server| server.time).reduce(f64::max);
        out.extend(slowest.map(|time| Measure::new(M::QueryTime, time)));
        if let Some((server, code)) = self.servers.iter().find_map(|server| Some((server, server.code?))) {
            out.push(Measure::new(M::Answers, f64::from(u32::try_from(server.answers.len()).unwrap_or(u32::MAX))));
            out.push(Measure::new(M::ResponseCode, f64::from(code)));
        }
    }
}
