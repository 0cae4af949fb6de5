//! `GET /api/v1/probe-matrix`: how every agent reaches every target, by the last run of each probe.
//!
//! A cell is the worst of its probes. When all that go by ICMP fail and another does not, ICMP is blocked, and the target is not down.
//!
//! Limits: [`MOST_CELLS`] pairs.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use netwatch_api::probe::{Matrix, MatrixCell};
use netwatch_entities::ListQuery;
use netwatch_model::probe::spec::split_port;
use netwatch_model::probe::{Probe, ProbeKind};

use crate::app::App;
use crate::fault::Fault;
use crate::params::Params;
use crate::probes::Board;
use crate::probes::board::{Run, RunState, run_of};
use crate::routes::NoParams;
use crate::routes::manage::asker::{Asker, ask};

const MOST_CELLS: usize = 20_000;

/// How every agent reaches every target
///
/// By the last run of each probe.
#[utoipa::path(
    get, path = "/api/v1/probe-matrix", operation_id = "get_probe_matrix", tag = "probes",
    responses((status = 200, description = "Agents, targets and what is known of each pair", body = Matrix))
)]
pub(super) async fn show(app: App, asker: Asker, _: Params<NoParams>) -> Result<Json<Matrix>, Fault> {
    let workspace = asker.workspace()?;
    let limit = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let query = ListQuery { limit, ..ListQuery::default() };
    let probes = ask(&app, move |tx| Ok(tx.list::<Probe>(workspace, &query)?.items)).await?;
    let probes: Vec<Probe> = probes.into_iter().map(|stored| stored.value).filter(|probe| probe.enabled).collect();
    Ok(Json(matrix(&probes, app.store().probes())))
}

fn matrix(probes: &[Probe], board: &Board) -> Matrix {
    let mut pairs: BTreeMap<(String, String), Vec<(&Probe, Run)>> = BTreeMap::new();
    for probe in probes {
        for (agent, line) in board.of(probe.id) {
            let key = (host(probe).to_owned(), agent.to_string());
            if pairs.len() < MOST_CELLS || pairs.contains_key(&key) {
                pairs.entry(key).or_default().push((probe, run_of(&line.last)));
            }
        }
    }
    let targets: BTreeSet<_> = pairs.keys().map(|(target, _)| target.clone()).collect();
    let agents: BTreeSet<_> = pairs.keys().map(|(_, agent)| agent.clone()).collect();
    let cells = pairs.into_iter().map(|((target, agent), runs)| cell(target, agent, &runs)).collect();
    Matrix { targets: targets.into_iter().collect(), agents: agents.into_iter().collect(), cells }
}

fn cell(target: String, agent: String, runs: &[(&Probe, Run)]) -> MatrixCell {
    let is_icmp = |probe: &Probe| matches!(probe.spec.kind, ProbeKind::Ping | ProbeKind::Mtr);
    let (icmp, others): (Vec<_>, Vec<_>) = runs.iter().copied().partition(|(probe, _)| is_icmp(probe));
    let blocked = !icmp.is_empty()
        && icmp.iter().all(|(_, run)| run.state == RunState::Down)
        && others.iter().any(|(_, run)| matches!(run.state, RunState::Up | RunState::Degraded));
    let judged: &[(&Probe, Run)] = if blocked { &others } else { runs };
    // What says nothing about the target says less than what does.
    let known = judged.iter().map(|(_, run)| run.state).filter(|state| *state != RunState::Unknown).max();
    MatrixCell {
        agent,
        target,
        state: known.unwrap_or(RunState::Unknown).into(),
        blocked,
        loss: judged.iter().filter_map(|(_, run)| run.loss).reduce(f64::max),
        response: judged.iter().filter_map(|(_, run)| run.time).reduce(f64::max),
        probes: runs.iter().map(|(probe, _)| probe.id).collect(),
    }
}

/// The host that a probe measures.
pub(super) fn host(probe: &Probe) -> &str {
    let target = &*probe.spec.target;
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    split_port(authority, Some(1)).map_or(authority, |(host, _)| host)
}
