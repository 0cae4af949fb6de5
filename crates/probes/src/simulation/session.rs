//! A session of a sender: what to send when, and what came back. Plain logic: it takes the time and an answer, and does no I/O.
//!
//! The stream of `count` packets has numbers of its own after a **first packet** (number 0), which finds the way (ARP, routes) and shows
//! whether the reflector numbers its answers by itself: one number is left out after it, so that the two counts differ from then on.
//! When the end of the stream is not answered, up to three **last packets** ask how many have arrived. Neither is part of the figures.
//!
//! Limits: [`MAX_PACKETS`] a second; each packet has one slot, each answer one entry, at most [`ANSWERS_PER_PACKET`] for a packet.

use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::probe::kind::simulation::Simulation;
use netwatch_model::voice::Codec;
use netwatch_wire::stamp::Reflected;
use netwatch_wire::stamp::time::StampTime;
use netwatch_wire::stamp::tlv::ClassOfService;

use super::figures;

/// The number of the first packet.
const LEADER: u32 = 0;
/// The number of the first packet of the stream.
pub(super) const FIRST: u32 = 2;
/// Most of the last packets that ask how many have arrived.
const TRAILERS: u32 = 3;
/// How long the stream waits for the answer to the first packet.
const PATIENCE: Duration = Duration::from_millis(500);
/// Packets a second at most.
pub(super) const MAX_PACKETS: u32 = 1000;
/// Answers to one packet that are kept on average; more are counted as duplicates.
const ANSWERS_PER_PACKET: usize = 2;
/// How long duplicates are waited for at least when everything is answered.
const LINGER: Duration = Duration::from_millis(10);

/// What a session shall do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Packets of the stream.
    pub count: u32,
    /// From one to the next.
    pub spacing: Duration,
    /// An answer that takes longer is lost.
    pub timeout: Duration,
    /// For voice quality.
    pub codec: Codec,
    /// The buffer of a listener.
    pub buffer: Duration,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Send the packet of this number.
    Send(u32),
    /// Wait for an answer until then.
    Wait(Duration),
    /// It is over.
    Done,
}

/// An answer as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming {
    /// When it is handled, monotonic.
    pub now: Duration,
    /// T4: when the kernel received it.
    pub stamp: Timestamp,
    /// What it says.
    pub answer: Reflected,
    /// DSCP of its header.
    pub dscp: Option<u8>,
    /// How the packet arrived at the reflector, if it says so.
    pub class: Option<ClassOfService>,
}

/// What is kept of an answer. Times are nanoseconds; those of the two ends have different clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) sequence: u32,
    pub(super) number: u32,
    pub(super) forward: i64,
    pub(super) reverse: i64,
    pub(super) round_trip: i64,
    pub(super) is_late: bool,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    sent: Timestamp,
    sent_at: Duration,
    is_answered: bool,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) plan: Plan,
    /// Of the first packet, the one left out, the stream, and the last packets, by their number.
    slots: Vec<Option<Slot>>,
    begin: Option<Duration>,
    /// The next number of the stream.
    next: u32,
    last_sent: Duration,
    pub(super) answers: Vec<Kept>,
    /// Answers with the same two numbers as one before.
    pub(super) repeated: u32,
    /// Answers to nothing that was sent.
    pub(super) foreign: u32,
    pub(super) dscp_back: Option<u8>,
    pub(super) dscp_there: Option<u8>,
    pub(super) remote_error: Option<f64>,
    longest: Duration,
}

impl Session {
    pub(crate) fn new(plan: Plan) -> Self {
        let slots = usize::try_from(FIRST.saturating_add(plan.count).saturating_add(TRAILERS)).unwrap_or(0);
        let spacing = plan.spacing.max(Duration::from_secs(1) / MAX_PACKETS);
        Self {
            plan: Plan { spacing, ..plan },
            slots: vec![None; slots],
            begin: None,
            next: FIRST,
            last_sent: Duration::ZERO,
            answers: Vec::new(),
            repeated: 0,
            foreign: 0,
            dscp_back: None,
            dscp_there: None,
            remote_error: None,
            longest: Duration::ZERO,
        }
    }

    /// What to do at `now`.
    pub(crate) fn step(&mut self, now: Duration) -> Step {
        let Some(leader) = self.slot(LEADER) else { return Step::Send(LEADER) };
        let begin = match self.begin {
            Some(begin) => begin,
            None if leader.is_answered || now >= leader.sent_at + PATIENCE.min(self.plan.timeout) => {
                *self.begin.insert(now)
            }
            None => return Step::Wait(leader.sent_at + PATIENCE.min(self.plan.timeout)),
        };
        if self.next < self.end() {
            let due = begin + self.plan.spacing.saturating_mul(self.next - FIRST);
            return if now >= due { Step::Send(self.next) } else { Step::Wait(due) };
        }
        self.tail(now)
    }

