//! Taking batches in: what a record changes.

use std::hash::BuildHasher;
use std::sync::{Mutex, OnceLock};

use foldhash::fast::RandomState;
use netwatch_model::{Batch, EndReason, FlowId, FlowRecord, Metric, Record, Sample, Timestamp};

use super::archive::Archive;
use super::capture::Sources;
use super::config::{StoreConfig, TimeBase};
use super::events::EventLog;
use super::history::{Carried, History};
use super::key::Subjects;
use super::live::{Counted, LiveTable};
use super::lock;
use super::row::{Head, Plain, TextIds, Volume, Words};
use super::runs::{Runs, Verdict};
use super::series::Rates;
use super::talkers::{Delta, LEVELS, Talkers, align};
use super::texts::{Processes, TextId, Texts};
use super::view::View;

/// Sets of places for ids of ended flows, so that a late record does not bring one back.
const ENDED_SETS: usize = 2_048;
/// Places of a set: an id is forgotten when so many newer ones fell into its set.
const SET_PLACES: usize = 8;
/// No flow: its slot is above every slot of a table.
const NO_FLOW: FlowId = FlowId::from_bits(u64::MAX);
/// Minutes beyond the window for which texts are kept.
const SLACK: i32 = 10;
/// How far in the future of the wall clock a packet may be, in seconds.
const FUTURE: i64 = 2;

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Whether it was taken in before; then nothing changed.
    pub repeated: bool,
    /// Records taken in.
    pub records: usize,
}

/// Counters of the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) batches: u64,
    pub(crate) repeated: u64,
    pub(crate) records: u64,
    pub(crate) live: u64,
    pub(crate) archived: u64,
    pub(crate) archive_bytes: u64,
    pub(crate) archive_budget: u64,
    pub(crate) archive_dropped: u64,
    pub(crate) kept_out: u64,
    pub(crate) texts_lost: u64,
}

/// All that is written.
#[derive(Debug)]
pub(super) struct Inner {
    time_base: TimeBase,
    window: std::time::Duration,
    clock: Timestamp,
    newest: Option<Timestamp>,
    runs: Runs,
    live: LiveTable,
    archive: Archive,
    history: History,
    talkers: Talkers,
    rates: Rates,
    sources: Sources,
    texts: Texts,
    processes: Processes,
    ended: EndedIds,
    deltas: Vec<Delta>,
    /// Texts of the newest record: the next one's are often the same.
    recent: TextIds,
    forgot: i32,
    counts: Counts,
}

/// Ids of flows that ended lately: each has a set of places, newest first, from which the oldest falls out.
#[derive(Debug)]
struct EndedIds {
    sets: Box<[[FlowId; SET_PLACES]]>,
    hasher: RandomState,
}

impl Inner {
    pub(super) fn new(config: &StoreConfig) -> Self {
        let window = u32::try_from(config.window.as_secs()).unwrap_or(u32::MAX);
        Self {
            time_base: config.time_base,
            window: config.window,
            clock: Timestamp::ZERO,
            newest: None,
            runs: Runs::default(),
            live: LiveTable::new(config.live_rows),
            archive: Archive::new(config),
            history: History::new(config.history_bytes, window),
            talkers: Talkers::new(config.talker_keys, config.talker_bytes),
            rates: Rates::new(config.series),
            sources: Sources::default(),
            texts: Texts::new(config.texts),
            processes: Processes::new(config.texts),
            ended: EndedIds::default(),
            deltas: Vec::new(),
            recent: TextIds::default(),
            forgot: 0,
            counts: Counts { archive_budget: config.archive_bytes as u64, ..Counts::default() },
        }
    }

