//! Errors as RFC 9457 problem details with stable codes.
//!
//! All codes stand in one list, from which the type, the statuses, the titles and the table of the book are made: a code is added in
//! one place. A code is never renamed and never changes its meaning; programs may rely on it, people read `detail`.

mod codes;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use codes::ProblemCode;

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
    /// The parameter, header or field at fault; fields of a body are written as a path (`samples[3].time`).
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
        Self {
            kind: format!("urn:netwatch:problem:{}", code.word()),
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

    #[test]
    fn a_code_is_the_same_word_everywhere() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.word());
            assert!((400..600).contains(&code.status()), "{}", code.word());
            assert!(code.title().len() > 3 && code.meaning().len() > 10, "{}", code.word());
        }
    }
}
