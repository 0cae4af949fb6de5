//! The gate: every request passes it, the streams' included, and nothing else decides who may do what.
//!
//! In this order:
//! 1. **Host** must be a name of this server: a page of another site that has its name resolved to our address (DNS rebinding) is
//!    refused, whatever cookie it brings.
//! 2. **Origin**, when there is one, must be the origin of this server, and **Sec-Fetch-Site** must not tell of another site: neither
//!    state changes nor reads nor WebSockets by other pages, those on other ports of the same machine included.
//! 3. **Credential**: `Authorization: Bearer` (where scrapers ask also Basic, with the token as password), else the session cookie. Who
//!    came in is put into the request as an [`Identity`].
//! 4. **Workspace**: the one that the header `Netwatch-Workspace` names (a stream, whose header a browser cannot set, says it with the
//!    parameter `workspace`), else that of the token, else the one that is open in the session. One that the asker may not see is answered
//!    like one that does not exist.
//! 5. **Permission**: what the route declared, in that workspace. A route that declares none cannot be registered, and what is not
//!    registered asks for signing in, so that strangers cannot map the routes.
//!
//! Only the files of the web app and the routes that declare it are public.

pub(crate) mod cookie;
mod hosts;
mod origin;

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use netwatch_api::ProblemCode;
use netwatch_model::people::WorkspaceId;

use crate::access::{Credential, Identity, Refused, Secret, Who};
use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;
use crate::registry::{Need, Permissions};

pub(crate) use hosts::AllowedHosts;

/// The header that names the workspace of a request.
pub(crate) const WORKSPACE: HeaderName = HeaderName::from_static("netwatch-workspace");

/// What the gate decides by.
#[derive(Clone)]
pub(crate) struct Gate {
    app: App,
    hosts: Arc<ArcSwap<AllowedHosts>>,
    permissions: Arc<Permissions>,
}

impl Gate {
    /// A gate before the routes of `permissions`.
    pub(crate) fn new(app: App, hosts: Arc<ArcSwap<AllowedHosts>>, permissions: Permissions) -> Self {
        Self { app, hosts, permissions: Arc::new(permissions) }
    }

    /// What the request needs, once it is known to be meant for us.
    fn need(&self, request: &Request) -> Result<Need, Fault> {
        let host = hosts::of(request)?;
        self.hosts.load().check(&host)?;
        let path = request.uri().path();
        let api = is_api(path);
        origin::check(request, &host, api)?;
        Ok(match request.extensions().get::<MatchedPath>() {
            Some(route) => self.permissions.of(route.as_str(), request.method()),
            None if api => Need::SignedIn,
            None => Need::Public,
        })
    }

    async fn check(&self, shown: Shown, need: Need) -> Result<Identity, Fault> {
        let identity = self.identify(shown).await?;
        let allowed = match need {
            Need::Public | Need::SignedIn => true,
            Need::Local => *identity.who() == Who::Local,
            Need::Allowed(permission) => identity.has(permission),
        };
        if allowed { Ok(identity) } else { Err(missing(need)) }
    }

    async fn identify(&self, shown: Shown) -> Result<Identity, Fault> {
        let Shown { peer, credential, workspace } = shown;
        if let Some(known) = self.app.access().recall(credential.as_ref(), workspace) {
            return Ok(known);
        }
        let found = self.app.access_call(move |access| access.identify(peer, credential.as_ref(), workspace)).await?;
        found.map_err(|refused| {
            if refused != Refused::NoWorkspace {
                self.app.metrics().sign_ins_refused.inc();
            }
            match refused {
                Refused::Wrong => Fault::unauthenticated(),
                Refused::Wait(wait) => Fault::too_many("too many wrong tokens: wait a little", wait.as_secs() + 1),
                Refused::NoWorkspace => no_workspace(),
            }
        })
    }
}

/// What a request shows of who asks, and where.
struct Shown {
    peer: IpAddr,
    credential: OwnedCredential,
    workspace: Option<WorkspaceId>,
}

/// A credential that can be taken to another thread.
enum OwnedCredential {
    Token(Secret),
    Cookie(Secret),
}

impl OwnedCredential {
    fn as_ref(&self) -> Credential<'_> {
        match self {
            Self::Token(text) => Credential::Token(text.as_str()),
            Self::Cookie(text) => Credential::Cookie(text.as_str()),
        }
    }
}

/// The middleware.
pub(crate) async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Result<Response, Fault> {
    let need = gate.need(&request)?;
    if need != Need::Public {
        let shown = shown(&request)?;
        let identity = gate.check(shown, need).await?;
        request.extensions_mut().insert(identity);
    }
    Ok(next.run(request).await)
}

