//! What the server counts of agents.

use netwatch_telemetry::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Unit;

use super::registry::State;

/// Why something of an agent was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Refusal {
    /// Too many connections.
    Connections,
    /// No TLS 1.3, no certificate, or too slow.
    Handshake,
    /// A key that is no agent's.
    UnknownKey,
    /// A disabled agent.
    Disabled,
    /// A cloned agent.
    Cloned,
    /// An agent that speaks no version of the protocol that the server speaks.
    Incompatible,
    /// An unknown, used or expired token.
    Token,
    /// Too many enrolments from one address.
    Rate,
    /// A batch that cannot be read.
    Batch,
    /// Results of probes of others.
    Foreign,
    /// Records of a kind that is not taken.
    Unwanted,
    /// The log took nothing.
    Log,
}

impl Refusal {
    const fn word(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshake => "handshake",
            Self::UnknownKey => "unknown_key",
            Self::Disabled => "disabled",
            Self::Cloned => "cloned",
            Self::Incompatible => "incompatible",
            Self::Token => "token",
            Self::Rate => "rate",
            Self::Batch => "batch",
            Self::Foreign => "foreign_records",
            Self::Unwanted => "unwanted_records",
            Self::Log => "log",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// The counters of agents. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct AgentMetrics {
    agents: Family<StateLabels, Gauge>,
    refused: Family<ReasonLabels, Counter>,
    /// Open sessions.
    pub(crate) sessions: Gauge,
    /// Sessions that began.
    pub(crate) opened: Counter,
    /// Agents that came in by a token.
    pub(crate) enrolled: Counter,
    /// Batches that were acknowledged.
    pub(crate) batches: Counter,
    /// Records in them.
    pub(crate) records: Counter,
    /// Bytes of them.
    pub(crate) bytes: Counter,
    /// Commits of the log that they needed.
    pub(crate) commits: Counter,
}

impl AgentMetrics {
    /// Registers the metrics of agents; once for each registry.
    pub(crate) fn register(metrics: &mut Metrics) -> Self {
        let made = Self::default();
        let agents = metrics.registry_mut().sub_registry_with_prefix("agents");
        agents.register("known", "Agents by how they stand", made.agents.clone());
        agents.register("sessions", "Open sessions of agents", made.sessions.clone());
        agents.register("sessions_opened", "Sessions of agents that began", made.opened.clone());
        agents.register("enrolled", "Agents that came in by a token", made.enrolled.clone());
        agents.register("batches", "Batches of agents that were acknowledged", made.batches.clone());
        agents.register("records", "Records of agents that were taken", made.records.clone());
        agents.register_with_unit("received", "Batches of agents, in bytes", Unit::Bytes, made.bytes.clone());
        agents.register("commits", "Commits of the log for batches of agents", made.commits.clone());
        let refused = "Connections, sessions, batches and records of agents that were refused";
        agents.register("refused", refused, made.refused.clone());
        made
    }

    /// Something was refused.
    pub(crate) fn refused(&self, why: Refusal, count: u64) {
        if count > 0 {
            self.refused.get_or_create(&ReasonLabels { reason: why.word() }).inc_by(count);
        }
    }

    /// So many agents stand so.
    pub(crate) fn set_known(&self, of: impl Fn(State) -> u64) {
        for state in State::ALL {
            let count = i64::try_from(of(state)).unwrap_or(i64::MAX);
            self.agents.get_or_create(&StateLabels { state: state.word() }).set(count);
        }
    }
}
