//! Traces of the server's own work: the span of a request, and sending spans to a collector (OTLP 1.x over HTTP, protobuf).
//!
//! A request has one span with its route as declared, method and status; the waiting and computing of questions and the stages of ingest are
//! spans inside it or of their own. Spans that have ended wait in the bounded queue of [`netwatch_telemetry::traces`]. One task sends them
//! every two seconds through the guard for outgoing requests. What a collector does not take is dropped and counted: telling of the work
//! must never hold the work up. While it does not answer, it is tried again every ten seconds, and a line of the log says so once a
//! minute.
//!
//! Limits: 512 spans a message; no compression, no retry of a message; 16 headers.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use netwatch_egress::{Caps, Policy};
use netwatch_model::people::SecretText;
use netwatch_telemetry::clock::ClockSource;
use netwatch_telemetry::traces::{EndedSpans, SpanData, TARGET};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::outgoing::{Outgoing, OutgoingError};

/// How often spans are sent.
const EVERY: Duration = Duration::from_secs(2);
/// How long a collector that failed is left alone.
const RETRY: Duration = Duration::from_secs(10);
/// How often it is said that spans are not sent.
const COMPLAIN: Duration = Duration::from_secs(60);
/// Spans of one message.
const MESSAGE: usize = 512;
/// Headers beside our own.
const MAX_HEADERS: usize = 16;
/// How long one message may take: less than the server takes to end.
const PATIENCE: Caps = Caps { body: 64 << 10, connect: Duration::from_secs(2), total: Duration::from_secs(4) };
/// Where a collector takes traces (OTLP specification, section "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// A collector, as it is configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceExport {
    /// Its address, such as `http://127.0.0.1:4318`; `/v1/traces` is added.
    pub endpoint: String,
    /// Headers that it wants: names, and values that are never shown.
    pub headers: Vec<(String, SecretText)>,
    /// Where it may be beside public addresses.
    pub outgoing: Policy,
}

/// Headers cannot be read. The text does not show values.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeadersError {
    /// One is not `NAME=VALUE`.
    #[error("header {0} is not written as NAME=VALUE, with letters, digits and hyphens in the name")]
    Form(usize),
    /// One is ours.
    #[error("`{0}` is set by Netwatch itself: leave it out")]
    Reserved(String),
    /// Too many.
    #[error("more than {MAX_HEADERS} headers")]
    TooMany,
}

/// A message was not taken.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    /// There is no way to it.
    #[error("the collector cannot be reached")]
    Outgoing(#[from] OutgoingError),
    /// The address or a header is none.
    #[error("the request to the collector cannot be written")]
    Request(#[from] axum::http::Error),
    /// It said no.
    #[error("the collector answered {0}")]
    Status(axum::http::StatusCode),
}

impl TraceExport {
    /// Reads headers of the form `NAME=VALUE`, separated by commas.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn headers(text: &str) -> Result<Vec<(String, SecretText)>, HeadersError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.len() > MAX_HEADERS {
            return Err(HeadersError::TooMany);
        }
        let read = |(at, part): (usize, &&str)| {
            let form = || HeadersError::Form(at + 1);
            let (name, value) = part.split_once('=').ok_or_else(form)?;
            let name: HeaderName = name.trim().parse().map_err(|_| form())?;
            HeaderValue::from_str(value.trim()).map_err(|_| form())?;
            if matches!(name, header::HOST | header::CONTENT_TYPE | header::CONTENT_LENGTH | header::CONNECTION) {
                return Err(HeadersError::Reserved(name.to_string()));
            }
            Ok((name.to_string(), SecretText::new(value.trim().to_owned())))
        };
        parts.iter().enumerate().map(read).collect()
    }

    /// Sends spans until `stop`, and what is left then.
    pub async fn run(self, ended: EndedSpans, clock: Arc<dyn ClockSource>, stop: impl Future<Output = ()>) {
        let outgoing = match Outgoing::new(self.outgoing.clone(), PATIENCE) {
            Ok(outgoing) => outgoing,
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = &error;
                return tracing::error!(error, "traces are not sent");
            }
        };
        let mut sender = Sender { collector: self, outgoing, ended, clock, complained: None };
        let mut stop = pin!(stop);
        loop {
            let wait = if sender.round().await { EVERY } else { RETRY };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = &mut stop => {
                    sender.round().await;
                    return;
                }
            }
        }
    }
}

