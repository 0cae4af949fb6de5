//! The rights of an agent where nothing can be dropped: those of whoever started it. Nothing that it measures here needs more.

use std::sync::Arc;

use anyhow::Context as _;
use netwatch_agent::identity::Home;
use netwatch_probes::{OwnRights, Rights};

/// Makes the data directory.
pub(super) fn confine(home: &Home, _: Option<u16>) -> anyhow::Result<Arc<dyn Rights>> {
    std::fs::create_dir_all(home.path()).with_context(|| format!("{} cannot be made", home.path().display()))?;
    Ok(Arc::new(OwnRights))
}
