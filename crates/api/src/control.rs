//! Steering the running server: what it logs, and reading its configuration again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET` and `PUT /api/v1/system/log-level`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevel {
    /// A level (`error`, `warn`, `info`, `debug`, `trace`), or parts `module=level` separated by commas.
    #[schema(max_length = 1000, example = "info,netwatch_capture=debug")]
    pub filter: String,
}

/// `POST /api/v1/system/reload`: what reading the configuration again has changed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Reload {
    /// The files that were read, in order.
    pub files: Vec<String>,
    /// Keys with another value than before, in effect now.
    pub applied: Vec<KeyChange>,
    /// Keys with another value than before that wait for a restart.
    pub restart: Vec<KeyChange>,
}

/// A key of the configuration whose value changed. Secrets are written as `(hidden)`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyChange {
    /// `section.name`.
    pub key: String,
    /// The value that was in effect.
    pub before: String,
    /// The value that was read.
    pub after: String,
}
