//! The kinds of probes, each with its descriptor and what it measures: one file each, one line here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::metric::{Measure, ProbeMetric};
use super::option::OptionField;

pub mod agent;
pub mod banner;
pub mod dns;
pub mod http;
pub mod mtr;
pub mod network;
pub mod ntp;
pub mod ping;
pub mod simulation;
pub mod snmp;
pub mod system;
pub mod tcp;
pub mod throughput;
pub mod tls;
pub mod udp;

/// What a target is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetForm {
    /// A host name or an address.
    Host,
    /// The same with a port.
    HostPort {
        /// The port when none is said.
        port: Option<u16>,
    },
    /// `http://` or `https://`.
    Url,
    /// The agent's own host, so that there is nothing to say.
    Own,
    /// Another agent: 16 hexadecimal digits.
    Agent,
}

impl TargetForm {
    /// What it must be, for people.
    #[must_use]
    pub const fn must(self) -> &'static str {
        match self {
            Self::Host => "a host name or an address",
            Self::HostPort { port: Some(_) } => {
                "a host name or an address, with a port if it is not the usual one (host:port)"
            }
            Self::HostPort { port: None } => "a host name or an address with a port (host:port)",
            Self::Url => "a URL that begins with http:// or https://",
            Self::Own => "empty: it is the agent's own host",
            Self::Agent => "an agent, written as 16 hexadecimal digits",
        }
    }
}

/// All that there is to know of a kind.
#[derive(Debug)]
pub struct Descriptor {
    /// As files, the API and the command line name it.
    pub name: &'static str,
    /// For people, one sentence, with the standard behind it.
    pub help: &'static str,
    /// What its target is.
    pub target: TargetForm,
    /// Seconds between runs when nothing is said.
    pub interval: f64,
    /// The least of them.
    pub least_interval: f64,
    /// Seconds that an answer is waited for when nothing is said.
    pub timeout: f64,
    /// Packets, queries or cycles of a run when nothing is said.
    pub count: u32,
    /// Seconds between them.
    pub spacing: f64,
    /// What else it can be told.
    pub options: &'static [&'static OptionField],
    /// The numbers that it gives, besides success and duration.
    pub metrics: &'static [ProbeMetric],
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $descriptor:path, $detail:path;)+) => {
        /// How something is measured.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum ProbeKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ProbeKind {
            /// Every kind.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// All that there is to know of it.
            #[must_use]
            pub const fn descriptor(self) -> &'static Descriptor {
                match self { $(Self::$variant => &$descriptor,)+ }
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        /// What a kind measured in one run.
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "lowercase")]
        #[schema(as = ProbeDetail)]
        pub enum Detail {
            $($(#[doc = $doc])+ $variant(Box<$detail>),)+
        }

        impl Detail {
            pub(super) fn measure(&self, out: &mut Vec<Measure>) {
                match self { $(Self::$variant(detail) => detail.measure(out),)+ }
            }
        }
    };
}

impl Detail {
    /// The delays of the packets of the run, when its kind sends several and they have one.
    #[must_use]
    pub fn delays(&self) -> Option<&super::Delays> {
        match self {
            Self::Ping(ping) => ping.rtt.as_ref(),
            Self::Tcp(tcp) => tcp.connect.as_ref(),
            Self::Udp(udp) => udp.rtt.as_ref(),
            Self::Ntp(ntp) => ntp.rtt.as_ref(),
            Self::Simulation(stream) => stream.rtt.as_ref(),
            _ => None,
        }
    }
}

kinds! {
    /// ICMP echo (RFC 792, RFC 4443).
    Ping, "ping", ping::DESCRIPTOR, ping::Ping;
    /// The path: hops, their loss and delay.
    Mtr, "mtr", mtr::DESCRIPTOR, mtr::Trace;
    /// A question to name servers.
    Dns, "dns", dns::DESCRIPTOR, dns::Dns;
    /// A request of HTTP, with its phases.
    Http, "http", http::DESCRIPTOR, http::Http;
    /// A TLS handshake and the certificates.
    Tls, "tls", tls::DESCRIPTOR, tls::Tls;
    /// A TCP connection.
    Tcp, "tcp", tcp::DESCRIPTOR, tcp::Tcp;
    /// A datagram and its answer.
    Udp, "udp", udp::DESCRIPTOR, udp::Udp;
    /// The clock of a time server.
    Ntp, "ntp", ntp::DESCRIPTOR, ntp::Ntp;
    /// The greeting of a mail server.
    Smtp, "smtp", banner::SMTP, banner::Banner;
    /// The greeting of a mailbox server.
    Imap, "imap", banner::IMAP, banner::Banner;
    /// Values of an SNMP agent.
    Snmp, "snmp", snmp::DESCRIPTOR, snmp::Snmp;
    /// A stream of packets to a reflector and back (STAMP, RFC 8762).
    Simulation, "simulation", simulation::DESCRIPTOR, simulation::Simulation;
    /// How much a path carries.
    Throughput, "throughput", throughput::DESCRIPTOR, throughput::Throughput;
    /// The agent's own host.
    System, "system", system::DESCRIPTOR, system::SystemInformation;
    /// The network of the agent's own host.
    Network, "network", network::DESCRIPTOR, network::NetworkInformation;
    /// Another agent, in both directions.
    Agent, "agent", agent::DESCRIPTOR, agent::Reach;
}

impl ProbeKind {
    /// Whether a run is one request and one answer, so that there is nothing to count.
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::Dns | Self::Http | Self::Tls | Self::Smtp | Self::Imap | Self::Snmp | Self::System | Self::Network
        )
    }

    /// Whether each agent runs it of itself, so that nobody makes a probe of it.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        matches!(self.descriptor().target, TargetForm::Own)
    }

    /// The kinds that a probe may be made of.
    pub fn offered() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| !kind.is_built_in())
    }
}

/// A word that is no kind of probe.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not a kind of probe: use one of ping, mtr, dns, http, tls, tcp, udp, ntp, smtp, imap, snmp, simulation, throughput, system, network, agent"
)]
pub struct ParseKindError(String);

impl FromStr for ProbeKind {
    type Err = ParseKindError;
    fn from_str(text: &str) -> Result<Self, ParseKindError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| ParseKindError(text.chars().take(32).collect()))
    }
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_name_of_its_descriptor_and_is_named_in_the_error() {
        let message = "x".parse::<ProbeKind>().expect_err("no kind").to_string();
        for kind in ProbeKind::ALL {
            assert_eq!(kind.descriptor().name, kind.name());
            assert_eq!(kind.name().parse(), Ok(kind));
            assert!(message.contains(kind.name()), "{kind}");
        }
    }
}