    /// A packet has left.
    pub(crate) fn sent(&mut self, sequence: u32, now: Duration, stamp: Timestamp) {
        let slot = usize::try_from(sequence).ok().and_then(|at| self.slots.get_mut(at));
        if let Some(slot) = slot {
            *slot = Some(Slot { sent: stamp, sent_at: now, is_answered: false });
        }
        if (FIRST..self.end()).contains(&sequence) {
            self.last_sent = now;
            self.next = sequence.saturating_add(1);
        }
    }

    /// An answer has come.
    pub(crate) fn receive(&mut self, incoming: &Incoming) {
        let answer = &incoming.answer;
        let at = usize::try_from(answer.sent.sequence).unwrap_or(usize::MAX);
        let limit = self.slots.len() * ANSWERS_PER_PACKET;
        let Some(Some(slot)) = self.slots.get_mut(at) else {
            self.foreign = self.foreign.saturating_add(1);
            return;
        };
        // The stamp of the sender comes back as it was sent: a stranger on another path does not know it.
        if answer.sent.time != StampTime::ntp(slot.sent) {
            self.foreign = self.foreign.saturating_add(1);
            return;
        }
        let known = |kept: &Kept| kept.sequence == answer.sent.sequence && kept.number == answer.sequence;
        let is_repeated = slot.is_answered && self.answers.iter().any(known);
        slot.is_answered = true;
        if is_repeated || self.answers.len() >= limit {
            self.repeated = self.repeated.saturating_add(1);
            return;
        }
        let kept = keep(slot, incoming, self.plan.timeout);
        self.longest = self.longest.max(Duration::from_nanos(kept.round_trip.unsigned_abs()));
        self.answers.push(kept);
        self.dscp_back = incoming.dscp.or(self.dscp_back);
        self.dscp_there = incoming.class.map(|class| class.arrived).or(self.dscp_there);
        // The time of PTP is ahead of UTC by leap seconds that are not known here.
        let error = answer.error;
        self.remote_error = (error.is_synchronised() && !error.is_ptp()).then(|| error.seconds());
    }

    /// Whether anything has come back.
    pub(crate) fn is_answered(&self) -> bool {
        !self.answers.is_empty()
    }

    /// The figures. `clock_error` is that of our clock, seconds, when it is synchronised.
    pub(crate) fn finish(&self, clock_error: Option<f64>, lookup: Option<f64>) -> Simulation {
        figures::simulation(self, clock_error, lookup)
    }

    /// One past the last number of the stream.
    pub(super) const fn end(&self) -> u32 {
        FIRST.saturating_add(self.plan.count)
    }

    /// Whether the packet of this number has been sent.
    pub(super) fn is_sent(&self, sequence: u32) -> bool {
        self.slot(sequence).is_some()
    }

    fn slot(&self, sequence: u32) -> Option<Slot> {
        self.slots.get(usize::try_from(sequence).ok()?).copied().flatten()
    }

    /// After the stream: wait for answers, and ask how many packets have arrived when its end is not answered.
    fn tail(&self, now: Duration) -> Step {
        let end = self.last_sent + self.plan.timeout;
        let is_open = |sequence: u32| self.slot(sequence).is_some_and(|slot| !slot.is_answered);
        let linger = self.last_sent + (self.longest * 2).max(LINGER).min(self.plan.timeout);
        if !(FIRST..self.end()).any(is_open) {
            return if now >= linger { Step::Done } else { Step::Wait(linger) };
        }
        if now >= end {
            return Step::Done;
        }
        let trailers = self.end()..self.end().saturating_add(TRAILERS);
        let is_known = !is_open(self.end() - 1) || trailers.clone().any(|t| self.is_sent(t) && !is_open(t));
        let mut trailers = trailers;
        let next = trailers.find(|sequence| !self.is_sent(*sequence));
        let Some(next) = next.filter(|_| !is_known) else { return Step::Wait(end) };
        let due = self.last_sent + self.plan.timeout / (TRAILERS + 1) * (next - self.end() + 1);
        if now >= due { Step::Send(next) } else { Step::Wait(due) }
    }
}

fn keep(slot: &Slot, incoming: &Incoming, timeout: Duration) -> Kept {
    let answer = &incoming.answer;
    let is_ptp = answer.error.is_ptp();
    let remote = |time: StampTime| time.to_timestamp(is_ptp, incoming.stamp).nanos();
    let (t1, t2, t3, t4) = (slot.sent.nanos(), remote(answer.received), remote(answer.time), incoming.stamp.nanos());
    let passed = i64::try_from(incoming.now.saturating_sub(slot.sent_at).as_nanos()).unwrap_or(i64::MAX);
    // A stamp that says more than has passed, or less than nothing, was taken across a step of the clock.
    let stamped = t4.saturating_sub(t1);
    const SLACK: i64 = 1_000_000;
    let elapsed = if (0..=passed.saturating_add(SLACK)).contains(&stamped) { stamped } else { passed };
    let limit = i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX);
    Kept {
        sequence: answer.sent.sequence,
        number: answer.sequence,
        forward: t2.saturating_sub(t1),
        reverse: t4.saturating_sub(t3),
        round_trip: elapsed.saturating_sub(t3.saturating_sub(t2)),
        is_late: elapsed > limit,
    }
}