fn shown(request: &Request) -> Result<Shown, Fault> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>() else { return Err(Fault::unauthenticated()) };
    let credential = match (basic(request), credential(request.headers())) {
        (Some(token), _) => OwnedCredential::Token(token),
        (None, Some(Credential::Token(text))) => OwnedCredential::Token(Secret::new(text.to_owned())),
        (None, Some(Credential::Cookie(text))) => OwnedCredential::Cookie(Secret::new(text.to_owned())),
        (None, None) => return Err(Fault::unauthenticated()),
    };
    Ok(Shown { peer: peer.ip(), credential, workspace: wish(request)? })
}

/// The workspace that the request names: in the header, or, where a browser cannot set one, in the query.
fn wish(request: &Request) -> Result<Option<WorkspaceId>, Fault> {
    let wrong = |name| Fault::parameter(name, "the workspace must be named by its id: 32 hexadecimal digits");
    if let Some(value) = request.headers().get(WORKSPACE) {
        let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        return id.map(Some).ok_or_else(|| wrong("Netwatch-Workspace"));
    }
    if !request.headers().contains_key(header::UPGRADE) {
        return Ok(None);
    }
    let mut pairs = form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes());
    let named = pairs.find(|(name, _)| name == "workspace");
    named.map(|(_, id)| id.parse().map_err(|_| wrong("workspace"))).transpose()
}

fn missing(need: Need) -> Fault {
    let detail = match need {
        Need::Allowed(permission) => {
            let text = permission.text();
            format!("this needs the permission `{permission}` ({text}): ask an administrator for a role that has it")
        }
        _ => "only the holder of the token of the data directory may do this: send `Authorization: Bearer`".to_owned(),
    };
    Fault::new(ProblemCode::Forbidden, detail)
}

fn no_workspace() -> Fault {
    Fault::new(ProblemCode::NotFound, "there is no such workspace, or none that you may see")
}

/// Whether the path is the API's (or would be, if there were such a route) and not the web app's.
pub(crate) fn is_api(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
    matches!(first, "api" | "metrics" | "probe" | "livez" | "readyz")
}

/// A token as the password of Basic authentication (RFC 7617), where scrapers ask, which may know nothing else; the name does not matter.
fn basic(request: &Request) -> Option<Secret> {
    if !matches!(request.uri().path(), "/metrics" | "/probe") {
        return None;
    }
    let (scheme, text) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text.trim()).ok()).flatten()?;
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Secret::new(password.to_owned()))
}

/// What the request shows. A token goes first: who sends one means it.
fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        // RFC 9110, section 11.1: the scheme is written in any case.
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Credential::Token(token.trim()));
    }
    let pairs = || {
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        texts.flat_map(|t| t.split(';')).filter_map(|pair| pair.trim().split_once('='))
    };
    // The one that only we can have set, over TLS, goes first (RFC 6265bis, section 4.1.3.2).
    let named = |wanted: &str| pairs().find(|(name, _)| *name == wanted).map(|(_, value)| Credential::Cookie(value));
    named(cookie::SECURE).or_else(|| named(cookie::PLAIN))
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
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-netwatch_session=88"));
        assert_eq!(credential(&headers), Some(Credential::Cookie("88")), "the one set over TLS goes first");
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer  t0ken"));
        assert_eq!(credential(&headers), Some(Credential::Token("t0ken")));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic eDp5"));
        assert_eq!(credential(&headers), None);
    }

    #[test]
    fn scrapers_may_show_the_token_as_a_password() {
        let ask = |path: &str, value: &'static str| {
            let request = Request::builder().uri(path).header(header::AUTHORIZATION, value);
            basic(&request.body(axum::body::Body::empty()).unwrap()).map(|token| token.as_str().to_owned())
        };
        assert_eq!(ask("/probe?target=a", "Basic eDp0MDpr"), Some("t0:k".to_owned()));
        assert_eq!(ask("/metrics", "basic OnQ="), Some("t".to_owned()));
        for (path, value) in
            [("/api/v1/flows", "Basic eDp0"), ("/probe", "Bearer t"), ("/probe", "Basic !"), ("/probe", "Basic eA==")]
        {
            assert_eq!(ask(path, value), None, "{path} {value}");
        }
    }

    #[test]
    fn paths_of_the_api_are_known() {
        assert!(["/api", "/api/v1/nothing", "//api/v1", "/metrics", "/probe"].into_iter().all(is_api));
        assert!(!["/", "/start", "/traffic/api", "/apis", "/probes"].into_iter().any(is_api));
    }
}
