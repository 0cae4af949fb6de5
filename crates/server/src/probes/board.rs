//! How each probe stands now: its last runs, its last result, its last trace.
//!
//! In memory, built again from history at a start. Limits: [`MOST_LINES`] pairs of probe and agent, [`RUNS`] runs of each; a result of a
//! pair that finds no room is kept by history alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwatch_api::probe::ProbeState;
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{ProbeKind, ProbeMetric, ProbeResult, Trigger};
use netwatch_model::{AgentId, Event, Timestamp};

use super::route_watch::RouteWatch;

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

/// How all probes stand.
#[derive(Debug, Default)]
pub struct Board {
    lines: Mutex<Lines>,
    routes: Mutex<RouteWatch>,
}

#[derive(Debug, Default)]
struct Lines {
    of: HashMap<ProbeId, Vec<(AgentId, Line)>>,
    count: usize,
}

impl Board {
    /// Notes a result. One that is older than the last of its line changes nothing.
    pub fn note(&self, result: &ProbeResult) {
        let Some(probe) = result.probe else { return };
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

    /// Forgets a probe.
    pub fn forget(&self, probe: ProbeId) {
        self.routes().forget(probe);
        let mut lines = self.lines();
        let gone = lines.of.remove(&probe).map_or(0, |of| of.len());
        lines.count -= gone;
    }

    /// How a probe stands at each agent that runs it, by agent.
    #[must_use]
    pub fn of(&self, probe: ProbeId) -> Vec<(AgentId, Line)> {
        self.lines().of.get(&probe).cloned().unwrap_or_default()
    }

    fn routes(&self) -> MutexGuard<'_, RouteWatch> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// The line of a probe at the agent of this result; `None` when there is no room for another.
    fn line(&mut self, probe: ProbeId, result: &ProbeResult) -> Option<&mut Line> {
        let of = self.of.entry(probe).or_default();
        let place = match of.binary_search_by_key(&result.agent, |(agent, _)| *agent) {
            Ok(place) => place,
            Err(_) if self.count >= MOST_LINES => return None,
            Err(place) => {
                self.count += 1;
                let line = Line { runs: VecDeque::new(), last: Arc::new(result.clone()), trace: None };
                of.insert(place, (result.agent, line));
                place
            }
        };
        of.get_mut(place).map(|(_, line)| line)
    }
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
        let board = Board::default();
        for (second, kind, trigger) in results {
            let start = Timestamp::from_secs(*second);
            board.note(&ProbeResult {
                probe: Some(PROBE),
                agent: AgentId(1),
                kind: *kind,
                target: "192.0.2.1".to_owned(),
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
        board.of(PROBE).remove(0).1
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
