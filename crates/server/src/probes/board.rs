//! How each probe stands now: its last runs, its last result, its last trace.
//!
//! In memory, built again from history at a start. Limits: [`MOST_LINES`] pairs of probe and agent, [`RUNS`] runs of each; a result of a
//! pair that finds no room is kept by history alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwatch_api::probe::ProbeState;
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{ProbeKind, ProbeMetric, ProbeResult, Trigger, pair};
use netwatch_model::{AgentId, Event, Timestamp};

use super::route_watch::RouteWatch;
use super::told::Told;

/// Runs of a line that are remembered.
pub const RUNS: usize = 40;
/// Pairs of probe and agent.
pub const MOST_LINES: usize = 50_000;
/// Loss from which on a probe is degraded.
const LOSSY: f64 = 0.05;

/// How a run went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RunState {
    /// It succeeded.
    Up,
    /// It succeeded with loss.
    Degraded,
    /// It failed.
    Down,
    /// It says nothing about the target.
    Unknown,
}

impl RunState {
    /// Of a run that succeeded with that loss, 0 to 1.
    #[must_use]
    pub fn of_loss(loss: f64) -> Self {
        if loss >= 1.0 {
            Self::Down
        } else if loss >= LOSSY {
            Self::Degraded
        } else {
            Self::Up
        }
    }
}

impl From<RunState> for ProbeState {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Up => Self::Up,
            RunState::Degraded => Self::Degraded,
            RunState::Down => Self::Down,
            RunState::Unknown => Self::Unknown,
        }
    }
}

/// One run, as a bar shows it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Run {
    /// When it began.
    pub start: Timestamp,
    /// How it went.
    pub state: RunState,
    /// Median round-trip time or time of the answer, seconds.
    pub time: Option<f64>,
    /// Loss, 0 to 1.
    pub loss: Option<f64>,
}

/// How a probe stands at an agent.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its last runs, oldest first.
    pub runs: VecDeque<Run>,
    /// Its last result.
    pub last: Arc<ProbeResult>,
    /// Its last trace: its own, or one that a burst added.
    pub trace: Option<Arc<ProbeResult>>,
}

/// Which line of a probe: that of an agent, and of a probe to another agent that agent and the kind.
type Place = (AgentId, Option<(AgentId, ProbeKind)>);

/// How all probes stand.
#[derive(Debug, Default)]
pub struct Board {
    lines: Mutex<Lines>,
    routes: Mutex<RouteWatch>,
    told: Told,
}

#[derive(Debug, Default)]
struct Lines {
    of: HashMap<ProbeId, Vec<(Place, Line)>>,
    count: usize,
}

impl Board {
    /// Notes a result; one that is older than the last of its line changes nothing. What belongs to no probe is what an agent tells of its
    /// host.
    pub fn note(&self, result: &ProbeResult) {
        let Some(probe) = result.probe else { return self.told.note(result) };
        let mut lines = self.lines();
        let Some(line) = lines.line(probe, result) else { return };
        let result = Arc::new(result.clone());
        let is_trace = result.kind == ProbeKind::Mtr;
        if is_trace && line.trace.as_ref().is_none_or(|trace| trace.start <= result.start) {
            line.trace = Some(Arc::clone(&result));
        }
        let is_other = line.last.kind != result.kind;
        // A burst adds a trace to a probe of another kind: it is no run of the probe.
        if is_trace && is_other && result.trigger == Trigger::Burst {
            return;
        }
        // The probe is of another kind now, or what came first was such a trace.
        if is_other {
            line.runs.clear();
        }
        if line.runs.back().is_some_and(|run| run.start >= result.start) {
            return;
        }
        if line.runs.len() >= RUNS {
            line.runs.pop_front();
        }
        line.runs.push_back(run_of(&result));
        line.last = result;
    }

    /// Notes what was measured before the start: nothing of it is news.
    pub fn recall(&self, result: &ProbeResult) {
        let _told_before = self.watch_route(result);
        self.note(result);
    }

    /// The event of a route that is another one now, by this trace and those before it.
    pub fn watch_route(&self, result: &ProbeResult) -> Option<Event> {
        self.routes().note(result).map(|change| change.event())
    }

    /// Pairs of probe and agent whose routes are not watched, because there are too many.
    #[must_use]
    pub fn unwatched(&self) -> u64 {
        self.routes().refused()
    }

    /// What agents last told of their hosts.
    pub(crate) const fn told(&self) -> &Told {
        &self.told
    }

    /// Forgets a probe.
    pub fn forget(&self, probe: ProbeId) {
        self.routes().forget(probe);
        let mut lines = self.lines();
        let gone = lines.of.remove(&probe).map_or(0, |of| of.len());
        lines.count -= gone;
    }

    /// How a probe stands at each agent that runs it, by agent; a probe to another agent has a line for each kind that it expands to.
    #[must_use]
    pub fn of(&self, probe: ProbeId) -> Vec<(AgentId, Line)> {
        let lines = self.lines();
        let of = lines.of.get(&probe).into_iter().flatten();
        of.map(|((agent, _), line)| (*agent, line.clone())).collect()
    }

    fn routes(&self) -> MutexGuard<'_, RouteWatch> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the last run of a probe went at each agent.
    #[must_use]
    pub fn states(&self, probe: ProbeId) -> Vec<RunState> {
        self.last(probe).iter().map(|run| run.state).collect()
    }

