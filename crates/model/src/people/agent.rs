//! Agents as a workspace keeps them, and the tokens by which they come in.
//!
//! An agent is known by its key alone: [`Agent::key`] is the SHA-256 of its SubjectPublicKeyInfo. What it says of itself and when it was
//! heard of are kept apart ([`AgentSeen`]), so that a heartbeat is no change of what people edit.
//!
//! Limits: [`Agent::MAX_PER_WORKSPACE`] agents, [`MAX_LABELS`](crate::probe::spec::MAX_LABELS) labels of an agent.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{EnrolmentTokenId, UserId, WorkspaceId};
use super::text::DisplayName;
use super::words::words;
use crate::id::{agent_text, agent_texts};
use crate::{AgentId, Timestamp, Untrusted};

words! {
    /// How an agent came to be.
    pub enum AgentOrigin ("origin of an agent") {
        /// It is the server's own, in the same process.
        Local = "local",
        /// It came in by a token.
        Enrolled = "enrolled",
    }
}

words! {
    /// How the program of an agent was installed.
    pub enum AgentInstall ("kind of installation") {
        /// A file that may replace itself.
        Plain = "plain",
        /// By a package manager.
        Package = "package",
        /// In a container.
        Container = "container",
    }
}

/// A place from which Netwatch observes. It goes with the workspace.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Its identity.
    #[serde(with = "agent_text")]
    pub id: AgentId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// What it is called; unique in the workspace.
    pub name: DisplayName,
    /// How it came to be.
    pub origin: AgentOrigin,
    /// SHA-256 of the SubjectPublicKeyInfo of its key; none for the server's own.
    pub key: Option<Digest>,
    /// Whether it may come in.
    pub enabled: bool,
    /// Whether all workspaces may name it in their probes.
    pub global: bool,
    /// For selection.
    pub labels: BTreeMap<String, String>,
    /// With which others it is shown.
    pub group: Option<DisplayName>,
    /// Where it stands.
    pub location: Option<Location>,
    /// When it was made.
    pub created: Timestamp,
}

impl Agent {
    /// Agents of one workspace.
    pub const MAX_PER_WORKSPACE: u64 = 5_000;
    /// The server's own agent.
    pub const OWN: AgentId = AgentId(1);
}

/// Where an agent stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentLocation)]
pub struct Location {
    /// A place, as people call it, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// Degrees north, -90 to 90 (WGS 84).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east, -180 to 180.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
}

impl Location {
    /// What is wrong with it, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let within = |degrees: Option<f64>, most: f64| degrees.is_none_or(|d| d.is_finite() && d.abs() <= most);
        if self.name.as_ref().is_some_and(|name| name.chars().count() > 100) {
            return Some("the name of a location has at most 100 characters");
        }
        if !within(self.latitude, 90.0) || !within(self.longitude, 180.0) {
            return Some("a latitude is -90 to 90 degrees, a longitude -180 to 180");
        }
        (self.latitude.is_some() != self.longitude.is_some()).then_some("latitude and longitude stand together")
    }
}

/// What an agent says of itself. All of it is untrusted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentInfo {
    /// Version of its program.
    pub version: Untrusted,
    /// Name of its host.
    pub hostname: Untrusted,
    /// Operating system.
    pub os: Untrusted,
    /// Architecture.
    pub arch: Untrusted,
    /// How its program was installed.
    pub install: Option<AgentInstall>,
    /// UDP port of its reflector (RFC 8762).
    pub reflector_port: Option<u16>,
    /// Whether that tells senders apart by their keys.
    #[serde(default)]
    pub keyed_reflector: bool,
    /// TCP and UDP port at which it serves throughput tests when it is asked to.
    #[serde(default)]
    pub throughput_port: Option<u16>,
    /// Whether it keeps probes within the networks that their workspaces measure; of another version, it leaves such probes out.
    #[serde(default)]
    pub narrows: bool,
    /// Addresses of its interfaces, best first.
    pub addresses: Vec<std::net::IpAddr>,
    /// From its own configuration.
    pub labels: BTreeMap<String, String>,
    /// Kinds of probes that it can run.
    pub kinds: Vec<Untrusted>,
}

