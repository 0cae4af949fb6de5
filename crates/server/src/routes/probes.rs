//! What probes measured: kinds, results, runs on demand, the matrix.

mod heatmap;
mod kinds;
mod map;
mod matrix;
pub(crate) mod once;
mod uptime;
mod voice;

use std::time::Duration;

use axum::Extension;
use axum::extract::Path;
use axum::response::Response;
use netwatch_api::page::Page;
use netwatch_api::probe::ResultsQuery;
use netwatch_model::AgentId;
use netwatch_model::id::ParseAgentIdError;
use netwatch_model::people::Permission::{ProbesRead, ProbesRun};
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{Probe, ProbeKind, ProbeResult};
use netwatch_storage::{ResultQuery, Span};
use utoipa_axum::routes;

use super::history::lists::{place, written};
use super::manage::asker::{Asker, ask, id};
use crate::access::Identity;
use crate::app::App;
use crate::fault::Fault;
use crate::history::{json, workspace as place_of};
use crate::page::Pager;
use crate::params::{self, Params};
use crate::probes::places::{addresses_of, locate, places};
use crate::registry::Registry;

const DAY: Duration = Duration::from_secs(86_400);

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
        .route(ProbesRun, routes!(once::run))
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

pub(super) fn agent(text: &str) -> Result<AgentId, Fault> {
    text.parse().map_err(|error: ParseAgentIdError| Fault::parameter("agent", error.to_string()))
}

fn kind(text: &str) -> Result<ProbeKind, Fault> {
    text.parse()
        .map_err(|error: netwatch_model::probe::kind::ParseKindError| Fault::parameter("kind", error.to_string()))
}
