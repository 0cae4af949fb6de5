//! Windows of maintenance: `/api/v1/maintenance`.

use netwatch_model::Timestamp;
use netwatch_model::people::MaintenanceId;
use netwatch_model::probe::{Schedule, Selection};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A window of maintenance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Maintenance {
    /// Identity.
    #[schema(value_type = String)]
    pub id: MaintenanceId,
    /// What it is called.
    pub name: String,
    /// Which probes.
    pub selection: Selection,
    /// When.
    pub schedule: Schedule,
    /// How many probes that is now.
    pub probes: u64,
    /// Whether it is now.
    pub active: bool,
    /// The window that is now, or the next one; null when there is none any more.
    pub next: Option<MaintenanceWindow>,
    /// Grows by one with every change, from 1.
    pub revision: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The file that declares it: it is changed there alone.
    pub managed_by: Option<String>,
}

/// One occurrence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MaintenanceWindow {
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    pub end: Timestamp,
}

/// `GET /api/v1/maintenance`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MaintenancesQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// Only those with this text in their name.
    pub search: Option<String>,
}

/// `POST /api/v1/maintenance`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceCreate {
    /// What it is called, 1 to 100 characters, unique in the workspace.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Which probes.
    pub selection: Selection,
    /// When.
    pub schedule: Schedule,
}

/// `PATCH /api/v1/maintenance/{maintenance}`: fields that are left out stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenancePatch {
    /// What it is called, 1 to 100 characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Which probes, whole.
    #[serde(default)]
    pub selection: Option<Selection>,
    /// When, whole.
    #[serde(default)]
    pub schedule: Option<Schedule>,
}
