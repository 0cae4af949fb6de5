//! `/api/v1/views`: saved views of the workspace of the request.
//!
//! Everybody keeps views for themselves; what all members see is made and changed with `views.write` alone. A view that is not shared
//! is as unknown to all others as one that does not exist. Of those that are shared no two have the same name on a page, so that files can
//! name them (`declare`); what people keep for themselves stands in no file.
//!
//! Limits: 200 views of a user, 2000 of a workspace.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::page::Page;
use netwatch_api::view::{View as Shown, ViewCreate, ViewPatch, ViewsQuery};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::{ListQuery, Order, Reading, Site, Slice, StoreError, Stored, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::random_bits;
use netwatch_model::people::{
    Action, Fields, ObjectKind, ObjectRef, Permission, User, UserId, View, ViewId, ViewPage, WorkspaceId,
};

use super::asker::{Asker, ask, change as write, field, id, not_found};
use super::declare::owned;
use super::lists::{List, Wanted};
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// The word under which shared views stand in files.
pub(super) const DECLARED: &str = "views";

/// The saved views
///
/// Your own and those that are shared.
#[utoipa::path(
    get, path = "/api/v1/views", operation_id = "list_views", tag = "views", params(ViewsQuery),
    responses((status = 200, description = "A page of views, by name", body = Page<Shown>))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<ViewsQuery>,
) -> Result<Json<Page<Shown>>, Fault> {
    let workspace = asker.workspace()?;
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("views", &(workspace, asker.user().map(|user| user.to_string())), &wanted)?;
    let page = ask(&app, move |tx| {
        let slice = slice(tx, workspace, &list.query, &asker)?;
        list.page(slice, |stored| shown(tx, &stored))
    });
    Ok(Json(page.await?))
}

/// One view
#[utoipa::path(
    get, path = "/api/v1/views/{view}", operation_id = "get_view", tag = "views",
    params(("view" = String, Path, description = "Id of the view")),
    responses((status = 200, description = "The view", body = Shown))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<ViewId>(&text, "view")?);
    let (tag, body) = ask(&app, move |tx| {
        let stored = visible(tx, workspace, id, &asker)?;
        Ok((tag(&stored), shown(tx, &stored)?))
    })
    .await?;
    Ok(tag.tagged(&asked, &body))
}

/// Save a view
#[utoipa::path(
    post, path = "/api/v1/views", operation_id = "create_view", tag = "views", request_body = ViewCreate,
    responses((status = 201, description = "The view", body = Shown),
              (status = 409, description = "The name is taken, a file owns it, or there are as many views as there may be"))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<ViewCreate>) -> Result<Response, Fault> {
    let (workspace, owner) = (asker.workspace()?, owner(&asker)?);
    may_share(new.shared, &asker)?;
    let view = View {
        id: ViewId::new(app.now(), random_bits()?),
        workspace,
        owner: Some(owner),
        name: field("name", &new.name)?,
        page: field("page", &new.page)?,
        query: field("query", &new.query)?,
        shared: new.shared,
        created: app.now(),
    };
    let (tag, body) = write(&app, move |tx| {
        refuse_owned(tx, &view)?;
        let stored = make(tx, &asker, &view)?;
        Ok((tag(&stored), shown(tx, &stored)?))
    })
    .await?;
    Ok((StatusCode::CREATED, tag.header(), Json(body)).into_response())
}

