//! Coming in: the first administrator, name and password, second factor, links, registration, invitations.
//!
//! All of these are public; each is slowed down by address, and those that cost a hash wait for their turn.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use netwatch_api::session::Session;
use netwatch_api::sign_in::{
    AcceptInvitationRequest, EmailVerificationRequest, InvitationCode, InvitationOffer, PasswordResetRequest,
    RegistrationRequest, SecondFactorRequest, SetUpRequest, SignInAnswer, SignInOptions, SignInRequest,
};
use netwatch_identity::passkey;
use netwatch_identity::password::{MIN_CHARS, RECOMMENDED_CHARS};

use crate::access::{SetUp, Step};
use crate::app::App;
use crate::fault::Fault;
use crate::gate::cookie;
use crate::params::{Body, Params};
use crate::routes::NoParams;
use crate::routes::people::{Asker, counted, new_session, origin, signed_in};

/// How one can sign in here
#[utoipa::path(
    get, path = "/api/v1/sign-in", operation_id = "get_sign_in", tag = "sign-in",
    responses((status = 200, description = "What the sign-in page offers", body = SignInOptions))
)]
pub(super) async fn options(app: App, _: Params<NoParams>, headers: HeaderMap) -> Result<Json<SignInOptions>, Fault> {
    let set_up_needed = app.access_call(|access| access.set_up_needed()).await?;
    Ok(Json(SignInOptions {
        set_up_needed,
        registration: app.access().registration().enabled,
        identity_providers: app.providers().list(),
        passkey_domain: passkey::domain(&origin(&app, &headers)?),
        password_min: u32::try_from(MIN_CHARS).unwrap_or(u32::MAX),
        password_recommended: u32::try_from(RECOMMENDED_CHARS).unwrap_or(u32::MAX),
    }))
}

/// Make the first administrator
///
/// With the code of the printed link, once. Makes the first workspace too, and signs in.
#[utoipa::path(
    post, path = "/api/v1/setup", operation_id = "set_up", tag = "sign-in", request_body = SetUpRequest,
    responses((status = 201, description = "Made and signed in; the cookie is set", body = Session),
              (status = 409, description = "The first administrator exists"),
              (status = 410, description = "The code was used, is too old, or never was"))
)]
pub(super) async fn set_up(app: App, asker: Asker, Body(request): Body<SetUpRequest>) -> Result<Response, Fault> {
    let from = asker.request();
    let made = app.password_call(move |access| {
        let set_up = SetUp {
            code: &request.code.0,
            name: &request.name,
            display_name: request.display_name.as_deref(),
            email: request.email.as_deref(),
            password: &request.password.0,
            workspace: request.workspace.as_deref(),
        };
        access.set_up(&from, &set_up)
    });
    signed_in(&app, &asker, made.await, StatusCode::CREATED).await
}

/// Sign in with name and password
///
/// A wrong name and a wrong password are answered alike. When the user has a second factor, the answer has a ticket for it.
#[utoipa::path(
    post, path = "/api/v1/sign-in", operation_id = "sign_in_with_password", tag = "sign-in", request_body = SignInRequest,
    responses((status = 200, description = "Signed in, or the second factor is needed", body = SignInAnswer),
              (status = 401, description = "Name or password is wrong"))
)]
pub(super) async fn password(app: App, asker: Asker, Body(request): Body<SignInRequest>) -> Result<Response, Fault> {
    let from = asker.request();
    let step = app.password_call(move |access| access.sign_in(&from, &request.name, &request.password.0)).await;
    match counted(&app, &asker, step)? {
        Step::In(signed) => {
            let session = Box::new(new_session(&app, &asker, &signed).await?);
            let cookie = cookie::set(signed.secret.as_str(), asker.is_secure())?;
            Ok(([cookie], Json(SignInAnswer::SignedIn { session })).into_response())
        }
        Step::SecondFactor { ticket, life, passkey } => {
            let methods = ["totp", "recovery"].into_iter().chain(passkey.then_some("passkey"));
            let methods = methods.map(str::to_owned).collect();
            let (ticket, expires) = (ticket.as_str().to_owned(), app.now() + life);
            Ok(Json(SignInAnswer::SecondFactor { ticket, methods, expires }).into_response())
        }
    }
}

