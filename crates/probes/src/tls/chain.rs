//! Certificates as a server shows them (RFC 5280), for people.
//!
//! Limits: [`MAX_CHAIN`] certificates, [`MAX_NAMES`] names of each; texts are cut. A certificate that cannot be read is left out of the
//! list, and the chain is not trusted.

use std::fmt::Write as _;
use std::net::IpAddr;

use netwatch_model::probe::kind::tls::{Certificate, MAX_CHAIN, MAX_NAMES};
use netwatch_model::{Timestamp, Untrusted};
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The longest serial number that is shown, octets (RFC 5280, 4.1.2.2 allows 20).
const MAX_SERIAL: usize = 32;
/// The most attributes of a name that are shown.
const MAX_ATTRIBUTES: usize = 32;

/// What stands in the certificates, the server's own first.
pub(crate) fn read(chain: &[CertificateDer<'_>]) -> Vec<Certificate> {
    chain.iter().take(MAX_CHAIN).filter_map(|certificate| certificate_of(certificate)).collect()
}

/// Seconds until the first of them ends; negative when one has, zero when there is none.
pub(crate) fn expires_in(chain: &[Certificate], now: Timestamp) -> f64 {
    let left = |certificate: &Certificate| {
        let (end, now) = (certificate.not_after, now);
        if end >= now { end.since(now).as_secs_f64() } else { -now.since(end).as_secs_f64() }
    };
    chain.iter().map(left).reduce(f64::min).unwrap_or(0.0)
}

fn certificate_of(der: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let is_own = certificate.subject().as_raw() == certificate.issuer().as_raw();
    Some(Certificate {
        subject: Untrusted::message(&distinguished(certificate.subject())),
        issuer: Untrusted::message(&distinguished(certificate.issuer())),
        names: names(&certificate),
        not_before: Timestamp::from_secs(certificate.validity().not_before.timestamp()),
        not_after: Timestamp::from_secs(certificate.validity().not_after.timestamp()),
        serial: hex(certificate.raw_serial().get(..MAX_SERIAL).unwrap_or(certificate.raw_serial())),
        fingerprint: hex(digest(&SHA256, der).as_ref()),
        key: key(&certificate),
        self_signed: is_own && certificate.verify_signature(None).is_ok(),
    })
}

/// The names of RFC 6125: DNS names and addresses of the alternative name.
fn names(certificate: &X509Certificate<'_>) -> Vec<Untrusted> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(Untrusted::new(name)),
        GeneralName::IPAddress(octets) => address(octets).map(|address| Untrusted::new(&address.to_string())),
        _ => None,
    };
    alternative.value.general_names.iter().filter_map(name).take(MAX_NAMES).collect()
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

fn key(certificate: &X509Certificate<'_>) -> String {
    let info = certificate.public_key();
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("EC {}", point.key_size()),
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        _ => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => "Ed25519".to_owned(), // RFC 8410
            "1.3.101.113" => "Ed448".to_owned(),
            other => other.chars().take(64).collect(),
        },
    }
}

/// A distinguished name as RFC 4514 writes it: the last part first, `+` within a part, and a backslash before what means something.
fn distinguished(name: &X509Name<'_>) -> String {
    let part = |part: &x509_parser::x509::RelativeDistinguishedName<'_>| {
        part.iter().map(attribute).collect::<Vec<_>>().join("+")
    };
    let mut parts: Vec<String> = name.iter().take(MAX_ATTRIBUTES).map(part).collect();
    parts.reverse();
    parts.join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let name = match oid.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        other => other,
    };
    let value = attribute.as_str().map_or_else(|_| format!("#{}", hex(attribute.as_slice())), escaped);
    format!("{name}={value}")
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(value.len());
    for (at, c) in value.chars().enumerate() {
        let is_edge = (c == ' ' && (at == 0 || at == last)) || (c == '#' && at == 0);
        if is_edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _infallible = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
