//! `POST /api/v1/probes/run`: measures once, now, and keeps nothing.
//!
//! What has an agent as its target is expanded as a probe that is kept: the check of its addresses is the answer, and traces, pings and
//! simulated traffic go through the address that it found, at both ends. Each end begins with its check; what comes after it is measured at once.
//!
//! Limits: [`MAX_RUN`] for what is asked for, [`LONGEST`] for all of it.

use std::time::Duration;

use axum::{Extension, Json};
use futures_util::future::{join, join_all};
use netwatch_api::ProblemCode;
use netwatch_api::probe::{ProbeRun, ProbeRunPart, RunRequest};
use netwatch_identity::audit::Entry;
use netwatch_model::AgentId;
use netwatch_model::assignment::NarrowedRun;
use netwatch_model::id::ParseAgentIdError;
use netwatch_model::people::{Action, Agent, Fields, ObjectKind, ObjectRef, ProbeId};
use netwatch_model::probe::kind::throughput::{DIRECTION, SECONDS};
use netwatch_model::probe::{Probe, ProbeKind, ProbeNetworks, ProbeResult, ProbeSpec};

use crate::access::{Identity, record};
use crate::agents::{Asked, NotAsked, NotRun};
use crate::app::App;
use crate::fault::Fault;
use crate::history::workspace as place_of;
use crate::params::Body;
use crate::probes::networks;
use crate::probes::places::{addresses_of, locate};
use crate::routes::manage::agents::serves;
use crate::routes::manage::asker::{Asker, ask, change, id};
use crate::routes::manage::probes::{run_of, spec_of};

/// Its path.
pub(crate) const PATH: &str = "/api/v1/probes/run";
/// Longest run on demand, seconds.
const MAX_RUN: f64 = 60.0;
/// What a question to a remote agent may take beside the run.
const ON_THE_WAY: Duration = Duration::from_secs(8);
/// What an answer may take at most: a run, and what follows the check of an agent's addresses.
pub(crate) const LONGEST: Duration = Duration::from_secs(120);

/// Measure once, now
///
/// From the server's own agent, or a connected one, within the networks that the workspace measures. To another agent everything is measured
/// that a probe to it measures, at both ends. What comes out is given back and kept by nobody.
#[utoipa::path(
    post, path = "/api/v1/probes/run", operation_id = "run_probe", tag = "probes", request_body = RunRequest,
    responses((status = 200, description = "What came out", body = ProbeRun),
              (status = 503, description = "No agent is there, or it is busy"))
)]
pub(super) async fn run(
    app: App,
    asker: Asker,
    Extension(identity): Extension<Identity>,
    Body(request): Body<RunRequest>,
) -> Result<Json<ProbeRun>, Fault> {
    let workspace = asker.workspace()?;
    let spec = match request.probe.as_deref() {
        None => spec_of(&request.spec)?,
        Some(text) => {
            let probe = id::<ProbeId>(text, "probe")?;
            let saved = ask(&app, move |tx| Ok(tx.get::<Probe>(workspace, probe)?.value.spec)).await?;
            run_of(&request.spec, &saved)?
        }
    };
    if takes(&spec) > MAX_RUN {
        let detail =
            format!("a run on demand takes at most {MAX_RUN} seconds: ask for fewer packets or a shorter time");
        return Err(Fault::new(ProblemCode::InvalidParameter, detail));
    }
    let wanted = at(&request.agents)?;
    if wanted == Agent::OWN {
        refuse_elsewhere(&app)?;
    }
    let object = ObjectRef::new(ObjectKind::Probe, "", &spec.target);
    let after = Fields::new().with("kind", spec.kind).with("target", &spec.target).with("agent", wanted);
    let (agents, checked) = (app.clone(), spec.clone());
    let to = change(&app, move |tx| {
        if wanted != Agent::OWN {
            serves(&agents, tx, workspace, wanted)?;
        }
        let to = networks::of(tx, workspace)?;
        networks::refuse_outside(&to, &checked, None)?;
        let did = asker.by().did(Action::ProbeRun, object);
        record(tx, Entry { workspace: Some(workspace), after: Some(after), ..did })?;
        Ok(to)
    })
    .await?;
    let asked = Asked::begin(&app, workspace, wanted, &spec).await.map_err(not_asked)?;
    let mut run = all(&app, wanted, &asked.parts, &to).await?;
    let results = || std::iter::once(&run.result).chain(run.parts.iter().filter_map(|part| part.result.as_ref()));
    let places = app.places(place_of(&app, &identity), results().flat_map(addresses_of));
    let parts = run.parts.iter_mut().filter_map(|part| part.result.as_mut());
    std::iter::once(&mut run.result).chain(parts).for_each(|result| locate(result, &places));
    Ok(Json(run))
}

