//! Reading what a request says: the query string and the JSON body.
//!
//! Unknown parameters are refused with the nearest known name; a wrong value is refused with the name of its parameter. The known
//! names are those of the OpenAPI document, so that the two cannot disagree.

mod body;
mod time;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use netwatch_model::filter::{Filter, nearest};
use netwatch_model::{Timestamp, Untrusted};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use crate::fault::Fault;
use crate::query::TimeRange;

pub(crate) use body::{Body, MaxBody, parse as parse_body};

/// The query string as a `T`.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for Params<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        read_query(parts.uri.query().unwrap_or("")).map(Self)
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

/// The point in time of a parameter.
pub(crate) fn moment(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    time::parse(text, now).map_err(|error| Fault::parameter(name, error.to_string()))
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
    use netwatch_api::ProblemCode;
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