struct Sender {
    collector: TraceExport,
    outgoing: Outgoing,
    ended: EndedSpans,
    clock: Arc<dyn ClockSource>,
    /// When it was last said that spans are not sent; none when they are.
    complained: Option<Duration>,
}

impl Sender {
    /// Sends what waits; false when the collector did not take it.
    async fn round(&mut self) -> bool {
        loop {
            let spans = self.ended.take(MESSAGE);
            let count = spans.len() as u64;
            if count == 0 {
                return true;
            }
            match self.send(spans).await {
                Ok(()) => {
                    self.ended.counters().sent.inc_by(count);
                    if self.complained.take().is_some() {
                        tracing::info!("traces are sent again");
                    }
                }
                Err(error) => {
                    self.ended.counters().refused.inc_by(count);
                    self.complain(&error);
                    return false;
                }
            }
        }
    }

    /// Takes itself alone: the queue of spans has one reader.
    async fn send(&mut self, spans: Vec<SpanData>) -> Result<(), NotSent> {
        let mut request = axum::http::Request::post(format!("{}{PATH}", self.collector.endpoint.trim_end_matches('/')))
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .header(header::USER_AGENT, concat!("netwatch/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &self.collector.headers {
            request = request.header(name, value.reveal());
        }
        let answer = self.outgoing.send(request.body(message(spans).encode_to_vec())?).await?;
        if answer.status().is_success() { Ok(()) } else { Err(NotSent::Status(answer.status())) }
    }

    fn complain(&mut self, error: &NotSent) {
        let now = self.clock.monotonic();
        if self.complained.is_none_or(|last| now >= last + COMPLAIN) {
            self.complained = Some(now);
            let error: &(dyn std::error::Error + 'static) = error;
            tracing::warn!(error, "traces are not sent: what is not taken is dropped and counted");
        }
    }
}

/// Spans as a collector reads them.
fn message(spans: Vec<SpanData>) -> ExportTraceServiceRequest {
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    };
    let version = env!("CARGO_PKG_VERSION");
    let attributes = vec![text("service.name", "netwatch"), text("service.version", version)];
    let scope = InstrumentationScope { name: "netwatch".to_owned(), version: version.to_owned(), ..Default::default() };
    let spans = spans.into_iter().map(Into::into).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }] }
}

/// The middleware that gives each request its span; names and fields are those of the OpenTelemetry conventions for HTTP servers.
pub(crate) async fn request(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str);
    let method = crate::metrics::method(request.method());
    let span = tracing::info_span!(
        target: TARGET, "request", otel.name = format!("{method} {route}"), otel.kind = "server", otel.status_code = Empty,
        "http.request.method" = method, "http.route" = route, "url.scheme" = scheme(request.headers()),
        "http.response.status_code" = Empty,
    );
    if span.is_disabled() {
        return next.run(request).await;
    }
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", i64::from(response.status().as_u16()));
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}

fn scheme(headers: &HeaderMap) -> &'static str {
    if crate::gate::cookie::is_secure(headers) { "https" } else { "http" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_their_values_never_shown() {
        let read = TraceExport::headers(" Authorization=Bearer s3cret==, x-tenant = a ,").unwrap();
        let shown: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(shown, [("authorization", "Bearer s3cret=="), ("x-tenant", "a")]);
        assert!(!format!("{read:?}").contains("s3cret"));
        assert!(TraceExport::headers("").unwrap().is_empty());
        for (bad, why) in [
            ("a", HeadersError::Form(1)),
            ("a=b,c d=e", HeadersError::Form(2)),
            ("a=\u{1}", HeadersError::Form(1)),
            ("Host=x", HeadersError::Reserved("host".to_owned())),
            (&["a=b"; 17].join(","), HeadersError::TooMany),
        ] {
            assert_eq!(TraceExport::headers(bad).unwrap_err(), why, "{bad}");
        }
    }
}
