//! The files that tell about addresses: looked at once a minute and at every reload of the configuration.
//!
//! One that cannot be read is named in the log, once, and in the health report until it can be. Everything else works meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use netwatch_storage::{LookupPaths, Lookups};
use netwatch_telemetry::clock::now;
use netwatch_telemetry::health::{Component, Health, Importance, State};

/// Files about addresses, and how they are.
pub struct AddressFiles {
    lookups: Arc<Lookups>,
    component: Component,
    /// What was told last.
    told: Mutex<Vec<String>>,
}

impl AddressFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// When there are too many components, which is a defect.
    pub fn new(paths: LookupPaths, health: &Health) -> anyhow::Result<Self> {
        let component = health.component("address files", Importance::Optional, now())?;
        let files = Self { lookups: Arc::new(Lookups::new(paths)), component, told: Mutex::default() };
        files.look();
        Ok(files)
    }

    /// What is known about addresses.
    pub const fn lookups(&self) -> &Arc<Lookups> {
        &self.lookups
    }

    /// Takes these files from now on.
    pub fn set(&self, paths: LookupPaths) {
        self.lookups.set_paths(paths);
        self.look();
    }

    /// Reads what is new, and tells what cannot be read.
    pub fn look(&self) {
        // Each error stands among the faults, too.
        let _ = self.lookups.refresh();
        let faults = self.lookups.faults();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for fault in faults.iter().filter(|fault| !told.contains(fault)) {
            tracing::warn!(error = fault, "a file about addresses is not used");
        }
        if faults.is_empty() && !told.is_empty() {
            tracing::info!("all files about addresses are used");
        }
        let state = if faults.is_empty() { State::Ok } else { State::Degraded(faults.join("; ")) };
        self.component.set(state, now());
        *told = faults;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_in_the_health_report_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let ranges = folder.path().join("ranges.csv");
        let health = Health::new();
        let paths = LookupPaths { ranges: Some(ranges.clone()), ..LookupPaths::default() };
        let files = AddressFiles::new(paths, &health).unwrap();
        let state = || format!("{:?}", health.report());
        assert!(state().contains("ranges.csv") && state().contains("put the file there"), "{}", state());
        std::fs::write(&ranges, "10.0.0.0/8\n").unwrap();
        files.look();
        assert!(state().contains("line 1: there is no comma"), "{}", state());
        std::fs::write(&ranges, "10.0.0.0/8,Company\n").unwrap();
        files.look();
        assert!(!state().contains("ranges.csv"), "{}", state());
        std::fs::remove_file(&ranges).unwrap();
        files.look();
        assert!(state().contains("ranges.csv"));
        files.set(LookupPaths::default());
        assert!(!state().contains("ranges.csv"));
    }
}
