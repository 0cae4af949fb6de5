//! One trace: which packet is due when, and what an answer means for which hop. No socket, no clock.
//!
//! A cycle sends one packet for each hop and flow, a few milliseconds apart. The distance of the target is learnt from the first answers,
//! so that later cycles send no further; while it is silent, they go [`HORIZON`] hops beyond the last that answered. Only "time exceeded"
//! makes a hop; whatever the target itself says means that it is reached.
//!
//! When large packets reach nobody, and nobody says why, small ones are sent to the end: if they arrive, the path is a black hole for
//! large ones (RFC 2923, 2.1).
//!
//! Limits: [`SAMPLES`] round-trip times and [`ADDRESSES`] addresses a hop; packets are remembered until their timeout.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use netwatch_model::probe::kind::mtr::{MAX_HOPS, MAX_PATHS, MplsLabel};
use netwatch_wire::icmp::Cause;

use super::departure::Departure;
use super::echoes::{Next, Trouble};

/// How many hops beyond the last that answered are tried when the first cycle is over.
const HORIZON: u8 = 8;
/// The longest time from one packet of a cycle to the next.
const GAP: Duration = Duration::from_millis(5);
/// Round-trip times that are kept of a hop; the figures are of the last ones.
const SAMPLES: usize = 1024;
/// Addresses that are kept of a hop.
const ADDRESSES: usize = 8;
/// Small packets that are sent when large ones vanish.
const CHECKS: u32 = 3;

/// What a trace sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    /// Who is the target.
    pub(crate) target: IpAddr,
    /// How often each hop is asked.
    pub(crate) cycles: u32,
    /// From one cycle to the next.
    pub(crate) spacing: Duration,
    /// How long an answer is waited for.
    pub(crate) timeout: Duration,
    /// When the first packet is due.
    pub(crate) start: Duration,
    /// The most hops.
    pub(crate) max_hops: u8,
    /// Flows that are kept apart.
    pub(crate) flows: u8,
    /// Whether packets are so large that they may vanish where small ones pass.
    pub(crate) large: bool,
}

/// A packet to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shot {
    /// Its number in the trace.
    pub(crate) number: u32,
    /// Its flow, from 0.
    pub(crate) flow: u8,
    /// Its time to live.
    pub(crate) ttl: u8,
    /// Whether it has the least size.
    pub(crate) small: bool,
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    /// The target's own answer.
    Target,
    /// An error.
    Error(Cause, Vec<MplsLabel>),
}

/// What is known of a hop of a flow.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Hop {
    /// Packets sent.
    pub(crate) sent: u32,
    /// Packets answered.
    pub(crate) answered: u32,
    /// Who answered how often, in the order in which they were first seen.
    pub(crate) addresses: Vec<(IpAddr, u32)>,
    /// Round-trip times in the order of arrival, seconds.
    pub(crate) rtts: VecDeque<f64>,
    /// Labels of the last answer that had some.
    pub(crate) labels: Vec<MplsLabel>,
}

/// What is known of a flow.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Flow {
    /// Its hops, from a time to live of 1 on; none behind the target.
    pub(crate) hops: Vec<Hop>,
    /// Where the target answered first.
    pub(crate) reached: Option<u8>,
    /// Where a router said that the target cannot be reached.
    pub(crate) barred: Option<u8>,
}

/// What came out.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Findings {
    /// Flows, in their order.
    pub(crate) flows: Vec<Flow>,
    /// The largest packet that a router said it passes on.
    pub(crate) path_mtu: Option<u16>,
    /// The last hop that large packets reached, while small ones went through.
    pub(crate) black_hole_after: Option<u8>,
    /// What somebody said why packets do not arrive.
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    shot: Shot,
    departure: Departure,
    open: bool,
}

/// The state of a trace.
#[derive(Debug)]
pub(crate) struct Course {
    plan: Plan,
    due: Duration,
    cycle: u32,
    ttl: u8,
    flow: u8,
    number: u32,
    checks: u32,
    window: VecDeque<Pending>,
    findings: Findings,
}

impl Course {
    /// A trace that has not begun. Numbers out of their range are brought into it.
    pub(crate) fn new(plan: Plan) -> Self {
        let max_hops = plan.max_hops.clamp(1, u8::try_from(MAX_HOPS).unwrap_or(u8::MAX));
        let flows = plan.flows.clamp(1, u8::try_from(MAX_PATHS).unwrap_or(u8::MAX));
        let plan = Plan { max_hops, flows, ..plan };
        let flow = Flow { hops: vec![Hop::default(); usize::from(max_hops)], ..Flow::default() };
        let findings = Findings { flows: vec![flow; usize::from(flows)], ..Findings::default() };
        Self {
            plan,
            due: plan.start,
            cycle: 0,
            ttl: 1,
            flow: 0,
            number: 0,
            checks: 0,
            window: VecDeque::new(),
            findings,
        }
    }

