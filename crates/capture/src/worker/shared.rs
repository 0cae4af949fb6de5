//! What the workers of one capture share: the sums of their counters, and what was learned from payload.
//!
//! Workers add their counts at each tick under a lock; worker 0, and each worker at its end, says the sums. Learned names are shared
//! because a DNS answer can reach another worker than the flow that it explains.

use std::sync::{Arc, Mutex, PoisonError};

use netwatch_model::{Label, Metric, Record, Sample, Series, Timestamp, Value};

use super::Worker;
use crate::apps::AppTable;
use crate::names::NameCache;
use crate::process::ProcessTable;
use crate::rates::Rates;

/// Shared by the workers of one capture.
#[derive(Debug)]
pub struct Shared {
    apps: Arc<AppTable>,
    names: Arc<NameCache>,
    processes: Option<Arc<ProcessTable>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rates: Rates,
    workers: Vec<Totals>,
    series: Vec<(Arc<Series>, Option<u64>)>,
}

/// Counters of one worker, since its start.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    active: u64,
    capacity: u64,
    started: u64,
    other: u64,
    fragments_unknown: u64,
}

impl Shared {
    /// For workers that use this table of applications.
    #[must_use]
    pub fn new(apps: Arc<AppTable>) -> Self {
        Self { apps, names: Arc::default(), processes: None, state: Mutex::default() }
    }

    /// The table of applications.
    #[must_use]
    pub const fn apps(&self) -> &Arc<AppTable> {
        &self.apps
    }

    /// Flows of this machine's sockets get the process that owns them from `table`.
    #[must_use]
    pub fn with_processes(self, table: Option<Arc<ProcessTable>>) -> Self {
        Self { processes: table, ..self }
    }

    /// The owners of this machine's sockets, when they are looked up.
    #[must_use]
    pub const fn processes(&self) -> Option<&Arc<ProcessTable>> {
        self.processes.as_ref()
    }

    /// Names learned from DNS answers.
    #[must_use]
    pub const fn names(&self) -> &Arc<NameCache> {
        &self.names
    }
}

impl Worker {
    /// Adds this worker's counts to the sums, and says them if that is its duty.
    pub(super) fn share(&mut self, now: Timestamp, out: &mut Vec<Record>) {
        let totals = Totals {
            active: self.table.len() as u64,
            capacity: self.table.capacity() as u64,
            started: self.started,
            other: self.other.conversations(),
            fragments_unknown: self.fragments.unknown().packets,
        };
        self.other.emit(self.number, out);
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.rates.absorb(&mut self.rates);
        let at = usize::from(self.number);
        if state.workers.len() <= at {
            state.workers.resize(at + 1, Totals::default());
        }
        state.workers[at] = totals;
        if self.number == 0 || self.finished {
            state.say(now, &shared.apps, out);
        }
    }
}

impl State {
    fn say(&mut self, now: Timestamp, apps: &AppTable, out: &mut Vec<Record>) {
        self.rates.samples(now, apps, out);
        let sum = |f: fn(&Totals) -> u64| self.workers.iter().map(f).sum::<u64>();
        let totals = [
            (Metric::FlowsActive, None, sum(|t| t.active)),
            (Metric::FlowsCapacity, None, sum(|t| t.capacity)),
            (Metric::FlowsStarted, None, sum(|t| t.started)),
            (Metric::FlowsOther, None, sum(|t| t.other)),
            (Metric::FragmentsUnknown, None, sum(|t| t.fragments_unknown)),
        ];
        let undissected: Vec<_> = self
            .rates
            .undissected_counts()
            .map(|(why, n)| (Metric::FramesUndissected, Some(Label::Reason(why.as_str().into())), n))
            .collect();
        let all = totals.into_iter().chain(undissected);
        for (at, (metric, label, n)) in all.enumerate() {
            if self.series.len() <= at {
                let series = Series { metric, labels: label.into_iter().collect() };
                self.series.push((Arc::new(series), None));
            }
            let (series, last) = &mut self.series[at];
            if *last != Some(n) {
                *last = Some(n);
                out.push(Record::Sample(Sample { series: Arc::clone(series), time: now, value: Value::Integer(n) }));
            }
        }
    }
}
