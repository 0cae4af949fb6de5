//! What can be edited, as a file: exported, compared and applied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /api/v1/export`, and the body of `POST /api/v1/apply`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Declarations {
    /// The format: 1.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// Objects by kind: `roles`, `members`, `probes` and others. Each kind has its own fields; the export shows them.
    #[schema(value_type = BTreeMap<String, Vec<Object>>)]
    pub objects: BTreeMap<String, Vec<serde_json::Value>>,
}

/// `POST /api/v1/apply`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ApplyQuery {
    /// Only tell what would change.
    pub dry_run: Option<bool>,
    /// Remove objects of the kinds in the file that a file owned before and that are not in it any more.
    pub prune: Option<bool>,
    /// The name of the file, as it is shown with the objects that it owns. Default `file`.
    #[param(max_length = 200)]
    pub source: Option<String>,
}

/// What became of a file, or would.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApplyReport {
    /// Whether nothing was changed because only the difference was asked for.
    pub dry_run: bool,
    /// What changed, in the order in which it did.
    pub changes: Vec<ObjectChange>,
    /// Objects of the file that were so already.
    pub unchanged: u64,
}

/// What became of one object.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ObjectChange {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What was done.
    pub action: ObjectAction,
    /// The fields that differ, as JSON text.
    pub fields: Vec<FieldChange>,
}

/// What was done with an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectAction {
    /// It was made.
    Create,
    /// It was changed.
    Change,
    /// It was so already, and belongs to the file from now on.
    Adopt,
    /// It was removed.
    Remove,
}

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// Its value before, as JSON; none when the object was made.
    pub before: Option<String>,
    /// Its value after, as JSON; none when the object was removed.
    pub after: Option<String>,
}
