//! A ping or a trace as the hub runs it: its state, where it sends, and who waits for it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwatch_model::probe::{Failure, Source};
use tokio::sync::oneshot;

use super::course::{self, Course, Findings, Reply};
use super::echoes::{self, Echoes, Next, Tally, Trouble};

/// What a hub is asked to do.
#[derive(Debug)]
pub(crate) struct Order {
    /// The target; the port is that of UDP and TCP.
    pub(crate) to: SocketAddr,
    /// From where.
    pub(crate) source: Option<Source>,
    /// The address of this host that the target sees; checksums of UDP and TCP cover it.
    pub(crate) local: Option<IpAddr>,
    /// The octet with the DSCP.
    pub(crate) traffic_class: Option<u8>,
    /// Whether packets must not be fragmented.
    pub(crate) dont_fragment: bool,
    /// Octets of data in each echo request, or of the whole packet of a trace.
    pub(crate) octets: u16,
    /// What to send.
    pub(crate) task: Task,
}

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    /// Echo requests.
    Ping(echoes::Plan),
    /// A trace.
    Trace(course::Plan, Carrier),
}

/// What a trace sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Carrier {
    /// Echo requests.
    Icmp,
    /// Datagrams.
    Udp,
    /// SYN segments.
    Tcp,
}

/// What came out of an order.
#[derive(Debug)]
pub(crate) struct Done {
    /// The address of this host that answers came to, or that the order named.
    pub(crate) local: Option<IpAddr>,
    /// What was measured.
    pub(crate) outcome: Outcome,
    /// Identifiers or source ports of the flows.
    pub(crate) flow_keys: Vec<u16>,
    /// Whether the kernel stamped every arrival.
    pub(crate) kernel_stamps: bool,
}

/// What was measured.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// By a ping.
    Ping(Tally),
    /// By a trace.
    Trace(Findings),
}

pub(super) type Waiting = oneshot::Sender<Result<Done, Failure>>;
/// Who is told, and what.
pub(super) type Told = (Waiting, Result<Done, Failure>);

#[derive(Debug)]
pub(super) enum Work {
    Ping(Echoes),
    Trace(Box<Course>, Carrier),
}

/// A job of the hub.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) generation: u32,
    pub(super) to: SocketAddr,
    pub(super) local: Option<IpAddr>,
    pub(super) traffic_class: Option<u8>,
    pub(super) octets: u16,
    pub(super) work: Work,
    /// Where the varying fields of its packets begin.
    pub(super) base: u32,
    /// Channels to send on: one, or one for each flow.
    pub(super) roads: Vec<usize>,
    /// Channels to receive errors on, besides.
    pub(super) errors: Option<usize>,
    pub(super) kernel_stamps: bool,
    /// When it is looked at next; entries of the schedule for other times are stale.
    pub(super) wake: Duration,
    pub(super) waiting: Waiting,
}

impl Job {
    /// Whether what comes on that channel can be an answer to it.
    pub(super) fn listens_on(&self, channel: usize) -> bool {
        self.roads.contains(&channel) || self.errors == Some(channel)
    }
}

/// A packet that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Due {
    pub(super) number: u32,
    pub(super) flow: u8,
    /// Time to live; the system's when absent.
    pub(super) ttl: Option<u8>,
    /// Whether it has the least size.
    pub(super) small: bool,
}

/// What arrived for a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Arrival {
    pub(super) number: u32,
    pub(super) at: Duration,
    pub(super) from: IpAddr,
    pub(super) reply: Reply,
    /// Time to live with which it came, where the system tells.
    pub(super) hop_limit: Option<u8>,
}

impl Work {
    pub(super) fn new(task: Task) -> Self {
        match task {
            Task::Ping(plan) => Self::Ping(Echoes::new(plan)),
            Task::Trace(plan, carrier) => Self::Trace(Box::new(Course::new(plan)), carrier),
        }
    }

    pub(super) fn next(&self, now: Duration) -> Next {
        match self {
            Self::Ping(echoes) => echoes.next(now),
            Self::Trace(course, _) => course.next(now),
        }
    }

    /// The packet that is due; it counts as sent at `now`.
    pub(super) fn send(&mut self, now: Duration) -> Due {
        match self {
            Self::Ping(echoes) => {
                let number = echoes.number();
                echoes.sent(now);
                Due { number, flow: 0, ttl: echoes.ttl(), small: false }
            }
            Self::Trace(course, _) => {
                let shot = course.shot();
                course.sent(now);
                Due { number: shot.number, flow: shot.flow, ttl: Some(shot.ttl), small: shot.small }
            }
        }
    }

    pub(super) fn left(&mut self, number: u32, at: Duration) {
        match self {
            Self::Ping(echoes) => echoes.left(number, at),
            Self::Trace(course, _) => course.left(number, at),
        }
    }

    pub(super) fn refused(&mut self, number: u32, error: i32) {
        match self {
            Self::Ping(echoes) => echoes.troubled(number, Trouble::Local(error)),
            Self::Trace(course, _) => course.troubled(Trouble::Local(error)),
        }
    }

    /// Takes an arrival. Whether it changed anything.
    pub(super) fn arrived(&mut self, arrival: Arrival) -> bool {
        let Arrival { number, at, from, reply, hop_limit } = arrival;
        match (self, reply) {
            (Self::Ping(echoes), Reply::Target) => {
                echoes.came_with(hop_limit);
                echoes.answered(number, at)
            }
            (Self::Ping(echoes), Reply::Error(cause, _)) => {
                echoes.troubled(number, Trouble::Network { from, cause });
                true
            }
            (Self::Trace(course, _), reply) => course.answered(number, at, from, reply),
        }
    }

    /// The number of the packet whose varying field, less its base, is `marker` in the bits of `mask`.
    pub(super) fn number_of(&self, marker: u32, mask: u32) -> Option<u32> {
        match self {
            Self::Ping(echoes) => Some(marker & mask).filter(|number| *number < echoes.number()),
            Self::Trace(course, _) => course.number_of(marker, mask),
        }
    }

    pub(super) fn finish(self) -> Outcome {
        match self {
            Self::Ping(echoes) => Outcome::Ping(echoes.finish()),
            Self::Trace(course, _) => Outcome::Trace(course.finish()),
        }
    }
}