    /// What to do next.
    pub(crate) fn next(&self, now: Duration) -> Next {
        if self.cycle < self.plan.cycles {
            return Next::Send(self.due);
        }
        let open = self.window.iter().rfind(|pending| pending.open && self.matters(pending.shot));
        let end = open.map_or(Duration::ZERO, |pending| pending.departure.at + self.plan.timeout);
        match end {
            end if now < end => Next::Wait(end),
            _ if self.needs_check() => Next::Send(self.due.max(now)),
            _ => Next::Done,
        }
    }

    /// The packet that is due.
    pub(crate) const fn shot(&self) -> Shot {
        let small = self.cycle >= self.plan.cycles;
        let (flow, ttl) = if small { (0, self.plan.max_hops) } else { (self.flow, self.ttl) };
        Shot { number: self.number, flow, ttl, small }
    }

    /// The packet that was due left at `at`.
    pub(crate) fn sent(&mut self, at: Duration) {
        let shot = self.shot();
        if let Some(hop) = self.hop(shot)
            && !shot.small
        {
            hop.sent = hop.sent.saturating_add(1);
        }
        while self.window.front().is_some_and(|pending| pending.departure.at + self.plan.timeout < at) {
            self.window.pop_front();
        }
        self.window.push_back(Pending { shot, departure: Departure::new(at), open: true });
        self.number = self.number.wrapping_add(1);
        if shot.small {
            self.checks += 1;
            self.due = at + GAP;
        } else {
            self.advance(at);
        }
    }

    /// A better estimate of when a packet left.
    pub(crate) fn left(&mut self, number: u32, at: Duration) {
        if let Some(pending) = self.pending(number) {
            pending.departure.at = at;
        }
    }

    /// The number of the newest packet whose low bits are `marker`.
    pub(crate) fn number_of(&self, marker: u32, mask: u32) -> Option<u32> {
        let newest = self.number.checked_sub(1)?;
        newest.checked_sub((newest.wrapping_sub(marker)) & mask)
    }

    /// `from` answered packet `number` at `at`. Whether it changed anything.
    pub(crate) fn answered(&mut self, number: u32, at: Duration, from: IpAddr, reply: Reply) -> bool {
        let timeout = self.plan.timeout;
        let Some(pending) = self.pending(number) else { return false };
        let rtt = pending.departure.until(at);
        if !pending.open || rtt > timeout {
            return false;
        }
        pending.open = false;
        let shot = pending.shot;
        let is_target = from == self.plan.target || reply == Reply::Target;
        match reply {
            Reply::Target | Reply::Error(Cause::Unreachable(_), _) if is_target => self.reached(shot),
            Reply::Error(Cause::TooBig { mtu }, _) => {
                self.findings.path_mtu = self.findings.path_mtu.into_iter().chain(mtu).min();
                return self.trouble(from, Cause::TooBig { mtu });
            }
            Reply::Error(cause @ Cause::Unreachable(_), _) => {
                let barred = self.flow_of(shot).map(|flow| &mut flow.barred);
                if let Some(barred) = barred.filter(|barred| barred.is_none_or(|ttl| shot.ttl < ttl)) {
                    *barred = Some(shot.ttl);
                }
                self.trouble(from, cause);
            }
            // The path has become longer than it was: the target is somewhere behind.
            Reply::Error(Cause::TimeExceeded, _) if self.flow_of(shot).is_some_and(|flow| flow.is_behind(shot.ttl)) => {
                self.flow_of(shot).into_iter().for_each(|flow| flow.reached = None);
            }
            _ => {}
        }
        if let Some(hop) = self.hop(shot).filter(|_| !shot.small) {
            hop.count(from, rtt, if let Reply::Error(_, labels) = reply { labels } else { Vec::new() });
        }
        true
    }

    /// A packet could not be sent, or not be delivered.
    pub(crate) fn troubled(&mut self, trouble: Trouble) {
        self.findings.trouble = Some(trouble);
    }

    /// What came out: hops behind the target, and silent ones at the end, are cut.
    pub(crate) fn finish(mut self) -> Findings {
        self.findings.flows.iter_mut().for_each(Flow::cut);
        self.findings
    }

    fn trouble(&mut self, from: IpAddr, cause: Cause) -> bool {
        self.troubled(Trouble::Network { from, cause });
        true
    }

    fn reached(&mut self, shot: Shot) {
        if shot.small {
            let last = self.findings.flows.first().map(|flow| flow.last_answer());
            self.findings.black_hole_after = last;
        } else if let Some(flow) = self.flow_of(shot)
            && flow.reached.is_none_or(|ttl| shot.ttl < ttl)
        {
            flow.reached = Some(shot.ttl);
        }
    }

    /// Whether small packets should tell if large ones vanish.
    fn needs_check(&self) -> bool {
        self.plan.large
            && self.checks < CHECKS
            && self.findings.black_hole_after.is_none()
            && self.findings.trouble.is_none()
            && self.findings.flows.iter().all(|flow| flow.reached.is_none())
    }

