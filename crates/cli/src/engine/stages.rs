//! What each stage of this process takes in, hands on and throws away, for `/metrics`.
//!
//! The stages count in cumulative samples that pass here anyway; the difference to the sample before is what is added.

use std::collections::HashMap;
use std::sync::Arc;

use netwatch_agent::DROP_REASON;
use netwatch_model::{Batch, Label, Metric, Record, Series};
use netwatch_telemetry::metrics::{DropReason, Metrics, Stage, StageCounters};

/// Counts what capture says and hands to the agent.
#[derive(Debug)]
pub struct CaptureStage {
    capture: StageCounters,
    agent: StageCounters,
    last: Last,
}

/// Counts what the agent sends.
#[derive(Debug)]
pub struct SessionStage {
    agent: StageCounters,
    session: StageCounters,
    last: Last,
}

impl CaptureStage {
    /// Counts into `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let (capture, agent) = (metrics.stage(Stage::Capture), metrics.stage(Stage::Agent));
        Self { capture, agent, last: Last::default() }
    }

    /// Records on their way from capture to the agent.
    pub fn see(&mut self, records: &[Record]) {
        self.agent.received.inc_by(records.len() as u64);
        for (series, added) in self.last.added(records) {
            match series.metric {
                Metric::FramesReceived => _ = self.capture.received.inc_by(added),
                Metric::KernelDrops => {
                    self.capture.received.inc_by(added);
                    self.capture.dropped(DropReason::RingFull, added);
                }
                Metric::FramesUndissected => self.capture.dropped(DropReason::Undecodable, added),
                _ => self.agent.dropped(DropReason::QueueFull, added),
            }
        }
    }
}

impl SessionStage {
    /// Counts into `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let (agent, session) = (metrics.stage(Stage::Agent), metrics.stage(Stage::Session));
        Self { agent, session, last: Last::default() }
    }

    /// A batch that is about to be offered to the server, perhaps not for the first time.
    pub fn offer(&mut self, batch: &Batch) {
        for (series, added) in self.last.added(&batch.records) {
            // Those that capture dropped were counted on their way to the agent.
            let ours = |l: &Label| matches!(l, Label::Reason(reason) if **reason == *DROP_REASON);
            if series.metric == Metric::RecordsDropped && series.labels.iter().any(ours) {
                self.agent.dropped(DropReason::QueueFull, added);
            }
        }
    }

    /// The server took a batch of so many records.
    pub fn taken(&self, records: usize) {
        self.session.received.inc();
        self.session.stored.inc();
        self.agent.stored.inc_by(records as u64);
    }
}

/// The newest value of each counter that is looked at.
#[derive(Debug, Default)]
struct Last(HashMap<Arc<Series>, u64>);

impl Last {
    /// By how much each of the counters has grown.
    fn added<'a>(&'a mut self, records: &'a [Record]) -> impl Iterator<Item = (&'a Series, u64)> + 'a {
        let samples = records.iter().filter_map(|r| if let Record::Sample(s) = r { Some(s) } else { None });
        samples.filter(|s| is_counted(s.series.metric)).map(|s| {
            let value = s.value.as_u64();
            let before = match self.0.get_mut(&s.series) {
                Some(last) => std::mem::replace(last, value),
                None => self.0.insert(Arc::clone(&s.series), value).unwrap_or(0),
            };
            (&*s.series, value.saturating_sub(before))
        })
    }
}

/// One series for each interface and reason at most: their number is bounded by capture.
const fn is_counted(metric: Metric) -> bool {
    use Metric::{FramesReceived, FramesUndissected, KernelDrops, RecordsDropped};
    matches!(metric, FramesReceived | FramesUndissected | KernelDrops | RecordsDropped)
}

#[cfg(test)]
mod tests {
    use netwatch_model::{AgentId, BatchKey, BootId, Sample, Timestamp, Untrusted, Value};
    use netwatch_telemetry::metrics::BuildInfo;

    use super::*;

    fn sample(metric: Metric, label: Label, value: u64) -> Record {
        let series = Arc::new(Series { metric, labels: vec![label] });
        Record::Sample(Sample { series, time: Timestamp::ZERO, value: Value::Integer(value) })
    }

    #[test]
    fn cumulative_samples_are_counted_once() {
        let metrics = Metrics::new(BuildInfo { version: "0", revision: "0" });
        let mut stage = CaptureStage::new(&metrics);
        let eth0 = || Label::Interface(Untrusted::new("eth0"));
        for (frames, drops) in [(10, 0), (25, 3), (25, 3)] {
            stage.see(&[sample(Metric::FramesReceived, eth0(), frames), sample(Metric::KernelDrops, eth0(), drops)]);
        }
        let capture = metrics.stage(Stage::Capture);
        assert_eq!((capture.received.get(), capture.dropped_for(DropReason::RingFull)), (28, 3));
        assert_eq!(metrics.stage(Stage::Agent).received.get(), 6);
    }

    #[test]
    fn only_what_the_agent_dropped_is_added_and_a_second_offer_adds_nothing() {
        let metrics = Metrics::new(BuildInfo { version: "0", revision: "0" });
        let mut stage = SessionStage::new(&metrics);
        let dropped = |reason: &str, n| sample(Metric::RecordsDropped, Label::Reason(reason.into()), n);
        let key = BatchKey { agent: AgentId(1), boot: BootId(1), sequence: 1 };
        let batch = Batch { key, records: vec![dropped(DROP_REASON, 7), dropped("capture queue full", 50)] };
        stage.offer(&batch);
        stage.offer(&batch);
        stage.taken(batch.records.len());
        let agent = metrics.stage(Stage::Agent);
        assert_eq!((agent.dropped_for(DropReason::QueueFull), agent.stored.get()), (7, 2));
        assert_eq!(metrics.stage(Stage::Session).stored.get(), 1);
    }
}