    /// What "now" is for what is kept.
    pub(super) const fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Time of the newest record.
    pub(super) const fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// For readers.
    pub(super) fn view(&self, version: u64, as_of: Timestamp) -> View {
        let counts = Counts {
            live: self.live.len() as u64,
            archived: self.archive.rows() as u64,
            archive_bytes: self.archive.bytes() as u64,
            archive_dropped: self.archive.dropped(),
            kept_out: self.live.kept_out(),
            texts_lost: self.texts.lost() + self.processes.lost(),
            ..self.counts
        };
        View {
            version: Some(version),
            time_base: self.time_base,
            as_of,
            horizon: self.clock - self.window,
            live: self.live.chunks().to_vec(),
            archive: self.archive.view(),
            words: Words { texts: self.texts.pages(), processes: self.processes.pages() },
            history: self.history.view(),
            history_step: self.history.step(),
            talkers: self.talkers.view(),
            series: self.rates.view(),
            sources: self.sources.view(),
            counts,
            index: OnceLock::new(),
        }
    }

    pub(super) fn apply(&mut self, batch: &Batch, now: Timestamp, events: &Mutex<EventLog>) -> Applied {
        match self.runs.note(batch.key) {
            Verdict::Repeated => {
                self.counts.repeated += 1;
                return Applied { repeated: true, records: 0 };
            }
            Verdict::NewRun => self.new_run(),
            Verdict::New => {}
        }
        self.set_clock(batch, now);
        let minute = self.minute();
        for record in &batch.records {
            match record {
                Record::Sample(sample) => self.sample(sample),
                Record::Flow(flow) => self.flow(flow, minute),
                Record::Event(event) => {
                    self.sources.note(event);
                    lock(events).push(event.clone());
                }
                // The board of probes has it.
                Record::Probe(_) => {}
            }
        }
        if let Some(newest) = self.deltas.iter().map(|delta| delta.second).max() {
            self.talkers.add(self.deltas.drain(..), newest);
        }
        self.tidy();
        self.counts.batches += 1;
        self.counts.records += batch.records.len() as u64;
        Applied { repeated: false, records: batch.records.len() }
    }

    fn set_clock(&mut self, batch: &Batch, now: Timestamp) {
        let times = batch.records.iter().map(|r| match r {
            Record::Sample(s) => s.time,
            Record::Flow(f) => f.end,
            Record::Event(e) => e.time,
            Record::Probe(result) => result.start,
        });
        self.newest = times.max().max(self.newest);
        self.clock = match self.time_base {
            TimeBase::Wall => now,
            TimeBase::Records => self.newest.unwrap_or(now),
        };
    }

    /// What is written about the run before is all that will come of it.
    fn new_run(&mut self) {
        self.rates.restart();
        self.ended = EndedIds::default();
        for (head, mut volume) in self.live.drain() {
            volume.end_reason = Some(EndReason::ForcedEnd);
            self.archive.push(head, volume, self.clock);
        }
    }

    fn sample(&mut self, sample: &Sample) {
        // What programs measure is kept by the telemetry store alone: nothing live is drawn from it.
        if sample.series.metric == Metric::External {
            return;
        }
        let future = self.clock.secs().saturating_add(FUTURE);
        if sample.time >= self.clock - self.window && sample.time.secs() <= future {
            self.rates.add(sample);
        } else {
            // The counter must be known all the same, and what it grew belongs to no second that is kept.
            self.rates.add(&Sample { time: self.clock, ..sample.clone() });
        }
    }