    /// Whether an answer to it would be shown: hops behind the target are not.
    fn matters(&self, shot: Shot) -> bool {
        shot.small || self.limit(shot.flow) >= shot.ttl
    }

    /// The furthest hop of a flow that is worth a packet.
    fn limit(&self, flow: u8) -> u8 {
        let Some(known) = self.findings.flows.get(usize::from(flow)) else { return self.plan.max_hops };
        let end = known.reached.into_iter().chain(known.barred).min();
        end.unwrap_or_else(|| {
            let is_first_over = self.due.saturating_sub(self.plan.start) > self.plan.timeout && self.cycle > 0;
            let horizon = known.last_answer().saturating_add(HORIZON).min(self.plan.max_hops);
            if is_first_over { horizon } else { self.plan.max_hops }
        })
    }

    /// Goes on to the next hop and flow of this cycle, or to the next cycle.
    fn advance(&mut self, at: Duration) {
        loop {
            self.flow += 1;
            if self.flow >= self.plan.flows {
                (self.flow, self.ttl) = (0, self.ttl + 1);
            }
            let widest = (0..self.plan.flows).map(|flow| self.limit(flow)).max().unwrap_or(self.plan.max_hops);
            if self.ttl > widest {
                (self.flow, self.ttl, self.cycle) = (0, 1, self.cycle + 1);
                // Whole cycles keep their rhythm, unless this one took longer.
                self.due = (self.plan.start + self.plan.spacing * self.cycle).max(self.due + self.gap(widest)).max(at);
                return;
            }
            if self.ttl <= self.limit(self.flow) {
                self.due = (self.due + self.gap(widest)).max(at);
                return;
            }
        }
    }

    fn gap(&self, widest: u8) -> Duration {
        (self.plan.spacing / (u32::from(widest) * u32::from(self.plan.flows)).max(1)).min(GAP)
    }

    fn pending(&mut self, number: u32) -> Option<&mut Pending> {
        let first = self.window.front()?.shot.number;
        self.window.get_mut(number.checked_sub(first)? as usize)
    }

    fn flow_of(&mut self, shot: Shot) -> Option<&mut Flow> {
        self.findings.flows.get_mut(usize::from(shot.flow))
    }

    fn hop(&mut self, shot: Shot) -> Option<&mut Hop> {
        self.flow_of(shot)?.hops.get_mut(usize::from(shot.ttl).checked_sub(1)?)
    }
}

impl Flow {
    /// The last hop that answered; 0 when none did.
    pub(crate) fn last_answer(&self) -> u8 {
        let last = self.hops.iter().rposition(|hop| hop.answered > 0);
        last.map_or(0, |index| u8::try_from(index + 1).unwrap_or(u8::MAX))
    }

    /// Whether the target was thought to be at this hop or before.
    fn is_behind(&self, ttl: u8) -> bool {
        self.reached.is_some_and(|reached| ttl >= reached)
    }

    fn cut(&mut self) {
        let end = self.reached.or(self.barred).unwrap_or(u8::MAX).min(self.last_answer());
        self.hops.truncate(usize::from(end));
        // A router that bars the way at one hop further is the hop before.
        if let (None, Some(_), [.., before, last]) = (self.reached, self.barred, self.hops.as_slice())
            && before.address().is_some()
            && before.address() == last.address()
        {
            self.hops.pop();
        }
    }
}

impl Hop {
    /// Who answered most often; the first of equals.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        let most = self.addresses.iter().map(|(_, count)| *count).max()?;
        self.addresses.iter().find(|(_, count)| *count == most).map(|(address, _)| *address)
    }

    fn count(&mut self, from: IpAddr, rtt: Duration, labels: Vec<MplsLabel>) {
        self.answered = self.answered.saturating_add(1);
        self.saw(from, 1);
        if self.rtts.len() >= SAMPLES {
            self.rtts.pop_front();
        }
        self.rtts.push_back(rtt.as_secs_f64());
        if !labels.is_empty() {
            self.labels = labels;
        }
    }

    fn saw(&mut self, from: IpAddr, times: u32) {
        if let Some((_, count)) = self.addresses.iter_mut().find(|(known, _)| *known == from) {
            *count = count.saturating_add(times);
        } else if self.addresses.len() < ADDRESSES {
            self.addresses.push((from, times));
        }
    }

    /// Adds what another flow of the same path knows of the same hop.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.sent = self.sent.saturating_add(other.sent);
        self.answered = self.answered.saturating_add(other.answered);
        other.addresses.iter().for_each(|(address, count)| self.saw(*address, *count));
        let room = SAMPLES.saturating_sub(self.rtts.len());
        self.rtts.extend(other.rtts.iter().take(room));
        if self.labels.is_empty() {
            self.labels.clone_from(&other.labels);
        }
    }
}

#[cfg(test)]
mod tests;
