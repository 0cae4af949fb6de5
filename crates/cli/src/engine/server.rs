//! The server as the settings want it.

use std::sync::Arc;

use netwatch_server::query::LiveStore;
use netwatch_server::store::{StoreConfig, TimeBase};
use netwatch_server::{Access, Config, Dependencies, Server, ServerMetrics};
use netwatch_telemetry::clock::{ClockSource, SystemClock};
use netwatch_telemetry::health::Health;
use netwatch_telemetry::metrics::{BuildInfo, Metrics};

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
) -> anyhow::Result<Server> {
    let mut registry =
        Metrics::new(BuildInfo { version: version::short(), revision: version::long().commit.unwrap_or("unknown") });
    let metrics = ServerMetrics::register(&mut registry);
    let dependencies = Dependencies {
        store,
        access: Arc::new(access),
        clock: Arc::new(SystemClock),
        data_clock,
        health,
        registry: Arc::new(registry),
        metrics,
    };
    Ok(Server::build(config, dependencies)?)
}
