//! From a target to the one address that is measured.
//!
//! A name is resolved once for each run: one of another agent to the address that reaches it, others by the resolver of the system. Every
//! address that comes out is judged by the policy and by what the workspace leaves of it, addresses of other agents as all others: a
//! workspace that measures few networks names those of its agents, too. The first address of the wanted family is taken, in the resolver's
//! order (RFC 6724).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwatch_egress::Refused;
use netwatch_model::probe::pair::agent_of;
use netwatch_model::probe::{Failure, FailureReason, Family};
use netwatch_telemetry::clock;

use crate::tools::Tools;

/// An address, and how long it took to find.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Resolved {
    /// Where to send.
    pub address: SocketAddr,
    /// Seconds that the resolver took; `None` when the target is an address.
    pub lookup: Option<f64>,
}

/// The address of `host` that is measured.
///
/// # Errors
/// When there is none of the family in time, or the policy does not allow it.
pub async fn resolve(
    host: &str,
    port: u16,
    family: Family,
    timeout: Duration,
    tools: &Tools,
) -> Result<Resolved, Failure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        let wanted = of_family(SocketAddr::new(address, port), family);
        if !wanted {
            let message = format!("{address} is not an address of the family that the probe asks for");
            return Err(Failure::new(FailureReason::Unresolved, &message));
        }
        return judge(vec![SocketAddr::new(address, port)], tools).map(|address| Resolved { address, lookup: None });
    }
    if let Some(agent) = agent_of(bare) {
        let address = tools.peers.address(agent).map(|address| SocketAddr::new(address, port));
        return match address.filter(|address| of_family(*address, family)) {
            Some(address) => judge(vec![address], tools).map(|address| Resolved { address, lookup: None }),
            None => Err(not_reached(bare)),
        };
    }
    let before = clock::monotonic();
    let found = tokio::time::timeout(timeout, tokio::net::lookup_host((bare, port))).await;
    let lookup = clock::monotonic().saturating_sub(before).as_secs_f64();
    let found = match found {
        Err(_) => return Err(unresolved(bare, "the resolver of the system did not answer in time")),
        Ok(Err(error)) => return Err(unresolved(bare, &error.to_string())),
        Ok(Ok(found)) => found.filter(|address| of_family(*address, family)).collect::<Vec<_>>(),
    };
    if found.is_empty() {
        return Err(unresolved(bare, "it has no address of the family that the probe asks for"));
    }
    judge(found, tools).map(|address| Resolved { address, lookup: Some(lookup) })
}

fn judge(found: Vec<SocketAddr>, tools: &Tools) -> Result<SocketAddr, Failure> {
    let checked = tools.policy.check_within(&tools.scope, found).map_err(|refused| forbidden(&refused))?;
    let first = checked.first().map(|checked| checked.address());
    first.ok_or_else(|| Failure::new(FailureReason::Unresolved, "the name has no address"))
}

/// Why an address is not measured, and where that is said.
pub(crate) fn forbidden(refused: &Refused) -> Failure {
    let message = match refused {
        Refused::Denied(address) => {
            format!("{address} lies in a network that the server denies to probes (probes.deny of its configuration)")
        }
        Refused::NotPublic { address, class } => format!(
            "{address} is not a public address ({class:?}): add its network to probes.allow of the server's configuration if it may be measured"
        ),
        other => other.to_string(),
    };
    Failure::new(FailureReason::Forbidden, &message)
}

const fn of_family(address: SocketAddr, family: Family) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    }
}

fn not_reached(host: &str) -> Failure {
    let agent = host.split('.').next().unwrap_or(host);
    let message =
        format!("agent {agent} has not been reached at any of its addresses from here: see the check of its addresses");
    Failure::new(FailureReason::Unresolved, &message)
}

fn unresolved(host: &str, why: &str) -> Failure {
    Failure::new(
        FailureReason::Unresolved,
        &format!("{host} cannot be resolved: {why}; check the name and the resolver"),
    )
}
