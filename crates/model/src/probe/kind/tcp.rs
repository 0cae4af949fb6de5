//! TCP: whether, and how soon, a port accepts a connection.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::{Delays, Wilson};

/// All that there is to know of TCP probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "tcp",
    help: "TCP connections: time of the handshake, or why there is none (RFC 9293)",
    target: TargetForm::HostPort { port: None },
    interval: 60.0,
    least_interval: 1.0,
    timeout: 5.0,
    count: 1,
    spacing: 1.0,
    options: &[],
    metrics: &[M::Lookup, M::Connect, M::Loss],
};

/// What connections gave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Tcp {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Connections tried.
    pub tried: u32,
    /// Connections made.
    pub connected: u32,
    /// Where the true share of failures lies with 95 per cent certainty.
    pub loss_interval: Wilson,
    /// Seconds of the handshake (SYN to SYN-ACK, as connect(2) sees it); absent when none was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Delays>,
}

impl Tcp {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        out.extend(self.connect.as_ref().map(|connect| Measure::new(M::Connect, connect.median)));
        let failed = self.tried.saturating_sub(self.connected);
        out.push(Measure::new(M::Loss, f64::from(failed) / f64::from(self.tried.max(1))));
    }
}
