//! The network map: the last trace of every probe and agent as one graph.
//!
//! Hops are merged by address, whoever traced them. A stretch of hops that do not answer is known by its neighbours and its length, so
//! that traces between the same two routers share it. What is lost is told where it is lost: a hop loses only what all later hops of
//! the path lose too ([`way`]), and an edge loses what came to its near end and not to its far one, so that loss at the first edge
//! colours that edge and not everything behind it. Shares of edges follow from how many packets of each trace took each path.
//!
//! Old traces keep their place on the map and say nothing about its state ([`Traced::is_old`]).
//!
//! Limits: [`MOST_TRACES`], [`MOST_NODES`] and [`MOST_EDGES`]; traces of bad state come first, and what finds no room is counted. Hops
//! that carry the same private address in different networks are one node.

mod tally;
#[cfg(test)]
mod tests;
mod way;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use netwatch_api::probe::ProbeState;
use netwatch_api::probe::map::{MapPath, MapTrace, NetworkMap};
use netwatch_model::people::ProbeId;
use netwatch_model::probe::kind::Detail;
use netwatch_model::probe::kind::mtr::Trace;
use netwatch_model::probe::{FailureReason, ProbeResult};
use netwatch_model::{AgentId, Timestamp};

use super::board::{RunState, run_of};
use tally::Tally;
use way::{Way, ways};

/// Traces on a map.
pub(crate) const MOST_TRACES: usize = 1_000;
/// Nodes of a map.
pub(crate) const MOST_NODES: usize = 1_500;
/// Edges of a map.
pub(crate) const MOST_EDGES: usize = 6_000;
/// After so many intervals without a new one a trace is old.
const INTERVALS: f64 = 3.0;
/// And never sooner than this, seconds: a run takes its time.
const GRACE: f64 = 60.0;
/// How long a trace that a bad run added says something about now.
const ADDED: Duration = Duration::from_secs(3_600);

/// The last trace of a probe at an agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traced<'a> {
    pub(crate) probe: ProbeId,
    /// What the probe is called.
    pub(crate) name: &'a str,
    /// Seconds between its runs, when it traces by itself; absent when bad runs add the traces.
    pub(crate) interval: Option<f64>,
    pub(crate) agent: AgentId,
    pub(crate) result: &'a ProbeResult,
}

impl Traced<'_> {
    /// Whether it says nothing about now.
    fn is_old(&self, now: Timestamp) -> bool {
        let limit = match self.interval {
            Some(interval) => Duration::from_secs_f64((interval * INTERVALS).clamp(0.0, 1e6) + GRACE),
            None => ADDED,
        };
        now.since(self.result.start) > limit
    }

    fn trace(&self) -> Option<&Trace> {
        match &self.result.detail {
            Some(Detail::Mtr(trace)) => Some(trace),
            _ => None,
        }
    }

    /// Whether the text is in something that people know the trace by. `text` is in lower case.
    fn fits(&self, text: &str, agent: Option<&str>) -> bool {
        let has = |word: &str| word.to_lowercase().contains(text);
        let own = has(self.name) || has(&self.result.target) || has(&self.agent.to_string()) || agent.is_some_and(has);
        let hops = || self.trace().into_iter().flat_map(|trace| &trace.paths).flat_map(|path| &path.hops);
        own || self.result.address.is_some_and(|address| has(&address.to_string()))
            || hops().any(|hop| {
                hop.address.is_some_and(|address| has(&address.to_string()))
                    || hop.name.as_ref().is_some_and(|name| has(name.raw()))
            })
    }
}

/// What agents are called.
pub(crate) type Names = HashMap<AgentId, String>;

/// The map of traces, in any order. Of `search` only those that fit.
pub(crate) fn network_map(traced: &[Traced<'_>], names: &Names, search: Option<&str>, now: Timestamp) -> NetworkMap {
    let text = search.map(str::to_lowercase).filter(|text| !text.is_empty());
    let fits = |one: &&Traced<'_>| {
        let called = names.get(&one.agent).map(String::as_str);
        text.as_ref().is_none_or(|text| one.fits(text, called))
    };
    let mut chosen: Vec<(Traced<'_>, MapTrace)> =
        traced.iter().filter(fits).map(|one| (*one, shown(one, now))).collect();
    chosen.sort_by_key(|(_, shown)| (shown.old, urgency(shown.state), shown.probe, shown.agent.clone()));
    let agents = addresses_of_agents(traced);
    let mut tally = Tally::new(names, &agents);
    let (mut traces, mut left_out) = (Vec::new(), 0_u32);
    for (one, mut shown) in chosen {
        let ways = ways(&one);
        if traces.len() >= MOST_TRACES || !tally.has_room(&ways) {
            left_out = left_out.saturating_add(1);
            continue;
        }
        tally.add(&shown, &ways);
        shown.paths = ways.into_iter().map(path).collect();
        traces.push(shown);
    }
    let (nodes, edges) = tally.finish();
    let (systems, untraced, unwatched) = (Vec::new(), 0, 0);
    NetworkMap { time: now, nodes, edges, traces, systems, left_out, untraced, unwatched }
}

fn shown(one: &Traced<'_>, now: Timestamp) -> MapTrace {
    let run = run_of(one.result);
    let trace = one.trace();
    let ends = trace.into_iter().flat_map(|trace| &trace.paths).filter_map(|path| path.hops.last());
    let target = one.result.address;
    let end = ends.filter(|hop| target.is_some() && hop.address == target).find_map(|hop| hop.rtt.as_ref());
    MapTrace {
        probe: one.probe,
        name: one.name.to_owned(),
        agent: one.agent.to_string(),
        target: one.result.target.clone(),
        time: one.result.start,
        old: one.is_old(now),
        state: run.state.into(),
        loss: trace.map_or(1.0, |trace| trace.loss.clamp(0.0, 1.0)),
        rtt: end.map(|rtt| rtt.mean),
        paths: Vec::new(),
    }
}

/// What people should see first has the least.
const fn urgency(state: ProbeState) -> u8 {
    match state {
        ProbeState::Down => 0,
        ProbeState::Degraded => 1,
        ProbeState::Up => 2,
        ProbeState::Unknown => 3,
    }
}

/// The state of something with that loss.
fn state_of(loss: Option<f64>) -> ProbeState {
    match loss {
        None => RunState::Unknown.into(),
        Some(loss) => RunState::of_loss(loss).into(),
    }
}

fn path(way: Way) -> MapPath {
    MapPath { id: way.id, share: way.share, nodes: way.steps.into_iter().map(|step| step.id).collect() }
}

/// The addresses that exactly one agent measures from.
fn addresses_of_agents(traced: &[Traced<'_>]) -> HashMap<IpAddr, AgentId> {
    let mut of: HashMap<IpAddr, Option<AgentId>> = HashMap::new();
    let sources = traced.iter().filter_map(|one| Some((one.result.source?, one.agent)));
    for (source, agent) in sources.filter(|(source, _)| !source.is_loopback() && !source.is_unspecified()) {
        let known = of.entry(source).or_insert(Some(agent));
        if *known != Some(agent) {
            *known = None;
        }
    }
    of.into_iter().filter_map(|(address, agent)| Some((address, agent?))).collect()
}

/// Whether the run says something about the target.
fn says_something(result: &ProbeResult) -> bool {
    !result.failure.as_ref().map(|failure| failure.reason).is_some_and(FailureReason::is_unknown)
}
