//! Which batches are in the log: the same one never counts twice, in whatever order it comes and however often.
//!
//! Batches of a run are numbered from 1. Of each run of an agent the newest number and the [`WINDOW`] numbers up to it are known. An older one counts as repeated: an agent
//! has at most some hundred batches on their way. A run whose batches came in order is its newest number alone; what came out of order
//! or is missing is a bitmap, until the hole is filled or lies behind the window.
//!
//! Limits: [`MAX_RUNS`] runs and [`MAX_BITMAPS`] with holes; the one that was not heard of for longest is forgotten, and counted.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use netwatch_model::{AgentId, BatchKey, BootId};

/// How far behind the newest batch of a run a late one may be.
pub(super) const WINDOW: u64 = 4096;
/// Runs that are remembered: those of a day of some thousand agents that reconnect now and then.
pub(super) const MAX_RUNS: usize = 65_536;
/// Runs with holes that are remembered: 2 MB as bytes, beside 2.2 MB of all runs.
pub(super) const MAX_BITMAPS: usize = 3900;

const WORDS: usize = (WINDOW / 64) as usize;
const FORM: u8 = 1;
/// Agent, boot, newest, turn, and whether all is seen.
const HEAD: usize = 4 * 8 + 1;

/// The runs of all agents.
#[derive(Debug, Default)]
pub(super) struct Windows {
    runs: HashMap<(AgentId, BootId), Run, RandomState>,
    bitmaps: usize,
    /// Grows with each batch: who was heard of last.
    turn: u64,
    forgotten: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    newest: u64,
    turn: u64,
    /// Bit `n % WINDOW`: batch `n` was seen. None: all up to the newest were.
    seen: Option<Box<[u64; WORDS]>>,
}

impl Windows {
    /// Whether a batch is in the log, or too old to know.
    pub(super) fn has(&self, key: BatchKey) -> bool {
        self.runs.get(&(key.agent, key.boot)).is_some_and(|run| run.has(key.sequence))
    }

    /// A batch is in the log from now on.
    pub(super) fn note(&mut self, key: BatchKey) {
        self.turn += 1;
        let of = (key.agent, key.boot);
        if !self.runs.contains_key(&of) && self.runs.len() >= MAX_RUNS {
            self.forget_one(|_| true);
        }
        let turn = self.turn;
        let run = self.runs.entry(of).or_insert(Run { newest: 0, turn, seen: None });
        run.turn = turn;
        self.bitmaps = self.bitmaps.saturating_add_signed(run.note(key.sequence));
        if self.bitmaps > MAX_BITMAPS {
            self.forget_one(|run| run.seen.is_some() && run.turn != turn);
        }
    }

    /// A batch did not get into the log after all.
    pub(super) fn take_back(&mut self, key: BatchKey) {
        if let Some(run) = self.runs.get_mut(&(key.agent, key.boot)) {
            let before = run.seen.is_some();
            run.take_back(key.sequence);
            self.bitmaps += usize::from(run.seen.is_some() && !before);
        }
    }

    /// Runs that had to be forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// As bytes, at most 4.2 MB.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        for ((agent, boot), run) in &self.runs {
            for word in [agent.0, boot.0, run.newest, run.turn] {
                out.extend_from_slice(&word.to_le_bytes());
            }
            out.push(u8::from(run.seen.is_none()));
            for word in run.seen.iter().flat_map(|seen| seen.iter()) {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
        out
    }

    /// From bytes; none when they are no such.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[FORM])?;
        let mut made = Self::default();
        while !rest.is_empty() {
            let (head, after) = rest.split_at_checked(HEAD)?;
            let word = |at: usize| Some(u64::from_le_bytes(*head.get(at * 8..)?.first_chunk()?));
            let (newest, turn) = (word(2)?, word(3)?);
            let mut run = Run { newest, turn, seen: None };
            rest = after;
            if head.last() != Some(&1) {
                let (bits, after) = rest.split_at_checked(WORDS * 8)?;
                let mut seen = Box::new([0; WORDS]);
                for (word, bytes) in seen.iter_mut().zip(bits.chunks_exact(8)) {
                    *word = u64::from_le_bytes(*bytes.first_chunk()?);
                }
                run.seen = Some(seen);
                rest = after;
            }
            made.turn = made.turn.max(turn);
            made.bitmaps += usize::from(run.seen.is_some());
            made.runs.insert((AgentId(word(0)?), BootId(word(1)?)), run);
        }
        (made.runs.len() <= MAX_RUNS).then_some(made)
    }

    /// Forgets the run that was silent for longest, of those that may go.
    fn forget_one(&mut self, may_go: impl Fn(&Run) -> bool) {
        let oldest = self.runs.iter().filter(|(_, run)| may_go(run)).min_by_key(|(_, run)| run.turn).map(|(of, _)| *of);
        if let Some(run) = oldest.and_then(|of| self.runs.remove(&of)) {
            self.bitmaps -= usize::from(run.seen.is_some());
            self.forgotten += 1;
        }
    }
}

impl Run {
    fn has(&self, sequence: u64) -> bool {
        sequence <= self.newest && (self.newest - sequence >= WINDOW || self.is_marked(sequence))
    }

