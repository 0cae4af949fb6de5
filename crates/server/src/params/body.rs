//! Reading a JSON body, strictly.
//!
//! A field that is unknown is refused with its path and the nearest known name, a wrong value with the path of its field. Every type
//! that is read here denies unknown fields, which a test of the OpenAPI document checks. A body has a limit, which the route declares
//! where it is registered ([`MaxBody`]); nothing beyond it is read into memory.

use std::error::Error;

use axum::body::{Body as RawBody, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use netwatch_api::ProblemCode;
use netwatch_model::Untrusted;
use netwatch_model::filter::nearest;
use serde::de::DeserializeOwned;

use crate::fault::Fault;

/// Longest name of a field that is repeated in a problem, in characters.
const SHOWN: usize = 40;

/// A JSON body as a `T`.
pub(crate) struct Body<T>(pub(crate) T);

/// The largest body that the route takes, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MaxBody(pub(crate) usize);

impl MaxBody {
    /// Of routes that declare nothing else.
    pub(crate) const DEFAULT: Self = Self(64 * 1024);

    /// What a body that is larger gets.
    pub(crate) fn too_large(self) -> Fault {
        let size = if self.0 >= 1 << 20 { format!("{} MiB", self.0 >> 20) } else { format!("{} KiB", self.0 >> 10) };
        Fault::new(ProblemCode::TooLarge, format!("the body has more than {size}: send it in parts"))
    }

    /// Reads the whole body.
    pub(crate) async fn read(self, body: RawBody) -> Result<Bytes, Fault> {
        to_bytes(body, self.0).await.map_err(|error| {
            if causes(&error).any(|e| e.is::<http_body_util::LengthLimitError>()) {
                return self.too_large();
            }
            Fault::new(ProblemCode::InvalidParameter, "the body did not arrive whole; send it again")
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        is_json(request.headers())?;
        let most = request.extensions().get().copied().unwrap_or(MaxBody::DEFAULT);
        let bytes = most.read(request.into_body()).await?;
        parse(&bytes).map(Self)
    }
}

/// Only `application/json`: a form that another site's page sends cannot have this type without a preflight.
fn is_json(headers: &HeaderMap) -> Result<(), Fault> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    let kind = text(header::CONTENT_TYPE).split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let detail = "the body must be JSON: send `Content-Type: application/json`";
        return Err(Fault::new(ProblemCode::UnsupportedMediaType, detail));
    }
    if !matches!(text(header::CONTENT_ENCODING), "" | "identity") {
        let detail = "the body must not be compressed: send it without `Content-Encoding`";
        return Err(Fault::new(ProblemCode::UnsupportedMediaType, detail));
    }
    Ok(())
}

/// Reads JSON text.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|e| refuse(&e.path().to_string(), &e.inner().to_string()))?;
    reader
        .end()
        .map_err(|e| Fault::new(ProblemCode::InvalidParameter, format!("the body goes on after its end: {e}")))?;
    Ok(value)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e| Error::source(*e))
}

/// What serde says, as a problem that names the field.
fn refuse(path: &str, message: &str) -> Fault {
    if let Some((name, known)) = unknown_field(message) {
        let shown: String = Untrusted::new(name).to_string().chars().take(SHOWN).collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "none is known here".to_owned(),
            None => format!("known are {}", known.join(", ")),
        };
        let place = join(path.strip_suffix(name).unwrap_or(path).trim_end_matches('.'), &shown);
        return Fault::parameter(&place, format!("the body has an unknown field `{place}`: {hint}"));
    }
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        let place = join(path, name);
        return Fault::parameter(&place, format!("the body lacks the field `{place}`"));
    }
    let message = Untrusted::new(message);
    if path == "." {
        return Fault::new(ProblemCode::InvalidParameter, format!("the body does not fit: {message}"));
    }
    let path = Untrusted::new(path).to_string();
    Fault::parameter(&path, format!("`{path}` has a wrong value: {message}"))
}

/// The name and the known ones, from the words of `serde::de::Error::unknown_field`.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let at = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are no fields"))?;
    let (name, known) = (rest.get(..at)?, rest.get(at + 1..)?);
    Some((name, known.split('`').skip(1).step_by(2).collect()))
}

fn join(path: &str, name: &str) -> String {
    if matches!(path, "" | ".") { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use netwatch_api::Problem;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug, Default)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        value: u8,
        unit: Option<String>,
    }

    fn problem(text: &str) -> Problem {
        parse::<Outer>(text.as_bytes()).expect_err(text).into_problem()
    }

    #[test]
    fn an_unknown_field_is_named_with_its_path_and_the_nearest_known_one() {
        let p = problem(r#"{"nam":"x"}"#);
        assert_eq!(p.parameter.as_deref(), Some("nam"));
        assert!(p.detail.ends_with("unknown field `nam`: did you mean `name`?"), "{}", p.detail);
        let p = problem(r#"{"name":"x","inner":[{"value":1},{"valeu":1}]}"#);
        assert_eq!(p.parameter.as_deref(), Some("inner[1].valeu"));
        assert!(p.detail.contains("did you mean `value`?"), "{}", p.detail);
        let p = problem(r#"{"a`, expected `b\u001b":1}"#);
        assert!(!p.detail.contains('\u{1b}') && p.detail.contains("known are name, inner"), "{}", p.detail);
    }

    #[test]
    fn a_wrong_or_missing_value_names_its_field() {
        assert_eq!(problem(r#"{"name":5}"#).parameter.as_deref(), Some("name"));
        assert_eq!(problem(r#"{"name":"x","inner":[{"value":256}]}"#).parameter.as_deref(), Some("inner[0].value"));
        assert_eq!(problem(r#"{"name":"x","inner":[{}]}"#).parameter.as_deref(), Some("inner[0].value"));
        assert_eq!(problem("{}").parameter.as_deref(), Some("name"));
        assert_eq!(problem(r#"{"name":"x","name":"y"}"#).code, ProblemCode::InvalidParameter);
        for text in ["", "[", "null", "{\"name\":\"x\"} x", "\u{feff}{}"] {
            assert_eq!(problem(text).code, ProblemCode::InvalidParameter, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(problem(&format!("{{\"inner\":{deep}")).code, ProblemCode::InvalidParameter);
    }

    #[tokio::test]
    async fn nothing_beyond_the_limit_is_read() {
        assert_eq!(MaxBody(4).read(RawBody::from("1234")).await.unwrap().len(), 4);
        let fault = MaxBody(4).read(RawBody::from("12345")).await.unwrap_err();
        assert_eq!(fault.into_problem().code, ProblemCode::TooLarge);
    }
}
