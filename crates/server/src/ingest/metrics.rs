//! What ingest counts of itself; the log has its own metrics.

use netwatch_telemetry::metrics::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// The counters of ingest. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct IngestMetrics {
    /// Batches that were in the log already.
    pub(crate) repeated: Counter,
    /// Durable records that the log did not take.
    pub(crate) not_kept: Counter,
    /// Runs of agents that had to be forgotten: a batch of theirs that comes again would count twice.
    pub(crate) forgotten: Counter,
    /// Entries of the log that cannot be read.
    pub(crate) unreadable: Counter,
    /// Records of a later version.
    pub(crate) skipped: Counter,
    /// Samples whose series was defined in an entry that is damaged.
    pub(crate) lost: Counter,
    /// Batches given to the sink from memory, and from the log.
    pub(crate) fed: [Counter; 2],
    /// Errors of the sink.
    pub(crate) failures: Counter,
    /// Entries that the sink has not stored for good.
    pub(crate) lag: Gauge,
}

impl IngestMetrics {
    /// Registers the metrics of ingest; once for each registry.
    #[must_use]
    pub fn register(metrics: &mut Metrics) -> Self {
        let made = Self::default();
        let ingest = metrics.registry_mut().sub_registry_with_prefix("ingest");
        ingest.register("repeated_batches", "Batches that came again and changed nothing", made.repeated.clone());
        ingest.register("not_kept_records", "Durable records that the log did not take", made.not_kept.clone());
        ingest.register("forgotten_runs", "Runs of agents that are no longer known", made.forgotten.clone());
        ingest.register("unreadable_entries", "Entries of the log that cannot be read", made.unreadable.clone());
        ingest.register("skipped_records", "Records of a later version", made.skipped.clone());
        let lost = "Samples whose series was defined in a damaged entry of the log";
        ingest.register("lost_samples", lost, made.lost.clone());
        let [memory, log] = made.fed.clone();
        ingest.register("fed_from_memory_batches", "Batches that history was given from memory", memory);
        ingest.register("fed_from_log_batches", "Batches that history was given from the log", log);
        ingest.register("feed_failures", "Errors of the store of history", made.failures.clone());
        ingest.register("feed_lag_entries", "Entries of the log that history does not have for good", made.lag.clone());
        made
    }
}
