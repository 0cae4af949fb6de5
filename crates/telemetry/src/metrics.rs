//! Netwatch's own metrics, in the text form that Prometheus reads.
//!
//! Why: what Netwatch loses must be seen where its operator looks. What: [`Metrics`] is the one registry; it brings
//! `netwatch_build_info` and the process's own figures. [`StageCounters`] are the counters that every stage of the way of a
//! record keeps; a part with more to tell registers its own in [`Metrics::registry_mut`].
//!
//! Names: prefix `netwatch_`, base units (seconds, bytes), `_total` on counters. Limits: labels are enums, so that nothing
//! from the network can make a series.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

mod process;
#[cfg(test)]
mod tests;

/// The `Content-Type` of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What was built, for `netwatch_build_info`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct BuildInfo {
    /// The version of the program.
    pub version: &'static str,
    /// The commit that it was built from, or `unknown`.
    pub revision: &'static str,
}

/// A stage on the way of a record, from the wire to the screen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Frames, in the workers.
    Capture,
    /// Records, into batches.
    Agent,
    /// Batches, between agent and server.
    Session,
    /// Records, into the store.
    Ingest,
    /// Updates, to those who subscribed.
    Stream,
}

/// Why something was thrown away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DropReason {
    /// The kernel's ring had no room.
    RingFull,
    /// A queue had no room.
    QueueFull,
    /// A table had no room.
    TableFull,
    /// A budget of bytes was used up.
    OverBudget,
    /// It could not be decoded.
    Undecodable,
    /// It came after its time had been closed.
    TooLate,
    /// Its reader was too slow.
    SlowReader,
}

/// What a stage counts, in its own unit: frames, records, batches or updates. Clones count together.
///
/// `received = decoded + dropped`, as far as a stage decodes; what it handed on for good is `stored`.
#[derive(Clone, Debug)]
pub struct StageCounters {
    /// What came in.
    pub received: Counter,
    /// What could be understood.
    pub decoded: Counter,
    /// What was handed on or kept.
    pub stored: Counter,
    stage: Stage,
    dropped: Family<DropLabels, Counter>,
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    received: Family<StageLabel, Counter>,
    decoded: Family<StageLabel, Counter>,
    stored: Family<StageLabel, Counter>,
    dropped: Family<DropLabels, Counter>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StageLabel {
    stage: Stage,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct DropLabels {
    stage: Stage,
    reason: DropReason,
}

impl Metrics {
    /// With the build's and the process's metrics registered.
    #[must_use]
    pub fn new(build: BuildInfo) -> Self {
        let mut registry = Registry::with_prefix("netwatch");
        registry.register("build", "The program that runs", Info::new(build));
        registry.register_collector(Box::new(process::ProcessCollector));
        let stages = registry.sub_registry_with_prefix("stage");
        let (received, decoded, stored) = (Family::default(), Family::default(), Family::default());
        let dropped = Family::default();
        stages.register("received", "What came into a stage, in its own unit", received.clone());
        stages.register("decoded", "What a stage could understand", decoded.clone());
        stages.register("stored", "What a stage handed on or kept", stored.clone());
        stages.register("dropped", "What a stage threw away, by reason", dropped.clone());
        Self { registry, received, decoded, stored, dropped }
    }

    /// The counters of `stage`; those of the same stage count together.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> StageCounters {
        let label = StageLabel { stage };
        StageCounters {
            received: self.received.get_or_create_owned(&label),
            decoded: self.decoded.get_or_create_owned(&label),
            stored: self.stored.get_or_create_owned(&label),
            stage,
            dropped: self.dropped.clone(),
        }
    }

    /// For metrics of one part: registered under `netwatch_`, before the first [`Metrics::encode`].
    pub fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Everything as text, of the type [`CONTENT_TYPE`]. Reads `/proc/self`.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // A string takes everything; a metric that failed to encode would end the text early, without its `# EOF`, which a
        // reader of this format refuses as damaged.
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics could not be written: please report this");
        }
        text
    }
}

impl StageCounters {
    /// `count` more were thrown away, for `reason`.
    pub fn dropped(&self, reason: DropReason, count: u64) {
        self.dropped.get_or_create(&DropLabels { stage: self.stage, reason }).inc_by(count);
    }

    /// How many were thrown away for `reason`.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped.get(&DropLabels { stage: self.stage, reason }).map_or(0, |counter| counter.get())
    }
}

impl Stage {
    /// The label's value.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Agent => "agent",
            Self::Session => "session",
            Self::Ingest => "ingest",
            Self::Stream => "stream",
        }
    }
}

impl DropReason {
    /// The label's value.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RingFull => "ring_full",
            Self::QueueFull => "queue_full",
            Self::TableFull => "table_full",
            Self::OverBudget => "over_budget",
            Self::Undecodable => "undecodable",
            Self::TooLate => "too_late",
            Self::SlowReader => "slow_reader",
        }
    }
}

impl EncodeLabelValue for Stage {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.word().encode(encoder)
    }
}

impl EncodeLabelValue for DropReason {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.word().encode(encoder)
    }
}
