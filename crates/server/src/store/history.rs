//! What flows carried, second by second: one log for all flows, in which each flow's entries are chained from the newest back.
//!
//! A flow whose octets all fell into one second has no entry: its record tells all. When the log is full, its oldest part goes; what
//! those entries told is then known as a sum only, and is spread evenly over their time. When entries come so fast that the log would
//! not reach back over the window, an entry stands for ten seconds, then for sixty.

use std::collections::VecDeque;
use std::sync::Arc;

use super::row::Volume;

/// Entries in a chunk: what is copied when an entry grows that a reader holds.
const CHUNK: usize = 1024;
/// Seconds that an entry may stand for.
const STEPS: [u32; 3] = [1, 10, 60];
/// Seconds over which the pace of entries is measured.
const PACE: u32 = 10;
/// Entries that one huge delta may fill.
const MOST_PARTS: usize = 8;

/// What was carried forward and in reverse.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) octets: [u64; 2],
    pub(crate) packets: [u64; 2],
}

impl Carried {
    /// All that a row carried.
    pub(crate) fn all_of(volume: &Volume) -> Self {
        let (f, r) = (volume.forward(), volume.reverse());
        Self { octets: [f.octets, r.octets], packets: [f.packets, r.packets] }
    }

    /// Both added.
    pub(crate) fn plus(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    const fn is_nothing(&self) -> bool {
        matches!(self, Self { octets: [0, 0], packets: [0, 0] })
    }

    fn each(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let pair = |a: [u64; 2], b: [u64; 2]| [f(a[0], b[0]), f(a[1], b[1])];
        Self { octets: pair(self.octets, other.octets), packets: pair(self.packets, other.packets) }
    }
}

/// What was carried in some seconds, evenly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stretch {
    /// The first second, since 1970.
    pub(crate) first: i64,
    /// How many; at least one.
    pub(crate) seconds: u32,
    pub(crate) carried: Carried,
}

impl Stretch {
    /// What of it was carried from one second to before another.
    pub(crate) fn within(&self, from: i64, to: i64) -> Carried {
        let end = self.first.saturating_add(self.seconds.into());
        if from <= self.first && end <= to {
            return self.carried;
        }
        self.until(to).each(self.until(from), u64::saturating_sub)
    }

    /// The same in steps of whole multiples of `step` seconds, by the first second of each.
    pub(crate) fn steps(self, from: i64, to: i64, step: i64) -> impl Iterator<Item = (i64, Carried)> {
        let (from, to) = (from.max(self.first), to.min(self.first.saturating_add(self.seconds.into())));
        let step = step.max(1);
        let starts = std::iter::successors(Some(from.div_euclid(step) * step), move |start| Some(start + step));
        starts.take_while(move |start| *start < to).map(move |start| {
            let part = self.within(start.max(from), (start + step).min(to));
            (start, part)
        })
    }

    /// What was carried before a second; whole numbers whose sum over all seconds stays.
    fn until(&self, second: i64) -> Carried {
        let passed = second.saturating_sub(self.first).clamp(0, self.seconds.into()).unsigned_abs();
        let part = |n: u64, _| {
            let part = u128::from(n) * u128::from(passed) / u128::from(self.seconds.max(1));
            u64::try_from(part).unwrap_or(u64::MAX)
        };
        self.carried.each(Carried::default(), part)
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    before: u32,
    second: u32,
    octets: [u32; 2],
    packets: [u32; 2],
}

impl Entry {
    /// Adds as much as fits; gives back the rest.
    fn fill(&mut self, carried: Carried) -> Carried {
        fn add(place: &mut u32, n: u64) -> u64 {
            let added = u64::from(u32::MAX - *place).min(n);
            *place += u32::try_from(added).unwrap_or(0);
            n - added
        }
        let [o, p] = [carried.octets, carried.packets];
        Carried {
            octets: [add(&mut self.octets[0], o[0]), add(&mut self.octets[1], o[1])],
            packets: [add(&mut self.packets[0], p[0]), add(&mut self.packets[1], p[1])],
        }
    }
}

/// The log as it was at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryView {
    chunks: VecDeque<Arc<Vec<Entry>>>,
    /// Number of the first entry kept. Numbers wrap around; zero is never one.
    first: u32,
}

