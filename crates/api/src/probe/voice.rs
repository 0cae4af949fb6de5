//! How calls would sound: voice quality of each way between an agent and a target.

use netwatch_model::Timestamp;
use netwatch_model::people::ProbeId;
use netwatch_model::probe::ProbeKind;
use netwatch_model::probe::kind::simulation::Voice;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /api/v1/probe-voice`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct VoiceQuery {
    /// As if calls used this codec: `g711-plc`, `g711`, `g729a`, `g723.1` or `gsm-efr`. Default: the one of each probe.
    pub codec: Option<String>,
    /// Only those with this text in name or target of the probe.
    pub search: Option<String>,
    /// Rows, 1 to 1000. Default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// Ways of calls, the worst first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VoiceList {
    /// The worst of them.
    #[schema(max_items = 1000)]
    pub items: Vec<VoicePath>,
    /// How many there are.
    pub count: u64,
    /// R of a connection without delay, loss or coding, from which the factors of each way are taken (G.107: 93.2).
    pub best: f64,
}

/// Which way packets go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoiceWay {
    /// From the agent to the target.
    Forward,
    /// From the target to the agent.
    Reverse,
    /// Both: the probe does not tell them apart, and the figures are an estimate.
    RoundTrip,
}

/// One way between an agent and a target, by the last run of a probe.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VoicePath {
    /// The probe that measured it.
    #[schema(value_type = String)]
    pub probe: ProbeId,
    /// What the probe is called.
    pub name: String,
    /// The agent, 16 hexadecimal digits.
    pub agent: String,
    /// The target: a host, without port.
    pub target: String,
    /// How it was measured.
    pub kind: ProbeKind,
    /// Which way.
    pub way: VoiceWay,
    /// When the run began.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Packets lost on the way, as a share. Of a round trip: lost on either way.
    pub loss: f64,
    /// Median delay of the way, seconds; of a round trip, half of it. Absent when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<f64>,
    /// Interarrival jitter, seconds (RFC 3550).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
    /// Runs of lost packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bursts: Option<u32>,
    /// The longest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_burst: Option<u32>,
    /// Voice quality with the codec that was asked for.
    pub voice: Voice,
    /// What the codec takes from R without any loss (Ie).
    pub codec_impairment: f64,
    /// What loss takes from R with this codec (Ie,eff − Ie).
    pub loss_impairment: f64,
}
