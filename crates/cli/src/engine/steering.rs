//! Steering the running process: the levels of the log, and the configuration read again.
//!
//! A reload reads files, environment and flags as the start did. When anything is wrong, nothing changes and all of it is told. Keys
//! that can change at once do ([`Descriptor::is_live`]); the others are named and wait for a restart, however often one reloads. Each
//! reload is logged and is an event.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use netwatch_api::control::{KeyChange, Reload};
use netwatch_model::{Event, EventKind, Severity, Untrusted};
use netwatch_server::blackbox::Modules;
use netwatch_server::{Control, ControlError, Live};
use netwatch_telemetry::clock::{ClockSource as _, SystemClock};
use netwatch_telemetry::logs::LogHandle;

use crate::commands::{Source, flows};
use crate::config::key::{Descriptor, KEYS};
use crate::config::{Layers, Settings, Value};
use crate::engine::addresses::AddressFiles;
use crate::failure::Failure;
use crate::{engine, logging};

/// The configuration of a running process.
pub struct Steering {
    source: Source,
    log: LogHandle,
    live: Live,
    addresses: Option<Arc<AddressFiles>>,
    /// What is in effect; held while the configuration is read, so that reloads follow each other.
    in_effect: Mutex<Layers>,
}

impl Steering {
    /// Of a process that started with `layers`, read from `source`.
    pub fn new(
        source: Source,
        layers: Layers,
        log: LogHandle,
        live: Live,
        addresses: Option<Arc<AddressFiles>>,
    ) -> Self {
        Self { source, log, live, addresses, in_effect: Mutex::new(layers) }
    }

    /// Reads the configuration again; what comes of it is logged.
    pub fn reload_for(&self, reason: &str) {
        tracing::info!(reason, "the configuration is read again");
        // When it was refused, that has been logged.
        if let Ok(report) = self.reload() {
            self.live.audit_reload(&report);
        }
    }

    fn read(&self) -> Result<(Layers, Settings, Modules), ControlError> {
        let layers = self.source.layers();
        let settings = self.source.resolve(&layers).and_then(|settings| {
            flows::check_capture_filter(&settings.capture_filter)?;
            let modules = crate::config::blackbox::modules(settings.blackbox.as_deref())?;
            Ok((settings, modules))
        });
        match settings {
            Ok((settings, modules)) => Ok((layers, settings, modules)),
            Err(failure) => Err(self.refuse(&failure)),
        }
    }

    fn refuse(&self, failure: &Failure) -> ControlError {
        let text = failure.message();
        tracing::warn!(error = text, "the configuration was refused; everything stays as it was");
        let first = text.lines().next().unwrap_or_default();
        self.note(EventKind::ConfigurationRefused, Severity::Warning, &format!("nothing was changed: {first}"));
        ControlError::Configuration(text.replace('\n', "; "))
    }

    /// Makes what can change at once what was read.
    fn apply(&self, report: &Reload, settings: &Settings) {
        self.live.set_hosts(&settings.allowed_hosts);
        self.live.set_rate(engine::rate(settings));
        self.live.set_storage_rules(settings.storage.rules.clone());
        self.live.set_probe_policy(settings.probes.clone());
        if let Some(addresses) = &self.addresses {
            addresses.set(settings.storage.lookups.clone());
        }
        // A level that was set by hand stays until the configured one changes.
        if report.applied.iter().any(|change| change.key == "log.level")
            && let Err(error) = self.log.set_filter(&logging::filter(settings))
        {
            tracing::error!(error = %crate::failure::one_line(&error), "the level of the log was not changed");
        }
    }

    fn tell(&self, report: &Reload) {
        for change in &report.applied {
            tracing::info!(key = change.key, before = change.before, after = change.after, "a setting changed");
        }
        for change in &report.restart {
            let KeyChange { key, before, after } = change;
            tracing::warn!(key, before, after, "a setting changed that waits for a restart");
        }
        self.note(EventKind::ConfigurationReloaded, Severity::Info, &summary(report));
    }

    fn note(&self, kind: EventKind, severity: Severity, text: &str) {
        let (subject, text) = (Untrusted::new("configuration"), Untrusted::new(text));
        self.live.note(Event { time: SystemClock.now(), kind, severity, subject, text });
    }
}

impl Control for Steering {
    fn log_filter(&self) -> String {
        self.log.filter()
    }

    fn set_log_filter(&self, filter: &str) -> Result<(), ControlError> {
        self.log.set_filter(filter).map_err(|error| ControlError::Filter(error.to_string()))
    }

