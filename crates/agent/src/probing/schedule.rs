//! When probes are due: each at its interval, with a phase of its own, so that they never march in step (RFC 3432).
//!
//! The core takes the time and gives what is due; it starts nothing. A probe that still runs when it is due again is passed over and
//! counted: runs of one probe never overlap. A run that is due stays due until it is taken, so that a late one is late and not lost.
//! Probes that an assignment leaves as they are keep their schedule; one that is changed goes on with the new values.
//!
//! Limits: [`MAX_PROBES`] probes; more are left out and counted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use netwatch_egress::Scope;
use netwatch_model::assignment::{Assignment, EntryKey, MAX_PROBES};
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{ProbeKind, ProbeNetworks, ProbeResult, ProbeSpec, Trigger};

use super::burst::Burst;

/// A run that is due.
#[derive(Clone, PartialEq, Debug)]
pub struct Due {
    /// Of which probe.
    pub id: ProbeId,
    /// Of which entry.
    pub key: EntryKey,
    /// What to measure.
    pub spec: Arc<ProbeSpec>,
    /// Where it may measure, as its workspace says when the run begins.
    pub scope: Arc<Scope>,
    /// When it should have begun, on the clock for intervals.
    pub planned: Duration,
    /// Why.
    pub trigger: Trigger,
    /// It is the probe's own run, and no extra trace.
    pub own: bool,
}

/// What an assignment changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// Probes that are new.
    pub added: usize,
    /// Probes with other values.
    pub changed: usize,
    /// Probes that are gone.
    pub removed: usize,
    /// Probes over the limit, or that cannot be run as they are written.
    pub refused: usize,
}

/// When probes are due.
#[derive(Debug)]
pub struct Schedule {
    /// Decides the phases: another one for each agent.
    seed: u64,
    entries: HashMap<EntryKey, Entry>,
    queue: BTreeSet<(Duration, EntryKey)>,
    missed: u64,
}

#[derive(Debug)]
struct Entry {
    spec: Arc<ProbeSpec>,
    scope: Arc<Scope>,
    due: Duration,
    is_running: bool,
    burst: Burst,
}

impl Schedule {
    /// No probes yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, entries: HashMap::new(), queue: BTreeSet::new(), missed: 0 }
    }

    /// Makes the probes those of `assignment`.
    pub fn apply(&mut self, assignment: &Assignment, now: Duration) -> Change {
        let mut change = Change::default();
        let wanted = wanted(assignment);
        let gone: Vec<EntryKey> = self.entries.keys().filter(|id| !wanted.contains_key(id)).copied().collect();
        for id in gone {
            self.remove(id);
            change.removed += 1;
        }
        for (id, (spec, scope)) in wanted {
            let is_full = self.entries.len() >= MAX_PROBES;
            if spec.check_offered().is_err() {
                self.remove(id);
                change.refused += 1;
                continue;
            }
            match self.entries.get_mut(&id) {
                // Another bound changes no time.
                Some(entry) if *entry.spec == *spec => entry.scope = scope,
                Some(entry) => {
                    (entry.spec, entry.scope) = (Arc::new(spec.clone()), scope);
                    change.changed += 1;
                    self.plan(id, first_due(self.seed, id, interval(spec), now));
                }
                None if is_full => change.refused += 1,
                None => {
                    let due = first_due(self.seed, id, interval(spec), now);
                    let spec = Arc::new(spec.clone());
                    let entry = Entry { spec, scope, due, is_running: false, burst: Burst::default() };
                    self.entries.insert(id, entry);
                    self.queue.insert((due, id));
                    change.added += 1;
                }
            }
        }
        change
    }

    /// When the next run is due.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// The next run that is due by now, if there is one. It counts as running until [`Schedule::ended`].
    pub fn take(&mut self, now: Duration) -> Option<Due> {
        while let Some((planned, key)) = self.queue.first().copied().filter(|(due, _)| *due <= now) {
            let Some(entry) = self.entries.get_mut(&key) else {
                self.queue.pop_first();
                continue;
            };
            let (spec, scope, is_running) = (Arc::clone(&entry.spec), Arc::clone(&entry.scope), entry.is_running);
            let (step, trigger) = entry.burst.step(interval(&spec), least(&spec));
            entry.is_running = true;
            // What could not be run in time is not made up for: the phase stays.
            let behind = now.saturating_sub(planned).as_nanos() / step.as_nanos().max(1);
            let behind = u32::try_from(behind).unwrap_or(u32::MAX);
            self.missed += u64::from(behind) + u64::from(is_running);
            let next = match (trigger, entry.burst.is_over()) {
                (Trigger::Burst, true) => first_due(self.seed, key, interval(&spec), now),
                _ => planned.saturating_add(step.saturating_mul(behind.saturating_add(1))),
            };
            self.plan(key, next);
            if !is_running {
                return Some(Due { id: key.0, key, spec, scope, planned, trigger, own: true });
            }
        }
        None
    }

    /// A run has ended. Gives the extra trace that its result asks for.
    pub fn ended(&mut self, due: &Due, result: &ProbeResult, now: Duration) -> Option<Due> {
        let entry = self.entries.get_mut(&due.key)?;
        if !due.own {
            return None;
        }
        entry.is_running = false;
        if !entry.burst.judge(result, now) {
            return None;
        }
        let (step, _) = entry.burst.peek(interval(&entry.spec), least(&entry.spec));
        let next = entry.due.min(now + step);
        let (spec, scope) = (trace_of(&entry.spec), Arc::clone(&entry.scope));
        self.plan(due.key, next);
        spec.map(|spec| Due {
            id: due.id,
            key: due.key,
            spec: Arc::new(spec),
            scope,
            planned: now,
            trigger: Trigger::Burst,
            own: false,
        })
    }

    /// Probes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Runs that did not take place, because the run before had not ended or the agent was late by more than an interval.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    fn plan(&mut self, id: EntryKey, due: Duration) {
        if let Some(entry) = self.entries.get_mut(&id) {
            self.queue.remove(&(entry.due, id));
            entry.due = due;
            self.queue.insert((due, id));
        }
    }

    fn remove(&mut self, id: EntryKey) {
        if let Some(entry) = self.entries.remove(&id) {
            self.queue.remove(&(entry.due, id));
        }
    }
}