    /// The last run of a probe at each agent.
    #[must_use]
    pub fn last(&self, probe: ProbeId) -> Vec<Run> {
        let lines = self.lines();
        let of = lines.of.get(&probe).into_iter().flatten();
        of.filter_map(|(_, line)| line.runs.back().copied()).collect()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// The line of a probe at the agent of this result; `None` when there is no room for another.
    fn line(&mut self, probe: ProbeId, result: &ProbeResult) -> Option<&mut Line> {
        let of = self.of.entry(probe).or_default();
        let key = (result.agent, part_of(result));
        let place = match of.binary_search_by_key(&key, |(place, _)| *place) {
            Ok(place) => place,
            Err(_) if self.count >= MOST_LINES => return None,
            Err(place) => {
                self.count += 1;
                let line = Line { runs: VecDeque::new(), last: Arc::new(result.clone()), trace: None };
                of.insert(place, (key, line));
                place
            }
        };
        of.get_mut(place).map(|(_, line)| line)
    }
}

/// The other agent and the kind, of what a probe to an agent expands to.
fn part_of(result: &ProbeResult) -> Option<(AgentId, ProbeKind)> {
    let target = result.target.as_str();
    let peer = match result.kind {
        ProbeKind::Agent => target.parse().ok(),
        _ => pair::agent_of(target.split_once(':').map_or(target, |(host, _)| host)),
    };
    peer.map(|peer| (peer, result.kind))
}

/// A result as a bar shows it.
#[must_use]
pub fn run_of(result: &ProbeResult) -> Run {
    let measures = result.measures();
    let of = |metric| measures.iter().find(|m| m.metric == metric).map(|m| m.value);
    let loss = of(ProbeMetric::Loss);
    let first = [ProbeMetric::RttMedian, ProbeMetric::Connect, ProbeMetric::QueryTime, ProbeMetric::TlsHandshake];
    let http = || (result.kind == ProbeKind::Http && !measures.is_empty()).then_some(result.duration);
    let time = first.into_iter().find_map(of).or_else(http);
    let state = match &result.failure {
        Some(failure) if failure.reason.is_unknown() => RunState::Unknown,
        Some(_) => RunState::Down,
        None => loss.map_or(RunState::Up, RunState::of_loss),
    };
    Run { start: result.start, state, time, loss }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: ProbeId = ProbeId::from_bits(7);

    fn noted(results: &[(i64, ProbeKind, Trigger)]) -> Line {
        noted_of("192.0.2.1", results).remove(0).1
    }

    fn noted_of(target: &str, results: &[(i64, ProbeKind, Trigger)]) -> Vec<(AgentId, Line)> {
        let board = Board::default();
        for (second, kind, trigger) in results {
            let start = Timestamp::from_secs(*second);
            board.note(&ProbeResult {
                probe: Some(PROBE),
                agent: AgentId(1),
                kind: *kind,
                target: target.to_owned(),
                address: None,
                source: None,
                scheduled: start,
                start,
                duration: 0.1,
                trigger: *trigger,
                late: false,
                failure: None,
                detail: None,
            });
        }
        board.of(PROBE)
    }

    #[test]
    fn a_probe_to_another_agent_has_a_line_for_each_kind() {
        use ProbeKind::{Mtr, Ping};
        let plan = [(1, Ping, Trigger::Schedule), (2, Mtr, Trigger::Schedule), (3, Ping, Trigger::Schedule)];
        let lines = noted_of(&pair::host_of(AgentId(0xb2)), &plan);
        let lines: Vec<_> = lines.iter().map(|(agent, line)| (agent.0, line.last.kind, line.runs.len())).collect();
        assert_eq!(lines, [(1, Ping, 2), (1, Mtr, 1)]);
    }

    #[test]
    fn an_added_trace_is_no_run_of_the_probe() {
        use ProbeKind::{Mtr, Ping};
        let line = noted(&[(1, Ping, Trigger::Schedule), (2, Mtr, Trigger::Burst), (3, Ping, Trigger::Burst)]);
        let trace = line.trace.map(|trace| trace.start.secs());
        assert_eq!((line.runs.len(), line.last.kind, trace), (2, Ping, Some(2)));
        let first = noted(&[(1, Mtr, Trigger::Burst), (2, Ping, Trigger::Schedule)]);
        assert_eq!((first.runs.len(), first.last.kind), (1, Ping));
    }

    #[test]
    fn a_probe_that_became_another_kind_goes_on() {
        use ProbeKind::{Mtr, Ping};
        let line = noted(&[(1, Ping, Trigger::Schedule), (2, Mtr, Trigger::Schedule), (3, Mtr, Trigger::Burst)]);
        assert_eq!((line.runs.len(), line.last.kind), (2, Mtr));
    }

    #[test]
    fn an_older_result_changes_nothing_and_old_runs_go() {
        let many: Vec<_> = (1..=50).map(|second| (second, ProbeKind::Tcp, Trigger::Schedule)).collect();
        let line = noted(&[&many[..], &[(20, ProbeKind::Tcp, Trigger::Schedule)]].concat());
        assert_eq!((line.runs.len(), line.runs[0].start.secs(), line.last.start.secs()), (RUNS, 11, 50));
    }
}