impl HistoryView {
    fn place(&self, number: u32) -> Option<(usize, usize)> {
        let at = number.wrapping_sub(self.first) as usize;
        (number != 0 && at < self.chunks.len() * CHUNK).then_some((at / CHUNK, at % CHUNK))
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        let (chunk, at) = self.place(number)?;
        self.chunks.get(chunk)?.get(at)
    }

    /// Tells what a row carried and when, newest first; the sum is what the row says.
    pub(crate) fn of(&self, volume: &Volume, mut tell: impl FnMut(Stretch)) {
        let mut rest = Carried::all_of(volume);
        let mut oldest = volume.end.secs();
        if volume.history == 0 {
            return tell(Stretch { first: oldest, seconds: 1, carried: rest });
        }
        let mut next = volume.history;
        while let Some(entry) = self.entry(next) {
            let carried = Carried { octets: entry.octets.map(u64::from), packets: entry.packets.map(u64::from) };
            rest = rest.each(carried, u64::saturating_sub);
            oldest = entry.second.into();
            tell(Stretch { first: oldest, seconds: 1, carried });
            next = entry.before;
        }
        if !rest.is_nothing() {
            let seconds = u32::try_from(oldest - volume.start.secs()).unwrap_or(0).max(1);
            tell(Stretch { first: volume.start.secs().min(oldest), seconds, carried: rest });
        }
    }
}

/// The log.
#[derive(Debug)]
pub(super) struct History {
    view: HistoryView,
    next: u32,
    most_chunks: usize,
    window: u32,
    step: u32,
    pace_from: u32,
    pace: usize,
}

impl History {
    /// A log of at most that many bytes that should reach back over `window` seconds.
    pub(super) fn new(bytes: usize, window: u32) -> Self {
        let most_chunks = (bytes / (CHUNK * size_of::<Entry>())).max(1);
        let view = HistoryView { chunks: VecDeque::new(), first: 1 };
        Self { view, next: 1, most_chunks, window, step: STEPS[0], pace_from: 0, pace: 0 }
    }

    /// For readers.
    pub(super) fn view(&self) -> HistoryView {
        self.view.clone()
    }

    /// Seconds that a new entry stands for.
    pub(super) const fn step(&self) -> u32 {
        self.step
    }

    /// Notes what a flow carried, after the entry `newest`; gives the number of its newest entry.
    pub(super) fn note(&mut self, newest: u32, second: i64, carried: Carried) -> u32 {
        let second = u32::try_from(second.max(0)).unwrap_or(u32::MAX);
        let mut rest = carried;
        if let Some((chunk, at)) = self.view.place(newest) {
            let step = self.step;
            let shared = self.view.chunks.get_mut(chunk);
            let entry = shared.filter(|c| c.get(at).is_some_and(|e| e.second / step == second / step));
            if let Some(entry) = entry.and_then(|c| Arc::make_mut(c).get_mut(at)) {
                rest = entry.fill(rest);
            }
        }
        let mut newest = newest;
        for _ in 0..MOST_PARTS {
            if rest.is_nothing() {
                break;
            }
            let mut entry = Entry { before: newest, second, octets: [0; 2], packets: [0; 2] };
            rest = entry.fill(rest);
            newest = self.push(entry);
        }
        newest
    }

    fn push(&mut self, entry: Entry) -> u32 {
        self.measure(entry.second);
        if self.next == 0 {
            self.append(entry);
        }
        self.append(entry)
    }

