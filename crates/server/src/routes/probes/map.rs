//! `GET /api/v1/network-map`: the last trace of every probe and agent as one graph.

use axum::{Extension, Json};
use netwatch_api::probe::map::{MapQuery, NetworkMap};
use netwatch_entities::ListQuery;
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{Probe, ProbeKind};
use netwatch_model::{AgentId, Timestamp};

use super::agent;
use crate::access::Identity;
use crate::app::App;
use crate::fault::Fault;
use crate::history::workspace;
use crate::params::Params;
use crate::probes::Board;
use crate::probes::board::Line;
use crate::probes::map::{Names, Traced, network_map};
use crate::probes::places::{addresses_on, locate_nodes};
use crate::routes::manage::asker::{Asker, ask, id};

/// Longest text that is searched for, bytes.
const MAX_SEARCH: usize = 255;

/// The last traces as one graph
///
/// Hops are merged by address; silent hops are known by their neighbours. What an edge loses is told at the edge.
#[utoipa::path(
    get, path = "/api/v1/network-map", operation_id = "get_network_map", tag = "probes", params(MapQuery),
    responses((status = 200, description = "Nodes, edges and the traces that they are made of", body = NetworkMap))
)]
pub(super) async fn show(
    app: App,
    asker: Asker,
    Extension(identity): Extension<Identity>,
    Params(query): Params<MapQuery>,
) -> Result<Json<NetworkMap>, Fault> {
    let (own, place) = (asker.workspace()?, workspace(&app, &identity));
    let probe = query.probe.as_deref().map(|text| id::<ProbeId>(text, "probe")).transpose()?;
    let agent = query.agent.as_deref().map(agent).transpose()?;
    if query.search.as_ref().is_some_and(|text| text.len() > MAX_SEARCH) {
        return Err(Fault::parameter("search", format!("`search` has more than {MAX_SEARCH} bytes")));
    }
    let limit = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let wanted = ListQuery { limit, ..ListQuery::default() };
    let probes = ask(&app, move |tx| match probe {
        Some(probe) => Ok(vec![tx.get::<Probe>(own, probe)?.value]),
        None => Ok(tx.list::<Probe>(own, &wanted)?.items.into_iter().map(|stored| stored.value).collect()),
    })
    .await?;
    let with = app.clone();
    let map = app.blocking(move || {
        let names = with.agents().names(own);
        let mut map = of(&probes, (with.store().probes(), &names), agent, query.search.as_deref(), with.now());
        let places = with.places(place, addresses_on(&map));
        locate_nodes(&mut map, &places);
        map
    });
    Ok(Json(map.await?))
}

fn of(
    probes: &[Probe],
    (board, names): (&Board, &Names),
    agent: Option<AgentId>,
    search: Option<&str>,
    now: Timestamp,
) -> NetworkMap {
    let standing: Vec<(&Probe, Vec<(AgentId, Line)>)> =
        probes.iter().filter(|probe| probe.enabled).map(|probe| (probe, board.of(probe.id))).collect();
    let untraced = standing.iter().filter(|(_, lines)| lines.iter().all(|(_, line)| line.trace.is_none())).count();
    let lines = standing.iter().flat_map(|(probe, lines)| lines.iter().map(move |line| (*probe, line)));
    let wanted = lines.filter(|(_, (of, _))| agent.is_none_or(|agent| *of == agent));
    let traced: Vec<Traced<'_>> = wanted
        .filter_map(|(probe, (agent, line))| {
            let interval = (probe.spec.kind == ProbeKind::Mtr).then_some(probe.spec.interval);
            let result = line.trace.as_deref()?;
            Some(Traced { probe: probe.id, name: probe.name.as_str(), interval, agent: *agent, result })
        })
        .collect();
    let mut map = network_map(&traced, names, search, now);
    map.untraced = u32::try_from(untraced).unwrap_or(u32::MAX);
    map.unwatched = board.unwatched();
    map
}
