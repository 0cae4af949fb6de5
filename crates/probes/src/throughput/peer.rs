//! Which address of another agent a throughput test goes to.
//!
//! Where a check of the agent's addresses has reached it (a probe of kind `agent`), it is that one; otherwise all that are known are
//! connected to at once, and the first in their order that accepts is taken. Who answers there is not authenticated: a test carries nothing.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use netwatch_model::AgentId;
use netwatch_model::probe::kind::throughput::ADDRESSES;
use netwatch_model::probe::pair::MAX_ADDRESSES;
use netwatch_model::probe::{Failure, FailureReason, ProbeSpec};

use crate::connect::{Deadline, tcp};
use crate::resolve::{Resolved, resolve};
use crate::tools::Tools;

/// The address of an agent that serves tests at `port`.
pub(super) async fn find(agent: AgentId, port: u16, spec: &ProbeSpec, tools: &Tools) -> Result<Resolved, Failure> {
    let known = tools.peers.address(agent).map(|address| address.to_string());
    let all = known.as_ref().map_or_else(|| spec.options.texts(&ADDRESSES), std::slice::from_ref);
    let tries = all.iter().take(MAX_ADDRESSES).map(|address| attempt(address, port, spec, tools));
    let mut first = None;
    for outcome in join_all(tries).await {
        match outcome {
            Ok(resolved) => return Ok(resolved),
            // The reason of the likeliest address is the one to look at.
            Err(failure) => _ = first.get_or_insert(failure),
        }
    }
    Err(first.unwrap_or_else(|| {
        let message = format!("no address of agent {agent} is known here: it has not told any yet, or is not online");
        Failure::new(FailureReason::Unresolved, &message)
    }))
}

async fn attempt(address: &str, port: u16, spec: &ProbeSpec, tools: &Tools) -> Result<Resolved, Failure> {
    let patience = Duration::try_from_secs_f64(spec.timeout).unwrap_or_default();
    let resolved = resolve(address, port, spec.family, patience, tools).await?;
    let to: SocketAddr = resolved.address;
    tcp(to, spec, Deadline::of(spec)).await.map(|_| resolved)
}
