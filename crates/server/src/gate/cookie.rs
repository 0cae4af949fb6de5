//! The cookie of a session.
//!
//! Over TLS it is `__Host-netwatch_session` with `Secure`, which no other host and no unencrypted page can set (RFC 6265bis, section
//! 4.1.3.2); without TLS (a laptop, loopback) it is `netwatch_session`. Whether the browser speaks TLS is read from the `Origin` that it
//! sends with every change, so that it is right behind a proxy too.

use axum::http::header::{ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use netwatch_api::ProblemCode;
use netwatch_identity::session::ABSOLUTE_LIFE;

use crate::fault::Fault;

/// Its name over TLS.
pub(crate) const SECURE: &str = "__Host-netwatch_session";
/// Its name without TLS.
pub(crate) const PLAIN: &str = "netwatch_session";

/// Whether the browser that sends these headers speaks TLS with us, or with a proxy before us.
pub(crate) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// Sets the cookie.
pub(crate) fn set(secret: &str, secure: bool) -> Result<(HeaderName, HeaderValue), Fault> {
    let life = ABSOLUTE_LIFE.as_secs();
    let (name, more) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    header(&format!("{name}={secret}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{more}"))
}

/// Removes both cookies.
pub(crate) fn clear() -> Result<[(HeaderName, HeaderValue); 2], Fault> {
    let gone = |name, more| header(&format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{more}"));
    Ok([gone(PLAIN, "")?, gone(SECURE, "; Secure")?])
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let value =
        HeaderValue::from_str(text).map_err(|_| Fault::new(ProblemCode::Internal, "the cookie cannot be written"))?;
    Ok((SET_COOKIE, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_tls_the_cookie_is_bound_to_the_host() {
        let mut headers = HeaderMap::new();
        assert!(!is_secure(&headers));
        headers.insert(ORIGIN, HeaderValue::from_static("https://netwatch.example"));
        assert!(is_secure(&headers));
        let (_, value) = set("s3cret", true).unwrap();
        let text = value.to_str().unwrap();
        assert!(text.starts_with("__Host-netwatch_session=s3cret; Path=/;") && text.ends_with("; Secure"), "{text}");
        assert!(text.contains("HttpOnly") && text.contains("SameSite=Strict") && !text.contains("Domain"));
        assert!(set("s", false).unwrap().1.to_str().unwrap().starts_with("netwatch_session=s;"));
    }
}
