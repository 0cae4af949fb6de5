//! An agent as the API shows it.

use std::collections::BTreeMap;

use netwatch_api::agent::{
    Agent as Shown, AgentClock, AgentCollector, AgentInformation, AgentInstall, AgentOrigin, AgentRefused, AgentSpool,
    AgentState, CollectorState,
};
use netwatch_model::people::{self, Agent, WorkspaceId};
use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Untrusted};
use serde_json::Value;

use crate::agents::registry::{self, Beat, ClockEstimate, Standing, State};
use crate::app::App;
use crate::fault::Fault;
use crate::probes::told::Told;

/// An agent as a workspace sees it.
pub(super) fn whole(agent: &Agent, foreign: bool, workspace: WorkspaceId, app: &App) -> Shown {
    for_workspace(self::agent(agent, foreign, app), workspace, app)
}

/// An agent and how it stands, without what it leaves out; whoever asks tells which file owns it.
pub(super) fn agent(agent: &Agent, foreign: bool, app: &App) -> Shown {
    let now = app.clocks();
    let standing = app.agents().standing(agent.id, now);
    let is_local = agent.origin == people::AgentOrigin::Local;
    let state = match (&standing, agent.enabled) {
        (_, false) => AgentState::Disabled,
        (Some(standing), _) => state(standing.state),
        (None, _) if is_local => AgentState::Online,
        (None, _) => AgentState::Never,
    };
    let mut info = standing.as_ref().map(|s| s.info.clone()).unwrap_or_default();
    if is_local {
        info.version = env!("CARGO_PKG_VERSION").into();
        (info.os, info.arch) = (std::env::consts::OS.into(), std::env::consts::ARCH.into());
    }
    let beat = standing.as_ref().map_or_else(Beat::default, |s| s.beat.clone());
    let said = |text: &Untrusted| Some(text.to_string()).filter(|text| !text.is_empty());
    let Parts { peer_address, last_seen, connected_since, cloned_at, refused } = Parts::of(standing.as_ref());
    Shown {
        id: agent.id.to_string(),
        name: agent.name.to_string(),
        origin: if is_local { AgentOrigin::Local } else { AgentOrigin::Enrolled },
        state,
        enabled: agent.enabled,
        global: agent.global,
        foreign,
        labels: together(&info.labels, &agent.labels),
        group: agent.group.as_ref().map(ToString::to_string),
        location: agent.location.clone(),
        version: said(&info.version),
        hostname: said(&info.hostname),
        os: said(&info.os),
        arch: said(&info.arch),
        install: info.install.map(install),
        peer_address,
        addresses: info.addresses.iter().map(ToString::to_string).collect(),
        reflector_port: info.reflector_port,
        kinds: info.kinds.iter().map(ToString::to_string).collect(),
        last_seen: if is_local { Some(now.wall) } else { last_seen },
        connected_since: if is_local { Some(app.started()) } else { connected_since },
        clock: beat.clock.map(clock),
        spool: beat.spool.map(|spool| AgentSpool {
            bytes: spool.bytes,
            batches: spool.batches,
            oldest: spool.oldest,
            dropped: spool.dropped,
        }),
        collectors: beat.collectors.iter().map(collector).collect(),
        assigned_revision: beat.assigned,
        applied_revision: beat.applied,
        left_out: 0,
        refused,
        cloned_at,
        created: agent.created,
        enrolled_key: agent.key.map(|key| key.to_string()),
        own_labels: info.labels,
        managed_by: None,
    }
}

/// The same, with what it leaves out of a workspace: no collector that leaves probes out is shown as one that is well.
pub(super) fn for_workspace(mut agent: Shown, workspace: WorkspaceId, app: &App) -> Shown {
    let Ok(id) = agent.id.parse() else { return agent };
    for (kind, probes) in app.agents().left_out_by(id, workspace) {
        agent.left_out += probes;
        let message = format!(
            "leaves out {probes} of the probes of this workspace, whose networks its version does not know: update the agent"
        );
        match agent.collectors.iter_mut().find(|collector| collector.name == kind.name()) {
            Some(collector) if collector.state == CollectorState::Failed => {}
            Some(collector) => (collector.state, collector.message) = (CollectorState::Degraded, Some(message)),
            None => agent.collectors.push(AgentCollector {
                name: kind.name().to_owned(),
                state: CollectorState::Degraded,
                message: Some(message),
                items: 0,
            }),
        }
    }
    agent
}

