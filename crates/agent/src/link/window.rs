//! Which batches may be sent: two lines over one connection.
//!
//! What is new goes first. What waited on disk fills what the connection carries besides, and must not hold up what is new by more than
//! five seconds: bytes that were handed to the connection cannot be overtaken, so what matters is how many of them may be under way. The
//! allowance of the line that catches up grows while its acks come without delay, and is halved when they come late, as LEDBAT does with
//! its one-way delay (RFC 6817): the queue in front of the narrowest place stays short whatever that carries.
//!
//! Limits: at most [`Limits::live`] and [`Limits::catch_up`] octets are under way; one batch of a line is always allowed when none of it is
//! under way. When the connection becomes slower at a stroke, what is under way already takes its time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use netwatch_model::Position;

/// Acks that wait longer than the shortest so far by this much show a queue.
const QUEUE: Duration = Duration::from_millis(500);
/// Later than this, the allowance is halved.
const LONG_QUEUE: Duration = Duration::from_millis(1000);
/// What is new and not acknowledged for so long stops the other line.
const HELD_UP: Duration = Duration::from_millis(1500);
/// The allowance at the start and at least, octets.
const LEAST: u64 = 64 << 10;

/// Why a batch is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Line {
    /// It is new.
    Live,
    /// It waited on disk.
    CatchUp,
}

/// What identifies a batch on its way: the run and its number in it.
pub type Key = (u64, u64);

/// A batch that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Where it lies in the spool.
    pub position: Position,
    /// Its records.
    pub records: u64,
    /// Its octets.
    pub bytes: u64,
    /// Its line.
    pub line: Line,
    /// When it was sent, on the clock for intervals.
    pub at: Duration,
}

/// How much may be under way, octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of what is new.
    pub live: u64,
    /// Of what waited, at most.
    pub catch_up: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { live: 4 << 20, catch_up: 4 << 20 }
    }
}

/// What is under way in one session.
#[derive(Clone, Debug)]
pub struct Window {
    limits: Limits,
    under_way: HashMap<Key, Sent>,
    /// What is new, in the order in which it was sent; acknowledged ones go when they come first.
    live: VecDeque<(Key, Duration)>,
    live_bytes: u64,
    catch_up_bytes: u64,
    allowance: u64,
    /// The shortest time to an ack in this session.
    quickest: Option<Duration>,
    /// When the allowance was last halved.
    halved: Option<Duration>,
}

impl Window {
    /// Nothing is under way.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            under_way: HashMap::new(),
            live: VecDeque::new(),
            live_bytes: 0,
            catch_up_bytes: 0,
            allowance: LEAST.min(limits.catch_up),
            quickest: None,
            halved: None,
        }
    }

    /// Whether a batch of that line may be sent now.
    #[must_use]
    pub fn may_send(&self, line: Line, now: Duration) -> bool {
        match line {
            Line::Live => self.live_bytes < self.limits.live,
            Line::CatchUp => self.catch_up_bytes < self.allowance && !self.is_held_up(now),
        }
    }

    /// A batch was handed to the connection.
    pub fn sent(&mut self, key: Key, batch: Sent) {
        *self.bytes_of(batch.line) += batch.bytes;
        if batch.line == Line::Live {
            self.live.push_back((key, batch.at));
        }
        self.under_way.insert(key, batch);
    }

    /// A batch is durable at the server; none when it was not under way, or was acknowledged already.
    pub fn acked(&mut self, key: Key, now: Duration) -> Option<Sent> {
        let sent = self.under_way.remove(&key)?;
        let bytes = self.bytes_of(sent.line);
        *bytes = bytes.saturating_sub(sent.bytes);
        while self.live.front().is_some_and(|(key, _)| !self.under_way.contains_key(key)) {
            self.live.pop_front();
        }
        let took = now.saturating_sub(sent.at);
        let quickest = self.quickest.map_or(took, |quickest| quickest.min(took));
        self.quickest = Some(quickest);
        self.judge(took.saturating_sub(quickest), sent, now);
        Some(sent)
    }

    /// Batches under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// How long acks of this batch were held up by a queue says how much more may be under way.
    fn judge(&mut self, queued: Duration, sent: Sent, now: Duration) {
        if queued > LONG_QUEUE {
            // What was under way before it was halved says nothing new.
            if self.halved.is_none_or(|halved| sent.at >= halved) {
                self.allowance = (self.allowance / 2).max(LEAST);
                self.halved = Some(now);
            }
        } else if queued < QUEUE && sent.line == Line::CatchUp {
            self.allowance = (self.allowance + sent.bytes).min(self.limits.catch_up);
        }
    }

    /// Whether something new waits for its ack for too long.
    fn is_held_up(&self, now: Duration) -> bool {
        let patience = HELD_UP + self.quickest.unwrap_or_default();
        self.live.front().is_some_and(|(_, at)| now.saturating_sub(*at) > patience)
    }

    fn bytes_of(&mut self, line: Line) -> &mut u64 {
        match line {
            Line::Live => &mut self.live_bytes,
            Line::CatchUp => &mut self.catch_up_bytes,
        }
    }
}

#[cfg(test)]
mod tests;
