//! The store of one workspace: what waits in memory, and the files that it is written to.
//!
//! ```text
//! batch ─append─► heads (samples, flows, events) ─flush─► minutes, then raw, of each day: a transaction for each file
//! ```
//!
//! Flow records, which take longest, are written beside what comes in next.
//!
//! Effectively once: every file notes the position of the log up to which it has everything. After a crash the log is handed over again
//! from the last position that *all* files had; what a file already has it does not take again. Files of one flush may have ended up
//! at different positions; records are then flushed at each of these positions ([`Heads::stops`]), so that a file takes a flush whole
//! or not at all. Flows are cumulative besides: what is already written of an open one is learnt from the files at the start.

mod flush;
mod open;

pub(crate) use flush::{WaitingFlows, rollup_row, sample_row};
pub use open::error_text;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use duckdb::Connection;
use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Batch, BatchKey, Event, Record, Sample};

use crate::dictionary::Dictionary;
use crate::duck::engine::Engine;
use crate::duck::files::Files;
use crate::error::StoreError;
use crate::head::SampleHead;
use crate::partition::{DAY, Kind, Partition};
use crate::port::Taken;
use crate::slices::{FlowHead, RecordKey};

/// Events that wait in memory; more are written at once.
const MAX_EVENTS: usize = 10_000;
/// The same of results of probes.
const MAX_RESULTS: usize = 5_000;

/// The store of one workspace.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) engine: Arc<Engine>,
    pub(crate) files: Files,
    pub(crate) dictionary: RwLock<Dictionary>,
    /// Hours that are rolled up, as start in milliseconds.
    pub(crate) done: Mutex<HashSet<(Kind, i64)>>,
    /// The hour that is being rolled up, and whether it got something meanwhile.
    rolling: Mutex<Option<(Kind, i64, bool)>>,
    /// Files that were rewritten and got nothing since.
    pub(crate) compacted: Mutex<HashSet<Partition>>,
    /// Locked before the writer, and not while flow records are written.
    heads: Mutex<Heads>,
    writer: Mutex<Writer>,
}

/// Which times are taken in, in milliseconds: nothing that retention would delete at once, nothing from the future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    pub(crate) samples_from: i64,
    pub(crate) flows_from: i64,
    pub(crate) events_from: i64,
    pub(crate) results_from: i64,
    pub(crate) to: i64,
}

/// What waits in memory.
#[derive(Debug)]
struct Heads {
    samples: SampleHead,
    flows: FlowHead,
    events: Vec<(AgentId, Event)>,
    results: Vec<ProbeResult>,
    /// Position of the last batch that was taken in.
    position: u64,
    /// Position up to which each file had everything when it was opened.
    known: HashMap<Partition, u64>,
    /// The largest of them: beyond it nothing can come twice.
    highest: u64,
    /// Positions at which some file's knowledge ends, in order.
    stops: VecDeque<u64>,
}

/// How far each file is.
#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// Up to where everything is written by the flush that is under way.
    position: u64,
    /// Position up to which each file has everything.
    guards: HashMap<Partition, u64>,
    /// Series that each file lists.
    listed: HashMap<Partition, HashSet<u32>>,
}

impl Tenant {
    /// Takes a batch in. Batches come in the order of their positions.
    pub(crate) fn append(&self, position: u64, batch: Batch, window: Window) -> Result<Taken, StoreError> {
        let mut heads = lock(&self.heads);
        while heads.stops.front().is_some_and(|stop| *stop < position) {
            let flows = heads.take_flows();
            self.flush_heads(&mut heads)?;
            self.write_flows(flows)?;
            heads.stops.pop_front();
        }
        let mut taken = Taken::default();
        // For the whole batch, because most have samples alone.
        let mut dictionary = self.dictionary.write().unwrap_or_else(PoisonError::into_inner);
        for record in batch.records {
            match record {
                Record::Sample(sample) => {
                    let agent = batch.key.agent;
                    heads.sample(&mut dictionary, position, agent, &sample, window, &mut taken);
                }
                Record::Flow(flow) => {
                    let time = flow.end.millis();
                    if heads.wants(
                        position,
                        [Kind::Flows, Kind::FlowMinutes],
                        time,
                        window.flows_from,
                        window,
                        &mut taken,
                    ) {
                        let BatchKey { agent, boot, .. } = batch.key;
                        heads.flows.push(RecordKey { agent, boot, id: flow.id }, flow);
                    }
                }
                Record::Event(event) => {
                    let time = event.time.millis();
                    if heads.wants(position, [Kind::Events; 2], time, window.events_from, window, &mut taken) {
                        heads.events.push((batch.key.agent, event));
                    }
                }
                Record::Probe(result) => {
                    let time = result.start.millis();
                    if heads.wants(position, [Kind::ProbeResults; 2], time, window.results_from, window, &mut taken) {
                        heads.results.push(*result);
                    }
                }
            }
        }
        heads.position = heads.position.max(position);
        Ok(taken)
    }

