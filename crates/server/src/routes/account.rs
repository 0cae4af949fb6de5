//! `/api/v1/account`: one's own account. Programs have none: every route here wants a session.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use netwatch_api::account::{
    Account, AccountCredential, AccountPatch, PasswordChange, PasswordProof, TotpConfirmation, TotpEnrolment,
    VerificationOffer,
};
use netwatch_api::session::{AccountSession, AccountSessions};
use netwatch_api::sign_in::InvitationCode;
use netwatch_identity::session;
use netwatch_model::people::{Credential, CredentialKind, Session, SessionId};

use crate::access::{Identity, Profile, Refusal, Secret};
use crate::app::App;
use crate::fault::Fault;
use crate::gate::cookie;
use crate::params::{Body, Params};
use crate::routes::NoParams;
use crate::routes::people::{Asker, user_view};

/// Your account
#[utoipa::path(
    get, path = "/api/v1/account", operation_id = "get_account", tag = "account",
    responses((status = 200, description = "The account", body = Account))
)]
pub(super) async fn show(
    app: App,
    Extension(identity): Extension<Identity>,
    _: Params<NoParams>,
) -> Result<Json<Account>, Fault> {
    let user = identity.session().and(identity.user()).ok_or(Refusal::NotAUser)?;
    let profile = app.access_call(move |access| access.profile(user)).await?;
    Ok(Json(account(&profile)))
}

/// Change your account
///
/// Another address has to be verified again.
#[utoipa::path(
    patch, path = "/api/v1/account", operation_id = "change_account", tag = "account", request_body = AccountPatch,
    responses((status = 204, description = "Changed"))
)]
pub(super) async fn change(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Body(patch): Body<AccountPatch>,
) -> Result<StatusCode, Fault> {
    let peer = asker.request().peer;
    app.access_call(move |access| {
        access.change_account(&identity, peer, patch.display_name.as_deref(), patch.email.as_deref())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change your password
///
/// Ends all other sessions, and gives this one a new cookie.
#[utoipa::path(
    put, path = "/api/v1/account/password", operation_id = "change_password", tag = "account",
    request_body = PasswordChange,
    responses((status = 204, description = "Changed; a new cookie is set"), (status = 403, description = "The current password is wrong"))
)]
pub(super) async fn password(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Body(change): Body<PasswordChange>,
) -> Result<Response, Fault> {
    let peer = asker.request().peer;
    let changed = app.password_call(move |access| {
        let current = change.current.as_ref().map(|p| p.0.as_str());
        access.change_password(&identity, peer, current, &change.new.0)
    });
    renewed(&asker, &changed.await?)
}

/// Begin to use one-time passwords
///
/// They are asked for only after `POST /api/v1/account/totp/confirm`.
#[utoipa::path(
    post, path = "/api/v1/account/totp", operation_id = "begin_totp", tag = "account", request_body = PasswordProof,
    responses((status = 201, description = "Key and recovery codes, shown once", body = TotpEnrolment),
              (status = 403, description = "The password is wrong"), (status = 409, description = "They are on already"))
)]
pub(super) async fn begin_totp(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Body(proof): Body<PasswordProof>,
) -> Result<Response, Fault> {
    let peer = asker.request().peer;
    let begun = app.password_call(move |access| {
        let password = proof.password.as_ref().map(|p| p.0.as_str());
        access.begin_totp(&identity, peer, password)
    });
    let begun = begun.await?;
    let recovery_codes = begun.recovery.iter().map(|code| code.as_str().to_owned()).collect();
    let (url, key) = (begun.url.as_str().to_owned(), begun.key.as_str().to_owned());
    Ok((StatusCode::CREATED, Json(TotpEnrolment { url, key, recovery_codes })).into_response())
}

/// Switch one-time passwords on
///
/// With one that the authenticator shows. Ends all other sessions.
#[utoipa::path(
    post, path = "/api/v1/account/totp/confirm", operation_id = "confirm_totp", tag = "account",
    request_body = TotpConfirmation,
    responses((status = 204, description = "On; a new cookie is set"), (status = 401, description = "The code is wrong"))
)]
pub(super) async fn confirm_totp(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Body(confirmation): Body<TotpConfirmation>,
) -> Result<Response, Fault> {
    let peer = asker.request().peer;
    let confirmed = app.access_call(move |access| access.confirm_totp(&identity, peer, &confirmation.code.0)).await?;
    renewed(&asker, &confirmed)
}

/// Switch one-time passwords off
#[utoipa::path(
    delete, path = "/api/v1/account/totp", operation_id = "end_totp", tag = "account", request_body = PasswordProof,
    responses((status = 204, description = "Off; a new cookie is set"), (status = 403, description = "The password is wrong"))
)]
pub(super) async fn end_totp(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Body(proof): Body<PasswordProof>,
) -> Result<Response, Fault> {
    let peer = asker.request().peer;
    let ended = app.password_call(move |access| {
        let password = proof.password.as_ref().map(|p| p.0.as_str());
        access.end_totp(&identity, peer, password)
    });
    renewed(&asker, &ended.await?)
}

