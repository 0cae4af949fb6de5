//! Names of address ranges.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::flow::Format;

/// An address range with its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressRange {
    /// A network in CIDR notation, or one address.
    pub network: String,
    /// What it is called.
    pub name: String,
}

/// One page of the ranges of a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressRanges {
    /// The ranges, by name.
    pub items: Vec<AddressRange>,
    /// For the next page; null at the end.
    pub next_cursor: Option<String>,
    /// The file that owns all of them; then they cannot be edited but there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

/// `GET /api/v1/address-ranges`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AddressRangesQuery {
    /// Only ranges whose name or network has this text.
    pub search: Option<String>,
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// `json`, or `csv` for all ranges in one file. Default: what `Accept` asks for, else `json`.
    #[param(inline)]
    pub format: Option<Format>,
}

/// `PUT /api/v1/address-ranges`: replaces all ranges of the workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressRangesPut {
    /// Lines of `network,name` (RFC 4180), at most 10 000; empty lines, those that begin with `#`, and a heading are skipped.
    pub csv: String,
}

/// How many ranges there are now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressRangesReport {
    /// Ranges.
    pub ranges: u64,
}