    /// Records that wait: samples, and everything else.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let heads = lock(&self.heads);
        (heads.samples.len(), heads.flows.len() + (heads.events.len() + heads.results.len()) * 20)
    }

    /// Flow records that wait.
    pub(crate) fn waiting_flows(&self) -> usize {
        lock(&self.heads).flows.len()
    }

    /// Whether so much but flow records waits that it should be written.
    pub(crate) fn is_full(&self, max_samples: usize) -> bool {
        let heads = lock(&self.heads);
        heads.samples.len() >= max_samples || heads.events.len() >= MAX_EVENTS || heads.results.len() >= MAX_RESULTS
    }

    /// Takes the flow records that wait: [`Tenant::write_flows`] writes them, while others come in.
    pub(crate) fn take_flows(&self) -> WaitingFlows {
        lock(&self.heads).take_flows()
    }

    /// Writes what else waits.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.flush_heads(&mut lock(&self.heads))
    }

    /// Forgets what is known of a file that is gone.
    pub(crate) fn forget(&self, partition: Partition) {
        let mut writer = self.writer();
        writer.guards.remove(&partition);
        writer.listed.remove(&partition);
        drop(writer);
        lock(&self.compacted).remove(&partition);
        if partition.kind.is_derived() {
            let hours = partition.start()..partition.end();
            lock(&self.done).retain(|(kind, hour)| *kind != partition.kind || !hours.contains(hour));
        }
    }

    /// Rolls an hour up by `work`, which says whether there was anything. What is written meanwhile makes the hour late.
    pub(crate) fn roll(
        &self,
        kind: Kind,
        hour: i64,
        work: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        // No flush is under way while this changes.
        let change = |to| {
            let _writer = self.writer();
            std::mem::replace(&mut *lock(&self.rolling), to)
        };
        change(Some((kind, hour, false)));
        let result = work();
        let late = change(None).is_some_and(|(_, _, late)| late);
        if result.is_ok() && !late {
            lock(&self.done).insert((kind, hour));
        }
        result
    }

    /// Position up to which a file has everything.
    pub(crate) fn position_of(&self, partition: Partition) -> u64 {
        self.writer().guard(partition)
    }

    /// Puts a rewritten file in the place of one that got nothing since it had everything up to `position`.
    pub(crate) fn replace_if_untouched(
        &self,
        partition: Partition,
        position: u64,
        with: &Path,
    ) -> Result<bool, StoreError> {
        let writer = self.writer();
        if writer.guard(partition) != position {
            return Ok(false);
        }
        self.files.replace(partition, with)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        lock(&self.writer)
    }
}

impl Heads {
    fn take_flows(&mut self) -> WaitingFlows {
        WaitingFlows::new(self.position, self.flows.take())
    }

    fn sample(
        &mut self,
        dictionary: &mut Dictionary,
        position: u64,
        agent: AgentId,
        sample: &Sample,
        window: Window,
        taken: &mut Taken,
    ) {
        let time = sample.time.millis();
        let kinds = [Kind::Samples, Kind::SampleMinutes];
        if !self.wants(position, kinds, time, window.samples_from, window, taken) {
            return;
        }
        match dictionary.number(agent, &sample.series) {
            Some(number) => self.samples.push(number, time, sample.value),
            None => {
                taken.stored -= 1;
                taken.too_many_series += 1;
            }
        }
    }

    /// Whether some file of `kinds` still wants what happened at `time`; counts what is refused.
    fn wants(&self, position: u64, kinds: [Kind; 2], time: i64, from: i64, window: Window, taken: &mut Taken) -> bool {
        if time < from {
            taken.too_old += 1;
        } else if time >= window.to {
            taken.too_new += 1;
        } else if position <= self.highest
            && kinds.iter().all(|k| position <= guard(&self.known, Partition::at(*k, time)))
        {
            taken.repeated += 1;
        } else {
            taken.stored += 1;
            return true;
        }
        false
    }
}

impl Writer {
    fn guard(&self, partition: Partition) -> u64 {
        guard(&self.guards, partition)
    }
}

fn guard(guards: &HashMap<Partition, u64>, partition: Partition) -> u64 {
    guards.get(&partition).copied().unwrap_or(0)
}

impl Window {
    /// What is taken in at `now`, when records may become as old as that.
    pub(crate) fn at(now: i64, age: impl Fn(Kind) -> i64) -> Self {
        let from = |kind| now.saturating_sub(age(kind));
        Self {
            samples_from: from(Kind::Samples),
            flows_from: from(Kind::Flows),
            events_from: from(Kind::Events),
            results_from: from(Kind::ProbeResults),
            to: now.saturating_add(DAY),
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
