//! What probes measured: kinds, results, runs on demand, the matrix.

mod heatmap;
mod kinds;
mod map;
mod matrix;
mod uptime;
mod voice;

use std::time::Duration;

use axum::extract::Path;
use axum::response::Response;
use axum::{Extension, Json};
use netwatch_api::ProblemCode;
use netwatch_api::page::Page;
use netwatch_api::probe::{ResultsQuery, RunRequest};
use netwatch_identity::audit::Entry;
use netwatch_model::AgentId;
use netwatch_model::id::ParseAgentIdError;
use netwatch_model::people::Permission::{ProbesRead, ProbesRun};
use netwatch_model::people::{Action, Agent, Fields, ObjectKind, ObjectRef, ProbeId};
use netwatch_model::probe::{Probe, ProbeKind, ProbeResult, ProbeSpec};
use netwatch_storage::{ResultQuery, Span};
use utoipa_axum::routes;

use super::history::lists::{place, written};
use super::manage::agents::serves;
use super::manage::asker::{Asker, ask, change, id};
use super::manage::probes::{run_of, spec_of};
use crate::access::{Identity, record};
use crate::agents::NotRun;
use crate::app::App;
use crate::fault::Fault;
use crate::history::{json, workspace as place_of};
use crate::page::Pager;
use crate::params::{self, Body, Params};
use crate::probes::places::{addresses_of, locate, places};
use crate::registry::Registry;

const DAY: Duration = Duration::from_secs(86_400);
/// Longest run on demand, seconds.
const MAX_RUN: f64 = 60.0;
/// What a question to a remote agent may take beside the run.
const ON_THE_WAY: Duration = Duration::from_secs(8);

/// Adds them.
pub(super) fn add(registry: Registry) -> Registry {
    registry
        .route(ProbesRead, routes!(kinds::list))
        .route(ProbesRead, routes!(matrix::show))
        .route(ProbesRead, routes!(voice::list))
        .route(ProbesRead, routes!(map::show))
        .route(ProbesRead, routes!(results))
        .route(ProbesRead, routes!(uptime::one))
        .route(ProbesRead, routes!(uptime::list))
        .route(ProbesRead, routes!(heatmap::show))
        .route(ProbesRun, routes!(run))
}

/// Results of a probe, the newest first
#[utoipa::path(
    get, path = "/api/v1/probes/{probe}/results", operation_id = "list_probe_results", tag = "probes",
    params(("probe" = String, Path, description = "Id of the probe"), ResultsQuery),
    responses((status = 200, description = "A page of results", body = Page<ProbeResult>))
)]
async fn results(
    app: App,
    asker: Asker,
    Extension(identity): Extension<Identity>,
    Path(text): Path<String>,
    Params(query): Params<ResultsQuery>,
) -> Result<Response, Fault> {
    let (own, probe) = (asker.workspace()?, id::<ProbeId>(&text, "probe")?);
    ask(&app, move |tx| Ok(tx.get::<Probe>(own, probe).map(drop)?)).await?;
    let (now, workspace) = (app.now(), place_of(&app, &identity));
    let chosen = (&text, &query.from, &query.to, &query.agent, &query.kind, &query.failed);
    let pager = Pager::new("probe results", &(workspace, chosen))?;
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, now - DAY)?;
    let (span, after) = place(&pager, query.cursor.as_deref(), Span { from: range.from, to: range.to })?;
    let question = ResultQuery {
        span,
        probe: Some(probe),
        agent: query.agent.as_deref().map(agent).transpose()?,
        kind: query.kind.as_deref().map(kind).transpose()?,
        failed: query.failed.unwrap_or(false),
        limit: params::limit(query.limit, 50, 500)?,
        after,
    };
    let answer = app.ask_history(move |store, budget| {
        let mut page = store.results(workspace, &question, budget)?;
        let places = places(store, workspace, page.results.iter().flat_map(addresses_of));
        page.results.iter_mut().for_each(|result| locate(result, &places));
        Ok(page)
    });
    let page = answer.await?;
    let next_cursor = page.next.map(|c| written(&pager, c, span)).transpose()?;
    json(&Page { items: page.results, next_cursor })
}

