//! `/api/v1/session`: signing in with a one-time code, asking who one is and where, signing out.

use axum::http::header::HeaderName;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use netwatch_api::session::{Invitation, OpenWorkspace, Session, SessionRequest};

use crate::access::Identity;
use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;
use crate::gate::cookie;
use crate::params::{Body, Params};
use crate::routes::NoParams;
use crate::routes::people::{Asker, session_of, signed_in};

/// Sign in with a link
///
/// Trades the code of the printed link for a session cookie. While there is nobody yet, the code makes the first administrator instead:
/// `POST /api/v1/setup`.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "sign_in", tag = "session", request_body = SessionRequest,
    responses((status = 200, description = "Signed in; the cookie is set", body = Session),
              (status = 409, description = "There is nobody yet: the code is for the set-up"),
              (status = 410, description = "The code was used, is too old, or never was"))
)]
pub(super) async fn sign_in(app: App, asker: Asker, Body(request): Body<SessionRequest>) -> Result<Response, Fault> {
    let from = asker.request();
    let signed = app.access_call(move |access| access.sign_in_by_code(&from, &request.code)).await;
    signed_in(&app, &asker, signed, StatusCode::OK).await
}

/// Who is asking
///
/// And in which workspace, with what permissions.
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "get_session", tag = "session",
    responses((status = 200, description = "Who asks, where, and what they may do", body = Session))
)]
pub(super) async fn show(
    app: App,
    Extension(identity): Extension<Identity>,
    _: Params<NoParams>,
) -> Result<Json<Session>, Fault> {
    session_of(&app, identity).await.map(Json)
}

/// Open another workspace
///
/// Requests of this session that name no workspace act there from now on.
#[utoipa::path(
    put, path = "/api/v1/session/workspace", operation_id = "open_workspace", tag = "session", request_body = OpenWorkspace,
    responses((status = 204, description = "It is open"), (status = 404, description = "No such workspace, or not yours"))
)]
pub(super) async fn open_workspace(
    app: App,
    Extension(identity): Extension<Identity>,
    Body(request): Body<OpenWorkspace>,
) -> Result<StatusCode, Fault> {
    app.access_call(move |access| access.open_workspace(&identity, request.workspace)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out
///
/// Ends the session; open streams of it end within five seconds. A token stays good.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "sign_out", tag = "session",
    responses((status = 204, description = "Signed out"))
)]
pub(super) async fn sign_out(
    app: App,
    Extension(identity): Extension<Identity>,
    Extension(Peer(peer)): Extension<Peer>,
) -> Result<Response, Fault> {
    app.access_call(move |access| access.sign_out(&identity, peer.ip())).await?;
    let clear = (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookie::clear()?), [clear]).into_response())
}

/// A new one-time code
///
/// For the holder of the token of the data directory, who prints the link: it makes the first administrator, or signs in as the oldest one.
#[utoipa::path(
    post, path = "/api/v1/session/code", operation_id = "create_code", tag = "session",
    responses((status = 201, description = "The code", body = Invitation))
)]
pub(super) async fn invite(app: App) -> Result<Response, Fault> {
    let invited = app.access_call(|access| access.invite()).await?;
    let code = invited.code.as_str().to_owned();
    let invitation = Invitation { code, valid_for: invited.life.as_secs(), set_up: invited.set_up };
    Ok((StatusCode::CREATED, Json(invitation)).into_response())
}
