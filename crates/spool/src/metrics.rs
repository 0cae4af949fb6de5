//! What a log counts of itself, under `netwatch_<name>_`.

use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_telemetry::metrics::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

use crate::recovery::Recovery;
use crate::state::Statistics;

/// Bounds of the time to sync, seconds: from a good solid-state disk to one that is in trouble.
const SECONDS: [f64; 10] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1.0, 10.0];

/// The counters of one log. Clones count together.
#[derive(Clone, Debug)]
pub struct SpoolMetrics {
    bytes: Gauge,
    segments: Gauge,
    oldest: Gauge,
    backlog: Gauge,
    appended: Counter,
    appended_bytes: Counter,
    acknowledged: Counter,
    refused: Counter,
    dropped: Counter,
    damaged: Counter,
    torn: Counter,
    failed_syncs: Counter,
    sync: Histogram,
}

impl SpoolMetrics {
    /// Registers the metrics of the log `name` (such as `ingest_log`); once for each name.
    #[must_use]
    pub fn register(metrics: &mut Metrics, name: &'static str) -> Self {
        let made = Self::unregistered();
        let log = metrics.registry_mut().sub_registry_with_prefix(name);
        log.register_with_unit("size", "Bytes of all segments", Unit::Bytes, made.bytes.clone());
        log.register("segments", "Segments", made.segments.clone());
        let oldest = "When the oldest segment was begun, seconds since 1970; 0 when the log is empty";
        log.register_with_unit("oldest_timestamp", oldest, Unit::Seconds, made.oldest.clone());
        log.register("backlog_records", "Records that the slowest consumer still needs", made.backlog.clone());
        log.register("appended_records", "Records written", made.appended.clone());
        log.register_with_unit("appended", "Bytes written", Unit::Bytes, made.appended_bytes.clone());
        log.register("acknowledged_records", "Records made durable", made.acknowledged.clone());
        let refused = "Records refused: no space, the cap, or a failed sync";
        log.register("refused_records", refused, made.refused.clone());
        let dropped = "Records that had to go although a consumer needed them";
        log.register("dropped_records", dropped, made.dropped.clone());
        log.register("damaged_records", "Records found damaged or missing", made.damaged.clone());
        let torn = "Bytes cut off the newest segment when the log was opened";
        log.register_with_unit("torn", torn, Unit::Bytes, made.torn.clone());
        log.register("sync_failures", "Syncs that failed, each of which ended a segment", made.failed_syncs.clone());
        log.register_with_unit("sync_duration", "Time to make records durable", Unit::Seconds, made.sync.clone());
        made
    }

    /// For a log whose metrics nobody reads.
    #[must_use]
    pub fn unregistered() -> Self {
        Self {
            bytes: Gauge::default(),
            segments: Gauge::default(),
            oldest: Gauge::default(),
            backlog: Gauge::default(),
            appended: Counter::default(),
            appended_bytes: Counter::default(),
            acknowledged: Counter::default(),
            refused: Counter::default(),
            dropped: Counter::default(),
            damaged: Counter::default(),
            torn: Counter::default(),
            failed_syncs: Counter::default(),
            sync: Histogram::new(SECONDS),
        }
    }

    pub(crate) fn recovered(&self, recovery: &Recovery) {
        self.torn.inc_by(recovery.torn_bytes);
    }

    pub(crate) fn synced(&self, took: Duration) {
        self.sync.observe(took.as_secs_f64());
    }

    pub(crate) fn publish(&self, now: &Statistics) {
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.bytes.set(whole(now.bytes));
        self.segments.set(whole(now.segments));
        self.oldest.set(now.oldest.map_or(Timestamp::ZERO, |(_, time)| time).secs());
        self.backlog.set(whole(now.backlog));
        let sums = [
            (&self.appended, now.appended),
            (&self.appended_bytes, now.appended_bytes),
            (&self.acknowledged, now.acknowledged),
            (&self.refused, now.refused),
            (&self.dropped, now.dropped),
            (&self.damaged, now.damaged),
            (&self.failed_syncs, now.failed_syncs),
        ];
        for (counter, sum) in sums {
            counter.inc_by(sum.saturating_sub(counter.get()));
        }
    }
}
