//! Errors as RFC 9457 problem details with stable codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, as a word that programs can rely on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// 400: a parameter or body has a wrong value; `parameter` names it.
    InvalidParameter,
    /// 400: the filter text is wrong; `position` tells where (byte offset) and `length` how far.
    InvalidFilter,
    /// 400: the cursor is not one that this server gave.
    InvalidCursor,
    /// 401: no session and no token, or an unknown one.
    Unauthenticated,
    /// 403: Origin or Host is not allowed, or the permission is missing.
    Forbidden,
    /// 404: no such route or object.
    NotFound,
    /// 405: the route exists, but not with this method.
    MethodNotAllowed,
    /// 410: the cursor's snapshot, or the one-time code, is gone.
    Gone,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body must be JSON.
    UnsupportedMediaType,
    /// 429: too many requests; `Retry-After` tells when to come again.
    TooManyRequests,
    /// 500: a defect of ours; the log has the cause.
    Internal,
    /// 503: not ready, or overloaded.
    Unavailable,
}

impl ProblemCode {
    /// The HTTP status of the code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidParameter | Self::InvalidFilter | Self::InvalidCursor => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// A short human title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidParameter => "Invalid parameter",
            Self::InvalidFilter => "Invalid filter",
            Self::InvalidCursor => "Invalid cursor",
            Self::Unauthenticated => "Sign-in needed",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Gone => "Gone",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "Internal error",
            Self::Unavailable => "Unavailable",
        }
    }
}

/// A problem document (`application/problem+json`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:netwatch:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short title of the code.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: ProblemCode,
    /// What happened, to what, and what to do.
    pub detail: String,
    /// The parameter or field at fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameter: Option<String>,
    /// Byte offset of the fault in a filter text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<u32>,
    /// Length in bytes of the fault in a filter text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub length: Option<u32>,
}

impl Problem {
    /// A problem of that code.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let word = serde_json::to_value(code).ok();
        let word = word.as_ref().and_then(|v| v.as_str()).unwrap_or("internal");
        Self {
            kind: format!("urn:netwatch:problem:{word}"),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: detail.into(),
            parameter: None,
            position: None,
            length: None,
        }
    }

    /// Names the parameter at fault.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>) -> Self {
        self.parameter = Some(name.into());
        self
    }

    /// Points into the filter text.
    #[must_use]
    pub const fn at(mut self, position: u32, length: u32) -> Self {
        self.position = Some(position);
        self.length = Some(length);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_an_rfc_9457_document() {
        let json = serde_json::to_value(Problem::new(ProblemCode::InvalidFilter, "x").at(3, 2)).unwrap();
        assert_eq!(json["type"], "urn:netwatch:problem:invalid_filter");
        assert_eq!(json["status"], 400);
        assert_eq!(json["position"], 3);
        assert!(json.get("parameter").is_none());
    }
}