/// Measure once, now
///
/// From the server's own agent, or a connected one. The result is given back and kept by nobody.
#[utoipa::path(
    post, path = "/api/v1/probes/run", operation_id = "run_probe", tag = "probes", request_body = RunRequest,
    responses((status = 200, description = "What came out", body = ProbeResult),
              (status = 503, description = "No agent is there, or it is busy"))
)]
async fn run(
    app: App,
    asker: Asker,
    Extension(identity): Extension<Identity>,
    Body(request): Body<RunRequest>,
) -> Result<Json<ProbeResult>, Fault> {
    let workspace = asker.workspace()?;
    let spec = match request.probe.as_deref() {
        None => spec_of(&request.spec)?,
        Some(text) => {
            let probe = id::<ProbeId>(text, "probe")?;
            let saved = ask(&app, move |tx| Ok(tx.get::<Probe>(workspace, probe)?.value.spec)).await?;
            run_of(&request.spec, &saved)?
        }
    };
    if f64::from(spec.count) * spec.spacing + spec.timeout > MAX_RUN {
        let detail =
            format!("a run on demand takes at most {MAX_RUN} seconds: ask for fewer packets or a shorter timeout");
        return Err(Fault::new(ProblemCode::InvalidParameter, detail));
    }
    let wanted = at(&request.agents)?;
    if wanted == Agent::OWN {
        refuse_elsewhere(&app)?;
    }
    let object = ObjectRef::new(ObjectKind::Probe, "", &spec.target);
    let after = Fields::new().with("kind", spec.kind).with("target", &spec.target).with("agent", wanted);
    let agents = app.clone();
    change(&app, move |tx| {
        if wanted != Agent::OWN {
            serves(&agents, tx, workspace, wanted)?;
        }
        let did = asker.by().did(Action::ProbeRun, object);
        Ok(record(tx, Entry { workspace: Some(workspace), after: Some(after), ..did })?)
    })
    .await?;
    let mut result = measure(&app, wanted, spec).await?;
    let places = app.places(place_of(&app, &identity), addresses_of(&result));
    locate(&mut result, &places);
    Ok(Json(result))
}

/// The agent that is to measure.
fn at(agents: &[String]) -> Result<AgentId, Fault> {
    match agents {
        [] => Ok(Agent::OWN),
        [one] => one.parse().map_err(|error: ParseAgentIdError| Fault::parameter("agents", error.to_string())),
        _ => {
            let detail = "an answer has one result: ask each agent by a request of its own";
            Err(Fault::parameter("agents", detail))
        }
    }
}

fn refuse_elsewhere(app: &App) -> Result<(), Fault> {
    if app.is_elsewhere() {
        return Err(Fault::unavailable("this workspace has no agent that could measure: name one of its agents"));
    }
    let none = || Fault::unavailable("no agent of this server measures");
    app.prober().get().map(drop).ok_or_else(none)
}

async fn measure(app: &App, agent: AgentId, spec: ProbeSpec) -> Result<ProbeResult, Fault> {
    let busy = || Fault::unavailable("the agent measures as much as it can: ask again a little later");
    if agent == Agent::OWN {
        let prober = app.prober().get().cloned().ok_or_else(busy)?;
        return prober.run(spec).await.ok_or_else(busy);
    }
    let takes = f64::from(spec.count) * spec.spacing + spec.timeout;
    let patience = Duration::from_secs_f64(takes.clamp(0.0, MAX_RUN)) + ON_THE_WAY;
    app.agents().run(agent, spec, patience).await.map_err(|why| match why {
        NotRun::Absent => Fault::unavailable("the agent is not connected: it cannot measure now"),
        NotRun::Busy => busy(),
        NotRun::Silent => Fault::unavailable("the agent did not answer in time"),
        NotRun::Refused(why) => Fault::unavailable(format!("the agent did not measure: {why}")),
    })
}

pub(super) fn agent(text: &str) -> Result<AgentId, Fault> {
    text.parse().map_err(|error: ParseAgentIdError| Fault::parameter("agent", error.to_string()))
}

fn kind(text: &str) -> Result<ProbeKind, Fault> {
    text.parse()
        .map_err(|error: netwatch_model::probe::kind::ParseKindError| Fault::parameter("kind", error.to_string()))
}