    fn flow(&mut self, r: &FlowRecord, minute: i32) {
        let slot = self.live.find(r.id);
        if slot.is_none() && self.ended.contains(r.id) {
            return;
        }
        if r.is_other() {
            self.others(r, minute);
            return;
        }
        let known = slot.and_then(|s| self.live.row(s)).map(|(h, v)| (h.texts, Counted::all_of(v), v.history, v.end));
        let before = match &known {
            Some((_, counted, ..)) => *counted,
            None => self.live.counted_beside(r.id).unwrap_or_default(),
        };
        let packets = |c: &Counted| c.forward.packets + c.reverse.packets;
        if r.end_reason.is_none() && r.total().packets < packets(&before) {
            return;
        }
        let (texts, process) = self.texts_of(r, known.as_ref().map_or(self.recent, |k| k.0), minute);
        self.recent = texts;
        let head = Head::new(r, texts);
        let carried = carried_since(r, &before);
        let history = match &known {
            Some((_, counted, history, end)) => self.history_of(r, counted, *history, *end, carried),
            None if before.end.is_some() => self.history.note(0, r.end.secs(), carried),
            None => 0,
        };
        let subjects = Subjects::new(&head, process, false);
        let volume = Volume::new(&Plain { history, ..Plain::of(r) });
        if self.place(r, slot, head, volume) {
            self.count(r, subjects, &before, carried);
        }
    }

    /// Puts a record where it belongs; false when it found no place and is to be counted at its end.
    fn place(&mut self, r: &FlowRecord, slot: Option<u32>, head: Head, volume: Volume) -> bool {
        if r.end_reason.is_some() {
            match slot {
                Some(slot) => drop(self.live.remove(slot)),
                None => self.live.forget_beside(r.id),
            }
            self.ended.note(r.id);
            self.archive.push(head, volume, self.clock);
            return true;
        }
        if let Some(slot) = slot {
            if self.live.row(slot).is_some_and(|(h, _)| *h != head) {
                self.live.set_head(slot, head);
            }
            if let Some(place) = self.live.volume_mut(slot) {
                *place = volume;
            }
            return true;
        }
        if self.live.make_room(volume.octets()) {
            self.live.forget_beside(r.id);
            self.live.insert(head, volume);
            return true;
        }
        self.live.count_beside(r.id, Counted::all_of(&volume))
    }

    /// Adds what a flow carried to the talkers. Inner packets are part of outer ones, which were counted.
    fn count(&mut self, r: &FlowRecord, subjects: Subjects, before: &Counted, carried: Carried) {
        if r.tunnel.is_some() || (carried == Carried::default() && before.end.is_some()) {
            return;
        }
        let ways = [0, 1].map(|way| r.interface_octets[way].saturating_sub(before.interface_octets[way]));
        let new_in = |step| before.end.is_none_or(|e| align(e.secs(), step) != align(r.end.secs(), step));
        let [second, ten, minute] = LEVELS.map(new_in);
        let is_new = [before.end.is_none(), second, ten, minute];
        self.deltas.push(Delta { second: self.second(r), subjects, carried, ways, conversations: 1, is_new });
    }

    /// Conversations that were summed by the collector.
    fn others(&mut self, r: &FlowRecord, minute: i32) {
        self.ended.note(r.id);
        if r.tunnel.is_some() {
            return;
        }
        let (texts, process) = self.texts_of(r, TextIds::default(), minute);
        let carried = carried_since(r, &Counted::default());
        let conversations = u32::try_from(r.conversations).unwrap_or(u32::MAX);
        let subjects = Subjects::new(&Head::new(r, texts), process, true);
        let (ways, is_new) = (r.interface_octets, [true; 4]);
        self.deltas.push(Delta { second: self.second(r), subjects, carried, ways, conversations, is_new });
    }

    /// The second in which what a record tells was carried.
    fn second(&self, r: &FlowRecord) -> i64 {
        match self.time_base {
            TimeBase::Wall => r.end.secs().min(self.clock.secs().saturating_add(FUTURE)),
            TimeBase::Records => r.end.secs(),
        }
    }

    fn history_of(&mut self, r: &FlowRecord, counted: &Counted, history: u32, end: Timestamp, new: Carried) -> u32 {
        let step = i64::from(self.history.step());
        if history != 0 {
            return self.history.note(history, r.end.secs(), new);
        }
        if new == Carried::default() || align(end.secs(), step) == align(r.end.secs(), step) {
            return 0;
        }
        let all = Carried {
            octets: [counted.forward.octets, counted.reverse.octets],
            packets: [counted.forward.packets, counted.reverse.packets],
        };
        let first = self.history.note(0, end.secs(), all);
        self.history.note(first, r.end.secs(), new)
    }

