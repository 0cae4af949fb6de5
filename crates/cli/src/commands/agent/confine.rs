//! The rights of an agent on Linux: a broker keeps the one that it needs, everything else goes.

use std::sync::Arc;

use anyhow::Context as _;
use netwatch_agent::identity::Home;
use netwatch_privilege::broker::Broker;
use netwatch_privilege::caps;
use netwatch_privilege::sandbox::{LayerState, Sandbox};

use crate::rights::Brokered;

/// Forks the broker, drops rights, puts the walls up.
pub(super) fn confine(home: &Home, listen: Option<u16>) -> anyhow::Result<Arc<dyn netwatch_probes::Rights>> {
    // Nobody asks for the owners of sockets here.
    let broker = Broker::start(|_| {})?;
    caps::drop_all()?;
    std::fs::create_dir_all(home.path()).with_context(|| format!("{} cannot be made", home.path().display()))?;
    // Probes go to any port, from any free one; tests of other agents come to this one.
    let sandbox = listen.into_iter().fold(Sandbox::new().write(home.path()).bind(0), Sandbox::bind);
    for layer in sandbox.enforce()?.layers {
        let (name, detail) = (layer.name, layer.detail.as_str());
        match layer.state {
            LayerState::Enforced => tracing::debug!(name, detail, "wall stands"),
            LayerState::Partial | LayerState::Unavailable => tracing::info!(name, detail, "wall is not complete"),
        }
    }
    Ok(Arc::new(Brokered(broker)))
}
