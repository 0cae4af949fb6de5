//! Notices that the route of a probe to its target is another one.
//!
//! A trace that shows a path which was seen in the last hour is no change, so that routers which balance over several paths make no
//! noise: a new path beside a known one is learnt. Only when [`CONFIRM`] traces in a row show the same new path, and none of the known
//! ones, the route has changed. Paths are compared by their hops; a silent hop fits every address, so that it changes nothing.
//!
//! There is no clock here: time is that of the traces, and traces that come late change nothing. Limits: [`MOST_WATCHED`] pairs of
//! probe and agent, of each [`MOST_ADDRESSES`] addresses of the target (the one traced longest ago goes) and [`MOST_KNOWN`] paths. A
//! pair that finds no room is counted and not watched.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use netwatch_model::people::ProbeId;
use netwatch_model::probe::ProbeResult;
use netwatch_model::probe::kind::Detail;
use netwatch_model::probe::kind::mtr::{MAX_HOPS, Path};
use netwatch_model::{AgentId, Event, EventKind, Severity, Timestamp, Untrusted};

/// Traces in a row that show a new path before it counts.
const CONFIRM: u32 = 2;
/// How long a path is known after it was seen.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);
const MOST_WATCHED: usize = 10_000;
const MOST_ADDRESSES: usize = 4;
const MOST_KNOWN: usize = 8;
/// Hops of a path that an event names.
const MOST_NAMED: usize = 8;

/// Who answered at each hop; `None` for who is silent.
type Hops = Vec<Option<IpAddr>>;
type Way = [Option<IpAddr>];

/// The routes that are watched.
#[derive(Debug, Default)]
pub(super) struct RouteWatch {
    of: HashMap<(ProbeId, AgentId), Vec<Target>>,
    refused: HashSet<(ProbeId, AgentId)>,
}

/// Routes to one address.
#[derive(Debug)]
struct Target {
    address: IpAddr,
    last: Timestamp,
    current: Hops,
    known: Vec<(Timestamp, Hops)>,
    /// A path that may become the route, and how many traces in a row showed it.
    candidate: Option<(Hops, u32)>,
}

/// A route that is another one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct RouteChange {
    pub(super) probe: ProbeId,
    pub(super) agent: AgentId,
    /// What is measured, as written, and its address.
    pub(super) target: String,
    pub(super) address: IpAddr,
    pub(super) time: Timestamp,
    pub(super) before: Hops,
    pub(super) after: Hops,
}

impl RouteWatch {
    /// Notes a result; what is no trace changes nothing.
    pub(super) fn note(&mut self, result: &ProbeResult) -> Option<RouteChange> {
        let (probe, address) = (result.probe?, result.address?);
        let Some(Detail::Mtr(trace)) = &result.detail else { return None };
        let paths: Vec<Hops> = trace.paths.iter().map(hops).filter(|hops| hops.iter().any(Option::is_some)).collect();
        let primary = paths.first()?;
        let key = (probe, result.agent);
        if self.of.len() >= MOST_WATCHED && !self.of.contains_key(&key) {
            // Twice as many are told apart; more are one.
            if self.refused.len() < 2 * MOST_WATCHED {
                self.refused.insert(key);
            }
            return None;
        }
        let targets = self.of.entry(key).or_default();
        let Some(target) = targets.iter_mut().find(|target| target.address == address) else {
            if targets.len() >= MOST_ADDRESSES {
                let oldest = targets.iter().enumerate().min_by_key(|(_, target)| target.last).map(|(place, _)| place);
                oldest.map(|oldest| targets.swap_remove(oldest));
            }
            targets.push(Target::new(address, result.start, primary, &paths));
            return None;
        };
        let (before, after) = target.note(result.start, primary, &paths)?;
        let (agent, target) = (result.agent, result.target.clone());
        Some(RouteChange { probe, agent, target, address, time: result.start, before, after })
    }

    /// Pairs that found no room.
    pub(super) fn refused(&self) -> u64 {
        self.refused.len() as u64
    }

    /// Forgets a probe.
    pub(super) fn forget(&mut self, probe: ProbeId) {
        self.of.retain(|(of, _), _| *of != probe);
        self.refused.retain(|(of, _)| *of != probe);
    }
}

