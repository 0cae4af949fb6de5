//! Whether another site's page makes the request: the wall against forged requests and hijacked WebSockets.
//!
//! Browsers send `Origin` with every WebSocket and state change and `Sec-Fetch-Site` with everything; pages cannot forge either.
//! Programs send neither, and bring no cookie by themselves.

use axum::extract::Request;
use axum::http::header::{HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{Method, Uri};
use netwatch_api::ProblemCode;

use crate::fault::Fault;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what comes from a page of another origin. Links from other sites to the pages of the web app are fine.
pub(crate) fn check(request: &Request, host: &Authority, api: bool) -> Result<(), Fault> {
    for origin in request.headers().get_all(ORIGIN) {
        if !origin.to_str().is_ok_and(|o| is_own(o, host)) {
            return Err(refuse("the request comes from a page of another origin"));
        }
    }
    let reads_page = !api && matches!(*request.method(), Method::GET | Method::HEAD);
    for site in request.headers().get_all(SEC_FETCH_SITE) {
        if !reads_page && !matches!(site.as_bytes(), b"same-origin" | b"none") {
            return Err(refuse("the request comes from a page of another site"));
        }
    }
    Ok(())
}

/// Whether the origin is that of `host`, over HTTP or HTTPS (a proxy may speak TLS for us). `null` is nobody's.
fn is_own(origin: &str, host: &Authority) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some_and(|a| a == host)
}

fn refuse(what: &str) -> Fault {
    Fault::new(ProblemCode::Forbidden, format!("{what}: open Netwatch itself, or use the token from a program"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn check_with(method: Method, headers: &[(&str, &str)], api: bool) -> bool {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let host = Authority::from_static("localhost:8470");
        check(&request.body(Body::empty()).unwrap(), &host, api).is_ok()
    }

    #[test]
    fn only_our_own_origin_may_speak() {
        for good in ["http://localhost:8470", "https://localhost:8470", "http://LOCALHOST:8470"] {
            assert!(check_with(Method::POST, &[("origin", good)], true), "{good}");
        }
        for bad in [
            "null",
            "",
            "http://localhost",
            "http://localhost:3000",
            "http://evil.example",
            "file://localhost:8470",
            "localhost:8470",
        ] {
            assert!(!check_with(Method::GET, &[("origin", bad)], true), "{bad}");
        }
        assert!(!check_with(
            Method::POST,
            &[("origin", "http://localhost:8470"), ("origin", "http://evil.example")],
            true
        ));
    }

    #[test]
    fn other_sites_may_link_to_pages_and_nothing_else() {
        let cross = [("sec-fetch-site", "cross-site")];
        let other_port = [("sec-fetch-site", "same-site")];
        assert!(check_with(Method::GET, &cross, false));
        assert!(!check_with(Method::POST, &cross, false));
        assert!(!check_with(Method::GET, &cross, true) && !check_with(Method::GET, &other_port, true));
        assert!(check_with(Method::GET, &[("sec-fetch-site", "same-origin")], true));
        assert!(check_with(Method::POST, &[], true), "programs send neither");
    }
}
