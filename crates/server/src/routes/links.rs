//! `/api/v1/users/{user}/link`: links that administrators hand over, as there is no mail channel yet.

use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::sign_in::{UserLink, UserLinkPurpose, UserLinkRequest};
use netwatch_model::people::{LinkPurpose, User, UserId};

use crate::access::{Identity, Refusal, verification};
use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;
use crate::params::Body;

/// What a link is for, judged by whom it is for.
type OfUser = fn(&User) -> Result<LinkPurpose, Refusal>;

/// Make a link for a user
///
/// To set a new password, or to show that an address is theirs. It is shown once: hand it over.
#[utoipa::path(
    post, path = "/api/v1/users/{user}/link", operation_id = "create_user_link", tag = "users",
    request_body = UserLinkRequest, params(("user" = String, Path, description = "Id of the user")),
    responses((status = 201, description = "The link", body = UserLink), (status = 404, description = "No such user"),
              (status = 409, description = "There is no address to verify"))
)]
pub(super) async fn create(
    app: App,
    Extension(identity): Extension<Identity>,
    Extension(Peer(peer)): Extension<Peer>,
    Path(user): Path<String>,
    Body(request): Body<UserLinkRequest>,
) -> Result<Response, Fault> {
    let user: UserId = user.parse().map_err(|_| Refusal::NotFound("user"))?;
    let by = identity.by(peer.ip());
    let (page, purpose): (_, OfUser) = match request.purpose {
        UserLinkPurpose::ResetPassword => ("reset", |user| Ok(LinkPurpose::ResetPassword { user: user.id })),
        UserLinkPurpose::VerifyEmail => ("verify", verification),
    };
    let (link, code) = app.access_call(move |access| access.user_link(user, purpose, by)).await?;
    let made = UserLink { path: format!("/{page}#{}", code.as_str()), expires: link.expires };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}
