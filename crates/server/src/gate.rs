//! The gate: every request passes it, the streams' included, and nothing else decides who may do what.
//!
//! In this order:
//! 1. **Host** must be a name of this server: a page of another site that has its name resolved to our address (DNS rebinding) is
//!    refused, whatever cookie it brings.
//! 2. **Origin**, when there is one, must be the origin of this server, and **Sec-Fetch-Site** must not tell of another site: neither
//!    state changes nor reads nor WebSockets by other pages, those on other ports of the same machine included.
//! 3. **Permission**: what the route declared. Without declaration reading is asked for, so that strangers cannot map the routes.
//! 4. **Credential**: `Authorization: Bearer`, else the session cookie. Who came in is put into the request as an [`Identity`].
//!
//! Only the files of the web app and the routes that declare it are public.

mod hosts;
mod origin;

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use netwatch_api::ProblemCode;

use crate::access::{Credential, Identity, Refused};
use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;
use crate::registry::{Need, Permissions};

pub(crate) use hosts::AllowedHosts;

/// Name of the session cookie. With TLS it becomes `__Host-netwatch_session` with `Secure` (RFC 6265bis).
pub(crate) const COOKIE: &str = "netwatch_session";

/// What the gate decides by.
#[derive(Clone)]
pub(crate) struct Gate {
    app: App,
    hosts: Arc<AllowedHosts>,
    permissions: Arc<Permissions>,
}

impl Gate {
    /// A gate before the routes of `permissions`.
    pub(crate) fn new(app: App, hosts: AllowedHosts, permissions: Permissions) -> Self {
        Self { app, hosts: Arc::new(hosts), permissions: Arc::new(permissions) }
    }

    fn check(&self, request: &Request) -> Result<Option<Identity>, Fault> {
        let host = hosts::of(request)?;
        self.hosts.check(&host)?;
        let path = request.uri().path();
        let api = is_api(path);
        origin::check(request, &host, api)?;
        let needed = match request.extensions().get::<MatchedPath>() {
            Some(route) => self.permissions.of(route.as_str(), request.method()),
            None if api => Need::SignedIn,
            None => Need::Public,
        };
        if needed == Need::Public {
            return Ok(None);
        }
        let identity = self.identify(request)?;
        match (needed, identity) {
            (Need::Local, Identity::Session(_)) => {
                let detail = "only the holder of the token may do this: send `Authorization: Bearer`";
                Err(Fault::new(ProblemCode::Forbidden, detail))
            }
            _ => Ok(Some(identity)),
        }
    }

    fn identify(&self, request: &Request) -> Result<Identity, Fault> {
        let Some(Peer(peer)) = request.extensions().get::<Peer>() else { return Err(Fault::unauthenticated()) };
        let credential = credential(request.headers()).ok_or_else(Fault::unauthenticated)?;
        self.app.access().identify(peer.ip(), credential).map_err(|refused| {
            self.app.metrics().sign_ins_refused.inc();
            match refused {
                Refused::Wrong => Fault::unauthenticated(),
                Refused::Wait(wait) => Fault::too_many("too many wrong tokens: wait a little", wait.as_secs() + 1),
            }
        })
    }
}

/// The middleware.
pub(crate) async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Result<Response, Fault> {
    if let Some(identity) = gate.check(&request)? {
        request.extensions_mut().insert(identity);
    }
    Ok(next.run(request).await)
}

/// Whether the path is the API's (or would be, if there were such a route) and not the web app's.
pub(crate) fn is_api(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
    matches!(first, "api" | "metrics" | "livez" | "readyz")
}

/// What the request shows. A token goes first: who sends one means it.
fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        // RFC 9110, section 11.1: the scheme is written in any case.
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Credential::Token(token.trim()));
    }
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = texts.flat_map(|t| t.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| Credential::Cookie(value))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_credential_is_found() {
        let mut headers = HeaderMap::new();
        assert_eq!(credential(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; netwatch_session=77; c=d"));
        assert_eq!(credential(&headers), Some(Credential::Cookie("77")));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer  t0ken"));
        assert_eq!(credential(&headers), Some(Credential::Token("t0ken")));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic eDp5"));
        assert_eq!(credential(&headers), None);
    }

    #[test]
    fn paths_of_the_api_are_known() {
        assert!(["/api", "/api/v1/nothing", "//api/v1", "/metrics"].into_iter().all(is_api));
        assert!(!["/", "/start", "/traffic/api", "/apis"].into_iter().any(is_api));
    }
}
