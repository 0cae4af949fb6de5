//! Between the `tracing` crate and [`line`](super::line): keeps what spans carry, and writes a line for each event.

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::line::{Fields, Span, line};
use super::{LogFormat, MAX_SPANS};
use crate::clock;

/// Where lines go.
type Output = Box<dyn Fn(&str) + Send + Sync>;

/// See the module.
pub(super) struct LineLayer {
    format: LogFormat,
    output: Output,
}

impl LineLayer {
    pub(super) fn new(format: LogFormat, output: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { format, output: Box::new(output) }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LineLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let inner_first = context.event_scope(event).into_iter().flatten().take(MAX_SPANS);
        let mut spans: Vec<Span> = inner_first
            .map(|span| (span.name(), span.extensions().get::<Fields>().cloned().unwrap_or_default()))
            .collect();
        spans.reverse();
        (self.output)(&line(self.format, clock::now(), event.metadata(), &fields, &spans));
    }
}
