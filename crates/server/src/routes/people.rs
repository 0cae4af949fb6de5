//! What the routes about people share: who wants to come in, and what they get when they are in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use netwatch_api::session::{Session, SessionUser, SessionWorkspace};
use netwatch_model::people::{Credential, CredentialKind, User};

use crate::access::{self, Access, AccessError, Identity, PeopleRequest, SignedIn, Who};
use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;
use crate::gate::cookie;

/// Longest name of a browser that is read, bytes; the session keeps less.
const MAX_BROWSER: usize = 1024;

/// Who wants to come in: from where, with what, and whether over TLS.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    request: PeopleRequest,
    secure: bool,
}

impl Asker {
    /// For access control.
    pub(crate) fn request(&self) -> PeopleRequest {
        self.request.clone()
    }

    /// Whether their cookie is bound to TLS.
    pub(crate) const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The same, known to come over TLS or not.
    pub(crate) fn over_tls(self, secure: bool) -> Self {
        Self { secure, ..self }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let peer = Extension::<Peer>::from_request_parts(parts, state).await;
        let Extension(Peer(peer)) = peer.map_err(|_| Fault::unauthenticated())?;
        let browser = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("");
        let browser = browser.chars().take(MAX_BROWSER).collect();
        let secure = cookie::is_secure(&parts.headers);
        Ok(Self { request: PeopleRequest { peer: peer.ip(), browser }, secure })
    }
}

/// How the browser reaches us: as configured, else by the origin that it names or the host, both of which the gate has let through.
pub(crate) fn origin(app: &App, headers: &HeaderMap) -> Result<String, Fault> {
    if let Some(url) = app.public_url() {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let named = text(header::ORIGIN).map(str::to_owned);
    named.or_else(|| text(header::HOST).map(|host| format!("http://{host}"))).ok_or_else(Fault::unauthenticated)
}

/// The answer to somebody who has come in: the cookie, and their session.
pub(crate) async fn signed_in(
    app: &App,
    asker: &Asker,
    signed: Result<SignedIn, Fault>,
    status: StatusCode,
) -> Result<Response, Fault> {
    let signed = counted(app, asker, signed)?;
    let session = new_session(app, asker, &signed).await?;
    Ok((status, [cookie::set(signed.secret.as_str(), asker.is_secure())?], Json(session)).into_response())
}

/// Logs and counts how a sign-in ended.
pub(crate) fn counted<T>(app: &App, asker: &Asker, signed: Result<T, Fault>) -> Result<T, Fault> {
    let peer = asker.request.peer;
    match &signed {
        Ok(_) => tracing::info!(%peer, "signed in"),
        Err(_) => {
            app.metrics().sign_ins_refused.inc();
            tracing::warn!(%peer, "a sign-in was refused");
        }
    }
    signed
}

/// The session that was just begun, as it is shown.
pub(crate) async fn new_session(app: &App, asker: &Asker, signed: &SignedIn) -> Result<Session, Fault> {
    tracing::debug!(session = %signed.session.id, user = %signed.session.user, "a session begins");
    let (secret, peer) = (signed.secret.clone(), asker.request.peer);
    let found = app.access_call(move |access| access.identify(peer, access::Credential::Cookie(secret.as_str()), None));
    let identity = found.await?.map_err(|_| Fault::unauthenticated())?;
    session_of(app, identity).await
}

/// A session, as it is shown.
pub(crate) async fn session_of(app: &App, identity: Identity) -> Result<Session, Fault> {
    app.access_call(move |access| view(access, &identity)).await
}

fn view(access: &Access, identity: &Identity) -> Result<Session, AccessError> {
    let method = match identity.who() {
        Who::Local => "token",
        Who::Session { .. } => "cookie",
        Who::Token { .. } => "api_token",
    };
    let profile = identity.user().map(|user| access.profile(user)).transpose()?;
    let open = |w: access::Openable| SessionWorkspace { id: w.id, name: w.name, role: w.role };
    let workspaces: Vec<_> = access.openable(identity)?.into_iter().map(open).collect();
    Ok(Session {
        method: method.to_owned(),
        expires: identity.expires(),
        user: profile.map(|p| user_view(&p.user, &p.credentials)),
        workspace: workspaces.iter().find(|w| Some(w.id) == identity.workspace()).cloned(),
        permissions: identity.permissions().iter().collect(),
        workspaces,
    })
}

/// A user, as shown to themselves.
pub(crate) fn user_view(user: &User, credentials: &[Credential]) -> SessionUser {
    SessionUser {
        id: user.id,
        name: user.name.clone(),
        display_name: user.display_name.to_string(),
        site_administrator: user.site_administrator,
        has_password: credentials.iter().any(|c| matches!(c.kind, CredentialKind::Password { .. })),
        has_second_factor: credentials.iter().any(|c| matches!(c.kind, CredentialKind::Totp { confirmed: true, .. })),
    }
}
