//! What an agent keeps until the server has it: the outbox of a real one, in memory.
//!
//! Batches are numbered within the line of the session that they were made in. A new session begins a new line; what was not acknowledged
//! before goes again under its old number, beside what is new. Which of the two may go is for the agent's own [`Window`] to say.
//!
//! Limits: none but the length of the bench.

use std::collections::VecDeque;
use std::time::Duration;

use netwatch_agent::link::window::{Limits, Line, Sent, Window};
use netwatch_api::agent::v1;
use netwatch_model::Position;

/// Batches that are not acknowledged, the oldest first.
#[derive(Debug)]
pub(super) struct Lines {
    kept: VecDeque<Kept>,
    /// Position of the first of them.
    first: u64,
    run: u64,
    sequence: u64,
    /// Where what is new begins.
    border: u64,
    /// What goes next, of either line.
    catch_up: u64,
    live: u64,
    window: Window,
}

#[derive(Debug)]
struct Kept {
    batch: v1::Batch,
    results: u64,
    /// It was made before this session.
    is_behind: bool,
    is_acked: bool,
}

/// What an acknowledgement was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Acked {
    /// Results of the batch.
    pub(super) results: u64,
    /// They were made before the session.
    pub(super) is_behind: bool,
    /// From sending to now.
    pub(super) wait: Duration,
}

impl Lines {
    /// Nothing is kept; `run` is the first line.
    pub(super) fn new(run: u64) -> Self {
        let window = Window::new(Limits::default());
        Self { kept: VecDeque::new(), first: 0, run, sequence: 0, border: 0, catch_up: 0, live: 0, window }
    }

    /// Keeps a batch.
    pub(super) fn put(&mut self, records: Vec<u8>, results: u64, is_behind: bool) {
        self.sequence += 1;
        let batch = v1::Batch { run: self.run, sequence: self.sequence, records: records.into() };
        self.kept.push_back(Kept { batch, results, is_behind, is_acked: false });
    }

    /// A session begins: a line of its own for what is new.
    pub(super) fn begin(&mut self, run: u64) {
        (self.run, self.sequence, self.window) = (run, 0, Window::new(Limits::default()));
        (self.catch_up, self.border) = (self.first, self.end());
        self.live = self.border;
    }

    /// A session ended: how many results it leaves behind.
    pub(super) fn lost(&mut self) -> u64 {
        let left = self.kept.iter_mut().filter(|kept| !kept.is_acked && !kept.is_behind);
        left.map(|kept| {
            kept.is_behind = true;
            kept.results
        })
        .sum()
    }

    /// Whether a batch may go now.
    pub(super) fn has_next(&mut self, now: Duration) -> bool {
        self.choose(now).is_some()
    }

    /// The batch that goes now; what is new goes first.
    pub(super) fn next(&mut self, now: Duration) -> Option<v1::Batch> {
        let (position, line) = self.choose(now)?;
        let Kept { batch, results, .. } = self.kept.get(self.index(position)?)?;
        let (batch, records) = (batch.clone(), *results);
        let bytes = batch.records.len() as u64;
        let sent = Sent { position: Position(position), records, bytes, line, at: now };
        self.window.sent((batch.run, batch.sequence), sent);
        match line {
            Line::Live => self.live = position + 1,
            Line::CatchUp => self.catch_up = position + 1,
        }
        Some(batch)
    }

    /// The server has a batch; none when it was not under way.
    pub(super) fn acked(&mut self, ack: v1::Ack, now: Duration) -> Option<Acked> {
        let sent = self.window.acked((ack.run, ack.sequence), now)?;
        let index = self.index(sent.position.0)?;
        let kept = self.kept.get_mut(index)?;
        kept.is_acked = true;
        let acked = Acked { results: kept.results, is_behind: kept.is_behind, wait: now.saturating_sub(sent.at) };
        while self.kept.pop_front_if(|kept| kept.is_acked).is_some() {
            self.first += 1;
        }
        Some(acked)
    }

    /// Batches that are kept, and their bytes.
    pub(super) fn waiting(&self) -> (u64, u64) {
        let bytes = self.kept.iter().map(|kept| kept.batch.records.len() as u64).sum();
        (self.kept.len() as u64, bytes)
    }

    fn choose(&mut self, now: Duration) -> Option<(u64, Line)> {
        if self.live < self.end() && self.window.may_send(Line::Live, now) {
            return Some((self.live, Line::Live));
        }
        while self.catch_up < self.border && self.is_acked(self.catch_up) {
            self.catch_up += 1;
        }
        let may = self.catch_up < self.border && self.window.may_send(Line::CatchUp, now);
        may.then_some((self.catch_up, Line::CatchUp))
    }

    /// Whether the server has it: an earlier session has sent it out of its turn.
    fn is_acked(&self, position: u64) -> bool {
        self.index(position).and_then(|index| self.kept.get(index)).is_none_or(|kept| kept.is_acked)
    }

    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn index(&self, position: u64) -> Option<usize> {
        usize::try_from(position.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(9);

    fn sent(lines: &mut Lines) -> Vec<(u64, u64)> {
        std::iter::from_fn(|| lines.next(NOW)).map(|batch| (batch.run, batch.sequence)).collect()
    }

    fn ack(lines: &mut Lines, run: u64, sequence: u64) -> Option<(u64, bool)> {
        lines.acked(v1::Ack { run, sequence }, NOW).map(|acked| (acked.results, acked.is_behind))
    }

    #[test]
    fn what_was_not_acknowledged_goes_again_beside_what_is_new() {
        let mut lines = Lines::new(1);
        lines.begin(2);
        (1..=3).for_each(|n| lines.put(vec![0], n, false));
        assert_eq!(sent(&mut lines), [(2, 1), (2, 2), (2, 3)]);
        assert_eq!(ack(&mut lines, 2, 2), Some((2, false)));
        assert_eq!(ack(&mut lines, 2, 2), None, "it comes once");
        assert_eq!(lines.lost(), 4, "the first and the third");
        lines.put(vec![0], 10, true);
        lines.begin(3);
        lines.put(vec![0], 20, false);
        assert_eq!(sent(&mut lines), [(3, 1), (2, 1), (2, 3), (2, 4)]);
        assert_eq!(ack(&mut lines, 3, 1), Some((20, false)));
        assert_eq!([1, 3, 4].map(|n| ack(&mut lines, 2, n)), [Some((1, true)), Some((3, true)), Some((10, true))]);
        assert_eq!(lines.waiting(), (0, 0));
        assert!(!lines.has_next(NOW));
    }
}
