//! What a handler answers when it cannot do what was asked: an RFC 9457 problem document.
//!
//! One code for each kind of fault (`ProblemCode`), mapped to a status here and nowhere else. The text is for the one who asked; causes
//! that only we can mend go to the log.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use netwatch_api::{Problem, ProblemCode};
use netwatch_model::filter::FilterError;

use crate::query::QueryError;

/// A problem on its way out.
#[derive(Debug)]
pub(crate) struct Fault {
    problem: Box<Problem>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Fault {
    /// A problem of that code.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// A parameter with a wrong value.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Problem::new(ProblemCode::InvalidParameter, detail).parameter(name).into()
    }

    /// Nobody is signed in: tells how to (RFC 9110, section 11.6.1).
    pub(crate) fn unauthenticated() -> Self {
        let detail = "sign in with the link that `netwatch up` prints, or send `Authorization: Bearer` with the token";
        let challenge = HeaderValue::from_static("Bearer realm=\"netwatch\"");
        Self::new(ProblemCode::Unauthenticated, detail).with(header::WWW_AUTHENTICATE, challenge)
    }

    /// Come again in `seconds`.
    pub(crate) fn too_many(detail: impl Into<String>, seconds: u64) -> Self {
        Self::new(ProblemCode::TooManyRequests, detail).with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Too busy to answer now.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Unavailable, detail).with(header::RETRY_AFTER, HeaderValue::from(1))
    }

    /// Nothing new is taken in now.
    pub(crate) fn read_only(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::ReadOnly, detail).with(header::RETRY_AFTER, HeaderValue::from(60))
    }

    /// The problem as it will be written.
    pub(crate) fn into_problem(self) -> Problem {
        *self.problem
    }

    /// The same fault of a part of something: the part is named before the parameter.
    pub(crate) fn within(mut self, place: &str) -> Self {
        let inner = self.problem.parameter.take();
        self.problem.parameter = Some(inner.map_or_else(|| place.to_owned(), |inner| format!("{place}.{inner}")));
        self
    }

    /// The same fault, saying what it is about.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.problem.detail = format!("{what}: {}", self.problem.detail);
        self
    }

    /// With a header of its own.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), header: None }
    }
}

impl From<FilterError> for Fault {
    fn from(e: FilterError) -> Self {
        let [position, length] = [e.position, e.length].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Problem::new(ProblemCode::InvalidFilter, e.message).parameter("filter").at(position, length).into()
    }
}

impl From<QueryError> for Fault {
    fn from(e: QueryError) -> Self {
        let detail = e.to_string();
        match e {
            QueryError::Cursor(..) => Problem::new(ProblemCode::InvalidCursor, detail).parameter("cursor").into(),
            QueryError::Gone => Problem::new(ProblemCode::Gone, detail).parameter("cursor").into(),
            QueryError::Unsupported { .. } | QueryError::TooCostly { .. } => {
                Self::new(ProblemCode::InvalidParameter, detail)
            }
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }
}
