//! Reading a URL strictly, so that the guard and the client mean the same place.
//!
//! Forms of addresses that some resolvers understand and others do not (decimal, octal, hexadecimal, shortened) are refused instead of
//! guessed: `http://2130706433/`, `http://0177.0.0.1/`, `http://0x7f.1/`, `http://127.1/`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Longest URL, bytes.
const MAX_URL: usize = 2048;
/// Longest name (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 253;

/// How to speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// Whom to speak with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, in lower case, without the last dot.
    Name(String),
}

/// A place that a request is to go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// How.
    pub scheme: Scheme,
    /// To whom.
    pub host: Host,
    /// At which port.
    pub port: u16,
    /// Path and query, beginning with a slash.
    pub path: String,
}

/// A URL that is not followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// Not http or https.
    #[error("the address must begin with https:// or http://")]
    Scheme,
    /// Longer than 2048 bytes, or with characters that no URL has.
    #[error("the address is too long, or has characters that no address has")]
    Form,
    /// A user name or password in it.
    #[error("the address must have no user name and no password in it")]
    Credentials,
    /// No host, or a form of it that is understood in different ways.
    #[error("the host must be a name, an IPv4 address of four decimal numbers, or an IPv6 address in brackets")]
    Host,
    /// Not a port.
    #[error("the port must be a number from 1 to 65535")]
    Port,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is not one that every part of the way understands alike.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        if url.len() > MAX_URL || url.bytes().any(|b| !b.is_ascii_graphic() || b"\\\"<>^`{|}".contains(&b)) {
            return Err(TargetError::Form);
        }
        let (scheme, rest) = url.split_once("://").ok_or(TargetError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(TargetError::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(TargetError::Credentials);
        }
        let (host, port) = split_port(authority)?;
        let port = port.map_or(Ok(scheme.default_port()), parse_port)?;
        let tail = tail.split('#').next().unwrap_or("");
        let path = if tail.starts_with('/') { tail.to_owned() } else { format!("/{tail}") };
        Ok(Self { scheme, host: parse_host(host)?, port, path })
    }
}

impl Scheme {
    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(a)) => write!(f, "[{a}]"),
            Self::Address(a) => a.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), TargetError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or(TargetError::Host)?;
        let whole = authority.get(..inside.len() + 2).ok_or(TargetError::Host)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((whole, Some(port))),
            None if after.is_empty() => Ok((whole, None)),
            None => Err(TargetError::Host),
        };
    }
    Ok(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

fn parse_port(text: &str) -> Result<u16, TargetError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0).ok_or(TargetError::Port)
}

fn parse_host(host: &str) -> Result<Host, TargetError> {
    if let Some(inside) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return inside.parse::<Ipv6Addr>().map(|a| Host::Address(a.into())).map_err(|_| TargetError::Host);
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or("");
    // A last label that is a number makes the whole an IPv4 address (WHATWG URL, "ends in a number"), in four decimal parts or not at all.
    if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") {
        return name.parse::<Ipv4Addr>().map(|a| Host::Address(a.into())).map_err(|_| TargetError::Host);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label =
        |l: &str| (1..=63).contains(&l.len()) && l.bytes().all(plain) && !l.starts_with('-') && !l.ends_with('-');
    if name.len() <= MAX_NAME && name.split('.').all(label) { Ok(Host::Name(name)) } else { Err(TargetError::Host) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_addresses_are_read() {
        let target = Target::parse("https://Id.Example.org./realms/x?a=b#c").unwrap();
        assert_eq!((target.host.to_string().as_str(), target.port), ("id.example.org", 443));
        assert_eq!(target.path, "/realms/x?a=b");
        let target = Target::parse("http://[2001:db8::1]:8080").unwrap();
        assert_eq!((target.host.to_string().as_str(), target.port, target.path.as_str()), ("[2001:db8::1]", 8080, "/"));
        assert_eq!(Target::parse("http://192.0.2.1?q").unwrap().path, "/?q");
    }

    #[test]
    fn odd_forms_are_refused() {
        for (url, error) in [
            ("http://2130706433/", TargetError::Host),
            ("http://0177.0.0.1/", TargetError::Host),
            ("http://0x7f000001/", TargetError::Host),
            ("http://0x7f.0.0.1/", TargetError::Host),
            ("http://127.1/", TargetError::Host),
            ("http://127.0.0.0x1/", TargetError::Host),
            ("http://[::1%25lo]/", TargetError::Host),
            ("http://[::1]x/", TargetError::Host),
            ("http:///x", TargetError::Host),
            ("http://a..b/", TargetError::Host),
            ("http://xn--/", TargetError::Host),
            ("http://①.example/", TargetError::Form),
            ("http://a b/", TargetError::Form),
            ("http://a\r\nHost: b/", TargetError::Form),
            ("http://good.example\\@evil.example/", TargetError::Form),
            ("http://user@evil.example/", TargetError::Credentials),
            ("http://good.example:80@evil.example/", TargetError::Credentials),
            ("file:///etc/passwd", TargetError::Scheme),
            ("gopher://x/", TargetError::Scheme),
            ("//x/", TargetError::Scheme),
            ("http://a:0/", TargetError::Port),
            ("http://a:/", TargetError::Port),
            ("http://a:65536/", TargetError::Port),
            ("http://a:+80/", TargetError::Port),
        ] {
            assert_eq!(Target::parse(url), Err(error), "{url}");
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(text in ".{0,80}", host in "[0-9a-fx.]{1,20}") {
            let _any = Target::parse(&text);
            // What looks like a number is read as what it looks like, or not at all.
            if let Ok(Target { host: Host::Address(address), .. }) = Target::parse(&format!("http://{host}/")) {
                prop_assert_eq!(address.to_string(), host.trim_end_matches('.'));
            }
        }
    }
}
