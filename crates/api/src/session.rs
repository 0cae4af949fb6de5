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

/// `POST /api/v1/session/code`: a new one-time code, for the holder of the token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// 32 hexadecimal digits; the link is `http://ADDRESS/start#CODE`.
    pub code: String,
    /// Seconds for which it can be used.
    pub valid_for: u64,
}
