//! The numbers of a result as samples: one series for each metric, probe and agent.
//!
//! The label `kind` tells the numbers of a probe from those of a trace that a burst added to it. What an agent reads of its own host is
//! no probe's: its series have the agent, and the file system or interface where there are several.

use std::sync::Arc;

use netwatch_model::probe::{Detail, Measure, ProbeMetric, ProbeResult};
use netwatch_model::{Label, Metric, Record, Sample, Series, Timestamp, Untrusted, Value};

use super::board::{RunState, run_of};

/// Samples of the numbers of a kept probe's result, or of a reading of an agent's host, at the time when it began. What somebody asked
/// for once has none.
pub(crate) fn samples_of(result: &ProbeResult) -> Vec<Record> {
    let time = result.start;
    match result.probe {
        Some(probe) => {
            let probe = Untrusted::new(&probe.to_string());
            let (kind, target) = (Untrusted::new(result.kind.name()), Untrusted::new(&result.target));
            let agent = Untrusted::new(&result.agent.to_string());
            let labels = [("agent", &agent), ("kind", &kind), ("probe", &probe), ("target", &target)];
            measures(result).into_iter().map(|measure| sample(time, measure, &labels)).collect()
        }
        None if result.kind.is_built_in() => of_host(result, time),
        None => Vec::new(),
    }
}

/// Samples of what an agent reads of its host.
fn of_host(result: &ProbeResult, time: Timestamp) -> Vec<Record> {
    let agent = Untrusted::new(&result.agent.to_string());
    let whole = result.measures().into_iter().map(|measure| sample(time, measure, &[("agent", &agent)]));
    let mut samples: Vec<Record> = whole.collect();
    if let Some(Detail::System(system)) = &result.detail {
        let parts = system.measures_of_parts();
        samples.extend(parts.map(|(label, of, measure)| sample(time, measure, &[("agent", &agent), (label, of)])));
    }
    samples
}

fn sample(time: Timestamp, measure: Measure, labels: &[(&str, &Untrusted)]) -> Record {
    let others = labels.iter().map(|(name, value)| Label::Other(Arc::from(*name), (*value).clone()));
    let labels = std::iter::once(Label::Name(Arc::from(measure.metric.name()))).chain(others).collect();
    let series = Arc::new(Series { metric: Metric::External, labels });
    Record::Sample(Sample { series, time, value: Value::Float(measure.value) })
}

/// The numbers of a run, and what uptime must know of the few runs that are neither up nor down.
fn measures(result: &ProbeResult) -> Vec<Measure> {
    let mut measures = result.measures();
    let flag = match run_of(result).state {
        RunState::Unknown => Some(ProbeMetric::Unknown),
        RunState::Degraded => Some(ProbeMetric::Degraded),
        RunState::Up | RunState::Down => None,
    };
    measures.extend(flag.map(|metric| Measure::new(metric, 1.0)));
    measures
}

#[cfg(test)]
mod tests {
    use netwatch_model::AgentId;
    use netwatch_model::probe::kind::network::NetworkInformation;
    use netwatch_model::probe::{ProbeKind, ProbeSpec, Trigger};

    use super::*;

    #[test]
    fn readings_of_a_host_have_its_agent_and_one_shots_have_no_samples() {
        let spec = ProbeSpec::new(ProbeKind::Network, "");
        let result = ProbeResult {
            probe: None,
            agent: AgentId(0x2a),
            kind: spec.kind,
            target: spec.target,
            address: None,
            source: None,
            scheduled: Timestamp::ZERO,
            start: Timestamp::ZERO,
            duration: 0.0,
            trigger: Trigger::Schedule,
            late: false,
            failure: None,
            detail: Some(Detail::Network(Box::new(NetworkInformation {
                route_count: 9,
                ..NetworkInformation::default()
            }))),
        };
        let samples = samples_of(&result);
        let agent = Label::Other("agent".into(), "000000000000002a".into());
        let is_routes = |record: &Record| matches!(record, Record::Sample(s) if s.series.external_name() == Some("host_routes") && s.value == Value::Float(9.0) && s.series.labels.contains(&agent));
        assert!(samples.iter().any(is_routes), "{samples:?}");
        assert_eq!(samples_of(&ProbeResult { kind: ProbeKind::Ping, detail: None, ..result }), Vec::new());
    }
}
