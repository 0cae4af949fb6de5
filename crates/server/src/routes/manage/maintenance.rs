//! `/api/v1/maintenance`: when which probes are not held to anything.
//!
//! Whoever may change probes may say when they are in maintenance. Probes go on measuring; lists mark them, uptime counts the time apart.
//!
//! Limits: [`Maintenance::MAX_PER_WORKSPACE`] windows of a workspace.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::maintenance::{
    Maintenance as Shown, MaintenanceCreate, MaintenancePatch, MaintenanceWindow, MaintenancesQuery,
};
use netwatch_api::page::Page;
use netwatch_entities::{ListQuery, Reading, StoreError, Stored, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::random_bits;
use netwatch_model::Timestamp;
use netwatch_model::people::{Action, Fields, MaintenanceId, ObjectKind, ObjectRef, WorkspaceId};
use netwatch_model::probe::{Maintenance, MaintenanceError, Probe, Schedule, Selection};

use super::asker::{Asker, ask, change as write, field, id};
use super::declare::owned;
use super::lists::{List, Wanted};
use crate::access::record;
use crate::app::{App, to_json};
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// The word under which windows stand in files.
pub(super) const DECLARED: &str = "maintenance";

/// The windows of maintenance
#[utoipa::path(
    get, path = "/api/v1/maintenance", operation_id = "list_maintenance", tag = "probes", params(MaintenancesQuery),
    responses((status = 200, description = "A page of windows, by name", body = Page<Shown>))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<MaintenancesQuery>,
) -> Result<Json<Page<Shown>>, Fault> {
    let (workspace, now) = (asker.workspace()?, app.now());
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("maintenance", &workspace, &wanted)?;
    let page = ask(&app, move |tx| {
        let slice = tx.list::<Maintenance>(workspace, &list.query)?;
        let probes = all_probes(tx, workspace)?;
        list.page(slice, |stored| shown(tx, &stored, &probes, now))
    });
    Ok(Json(page.await?))
}

