//! `/api/v1/probes`: what the workspace measures.
//!
//! Secret options are never shown: a change that leaves them out keeps them. After every change the agent gets its assignment anew.
//!
//! Limits: [`Probe::MAX_PER_WORKSPACE`] probes, or as many as the workspace may have.

mod draft;
mod of_agent;
mod select;
pub(in crate::routes) mod shown;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::page::Page;
use netwatch_api::probe::{Probe as Shown, ProbeCreate, ProbePatch, ProbesQuery};
use netwatch_entities::{Reading, Site, Stored, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::random_bits;
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef, ProbeId, Workspace, WorkspaceId};
use netwatch_model::probe::{Probe, Selection};

use super::asker::{Asker, ask, change as write, field, id};
use super::declare::owned;
use super::lists::{List, Wanted};
use super::maintenance;
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{self, Body, Params};
use crate::probes::networks;
use crate::routes::NoParams;

pub(super) use draft::{agents, labels, with_secrets};
pub(in crate::routes) use draft::{run_of, spec_of};
pub(in crate::routes) use select::Filter;

/// Most agents that must agree.
const MAX_QUORUM: u32 = 1000;
/// The word under which probes stand in files.
pub(super) const DECLARED: &str = "probes";

/// The probes
///
/// Each with how it stands at the agents that run it.
#[utoipa::path(
    get, path = "/api/v1/probes", operation_id = "list_probes", tag = "probes", params(ProbesQuery),
    responses((status = 200, description = "A page of probes, by name", body = Page<Shown>))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<ProbesQuery>,
) -> Result<Json<Page<Shown>>, Fault> {
    let workspace = asker.workspace()?;
    if let Some(agent) = query.agent.as_deref() {
        return of_agent::list(&app, &asker, &query, crate::routes::probes::agent(agent)?).await.map(Json);
    }
    let with = app.clone();
    if select::is_plain(&query) {
        let search = query.search.as_deref();
        let wanted = Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search, owner: None };
        let list = List::new("probes", &workspace, &wanted)?;
        let page = ask(&app, move |tx| {
            let slice = tx.list::<Probe>(workspace, &list.query)?;
            let windows = maintenance::active(tx, workspace, with.now())?;
            list.page(slice, |stored| row(tx, &stored, &with, &windows))
        });
        return Ok(Json(page.await?));
    }
    let chosen = select::Chosen::new(workspace, &query)?;
    let page = ask(&app, move |tx| {
        let windows = maintenance::active(tx, workspace, with.now())?;
        chosen.page(tx, with.store().probes(), &windows, |stored| row(tx, stored, &with, &windows))
    });
    Ok(Json(page.await?))
}

/// One probe
#[utoipa::path(
    get, path = "/api/v1/probes/{probe}", operation_id = "get_probe", tag = "probes",
    params(("probe" = String, Path, description = "Id of the probe")),
    responses((status = 200, description = "The probe", body = Shown))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<ProbeId>(&text, "probe")?);
    let with = app.clone();
    let (tag, body) = ask(&app, move |tx| {
        let stored = tx.get::<Probe>(workspace, id)?;
        Ok((tag(&stored), shown(tx, &stored, &with)?))
    })
    .await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Add a probe
///
/// One that names an address which the workspace does not measure is refused.
#[utoipa::path(
    post, path = "/api/v1/probes", operation_id = "create_probe", tag = "probes", request_body = ProbeCreate,
    responses((status = 201, description = "The probe", body = Shown),
              (status = 409, description = "The name is taken, or there are as many probes as there may be"))
)]
pub(super) async fn create(app: App, asker: Asker, Body(new): Body<ProbeCreate>) -> Result<Response, Fault> {
    let workspace = asker.workspace()?;
    let probe = Probe {
        id: ProbeId::new(app.now(), random_bits()?),
        workspace,
        name: field("name", &new.name)?,
        spec: spec_of(&new.spec)?,
        agents: draft::agents(new.agents)?,
        enabled: new.enabled.unwrap_or(true),
        objective: objective(new.objective)?,
        quorum: quorum(new.quorum)?,
        created: app.now(),
    };
    let with = app.clone();
    let (tag, body) = write(&app, move |tx| {
        let stored = make(tx, &asker, &probe)?;
        Ok((tag(&stored), shown(tx, &stored, &with)?))
    })
    .await?;
    tell(&app).await?;
    Ok((StatusCode::CREATED, tag.header(), Json(body)).into_response())
}

