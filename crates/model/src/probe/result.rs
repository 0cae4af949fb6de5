//! What one run of a probe gave.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kind::{Detail, ProbeKind};
use super::metric::{Measure, ProbeMetric};
use crate::id::agent_text;
use crate::people::ProbeId;
use crate::{AgentId, Timestamp, Untrusted};

/// Why a run took place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProbeTrigger)]
pub enum Trigger {
    /// Its interval passed.
    #[default]
    Schedule,
    /// The run before was lossy or slow.
    Burst,
    /// A person or program asked for it.
    Request,
}

/// The kinds of reasons for which a run does not succeed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProbeFailureReason)]
pub enum FailureReason {
    /// No answer within the timeout.
    Timeout,
    /// The name of the target has no address.
    Unresolved,
    /// The target refused the connection.
    Refused,
    /// A router or the system says that the target cannot be reached.
    Unreachable,
    /// The connection was reset or closed too early.
    Reset,
    /// The TLS handshake or the certificate.
    Tls,
    /// The answer is not what the probe expects.
    Unexpected,
    /// The answer does not follow its protocol.
    Malformed,
    /// The policy of the workspace does not allow the target.
    Forbidden,
    /// The agent has no right to do this.
    NoRight,
    /// The interface or address that it should start from does not exist or is down.
    Source,
    /// The agent itself failed: no descriptor left, no thread.
    Agent,
}

impl FailureReason {
    /// Whether it says nothing about the target: the state is unknown, not down.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::Forbidden | Self::NoRight | Self::Source | Self::Agent)
    }
}

/// Why a run did not succeed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ProbeFailure)]
pub struct Failure {
    /// For programs.
    pub reason: FailureReason,
    /// For people: what happened to what, and what to do.
    #[schema(value_type = String)]
    pub message: Untrusted,
}

impl Failure {
    /// A reason with its message.
    #[must_use]
    pub fn new(reason: FailureReason, message: &str) -> Self {
        Self { reason, message: Untrusted::message(message) }
    }
}

/// What one run of a probe gave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProbeResult {
    /// Of which probe; absent for a one-shot, which nobody keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub probe: Option<ProbeId>,
    /// The agent that ran it, 16 hexadecimal digits.
    #[serde(with = "agent_text")]
    #[schema(value_type = String)]
    pub agent: AgentId,
    /// How it measured.
    pub kind: ProbeKind,
    /// What was asked for, as written.
    pub target: String,
    /// The address that was measured, once it is known.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// The address that packets left from, when it is known.
    #[schema(value_type = Option<String>)]
    pub source: Option<IpAddr>,
    /// When it should have begun.
    #[schema(value_type = String, format = DateTime)]
    pub scheduled: Timestamp,
    /// When it began, by the agent's clock; never rewritten.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// How long it took, seconds.
    pub duration: f64,
    /// Why it took place.
    pub trigger: Trigger,
    /// It began later than a tenth of its interval after its time. Its numbers count all the same.
    pub late: bool,
    /// Why it did not succeed; absent when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What its kind measured; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
}

impl ProbeResult {
    /// Whether the target answered as it must.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.failure.is_none()
    }

    /// The numbers of this run. A run that says nothing about the target has none.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        if self.failure.as_ref().is_some_and(|failure| failure.reason.is_unknown()) {
            return Vec::new();
        }
        let mut measures = Vec::new();
        if !self.kind.is_built_in() {
            let success = if self.is_success() { 1.0 } else { 0.0 };
            measures.push(Measure::new(ProbeMetric::Success, success));
            measures.push(Measure::new(ProbeMetric::Duration, self.duration));
        }
        if let Some(detail) = &self.detail {
            detail.measure(&mut measures);
        }
        measures
    }
}
