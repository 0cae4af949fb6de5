//! `/api/v1/users`: everybody, for site administrators.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::page::Page;
use netwatch_api::session::{AccountSession, AccountSessions};
use netwatch_api::user::{User as View, UserCreate, UserPatch, UsersQuery};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::people::keys;
use netwatch_entities::{ListQuery, MembershipId, Order, Reading, Site, StoreError, Stored, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::random_bits;
use netwatch_identity::{password, session};
use netwatch_model::people::{
    Action, Credential, CredentialId, CredentialKind, Fields, Membership, ObjectKind, ObjectRef, SecretText, Session,
    SessionId, User, UserId,
};

use super::asker::{Asker, ask, change as write, field, id, not_found};
use super::lists::{List, Wanted};
use super::memberships;
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// Users and memberships that are looked through.
const MANY: usize = 100_000;

/// Everybody
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "list_users", tag = "users", params(UsersQuery),
    responses((status = 200, description = "A page of users, by name", body = Page<View>))
)]
pub(super) async fn list(app: App, Params(query): Params<UsersQuery>) -> Result<Json<Page<View>>, Fault> {
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("users", &"site", &wanted)?;
    let page = ask(&app, move |tx| {
        let slice = tx.list::<User>(Site, &list.query)?;
        list.page(slice, |stored| view(tx, &stored.value))
    });
    Ok(Json(page.await?))
}

/// One user
#[utoipa::path(
    get, path = "/api/v1/users/{user}", operation_id = "get_user", tag = "users",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "The user", body = View))
)]
pub(super) async fn one(
    app: App,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let user = id::<UserId>(&text, "user")?;
    let (tag, body) = ask(&app, move |tx| {
        let stored = tx.get::<User>(Site, user)?;
        Ok((tag(&stored), view(tx, &stored.value)?))
    })
    .await?;
    Ok(tag.tagged(&asked, &body))
}

/// Make a user
///
/// Without a password they cannot sign in before a link was made for them.
#[utoipa::path(
    post, path = "/api/v1/users", operation_id = "create_user", tag = "users", request_body = UserCreate,
    responses((status = 201, description = "The new user", body = View), (status = 409, description = "The name is taken"))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<UserCreate>) -> Result<Response, Fault> {
    let user = fresh(&new, UserId::new(app.now(), random_bits()?), &app)?;
    let password = new.password.map(|hidden| hidden.0);
    let words = [user.name.to_string(), user.display_name.to_string()];
    let hash = app.blocking(move || password.map(|text| hash(&text, &words)).transpose()).await??;
    let (tag, body) = write(&app, move |tx| {
        let stored = tx.insert(&user).map_err(taken)?;
        if let Some(hash) = hash {
            tx.insert(&first_password(&user, hash, tx)?)?;
        }
        record(tx, Entry { after: Some(fields(&user)), ..asker.by().did(Action::UserCreated, object(&user)) })?;
        Ok((tag(&stored), view(tx, &user)?))
    })
    .await?;
    Ok((StatusCode::CREATED, tag.header(), Json(body)).into_response())
}

