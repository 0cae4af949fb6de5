//! Reading what a request says: the query string and the JSON body.
//!
//! Unknown parameters are refused with the nearest known name; a wrong value is refused with the name of its parameter. The known
//! names are those of the OpenAPI document, so that the two cannot disagree.

mod time;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use netwatch_api::ProblemCode;
use netwatch_model::filter::{Filter, nearest};
use netwatch_model::{Timestamp, Untrusted};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use crate::fault::Fault;
use crate::query::TimeRange;

/// The query string as a `T`.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for Params<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        read_query(parts.uri.query().unwrap_or("")).map(Self)
    }
}

/// A JSON body as a `T`.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        // Only `application/json`: a form that another site's page sends cannot have this type without a preflight.
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        if !kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json") {
            let detail = "the body must be JSON: send `Content-Type: application/json`";
            return Err(Fault::new(ProblemCode::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Fault::new(ProblemCode::TooLarge, "the body has more than 64 KiB"),
            _ => Fault::new(ProblemCode::InvalidParameter, "the body did not arrive whole; send it again"),
        })?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
            let field = e.path().to_string();
            let detail = format!("the body does not fit: {}", e.inner());
            if field == "." {
                Fault::new(ProblemCode::InvalidParameter, detail)
            } else {
                Fault::parameter(&field, detail)
            }
        })?;
        reader
            .end()
            .map_err(|e| Fault::new(ProblemCode::InvalidParameter, format!("the body goes on after its end: {e}")))?;
        Ok(Self(value))
    }
}

/// The time range of `from` and `to`, each with its default.
pub(crate) fn range(
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
    default_from: Timestamp,
) -> Result<TimeRange, Fault> {
    let read = |name, text: Option<&str>, default| match text {
        None => Ok(default),
        Some(text) => time::parse(text, now).map_err(|e| Fault::parameter(name, e.to_string())),
    };
    let range = TimeRange { from: read("from", from, default_from)?, to: read("to", to, now)? };
    if range.from >= range.to {
        let detail = format!("the range is empty: `from` ({}) must be before `to` ({})", range.from, range.to);
        return Err(Fault::parameter("from", detail));
    }
    Ok(range)
}

/// The filter of a request, none when it selects everything.
pub(crate) fn filter(text: Option<&str>) -> Result<Option<Arc<Filter>>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let filter = Filter::parse(text)?;
    Ok((!filter.is_all()).then(|| Arc::new(filter)))
}

/// A number of rows between 1 and `most`.
pub(crate) fn limit(value: Option<u32>, default: u32, most: u32) -> Result<usize, Fault> {
    bounded("limit", value.unwrap_or(default), 1, most).map(|n| n as usize)
}

/// A number from `least` to `most`.
pub(crate) fn bounded(name: &str, value: u32, least: u32, most: u32) -> Result<u32, Fault> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Fault::parameter(name, format!("`{name}` is {value}: it must be from {least} to {most}")))
}

fn read_query<T: DeserializeOwned + IntoParams>(query: &str) -> Result<T, Fault> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|e| {
        if let Some(fault) = unknown_parameter::<T>(query) {
            return fault;
        }
        let name = e.path().to_string();
        Fault::parameter(&name, format!("`{name}` has a wrong value: {}", e.inner()))
    })
}

fn unknown_parameter<T: IntoParams>(query: &str) -> Option<Fault> {
    let known: Vec<String> = T::into_params(|| Some(ParameterIn::Query)).into_iter().map(|p| p.name).collect();
    let (name, _) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| !known.iter().any(|k| k == name))?;
    let shown: String = Untrusted::new(&name).to_string().chars().take(40).collect();
    let hint = match nearest(&name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "none is known here".to_owned(),
        None => format!("known are {}", known.join(", ")),
    };
    Some(Fault::parameter(&shown, format!("there is no parameter `{shown}`: {hint}")))
}

#[cfg(test)]
mod tests {
    use netwatch_api::flow::{FlowSort, FlowsQuery};

    use super::*;

    fn refused(query: &str) -> netwatch_api::Problem {
        read_query::<FlowsQuery>(query).expect_err(query).into_problem()
    }

    #[test]
    fn a_query_is_read_by_name() {
        let q: FlowsQuery = read_query("limit=7&sort=rate&filter=src+in+10.0.0.0%2F8").unwrap();
        assert_eq!((q.limit, q.sort), (Some(7), Some(FlowSort::Rate)));
        assert_eq!(q.filter.as_deref(), Some("src in 10.0.0.0/8"));
    }

    #[test]
    fn an_unknown_parameter_is_named_with_the_nearest_known_one() {
        let p = refused("limti=7");
        assert_eq!(p.parameter.as_deref(), Some("limti"));
        assert!(p.detail.ends_with("did you mean `limit`?"), "{}", p.detail);
        assert!(refused("zzzzzzzz=1").detail.contains("known are from, to"));
    }

    #[test]
    fn a_wrong_value_names_its_parameter() {
        assert_eq!(refused("sort=bytes&limit=many").parameter.as_deref(), Some("limit"));
        assert!(refused("sort=size").detail.contains("`bytes`"));
        assert_eq!(refused("limit=1&limit=2").code, ProblemCode::InvalidParameter);
    }

    #[test]
    fn a_range_must_not_be_empty() {
        let now = Timestamp::from_secs(1000);
        assert!(range(Some("-1m"), None, now, Timestamp::ZERO).is_ok());
        assert_eq!(range(Some("now"), None, now, now).unwrap_err().into_problem().parameter.as_deref(), Some("from"));
    }
}
