//! An HTTP proxy on the way to the server: the tunnel of CONNECT (RFC 9110, 9.3.6).
//!
//! The proxy sees an address and then TLS; it learns nothing and can change nothing.
//!
//! Limits: proxies without TLS of their own, and Basic credentials (RFC 7617); an answer of at most [`HEAD`] octets.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use netwatch_egress::Network;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest answer of a proxy.
const HEAD: usize = 8192;
/// Header fields that are looked through.
const FIELDS: usize = 64;

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// The value of `Proxy-Authorization`.
    credentials: Option<String>,
}

/// A text that names no proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a proxy is written as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")]
pub struct ParseProxyError;

/// The proxy did not make a tunnel.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The connection to it failed.
    #[error("the proxy {0} closed the connection")]
    Io(Proxy, #[source] io::Error),
    /// It wants to know who asks.
    #[error("the proxy {0} wants other credentials: write them as http://USER:PASSWORD@HOST:PORT")]
    Credentials(Proxy),
    /// It refuses.
    #[error("the proxy {proxy} refuses to connect to {target} (status {status}): have it allow that address and port")]
    Refused {
        /// The proxy.
        proxy: Proxy,
        /// Where to.
        target: String,
        /// Of its answer.
        status: u16,
    },
    /// What answers is no proxy.
    #[error("what answers at {0} is no HTTP proxy")]
    NotAProxy(Proxy),
}

impl Proxy {
    /// Host and port of the proxy itself.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// The proxy for `host`: what was said, else what the environment says; none when the environment leaves that host out.
    ///
    /// # Errors
    /// When what is said is no proxy.
    pub fn choose(
        said: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
        host: &str,
    ) -> Result<Option<Self>, ParseProxyError> {
        if let Some(said) = said {
            return if said.is_empty() { Ok(None) } else { said.parse().map(Some) };
        }
        // Upper case first: the lower-case names came first in history, and both are in use.
        let either = |upper: &str| environment(upper).or_else(|| environment(&upper.to_ascii_lowercase()));
        let Some(proxy) = either("HTTPS_PROXY").filter(|text| !text.is_empty()) else { return Ok(None) };
        if either("NO_PROXY").is_some_and(|list| leaves_out(&list, host)) {
            return Ok(None);
        }
        proxy.parse().map(Some)
    }

    /// Asks for a tunnel to `host:port` over a connection to the proxy.
    pub(super) async fn tunnel<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        host: &str,
        port: u16,
    ) -> Result<(), ProxyError> {
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let credentials =
            self.credentials.as_ref().map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n");
        let failed = |error| ProxyError::Io(self.clone(), error);
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut head = Vec::new();
        loop {
            if let Some(status) = status_of(&head).map_err(|()| ProxyError::NotAProxy(self.clone()))? {
                return match status {
                    200..=299 => Ok(()),
                    407 => Err(ProxyError::Credentials(self.clone())),
                    status => Err(ProxyError::Refused { proxy: self.clone(), target, status }),
                };
            }
            if head.len() >= HEAD {
                return Err(ProxyError::NotAProxy(self.clone()));
            }
            // TLS begins with us: nothing follows the head before we have spoken.
            let read = stream.read_buf(&mut head).await.map_err(failed)?;
            if read == 0 {
                return Err(failed(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Proxy {
    type Err = ParseProxyError;
    fn from_str(text: &str) -> Result<Self, ParseProxyError> {
        let text = text.trim();
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return Err(ParseProxyError),
            None => text,
        };
        let rest = rest.trim_end_matches('/');
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(format!("Basic {}", STANDARD.encode(decoded(credentials)))), place),
            None => (None, rest),
        };
        let (host, port) = netwatch_model::probe::spec::split_port(place, Some(80)).ok_or(ParseProxyError)?;
        let is_host =
            !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_'));
        if !is_host {
            return Err(ParseProxyError);
        }
        Ok(Self { host: host.to_owned(), port, credentials })
    }
}

/// The status of an answer whose head is whole; an error when it is no answer of HTTP.
fn status_of(head: &[u8]) -> Result<Option<u16>, ()> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(head) {
        Ok(httparse::Status::Complete(_)) => response.code.map(Some).ok_or(()),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(()),
    }
}

/// Octets of a text with `%41` in it (RFC 3986, 2.1).
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    out
}