/// Change a probe
///
/// Needs `If-Match`. It keeps running, with the new values.
#[utoipa::path(
    patch, path = "/api/v1/probes/{probe}", operation_id = "change_probe", tag = "probes", request_body = ProbePatch,
    params(("probe" = String, Path, description = "Id of the probe")),
    responses((status = 200, description = "The probe as it is now", body = Shown))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<ProbePatch>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<ProbeId>(&text, "probe")?);
    let name = patch.name.as_deref().map(|text| field("name", text)).transpose()?;
    // Zero takes away.
    let (objective, quorum) = (
        patch.objective.map(|share| objective(Some(share).filter(|share| share.abs() > 0.0))).transpose()?,
        patch.quorum.map(|agents| quorum(Some(agents).filter(|agents| *agents != 0))).transpose()?,
    );
    let with = app.clone();
    let (tag, body) = write(&app, move |tx| {
        let before = tx.get::<Probe>(workspace, id)?;
        asked.require(&tag(&before))?;
        owned::refuse(tx, workspace, DECLARED, before.value.name.as_str())?;
        let mut after = before.value.clone();
        after.name = name.unwrap_or(after.name);
        after.enabled = patch.enabled.unwrap_or(after.enabled);
        after.objective = objective.unwrap_or(after.objective);
        after.quorum = quorum.unwrap_or(after.quorum);
        if let Some(spec) = &patch.spec {
            after.spec = draft::changed(spec, &before.value.spec)?;
        }
        if let Some(agents) = patch.agents {
            after.agents = draft::agents(agents)?;
        }
        let stored = alter(tx, &asker, &before, &after)?;
        Ok((tag(&stored), shown(tx, &stored, &with)?))
    })
    .await?;
    tell(&app).await?;
    Ok((tag.header(), Json(body)).into_response())
}

