//! Where the configuration of this process was written, so that it can be read again.

use std::path::PathBuf;

use crate::args::{Cli, Overrides};
use crate::config::{Key, Layers, Raw, Settings, file};
use crate::failure::Failure;

/// Files, environment and flags, as they were at the start.
pub struct Source {
    named: Option<PathBuf>,
    environment: Vec<(String, String)>,
    flags: Vec<(Key, Raw)>,
}

impl Source {
    /// Of a command line.
    pub fn new(cli: &Cli, flags: Overrides) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let flags = cli.global.overrides().into_iter().chain(flags.0).collect();
        Self { named: cli.global.config.clone(), environment, flags }
    }

    /// Reads everything that is written now.
    pub fn layers(&self) -> Layers {
        Layers::load(self.named.as_deref(), &self.environment, &self.flags)
    }

    /// What was read, resolved.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn resolve(&self, layers: &Layers) -> Result<Settings, Failure> {
        Ok(Settings::resolve(layers, super::default_data_dir())?)
    }

    /// The main files that are, or could be, read.
    pub fn files(&self) -> Vec<PathBuf> {
        match &self.named {
            Some(file) => vec![file.clone()],
            None => file::usual_places(&self.environment),
        }
    }
}