/// Whether a list of names, suffixes, addresses and networks leaves a host out.
fn leaves_out(list: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if let (Some(address), Ok(network)) = (address, entry.parse::<Network>()) {
            return network.contains(address);
        }
        let suffix = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || host == suffix || (!suffix.is_empty() && host.ends_with(&format!(".{suffix}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_with_its_credentials_which_are_never_shown() {
        let proxy: Proxy = "http://anna:p%40ss@proxy.example:3128/".parse().unwrap();
        assert_eq!(proxy.address(), ("proxy.example", 3128));
        assert_eq!(proxy.credentials.as_deref(), Some("Basic YW5uYTpwQHNz"));
        assert_eq!(format!("{proxy} {proxy:?}"), "proxy.example:3128 proxy.example:3128");
        assert_eq!("[2001:db8::1]:3128".parse::<Proxy>().unwrap().address(), ("2001:db8::1", 3128));
        for wrong in ["https://proxy:1", "socks5://proxy:1", "http://", "a b:1", "proxy:0"] {
            assert!(wrong.parse::<Proxy>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_environment_says_which_proxy_and_for_whom_there_is_none() {
        let choose = |said: Option<&str>, no_proxy: &str, host: &str| {
            let of = |name: &str| match name {
                "https_proxy" => Some("proxy:3128".to_owned()),
                "NO_PROXY" => Some(no_proxy.to_owned()),
                _ => None,
            };
            Proxy::choose(said, of, host).unwrap().map(|proxy| proxy.to_string())
        };
        assert_eq!(choose(None, "", "a.example").as_deref(), Some("proxy:3128"));
        assert_eq!(choose(Some("other:1"), "*", "a.example").as_deref(), Some("other:1"));
        assert_eq!(choose(Some(""), "", "a.example"), None, "none was asked for");
        for (list, host) in [
            ("*", "x"),
            ("a.example", "A.example"),
            (".example", "a.example"),
            ("*.example", "b.a.example"),
            ("x, 10.0.0.0/8", "10.1.2.3"),
            ("2001:db8::/32", "2001:db8::1"),
        ] {
            assert_eq!(choose(None, list, host), None, "{list} {host}");
        }
        for (list, host) in [("ample", "a.example"), ("10.0.0.0/8", "11.0.0.1"), (",", "a")] {
            assert!(choose(None, list, host).is_some(), "{list} {host}");
        }
    }

    async fn answered(answer: &[u8]) -> (Result<(), ProxyError>, String) {
        let proxy: Proxy = "http://a:b@proxy:1".parse().unwrap();
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let asked = tokio::spawn(async move { proxy.tunnel(&mut ours, "2001:db8::1", 8471).await });
        let mut request = vec![0; 4096];
        let read = theirs.read(&mut request).await.unwrap();
        request.truncate(read);
        for piece in answer.chunks(5) {
            theirs.write_all(piece).await.unwrap();
        }
        drop(theirs);
        (asked.await.unwrap(), String::from_utf8(request).unwrap())
    }

    #[tokio::test]
    async fn each_answer_of_a_proxy_is_understood() {
        let (result, request) = answered(b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n").await;
        assert!(result.is_ok());
        assert_eq!(
            request,
            "CONNECT [2001:db8::1]:8471 HTTP/1.1\r\nHost: [2001:db8::1]:8471\r\nProxy-Authorization: Basic YTpi\r\n\r\n"
        );
        let error = |answer: &'static [u8]| async move { answered(answer).await.0.unwrap_err().to_string() };
        assert!(error(b"HTTP/1.1 407 Who\r\n\r\n").await.contains("credentials"));
        assert!(error(b"HTTP/1.1 403 No\r\n\r\n").await.contains("status 403"));
        assert!(error(b"SSH-2.0-x\r\n\r\n").await.contains("no HTTP proxy"));
        assert!(error(b"HTTP/1.1 200 O").await.contains("closed"));
    }
}