/// Delete a probe
///
/// What it has measured is kept as long as everything else.
#[utoipa::path(
    delete, path = "/api/v1/probes/{probe}", operation_id = "delete_probe", tag = "probes",
    params(("probe" = String, Path, description = "Id of the probe")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<ProbeId>(&text, "probe")?);
    write(&app, move |tx| {
        let before = tx.get::<Probe>(workspace, id)?;
        asked.check(&tag(&before))?;
        owned::refuse(tx, workspace, DECLARED, before.value.name.as_str())?;
        drop_it(tx, &asker, &before)
    })
    .await?;
    app.store().probes().forget(id);
    tell(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A probe as it is shown.
fn shown(tx: &Reading<'_>, stored: &Stored<Probe>, app: &App) -> Result<Shown, Fault> {
    row(tx, stored, app, &maintenance::active(tx, stored.value.workspace, app.now())?)
}

/// The same, when the windows that are now are known.
fn row(tx: &Reading<'_>, stored: &Stored<Probe>, app: &App, windows: &[Selection]) -> Result<Shown, Fault> {
    let probe = &stored.value;
    let managed_by = owned::by(tx, probe.workspace, DECLARED, probe.name.as_str())?;
    let maintenance = windows.iter().any(|window| window.has(probe));
    let left_out = app.agents().leaving_out(probe).iter().map(ToString::to_string).collect();
    Ok(Shown { managed_by, maintenance, left_out, ..shown::probe(stored, app.store().probes()) })
}

/// An objective that can be one.
pub(super) fn objective(share: Option<f64>) -> Result<Option<f64>, Fault> {
    match share {
        Some(share) if !(share > 0.0 && share < 1.0) => {
            let detail = "an objective is a share of the time, more than 0 and less than 1, as 0.999";
            Err(Fault::parameter("objective", detail))
        }
        fits => Ok(fits),
    }
}

/// A number of agents that can agree.
pub(super) fn quorum(agents: Option<u32>) -> Result<Option<u32>, Fault> {
    agents.map(|agents| params::bounded("quorum", agents, 1, MAX_QUORUM)).transpose()
}

/// Makes a probe, with its audit record.
pub(super) fn make(tx: &Writing<'_>, asker: &Asker, probe: &Probe) -> Result<Stored<Probe>, Fault> {
    refuse_full(tx, probe.workspace)?;
    networks::refuse_outside(&networks::of(tx, probe.workspace)?, &probe.spec, None)?;
    let stored = tx.insert(probe)?;
    let did = asker.by().did(Action::ProbeChanged, object(probe));
    record(tx, Entry { workspace: Some(probe.workspace), after: Some(fields(probe)), ..did })?;
    Ok(stored)
}

/// Changes a probe, with its audit record.
pub(super) fn alter(
    tx: &Writing<'_>,
    asker: &Asker,
    before: &Stored<Probe>,
    after: &Probe,
) -> Result<Stored<Probe>, Fault> {
    networks::refuse_outside(&networks::of(tx, after.workspace)?, &after.spec, Some(&before.value.spec))?;
    let stored = tx.update(after, Some(before.version))?;
    let (old, new) = Fields::changed(&fields(&before.value), &fields(after));
    let did = asker.by().did(Action::ProbeChanged, object(after));
    record(tx, Entry { workspace: Some(after.workspace), before: Some(old), after: Some(new), ..did })?;
    Ok(stored)
}

/// Removes a probe, with its audit record.
pub(super) fn drop_it(tx: &Writing<'_>, asker: &Asker, before: &Stored<Probe>) -> Result<(), Fault> {
    let probe = &before.value;
    tx.delete::<Probe>(probe.workspace, probe.id, Some(before.version))?;
    let did = asker.by().did(Action::ProbeChanged, object(probe));
    Ok(record(tx, Entry { workspace: Some(probe.workspace), before: Some(fields(probe)), ..did })?)
}

/// Gives the agent its assignment anew.
pub(super) async fn tell(app: &App) -> Result<(), Fault> {
    let with = app.clone();
    app.blocking(move || with.assign_probes()).await
}

fn refuse_full(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<(), Fault> {
    let has = tx.count::<Probe>(workspace)?;
    let most = tx.get::<Workspace>(Site, workspace)?.value.limits.probes.map_or(Probe::MAX_PER_WORKSPACE, u64::from);
    if has < most {
        return Ok(());
    }
    let detail = format!("the workspace has {has} probes, and may have no more: delete some, or have the limit raised");
    Err(Fault::new(ProblemCode::LimitReached, detail))
}

fn tag(stored: &Stored<Probe>) -> ETag {
    ETag::of_version("probe", stored.version)
}

fn object(probe: &Probe) -> ObjectRef {
    ObjectRef::new(ObjectKind::Probe, probe.id, probe.name.as_str())
}

/// For the audit log, without secrets.
fn fields(probe: &Probe) -> Fields {
    let spec = &probe.spec;
    let fields = Fields::new()
        .with("name", &probe.name)
        .with("enabled", probe.enabled)
        .with("agents", draft::agents_text(&probe.agents))
        .with("kind", spec.kind)
        .with("target", &spec.target)
        .with("interval", spec.interval)
        .with("timeout", spec.timeout)
        .with("count", spec.count)
        .with("dscp", spec.dscp);
    let goals =
        [("objective", probe.objective.map(|n| n.to_string())), ("quorum", probe.quorum.map(|n| n.to_string()))];
    let set = |fields: Fields, (name, value): (&str, Option<String>)| match value {
        Some(value) => fields.with(name, value),
        None => fields,
    };
    let fields = goals.into_iter().fold(fields, set);
    let source = spec.source.clone().map(String::from);
    let fields = source.into_iter().fold(fields, |fields, source| fields.with("source", source));
    let (shown, secret) = shown::options(spec);
    let fields = shown.iter().fold(fields, |fields, (name, value)| {
        fields.with(&format!("options.{name}"), serde_json::to_string(value).unwrap_or_default())
    });
    secret.iter().fold(fields, |fields, name| fields.with(&format!("options.{name}"), "secret"))
}
