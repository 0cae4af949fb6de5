//! `POST /api/v1/ingest/samples` and `/events`: batches of programs.
//!
//! Each element is judged by itself: the good ones are taken in, the others are named by their place in the batch. A batch that may have
//! been lost on the way is sent again with the same `Idempotency-Key`.
//!
//! Limits: 10 000 elements and 4 MiB a batch; times from 30 days ago to five minutes ahead.

use std::sync::Arc;

use axum::Json;
use netwatch_api::ingest::{
    EventBatch, EventInput, EventSeverity, IngestError, IngestReport, SampleBatch, SampleInput,
};
use netwatch_model::{Event, EventKind, Label, Metric, Record, Sample, Series, Severity, Timestamp, Untrusted, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::app::App;
use crate::fault::Fault;
use crate::params::{Body, parse_body};

/// Largest body, bytes.
pub(super) const MAX_BODY: usize = 4 << 20;
/// Most elements of a batch.
const MAX_ELEMENTS: usize = 10_000;
/// Most elements that are named in the answer.
const MAX_ERRORS: usize = 100;
const MAX_LABELS: usize = 30;
const MAX_NAME: usize = 200;
const MAX_LABEL_NAME: usize = 64;
const MAX_SUBJECT: usize = 200;
const MAX_TEXT: usize = 1000;
/// How old and how far ahead an element may be, in seconds.
const OLDEST: i64 = 30 * 86_400;
const AHEAD: i64 = 300;

/// Samples as they came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSamples {
    samples: Vec<Box<RawValue>>,
}

/// Events as they came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEvents {
    events: Vec<Box<RawValue>>,
}

/// What is wrong with an element: its field, if it is one, and why.
type Fail = (Option<String>, String);

/// Send samples
///
/// Series are made of name and labels. The good samples of a batch are taken in, whatever the others are.
#[utoipa::path(
    post, path = "/api/v1/ingest/samples", operation_id = "ingest_samples", tag = "ingest", request_body = SampleBatch,
    responses((status = 200, description = "What became of the batch", body = IngestReport))
)]
pub(super) async fn samples(app: App, Body(batch): Body<RawSamples>) -> Result<Json<IngestReport>, Fault> {
    take(&app, "samples", &batch.samples, sample).await
}

/// Send events
///
/// They stand among the events that Netwatch itself reports, as kind `external`.
#[utoipa::path(
    post, path = "/api/v1/ingest/events", operation_id = "ingest_events", tag = "ingest", request_body = EventBatch,
    responses((status = 200, description = "What became of the batch", body = IngestReport))
)]
pub(super) async fn events(app: App, Body(batch): Body<RawEvents>) -> Result<Json<IngestReport>, Fault> {
    take(&app, "events", &batch.events, event).await
}

async fn take<T: DeserializeOwned>(
    app: &App,
    field: &str,
    elements: &[Box<RawValue>],
    read: fn(&T, Timestamp) -> Result<Record, Fail>,
) -> Result<Json<IngestReport>, Fault> {
    if elements.is_empty() || elements.len() > MAX_ELEMENTS {
        let detail =
            format!("a batch has 1 to {MAX_ELEMENTS} elements, this one has {}: send it in parts", elements.len());
        return Err(Fault::parameter(field, detail));
    }
    let now = app.now();
    let (mut records, mut report) = (Vec::new(), IngestReport { accepted: 0, rejected: 0, errors: Vec::new() });
    for (index, element) in elements.iter().enumerate() {
        match parse_body::<T>(element.get().as_bytes()).map_err(of_fault).and_then(|input| read(&input, now)) {
            Ok(record) => records.push(record),
            Err((parameter, detail)) => {
                report.rejected += 1;
                if report.errors.len() < MAX_ERRORS {
                    report.errors.push(IngestError { index: index as u64, parameter, detail });
                }
            }
        }
    }
    report.accepted = records.len() as u64;
    if !records.is_empty() {
        app.take_in(records).await?;
    }
    Ok(Json(report))
}

fn of_fault(fault: Fault) -> Fail {
    let problem = fault.into_problem();
    (problem.parameter, problem.detail)
}

fn sample(input: &SampleInput, now: Timestamp) -> Result<Record, Fail> {
    if !is_name(&input.name, MAX_NAME, true) {
        return Err(fail(
            "name",
            format!("the name of a metric has letters, digits, `_` and `:`, no digit first, {MAX_NAME} at most"),
        ));
    }
    if input.labels.len() > MAX_LABELS {
        return Err(fail("labels", format!("a series has at most {MAX_LABELS} labels")));
    }
    let mut labels = vec![Label::Name(Arc::from(input.name.as_str()))];
    for (name, value) in &input.labels {
        if !is_name(name, MAX_LABEL_NAME, false) || name.starts_with("__") {
            let name: String = Untrusted::new(name).to_string().chars().take(40).collect();
            let detail = "the name of a label has letters, digits and `_`, no digit first, no `__` first, 64 at most";
            return Err(fail(&format!("labels.{name}"), detail));
        }
        labels.push(Label::Other(Arc::from(name.as_str()), Untrusted::new(value)));
    }
    let series = Arc::new(Series { metric: Metric::External, labels });
    let time = time(input.time.as_deref(), now)?;
    Ok(Record::Sample(Sample { series, time, value: Value::Float(input.value) }))
}

fn event(input: &EventInput, now: Timestamp) -> Result<Record, Fail> {
    let text = |name, text: &str, most: usize| {
        let length = text.chars().count();
        if text.trim().is_empty() || length > most {
            return Err(fail(
                name,
                format!("`{name}` has {length} characters: it must have 1 to {most}, not only spaces"),
            ));
        }
        Ok(Untrusted::new(text))
    };
    let severity = match input.severity {
        EventSeverity::Info => Severity::Info,
        EventSeverity::Warning => Severity::Warning,
        EventSeverity::Critical => Severity::Critical,
    };
    Ok(Record::Event(Event {
        time: time(input.time.as_deref(), now)?,
        kind: EventKind::External,
        severity,
        subject: text("subject", &input.subject, MAX_SUBJECT)?,
        text: text("text", &input.text, MAX_TEXT)?,
    }))
}

fn time(text: Option<&str>, now: Timestamp) -> Result<Timestamp, Fail> {
    let Some(text) = text else { return Ok(now) };
    let time: Timestamp = text.parse().map_err(|_| {
        let shown: String = Untrusted::new(text).to_string().chars().take(40).collect();
        fail("time", format!("`{shown}` is not a time: write it as 2026-11-21T04:00:00Z"))
    })?;
    if time.secs() < now.secs() - OLDEST || time.secs() > now.secs() + AHEAD {
        return Err(fail(
            "time",
            format!("{time} is more than 30 days ago or 5 minutes ahead of this server, where it is {now}"),
        ));
    }
    Ok(time)
}

/// Whether `text` can be a name: letters, digits, `_`, and `:` where `colon` says so.
fn is_name(text: &str, most: usize, colon: bool) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colon && b == b':');
    text.len() <= most && text.bytes().next().is_some_and(|b| !b.is_ascii_digit()) && text.bytes().all(fits)
}

fn fail(parameter: &str, detail: impl Into<String>) -> Fail {
    (Some(parameter.to_owned()), detail.into())
}