/// One window of maintenance
#[utoipa::path(
    get, path = "/api/v1/maintenance/{maintenance}", operation_id = "get_maintenance", tag = "probes",
    params(("maintenance" = String, Path, description = "Id of the window")),
    responses((status = 200, description = "The window", body = Shown))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let (workspace, id, now) = (asker.workspace()?, id::<MaintenanceId>(&text, DECLARED)?, app.now());
    let (tag, body) = ask(&app, move |tx| {
        let stored = tx.get::<Maintenance>(workspace, id)?;
        Ok((tag(&stored), shown(tx, &stored, &all_probes(tx, workspace)?, now)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Add a window of maintenance
#[utoipa::path(
    post, path = "/api/v1/maintenance", operation_id = "create_maintenance", tag = "probes",
    request_body = MaintenanceCreate,
    responses((status = 201, description = "The window", body = Shown),
              (status = 409, description = "The name is taken, or there are as many as there may be"))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<MaintenanceCreate>) -> Result<Response, Fault> {
    let (workspace, now) = (asker.workspace()?, app.now());
    let window = Maintenance {
        id: MaintenanceId::new(now, random_bits()?),
        workspace,
        name: field("name", &new.name)?,
        selection: new.selection,
        schedule: new.schedule,
        created: now,
    };
    check(&window.selection, &window.schedule)?;
    let (tag, body) = write(&app, move |tx| {
        let stored = make(tx, &asker, &window)?;
        Ok((tag(&stored), shown(tx, &stored, &all_probes(tx, workspace)?, now)?))
    })
    .await?;
    Ok((StatusCode::CREATED, tag.header(), Json(body)).into_response())
}

/// Change a window of maintenance
///
/// Needs `If-Match`.
#[utoipa::path(
    patch, path = "/api/v1/maintenance/{maintenance}", operation_id = "change_maintenance", tag = "probes",
    request_body = MaintenancePatch,
    params(("maintenance" = String, Path, description = "Id of the window")),
    responses((status = 200, description = "The window as it is now", body = Shown))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<MaintenancePatch>,
) -> Result<Response, Fault> {
    let (workspace, id, now) = (asker.workspace()?, id::<MaintenanceId>(&text, DECLARED)?, app.now());
    let name = patch.name.as_deref().map(|text| field("name", text)).transpose()?;
    let (tag, body) = write(&app, move |tx| {
        let before = tx.get::<Maintenance>(workspace, id)?;
        asked.require(&tag(&before))?;
        owned::refuse(tx, workspace, DECLARED, before.value.name.as_str())?;
        let mut after = before.value.clone();
        after.name = name.unwrap_or(after.name);
        after.selection = patch.selection.unwrap_or(after.selection);
        after.schedule = patch.schedule.unwrap_or(after.schedule);
        check(&after.selection, &after.schedule)?;
        let stored = alter(tx, &asker, &before, &after)?;
        Ok((tag(&stored), shown(tx, &stored, &all_probes(tx, workspace)?, now)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Delete a window of maintenance
///
/// What was maintenance by it is none any more, in the past too: end it instead to keep that.
#[utoipa::path(
    delete, path = "/api/v1/maintenance/{maintenance}", operation_id = "delete_maintenance", tag = "probes",
    params(("maintenance" = String, Path, description = "Id of the window")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<MaintenanceId>(&text, DECLARED)?);
    write(&app, move |tx| {
        let before = tx.get::<Maintenance>(workspace, id)?;
        asked.check(&tag(&before))?;
        owned::refuse(tx, workspace, DECLARED, before.value.name.as_str())?;
        drop_it(tx, &asker, &before)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All windows of a workspace.
pub(in crate::routes) fn all(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<Stored<Maintenance>>, StoreError> {
    let limit = usize::try_from(Maintenance::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    Ok(tx.list::<Maintenance>(workspace, &ListQuery { limit, ..ListQuery::default() })?.items)
}

/// Which probes the windows that are now choose.
pub(in crate::routes) fn active(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    now: Timestamp,
) -> Result<Vec<Selection>, StoreError> {
    let windows = all(tx, workspace)?.into_iter().map(|stored| stored.value);
    Ok(windows.filter(|window| is_active(window, now)).map(|window| window.selection).collect())
}

/// Refuses what cannot be, with the field.
pub(super) fn check(selection: &Selection, schedule: &Schedule) -> Result<(), Fault> {
    let fault = |error: MaintenanceError| Fault::parameter(error.field(), error.to_string());
    selection.check().and_then(|()| schedule.check()).map_err(fault)
}

/// Makes a window, with its audit record.
pub(super) fn make(tx: &Writing<'_>, asker: &Asker, window: &Maintenance) -> Result<Stored<Maintenance>, Fault> {
    let has = tx.count::<Maintenance>(window.workspace)?;
    if has >= Maintenance::MAX_PER_WORKSPACE {
        let detail = format!("the workspace has {has} windows of maintenance, and may have no more: delete some");
        return Err(Fault::new(ProblemCode::LimitReached, detail));
    }
    let stored = tx.insert(window)?;
    let did = asker.by().did(Action::MaintenanceChanged, object(window));
    record(tx, Entry { workspace: Some(window.workspace), after: Some(fields(window)?), ..did })?;
    Ok(stored)
}

/// Changes a window, with its audit record.
pub(super) fn alter(
    tx: &Writing<'_>,
    asker: &Asker,
    before: &Stored<Maintenance>,
    after: &Maintenance,
) -> Result<Stored<Maintenance>, Fault> {
    let stored = tx.update(after, Some(before.version))?;
    let (old, new) = Fields::changed(&fields(&before.value)?, &fields(after)?);
    let did = asker.by().did(Action::MaintenanceChanged, object(after));
    record(tx, Entry { workspace: Some(after.workspace), before: Some(old), after: Some(new), ..did })?;
    Ok(stored)
}

/// Removes a window, with its audit record.
pub(super) fn drop_it(tx: &Writing<'_>, asker: &Asker, before: &Stored<Maintenance>) -> Result<(), Fault> {
    let window = &before.value;
    tx.delete::<Maintenance>(window.workspace, window.id, Some(before.version))?;
    let did = asker.by().did(Action::MaintenanceChanged, object(window));
    Ok(record(tx, Entry { workspace: Some(window.workspace), before: Some(fields(window)?), ..did })?)
}

/// All probes of a workspace.
pub(in crate::routes) fn all_probes(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<Probe>, StoreError> {
    let limit = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let probes = tx.list::<Probe>(workspace, &ListQuery { limit, ..ListQuery::default() })?.items;
    Ok(probes.into_iter().map(|stored| stored.value).collect())
}

fn is_active(window: &Maintenance, now: Timestamp) -> bool {
    window.schedule.next(now).is_some_and(|(start, end)| start <= now && now < end)
}

fn tag(stored: &Stored<Maintenance>) -> ETag {
    ETag::of_version("maintenance", stored.version)
}

fn shown(tx: &Reading<'_>, stored: &Stored<Maintenance>, probes: &[Probe], now: Timestamp) -> Result<Shown, Fault> {
    let window = &stored.value;
    let next = window.schedule.next(now);
    Ok(Shown {
        id: window.id,
        name: window.name.to_string(),
        selection: window.selection.clone(),
        schedule: window.schedule.clone(),
        probes: probes.iter().filter(|probe| window.selection.has(probe)).count() as u64,
        active: is_active(window, now),
        next: next.map(|(start, end)| MaintenanceWindow { start, end }),
        revision: stored.version,
        created: window.created,
        managed_by: owned::by(tx, window.workspace, DECLARED, window.name.as_str())?,
    })
}

fn object(window: &Maintenance) -> ObjectRef {
    ObjectRef::new(ObjectKind::Maintenance, window.id, window.name.as_str())
}

/// For the audit log: what it chooses and when, as the API writes them.
fn fields(window: &Maintenance) -> Result<Fields, Fault> {
    let text = |json: Vec<u8>| String::from_utf8_lossy(&json).into_owned();
    Ok(Fields::new()
        .with("name", &window.name)
        .with("selection", text(to_json(&window.selection)?))
        .with("schedule", text(to_json(&window.schedule)?)))
}
