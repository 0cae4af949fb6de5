//! The numbers of a result as samples: one series for each metric, probe and agent.
//!
//! The label `kind` tells the numbers of a probe from those of a trace that a burst added to it.

use std::sync::Arc;

use netwatch_model::probe::ProbeResult;
use netwatch_model::{Label, Metric, Record, Sample, Series, Untrusted, Value};

/// Samples of the numbers of a kept probe's result, at the time when it began. A run that is no probe's has none.
pub(crate) fn samples_of(result: &ProbeResult) -> impl Iterator<Item = Record> {
    let probe = result.probe.map(|probe| Untrusted::new(&probe.to_string()));
    let (kind, target) = (Untrusted::new(result.kind.name()), Untrusted::new(&result.target));
    let agent = Untrusted::new(&result.agent.to_string());
    let time = result.start;
    let measures = if probe.is_some() { result.measures() } else { Vec::new() };
    measures.into_iter().filter_map(move |measure| {
        let other = |name: &str, value: &Untrusted| Label::Other(Arc::from(name), value.clone());
        let labels = vec![
            Label::Name(Arc::from(measure.metric.name())),
            other("agent", &agent),
            other("kind", &kind),
            other("probe", probe.as_ref()?),
            other("target", &target),
        ];
        let series = Arc::new(Series { metric: Metric::External, labels });
        Some(Record::Sample(Sample { series, time, value: Value::Float(measure.value) }))
    })
}
