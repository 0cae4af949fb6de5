//! Probes of the workspace of the request: `/api/v1/probes`, their results and how they stand.

pub mod map;
pub mod networks;
pub mod voice;

use netwatch_model::Timestamp;
use netwatch_model::people::{AgentSelector, ProbeId};
use netwatch_model::probe::metric::Unit;
use netwatch_model::probe::{ProbeKind, ProbeResult, ProbeSpec};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A probe.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    /// Identity.
    #[schema(value_type = String)]
    pub id: ProbeId,
    /// What it is called.
    pub name: String,
    /// What is measured. Options that are secret are left out.
    pub spec: ProbeSpec,
    /// Names of the secret options that are set.
    pub secrets: Vec<String>,
    /// Which agents run it.
    pub agents: AgentSelector,
    /// Whether it runs.
    pub enabled: bool,
    /// In which share of the time it should be up, 0 to 1; null: there is no objective.
    pub objective: Option<f64>,
    /// So many agents must say that it is down; null: more than half of those that know.
    pub quorum: Option<u32>,
    /// How it stands over all agents; null when it never ran, or does not run.
    pub state: Option<ProbeState>,
    /// Whether it is in maintenance now: it goes on measuring.
    pub maintenance: bool,
    /// Grows by one with every change, from 1.
    pub revision: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The file that declares it: it is changed there alone.
    pub managed_by: Option<String>,
    /// How it stands at each agent that runs it.
    pub status: Vec<ProbeStatus>,
    /// Agents that were to run it and leave it out, 16 hexadecimal digits each: their versions cannot keep it within the networks that the
    /// workspace measures. They run it once they are updated.
    pub left_out: Vec<String>,
}

/// How a run went, or how a probe stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeState {
    /// It succeeded.
    Up,
    /// It succeeded, with loss of 5 per cent or more.
    Degraded,
    /// It failed.
    Down,
    /// It says nothing about the target: forbidden, no right, no such interface.
    Unknown,
}

/// How a probe stands at one agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProbeStatus {
    /// The agent, 16 hexadecimal digits.
    pub agent: String,
    /// How the last run went.
    pub state: ProbeState,
    /// When the last run began.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Why the last run did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Loss of the last run, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Median round-trip time of the last run or time of its answer, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<f64>,
    /// The last runs, oldest first.
    #[schema(max_items = 40)]
    pub runs: Vec<ProbeRunBar>,
}

/// One run, as a bar shows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProbeRunBar {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// How it went.
    pub state: ProbeState,
    /// Loss, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Median round-trip time or time of the answer, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<f64>,
}

/// `GET /api/v1/probes`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProbesQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// Only those with this text in name or target.
    pub search: Option<String>,
    /// Only those of which this agent has results, 16 hexadecimal digits.
    pub agent: Option<String>,
    /// Only those that stand so over all their agents.
    #[param(inline)]
    pub state: Option<ProbeStanding>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those with this label: `name=value`.
    pub label: Option<String>,
    /// In which order. Default `name`.
    #[param(inline)]
    pub sort: Option<ProbeSort>,
}

/// How a probe stands, for choosing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeStanding {
    /// It succeeds.
    Up,
    /// It succeeds, with loss.
    Degraded,
    /// It fails.
    Down,
    /// Its runs say nothing about the target.
    Unknown,
    /// It has not run yet.
    Waiting,
    /// It does not run.
    Paused,
    /// It is in maintenance, however it stands.
    Maintenance,
}

/// In which order probes are listed; of equals, by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeSort {
    /// By name.
    #[default]
    Name,
    /// Those that fail first, then those with loss.
    State,
    /// The greatest loss first.
    Loss,
    /// The longest response first.
    Response,
    /// By kind.
    Kind,
    /// By target.
    Target,
}