/// When and how an agent was heard of last. It goes with the agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSeen {
    /// Which agent.
    #[serde(with = "agent_text")]
    pub agent: AgentId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// By the server's clock, to within a minute.
    pub last_seen: Timestamp,
    /// What it said of itself.
    pub info: AgentInfo,
    /// From where it came.
    pub peer: Option<std::net::IpAddr>,
    /// When two processes were found to use its key at once.
    pub cloned_at: Option<Timestamp>,
}

/// A token by which one agent can come in: shown once when it is made, stored hashed, used up when it was used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentToken {
    /// Its identity.
    pub id: EnrolmentTokenId,
    /// Into which workspace the agent comes.
    pub workspace: WorkspaceId,
    /// What the agent will be called; its host's name when there is none.
    pub name: Option<DisplayName>,
    /// What the agent will have.
    pub labels: BTreeMap<String, String>,
    /// With which others it will be shown.
    pub group: Option<DisplayName>,
    /// SHA-256 of the secret.
    pub digest: Digest,
    /// Who made it; none for the command line on the machine itself.
    pub by: Option<UserId>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}

impl EnrolmentToken {
    /// Life of a token of which nothing is said.
    pub const LIFE: Duration = Duration::from_secs(3600);
    /// Longest life.
    pub const MAX_LIFE: Duration = Duration::from_secs(7 * 86_400);
    /// Open tokens of one workspace.
    pub const MAX_PER_WORKSPACE: u64 = 1_000;

    /// Whether it can be used.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}

/// Which agents run a probe. Nothing said: the server's own.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSelector {
    /// Every agent of the workspace.
    #[serde(default)]
    pub all: bool,
    /// These, of the workspace or global; 16 hexadecimal digits each.
    #[serde(default, with = "agent_texts")]
    #[schema(value_type = Vec<String>, max_items = 1000)]
    pub ids: Vec<AgentId>,
    /// Those of the workspace that have all these labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

impl AgentSelector {
    /// Agents that can be named.
    pub const MAX_IDS: usize = 1000;

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all && self.ids.is_empty() && self.labels.is_empty()
    }

    /// Whether an agent of the probe's workspace runs it; `has` tells whether the agent has a label.
    pub fn takes(&self, agent: AgentId, has: impl Fn(&str, &str) -> bool) -> bool {
        (self.is_empty() && agent == Agent::OWN)
            || self.all
            || self.names(agent)
            || (!self.labels.is_empty() && self.labels.iter().all(|(name, value)| has(name, value)))
    }

    /// Whether the agent is named: the only way to choose a global one of another workspace.
    #[must_use]
    pub fn names(&self, agent: AgentId) -> bool {
        self.ids.contains(&agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(json: &str) -> AgentSelector {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_selector_takes_what_it_says() {
        let (own, other) = (Agent::OWN, AgentId(0xab));
        let has = |name: &str, value: &str| (name, value) == ("site", "berlin");
        for (json, takes_own, takes_other) in [
            ("{}", true, false),
            (r#"{"all":true}"#, true, true),
            (r#"{"ids":["00000000000000ab"]}"#, false, true),
            (r#"{"labels":{"site":"berlin"}}"#, true, true),
            (r#"{"labels":{"site":"paris"}}"#, false, false),
            (r#"{"labels":{"site":"berlin","rack":"1"}}"#, false, false),
        ] {
            let selector = selector(json);
            assert_eq!((selector.takes(own, has), selector.takes(other, has)), (takes_own, takes_other), "{json}");
            assert_eq!(
                serde_json::from_str::<AgentSelector>(&serde_json::to_string(&selector).unwrap()).unwrap(),
                selector
            );
        }
        assert!(serde_json::from_str::<AgentSelector>(r#"{"ids":["ab"]}"#).is_err());
    }

    #[test]
    fn a_location_is_on_earth() {
        let at = |latitude, longitude| Location { name: None, latitude, longitude }.fault();
        assert_eq!(at(Some(52.5), Some(13.4)), None);
        assert!(
            at(Some(91.0), Some(0.0)).is_some()
                && at(Some(f64::NAN), Some(0.0)).is_some()
                && at(Some(1.0), None).is_some()
        );
    }
}