/// Change a view
///
/// Needs `If-Match`.
#[utoipa::path(
    patch, path = "/api/v1/views/{view}", operation_id = "change_view", tag = "views", request_body = ViewPatch,
    params(("view" = String, Path, description = "Id of the view")),
    responses((status = 200, description = "The view as it is now", body = Shown))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<ViewPatch>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<ViewId>(&text, "view")?);
    let name = patch.name.as_deref().map(|text| field("name", text)).transpose()?;
    let query = patch.query.as_deref().map(|text| field("query", text)).transpose()?;
    let (tag, body) = write(&app, move |tx| {
        let before = visible(tx, workspace, id, &asker)?;
        asked.require(&tag(&before))?;
        let mut after = before.value.clone();
        after.name = name.unwrap_or(after.name);
        after.query = query.unwrap_or(after.query);
        after.shared = patch.shared.unwrap_or(after.shared);
        let is_taken_back = is_own(&before.value, &asker) && !after.shared;
        may_share(after.shared || (before.value.shared && !is_taken_back), &asker)?;
        refuse_owned(tx, &before.value)?;
        refuse_owned(tx, &after)?;
        let stored = alter(tx, &asker, &before, &after)?;
        Ok((tag(&stored), shown(tx, &stored)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Delete a view
#[utoipa::path(
    delete, path = "/api/v1/views/{view}", operation_id = "delete_view", tag = "views",
    params(("view" = String, Path, description = "Id of the view")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<ViewId>(&text, "view")?);
    write(&app, move |tx| {
        let before = visible(tx, workspace, id, &asker)?;
        asked.check(&tag(&before))?;
        may_share(!is_own(&before.value, &asker), &asker)?;
        refuse_owned(tx, &before.value)?;
        drop_it(tx, &asker, &before)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All views that all members see, the oldest first.
pub(super) fn shared(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<Stored<View>>, StoreError> {
    let limit = usize::try_from(View::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let query = ListQuery { order: Order::Oldest, limit, ..ListQuery::default() };
    let mut views = tx.list::<View>(workspace, &query)?.items;
    views.retain(|view| view.value.shared);
    Ok(views)
}

/// What a shared view is called in files.
pub(super) fn declared_name(page: ViewPage, name: &str) -> String {
    format!("{page}/{name}")
}

/// Saves a view, with its audit record.
pub(super) fn make(tx: &Writing<'_>, asker: &Asker, view: &View) -> Result<Stored<View>, Fault> {
    refuse_full(tx, view)?;
    let stored = tx.insert(view).map_err(taken)?;
    let did = asker.by().did(Action::ViewChanged, object(view));
    record(tx, Entry { workspace: Some(view.workspace), after: Some(fields(view)), ..did })?;
    Ok(stored)
}

/// Changes a view, with its audit record.
pub(super) fn alter(
    tx: &Writing<'_>,
    asker: &Asker,
    before: &Stored<View>,
    after: &View,
) -> Result<Stored<View>, Fault> {
    let stored = tx.update(after, Some(before.version)).map_err(taken)?;
    let (old, new) = Fields::changed(&fields(&before.value), &fields(after));
    let did = asker.by().did(Action::ViewChanged, object(after));
    record(tx, Entry { workspace: Some(after.workspace), before: Some(old), after: Some(new), ..did })?;
    Ok(stored)
}

/// Removes a view, with its audit record.
pub(super) fn drop_it(tx: &Writing<'_>, asker: &Asker, before: &Stored<View>) -> Result<(), Fault> {
    let view = &before.value;
    tx.delete::<View>(view.workspace, view.id, Some(before.version))?;
    let did = asker.by().did(Action::ViewChanged, object(view));
    Ok(record(tx, Entry { workspace: Some(view.workspace), before: Some(fields(view)), ..did })?)
}

/// Removes what a user who leaves has kept for themselves; what they shared stays.
pub(super) fn forget_own(tx: &Writing<'_>, workspace: WorkspaceId, user: UserId) -> Result<(), StoreError> {
    let limit = usize::try_from(View::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let own = ListQuery { owner: Some(user.into()), limit, ..ListQuery::default() };
    for view in tx.list::<View>(workspace, &own)?.items.iter().filter(|v| !v.value.shared) {
        tx.delete::<View>(workspace, view.value.id, None)?;
    }
    Ok(())
}

/// The part of the list that the asker sees. Each step asks for as many as are missing, so that the mark of the last is that of the page.
fn slice(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    query: &ListQuery,
    asker: &Asker,
) -> Result<Slice<Stored<View>>, StoreError> {
    let mut found = Slice { items: Vec::new(), next: query.after.clone() };
    loop {
        let step = ListQuery { after: found.next.take(), limit: query.limit - found.items.len(), ..query.clone() };
        let some = tx.list::<View>(workspace, &step)?;
        found.next = some.next;
        found.items.extend(some.items.into_iter().filter(|view| is_visible(&view.value, asker)));
        if found.next.is_none() || found.items.len() >= query.limit {
            return Ok(found);
        }
    }
}

/// A view that the asker may see.
fn visible(tx: &Reading<'_>, workspace: WorkspaceId, id: ViewId, asker: &Asker) -> Result<Stored<View>, Fault> {
    let stored = tx.get::<View>(workspace, id)?;
    if is_visible(&stored.value, asker) { Ok(stored) } else { Err(not_found("view")) }
}

fn is_visible(view: &View, asker: &Asker) -> bool {
    view.shared || is_own(view, asker)
}

fn is_own(view: &View, asker: &Asker) -> bool {
    view.owner.is_some() && asker.user() == view.owner
}

/// The user who asks, or for whom a program does.
fn owner(asker: &Asker) -> Result<UserId, Fault> {
    asker.user().ok_or_else(|| {
        Fault::new(ProblemCode::Forbidden, "a view belongs to a user: sign in as one, or send an API token")
    })
}

/// Whoever touches what all members see needs the permission for it.
fn may_share(touches: bool, asker: &Asker) -> Result<(), Fault> {
    if !touches || asker.has(Permission::ViewsWrite) {
        return Ok(());
    }
    let detail = "what all members see is changed with the permission `views.write`: save a view of your own instead";
    Err(Fault::new(ProblemCode::Forbidden, detail))
}

/// Refuses what a file owns.
fn refuse_owned(tx: &Reading<'_>, view: &View) -> Result<(), Fault> {
    if view.shared { owned::refuse(tx, view.workspace, DECLARED, &name_of(view)) } else { Ok(()) }
}

fn name_of(view: &View) -> String {
    declared_name(view.page, view.name.as_str())
}

fn taken(error: StoreError) -> Fault {
    match error {
        StoreError::Taken { .. } => {
            let detail = "another view that all members see on this page has that name: choose another name";
            Problem::new(ProblemCode::Conflict, detail).parameter("name").into()
        }
        other => other.into(),
    }
}

fn refuse_full(tx: &Reading<'_>, view: &View) -> Result<(), Fault> {
    let own = view.owner.map(|owner| tx.count_owned::<View>(owner)).transpose()?.unwrap_or_default();
    let all = tx.count::<View>(view.workspace)?;
    let detail = if own >= View::MAX_PER_USER {
        format!("you have {own} views, and nobody may have more: delete some")
    } else if all >= View::MAX_PER_WORKSPACE {
        format!("the workspace has {all} views, and none may have more: delete some")
    } else {
        return Ok(());
    };
    Err(Fault::new(ProblemCode::LimitReached, detail))
}

fn tag(stored: &Stored<View>) -> ETag {
    ETag::of_version("view", stored.version)
}

fn shown(tx: &Reading<'_>, stored: &Stored<View>) -> Result<Shown, Fault> {
    let view = &stored.value;
    let owner = view.owner.map(|owner| tx.get::<User>(Site, owner)).transpose()?;
    let managed_by = if view.shared { owned::by(tx, view.workspace, DECLARED, &name_of(view))? } else { None };
    Ok(Shown {
        id: view.id,
        name: view.name.to_string(),
        page: view.page,
        query: view.query.to_string(),
        shared: view.shared,
        owner: view.owner,
        owner_name: owner.map(|owner| owner.value.name.to_string()),
        revision: stored.version,
        created: view.created,
        managed_by,
    })
}

fn object(view: &View) -> ObjectRef {
    ObjectRef::new(ObjectKind::View, view.id, view.name.as_str())
}

fn fields(view: &View) -> Fields {
    Fields::new()
        .with("name", &view.name)
        .with("page", view.page)
        .with("query", &view.query)
        .with("shared", view.shared)
}
