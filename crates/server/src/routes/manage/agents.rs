//! `/api/v1/agents`: the agents of the workspace, and those that others offer to all.
//!
//! An agent of another workspace can be seen and named in probes, and nothing else. After every change sessions and assignments follow.
//! A file may own what an agent is called, its labels, its group and its place; whether it may come in is decided by hand.
//! The server's own agent cannot be disabled, ended, offered or deleted: it is this process.

pub(super) mod shown;
pub(super) mod tokens;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::agent::{Agent as Shown, AgentInformation, AgentPatch, AgentsQuery};
use netwatch_api::page::Page;
use netwatch_entities::{ListQuery, Order, Reading, Stored, Writing};
use netwatch_identity::audit::Entry;
use netwatch_model::AgentId;
use netwatch_model::people::{Action, Agent, AgentOrigin, DisplayName, Fields, Location, Permission, WorkspaceId};

use super::asker::{Asker, ask, change as write, field, id, not_found};
use super::declare::owned;
use super::probes::labels;
use crate::access::record;
use crate::agents::object;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::page::Pager;
use crate::params::{self, Body, Params};
use crate::routes::NoParams;

/// Longest text that is searched for, in characters.
const MAX_SEARCH: usize = 100;
/// The word under which what is said of agents stands in files.
pub(super) const DECLARED: &str = "agents";

/// The agents
///
/// Each with how it stands. Those that other workspaces offer to all are `foreign`.
#[utoipa::path(
    get, path = "/api/v1/agents", operation_id = "list_agents", tag = "agents", params(AgentsQuery),
    responses((status = 200, description = "A page of agents, by name", body = Page<Shown>))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<AgentsQuery>,
) -> Result<Json<Page<Shown>>, Fault> {
    let workspace = asker.workspace()?;
    let search = query.search.as_deref().unwrap_or("").to_lowercase();
    if search.chars().count() > MAX_SEARCH {
        return Err(Fault::parameter("search", format!("`search` has more than {MAX_SEARCH} characters")));
    }
    let pager = Pager::new("agents", &(workspace, &query.search, query.state))?;
    let after: Option<(String, String)> = pager.after(query.cursor.as_deref())?;
    let limit = params::limit(query.limit, 50, 500)?;
    let (own, owned) = ask(&app, move |tx| Ok((all(tx, workspace)?, owned::all(tx, workspace, DECLARED)?))).await?;
    let foreign = app.agents().offered_to(workspace);
    let all = own.iter().map(|stored| (&stored.value, false)).chain(foreign.iter().map(|agent| (&**agent, true)));
    let key = |(agent, _): &(&Agent, bool)| place(agent.name.as_str(), &agent.id.to_string());
    let mut all: Vec<_> = all.filter(|agent| after.as_ref().is_none_or(|after| key(agent) > *after)).collect();
    all.sort_by_cached_key(key);
    let owner = |agent: &Agent, foreign: bool| owned.get(agent.name.as_str()).filter(|_| !foreign).cloned();
    let row = |(agent, foreign)| Shown { managed_by: owner(agent, foreign), ..shown::agent(agent, foreign, &app) };
    let is_asked = |agent: &Shown| query.state.is_none_or(|s| agent.state == s) && shown::has(agent, &search);
    // Rows are made as far as the page needs them.
    let rows = all.into_iter().map(row).filter(is_asked).take(limit + 1).collect();
    let page = pager.page(rows, limit, |agent| place(&agent.name, &agent.id))?;
    let items = page.items.into_iter().map(|agent| shown::for_workspace(agent, workspace, &app)).collect();
    Ok(Json(Page { items, ..page }))
}

/// One agent
#[utoipa::path(
    get, path = "/api/v1/agents/{agent}", operation_id = "get_agent", tag = "agents",
    params(("agent" = String, Path, description = "Id of the agent")),
    responses((status = 200, description = "The agent", body = Shown))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<AgentId>(&text, "agent")?);
    let found = ask(&app, move |tx| {
        let found = tx.find::<Agent>(workspace, id)?;
        found.map(|stored| Ok((owner(tx, &stored.value)?, stored))).transpose()
    });
    if let Some((managed_by, stored)) = found.await? {
        return Ok(answer(&app, &stored, managed_by, workspace));
    }
    let foreign = app.agents().offered_to(workspace).into_iter().find(|agent| agent.id == id);
    let foreign = foreign.ok_or_else(|| not_found("agent"))?;
    Ok(Json(shown::whole(&foreign, true, workspace, &app)).into_response())
}

