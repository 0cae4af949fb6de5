//! The server as the settings want it.

use std::sync::Arc;

use netwatch_server::ingest::IngestMetrics;
use netwatch_server::query::LiveStore;
use netwatch_server::store::{StoreConfig, TimeBase};
use netwatch_server::{Access, Config, Dependencies, Server, ServerMetrics};
use netwatch_spool::SpoolMetrics;
use netwatch_telemetry::clock::{ClockSource, SystemClock};
use netwatch_telemetry::health::Health;
use netwatch_telemetry::metrics::{BuildInfo, Metrics};
use netwatch_telemetry::traces::TraceCounters;

use crate::config::Settings;
use crate::version;

/// The store as the settings want it.
pub fn store(settings: &Settings, from_file: bool) -> Arc<LiveStore> {
    Arc::new(LiveStore::new(StoreConfig {
        time_base: if from_file { TimeBase::Records } else { TimeBase::Wall },
        window: settings.retention,
        archive_bytes: usize::try_from(settings.archive_size).unwrap_or(usize::MAX),
        ..StoreConfig::default()
    }))
}

/// The registry behind `/metrics` with the server's part of it, and the parts of the log and of ingest.
pub fn metrics(traces: Option<&TraceCounters>) -> ((Arc<Metrics>, ServerMetrics), (SpoolMetrics, IngestMetrics)) {
    let revision = version::long().commit.unwrap_or("unknown");
    let mut registry = Metrics::new(BuildInfo { version: version::short(), revision });
    let server = ServerMetrics::register(&mut registry);
    if let Some(traces) = traces {
        traces.register(&mut registry);
    }
    let logs = (SpoolMetrics::register(&mut registry, "ingest_log"), IngestMetrics::register(&mut registry));
    ((Arc::new(registry), server), logs)
}

/// The server, ready to run.
///
/// # Errors
/// A defect in its own description.
pub fn build(
    config: Config,
    store: Arc<LiveStore>,
    access: Access,
    data_clock: Arc<dyn ClockSource>,
    health: Health,
    (registry, metrics): (Arc<Metrics>, ServerMetrics),
) -> anyhow::Result<Server> {
    let dependencies = Dependencies {
        store,
        access: Arc::new(access),
        clock: Arc::new(SystemClock),
        data_clock,
        health,
        registry,
        metrics,
    };
    Ok(Server::build(config, dependencies)?)
}
