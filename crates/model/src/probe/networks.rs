//! The networks that probes of a workspace may measure, and the addresses that a probe names as they are.
//!
//! The configuration of the server says what may be measured at all; a workspace can only narrow that. What counts is the address that is
//! really measured: the agent judges it after the resolver, at each run. Addresses that a probe names literally are known before
//! ([`ProbeSpec::addresses`]).
//!
//! Limits: [`ProbeNetworks::MAX`] networks in each list.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::kind::{agent, dns};
use super::spec::split_port;
use super::{OptionField, ProbeKind, ProbeSpec, TargetForm};

/// The networks that probes of a workspace may measure, within what the server's configuration allows.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeNetworks {
    /// Only these, as `192.0.2.0/24` or one address; all that the server allows when it is empty.
    #[serde(default)]
    pub only: Vec<String>,
    /// None of these, whatever else is said.
    #[serde(default)]
    pub deny: Vec<String>,
}

impl ProbeNetworks {
    /// Most networks of a list.
    pub const MAX: usize = 256;

    /// Whether it narrows nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.only.is_empty() && self.deny.is_empty()
    }
}

/// Where a probe names an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Its target.
    Target,
    /// An option.
    Option(&'static str),
}

impl ProbeSpec {
    /// The addresses that it names as they are, and would send to.
    #[must_use]
    pub fn addresses(&self) -> Vec<(Place, IpAddr)> {
        let target = match self.kind.descriptor().target {
            // What is asked, and not who.
            TargetForm::Host if self.kind == ProbeKind::Dns => None,
            TargetForm::Host => literal(&self.target),
            TargetForm::HostPort { .. } => split_port(&self.target, Some(1)).and_then(|(host, _)| literal(host)),
            TargetForm::Url => of_url(&self.target),
            TargetForm::Own | TargetForm::Agent => None,
        };
        let all_of = |field: &'static OptionField, read: fn(&str) -> Option<IpAddr>| {
            let texts = self.options.texts(field).iter();
            texts.filter_map(move |text| Some((Place::Option(field.name), read(text)?)))
        };
        let target = target.map(|address| (Place::Target, address)).into_iter();
        match self.kind {
            ProbeKind::Dns => target.chain(all_of(&dns::SERVERS, of_server)).collect(),
            ProbeKind::Agent => target.chain(all_of(&agent::ADDRESSES, literal)).collect(),
            _ => target.collect(),
        }
    }
}

/// An address, also in brackets or with a zone (RFC 4007, section 11).
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.split_once('%').map_or(bare, |(address, _)| address).parse().ok()
}

fn of_url(url: &str) -> Option<IpAddr> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    split_port(authority, Some(1)).and_then(|(host, _)| literal(host))
}

/// A name server: an address, with a port or as an `https://` URL.
fn of_server(text: &str) -> Option<IpAddr> {
    if text.contains("://") { of_url(text) } else { split_port(text, Some(53)).and_then(|(host, _)| literal(host)) }
}

#[cfg(test)]
mod tests {
    use super::super::OptionValue;
    use super::*;

    fn named(kind: ProbeKind, target: &str) -> Vec<String> {
        ProbeSpec::new(kind, target).addresses().iter().map(|(_, address)| address.to_string()).collect()
    }

    #[test]
    fn addresses_are_found_in_every_form_of_a_target() {
        use ProbeKind as K;
        for (kind, target, address) in [
            (K::Ping, "192.0.2.1", "192.0.2.1"),
            (K::Mtr, "2001:db8::1", "2001:db8::1"),
            (K::Ping, "fe80::1%eth0", "fe80::1"),
            (K::Tcp, "192.0.2.1:22", "192.0.2.1"),
            (K::Tls, "[2001:db8::1]:443", "2001:db8::1"),
            (K::Ntp, "2001:db8::1", "2001:db8::1"),
            (K::Http, "https://192.0.2.1:8443/x?y", "192.0.2.1"),
            (K::Http, "http://anna@[2001:db8::1]/", "2001:db8::1"),
        ] {
            assert_eq!(named(kind, target), [address], "{kind} {target}");
        }
        for (kind, target) in [
            (K::Ping, "example.org"),
            (K::Http, "https://example.org/192.0.2.1"),
            (K::Dns, "192.0.2.1"),
            (K::Agent, "00000000000000b2"),
            (K::System, ""),
        ] {
            assert_eq!(named(kind, target), [""; 0], "{kind} {target}");
        }
    }

    #[test]
    fn name_servers_and_addresses_of_agents_are_named_by_their_option() {
        let texts = |list: &[&str]| OptionValue::Texts(list.iter().map(|text| (*text).to_owned()).collect());
        let mut dns = ProbeSpec::new(ProbeKind::Dns, "example.org");
        let servers =
            ["192.0.2.53", "192.0.2.54:5353", "https://192.0.2.55/dns-query", "dns.example", "[2001:db8::53]"];
        dns.options.set(&dns::SERVERS, texts(&servers));
        let found: Vec<_> = dns.addresses().iter().map(|(place, address)| (*place, address.to_string())).collect();
        let expected = ["192.0.2.53", "192.0.2.54", "192.0.2.55", "2001:db8::53"];
        assert_eq!(found, expected.map(|address| (Place::Option("servers"), address.to_owned())));
        let mut other = ProbeSpec::new(ProbeKind::Agent, "00000000000000b2");
        other.options.set(&agent::ADDRESSES, texts(&["192.0.2.7"]));
        let address = "192.0.2.7".parse().unwrap();
        assert_eq!(other.addresses(), [(Place::Option("addresses"), address)]);
    }
}
