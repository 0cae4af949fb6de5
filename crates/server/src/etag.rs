//! Validators and preconditions (RFC 9110, sections 8.8.3 and 13): nobody overwrites what somebody else has changed meanwhile.
//!
//! A route that shows an object answers with its [`ETag`] ([`ETag::tagged`]); a route that changes or removes it takes
//! [`Preconditions`] and calls [`Preconditions::require`] with the tag of what it has now, in the same transaction as the change.
//! Without `If-Match` the answer is 428, with another tag 412; `If-Match: *` means "whatever it is now".
//!
//! Limits: 16 tags in one header; more are as good as none of them.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use netwatch_api::{Problem, ProblemCode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::app::to_json;
use crate::fault::Fault;

/// Most tags that are read of one header.
const MAX_TAGS: usize = 16;

/// A strong validator: the same tag means the same bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ETag(String);

impl ETag {
    /// Of an object that counts its changes. `kind` keeps objects of different kinds apart.
    pub(crate) fn of_version(kind: &str, version: u64) -> Self {
        Self(format!("\"{kind}-{version}\""))
    }

    /// Of what the answer says.
    pub(crate) fn of<T: Serialize>(value: &T) -> Result<Self, Fault> {
        Ok(Self::of_bytes(&to_json(value)?))
    }

    /// Of the bytes of an answer.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
        Self(format!("\"{hex}\""))
    }

    /// The answer with this tag; 304 without a body when the one who asks has it already.
    pub(crate) fn tagged<T: Serialize>(&self, asked: &Preconditions, body: &T) -> Response {
        if asked.has(self) {
            return (StatusCode::NOT_MODIFIED, self.header()).into_response();
        }
        (self.header(), Json(body)).into_response()
    }

    /// For answers that are made by hand.
    pub(crate) fn header(&self) -> [(HeaderName, HeaderValue); 1] {
        // Kinds are words of ours and digests are hexadecimal, so that the text always is a value.
        let value = HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("\"\""));
        [(header::ETAG, value)]
    }
}

/// What a request knows of the object: `If-Match` and `If-None-Match`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Preconditions {
    matching: Option<Tags>,
    known: Option<Tags>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Tags {
    Any,
    These(Vec<String>),
}

impl Preconditions {
    /// The change may go on only when it was made for `current`.
    pub(crate) fn require(&self, current: &ETag) -> Result<(), Fault> {
        if self.matching.is_none() {
            let detail = format!(
                "read the object first and send its `ETag` as `If-Match`, so that nobody's change is lost; now it is {}",
                current.0
            );
            return Err(Problem::new(ProblemCode::PreconditionRequired, detail).parameter("If-Match").into());
        }
        self.check(current)
    }

    /// The same, but without `If-Match` the change goes on.
    pub(crate) fn check(&self, current: &ETag) -> Result<(), Fault> {
        match &self.matching {
            Some(Tags::These(tags)) if !tags.contains(&current.0) => {
                let detail = "somebody changed the object after you read it: read it again, and change what it is now";
                Err(Problem::new(ProblemCode::PreconditionFailed, detail).parameter("If-Match").into())
            }
            _ => Ok(()),
        }
    }

    /// Whether the one who asks has this state already (`If-None-Match`, compared weakly).
    pub(crate) fn has(&self, current: &ETag) -> bool {
        match &self.known {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::These(tags)) => tags.iter().any(|t| t.strip_prefix("W/").unwrap_or(t) == current.0),
        }
    }

    fn of(headers: &HeaderMap) -> Self {
        Self { matching: tags(headers, &header::IF_MATCH), known: tags(headers, &header::IF_NONE_MATCH) }
    }
}

impl<S: Sync> FromRequestParts<S> for Preconditions {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// The tags of a header, none when it is absent. Tags of ours hold no comma.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let mut all = headers.get_all(name).iter().map(|v| v.to_str().unwrap_or("")).peekable();
    all.peek()?;
    let list: Vec<&str> = all.flat_map(|v| v.split(',')).map(str::trim).collect();
    if list.contains(&"*") {
        return Some(Tags::Any);
    }
    let tags = if list.len() > MAX_TAGS { Vec::new() } else { list.into_iter().map(str::to_owned).collect() };
    Some(Tags::These(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &'static str) -> Preconditions {
        Preconditions::of(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
    }

    fn code(result: Result<(), Fault>) -> Option<ProblemCode> {
        result.err().map(|f| f.into_problem().code)
    }

    #[test]
    fn a_change_needs_the_tag_of_what_it_changes() {
        let now = ETag::of_version("member", 7);
        assert_eq!(code(Preconditions::default().require(&now)), Some(ProblemCode::PreconditionRequired));
        assert_eq!(code(Preconditions::default().check(&now)), None);
        for good in ["\"member-7\"", "\"a\", \"member-7\"", "*"] {
            assert_eq!(code(with(header::IF_MATCH, good).require(&now)), None, "{good}");
        }
        for bad in ["\"member-6\"", "member-7", "W/\"member-7\"", "", "\"role-7\""] {
            assert_eq!(code(with(header::IF_MATCH, bad).require(&now)), Some(ProblemCode::PreconditionFailed), "{bad}");
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let tag = ETag::of(&["x"]).unwrap();
        let text = tag.0.clone();
        assert_eq!(tag.tagged(&Preconditions::default(), &1).status(), StatusCode::OK);
        for known in [text.clone(), format!("W/{text}"), format!("\"a\",{text}"), "*".to_owned()] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&known).unwrap())]);
            let answer = tag.tagged(&Preconditions::of(&headers), &1);
            assert_eq!((answer.status(), answer.headers().contains_key("etag")), (StatusCode::NOT_MODIFIED, true));
        }
        assert_ne!(ETag::of(&["y"]).unwrap(), tag);
    }
}