/// Whether an agent has a text, in lower case, somewhere where people look for it.
pub(super) fn has(agent: &Shown, search: &str) -> bool {
    let texts = [Some(&agent.name), agent.hostname.as_ref(), agent.group.as_ref(), agent.peer_address.as_ref()];
    let labels = agent.labels.iter().map(|(name, value)| format!("{name}={value}"));
    let texts = texts.into_iter().flatten().cloned().chain(agent.addresses.iter().cloned()).chain(labels);
    search.is_empty() || agent.id == search || texts.into_iter().any(|text| text.to_lowercase().contains(search))
}

/// What an agent last told of its host.
pub(super) fn information(told: &Told, agent: AgentId) -> Result<AgentInformation, Fault> {
    let [system, network] = ["system", "network"].map(|kind| told.of(agent, kind));
    let time = system.iter().chain(&network).map(|result| result.start).max();
    Ok(AgentInformation { system: detail(system.as_deref())?, network: detail(network.as_deref())?, time })
}

/// The detail of a result, without the word of its kind.
fn detail(result: Option<&ProbeResult>) -> Result<Option<Value>, Fault> {
    let Some(detail) = result.and_then(|result| result.detail.as_ref()) else { return Ok(None) };
    let value = serde_json::to_value(detail).map_err(|error| {
        tracing::error!(%error, "what an agent told cannot be written as JSON");
        Fault::unavailable("what the agent told cannot be shown; the log tells more")
    })?;
    Ok(match value {
        Value::Object(map) if map.len() == 1 => map.into_iter().next().map(|(_, inner)| inner),
        other => Some(other),
    })
}

#[derive(Default)]
struct Parts {
    peer_address: Option<String>,
    last_seen: Option<netwatch_model::Timestamp>,
    connected_since: Option<netwatch_model::Timestamp>,
    cloned_at: Option<netwatch_model::Timestamp>,
    refused: Option<AgentRefused>,
}

impl Parts {
    fn of(standing: Option<&Standing>) -> Self {
        let Some(&Standing { peer, last_seen, connected_since, cloned_at, ref refused, .. }) = standing else {
            return Self::default();
        };
        let refused = refused.clone().map(|(time, message)| AgentRefused { time, message });
        Self { peer_address: peer.map(|peer| peer.to_string()), last_seen, connected_since, cloned_at, refused }
    }
}

/// Labels of both; those that people gave win.
fn together(own: &BTreeMap<String, String>, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    own.iter().chain(given).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "seconds for people")]
fn clock(clock: ClockEstimate) -> AgentClock {
    AgentClock {
        offset_seconds: clock.offset as f64 / 1e9,
        error_seconds: clock.error as f64 / 1e9,
        synchronised: clock.synchronised,
    }
}

fn collector(collector: &registry::Collector) -> AgentCollector {
    AgentCollector {
        name: collector.name.to_string(),
        state: match collector.state {
            registry::CollectorState::Running => CollectorState::Running,
            registry::CollectorState::Degraded => CollectorState::Degraded,
            registry::CollectorState::Failed => CollectorState::Failed,
            registry::CollectorState::Idle => CollectorState::Idle,
        },
        message: Some(collector.message.to_string()).filter(|message| !message.is_empty()),
        items: collector.items,
    }
}

const fn state(state: State) -> AgentState {
    match state {
        State::Online => AgentState::Online,
        State::Stale => AgentState::Stale,
        State::Offline => AgentState::Offline,
        State::Unknown => AgentState::Unknown,
        State::Never => AgentState::Never,
        State::Disabled => AgentState::Disabled,
    }
}

const fn install(install: people::AgentInstall) -> AgentInstall {
    match install {
        people::AgentInstall::Plain => AgentInstall::Plain,
        people::AgentInstall::Package => AgentInstall::Package,
        people::AgentInstall::Container => AgentInstall::Container,
    }
}
