//! `/api/v1/session`: signing in with a one-time code, asking who one is, signing out.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::header::{HeaderName, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use netwatch_api::session::{Invitation, Session, SessionRequest};
use netwatch_api::{Problem, ProblemCode};
use netwatch_model::Timestamp;

use crate::access::{ABSOLUTE_LIFE, AccessError, CODE_LIFE, Identity, Refused};
use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;
use crate::gate::COOKIE;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// Sign in
///
/// Trades the code of the printed link for a session cookie.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "sign_in", tag = "session", request_body = SessionRequest,
    responses((status = 200, description = "Signed in; the cookie is set", body = Session),
              (status = 410, description = "The code was used, is too old, or never was"))
)]
pub(super) async fn sign_in(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(request): Body<SessionRequest>,
) -> Result<Response, Fault> {
    let address: IpAddr = peer.ip();
    let signed = app.access_call(move |access| access.sign_in(address, &request.code)).await?;
    let (secret, expires) = signed.map_err(|refused| {
        tracing::warn!(peer = %peer, "a sign-in was refused");
        app.metrics().sign_ins_refused.inc();
        refusal(refused)
    })?;
    tracing::info!(peer = %peer, "signed in");
    let cookie =
        format!("{COOKIE}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict", secret.as_str(), ABSOLUTE_LIFE.as_secs());
    let session = session("cookie", Some(expires));
    Ok(([cookie_header(&cookie)?], Json(session)).into_response())
}

/// Who is asking
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "get_session", tag = "session",
    responses((status = 200, description = "How the request was signed in", body = Session))
)]
pub(super) async fn show(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
    _: Params<NoParams>,
) -> Json<Session> {
    let method = match identity {
        Identity::Token => "token",
        Identity::Session(_) => "cookie",
    };
    Json(session(method, app.access().expires(identity)))
}

/// Sign out
///
/// Ends the session; open streams of it end within five seconds. A token stays good.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "sign_out", tag = "session",
    responses((status = 204, description = "Signed out"))
)]
pub(super) async fn sign_out(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
) -> Result<Response, Fault> {
    app.access_call(move |access| access.sign_out(identity)).await?;
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    let clear = (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""));
    Ok((StatusCode::NO_CONTENT, [cookie_header(&gone)?, clear]).into_response())
}

/// A new one-time code
///
/// For the holder of the token, who prints the link for somebody else.
#[utoipa::path(
    post, path = "/api/v1/session/code", operation_id = "create_code", tag = "session",
    responses((status = 201, description = "The code", body = Invitation))
)]
pub(super) async fn invite(State(app): State<App>) -> Result<Response, Fault> {
    let code = app.access_call(|access| access.invite()).await?;
    let invitation = Invitation { code: code.as_str().to_owned(), valid_for: CODE_LIFE.as_secs(), set_up: false };
    Ok((StatusCode::CREATED, Json(invitation)).into_response())
}

/// There are no users yet: whoever is in sees everything.
fn session(method: &str, expires: Option<Timestamp>) -> Session {
    let permissions = vec![netwatch_model::people::Permission::TrafficRead];
    Session { method: method.to_owned(), expires, user: None, workspace: None, permissions, workspaces: Vec::new() }
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "access control failed");
        Self::new(ProblemCode::Internal, "the server cannot write its data directory; its log tells more")
    }
}

fn refusal(refused: Refused) -> Fault {
    match refused {
        Refused::Wait(wait) => Fault::too_many("too many wrong codes: wait a little", wait.as_secs() + 1),
        Refused::Wrong => {
            let detail = "the code was used already, is too old, or is not one of this server: start Netwatch again for a new link";
            Problem::new(ProblemCode::Gone, detail).parameter("code").into()
        }
    }
}

fn cookie_header(text: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let value =
        HeaderValue::from_str(text).map_err(|_| Fault::new(ProblemCode::Internal, "the cookie cannot be written"))?;
    Ok((SET_COOKIE, value))
}
