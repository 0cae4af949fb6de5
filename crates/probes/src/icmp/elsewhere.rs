//! The hub where the system has neither error queues nor stamps: each echo request is a question of its own to the system.
//!
//! What a ping or a trace sends when, and what an answer means, is decided by the same plain state machines as on Linux ([`echoes`],
//! [`course`]); only the way to the network differs ([`system`]). No right is needed.
//!
//! Limits: macOS and Windows; [`AT_ONCE`] requests wait for answers at a time, others leave later. Stamps are taken by the program. Traces
//! by UDP and TCP, several paths of one trace, and interfaces as sources are refused with a message.

#![allow(dead_code, reason = "the state machines are used whole on Linux alone")]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::probe::{Failure, FailureReason, Source};
use netwatch_telemetry::clock;
use netwatch_wire::icmp::Cause;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::tools::Rights;

mod counters;
mod course;
mod departure;
mod echoes;
mod job;
#[cfg_attr(unix, path = "elsewhere/unix.rs")]
#[cfg_attr(windows, path = "elsewhere/windows/os.rs")]
mod system;

pub use counters::HubCounts;

pub(crate) use course::{Findings, Flow, Hop, Plan as TracePlan};
pub(crate) use echoes::{Plan as PingPlan, Tally, Trouble};
pub(crate) use job::{Carrier, Done, Order, Outcome, Task};

use counters::Counters;
use course::Reply;
use echoes::Next;
use job::{Arrival, Work};

/// Requests that wait for answers at once.
const AT_ONCE: usize = 256;

/// Sends pings and traces.
#[derive(Debug)]
pub struct Hub {
    counters: Arc<Counters>,
    turns: Arc<Semaphore>,
}

/// One echo request.
#[derive(Clone, Debug)]
struct Request {
    to: IpAddr,
    from: Option<IpAddr>,
    octets: usize,
    ttl: Option<u8>,
    traffic_class: Option<u8>,
    dont_fragment: bool,
    timeout: Duration,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Answer {
    /// The target answered, with this time to live where the system tells.
    Target(Option<u8>),
    /// Somebody on the way says why it was not delivered.
    Error(IpAddr, Cause),
    /// Nobody said anything in time.
    Nothing,
}

/// A request with the times at which it left and was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Asked {
    left: Duration,
    came: Duration,
    answer: Answer,
}

impl Hub {
    /// A hub; nothing is opened yet. The right to open raw sockets is not used here.
    #[must_use]
    pub fn new(_: Arc<dyn Rights>) -> Self {
        Self { counters: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// What the hub counts of itself.
    #[must_use]
    pub fn counts(&self) -> HubCounts {
        self.counters.read()
    }

    /// Carries an order out.
    pub(crate) async fn carry_out(&self, order: Order) -> Result<Done, Failure> {
        let timeout = timeout_of(&order)?;
        let from = source_of(&order)?;
        let mut work = Work::new(order.task);
        let mut asked = JoinSet::new();
        loop {
            let now = clock::monotonic();
            let until = match work.next(now) {
                Next::Done => break,
                Next::Send(at) if at <= now => {
                    let due = work.send(now);
                    let request = Request {
                        to: order.to.ip(),
                        from,
                        octets: if due.small { 0 } else { usize::from(order.octets) },
                        ttl: due.ttl,
                        traffic_class: order.traffic_class,
                        dont_fragment: order.dont_fragment,
                        timeout,
                    };
                    let turns = Arc::clone(&self.turns);
                    asked.spawn(async move { (due.number, ask(request, turns).await) });
                    continue;
                }
                Next::Send(at) | Next::Wait(at) => at,
            };
            tokio::select! {
                Some(Ok((number, asked))) = asked.join_next() => self.take(&mut work, order.to.ip(), number, asked),
                () = tokio::time::sleep(until.saturating_sub(now)) => {}
            }
        }
        Ok(Done { local: order.local, outcome: work.finish(), flow_keys: vec![0], kernel_stamps: false })
    }

    fn take(&self, work: &mut Work, to: IpAddr, number: u32, asked: io::Result<Asked>) {
        let Asked { left, came, answer } = match asked {
            Ok(asked) => asked,
            Err(error) => {
                self.counters.refused();
                return work.refused(number, error.raw_os_error().unwrap_or_default());
            }
        };
        self.counters.sent(1);
        work.left(number, left);
        let (from, reply, hop_limit) = match answer {
            Answer::Target(hop_limit) => (to, Reply::Target, hop_limit),
            Answer::Error(from, cause) => (from, Reply::Error(cause, Vec::new()), None),
            Answer::Nothing => return,
        };
        self.counters.arrived(true);
        work.arrived(Arrival { number, at: came, from, reply, hop_limit });
    }
}

/// Asks on a thread of its own, because the system answers when there is an answer.
async fn ask(request: Request, turns: Arc<Semaphore>) -> io::Result<Asked> {
    let _turn = turns.acquire_owned().await.map_err(io::Error::other)?;
    tokio::task::spawn_blocking(move || system::ask(&request)).await.map_err(io::Error::other)?
}

fn timeout_of(order: &Order) -> Result<Duration, Failure> {
    match order.task {
        Task::Ping(plan) => Ok(plan.timeout),
        Task::Trace(plan, Carrier::Icmp) if plan.flows == 1 => Ok(plan.timeout),
        Task::Trace(_, Carrier::Icmp) => Err(unsupported("traces over several paths are")),
        Task::Trace(..) => Err(unsupported("traces by UDP and TCP are")),
    }
}

fn source_of(order: &Order) -> Result<Option<IpAddr>, Failure> {
    match &order.source {
        None => Ok(None),
        Some(Source::Address(address)) => Ok(Some(*address)),
        Some(Source::Interface(_)) => Err(unsupported("interfaces as sources are")),
    }
}

fn unsupported(what: &str) -> Failure {
    Failure::new(FailureReason::Agent, &format!("{what} measured by agents on Linux only: choose another agent"))
}

/// The MTU of the way to a target is not asked for here.
pub(crate) const fn local_mtu(_: SocketAddr, _: Option<&Source>) -> Option<u16> {
    None
}
