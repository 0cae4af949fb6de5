//! Spans of Netwatch's own work, for whoever collects them.
//!
//! Why: when an answer is slow, its operator wants to see in which stage. What: [`collect`] makes a layer beside the log that takes the
//! spans of the target [`TARGET`] and puts those that have ended into a queue; the server sends them on. Without the layer such spans
//! cost a look at one atomic number each. They are part of the log at its level `trace` alone.
//!
//! Limits: [`QUEUE`] ended spans wait; further ones are dropped and counted. A span has the fields that its place in the code gives it:
//! routes as declared, numbers, words. Nothing from the network, no name and no secret is among them.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanProcessor};
use prometheus_client::metrics::counter::Counter;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::Registry;

use crate::metrics::Metrics;

pub use opentelemetry_sdk::trace::SpanData;

/// The target of spans that are collected.
pub const TARGET: &str = "netwatch_trace";
/// Ended spans that may wait.
pub const QUEUE: usize = 4096;
/// Who made the spans, for the collector.
const SCOPE: &str = "netwatch";

/// A layer beside that of the log.
pub type TraceLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// What became of spans. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct TraceCounters {
    /// Spans that a collector has taken.
    pub sent: Counter,
    /// Spans for which the queue had no room.
    pub dropped: Counter,
    /// Spans that a collector did not take.
    pub refused: Counter,
}

/// Spans that have ended, oldest first.
#[derive(Debug)]
pub struct EndedSpans {
    queue: Receiver<SpanData>,
    counters: TraceCounters,
}

/// Collects a share of all traces: 0 is none, 1 is all. A trace is collected whole or not at all.
#[must_use]
pub fn collect(share: f64) -> (TraceLayer, EndedSpans) {
    let (queue, ended) = sync_channel(QUEUE);
    let counters = TraceCounters::default();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share)));
    let processor = Queue { queue, dropped: counters.dropped.clone() };
    let provider = SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(processor).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SCOPE))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    let layer = layer.with_filter(Targets::new().with_target(TARGET, Level::INFO)).boxed();
    (layer, EndedSpans { queue: ended, counters })
}

impl EndedSpans {
    /// The next spans, at most so many; empty when there are none.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<SpanData> {
        self.queue.try_iter().take(most).collect()
    }

    /// What became of them.
    #[must_use]
    pub const fn counters(&self) -> &TraceCounters {
        &self.counters
    }
}

impl TraceCounters {
    /// Registers the counters; once for each registry.
    pub fn register(&self, metrics: &mut Metrics) {
        let traces = metrics.registry_mut().sub_registry_with_prefix("traces");
        traces.register("sent_spans", "Spans that the collector has taken", self.sent.clone());
        traces.register("dropped_spans", "Spans for which the queue had no room", self.dropped.clone());
        traces.register("refused_spans", "Spans that the collector did not take", self.refused.clone());
    }
}

/// Puts spans that have ended into the queue, without waiting.
struct Queue {
    queue: SyncSender<SpanData>,
    dropped: Counter,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.queue.try_send(span).is_err() {
            self.dropped.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// What is collected of `body`.
    fn collected(share: f64, body: impl FnOnce()) -> EndedSpans {
        let (layer, ended) = collect(share);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), body);
        ended
    }

    #[test]
    fn spans_of_the_target_are_collected_with_their_parents() {
        let ended = collected(1.0, || {
            let _outer =
                tracing::info_span!(target: TARGET, "outer", otel.kind = "server", "http.route" = "/x").entered();
            let _stranger = tracing::info_span!("of a library").entered();
            tracing::info_span!(target: TARGET, "inner", records = 3)
                .in_scope(|| tracing::error!("not an event of it"));
        });
        let spans = ended.take(10);
        let names: Vec<&str> = spans.iter().map(|span| span.name.as_ref()).collect();
        assert_eq!(names, ["inner", "outer"]);
        assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
        assert_eq!(spans[0].span_context.trace_id(), spans[1].span_context.trace_id());
        assert!(spans[0].events.is_empty(), "{spans:?}");
        assert!(spans[1].attributes.iter().any(|a| a.key.as_str() == "http.route" && a.value.as_str() == "/x"));
        assert!(ended.take(10).is_empty());
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let ended = collected(1.0, || (0..QUEUE + 7).for_each(|_| drop(tracing::info_span!(target: TARGET, "one"))));
        assert_eq!((ended.counters().dropped.get(), ended.take(QUEUE * 2).len()), (7, QUEUE));
    }

    #[test]
    fn a_share_of_nothing_collects_nothing() {
        let ended = collected(0.0, || drop(tracing::info_span!(target: TARGET, "one")));
        assert!(ended.take(10).is_empty());
        assert_eq!(ended.counters().dropped.get(), 0);
    }
}
