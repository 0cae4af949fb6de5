//! A probe as the API shows it.

use netwatch_api::probe::{Probe as Shown, ProbeRunBar, ProbeStatus};
use netwatch_entities::Stored;
use netwatch_model::AgentId;
use netwatch_model::probe::{OptionForm, Options, Probe, ProbeSpec};

use crate::probes::Board;
use crate::probes::board::{Line, Run, RunState};
use crate::probes::uptime::quorum::Votes;

/// A probe without its secrets, and how it stands.
pub(super) fn probe(stored: &Stored<Probe>, board: &Board) -> Shown {
    let probe = &stored.value;
    let (options, secrets) = options(&probe.spec);
    Shown {
        id: probe.id,
        name: probe.name.to_string(),
        spec: ProbeSpec { options, ..probe.spec.clone() },
        secrets,
        agents: probe.agents.clone(),
        enabled: probe.enabled,
        objective: probe.objective,
        quorum: probe.quorum,
        state: overall(probe, board).map(Into::into),
        maintenance: false,
        revision: stored.version,
        created: probe.created,
        managed_by: None,
        left_out: Vec::new(),
        status: board.of(probe.id).iter().map(|(agent, line)| status(*agent, line)).collect(),
    }
}

/// How it stands over all agents that have run it, when it runs.
pub(in crate::routes) fn overall(probe: &Probe, board: &Board) -> Option<RunState> {
    let states: Vec<RunState> = if probe.enabled { board.states(probe.id) } else { Vec::new() };
    (!states.is_empty()).then(|| Votes::of(states).state(probe.quorum))
}

/// The options that may be shown, and the names of those that are secret.
pub(in crate::routes::manage) fn options(spec: &ProbeSpec) -> (Options, Vec<String>) {
    let (mut shown, mut secrets) = (Options::default(), Vec::new());
    let fields = spec.kind.descriptor().options;
    for (name, value) in spec.options.iter() {
        match fields.iter().find(|field| field.name == name) {
            Some(field) if field.form == OptionForm::Secret => secrets.push(name.to_owned()),
            Some(field) => shown.set(field, value.clone()),
            None => {}
        }
    }
    (shown, secrets)
}

fn status(agent: AgentId, line: &Line) -> ProbeStatus {
    let last = crate::probes::board::run_of(&line.last);
    ProbeStatus {
        agent: agent.to_string(),
        state: last.state.into(),
        time: last.start,
        message: line.last.failure.as_ref().map(|failure| failure.message.to_string()),
        loss: last.loss,
        response: last.time,
        runs: line.runs.iter().map(bar).collect(),
    }
}

fn bar(run: &Run) -> ProbeRunBar {
    ProbeRunBar { time: run.start, state: run.state.into(), loss: run.loss, response: run.time }
}
