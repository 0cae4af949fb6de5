//! Passkeys: those of one's own account, and signing in with one.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use netwatch_api::account::{AccountCredential, PasswordProof};
use netwatch_api::passkey::{PasskeyAnswer, PasskeyChallenge, PasskeyConfirmation, PasskeyPatch, PasskeySignIn};
use netwatch_api::session::Session;
use netwatch_model::people::CredentialId;

use super::account::{credential_view, renewed};
use crate::access::{Challenge, Identity, Refusal};
use crate::app::App;
use crate::fault::Fault;
use crate::gate::cookie;
use crate::params::Body;
use crate::routes::people::{Asker, origin, signed_in};

/// Begin to add a passkey
///
/// The options are for `navigator.credentials.create`; its answer goes to `POST /api/v1/account/passkeys/confirm`.
#[utoipa::path(
    post, path = "/api/v1/account/passkeys", operation_id = "begin_passkey", tag = "account", request_body = PasswordProof,
    responses((status = 201, description = "What the browser is asked", body = PasskeyChallenge),
              (status = 403, description = "The password is wrong"),
              (status = 409, description = "Browsers have no passkeys where this server is reached: the text says why"))
)]
pub(super) async fn begin(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    headers: HeaderMap,
    Body(proof): Body<PasswordProof>,
) -> Result<Response, Fault> {
    let (peer, origin) = (asker.request().peer, origin(&app, &headers)?);
    let begun = app.password_call(move |access| {
        let password = proof.password.as_ref().map(|p| p.0.as_str());
        access.begin_passkey(&identity, peer, password, &origin)
    });
    let challenge = challenge_view(&app, begun.await?);
    Ok((StatusCode::CREATED, Json(challenge)).into_response())
}

/// Add a passkey
///
/// Ends all other sessions, and gives this one a new cookie.
#[utoipa::path(
    post, path = "/api/v1/account/passkeys/confirm", operation_id = "confirm_passkey", tag = "account",
    request_body = PasskeyConfirmation,
    responses((status = 201, description = "Added; a new cookie is set", body = AccountCredential),
              (status = 409, description = "Somebody has it already"),
              (status = 410, description = "The challenge was used, is too old, or is of another session"))
)]
pub(super) async fn confirm(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Body(request): Body<PasskeyConfirmation>,
) -> Result<Response, Fault> {
    let peer = asker.request().peer;
    let added = app.access_call(move |access| {
        access.confirm_passkey(&identity, peer, &request.ceremony.0, &request.name, request.credential)
    });
    let (added, secret) = added.await?;
    let cookie = cookie::set(secret.as_str(), asker.is_secure())?;
    Ok((StatusCode::CREATED, [cookie], Json(credential_view(&added))).into_response())
}

/// Rename a passkey
#[utoipa::path(
    patch, path = "/api/v1/account/passkeys/{passkey}", operation_id = "rename_passkey", tag = "account",
    params(("passkey" = String, Path, description = "Id of the passkey among the credentials of the account")),
    request_body = PasskeyPatch,
    responses((status = 204, description = "Renamed"), (status = 404, description = "You have no such passkey"))
)]
pub(super) async fn rename(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Path(passkey): Path<String>,
    Body(patch): Body<PasskeyPatch>,
) -> Result<StatusCode, Fault> {
    let (id, peer) = (id(&passkey)?, asker.request().peer);
    app.access_call(move |access| access.rename_passkey(&identity, peer, id, &patch.name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a passkey
///
/// Ends all other sessions, and gives this one a new cookie.
#[utoipa::path(
    delete, path = "/api/v1/account/passkeys/{passkey}", operation_id = "remove_passkey", tag = "account",
    params(("passkey" = String, Path, description = "Id of the passkey among the credentials of the account")),
    request_body = PasswordProof,
    responses((status = 204, description = "Removed; a new cookie is set"), (status = 403, description = "The password is wrong"),
              (status = 404, description = "You have no such passkey"),
              (status = 409, description = "It is the only way in which you sign in"))
)]
pub(super) async fn remove(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Path(passkey): Path<String>,
    Body(proof): Body<PasswordProof>,
) -> Result<Response, Fault> {
    let (id, peer) = (id(&passkey)?, asker.request().peer);
    let removed = app.password_call(move |access| {
        let password = proof.password.as_ref().map(|p| p.0.as_str());
        access.remove_passkey(&identity, peer, id, password)
    });
    renewed(&asker, &removed.await?)
}

/// Begin to sign in with a passkey
///
/// The options are for `navigator.credentials.get`; its answer goes to `POST /api/v1/sign-in/passkey/finish`. Alone, a passkey takes the
/// place of name, password and second factor; with the ticket of a right password, that of the code.
#[utoipa::path(
    post, path = "/api/v1/sign-in/passkey", operation_id = "begin_passkey_sign_in", tag = "sign-in",
    request_body = PasskeySignIn,
    responses((status = 200, description = "What the browser is asked", body = PasskeyChallenge),
              (status = 409, description = "Browsers have no passkeys where this server is reached: the text says why"),
              (status = 410, description = "The ticket ended: begin again"))
)]
pub(super) async fn begin_sign_in(
    app: App,
    asker: Asker,
    headers: HeaderMap,
    Body(request): Body<PasskeySignIn>,
) -> Result<Json<PasskeyChallenge>, Fault> {
    let (from, origin) = (asker.request(), origin(&app, &headers)?);
    let begun = app.access_call(move |access| {
        let ticket = request.ticket.as_ref().map(|t| t.0.as_str());
        access.begin_passkey_sign_in(&from, &origin, ticket)
    });
    Ok(Json(challenge_view(&app, begun.await?)))
}

/// Sign in with a passkey
#[utoipa::path(
    post, path = "/api/v1/sign-in/passkey/finish", operation_id = "finish_passkey_sign_in", tag = "sign-in",
    request_body = PasskeyAnswer,
    responses((status = 200, description = "Signed in; the cookie is set", body = Session),
              (status = 401, description = "The passkey is not known here, or its answer does not hold"),
              (status = 410, description = "The challenge was used or is too old, or the ticket ended: begin again"))
)]
pub(super) async fn finish_sign_in(
    app: App,
    asker: Asker,
    Body(answer): Body<PasskeyAnswer>,
) -> Result<Response, Fault> {
    let from = asker.request();
    let signed = app
        .access_call(move |access| access.finish_passkey_sign_in(&from, &answer.ceremony.0, answer.credential))
        .await;
    signed_in(&app, &asker, signed, StatusCode::OK).await
}

fn id(text: &str) -> Result<CredentialId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("passkey"))
}

fn challenge_view(app: &App, challenge: Challenge) -> PasskeyChallenge {
    let (ceremony, expires) = (challenge.ceremony.as_str().to_owned(), app.now() + challenge.life);
    PasskeyChallenge { ceremony, options: challenge.options, expires }
}
