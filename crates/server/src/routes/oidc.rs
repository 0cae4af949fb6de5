//! `/auth/oidc/{provider}`: to the identity provider and back.
//!
//! These two are opened by the browser itself, not by the web app: they lie outside `/api`, so that the way back from another site is let
//! through the gate. They change nothing without the cookie that binds the login to the browser.

use axum::extract::{Path, Query};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::sign_in::CallbackQuery;

use crate::access::{ExternalRules, Refusal};
use crate::app::App;
use crate::fault::Fault;
use crate::gate::cookie;
use crate::oidc::{IdentitySource as _, LOGIN_LIFE, OidcError};
use crate::routes::people::{Asker, counted, origin};

/// The cookie that binds a login to the browser that began it.
const BINDING: &str = "netwatch_login";

/// Go to an identity provider
///
/// Open it in the browser: it answers with a redirect.
#[utoipa::path(
    get, path = "/auth/oidc/{provider}/start", operation_id = "start_oidc", tag = "sign-in",
    params(("provider" = String, Path, description = "Id of the provider")),
    responses((status = 303, description = "To the provider"), (status = 404, description = "No such provider"),
              (status = 503, description = "The provider does not answer"))
)]
pub(super) async fn start(app: App, Path(provider): Path<String>, headers: HeaderMap) -> Result<Response, Fault> {
    let provider = app.providers().find(&provider).ok_or(Refusal::NotFound("identity provider"))?;
    let origin = origin(&app, &headers)?;
    let callback = format!("{origin}/auth/oidc/{}/callback", provider.config.id);
    let (url, binding) = provider.begin(&callback, app.monotonic()).await.map_err(|error| failed(&error))?;
    let more = if origin.starts_with("https://") { "; Secure" } else { "" };
    let life = LOGIN_LIFE.as_secs();
    // Lax: the way back begins at the provider's site.
    let cookie =
        format!("{BINDING}={}; Path=/auth/oidc; Max-Age={life}; HttpOnly; SameSite=Lax{more}", binding.as_str());
    Ok((StatusCode::SEE_OTHER, [header(LOCATION, &url)?, header(SET_COOKIE, &cookie)?]).into_response())
}

/// Come back from an identity provider
#[utoipa::path(
    get, path = "/auth/oidc/{provider}/callback", operation_id = "finish_oidc", tag = "sign-in",
    params(("provider" = String, Path, description = "Id of the provider"), CallbackQuery),
    responses((status = 303, description = "Signed in; the cookie is set"),
              (status = 403, description = "The provider refused, or you have no account here"),
              (status = 410, description = "The login was not begun by this browser, or is over"))
)]
pub(super) async fn callback(
    app: App,
    Path(provider): Path<String>,
    Query(query): Query<CallbackQuery>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let provider = app.providers().find(&provider).ok_or(Refusal::NotFound("identity provider"))?;
    let secure = origin(&app, &headers)?.starts_with("https://");
    let asker = asker.over_tls(secure);
    let binding = binding(&headers).unwrap_or_default();
    let login = provider.finish(query, &binding, app.monotonic()).await.map_err(|error| failed(&error));
    let login = counted(&app, &asker, login)?;
    let rules = ExternalRules { provision: provider.config.provision, roles: provider.config.roles.clone() };
    let from = asker.request();
    let signed = app.access_call(move |access| access.sign_in_external(&from, login, rules)).await;
    let signed = counted(&app, &asker, signed)?;
    let over = format!("{BINDING}=; Path=/auth/oidc; Max-Age=0; HttpOnly; SameSite=Lax");
    let cookies = AppendHeaders([cookie::set(signed.secret.as_str(), secure)?, header(SET_COOKIE, &over)?]);
    Ok((StatusCode::SEE_OTHER, [header(LOCATION, "/")?], cookies).into_response())
}

fn binding(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = texts.flat_map(|t| t.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == BINDING).map(|(_, value)| value.to_owned())
}

fn failed(error: &OidcError) -> Fault {
    let cause: &(dyn std::error::Error + 'static) = error;
    tracing::warn!(error = cause, "a sign-in with an identity provider failed");
    match error {
        OidcError::NoLogin => Fault::new(ProblemCode::Gone, format!("{error}: begin again")),
        OidcError::Denied(_) | OidcError::Issuer | OidcError::Token(_) => {
            Fault::new(ProblemCode::Forbidden, "the identity provider did not let you in, or its answer does not hold")
        }
        OidcError::Discovery(_) | OidcError::Exchange(_) | OidcError::Outgoing(_) => {
            Fault::unavailable("the identity provider does not answer as it should: the log of the server tells more")
        }
        OidcError::Configuration(..) | OidcError::Random(_) => Fault::new(
            ProblemCode::Internal,
            "signing in with this provider does not work: the log of the server tells more",
        ),
    }
}

fn header(name: HeaderName, text: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let value = HeaderValue::from_str(text);
    value.map(|value| (name, value)).map_err(|_| Fault::new(ProblemCode::Internal, "an address cannot be written"))
}
