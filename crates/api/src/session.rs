//! Signing in with the printed link.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/v1/session`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The one-time code of the printed link.
    pub code: String,
}

/// `GET /api/v1/session`: who is asking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// `cookie` or `token`.
    pub method: String,
    /// When the session ends by itself; null for tokens.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}
