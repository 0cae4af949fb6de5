//! One run of echo requests: what is due when, and what an answer means. No socket, no clock.
//!
//! Times are on one monotonic clock. Request *i* is due at `start` + *i* × `spacing`; a sender that was held up for longer than that does
//! not catch up by a burst. An answer after the timeout is late and its request lost (RFC 6673); a second answer is a duplicate and
//! changes nothing else; an answer to an earlier request than one already answered is reordered (RFC 4737).
//!
//! Limits: a run is over when every request is answered or timed out, and a little while after the last answer, in which duplicates
//! still count ([`Echoes::next`]). What comes later is not seen.

use std::net::IpAddr;
use std::time::Duration;

use netwatch_wire::icmp::Cause;

use super::departure::Departure;

/// How long duplicates of the last answer are waited for, at least and at most.
const LINGER: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));

/// How much a sender may be behind and still catch up; more than the driver's own rhythm.
const SLACK: Duration = Duration::from_millis(10);

/// What a run sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    /// Requests.
    pub(crate) count: u32,
    /// From one to the next.
    pub(crate) spacing: Duration,
    /// How long an answer is waited for.
    pub(crate) timeout: Duration,
    /// When the first is due.
    pub(crate) start: Duration,
    /// Time to live of each; the system's when absent.
    pub(crate) ttl: Option<u8>,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Send the next packet at this time.
    Send(Duration),
    /// Nothing before this time, when the run is over unless something arrives.
    Wait(Duration),
    /// The run is over.
    Done,
}

/// What went wrong with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// Somebody on the way, or the target, says why it was not delivered.
    Network {
        /// Who says it.
        from: IpAddr,
        /// What.
        cause: Cause,
    },
    /// This host could not send it: the number of the system's error.
    Local(i32),
}

/// What came out.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Tally {
    /// Requests sent.
    pub(crate) sent: u32,
    /// Answers that came again.
    pub(crate) duplicates: u32,
    /// Answers that were overtaken.
    pub(crate) reordered: u32,
    /// Answers after the timeout.
    pub(crate) late: u32,
    /// Round-trip times in the order of arrival, seconds; one for each request that was answered in time.
    pub(crate) rtts: Vec<f64>,
    /// Requests of which somebody said that they were not delivered.
    pub(crate) troubles: u32,
    /// What was said of the last of them.
    pub(crate) trouble: Option<Trouble>,
    /// Time to live of the last answer, as it arrived.
    pub(crate) hop_limit: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Answered,
    Late,
}

/// The state of a run.
#[derive(Debug)]
pub(crate) struct Echoes {
    plan: Plan,
    due: Duration,
    echoes: Vec<(Departure, State)>,
    highest: Option<u32>,
    last_answer: Duration,
    longest: Duration,
    tally: Tally,
}

impl Echoes {
    pub(crate) fn new(plan: Plan) -> Self {
        let capacity = usize::try_from(plan.count.min(64)).unwrap_or(64);
        Self {
            plan,
            due: plan.start,
            echoes: Vec::with_capacity(capacity),
            highest: None,
            last_answer: Duration::ZERO,
            longest: Duration::ZERO,
            tally: Tally::default(),
        }
    }

    /// What to do next.
    pub(crate) fn next(&self, now: Duration) -> Next {
        if self.tally.sent < self.plan.count {
            return Next::Send(self.due);
        }
        let open = self.echoes.iter().rfind(|(_, state)| *state == State::Open);
        let timeout = open.map_or(Duration::ZERO, |(departure, _)| departure.at + self.plan.timeout);
        let linger = self.last_answer + self.longest.clamp(LINGER.0, LINGER.1).min(self.plan.timeout);
        let end = if self.last_answer.is_zero() { timeout } else { timeout.max(linger) };
        if now < end { Next::Wait(end) } else { Next::Done }
    }

    /// The number of the next request.
    pub(crate) const fn number(&self) -> u32 {
        self.tally.sent
    }

    /// The next request left at `at`.
    pub(crate) fn sent(&mut self, at: Duration) {
        self.echoes.push((Departure::new(at), State::Open));
        self.tally.sent += 1;
        let next = self.due + self.plan.spacing;
        let is_held_up = next + self.plan.spacing.max(SLACK) < at;
        self.due = if is_held_up { at + self.plan.spacing } else { next };
    }

    /// A better estimate of when a request left.
    pub(crate) fn left(&mut self, number: u32, at: Duration) {
        if let Some((departure, State::Open)) = self.echoes.get_mut(number as usize) {
            departure.at = at;
        }
    }

    /// An answer to request `number` arrived at `at`. Whether it changed anything.
    pub(crate) fn answered(&mut self, number: u32, at: Duration) -> bool {
        let Some((departure, state)) = self.echoes.get_mut(number as usize) else { return false };
        self.last_answer = self.last_answer.max(at);
        if *state != State::Open {
            self.tally.duplicates += 1;
            return true;
        }
        let rtt = departure.until(at);
        if rtt > self.plan.timeout {
            *state = State::Late;
            self.tally.late += 1;
            return true;
        }
        *state = State::Answered;
        self.tally.rtts.push(rtt.as_secs_f64());
        self.longest = self.longest.max(rtt);
        match self.highest {
            Some(highest) if highest > number => self.tally.reordered += 1,
            _ => self.highest = Some(number),
        }
        true
    }

    /// An answer came with this time to live.
    pub(crate) const fn came_with(&mut self, hop_limit: Option<u8>) {
        if hop_limit.is_some() {
            self.tally.hop_limit = hop_limit;
        }
    }

    /// Time to live of requests.
    pub(crate) const fn ttl(&self) -> Option<u8> {
        self.plan.ttl
    }

    /// A request was not delivered, so somebody says. It stays open: what matters is whether an answer comes.
    pub(crate) fn troubled(&mut self, number: u32, trouble: Trouble) {
        if (number as usize) < self.echoes.len() {
            self.tally.troubles += 1;
            self.tally.trouble = Some(trouble);
        }
    }

    /// What came out.
    pub(crate) fn finish(self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests;
