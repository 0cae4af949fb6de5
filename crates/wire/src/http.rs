//! The head of an HTTP/1 request: its method and the host that is asked.
//!
//! Plain HTTP names its host in the `Host` field (RFC 9112 section 3.2), or in the target itself when a proxy is asked. `CONNECT`
//! names the host behind the proxy. SSDP (`M-SEARCH`, `NOTIFY`) has the same form over UDP.
//!
//! Limits: [`MAX_HEADERS`] fields are looked at; the caller limits the length. What is known of a head that is not complete is
//! given too.

use netwatch_model::Untrusted;

use crate::host_name;

/// How many header fields are looked at.
pub const MAX_HEADERS: usize = 64;

/// Methods of RFC 9110, WebDAV (RFC 4918) and SSDP: what a request begins with.
const METHODS: [&str; 20] = [
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "CONNECT",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
];

/// What a request says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// One of the known methods.
    pub method: &'static str,
    /// The host that is asked, in lower case, without port.
    pub host: Option<Untrusted>,
}

/// What the start of a stream is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Head {
    /// A request whose head is whole, or long enough to tell.
    Complete(Request),
    /// The start of a request: what is known so far, when the method is whole.
    NeedMore(Option<Request>),
    /// Something else.
    NotHttp,
}

/// Reads the first bytes that a client sent.
#[must_use]
pub fn request_head(stream: &[u8]) -> Head {
    let method = match method_of(stream) {
        Method::Known(method) => method,
        Method::Cut => return Head::NeedMore(None),
        Method::Unknown => return Head::NotHttp,
    };
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    let outcome = request.parse(stream);
    let target = request.path.unwrap_or_default();
    let host = request
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("host"))
        .and_then(|field| without_port(field.value))
        .or_else(|| authority(method, target).and_then(without_port));
    let known = Request { method, host };
    match outcome {
        Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => Head::Complete(known),
        Ok(httparse::Status::Partial) => Head::NeedMore(Some(known)),
        Err(_) => Head::NotHttp,
    }
}

enum Method {
    Known(&'static str),
    Cut,
    Unknown,
}

fn method_of(stream: &[u8]) -> Method {
    let is_whole =
        |method: &&str| stream.strip_prefix(method.as_bytes()).is_some_and(|rest| rest.first() == Some(&b' '));
    if let Some(method) = METHODS.into_iter().find(is_whole) {
        return Method::Known(method);
    }
    if METHODS.iter().any(|method| method.as_bytes().starts_with(stream)) {
        return Method::Cut;
    }
    Method::Unknown
}

/// The authority in the target: all of it for `CONNECT`, else that of an absolute URI (RFC 9112 section 3.2).
fn authority<'a>(method: &str, target: &'a str) -> Option<&'a [u8]> {
    if method == "CONNECT" {
        return Some(target.as_bytes());
    }
    let (_, rest) = target.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host).as_bytes())
}

/// The host of `host:port`; an IPv6 address loses its brackets.
fn without_port(value: &[u8]) -> Option<Untrusted> {
    let value = value.trim_ascii();
    if let Some(rest) = value.strip_prefix(b"[") {
        return rest.split(|byte| *byte == b']').next().and_then(host_name);
    }
    let host = match value.iter().rposition(|byte| *byte == b':') {
        Some(colon) => value.get(..colon).filter(|_| value.iter().skip(colon + 1).all(u8::is_ascii_digit)),
        None => None,
    };
    host_name(host.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn complete(stream: &str) -> (&'static str, Option<String>) {
        match request_head(stream.as_bytes()) {
            Head::Complete(request) => (request.method, request.host.map(|host| host.raw().to_owned())),
            other => panic!("expected a whole head, found {other:?}"),
        }
    }

    #[test]
    fn host_comes_from_field_or_target() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: Example.com:8080\r\n\r\n", ("GET", Some("example.com"))),
            ("GET / HTTP/1.1\r\nAccept: */*\r\nhOST:\t[2001:db8::1]:80 \r\n\r\n", ("GET", Some("2001:db8::1"))),
            ("POST http://user@a.example:80/x?y HTTP/1.0\r\n\r\n", ("POST", Some("a.example"))),
            ("CONNECT b.example:443 HTTP/1.1\r\n\r\n", ("CONNECT", Some("b.example"))),
            ("HEAD / HTTP/1.0\r\n\r\n", ("HEAD", None)),
            ("GET / HTTP/1.1\r\nHost: <b>x $(reboot)\r\n\r\n", ("GET", Some("<b>x $(reboot)"))),
            ("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", ("M-SEARCH", Some("239.255.255.250"))),
        ];
        for (stream, (method, host)) in cases {
            assert_eq!(complete(stream), (method, host.map(str::to_owned)), "{stream:?}");
        }
    }

    #[test]
    fn a_cut_head_tells_what_it_has() {
        assert_eq!(request_head(b"PO"), Head::NeedMore(None));
        let known = Request { method: "GET", host: Some("a.example".into()) };
        assert_eq!(request_head(b"GET / HTTP/1.1\r\nHost: a.example\r\nCook"), Head::NeedMore(Some(known)));
    }

    #[test]
    fn other_streams_are_not_http() {
        for other in [&b"GETX"[..], b"get / HTTP/1.1", b"\x16\x03\x01", b"SSH-2.0", b"GET / FTP/1.1\r\n\r\n"] {
            assert_eq!(request_head(other), Head::NotHttp, "{other:?}");
        }
        assert_eq!(request_head(b"HTTP/1.1 200 OK\r\n\r\n"), Head::NotHttp, "a response is no request");
    }

    #[test]
    fn more_fields_than_the_limit_still_tell_the_host() {
        let many = "X: y\r\n".repeat(MAX_HEADERS * 2);
        assert_eq!(complete(&format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n")).1.as_deref(), Some("h"));
    }

    proptest! {
        #[test]
        fn round_trip(
            host in "[a-z0-9.-]{0,30}[a-z0-9]",
            before in prop::collection::vec(("X-[A-Za-z]{1,9}", "[ -~]{0,30}"), 0..20),
            index in 0..METHODS.len(),
        ) {
            let fields: String = before.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let stream = format!("{} / HTTP/1.1\r\n{fields}Host: {host}:80\r\n\r\n", METHODS[index]);
            prop_assert_eq!(complete(&stream), (METHODS[index], Some(host)));
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = request_head(&bytes);
            let _ = request_head(&[b"GET / HTTP/1.1\r\nHost: ", &bytes[..]].concat());
            let _ = request_head(&[b"CONNECT ", &bytes[..]].concat());
        }
    }
}