/// `POST /api/v1/probes`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeCreate {
    /// What it is called, 1 to 100 characters, unique in the workspace.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What is measured; what is left out has the default of its kind.
    pub spec: ProbeDraft,
    /// Which agents run it. Default: the server's own.
    #[serde(default)]
    pub agents: AgentSelector,
    /// Whether it runs. Default: it does.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// In which share of the time it should be up, more than 0 and less than 1. Default: there is no objective.
    #[serde(default)]
    pub objective: Option<f64>,
    /// So many agents must say that it is down, 1 to 1000. Default: more than half of those that know.
    #[serde(default)]
    pub quorum: Option<u32>,
}

/// `PATCH /api/v1/probes/{probe}`: fields that are left out stay as they are.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbePatch {
    /// What it is called, 1 to 100 characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// What is measured, whole. Secret options that are left out stay as they are, an empty text removes one.
    #[serde(default)]
    pub spec: Option<ProbeDraft>,
    /// Which agents run it.
    #[serde(default)]
    pub agents: Option<AgentSelector>,
    /// Whether it runs.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// In which share of the time it should be up, more than 0 and less than 1; 0 removes the objective.
    #[serde(default)]
    pub objective: Option<f64>,
    /// So many agents must say that it is down, 1 to 1000; 0: more than half of those that know.
    #[serde(default)]
    pub quorum: Option<u32>,
}

/// What to measure; what is left out has the default of its kind. See [`ProbeSpec`] for the meaning of each field.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeDraft {
    /// How.
    pub kind: ProbeKind,
    /// What.
    #[schema(max_length = 2048)]
    pub target: String,
    /// Seconds from one run to the next, 1 to 86400.
    #[serde(default)]
    pub interval: Option<f64>,
    /// Seconds that an answer is waited for.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// Packets, queries or cycles of a run, 1 to 10000.
    #[serde(default)]
    pub count: Option<u32>,
    /// Seconds from one packet of a run to the next.
    #[serde(default)]
    pub spacing: Option<f64>,
    /// An interface or address of the agent.
    #[serde(default)]
    pub source: Option<String>,
    /// Which addresses of a name.
    #[serde(default)]
    pub family: Option<netwatch_model::probe::Family>,
    /// Differentiated services code point, 0 to 63.
    #[serde(default)]
    pub dscp: Option<u8>,
    /// What the kind can be told: see `GET /api/v1/probe-kinds`.
    #[serde(default)]
    pub options: netwatch_model::probe::Options,
    /// Names and values, at most 16.
    #[serde(default)]
    pub labels: std::collections::BTreeMap<String, String>,
}

/// `GET /api/v1/probes/{probe}/results`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ResultsQuery {
    /// Runs that began then or later: RFC 3339, or as `now-24h`. Default `now-24h`.
    pub from: Option<String>,
    /// Runs that began before. Default `now`.
    pub to: Option<String>,
    /// Of this agent only, 16 hexadecimal digits.
    pub agent: Option<String>,
    /// Of this kind only: `mtr` gives the traces that were added when a run was bad.
    pub kind: Option<String>,
    /// Only those that failed.
    pub failed: Option<bool>,
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
}

/// `POST /api/v1/probes/run`: measures once, now, and keeps nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// What to measure. A run may take at most 60 seconds.
    pub spec: ProbeDraft,
    /// The agent that measures, 16 hexadecimal digits; the server's own when there is none. At most one for now: one answer has one result.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub agents: Vec<String>,
    /// A saved probe whose secret options are used where `spec` leaves them out; everything else of it that says what is sent where must be
    /// that of the probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
}

/// What a measurement on demand gave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProbeRun {
    /// What was asked for; to another agent, which of its addresses reach it.
    #[serde(flatten)]
    pub result: ProbeResult,
    /// What else was measured to another agent, and by it: traces, pings and simulated traffic.
    pub parts: Vec<ProbeRunPart>,
}

