//! `GET /api/v1/network-map`: the last trace of every probe and agent as one graph.

use netwatch_model::Timestamp;
use netwatch_model::people::ProbeId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ProbeState;

/// `GET /api/v1/network-map`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MapQuery {
    /// Only traces of this probe.
    pub probe: Option<String>,
    /// Only traces of this agent, 16 hexadecimal digits.
    pub agent: Option<String>,
    /// Only traces with this text in the name or target of the probe, the agent, or the address or name of a hop.
    pub search: Option<String>,
}

/// The last traces as one graph.
///
/// Ids of nodes are made of what they stand for: the same node has the same id in every answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NetworkMap {
    /// When the answer was made.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Agents, hops, stretches that are silent, and targets, by id.
    #[schema(max_items = 1500)]
    pub nodes: Vec<MapNode>,
    /// Which node follows which, by ids.
    #[schema(max_items = 6000)]
    pub edges: Vec<MapEdge>,
    /// The traces, those of bad state first.
    #[schema(max_items = 1000)]
    pub traces: Vec<MapTrace>,
    /// Autonomous systems that nodes belong to, by number.
    pub systems: Vec<MapSystem>,
    /// Traces that fit the question and found no room here.
    pub left_out: u32,
    /// Probes that are on and have no trace at any agent.
    pub untraced: u32,
    /// Pairs of probe and agent whose routes are not watched for changes, because there are too many.
    pub unwatched: u64,
}

/// What a node stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MapNodeKind {
    /// Where traces begin.
    Agent,
    /// A router that answers.
    Hop,
    /// Hops that do not answer, between two that do.
    Silent,
    /// What is measured.
    Target,
}

/// A place of the network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MapNode {
    /// The same in every answer.
    pub id: String,
    /// What it stands for. A target that is also a hop of other traces is a target.
    pub kind: MapNodeKind,
    /// Its address; absent for agents, silent hops and targets that were not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its name: of an agent, or by reverse lookup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The agent, 16 hexadecimal digits: of an agent, or of a target whose address one agent measures from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// How probes call the target, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(max_items = 8)]
    pub targets: Vec<String>,
    /// How many hops are silent; absent where nobody knows, behind the last hop that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent: Option<u32>,
    /// Hops from the nearest agent.
    pub distance: u32,
    /// How it stands by traces that are not old; `unknown` when all are.
    pub state: ProbeState,
    /// Share of packets lost, 0 to 1. Of a hop: of the trace that passes it best, and only what all later hops lose too. Of a
    /// target: of its worst trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Mean round-trip time over all answers, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt: Option<f64>,
    /// The shortest, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_min: Option<f64>,
    /// Packets that ended here.
    pub sent: u64,
    /// Those that it answered. What it does not answer is not lost when later hops answer.
    pub answered: u64,
    /// It answers less than later hops do.
    pub rate_limited: bool,
    /// Number of its autonomous system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// The name of its range of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Traces that pass it.
    pub traces: u32,
}

/// Two nodes that follow each other.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MapEdge {
    /// The id of the nearer node.
    pub from: String,
    /// The id of the farther node.
    pub to: String,
    /// By the loss between the two.
    pub state: ProbeState,
    /// Share of the packets that came to the nearer node and did not come to the farther one, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Share of what leaves the nearer node that goes here, 0 to 1: below 1 where traces part or a router balances.
    pub share: f64,
    /// Traces that go here.
    pub traces: u32,
}

/// The last trace of a probe at an agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MapTrace {
    /// The probe.
    #[schema(value_type = String)]
    pub probe: ProbeId,
    /// What it is called.
    pub name: String,
    /// The agent, 16 hexadecimal digits.
    pub agent: String,
    /// What is measured.
    pub target: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// It says nothing about now: newer ones should have come, or a bad run added it an hour ago or earlier.
    pub old: bool,
    /// How it went.
    pub state: ProbeState,
    /// Share of packets to the target that it did not answer.
    pub loss: f64,
    /// Mean round-trip time of the target, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt: Option<f64>,
    /// Its paths, the one with the most answers first.
    #[schema(max_items = 16)]
    pub paths: Vec<MapPath>,
}

/// A path of a trace.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MapPath {
    /// Its identity: the same for the same sequence of hops.
    pub id: String,
    /// Share of the trace's packets that take it, 0 to 1.
    pub share: f64,
    /// Ids of the nodes from the agent to the target.
    pub nodes: Vec<String>,
}

/// An autonomous system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MapSystem {
    /// Its number.
    pub asn: u32,
    /// Who runs it, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