/// Show the second factor
#[utoipa::path(
    post, path = "/api/v1/sign-in/second-factor", operation_id = "sign_in_second_factor", tag = "sign-in",
    request_body = SecondFactorRequest,
    responses((status = 200, description = "Signed in; the cookie is set", body = Session),
              (status = 401, description = "The code is wrong or was used"),
              (status = 410, description = "The ticket ended: begin again"))
)]
pub(super) async fn second_factor(
    app: App,
    asker: Asker,
    Body(request): Body<SecondFactorRequest>,
) -> Result<Response, Fault> {
    let from = asker.request();
    let signed = app.access_call(move |access| access.second_factor(&from, &request.ticket.0, &request.code.0)).await;
    signed_in(&app, &asker, signed, StatusCode::OK).await
}

/// Set a new password with a link
///
/// Ends all sessions of the user. There is no mail channel yet: an administrator makes the link.
#[utoipa::path(
    post, path = "/api/v1/password-reset", operation_id = "reset_password", tag = "sign-in",
    request_body = PasswordResetRequest,
    responses((status = 204, description = "Set: sign in with it"),
              (status = 410, description = "The link was used, is too old, or never was"))
)]
pub(super) async fn reset_password(
    app: App,
    asker: Asker,
    Body(request): Body<PasswordResetRequest>,
) -> Result<StatusCode, Fault> {
    let peer = asker.request().peer;
    let reset = move |access: &crate::access::Access| access.reset_password(peer, &request.code.0, &request.password.0);
    app.password_call(reset).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show that an address is yours
#[utoipa::path(
    post, path = "/api/v1/email-verification", operation_id = "verify_email", tag = "sign-in",
    request_body = EmailVerificationRequest,
    responses((status = 204, description = "Verified"),
              (status = 410, description = "The link was used, is too old, or is for another address"))
)]
pub(super) async fn verify_email(
    app: App,
    asker: Asker,
    Body(request): Body<EmailVerificationRequest>,
) -> Result<StatusCode, Fault> {
    let peer = asker.request().peer;
    app.access_call(move |access| access.verify_email(peer, &request.code.0)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Register
///
/// Where `registration.enabled` is on. The account has no rights until somebody invites it.
#[utoipa::path(
    post, path = "/api/v1/registration", operation_id = "register", tag = "sign-in", request_body = RegistrationRequest,
    responses((status = 201, description = "Made: sign in with it"), (status = 403, description = "Registration is off"),
              (status = 409, description = "The name cannot be had"))
)]
pub(super) async fn register(
    app: App,
    asker: Asker,
    Body(request): Body<RegistrationRequest>,
) -> Result<StatusCode, Fault> {
    let peer = asker.request().peer;
    app.password_call(move |access| {
        let shown = request.display_name.as_deref();
        access.register(peer, &request.name, shown, &request.email, &request.password.0)
    })
    .await?;
    Ok(StatusCode::CREATED)
}

/// What an invitation offers
#[utoipa::path(
    post, path = "/api/v1/invitation", operation_id = "show_invitation", tag = "sign-in", request_body = InvitationCode,
    responses((status = 200, description = "The offer", body = InvitationOffer),
              (status = 410, description = "The invitation was used, is too old, or never was"))
)]
pub(super) async fn invitation(
    app: App,
    asker: Asker,
    Body(request): Body<InvitationCode>,
) -> Result<Json<InvitationOffer>, Fault> {
    let from = asker.request();
    let offer = app.access_call(move |access| access.offer(&from, &request.code.0)).await?;
    Ok(Json(InvitationOffer {
        workspace: offer.workspace,
        role: offer.role,
        email: offer.invitation.email.map(|e| e.to_string()),
        expires: offer.invitation.expires,
    }))
}

/// Accept an invitation with a new account
#[utoipa::path(
    post, path = "/api/v1/invitation/accept", operation_id = "accept_invitation", tag = "sign-in",
    request_body = AcceptInvitationRequest,
    responses((status = 201, description = "Made and signed in; the cookie is set", body = Session),
              (status = 409, description = "The name cannot be had, or the workspace is full"),
              (status = 410, description = "The invitation was used, is too old, or never was"))
)]
pub(super) async fn accept_invitation(
    app: App,
    asker: Asker,
    Body(request): Body<AcceptInvitationRequest>,
) -> Result<Response, Fault> {
    let from = asker.request();
    let made = app.password_call(move |access| {
        let shown = request.display_name.as_deref();
        access.accept_as_new(&from, &request.code.0, &request.name, shown, &request.password.0)
    });
    signed_in(&app, &asker, made.await, StatusCode::CREATED).await
}
