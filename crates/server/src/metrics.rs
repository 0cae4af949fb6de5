//! What the server counts of itself.
//!
//! Labels are routes as they are declared, methods that routes have, and classes of status: nothing that a client sends makes a series.

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use netwatch_api::statistics::StreamStatistics;
use netwatch_telemetry::metrics::{DropReason, Metrics, Stage, StageCounters};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

use crate::agents::AgentMetrics;
use crate::app::App;

/// Bounds of the time to answer, seconds: the target is a 99th percentile under 20 ms.
const SECONDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 1.0, 10.0];

/// The counters of the server. Clones count together.
#[derive(Clone, Debug)]
pub struct ServerMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
    /// Connections closed because there were too many.
    pub(crate) connections_refused: Counter,
    /// Requests refused because somebody asked too often.
    pub(crate) requests_limited: Counter,
    /// Wrong codes, tokens and cookies.
    pub(crate) sign_ins_refused: Counter,
    /// Clients of the stream now.
    pub(crate) stream_clients: Gauge,
    /// Clients refused because there were too many.
    pub(crate) stream_clients_refused: Counter,
    /// Bytes of frames sent.
    pub(crate) stream_sent: Counter,
    stream: StageCounters,
    /// Agents.
    pub(crate) agents: AgentMetrics,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

impl ServerMetrics {
    /// Registers the metrics of the server; once for each registry.
    #[must_use]
    pub fn register(metrics: &mut Metrics) -> Self {
        let stream = metrics.stage(Stage::Stream);
        let made = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            connections_refused: Counter::default(),
            requests_limited: Counter::default(),
            sign_ins_refused: Counter::default(),
            stream_clients: Gauge::default(),
            stream_clients_refused: Counter::default(),
            stream_sent: Counter::default(),
            stream,
            agents: AgentMetrics::register(metrics),
        };
        let http = metrics.registry_mut().sub_registry_with_prefix("http");
        http.register("requests", "Requests answered", made.requests.clone());
        http.register_with_unit("request_duration", "Time to answer", Unit::Seconds, made.seconds.clone());
        let refused = "Connections closed because there were too many";
        http.register("connections_refused", refused, made.connections_refused.clone());
        let limited = "Requests refused because somebody asked too often";
        http.register("requests_limited", limited, made.requests_limited.clone());
        http.register("sign_ins_refused", "Wrong codes, tokens and cookies", made.sign_ins_refused.clone());
        let stream = metrics.registry_mut().sub_registry_with_prefix("stream");
        stream.register("clients", "Clients of the stream", made.stream_clients.clone());
        let refused = "Clients refused because there were too many";
        stream.register("clients_refused", refused, made.stream_clients_refused.clone());
        stream.register_with_unit("sent", "Frames sent, in bytes", Unit::Bytes, made.stream_sent.clone());
        made
    }

    /// A frame of that many bytes went out.
    pub(crate) fn frame_sent(&self, bytes: usize) {
        self.stream.stored.inc();
        self.stream_sent.inc_by(bytes as u64);
    }

    /// Frames that slow clients did not get.
    pub(crate) fn frames_dropped(&self, count: u64) {
        if count > 0 {
            self.stream.dropped(DropReason::SlowReader, count);
        }
    }

    /// The stream as the API shows it.
    pub(crate) fn stream_statistics(&self) -> StreamStatistics {
        StreamStatistics {
            clients: u64::try_from(self.stream_clients.get()).unwrap_or(0),
            frames_sent: self.stream.stored.get(),
            frames_dropped: self.stream.dropped_for(DropReason::SlowReader),
        }
    }
}

/// The middleware that counts requests.
pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = method(request.method());
    let begun = app.monotonic();
    let response = next.run(request).await;
    let metrics = app.metrics();
    let status = match response.status().as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    let seconds = (app.monotonic() - begun).as_secs_f64();
    metrics.requests.get_or_create(&RequestLabels { route: route.clone(), method, status }).inc();
    metrics.seconds.get_or_create(&RouteLabels { route }).observe(seconds);
    response
}

/// A method as a label: those that routes have.
pub(crate) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
