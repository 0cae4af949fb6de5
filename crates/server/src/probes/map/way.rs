//! From a trace to ways: the nodes that packets pass, and which share of them comes how far.
//!
//! A hop need not answer (RFC 1812, 4.3.2.8 lets routers limit their answers), so that what it does not answer is no loss. What a later
//! hop answers has passed it: of the packets sent, the greatest share that it or any later hop answers has come to it.

use std::net::IpAddr;

use netwatch_model::probe::kind::mtr::{Hop, Path, Trace};

use super::{Traced, says_something};

/// What a step stands for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum What {
    Agent,
    Hop,
    /// So many hops; `None` where nobody knows.
    Silent(Option<u32>),
    Target,
}

/// A node as one path passes it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) what: What,
    pub(super) address: Option<IpAddr>,
    /// What the trace tells of the hop.
    pub(super) hop: Option<Hop>,
    /// Hops from the agent.
    pub(super) distance: u32,
    /// Share of the packets that come here, 0 to 1.
    pub(super) pass: f64,
}

/// One path of a trace, from the agent to the target.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Way {
    pub(super) id: String,
    /// Share of the trace's packets, 0 to 1.
    pub(super) share: f64,
    /// Whether it says something about the target.
    pub(super) is_known: bool,
    pub(super) steps: Vec<Step>,
}

/// The ways of a trace; one that nothing is known of when it has no path.
pub(super) fn ways(traced: &Traced<'_>) -> Vec<Way> {
    let empty = Path { id: String::new(), flow: 0, hops: Vec::new() };
    let paths: Vec<&Path> = match traced.trace() {
        Some(Trace { paths, .. }) if !paths.is_empty() => paths.iter().collect(),
        _ => vec![&empty],
    };
    let all: f64 = paths.iter().map(|path| packets(path)).sum();
    paths.iter().map(|path| way(traced, path, packets(path) / all)).collect()
}

/// Packets that took a path, at least 1: the most that were sent towards one hop.
fn packets(path: &Path) -> f64 {
    f64::from(path.hops.iter().map(|hop| hop.sent).max().unwrap_or(0).max(1))
}

fn way(traced: &Traced<'_>, path: &Path, share: f64) -> Way {
    let target = traced.result.address;
    let agent = Step {
        id: format!("agent:{}", traced.agent),
        what: What::Agent,
        address: traced.result.source,
        hop: None,
        distance: 0,
        pass: 1.0,
    };
    let mut steps = vec![agent];
    let mut quiet = 0_u32;
    for hop in &path.hops {
        let Some(address) = hop.address else {
            quiet += 1;
            continue;
        };
        let id = format!("ip:{address}");
        // A router that answers for two hops in a row is one node.
        if quiet == 0 && steps.last().is_some_and(|last| last.id == id) {
            continue;
        }
        hush(&mut steps, std::mem::take(&mut quiet), &id);
        let distance = u32::from(hop.ttl).max(1);
        steps.push(Step { id, what: What::Hop, address: Some(address), hop: Some(hop.clone()), distance, pass: 0.0 });
    }
    end(&mut steps, target, &traced.result.target);
    pass(&mut steps);
    Way { id: path.id.clone(), share, is_known: says_something(traced.result), steps }
}

/// Adds a silent stretch of `quiet` hops before the node `next`.
fn hush(steps: &mut Vec<Step>, quiet: u32, next: &str) {
    let Some(before) = steps.last().filter(|_| quiet > 0) else { return };
    let id = format!("silent:{}>{next}:{quiet}", before.id);
    let distance = before.distance + 1;
    steps.push(Step { id, what: What::Silent(Some(quiet)), address: None, hop: None, distance, pass: 0.0 });
}

/// Makes the last hop the target, or adds the target behind what nobody answers.
fn end(steps: &mut Vec<Step>, target: Option<IpAddr>, name: &str) {
    let Some(last) = steps.last_mut() else { return };
    if target.is_some() && last.hop.is_some() && last.address == target {
        last.what = What::Target;
        return;
    }
    let id = target.map_or_else(|| format!("name:{}", name.to_lowercase()), |address| format!("ip:{address}"));
    let gap = format!("silent:{}>{id}:", last.id);
    let distance = last.distance + 1;
    let step = |id, what, address, distance| Step { id, what, address, hop: None, distance, pass: 0.0 };
    steps.push(step(gap, What::Silent(None), None, distance));
    steps.push(step(id, What::Target, target, distance + 1));
}

/// How many come to each step: from the far end, the greatest share that was answered there or later.
fn pass(steps: &mut [Step]) {
    let mut best = 0.0_f64;
    for step in steps.iter_mut().rev() {
        if let Some(hop) = &step.hop
            && hop.sent > 0
        {
            best = best.max(f64::from(hop.answered) / f64::from(hop.sent));
        }
        step.pass = if step.what == What::Agent { 1.0 } else { best.min(1.0) };
    }
}
