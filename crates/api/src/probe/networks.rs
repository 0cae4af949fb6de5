//! Which networks probes may measure: `/api/v1/probe-networks`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which networks probes of the workspace may measure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProbeNetworks {
    /// Only these; all that the server allows when it is empty.
    #[schema(max_items = 256)]
    pub only: Vec<String>,
    /// None of these, whatever else is said.
    #[schema(max_items = 256)]
    pub deny: Vec<String>,
    /// What bounds every workspace.
    pub site: SiteNetworks,
    /// The file that owns them; then they cannot be edited but there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

/// What the configuration of the server says of all workspaces. Public addresses are allowed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SiteNetworks {
    /// Networks that may be measured although they are not public.
    pub allow: Vec<String>,
    /// Networks that may not be measured, whatever else is said.
    pub deny: Vec<String>,
}

/// Other networks for the probes of the workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeNetworksPut {
    /// Only these, as `192.0.2.0/24` or one address; all that the server allows when it is empty.
    #[serde(default)]
    #[schema(max_items = 256)]
    pub only: Vec<String>,
    /// None of these, whatever else is said.
    #[serde(default)]
    #[schema(max_items = 256)]
    pub deny: Vec<String>,
}
