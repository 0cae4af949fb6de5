//! One host: an address and what is known of it.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::traffic::Talker;

/// Query of `GET /api/v1/hosts/{address}`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct HostQuery {
    /// RFC 3339, or relative to now as `-15m`. Default: everything kept.
    pub from: Option<String>,
    /// RFC 3339, `now`, or relative. Default `now`.
    pub to: Option<String>,
}

/// `GET /api/v1/hosts/{address}`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Host {
    /// The address in its shortest form (RFC 5952 for IPv6).
    pub address: String,
    /// Names under which it was seen, most octets first, at most 50.
    pub names: Vec<String>,
    /// Whether the address belongs to the machine that captures.
    pub local: bool,
    /// First packet of the kept flows.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_seen: Option<Timestamp>,
    /// Last packet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
    /// What it carried in the range.
    pub total: Talker,
    /// Whom it talked with, at most 20.
    pub peers: Vec<Talker>,
    /// Which services, at most 20.
    pub ports: Vec<Talker>,
    /// Which applications, at most 20.
    pub applications: Vec<Talker>,
}
