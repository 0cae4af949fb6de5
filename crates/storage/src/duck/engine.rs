//! The one instance of DuckDB.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use duckdb::{Config, Connection};

use crate::config::StoreConfig;
use crate::error::StoreError;

/// An instance that can read and write inside one folder and nowhere else.
#[derive(Debug)]
pub(crate) struct Engine {
    root: Mutex<Connection>,
}

impl Engine {
    /// Starts an instance and locks its settings (guarantees of a query that went wrong: no file of others, no program, no network).
    pub(crate) fn start(config: &StoreConfig) -> Result<Self, StoreError> {
        let root = Connection::open_in_memory_with_flags(Config::default()).map_err(StoreError::Start)?;
        root.execute_batch(&settings(config)).map_err(StoreError::Start)?;
        Ok(Self { root: Mutex::new(root) })
    }

    /// A connection of its own for one thread.
    pub(crate) fn connect(&self) -> Result<Connection, StoreError> {
        self.root.lock().unwrap_or_else(PoisonError::into_inner).try_clone().map_err(StoreError::Start)
    }

    /// Runs statements that concern the instance: attach and detach.
    pub(crate) fn run(&self, sql: &str) -> Result<(), duckdb::Error> {
        self.root.lock().unwrap_or_else(PoisonError::into_inner).execute_batch(sql)
    }
}

fn settings(config: &StoreConfig) -> String {
    let folder = quoted(&config.folder);
    format!(
        "SET allowed_directories = [{folder} || '/'];
         SET temp_directory = {folder} || '/tmp';
         SET autoinstall_known_extensions = false;
         SET autoload_known_extensions = false;
         SET allow_community_extensions = false;
         SET enable_external_access = false;
         SET memory_limit = '{}B';
         SET threads = {};
         SET preserve_insertion_order = false;
         SET enable_progress_bar = false;
         SET lock_configuration = true;",
        config.memory.max(64 << 20),
        config.threads.max(1),
    )
}

/// A path as a literal of SQL. Paths come from the configuration and from our own file names, never from the network.
pub(crate) fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_reaches_its_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        let engine = Engine::start(&StoreConfig::new(folder.path())).unwrap();
        let attach = |path: &Path| engine.run(&format!("ATTACH {} AS x", quoted(path)));
        attach(&folder.path().join("a.duckdb")).unwrap();
        for path in ["/tmp/elsewhere.duckdb".as_ref(), outside.path(), &folder.path().join("../elsewhere.duckdb")] {
            assert!(attach(path).unwrap_err().to_string().contains("disabled"), "{}", path.display());
        }
        let refused = [
            "SELECT * FROM read_text('/etc/passwd')",
            "COPY (SELECT 1) TO '/tmp/x.csv'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET threads = 64",
            "SET enable_external_access = true",
        ];
        for sql in refused {
            assert!(engine.connect().unwrap().execute_batch(sql).is_err(), "{sql}");
        }
    }
}
