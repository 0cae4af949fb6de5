//! The interfaces (and capture files) that are captured.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether frames arrive from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureState {
    /// Frames are captured.
    Capturing,
    /// It is down or gone; capture resumes by itself.
    Interrupted,
    /// Netwatch may not capture here.
    Denied,
    /// A capture file that was read to its end, or capture was stopped.
    Ended,
}

/// One capture point.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Interface {
    /// Interface name, or file name.
    pub name: String,
    /// Whether frames arrive.
    pub state: CaptureState,
    /// Why it does not capture, and what to do.
    pub detail: Option<String>,
    /// Frames received since start.
    pub frames: u64,
    /// Layer-2 octets received by the interface since start.
    pub octets_in: u64,
    /// Layer-2 octets sent since start.
    pub octets_out: u64,
    /// Packets received by the interface since start.
    pub packets_in: u64,
    /// Packets sent since start.
    pub packets_out: u64,
    /// Octets a second now, received (last full second).
    pub rate_in: u64,
    /// Octets a second now, sent.
    pub rate_out: u64,
    /// Frames dropped by the kernel since start.
    pub kernel_drops: u64,
    /// Largest fill of the ring in the last second, 0 to 1.
    pub ring_fill: f64,
    /// When the last frame-carrying sample arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
}

/// `GET /api/v1/interfaces`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Interfaces {
    /// In the order of the configuration.
    pub items: Vec<Interface>,
}