/// Your sessions
#[utoipa::path(
    get, path = "/api/v1/account/sessions", operation_id = "list_sessions", tag = "account",
    responses((status = 200, description = "All that hold, newest first", body = AccountSessions))
)]
pub(super) async fn sessions(
    app: App,
    Extension(identity): Extension<Identity>,
    _: Params<NoParams>,
) -> Result<Json<AccountSessions>, Fault> {
    let current = identity.session();
    let all = app.access_call(move |access| access.sessions_of(&identity)).await?;
    Ok(Json(AccountSessions { items: all.into_iter().map(|s| session_view(s, current)).collect() }))
}

/// End a session of yours
#[utoipa::path(
    delete, path = "/api/v1/account/sessions/{session}", operation_id = "end_session", tag = "account",
    params(("session" = String, Path, description = "Id of the session")),
    responses((status = 204, description = "Ended; its streams end within five seconds"),
              (status = 404, description = "You have no such session"))
)]
pub(super) async fn end_session(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Path(session): Path<String>,
) -> Result<StatusCode, Fault> {
    let session: SessionId = session.parse().map_err(|_| Refusal::NotFound("session"))?;
    let peer = asker.request().peer;
    app.access_call(move |access| access.end_session(&identity, peer, session)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all other sessions of yours
#[utoipa::path(
    delete, path = "/api/v1/account/sessions", operation_id = "end_other_sessions", tag = "account",
    responses((status = 204, description = "Ended"))
)]
pub(super) async fn end_other_sessions(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
) -> Result<StatusCode, Fault> {
    let peer = asker.request().peer;
    app.access_call(move |access| access.end_other_sessions(&identity, peer)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask to have your address verified
///
/// There is no mail channel yet: an administrator hands the link over.
#[utoipa::path(
    post, path = "/api/v1/account/email-verification", operation_id = "offer_verification", tag = "account",
    responses((status = 200, description = "What happens next", body = VerificationOffer),
              (status = 409, description = "There is no address, or it is verified already"))
)]
pub(super) async fn verification(
    app: App,
    Extension(identity): Extension<Identity>,
) -> Result<Json<VerificationOffer>, Fault> {
    let user = identity.session().and(identity.user()).ok_or(Refusal::NotAUser)?;
    let profile = app.access_call(move |access| access.profile(user)).await?;
    crate::access::verification(&profile.user)?;
    let detail = "mail cannot be sent yet: ask an administrator for the link (`netwatch user verify NAME`)";
    Ok(Json(VerificationOffer { detail: detail.to_owned() }))
}

/// Accept an invitation
///
/// For a user who is signed in already.
#[utoipa::path(
    post, path = "/api/v1/account/invitation", operation_id = "join_workspace", tag = "account",
    request_body = InvitationCode,
    responses((status = 204, description = "You are a member"), (status = 409, description = "You were one already, or it is full"),
              (status = 410, description = "The invitation was used, is too old, or never was"))
)]
pub(super) async fn accept_invitation(
    app: App,
    Extension(identity): Extension<Identity>,
    asker: Asker,
    Body(request): Body<InvitationCode>,
) -> Result<StatusCode, Fault> {
    let from = asker.request();
    app.access_call(move |access| access.accept(&from, &identity, &request.code.0)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn renewed(asker: &Asker, secret: &Secret) -> Result<Response, Fault> {
    Ok((StatusCode::NO_CONTENT, [cookie::set(secret.as_str(), asker.is_secure())?]).into_response())
}

fn account(profile: &Profile) -> Account {
    let user = &profile.user;
    let left = profile.credentials.iter().find_map(|c| match &c.kind {
        CredentialKind::Totp { recovery, confirmed: true, .. } => {
            Some(u32::try_from(recovery.len()).unwrap_or(u32::MAX))
        }
        _ => None,
    });
    Account {
        user: user_view(user, &profile.credentials),
        email: user.email.as_ref().map(ToString::to_string),
        email_verified: user.email_verified,
        credentials: profile.credentials.iter().map(credential_view).collect(),
        recovery_codes_left: left,
    }
}

pub(super) fn credential_view(credential: &Credential) -> AccountCredential {
    let name = match &credential.kind {
        CredentialKind::External(identity) => identity.issuer.clone(),
        _ => credential.name.to_string(),
    };
    AccountCredential {
        id: credential.id,
        kind: credential.kind.word().to_owned(),
        name,
        created: credential.created,
        last_used: credential.last_used,
    }
}

fn session_view(shown: Session, current: Option<SessionId>) -> AccountSession {
    AccountSession {
        id: shown.id,
        method: shown.method.to_string(),
        created: shown.created,
        used: shown.used,
        expires: session::expires(&shown),
        address: shown.address,
        current: current == Some(shown.id),
        browser: shown.browser,
    }
}