/// Change an agent
///
/// Needs `If-Match`. An agent that is switched off stops, and may come back when it is switched on.
#[utoipa::path(
    patch, path = "/api/v1/agents/{agent}", operation_id = "change_agent", tag = "agents", request_body = AgentPatch,
    params(("agent" = String, Path, description = "Id of the agent")),
    responses((status = 200, description = "The agent as it is now", body = Shown))
)]
pub(super) async fn change(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    Body(patch): Body<AgentPatch>,
) -> Result<Response, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<AgentId>(&text, "agent")?);
    let changed = write(&app, move |tx| {
        let before = tx.get::<Agent>(workspace, id)?;
        asked.require(&tag(&before))?;
        let after = patched(&before.value, patch, &asker)?;
        if says_other(&after, &before.value) {
            owned::refuse(tx, workspace, DECLARED, before.value.name.as_str())?;
        }
        Ok((owner(tx, &after)?, alter(tx, &asker, &before, &after)?))
    });
    let (managed_by, stored) = changed.await?;
    tell(&app).await?;
    Ok(answer(&app, &stored, managed_by, workspace))
}

/// Delete an agent
///
/// It stops for good, and says why. What it has measured is kept as long as everything else. It can be deleted although a file describes
/// it: the file is refused then, until it names the agent no more.
#[utoipa::path(
    delete, path = "/api/v1/agents/{agent}", operation_id = "delete_agent", tag = "agents",
    params(("agent" = String, Path, description = "Id of the agent")),
    responses((status = 204, description = "Deleted"), (status = 409, description = "It is the server's own"))
)]
pub(super) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    asked: Preconditions,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<AgentId>(&text, "agent")?);
    write(&app, move |tx| {
        let before = tx.get::<Agent>(workspace, id)?;
        asked.check(&tag(&before))?;
        refuse_own(&before.value, "deleted")?;
        tx.delete::<Agent>(workspace, id, Some(before.version))?;
        owned::unset(tx, workspace, DECLARED, before.value.name.as_str())?;
        let did = asker.by().did(Action::AgentDeleted, object(&before.value));
        Ok(record(tx, Entry { workspace: Some(workspace), before: Some(fields(&before.value)), ..did })?)
    })
    .await?;
    app.board_of(workspace).told().forget(id);
    tell(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End the session of an agent
///
/// It comes back by itself: to keep it out, switch it off.
#[utoipa::path(
    post, path = "/api/v1/agents/{agent}/kick", operation_id = "kick_agent", tag = "agents",
    params(("agent" = String, Path, description = "Id of the agent")),
    responses((status = 204, description = "Its session ends"), (status = 409, description = "It is not connected"))
)]
pub(super) async fn kick(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<AgentId>(&text, "agent")?);
    let agents = app.clone();
    write(&app, move |tx| {
        let agent = tx.get::<Agent>(workspace, id)?.value;
        refuse_own(&agent, "ended")?;
        let did = asker.by().did(Action::AgentKicked, object(&agent));
        record(tx, Entry { workspace: Some(workspace), ..did })?;
        let detail = "the agent is not connected: there is no session that could end";
        if agents.agents().kick(id) { Ok(()) } else { Err(Fault::new(ProblemCode::Conflict, detail)) }
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an agent last told of its host
#[utoipa::path(
    get, path = "/api/v1/agents/{agent}/information", operation_id = "get_agent_information", tag = "agents",
    params(("agent" = String, Path, description = "Id of the agent")),
    responses((status = 200, description = "Its host and its network, as far as it told", body = AgentInformation))
)]
pub(super) async fn information(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<Json<AgentInformation>, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<AgentId>(&text, "agent")?);
    ask(&app, move |tx| Ok(tx.get::<Agent>(workspace, id).map(drop)?)).await?;
    shown::information(app.board_of(workspace).told(), id).map(Json)
}

/// Sessions and assignments follow.
async fn tell(app: &App) -> Result<(), Fault> {
    let with = app.clone();
    app.blocking(move || with.agents_changed()).await
}

/// Changes an agent, with its audit record.
pub(super) fn alter(
    tx: &Writing<'_>,
    asker: &Asker,
    before: &Stored<Agent>,
    after: &Agent,
) -> Result<Stored<Agent>, Fault> {
    let stored = tx.update(after, Some(before.version))?;
    let (old, new) = Fields::changed(&fields(&before.value), &fields(after));
    let did = asker.by().did(Action::AgentChanged, object(after));
    record(tx, Entry { workspace: Some(after.workspace), before: Some(old), after: Some(new), ..did })?;
    Ok(stored)
}

