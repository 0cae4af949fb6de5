//! `/api/v1/tokens`: API tokens of the workspace of the request.
//!
//! Whoever may make tokens sees and changes their own; `tokens.write` reaches those of all members. The secret of a token is in one
//! answer: that to its making or rotation.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::page::Page;
use netwatch_api::token::{Token, TokenCreate, TokenMade, TokenPatch, TokensQuery};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::{Reading, Site, Stored};
use netwatch_identity::audit::Entry;
use netwatch_identity::token::{self, NewToken};
use netwatch_model::Timestamp;
use netwatch_model::people::{
    Action, ApiToken, Fields, ObjectKind, ObjectRef, Permission, PermissionSet, TokenId, User, WorkspaceId,
};

use super::asker::{Asker, ask, change as write, field, id, not_found};
use super::lists::{List, Wanted};
use super::{roles, workspaces};
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// The tokens
#[utoipa::path(
    get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "tokens", params(TokensQuery),
    responses((status = 200, description = "A page of tokens, by name", body = Page<Token>))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<TokensQuery>,
) -> Result<Json<Page<Token>>, Fault> {
    let workspace = asker.workspace()?;
    let own = asker.user().filter(|_| !asker.has(Permission::TokensWrite));
    let wanted = Wanted {
        limit: query.limit,
        cursor: query.cursor.as_deref(),
        search: query.search.as_deref(),
        owner: own.map(Into::into),
    };
    let list = List::new("tokens", &workspace, &wanted)?;
    let page = ask(&app, move |tx| {
        let slice = tx.list::<ApiToken>(workspace, &list.query)?;
        list.page(slice, |stored| view(tx, &stored.value))
    });
    Ok(Json(page.await?))
}

/// One token
#[utoipa::path(
    get, path = "/api/v1/tokens/{token}", operation_id = "get_token", tag = "tokens",
    params(("token" = String, Path, description = "Id of the token")),
    responses((status = 200, description = "The token, without its secret", body = Token))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<TokenId>(&text, "API token")?);
    let (tag, body) = ask(&app, move |tx| {
        let stored = visible(tx, workspace, id, &asker)?;
        Ok((tag(&stored), view(tx, &stored.value)?))
    })
    .await?;
    Ok(tag.tagged(&asked, &body))
}

/// Make a token
///
/// The answer has its secret, once. A token makes no tokens: sign in for it.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "create_token", tag = "tokens", request_body = TokenCreate,
    responses((status = 201, description = "The token and its secret", body = TokenMade),
              (status = 409, description = "The workspace has as many tokens as it may have"))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<TokenCreate>) -> Result<Response, Fault> {
    let (workspace, owner) = (asker.workspace()?, asker.person()?);
    let scopes = scopes(&new.scopes, &asker)?;
    let name = field("name", &new.name)?;
    check_end(new.expires, app.now())?;
    let (tag, body) = write(&app, move |tx| {
        workspaces::check_limit(
            workspaces::limits(tx, workspace)?.tokens,
            tx.count::<ApiToken>(workspace)?,
            "API tokens",
        )?;
        let (token, secret) = token::make(NewToken { workspace, owner, name, scopes, expires: new.expires }, tx.now())?;
        let stored = tx.insert(&token)?;
        let did = asker.by().did(Action::TokenCreated, object(&token));
        record(tx, Entry { workspace: Some(workspace), after: Some(fields(&token)), ..did })?;
        Ok((tag(&stored), TokenMade { token: view(tx, &token)?, secret: secret.as_str().to_owned() }))
    })
    .await?;
    Ok((StatusCode::CREATED, tag.header(), Json(body)).into_response())
}

