//! `/api/v1/workspace` (that of the request) and `/api/v1/workspaces` (all, for site administrators).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::page::Page;
use netwatch_api::workspace::{
    Workspace, WorkspaceCreate, WorkspaceLimits, WorkspacePatch, WorkspaceUsage, WorkspacesQuery,
};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::{Reading, Site, Stored, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::random_bits;
use netwatch_model::people::{
    self, Action, ApiToken, BuiltInRole, CustomRole, Fields, Invitation, Limits, Membership, ObjectKind, ObjectRef,
    Permission, Role, User, WorkspaceId,
};

use super::asker::{Asker, ask, change as write, field, id};
use super::lists::{List, Wanted};
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// Workspaces in which one user may be a member before they make no more.
const MAX_PER_USER: u64 = 50;

/// The workspace of the request
#[utoipa::path(
    get, path = "/api/v1/workspace", operation_id = "get_workspace", tag = "workspaces",
    responses((status = 200, description = "Name, limits and use", body = Workspace))
)]
pub(super) async fn current(
    app: App,
    asker: Asker,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    show(&app, asker.workspace()?, asked).await
}

/// Rename the workspace
///
/// Needs `If-Match`. Limits are set by site administrators alone.
#[utoipa::path(
    patch, path = "/api/v1/workspace", operation_id = "change_workspace", tag = "workspaces", request_body = WorkspacePatch,
    responses((status = 200, description = "The workspace as it is now", body = Workspace),
              (status = 412, description = "Changed meanwhile"))
)]
pub(super) async fn change_current(
    app: App,
    asker: Asker,
    asked: Preconditions,
    Body(patch): Body<WorkspacePatch>,
) -> Result<Response, Fault> {
    let id = asker.workspace()?;
    put(&app, asker, id, asked, patch).await
}

/// Delete the workspace and everything in it
///
/// Members, roles, tokens and invitations go with it. The first workspace cannot be deleted: what this machine observes belongs to it.
#[utoipa::path(
    delete, path = "/api/v1/workspace", operation_id = "delete_workspace", tag = "workspaces",
    responses((status = 204, description = "Deleted"), (status = 409, description = "It is the first workspace"))
)]
pub(super) async fn delete_current(
    app: App,
    asker: Asker,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let id = asker.workspace()?;
    drop_it(&app, asker, id, asked).await
}

/// All workspaces
#[utoipa::path(
    get, path = "/api/v1/workspaces", operation_id = "list_workspaces", tag = "workspaces", params(WorkspacesQuery),
    responses((status = 200, description = "A page of workspaces, by name", body = Page<Workspace>))
)]
pub(super) async fn list(app: App, Params(query): Params<WorkspacesQuery>) -> Result<Json<Page<Workspace>>, Fault> {
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("workspaces", &"site", &wanted)?;
    let page = ask(&app, move |tx| {
        let slice = tx.list::<people::Workspace>(Site, &list.query)?;
        list.page(slice, |stored| view(tx, &stored))
    });
    Ok(Json(page.await?))
}

/// Make a workspace
///
/// Whoever makes it becomes its owner. Who has an address that is not verified makes none.
#[utoipa::path(
    post, path = "/api/v1/workspaces", operation_id = "create_workspace", tag = "workspaces", request_body = WorkspaceCreate,
    responses((status = 201, description = "The new workspace", body = Workspace))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<WorkspaceCreate>) -> Result<Response, Fault> {
    if new.limits.is_some() && !asker.has(Permission::SiteWorkspaces) {
        return Err(limits_refused());
    }
    let user = if asker.has(Permission::SiteWorkspaces) { asker.user() } else { Some(asker.person()?) };
    let rules = app.access().registration();
    let id = WorkspaceId::new(app.now(), random_bits()?);
    let (name, limits) = (field("name", &new.name)?, new.limits.map(limits_of).unwrap_or_default());
    let made = write(&app, move |tx| {
        let workspace = people::Workspace { id, name, limits, created: tx.now() };
        let stored = tx.insert(&workspace)?;
        let object = ObjectRef::new(ObjectKind::Workspace, id, workspace.name.as_str());
        let entry = Entry {
            workspace: Some(id),
            after: Some(fields(&workspace)),
            ..asker.by().did(Action::WorkspaceCreated, object)
        };
        record(tx, entry)?;
        if let Some(user) = user {
            let user = tx.get::<User>(Site, user)?.value;
            if !rules.trusts(&user) {
                return Err(Fault::new(ProblemCode::Forbidden, "verify your e-mail address first"));
            }
            if !user.site_administrator && tx.count_owned::<Membership>(user.id)? >= MAX_PER_USER {
                return Err(Fault::new(
                    ProblemCode::LimitReached,
                    format!("you are in {MAX_PER_USER} workspaces already"),
                ));
            }
            super::memberships::join(tx, id, &user, Role::BuiltIn(BuiltInRole::Owner), asker.by())?;
        }
        view(tx, &stored).map(|body| (tag(&stored), body))
    });
    let (tag, body) = made.await?;
    storage_changed(&app).await?;
    Ok((StatusCode::CREATED, tag.header(), Json(body)).into_response())
}

/// One workspace
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}", operation_id = "get_any_workspace", tag = "workspaces",
    params(("workspace" = String, Path, description = "Id of the workspace")),
    responses((status = 200, description = "Name, limits and use", body = Workspace))
)]
pub(super) async fn one(
    app: App,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    show(&app, id(&text, "workspace")?, asked).await
}

/// Rename a workspace, set its limits
///
/// Needs `If-Match`.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{workspace}", operation_id = "change_any_workspace", tag = "workspaces",
    params(("workspace" = String, Path, description = "Id of the workspace")), request_body = WorkspacePatch,
    responses((status = 200, description = "The workspace as it is now", body = Workspace))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<WorkspacePatch>,
) -> Result<Response, Fault> {
    put(&app, asker, id(&text, "workspace")?, asked, patch).await
}