/// Measures all parts: the first one is the answer.
async fn all(app: &App, here: AgentId, parts: &[(AgentId, ProbeSpec)], to: &ProbeNetworks) -> Result<ProbeRun, Fault> {
    let (there, back): (Vec<_>, Vec<_>) = parts.iter().partition(|(agent, _)| *agent == here);
    let (answer, mut back) = join(end(app, there, to), end(app, back, to)).await;
    let mut answer = answer.into_iter();
    let (_, first) = answer.next().ok_or_else(|| Fault::unavailable("there is nothing that could be measured"))?;
    let result = first?;
    let mut parts: Vec<ProbeRunPart> = answer.map(part).collect();
    parts.extend(back.drain(..).map(part));
    Ok(ProbeRun { result, parts })
}

/// What was measured, and what came of it.
type Done<'a> = (&'a (AgentId, ProbeSpec), Result<ProbeResult, Fault>);

/// Measures what one end measures: the first part, then all others at once. They are not begun when the agent does not measure the first.
async fn end<'a>(app: &App, parts: Vec<&'a (AgentId, ProbeSpec)>, to: &ProbeNetworks) -> Vec<Done<'a>> {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else { return Vec::new() };
    let mut done = vec![one(app, first, to).await];
    if done.iter().all(|(_, outcome)| outcome.is_ok()) {
        done.extend(join_all(parts.map(|part| one(app, part, to))).await);
    }
    done
}

async fn one<'a>(app: &App, part: &'a (AgentId, ProbeSpec), to: &ProbeNetworks) -> Done<'a> {
    let (agent, spec) = part;
    (part, measure(app, *agent, NarrowedRun { to: to.clone(), spec: spec.clone() }).await)
}

fn part(((agent, spec), outcome): Done<'_>) -> ProbeRunPart {
    let (agent, kind) = (agent.to_string(), spec.kind);
    match outcome {
        Ok(result) => ProbeRunPart { agent, kind, result: Some(result), refused: None },
        Err(fault) => ProbeRunPart { agent, kind, result: None, refused: Some(fault.into_problem().detail) },
    }
}

fn not_asked(why: NotAsked) -> Fault {
    match why {
        NotAsked::Itself => Fault::parameter("agents", "the agent is itself the target: have another one measure"),
        NotAsked::Busy => Fault::unavailable("as much is measured between agents as may be: ask again a little later"),
    }
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

async fn measure(app: &App, agent: AgentId, what: NarrowedRun) -> Result<ProbeResult, Fault> {
    let busy = || Fault::unavailable("the agent measures as much as it can: ask again a little later");
    if agent == Agent::OWN {
        let prober = app.prober().get().cloned().ok_or_else(busy)?;
        return prober.run(what).await.ok_or_else(busy);
    }
    let patience = Duration::from_secs_f64(takes(&what.spec).clamp(0.0, MAX_RUN)) + ON_THE_WAY;
    app.agents().run(agent, what, patience).await.map_err(|why| match why {
        NotRun::Absent => Fault::unavailable("the agent is not connected: it cannot measure now"),
        NotRun::Busy => busy(),
        NotRun::Silent => Fault::unavailable("the agent did not answer in time"),
        NotRun::Refused(why) => Fault::unavailable(format!("the agent did not measure: {why}")),
    })
}

/// Seconds that a run takes at most.
fn takes(spec: &ProbeSpec) -> f64 {
    let transfers = match (spec.kind, spec.options.text(&DIRECTION)) {
        (ProbeKind::Throughput, "forward" | "reverse") => spec.options.seconds(&SECONDS),
        (ProbeKind::Throughput, _) => 2.0 * spec.options.seconds(&SECONDS),
        _ => 0.0,
    };
    f64::from(spec.count) * spec.spacing + spec.timeout + transfers
}