/// Change a user
///
/// Needs `If-Match`. Disabling a user ends their sessions; the last site administrator stays one.
#[utoipa::path(
    patch, path = "/api/v1/users/{user}", operation_id = "change_user", tag = "users", request_body = UserPatch,
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "The user as they are now", body = View))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<UserPatch>,
) -> Result<Response, Fault> {
    let user = id::<UserId>(&text, "user")?;
    let (tag, body) = write(&app, move |tx| {
        let before = tx.get::<User>(Site, user)?;
        asked.require(&tag(&before))?;
        let after = patched(before.value.clone(), &patch)?;
        keep_an_administrator(tx, &before.value, Some(&after))?;
        let stored = tx.update(&after, Some(before.version)).map_err(taken)?;
        if after.disabled {
            tx.delete_owned::<Session>(user, None)?;
        }
        for member in tx.owned::<Membership>(user, MANY)? {
            let workspace = member.value.workspace;
            tx.relabel::<Membership>(workspace, MembershipId(workspace, user), &memberships::label(&after))?;
        }
        let (old, new) = Fields::changed(&fields(&before.value), &fields(&after));
        let did = asker.by().did(Action::UserChanged, object(&after));
        record(tx, Entry { before: Some(old), after: Some(new), ..did })?;
        Ok((tag(&stored), view(tx, &after)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Delete a user
///
/// Their sessions, memberships and API tokens go with them; what the audit log says of them stays. The last site administrator stays.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}", operation_id = "delete_user", tag = "users",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let user = id::<UserId>(&text, "user")?;
    write(&app, move |tx| {
        let before = tx.get::<User>(Site, user)?;
        asked.check(&tag(&before))?;
        keep_an_administrator(tx, &before.value, None)?;
        tx.delete::<User>(Site, user, Some(before.version))?;
        let did = asker.by().did(Action::UserDeleted, object(&before.value));
        Ok(record(tx, Entry { before: Some(fields(&before.value)), ..did })?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sessions of a user
#[utoipa::path(
    get, path = "/api/v1/users/{user}/sessions", operation_id = "list_user_sessions", tag = "users",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "Newest first", body = AccountSessions))
)]
pub(super) async fn sessions(
    app: App,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<Json<AccountSessions>, Fault> {
    let (user, now) = (id::<UserId>(&text, "user")?, app.now());
    let items = ask(&app, move |tx| {
        tx.get::<User>(Site, user)?;
        let all = tx.owned::<Session>(user, session::MAX_PER_USER * 2)?;
        let live = all.into_iter().map(|s| s.value).filter(|s| session::holds(s, now));
        Ok(live.rev().map(session_view).collect())
    });
    Ok(Json(AccountSessions { items: items.await? }))
}

/// End all sessions of a user
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/sessions", operation_id = "end_user_sessions", tag = "users",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 204, description = "They have to sign in again"))
)]
pub(super) async fn end_sessions(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let user = id::<UserId>(&text, "user")?;
    write(&app, move |tx| {
        let known = tx.get::<User>(Site, user)?.value;
        let ended = tx.delete_owned::<Session>(user, None)?;
        let did = asker.by().did(Action::SessionRevoked, object(&known));
        Ok(record(tx, Entry { before: Some(Fields::new().with("sessions", ended)), ..did })?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one session of a user
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/sessions/{session}", operation_id = "end_user_session", tag = "users",
    params(("user" = String, Path, description = "Id of the user"), ("session" = String, Path, description = "Id of the session")),
    responses((status = 204, description = "It has ended"))
)]
pub(super) async fn end_session(
    app: App,
    asker: Asker,
    Path((user, session)): Path<(String, String)>,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (user, session) = (id::<UserId>(&user, "user")?, id::<SessionId>(&session, "session")?);
    write(&app, move |tx| {
        let known = tx.get::<Session>(Site, session)?.value;
        if known.user != user {
            return Err(not_found("session"));
        }
        tx.delete::<Session>(Site, session, None)?;
        let owner = tx.get::<User>(Site, user)?.value;
        Ok(record(tx, asker.by().did(Action::SessionRevoked, object(&owner)))?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn fresh(new: &UserCreate, id: UserId, app: &App) -> Result<User, Fault> {
    let shown = new.display_name.as_deref().map(str::trim).filter(|t| !t.is_empty()).unwrap_or(&new.name);
    let email = new.email.as_deref().map(str::trim).filter(|t| !t.is_empty());
    Ok(User {
        id,
        name: field("name", &new.name)?,
        display_name: field("display_name", shown)?,
        email: email.map(|text| field("email", text)).transpose()?,
        email_verified: false,
        site_administrator: new.site_administrator,
        disabled: false,
        created: app.now(),
        last_sign_in: None,
    })
}

fn patched(mut user: User, patch: &UserPatch) -> Result<User, Fault> {
    if let Some(name) = &patch.name {
        user.name = field("name", name)?;
    }
    if let Some(name) = &patch.display_name {
        user.display_name = field("display_name", name)?;
    }
    if let Some(text) = &patch.email {
        let email = Some(text.trim()).filter(|t| !t.is_empty()).map(|t| field("email", t)).transpose()?;
        user.email_verified &= user.email == email;
        user.email = email;
    }
    user.site_administrator = patch.site_administrator.unwrap_or(user.site_administrator);
    user.disabled = patch.disabled.unwrap_or(user.disabled);
    Ok(user)
}

fn hash(password: &str, words: &[String]) -> Result<SecretText, Fault> {
    let own: Vec<&str> = words.iter().map(String::as_str).collect();
    password::check_policy(password, &own).map_err(|weak| Fault::parameter("password", weak.to_string()))?;
    password::hash(password).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a password cannot be hashed");
        Fault::new(ProblemCode::Internal, "the password cannot be hashed; the log tells more")
    })
}

fn first_password(user: &User, hash: SecretText, tx: &Writing<'_>) -> Result<Credential, Fault> {
    let (id, name) = (CredentialId::new(tx.now(), random_bits()?), field("name", "Password")?);
    let kind = CredentialKind::Password { hash };
    Ok(Credential { id, user: user.id, name, kind, created: tx.now(), last_used: None })
}

/// Somebody must be left who may do everything.
fn keep_an_administrator(tx: &Reading<'_>, before: &User, after: Option<&User>) -> Result<(), Fault> {
    let counts = |user: &User| user.site_administrator && !user.disabled;
    if !counts(before) || after.is_some_and(counts) {
        return Ok(());
    }
    let all = ListQuery { order: Order::Oldest, limit: MANY, ..ListQuery::default() };
    let others = tx.list::<User>(Site, &all)?.items;
    if others.iter().any(|u| u.value.id != before.id && counts(&u.value)) {
        return Ok(());
    }
    Err(Fault::new(
        ProblemCode::Conflict,
        "they are the last site administrator who may sign in: make another one first",
    ))
}

fn taken(error: StoreError) -> Fault {
    let parameter = match &error {
        StoreError::Taken { key: keys::NAME, .. } => "name",
        StoreError::Taken { key: keys::EMAIL, .. } => "email",
        _ => return error.into(),
    };
    Problem::new(ProblemCode::Conflict, format!("another user has this {parameter}")).parameter(parameter).into()
}

fn tag(stored: &Stored<User>) -> ETag {
    ETag::of_version("user", stored.version)
}

fn view(tx: &Reading<'_>, user: &User) -> Result<View, Fault> {
    let credentials = match tx.owned::<Credential>(user.id, MANY) {
        Ok(all) => all.iter().map(|c| c.value.kind.word().to_owned()).collect(),
        // Their key is lost: everything else about the user is still there.
        Err(StoreError::Secret { .. }) => vec!["unreadable".to_owned()],
        Err(error) => return Err(error.into()),
    };
    Ok(View {
        id: user.id,
        name: user.name.to_string(),
        display_name: user.display_name.to_string(),
        email: user.email.as_ref().map(ToString::to_string),
        email_verified: user.email_verified,
        site_administrator: user.site_administrator,
        disabled: user.disabled,
        credentials,
        workspaces: tx.count_owned::<Membership>(user.id)?,
        created: user.created,
        last_sign_in: user.last_sign_in,
    })
}

fn session_view(session: Session) -> AccountSession {
    AccountSession {
        id: session.id,
        method: session.method.to_string(),
        created: session.created,
        used: session.used,
        expires: session::expires(&session),
        address: session.address,
        browser: session.browser,
        current: false,
    }
}

fn object(user: &User) -> ObjectRef {
    ObjectRef::new(ObjectKind::User, user.id, user.name.as_str())
}

fn fields(user: &User) -> Fields {
    let email = user.email.as_ref().map(ToString::to_string).unwrap_or_default();
    Fields::new()
        .with("name", &user.name)
        .with("display_name", &user.display_name)
        .with("email", email)
        .with("email_verified", user.email_verified)
        .with("site_administrator", user.site_administrator)
        .with("disabled", user.disabled)
}