/// A group that can be one; none when the text is empty.
pub(super) fn group_of(group: &str) -> Result<Option<DisplayName>, Fault> {
    Some(group.trim()).filter(|group| !group.is_empty()).map(|group| field("group", group)).transpose()
}

/// A place that can be one; none when nothing is said of it.
pub(super) fn location_of(location: Location) -> Result<Option<Location>, Fault> {
    match location.fault() {
        Some(fault) => Err(Fault::parameter("location", fault)),
        None => Ok(Some(location).filter(|l| l.name.is_some() || l.latitude.is_some())),
    }
}

/// Every agent of a workspace.
pub(super) fn all(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<Stored<Agent>>, Fault> {
    let limit = usize::try_from(Agent::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    Ok(tx.list::<Agent>(workspace, &ListQuery { order: Order::Label, limit, ..ListQuery::default() })?.items)
}

/// The agent as the patch wants it.
fn patched(before: &Agent, patch: AgentPatch, asker: &Asker) -> Result<Agent, Fault> {
    let AgentPatch { name, enabled, global, labels: named, group, location } = patch;
    let mut after = before.clone();
    if let Some(name) = name {
        after.name = field("name", &name)?;
    }
    if let Some(named) = named {
        labels("labels", &named)?;
        after.labels = named;
    }
    if let Some(group) = group {
        after.group = group_of(&group)?;
    }
    if let Some(location) = location {
        after.location = location_of(location)?;
    }
    after.enabled = enabled.unwrap_or(after.enabled);
    after.global = global.unwrap_or(after.global);
    if after.global != before.global && !asker.has(Permission::SiteWorkspaces) {
        let detail = "an agent is offered to all workspaces by site administrators: `site.workspaces` is missing";
        return Err(Fault::new(ProblemCode::Forbidden, detail));
    }
    if !after.enabled {
        refuse_own(&after, "switched off")?;
    }
    if after.global {
        refuse_own(&after, "offered to other workspaces")?;
    }
    Ok(after)
}

/// Whether what a file says of an agent differs.
fn says_other(a: &Agent, b: &Agent) -> bool {
    (&a.name, &a.labels, &a.group, &a.location) != (&b.name, &b.labels, &b.group, &b.location)
}

/// The file that owns what is said of an agent of the workspace.
fn owner(tx: &Reading<'_>, agent: &Agent) -> Result<Option<String>, Fault> {
    owned::by(tx, agent.workspace, DECLARED, agent.name.as_str())
}

fn answer(app: &App, stored: &Stored<Agent>, managed_by: Option<String>, workspace: WorkspaceId) -> Response {
    let shown = Shown { managed_by, ..shown::whole(&stored.value, false, workspace, app) };
    (tag(stored).header(), Json(shown)).into_response()
}

fn refuse_own(agent: &Agent, what: &str) -> Result<(), Fault> {
    match agent.origin {
        AgentOrigin::Enrolled => Ok(()),
        AgentOrigin::Local => {
            let detail = format!("this agent is the server's own, in the same process: it cannot be {what}");
            Err(Fault::new(ProblemCode::Conflict, detail))
        }
    }
}

/// Where an agent stands in the list.
fn place(name: &str, id: &str) -> (String, String) {
    (name.to_lowercase(), id.to_owned())
}

fn tag(stored: &Stored<Agent>) -> ETag {
    ETag::of_version("agent", stored.version)
}

/// For the audit log.
fn fields(agent: &Agent) -> Fields {
    let labels: Vec<String> = agent.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let location = agent.location.as_ref().map(|l| serde_json::to_string(l).unwrap_or_default());
    Fields::new()
        .with("name", &agent.name)
        .with("enabled", agent.enabled)
        .with("global", agent.global)
        .with("labels", labels.join(" "))
        .with("group", agent.group.as_ref().map_or("", DisplayName::as_str))
        .with("location", location.unwrap_or_default())
}

/// Whether an agent may be asked to measure for a workspace.
pub(in crate::routes) fn serves(app: &App, tx: &Reading<'_>, workspace: WorkspaceId, id: AgentId) -> Result<(), Fault> {
    let is_own = tx.find::<Agent>(workspace, id)?.is_some();
    let is_offered = || app.agents().offered_to(workspace).iter().any(|agent| agent.id == id);
    if is_own || is_offered() { Ok(()) } else { Err(Fault::parameter("agents", format!("no such agent: {id}"))) }
}
