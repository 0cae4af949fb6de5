//! Whether an answer is the expected one.
//!
//! Expressions take time in proportion to the body (the library has no others), and a large body is looked at on a thread that may be
//! busy, so that other measurements are not held up.
//!
//! Limits: JSON of [`MAX_JSON`] octets; gzip is decoded up to `max_body` octets.

use std::io::Read as _;
use std::time::UNIX_EPOCH;

use flate2::read::GzDecoder;
use http::StatusCode;
use netwatch_model::probe::{Failure, FailureReason};
use netwatch_model::{Timestamp, Untrusted};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::exchange::Read;
use super::plan::Plan;

/// The longest JSON that is read, octets: its tree takes some ten times as much memory.
const MAX_JSON: usize = 4 << 20;
/// A body longer than this, octets, is looked at on a thread of its own.
const LARGE: usize = 64 << 10;

/// A date of HTTP in any of its three forms (RFC 9110, 5.6.7).
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_secs(i64::try_from(since.as_secs()).ok()?))
}

/// The last answer.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) status: StatusCode,
    /// Content-Encoding.
    pub(super) encoding: String,
    pub(super) body: Read,
    pub(super) url: Untrusted,
}

/// What a body of JSON must hold: something at a path, or a value.
#[derive(Debug)]
pub(super) struct JsonCheck {
    text: String,
    path: JsonPath,
    value: Option<Value>,
}

/// Judges an answer by everything that the probe expects.
pub(super) async fn judge(plan: Plan, came: Came) -> Result<(), Failure> {
    if came.body.octets.len() <= LARGE {
        return decide(&plan, came);
    }
    let decided = tokio::task::spawn_blocking(move || decide(&plan, came)).await;
    decided.unwrap_or_else(|error| {
        Err(Failure::new(FailureReason::Agent, &format!("the answer cannot be judged: {error}")))
    })
}

fn decide(plan: &Plan, came: Came) -> Result<(), Failure> {
    let unexpected = |message: String| Err(Failure::new(FailureReason::Unexpected, &message));
    let (url, status) = (came.url, came.status.as_u16());
    if !plan.status.iter().any(|range| range.contains(&status)) {
        return unexpected(format!("{url} answered with status {status}, which is not among the expected ones"));
    }
    let body = decoded(plan, &came.encoding, came.body.octets).map_err(|error| {
        Failure::new(
            FailureReason::Malformed,
            &format!("the body of {url} is not the gzip that it says it is: {error}"),
        )
    })?;
    if memchr::memmem::find(&body, plan.contains.as_bytes()).is_none() {
        return unexpected(format!("the body of {url} does not contain `{}`", plan.contains));
    }
    if let Some(expression) = plan.matches.as_ref().filter(|expression| !expression.is_match(&body)) {
        return unexpected(format!("the body of {url} does not match `{expression}`"));
    }
    if let Some(expression) = plan.forbids.as_ref().filter(|expression| expression.is_match(&body)) {
        return unexpected(format!("the body of {url} matches `{expression}`, which it must not"));
    }
    plan.json.as_ref().map_or(Ok(()), |json| json.judge(&body, &url))
}

/// The body as the probe wants to see it.
fn decoded(plan: &Plan, encoding: &str, body: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if !plan.wants_gzip() || !matches!(encoding, "gzip" | "x-gzip") || body.is_empty() {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let most = u64::try_from(plan.max_body).unwrap_or(u64::MAX);
    match GzDecoder::new(body.as_slice()).take(most).read_to_end(&mut plain) {
        // The body was cut: what came out before is what there is.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && !plain.is_empty() => Ok(plain),
        Err(error) => Err(error),
        Ok(_) => Ok(plain),
    }
}

impl JsonCheck {
    /// A path (RFC 9535), or `path == value` with a value of JSON or a word.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |error: serde_json_path::ParseError| {
            format!("the option `expect_json` is no JSON path (RFC 9535): {error}")
        };
        let whole = match JsonPath::parse(text) {
            Ok(path) => return Ok(Self { text: text.to_owned(), path, value: None }),
            Err(error) => wrong(error),
        };
        // A path may have `==` in a filter: the last one that leaves a path before it is ours.
        for (at, _) in text.rmatch_indices("==") {
            let (path, value) =
                (text.get(..at).unwrap_or_default().trim(), text.get(at + 2..).unwrap_or_default().trim());
            if let Ok(path) = JsonPath::parse(path) {
                let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
                return Ok(Self { text: text.to_owned(), path, value: Some(value) });
            }
        }
        Err(whole)
    }

    fn judge(&self, body: &[u8], url: &Untrusted) -> Result<(), Failure> {
        if body.len() > MAX_JSON {
            let message =
                format!("the body of {url} is too long to be read as JSON: it has more than {MAX_JSON} octets");
            return Err(Failure::new(FailureReason::Unexpected, &message));
        }
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            Failure::new(FailureReason::Malformed, &format!("the body of {url} is not JSON: {error}"))
        })?;
        let found = self.path.query(&value);
        let is_well = match &self.value {
            None => !found.is_empty(),
            Some(wanted) => found.iter().any(|value| is_equal(value, wanted)),
        };
        if is_well {
            return Ok(());
        }
        Err(Failure::new(FailureReason::Unexpected, &format!("the body of {url} does not fulfil `{}`", self.text)))
    }
}

/// Numbers are equal when they mean the same.
fn is_equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a_number), Some(b_number)) => a == b || a_number == b_number,
        _ => a == b,
    }
}