/// Delete any workspace and everything in it
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}", operation_id = "delete_any_workspace", tag = "workspaces",
    params(("workspace" = String, Path, description = "Id of the workspace")),
    responses((status = 204, description = "Deleted"), (status = 409, description = "It is the first workspace"))
)]
pub(super) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    drop_it(&app, asker, id(&text, "workspace")?, asked).await
}

async fn show(app: &App, id: WorkspaceId, asked: Preconditions) -> Result<Response, Fault> {
    let (tag, body) = ask(app, move |tx| {
        let stored = tx.get::<people::Workspace>(Site, id)?;
        Ok((tag(&stored), view(tx, &stored)?))
    })
    .await?;
    Ok(tag.tagged(&asked, &body))
}

async fn put(
    app: &App,
    asker: Asker,
    id: WorkspaceId,
    asked: Preconditions,
    patch: WorkspacePatch,
) -> Result<Response, Fault> {
    if patch.limits.is_some() && !asker.has(Permission::SiteWorkspaces) {
        return Err(limits_refused());
    }
    let name = patch.name.as_deref().map(|text| field("name", text)).transpose()?;
    let done = write(app, move |tx| {
        let before = tx.get::<people::Workspace>(Site, id)?;
        asked.require(&tag(&before))?;
        let mut after = before.value.clone();
        after.name = name.unwrap_or(after.name);
        after.limits = patch.limits.map_or(after.limits, limits_of);
        let (old, new) = Fields::changed(&fields(&before.value), &fields(&after));
        let stored = tx.update(&after, Some(before.version))?;
        let object = ObjectRef::new(ObjectKind::Workspace, id, after.name.as_str());
        let did = asker.by().did(Action::WorkspaceChanged, object);
        record(tx, Entry { workspace: Some(id), before: Some(old), after: Some(new), ..did })?;
        view(tx, &stored).map(|body| (tag(&stored), body))
    });
    let (tag, body) = done.await?;
    storage_changed(app).await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// The store learns of another limit of bytes.
async fn storage_changed(app: &App) -> Result<(), Fault> {
    let with = app.clone();
    app.blocking(move || with.apply_storage_limits()).await
}

async fn drop_it(app: &App, asker: Asker, id: WorkspaceId, asked: Preconditions) -> Result<StatusCode, Fault> {
    if id == app.access().home() {
        let detail = "the first workspace cannot be deleted: what this machine observes belongs to it";
        return Err(Fault::new(ProblemCode::Conflict, detail));
    }
    write(app, move |tx| {
        let before = tx.get::<people::Workspace>(Site, id)?;
        asked.check(&tag(&before))?;
        tx.delete::<people::Workspace>(Site, id, Some(before.version))?;
        let object = ObjectRef::new(ObjectKind::Workspace, id, before.value.name.as_str());
        let did = asker.by().did(Action::WorkspaceDeleted, object);
        Ok(record(tx, Entry { workspace: Some(id), before: Some(fields(&before.value)), ..did })?)
    })
    .await?;
    // Its agents stop, and its probes with them.
    let with = app.clone();
    app.blocking(move || with.agents_changed()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses when a workspace has as many as it may have.
pub(super) fn check_limit(most: Option<u32>, has: u64, what: &str) -> Result<(), Fault> {
    match most {
        Some(most) if has >= u64::from(most) => {
            let detail =
                format!("the workspace has {has} {what}, and may have {most}: remove some, or have the limit raised");
            Err(Fault::new(ProblemCode::LimitReached, detail))
        }
        _ => Ok(()),
    }
}

/// The limits of a workspace.
pub(super) fn limits(tx: &Writing<'_>, id: WorkspaceId) -> Result<Limits, Fault> {
    Ok(tx.get::<people::Workspace>(Site, id)?.value.limits)
}

fn tag(stored: &Stored<people::Workspace>) -> ETag {
    ETag::of_version("workspace", stored.version)
}

fn view(tx: &Reading<'_>, stored: &Stored<people::Workspace>) -> Result<Workspace, Fault> {
    let id = stored.value.id;
    let Limits { members, agents, probes, tokens, storage_bytes } = stored.value.limits;
    let usage = WorkspaceUsage {
        members: tx.count::<Membership>(id)?,
        invitations: tx.count::<Invitation>(id)?,
        tokens: tx.count::<ApiToken>(id)?,
        roles: tx.count::<CustomRole>(id)?,
    };
    Ok(Workspace {
        id,
        name: stored.value.name.to_string(),
        limits: WorkspaceLimits { members, agents, probes, tokens, storage_bytes },
        usage,
        created: stored.created,
        updated: stored.updated,
    })
}

fn limits_of(limits: WorkspaceLimits) -> Limits {
    let WorkspaceLimits { members, agents, probes, tokens, storage_bytes } = limits;
    Limits { members, agents, probes, tokens, storage_bytes }
}

fn limits_refused() -> Fault {
    Problem::new(ProblemCode::Forbidden, "limits are set by site administrators").parameter("limits").into()
}

fn fields(workspace: &people::Workspace) -> Fields {
    let limit = |n: Option<u64>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
    let Limits { members, agents, probes, tokens, storage_bytes } = workspace.limits;
    Fields::new()
        .with("name", &workspace.name)
        .with("limits.members", limit(members.map(u64::from)))
        .with("limits.agents", limit(agents.map(u64::from)))
        .with("limits.probes", limit(probes.map(u64::from)))
        .with("limits.tokens", limit(tokens.map(u64::from)))
        .with("limits.storage_bytes", limit(storage_bytes))
}