/// Change a token
///
/// Needs `If-Match`. Its secret stays.
#[utoipa::path(
    patch, path = "/api/v1/tokens/{token}", operation_id = "change_token", tag = "tokens", request_body = TokenPatch,
    params(("token" = String, Path, description = "Id of the token")),
    responses((status = 200, description = "The token as it is now", body = Token))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<TokenPatch>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<TokenId>(&text, "API token")?);
    let scopes = patch.scopes.as_deref().map(|list| scopes(list, &asker)).transpose()?;
    let name = patch.name.as_deref().map(|text| field("name", text)).transpose()?;
    check_end(patch.expires, app.now())?;
    let (tag, body) = write(&app, move |tx| {
        let before = visible(tx, workspace, id, &asker)?;
        asked.require(&tag(&before))?;
        may_touch(&before.value, &asker)?;
        let mut after = before.value.clone();
        after.name = name.unwrap_or(after.name);
        after.scopes = scopes.unwrap_or(after.scopes);
        after.expires = patch.expires.or(after.expires);
        let stored = tx.update(&after, Some(before.version))?;
        let (old, new) = Fields::changed(&fields(&before.value), &fields(&after));
        let did = asker.by().did(Action::TokenChanged, object(&after));
        record(tx, Entry { workspace: Some(workspace), before: Some(old), after: Some(new), ..did })?;
        Ok((tag(&stored), view(tx, &after)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Give a token a new secret
///
/// The answer has it, once. The old secret is good no more, within five seconds.
#[utoipa::path(
    post, path = "/api/v1/tokens/{token}/rotate", operation_id = "rotate_token", tag = "tokens",
    params(("token" = String, Path, description = "Id of the token")),
    responses((status = 200, description = "The token and its new secret", body = TokenMade))
)]
pub(super) async fn rotate(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<TokenId>(&text, "API token")?);
    let (tag, body) = write(&app, move |tx| {
        let before = visible(tx, workspace, id, &asker)?;
        may_touch(&before.value, &asker)?;
        let (token, secret) = token::rotate(&before.value, tx.now())?;
        let stored = tx.update(&token, Some(before.version))?;
        let did = asker.by().did(Action::TokenRotated, object(&token));
        record(tx, Entry { workspace: Some(workspace), ..did })?;
        Ok((tag(&stored), TokenMade { token: view(tx, &token)?, secret: secret.as_str().to_owned() }))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Revoke a token
///
/// It is good no more, within five seconds, open streams included.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{token}", operation_id = "revoke_token", tag = "tokens",
    params(("token" = String, Path, description = "Id of the token")),
    responses((status = 204, description = "Revoked"))
)]
pub(super) async fn revoke(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<TokenId>(&text, "API token")?);
    write(&app, move |tx| {
        let before = visible(tx, workspace, id, &asker)?;
        asked.check(&tag(&before))?;
        tx.delete::<ApiToken>(workspace, id, Some(before.version))?;
        let did = asker.by().did(Action::TokenRevoked, object(&before.value));
        Ok(record(tx, Entry { workspace: Some(workspace), before: Some(fields(&before.value)), ..did })?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token that the asker may see: one of somebody else's is as unknown as a foreign one.
fn visible(tx: &Reading<'_>, workspace: WorkspaceId, id: TokenId, asker: &Asker) -> Result<Stored<ApiToken>, Fault> {
    let stored = tx.get::<ApiToken>(workspace, id)?;
    let own = asker.user() == Some(stored.value.owner);
    if own || asker.has(Permission::TokensWrite) { Ok(stored) } else { Err(not_found("API token")) }
}

/// Whoever gets or widens the secret of a token must have all that it allows.
fn may_touch(token: &ApiToken, asker: &Asker) -> Result<(), Fault> {
    if token.scopes.is_within(asker.permissions()) {
        return Ok(());
    }
    Err(Fault::new(ProblemCode::Forbidden, "the token allows more than you may: you can only revoke it"))
}

fn scopes(list: &[Permission], asker: &Asker) -> Result<PermissionSet, Fault> {
    if list.is_empty() {
        return Err(Fault::parameter(
            "scopes",
            "a token needs at least one scope: `GET /api/v1/permissions` lists them",
        ));
    }
    let named = |fault: Fault| Problem { parameter: Some("scopes".to_owned()), ..fault.into_problem() };
    Ok(roles::checked(list, asker).map_err(named)?)
}

fn check_end(end: Option<Timestamp>, now: Timestamp) -> Result<(), Fault> {
    match end {
        Some(end) if end <= now => Err(Fault::parameter("expires", "the token would have ended already")),
        Some(end) if end > now + token::MAX_LIFE => {
            Err(Fault::parameter("expires", "a token with an end ends within 366 days"))
        }
        _ => Ok(()),
    }
}

fn tag(stored: &Stored<ApiToken>) -> ETag {
    ETag::of_version("token", stored.version)
}

fn view(tx: &Reading<'_>, token: &ApiToken) -> Result<Token, Fault> {
    Ok(Token {
        id: token.id,
        name: token.name.to_string(),
        hint: token.hint.clone(),
        owner: token.owner,
        owner_name: tx.get::<User>(Site, token.owner)?.value.name.to_string(),
        scopes: token.scopes.iter().collect(),
        created: token.created,
        expires: token.expires,
        last_used: token.last_used,
    })
}

fn object(token: &ApiToken) -> ObjectRef {
    ObjectRef::new(ObjectKind::Token, token.id, token.name.as_str())
}

fn fields(token: &ApiToken) -> Fields {
    let words: Vec<&str> = token.scopes.iter().map(Permission::word).collect();
    let end = token.expires.map_or_else(|| "never".to_owned(), |t| t.to_string());
    Fields::new().with("name", &token.name).with("scopes", words.join(" ")).with("expires", end)
}