    /// Notes a batch; by how much the number of bitmaps changes.
    fn note(&mut self, sequence: u64) -> isize {
        let before = self.seen.is_some();
        if self.seen.is_none() && sequence == self.newest + 1 {
            self.newest = sequence;
            return 0;
        }
        if sequence > self.newest {
            let first = (self.newest + 1).max(sequence.saturating_sub(WINDOW - 1));
            let seen = self.bitmap();
            for passed in first..sequence {
                mark(seen, passed, false);
            }
            self.newest = sequence;
        }
        if self.newest - sequence < WINDOW && !self.is_marked(sequence) {
            mark(self.bitmap(), sequence, true);
        }
        if self.seen.as_deref().is_some_and(|seen| is_whole(seen, self.newest)) {
            self.seen = None;
        }
        isize::from(self.seen.is_some()) - isize::from(before)
    }

    fn take_back(&mut self, sequence: u64) {
        if sequence <= self.newest && self.newest - sequence < WINDOW {
            mark(self.bitmap(), sequence, false);
        }
    }

    fn is_marked(&self, sequence: u64) -> bool {
        let (word, bit) = place(sequence);
        self.seen.as_deref().is_none_or(|seen| seen.get(word).is_some_and(|w| w & bit != 0))
    }

    /// The bitmap, made when there is none.
    fn bitmap(&mut self) -> &mut [u64; WORDS] {
        let newest = self.newest;
        self.seen.get_or_insert_with(|| {
            let mut seen = Box::new([0; WORDS]);
            numbers(newest).for_each(|n| mark(&mut seen, n, true));
            seen
        })
    }
}

/// The numbers of the window up to the newest.
fn numbers(newest: u64) -> std::ops::RangeInclusive<u64> {
    newest.saturating_sub(WINDOW - 1).max(1)..=newest
}

/// Whether every number up to the newest was seen.
fn is_whole(seen: &[u64; WORDS], newest: u64) -> bool {
    if newest >= WINDOW {
        return seen.iter().all(|word| *word == u64::MAX);
    }
    numbers(newest).all(|n| {
        let (word, bit) = place(n);
        seen.get(word).is_some_and(|w| w & bit != 0)
    })
}

fn mark(seen: &mut [u64; WORDS], sequence: u64, is_seen: bool) {
    let (word, bit) = place(sequence);
    if let Some(word) = seen.get_mut(word) {
        *word = if is_seen { *word | bit } else { *word & !bit };
    }
}

const fn place(sequence: u64) -> (usize, u64) {
    let bit = sequence % WINDOW;
    ((bit / 64) as usize, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(agent: u64, boot: u64, sequence: u64) -> BatchKey {
        BatchKey { agent: AgentId(agent), boot: BootId(boot), sequence }
    }

    proptest! {
        #[test]
        fn each_counts_once_also_after_a_restart(
            batches in vec((0..2_u64, 0..3_u64, 1..9000_u64), 1..300),
            restart in 0..300_usize,
        ) {
            let mut windows = Windows::default();
            let mut seen = HashSet::new();
            let mut newest = HashMap::new();
            for (at, (agent, boot, n)) in batches.into_iter().enumerate() {
                if at == restart {
                    windows = Windows::decode(&windows.encode()).unwrap();
                }
                let key = key(agent, boot, n);
                let newest: &mut u64 = newest.entry((agent, boot)).or_default();
                let is_late = *newest >= n && *newest - n >= WINDOW;
                prop_assert_eq!(windows.has(key), seen.contains(&key) || is_late);
                if !windows.has(key) {
                    windows.note(key);
                    seen.insert(key);
                    *newest = n.max(*newest);
                }
                prop_assert!(windows.has(key));
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in any::<Vec<u8>>()) {
            drop(Windows::decode(&bytes));
        }
    }

    #[test]
    fn what_was_taken_back_may_come_again() {
        let mut windows = Windows::default();
        (1..=10).for_each(|n| windows.note(key(1, 1, n)));
        windows.take_back(key(1, 1, 7));
        assert!(!windows.has(key(1, 1, 7)) && windows.has(key(1, 1, 8)));
        windows.note(key(1, 1, 7));
        assert!(windows.has(key(1, 1, 7)));
    }

    #[test]
    fn a_run_in_order_needs_no_bitmap() {
        let mut windows = Windows::default();
        (1..=3 * WINDOW).for_each(|n| windows.note(key(1, 1, n)));
        assert_eq!((windows.bitmaps, windows.encode().len()), (0, 1 + HEAD));
        windows.note(key(1, 1, 3 * WINDOW + 2));
        assert_eq!(windows.bitmaps, 1);
        windows.note(key(1, 1, 3 * WINDOW + 1));
        assert_eq!(windows.bitmaps, 0, "the hole is filled");
        assert!((3 * WINDOW - 10..=3 * WINDOW + 2).all(|n| windows.has(key(1, 1, n))));
    }

    #[test]
    fn runs_are_bounded_and_the_silent_one_goes() {
        let mut windows = Windows::default();
        (0..MAX_RUNS as u64).for_each(|boot| windows.note(key(1, boot, 1)));
        windows.note(key(1, 0, 2));
        windows.note(key(2, 0, 1));
        assert_eq!(windows.forgotten(), 1);
        assert!(windows.has(key(1, 0, 1)) && !windows.has(key(1, 1, 1)));
        // With as many holes as there may be, too.
        (0..2 * MAX_BITMAPS as u64).for_each(|boot| windows.note(key(1, boot, 9)));
        assert!(windows.bitmaps <= MAX_BITMAPS && windows.runs.len() <= MAX_RUNS);
        assert!(windows.encode().len() < netwatch_spool::MAX_STATE, "it is kept as the state of a consumer");
    }
}
