//! Which batches were taken in: the same one never counts twice.

use std::collections::VecDeque;

use netwatch_model::{AgentId, BatchKey, BootId};

/// How far behind the newest batch of a run a late one may be; older ones are taken for repeated.
const WINDOW: u64 = 4096;
/// Runs of agents that are remembered.
const RUNS: usize = 16;

/// What to do with a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is new.
    New,
    /// It is the first of a new run: what was known of the run before has ended.
    NewRun,
    /// It was taken in before, or is too old to know.
    Repeated,
}

/// The runs of agents, newest last.
#[derive(Debug, Default)]
pub(super) struct Runs(VecDeque<Run>);

#[derive(Debug)]
struct Run {
    of: (AgentId, BootId),
    newest: u64,
    /// Bit `n % WINDOW`: batch `n` was seen.
    seen: Box<[u64]>,
}

impl Runs {
    /// Notes a batch.
    pub(super) fn note(&mut self, key: BatchKey) -> Verdict {
        let of = (key.agent, key.boot);
        let newest = self.0.len().checked_sub(1);
        match self.0.iter().position(|r| r.of == of) {
            Some(at) if Some(at) == newest => {
                let is_new = self.0.get_mut(at).is_some_and(|run| run.note(key.sequence));
                if is_new { Verdict::New } else { Verdict::Repeated }
            }
            // A run that another one has followed is over.
            Some(_) => Verdict::Repeated,
            None => {
                let mut run = Run { of, newest: 0, seen: vec![0; WINDOW as usize / 64].into() };
                run.note(key.sequence);
                self.0.push_back(run);
                if self.0.len() > RUNS {
                    self.0.pop_front();
                }
                Verdict::NewRun
            }
        }
    }
}

impl Run {
    /// Whether the number is new.
    fn note(&mut self, sequence: u64) -> bool {
        if sequence > self.newest {
            let first = (self.newest + 1).max(sequence.saturating_sub(WINDOW - 1));
            for passed in first..sequence {
                self.mark(passed, false);
            }
            self.newest = sequence;
            self.mark(sequence, true);
            return true;
        }
        if self.newest - sequence >= WINDOW || self.is_marked(sequence) {
            return false;
        }
        self.mark(sequence, true);
        true
    }

    fn mark(&mut self, sequence: u64, seen: bool) {
        let (word, bit) = place(sequence);
        if let Some(word) = self.seen.get_mut(word) {
            *word = if seen { *word | bit } else { *word & !bit };
        }
    }

    fn is_marked(&self, sequence: u64) -> bool {
        let (word, bit) = place(sequence);
        self.seen.get(word).is_some_and(|w| w & bit != 0)
    }
}

const fn place(sequence: u64) -> (usize, u64) {
    let bit = sequence % WINDOW;
    ((bit / 64) as usize, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn key(boot: u64, sequence: u64) -> BatchKey {
        BatchKey { agent: AgentId(1), boot: BootId(boot), sequence }
    }

    proptest! {
        #[test]
        fn each_batch_counts_once(sequences in prop::collection::vec(1u64..6000, 1..300)) {
            let mut runs = Runs::default();
            let mut seen = HashSet::new();
            let mut newest = 0;
            for n in sequences {
                let taken = runs.note(key(7, n)) != Verdict::Repeated;
                let fresh = seen.insert(n);
                newest = newest.max(n);
                prop_assert_eq!(taken, fresh && newest - n < WINDOW);
            }
        }
    }

    #[test]
    fn a_run_that_is_over_stays_over() {
        let mut runs = Runs::default();
        assert_eq!(runs.note(key(1, 1)), Verdict::NewRun);
        assert_eq!(runs.note(key(1, 2)), Verdict::New);
        assert_eq!(runs.note(key(2, 1)), Verdict::NewRun);
        assert_eq!(runs.note(key(1, 3)), Verdict::Repeated);
    }
}