impl Target {
    fn new(address: IpAddr, now: Timestamp, primary: &Way, paths: &[Hops]) -> Self {
        let mut target = Self { address, last: now, current: primary.to_vec(), known: Vec::new(), candidate: None };
        paths.iter().for_each(|path| target.learn(now, path));
        target
    }

    /// What the route was and is, when it has changed.
    fn note(&mut self, now: Timestamp, primary: &Way, paths: &[Hops]) -> Option<(Hops, Hops)> {
        if now <= self.last {
            return None;
        }
        self.last = now;
        let current = &self.current;
        self.known.retain(|(seen, hops)| now.since(*seen) <= KNOWN_FOR || hops == current);
        if let Some(path) = paths.iter().find(|path| self.known.iter().any(|(_, known)| fits(known, path))) {
            self.candidate = None;
            paths.iter().for_each(|path| self.learn(now, path));
            if let Some((_, hops)) = self.known.iter().find(|(_, known)| fits(known, path)) {
                self.current.clone_from(hops);
            }
            return None;
        }
        let (hops, times) = match self.candidate.take() {
            Some((hops, times)) if paths.iter().any(|path| fits(&hops, path)) => (hops, times + 1),
            _ => (primary.to_vec(), 1),
        };
        if times < CONFIRM {
            self.candidate = Some((hops, times));
            return None;
        }
        let before = std::mem::replace(&mut self.current, primary.to_vec());
        paths.iter().for_each(|path| self.learn(now, path));
        Some((before, primary.to_vec()))
    }

    /// Knows a path from here on; what it tells of silent hops of a known one is added to that.
    fn learn(&mut self, now: Timestamp, path: &Way) {
        if let Some((seen, known)) = self.known.iter_mut().find(|(_, known)| fits(known, path)) {
            let was_current = *known == self.current;
            *seen = now;
            for (place, hop) in path.iter().enumerate() {
                match known.get_mut(place) {
                    Some(known) => *known = known.or(*hop),
                    None => known.push(*hop),
                }
            }
            if was_current {
                self.current.clone_from(known);
            }
            return;
        }
        if self.known.len() >= MOST_KNOWN {
            let current = &self.current;
            let others = self.known.iter().enumerate().filter(|(_, (_, hops))| hops != current);
            let oldest = others.min_by_key(|(_, (seen, _))| *seen).map(|(place, _)| place);
            oldest.map(|oldest| self.known.swap_remove(oldest));
        }
        self.known.push((now, path.to_vec()));
    }
}

impl RouteChange {
    /// What people and programs are told.
    pub(super) fn event(&self) -> Event {
        let same = self.before.iter().zip(&self.after).take_while(|(before, after)| before == after).count();
        let behind = same.checked_sub(1).and_then(|last| self.after.get(last).copied().flatten());
        let place = behind.map_or_else(|| "from the start on".to_owned(), |hop| format!("behind {hop}"));
        let (before, after) = (named(&self.before, same), named(&self.after, same));
        let Self { target, address, agent, .. } = self;
        let shown = if *target == address.to_string() { target.clone() } else { format!("{target} ({address})") };
        let text = format!("The route to {shown} from agent {agent} changed {place}: it was {before}, it is {after}");
        Event {
            time: self.time,
            kind: EventKind::RouteChanged,
            severity: Severity::Info,
            subject: Untrusted::new(&self.probe.to_string()),
            text: Untrusted::message(&text),
        }
    }
}

fn hops(path: &Path) -> Hops {
    path.hops.iter().take(MAX_HOPS).map(|hop| hop.address).collect()
}

/// Whether two sequences may be of one route: no place where both answer differently.
fn fits(a: &Way, b: &Way) -> bool {
    a.iter().zip(b).all(|pair| match pair {
        (Some(a), Some(b)) => a == b,
        _ => true,
    })
}

/// The hops behind the first `same`, as text.
fn named(hops: &Way, same: usize) -> String {
    let rest = hops.get(same..).unwrap_or_default();
    if rest.is_empty() {
        return "no more hops".to_owned();
    }
    let words = rest.iter().take(MOST_NAMED).map(|hop| hop.map_or_else(|| "*".to_owned(), |hop| hop.to_string()));
    let more = if rest.len() > MOST_NAMED { " > …" } else { "" };
    format!("{}{more}", words.collect::<Vec<_>>().join(" > "))
}