    /// Numbers of a record's texts, and of its process's name.
    fn texts_of(&mut self, r: &FlowRecord, likely: TextIds, minute: i32) -> (TextIds, TextId) {
        let texts = &mut self.texts;
        let interface = texts.same_or_id(likely.interface, r.interface.raw(), minute);
        let application = texts.same_or_id(likely.application, &r.application, minute);
        let name = r.name.as_ref().map_or(TextId::NONE, |(n, _)| texts.same_or_id(likely.name, n.raw(), minute));
        let Some(owner) = &r.process else {
            return (TextIds { interface, application, name, process: TextId::NONE }, TextId::NONE);
        };
        let known = self.processes.get(likely.process).filter(|(p, _)| p.name == owner.name);
        let likely_name = known.map_or(TextId::NONE, |(_, name)| *name);
        let owner_name = texts.same_or_id(likely_name, owner.name.raw(), minute);
        let process = self.processes.same_or_id(likely.process, owner, owner_name, minute);
        (TextIds { interface, application, name, process }, owner_name)
    }

    /// Lets go of what is older than the window.
    fn tidy(&mut self) {
        let horizon = self.clock - self.window;
        self.archive.tidy(self.clock, horizon);
        self.rates.expire(horizon);
        self.talkers.expire(horizon.secs());
        self.live.sweep(horizon);
        let minute = self.minute();
        if minute.abs_diff(self.forgot) >= 1 {
            self.forgot = minute;
            let window = i32::try_from(self.window.as_secs() / 60).unwrap_or(i32::MAX / 2);
            self.texts.forget(minute - window - SLACK);
            self.processes.forget(minute - window - SLACK);
        }
    }

    fn minute(&self) -> i32 {
        i32::try_from(self.clock.secs().div_euclid(60)).unwrap_or(i32::MAX)
    }
}

impl EndedIds {
    fn note(&mut self, id: FlowId) {
        let at = self.set(id);
        if let Some(set) = self.sets.get_mut(at)
            && !set.contains(&id)
        {
            set.rotate_right(1);
            set[0] = id;
        }
    }

    fn contains(&self, id: FlowId) -> bool {
        self.sets.get(self.set(id)).is_some_and(|set| set.contains(&id))
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    fn set(&self, id: FlowId) -> usize {
        self.hasher.hash_one(id) as usize % ENDED_SETS
    }
}

impl Default for EndedIds {
    fn default() -> Self {
        Self { sets: vec![[NO_FLOW; SET_PLACES]; ENDED_SETS].into_boxed_slice(), hasher: RandomState::default() }
    }
}

fn carried_since(r: &FlowRecord, before: &Counted) -> Carried {
    let (forward, reverse) = (r.forward.since(before.forward), r.reverse.since(before.reverse));
    Carried { octets: [forward.octets, reverse.octets], packets: [forward.packets, reverse.packets] }
}

#[cfg(test)]
mod tests {
    use super::{EndedIds, FlowId, SET_PLACES};

    #[test]
    fn as_many_ended_flows_as_a_set_has_places_are_remembered_whatever_set_they_fall_into() {
        let mut ended = EndedIds::default();
        let first = FlowId::from_bits(1);
        let set = ended.set(first);
        let beside: Vec<FlowId> =
            (2_u64..).map(FlowId::from_bits).filter(|id| ended.set(*id) == set).take(SET_PLACES).collect();
        ended.note(first);
        for id in &beside[1..] {
            ended.note(*id);
            ended.note(*id);
        }
        assert!(ended.contains(first) && beside[1..].iter().all(|id| ended.contains(*id)));
        ended.note(beside[0]);
        assert!(!ended.contains(first), "the oldest falls out");
    }
}