/// What is to be measured, and where; probes with one bound share it.
fn wanted(assignment: &Assignment) -> HashMap<EntryKey, (&ProbeSpec, Arc<Scope>)> {
    let everywhere = Arc::default();
    let mut last: Option<(&ProbeNetworks, Arc<Scope>)> = None;
    let mut wanted = HashMap::new();
    for (probe, to) in assignment.all() {
        let scope = match (to, &last) {
            (None, _) => Arc::clone(&everywhere),
            (Some(to), Some((same, scope))) if std::ptr::eq(to, *same) => Arc::clone(scope),
            (Some(to), _) => Arc::clone(&last.insert((to, Arc::new(scope_of(to)))).1),
        };
        wanted.insert(probe.key(), (&probe.spec, scope));
    }
    wanted
}

/// Networks as the guard reads them.
pub(super) fn scope_of(networks: &ProbeNetworks) -> Scope {
    Scope::read(&networks.only, &networks.deny)
}

fn interval(spec: &ProbeSpec) -> Duration {
    Duration::try_from_secs_f64(spec.interval).unwrap_or(Duration::from_secs(60))
}

/// The shortest interval of the kind.
fn least(spec: &ProbeSpec) -> Duration {
    Duration::try_from_secs_f64(spec.kind.descriptor().least_interval).unwrap_or(Duration::from_secs(1))
}

/// The first time after `now` that lies at the phase of the probe.
fn first_due(seed: u64, (id, part): EntryKey, interval: Duration, now: Duration) -> Duration {
    let nanos = interval.as_nanos().max(1);
    // Entries of one probe must not march in step either.
    let part = part.map_or(0, |(peer, kind)| mix(peer.0 ^ (kind as u64 + 1)));
    let phase = u128::from(mix(seed ^ part ^ id.bits() as u64 ^ (id.bits() >> 64) as u64)) % nanos;
    let begun = now.as_nanos() / nanos * nanos + phase;
    let due = if begun > now.as_nanos() { begun } else { begun + nanos };
    Duration::from_nanos(u64::try_from(due).unwrap_or(u64::MAX))
}

/// Spreads the bits (SplitMix64's finaliser).
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A trace to the target of a probe that is lossy or slow.
fn trace_of(spec: &ProbeSpec) -> Option<ProbeSpec> {
    let host = match spec.kind {
        ProbeKind::Mtr | ProbeKind::Dns | ProbeKind::Throughput | ProbeKind::Agent => return None,
        ProbeKind::Http => host_of_url(&spec.target)?,
        _ => netwatch_model::probe::spec::split_port(&spec.target, Some(1)).map(|(host, _)| host)?,
    };
    let trace = ProbeSpec {
        source: spec.source.clone(),
        family: spec.family,
        dscp: spec.dscp,
        ..ProbeSpec::new(ProbeKind::Mtr, host)
    };
    trace.check().is_ok().then_some(trace)
}

fn host_of_url(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    netwatch_model::probe::spec::split_port(authority, Some(1)).map(|(host, _)| host)
}

#[cfg(test)]
mod tests;
