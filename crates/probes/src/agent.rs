//! Which address reaches another agent: all that are known are tried at once, and the first in their order that answers is remembered.
//!
//! Where the other agent has a reflector (STAMP, RFC 8762) that is asked, with a key where there is one, so that no other host with the
//! same private address passes for it. Otherwise the addresses are pinged. Probes that name an agent go to the remembered address
//! ([`Peers`]); when none answers they go on to the last one, so that they show the loss.
//!
//! Limits: [`MAX_ADDRESSES`] addresses, [`MOST`] agents; when that is full, the one that was checked longest ago is forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use netwatch_model::AgentId;
use netwatch_model::probe::kind::agent::{ADDRESSES, KEY, REFLECTOR, Reach, Tried};
use netwatch_model::probe::kind::simulation;
use netwatch_model::probe::pair::MAX_ADDRESSES;
use netwatch_model::probe::{Detail, Failure, FailureReason, OptionValue, ProbeKind, ProbeSpec};
use netwatch_telemetry::clock;

use crate::run::Ran;
use crate::tools::Tools;
use crate::{ping, simulation as stream};

/// Agents that are remembered.
const MOST: usize = 4096;

/// Where other agents were reached last.
#[derive(Debug, Default)]
pub struct Peers(Mutex<HashMap<AgentId, (IpAddr, Duration)>>);

impl Peers {
    /// Where an agent was reached last.
    pub(crate) fn address(&self, agent: AgentId) -> Option<IpAddr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&agent).map(|(address, _)| *address)
    }

    fn remember(&self, agent: AgentId, address: IpAddr, now: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&agent) {
            let oldest = known.iter().min_by_key(|(_, (_, checked))| *checked).map(|(agent, _)| *agent);
            oldest.map(|agent| known.remove(&agent));
        }
        known.insert(agent, (address, now));
    }
}

/// Tries the addresses of an agent.
pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let Ok(agent) = spec.target.parse::<AgentId>() else {
        return Failure::new(FailureReason::Agent, "the target is no agent").into();
    };
    let addresses = spec.options.texts(&ADDRESSES).iter().filter_map(|text| text.parse::<IpAddr>().ok());
    let tries: Vec<_> = addresses.take(MAX_ADDRESSES).map(|address| attempt(address, spec, tools)).collect();
    if tries.is_empty() {
        let message =
            format!("no address of agent {} is known here: it has not told any yet, or is not online", spec.target);
        return Failure::new(FailureReason::Unresolved, &message).into();
    }
    let outcomes = join_all(tries).await;
    let best = outcomes.iter().map(|(tried, _)| tried).find(|tried| tried.rtt.is_some()).map(|tried| tried.address);
    if let Some(address) = best {
        tools.peers.remember(agent, address, clock::monotonic());
    }
    let source = outcomes.iter().find(|(tried, _)| Some(tried.address) == best).and_then(|(_, ran)| ran.source);
    // The reason of the likeliest address is the one to look at.
    let failure = if best.is_some() { None } else { outcomes.iter().find_map(|(_, ran)| ran.failure.clone()) };
    let reach = Reach { address: best, tried: outcomes.into_iter().map(|(tried, _)| tried).collect() };
    Ran { address: best, source, detail: Some(Detail::Agent(Box::new(reach))), failure, ..Ran::default() }
}

async fn attempt(address: IpAddr, spec: &ProbeSpec, tools: &Tools) -> (Tried, Ran) {
    let port = u16::try_from(spec.options.whole(&REFLECTOR)).ok().filter(|port| *port > 0);
    let (kind, target) = match port {
        Some(port) => (ProbeKind::Simulation, SocketAddr::new(address, port).to_string()),
        None => (ProbeKind::Ping, address.to_string()),
    };
    let mut check = ProbeSpec {
        count: spec.count,
        spacing: spec.spacing,
        timeout: spec.timeout,
        source: spec.source.clone(),
        family: spec.family,
        dscp: spec.dscp,
        ..ProbeSpec::new(kind, &target)
    };
    let key = spec.options.text(&KEY);
    let ran = match port {
        Some(_) => {
            if !key.is_empty() {
                check.options.set(&simulation::KEY, OptionValue::Text(key.to_owned()));
            }
            stream::run(&check, tools).await
        }
        None => ping::run(&check, tools).await,
    };
    let delays = match &ran.detail {
        Some(Detail::Simulation(detail)) => detail.rtt.as_ref(),
        Some(Detail::Ping(detail)) => detail.rtt.as_ref(),
        _ => None,
    };
    (Tried { address, rtt: delays.map(|delays| delays.median), reflector: port.is_some() }, ran)
}

#[cfg(test)]
mod tests;