/// A measurement of those to another agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProbeRunPart {
    /// The agent that measures, 16 hexadecimal digits: the one that was asked, or the target on the way back.
    pub agent: String,
    /// How.
    pub kind: ProbeKind,
    /// What came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ProbeResult>,
    /// Why nothing was measured, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A kind of probe: everything that a form needs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KindDescription {
    /// Its name.
    pub kind: ProbeKind,
    /// For people, one sentence.
    pub help: String,
    /// `host`, `host_port`, `url`, `agent`, or `own` for the agent's own host.
    pub target: String,
    /// Whether the target may be an agent: its id, 16 hexadecimal digits.
    pub agent_target: bool,
    /// The port when none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Seconds between runs when nothing is said.
    pub interval: f64,
    /// The least of them.
    pub least_interval: f64,
    /// Seconds that an answer is waited for when nothing is said.
    pub timeout: f64,
    /// Packets, queries or cycles of a run when nothing is said.
    pub count: u32,
    /// Seconds between them.
    pub spacing: f64,
    /// What else it can be told.
    pub options: Vec<OptionDescription>,
    /// The numbers that it gives, besides success and duration.
    pub metrics: Vec<MetricDescription>,
}

/// An option of a kind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OptionDescription {
    /// Its name.
    pub name: String,
    /// For people, with the unit.
    pub help: String,
    /// `flag`, `whole`, `seconds`, `text`, `secret`, `choice` or `texts`.
    pub form: String,
    /// The least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The words of a choice.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub choices: Vec<String>,
    /// When nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<netwatch_model::probe::OptionValue>,
}

/// A number that probes give.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MetricDescription {
    /// Its name, as series have it.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// For people.
    pub help: String,
}

/// How every agent reaches every target.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Matrix {
    /// Targets, by name.
    pub targets: Vec<String>,
    /// Agents, 16 hexadecimal digits.
    pub agents: Vec<String>,
    /// What is known of a pair; pairs without probe are left out.
    #[schema(max_items = 20000)]
    pub cells: Vec<MatrixCell>,
}

/// How an agent reaches a target: the worst of all probes between them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MatrixCell {
    /// The agent.
    pub agent: String,
    /// The target: a host, without port or path.
    pub target: String,
    /// The worst state.
    pub state: ProbeState,
    /// Every probe by ICMP fails, and another one does not: ICMP is blocked on the way.
    pub blocked: bool,
    /// The greatest loss, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// The longest response, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<f64>,
    /// The probes.
    #[schema(value_type = Vec<String>)]
    pub probes: Vec<ProbeId>,
}

/// `GET /api/v1/probes/{probe}/heatmap`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct HeatmapQuery {
    /// Runs that began then or later: RFC 3339, or so long ago as `-24h`. Default `-24h`.
    pub from: Option<String>,
    /// Runs that began before. Default `now`.
    pub to: Option<String>,
    /// Length of a step, seconds: at most 1000 steps. Default: so long that there are at most 200.
    #[param(minimum = 1, maximum = 2678400)]
    pub step: Option<u32>,
    /// Of this agent only, 16 hexadecimal digits. Default: of all.
    pub agent: Option<String>,
}

/// What a heatmap is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeatSource {
    /// The delays of the packets of each run (21 quantiles of each).
    Packets,
    /// One delay of each run.
    Runs,
    /// The mean of the delays of the runs of a minute, or of an hour where minutes are kept no more.
    Rollups,
}

/// Delays over time, by size.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Heatmap {
    /// Start of the first step.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Length of a step, seconds.
    pub step: f64,
    /// What it is made of.
    pub source: HeatSource,
    /// Bounds of the bins, seconds, each the same multiple of the one before: one more than there are bins; none without delays.
    #[schema(max_items = 65)]
    pub bounds: Vec<f64>,
    /// Which quantiles each step has, 0 to 1.
    pub quantiles: Vec<f64>,
    /// One for each step.
    #[schema(max_items = 1000)]
    pub steps: Vec<HeatStep>,
}

/// One step of a heatmap.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct HeatStep {
    /// Runs that say something about the target.
    pub runs: u32,
    /// Their mean loss, 0 to 1; of kinds without loss, the share that failed. Null without runs.
    pub loss: Option<f64>,
    /// How many delays lie in each bin; empty without delays.
    pub counts: Vec<u32>,
    /// The delays at the quantiles, seconds; empty without delays.
    pub delays: Vec<f64>,
}
