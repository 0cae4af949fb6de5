//! Checking and completing filters for editors: the server has the only parser.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /api/v1/filter/check`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FilterCheckQuery {
    /// The text.
    pub filter: String,
}

/// The verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FilterCheck {
    /// Whether it can be used.
    pub valid: bool,
    /// The filter in its canonical spelling, when valid.
    pub canonical: Option<String>,
    /// The operands of the outermost `and`, each a filter of its own: the chips of the web app.
    pub terms: Vec<String>,
    /// What is wrong and what to write instead.
    pub error: Option<FilterError>,
}

/// What is wrong with a filter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FilterError {
    /// What is wrong and what to write instead.
    pub message: String,
    /// Byte offset.
    pub position: u32,
    /// Length in bytes, at least 1.
    pub length: u32,
}

/// `GET /api/v1/filter/fields`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FilterFields {
    /// All fields.
    pub items: Vec<FilterField>,
}

/// One field of the filter language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FilterField {
    /// As it is written.
    pub name: String,
    /// `address`, `number`, `bytes`, `duration`, `text`, `word`.
    pub kind: String,
    /// Operators that it takes.
    pub operators: Vec<String>,
    /// One sentence.
    pub description: String,
    /// An example.
    pub example: String,
}