    fn reload(&self) -> Result<Reload, ControlError> {
        // A reload that panicked has changed nothing of what is kept here.
        let mut in_effect = self.in_effect.lock().unwrap_or_else(PoisonError::into_inner);
        let (fresh, settings, modules) = self.read()?;
        let report = compare(&in_effect, &fresh);
        self.apply(&report, &settings);
        crate::config::blackbox::tell_refused(&modules, settings.blackbox.as_deref());
        self.live.set_modules(modules);
        in_effect.take_live(&fresh);
        self.tell(&report);
        Ok(report)
    }
}

/// What differs between what is in effect and what was read.
fn compare(in_effect: &Layers, fresh: &Layers) -> Reload {
    let changed = KEYS.iter().filter(|d| in_effect.get(d.key).value != fresh.get(d.key).value);
    let change = |d: &Descriptor| KeyChange {
        key: d.path(),
        before: shown(d, &in_effect.get(d.key).value),
        after: shown(d, &fresh.get(d.key).value),
    };
    let (live, others): (Vec<_>, Vec<_>) = changed.partition(|d| d.is_live());
    Reload {
        files: fresh.files.iter().map(|path| path.display().to_string()).collect(),
        applied: live.into_iter().map(change).collect(),
        restart: others.into_iter().map(change).collect(),
    }
}

fn shown(d: &Descriptor, value: &Value) -> String {
    if d.is_secret() { "(hidden)".to_owned() } else { d.kind.write(value) }
}

fn summary(report: &Reload) -> String {
    let list = |changes: &[KeyChange]| {
        let one = |c: &KeyChange| format!("{} is {} (was {})", c.key, c.after, c.before);
        changes.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    match (report.applied.is_empty(), report.restart.is_empty()) {
        (true, true) => "nothing has changed".to_owned(),
        (false, true) => list(&report.applied),
        (true, false) => format!("waits for a restart: {}", list(&report.restart)),
        (false, false) => format!("{}; waits for a restart: {}", list(&report.applied), list(&report.restart)),
    }
}

/// Where files of the configuration may be, so that they can be read again behind the walls: their directories, or the file alone when
/// its directory holds much else.
pub fn places(source: &Source) -> Vec<PathBuf> {
    places_of(source.files())
}

/// The same for any files.
pub fn places_of(files: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let broad = |folder: &Path| {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        folder.parent().is_none() || folder == std::env::temp_dir() || home.is_some_and(|h| h == folder)
    };
    let place = |file: PathBuf| match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !broad(folder) => folder.to_owned(),
        _ => file,
    };
    let files = files.into_iter().filter_map(|file| std::path::absolute(file).ok());
    let mut places: Vec<PathBuf> = files.map(place).filter(|place| place.exists()).collect();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file;

    fn layers(text: &str) -> Layers {
        let mut layers = Layers::default();
        file::apply(&mut layers, Path::new("n.yaml"), text);
        layers
    }

    #[test]
    fn a_change_applies_at_once_or_waits_for_a_restart() {
        let before = layers("log: {level: info}\ncapture: {workers: 1}\n");
        let after = layers("log: {level: debug}\ncapture: {workers: 2}\nserver: {token: 0123456789abcdef}\n");
        let report = compare(&before, &after);
        let change = |key: &str, before: &str, after: &str| KeyChange {
            key: key.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        };
        assert_eq!(report.applied, [change("log.level", "info", "debug")]);
        let restart = [change("server.token", "(hidden)", "(hidden)"), change("capture.workers", "1", "2")];
        assert_eq!(report.restart, restart);
        assert_eq!(summary(&compare(&after, &after)), "nothing has changed");
        assert!(summary(&report).starts_with("log.level is debug (was info); waits for a restart: "));
    }

    #[test]
    fn what_probes_may_measure_changes_at_once() {
        let before = layers("probes: {allow: [10.0.0.0/8]}\n");
        let after = layers("probes: {allow: [10.0.0.0/8, 127.0.0.0/8], deny: [10.1.0.0/16]}\n");
        let report = compare(&before, &after);
        let keys: Vec<&str> = report.applied.iter().map(|change| change.key.as_str()).collect();
        assert_eq!((keys, report.restart.len()), (vec!["probes.allow", "probes.deny"], 0));
        let mut in_effect = before;
        in_effect.take_live(&after);
        assert!(compare(&in_effect, &after).applied.is_empty());
    }

    #[test]
    fn what_waits_for_a_restart_is_named_until_then() {
        let mut in_effect = layers("capture: {workers: 1}\n");
        let fresh = layers("capture: {workers: 2}\nlog: {level: debug}\n");
        in_effect.take_live(&fresh);
        let again = compare(&in_effect, &fresh);
        assert_eq!((again.applied.len(), again.restart.len()), (0, 1));
    }
}