    fn append(&mut self, entry: Entry) -> u32 {
        if self.view.chunks.back().is_none_or(|c| c.len() == CHUNK) {
            if self.view.chunks.len() == self.most_chunks {
                self.view.chunks.pop_front();
                self.view.first = self.view.first.wrapping_add(CHUNK as u32);
            }
            self.view.chunks.push_back(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(chunk) = self.view.chunks.back_mut() {
            Arc::make_mut(chunk).push(entry);
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        number
    }

    /// Chooses the step so that the log reaches back over the window at the pace of the last seconds.
    fn measure(&mut self, second: u32) {
        self.pace += 1;
        if second >= self.pace_from && second - self.pace_from < PACE {
            return;
        }
        let a_second = self.pace / (second.abs_diff(self.pace_from).clamp(PACE, self.window) as usize);
        (self.pace_from, self.pace) = (second, 0);
        let fits = |step: u32| {
            let at_that_step = a_second * self.step as usize / step as usize;
            at_that_step * self.window as usize <= self.most_chunks * CHUNK
        };
        self.step = STEPS.into_iter().find(|step| fits(*step)).unwrap_or(STEPS[2]);
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::{Counters, Timestamp};

    use super::*;
    use crate::store::row::Plain;
    use crate::store::testing::record;

    fn carried(n: u64) -> Carried {
        Carried { octets: [n, 0], packets: [1, 0] }
    }

    fn told(log: &History, volume: &Volume) -> Vec<(i64, u32, u64)> {
        let mut all = Vec::new();
        log.view().of(volume, |s| all.push((s.first, s.seconds, s.carried.octets[0])));
        all
    }

    fn volume(octets: u64, history: u32, from: i64, to: i64) -> Volume {
        let mut r = record(1, from);
        r.end = Timestamp::from_secs(to);
        r.forward = Counters { octets, l2_octets: octets, packets: 3 };
        r.reverse = Counters::default();
        let mut v = Volume::new(&Plain::of(&r));
        v.history = history;
        v
    }

    #[test]
    fn a_chain_tells_each_second_once() {
        let mut log = History::new(1 << 20, 3600);
        let a = log.note(0, 100, carried(10));
        assert_eq!(log.note(a, 100, carried(5)), a, "the same second grows");
        let b = log.note(a, 101, carried(7));
        assert_eq!(told(&log, &volume(22, b, 100, 101)), [(101, 1, 7), (100, 1, 15)]);
    }

    #[test]
    fn what_fell_out_is_spread_and_sums_stay() {
        let mut log = History::new(1, 3600);
        let mut newest = 0;
        for second in 0..4 * CHUNK as i64 {
            newest = log.note(newest, second * 60, carried(1));
        }
        let end = 60 * (4 * CHUNK as i64 - 1);
        let all = told(&log, &volume(4 * CHUNK as u64, newest, 0, end));
        assert_eq!(all.iter().map(|t| t.2).sum::<u64>(), 4 * CHUNK as u64);
        assert_eq!(all.last().map(|t| t.0), Some(0));
        assert!(all.len() <= CHUNK + 1);
    }

    #[test]
    fn a_delta_beyond_32_bits_takes_several_entries() {
        let mut log = History::new(1 << 20, 3600);
        let newest = log.note(0, 5, carried(10 << 32));
        let sum: u64 = told(&log, &volume(10 << 32, newest, 5, 5)).iter().map(|t| t.2).sum();
        assert_eq!(sum, 10 << 32);
    }

    #[test]
    fn parts_of_a_stretch_add_up() {
        let stretch = Stretch { first: 103, seconds: 25, carried: Carried { octets: [1001, 7], packets: [3, 0] } };
        for step in [1, 7, 10, 60] {
            let sum = stretch.steps(0, 1000, step).fold(Carried::default(), |sum, (_, part)| sum.plus(part));
            assert_eq!(sum, stretch.carried);
            assert!(stretch.steps(0, 1000, step).all(|(start, _)| start % step == 0));
        }
        assert_eq!(stretch.within(0, 103), Carried::default());
        assert_eq!(stretch.within(103, 128), stretch.carried);
        assert_eq!(
            stretch.within(110, 115).plus(stretch.within(115, 128)).plus(stretch.within(0, 110)),
            stretch.carried
        );
    }
}
