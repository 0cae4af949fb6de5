//! Agents of other hosts: the listener that was bound before rights were given up, joined to the server.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use netwatch_server::{AgentServer, Live};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::kept::Kept;
use crate::config::Settings;

/// Each agent keeps a connection open: as many as the system lets this process have, and not as few as it has by default.
pub fn allow_connections() {
    let limit = getrlimit(Resource::Nofile);
    // With what it has it goes on: connections beyond are refused, and the log says so.
    let _unchanged = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// What serves agents, and where. Blocks.
///
/// # Errors
/// When the key cannot be loaded or made, or the system gives no thread.
pub fn build(
    listener: TcpListener,
    kept: &Kept,
    live: &Live,
    settings: &Settings,
) -> anyhow::Result<(AgentServer, tokio::net::TcpListener)> {
    let address = listener.local_addr().context("the listener of agents has no address")?;
    let config = settings.agents.config(address, &settings.data_dir);
    let server = live.serve_agents(config, Arc::clone(&kept.ingest)).map_err(anyhow::Error::new)?;
    let listener = tokio::net::TcpListener::from_std(listener).context("the listener of agents cannot be used")?;
    tracing::info!(%address, "agents of other hosts can come in");
    Ok((server, listener))
}
