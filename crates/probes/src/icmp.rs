//! The hub: one thread and few sockets for thousands of pings and traces at once.
//!
//! Why: a socket, a timer and a task for each target cost more than the packets, and stamps of a busy task measure the task. What: a ping
//! or trace is an order ([`Order`]); the hub's thread ([`driver`]) sends its packets in time, stamps them as late as it can, takes the
//! kernel's stamps of arrivals, and gives back what came out. What an answer means is decided by plain state machines: [`echoes`] for
//! pings, [`course`] for traces; [`book`] knows which packet an arrival belongs to, by a keyed token that nobody can forge.
//!
//! Limits: 200 000 jobs, 128 sockets, [`QUEUE`] orders that wait; more are refused, or wait. The thread starts with the first order and
//! lives in the network namespace of who gave it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use netwatch_model::probe::{Failure, FailureReason};
use tokio::sync::{mpsc, oneshot};

use crate::tools::Rights;

mod bell;
mod book;
mod channel;
mod counters;
mod course;
mod datagram;
mod departure;
mod driver;
mod echoes;
mod filter;
mod job;
mod keys;
mod os;
mod outbox;
mod packet;
mod token;

pub use counters::HubCounts;

pub(crate) use channel::local_mtu;
pub(crate) use course::{Findings, Flow, Hop, Plan as TracePlan};
pub(crate) use echoes::{Plan as PingPlan, Tally, Trouble};
pub(crate) use job::{Carrier, Done, Order, Outcome, Task};

use bell::Bell;
use counters::Counters;
use driver::Driver;

/// Orders that wait for the thread; who gives more waits, too. Many, because to wake who waits costs more than a ping.
const QUEUE: usize = 65_536;
/// Rounds of answers that wait for the task that tells them.
const ROUNDS: usize = 16;

/// Sends pings and traces. Answers are told by a task of the runtime in which the first order is given: while that lives, it must run.
#[derive(Debug)]
pub struct Hub {
    rights: Arc<dyn Rights>,
    counters: Arc<Counters>,
    thread: Mutex<Option<Thread>>,
}

/// The way to a running thread.
#[derive(Clone, Debug)]
struct Thread {
    orders: mpsc::Sender<(Order, job::Waiting)>,
    bell: Arc<Bell>,
}

impl Hub {
    /// A hub that opens its sockets by `rights`; nothing is opened yet.
    #[must_use]
    pub fn new(rights: Arc<dyn Rights>) -> Self {
        Self { rights, counters: Arc::default(), thread: Mutex::new(None) }
    }

    /// What the hub counts of itself.
    #[must_use]
    pub fn counts(&self) -> HubCounts {
        self.counters.read()
    }

    /// Carries an order out.
    pub(crate) async fn carry_out(&self, order: Order) -> Result<Done, Failure> {
        let thread = self.thread().map_err(|error| lost(&format!("cannot start: {error}")))?;
        let (waiting, done) = oneshot::channel();
        let given = thread.orders.send((order, waiting)).await;
        given.map_err(|_| lost("has ended"))?;
        thread.bell.ring();
        done.await.unwrap_or_else(|_| Err(lost("has ended")))
    }

    /// The running thread, started if it is not.
    fn thread(&self) -> io::Result<Thread> {
        let mut place = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = place.as_ref().filter(|thread| !thread.orders.is_closed()) {
            return Ok(thread.clone());
        }
        let bell = Arc::new(Bell::new()?);
        let (orders, taken) = mpsc::channel(QUEUE);
        let (teller, rounds) = mpsc::channel(ROUNDS);
        let (rights, counters) = (Arc::clone(&self.rights), Arc::clone(&self.counters));
        let theirs = Arc::clone(&bell);
        let run = move || Driver::new(taken, teller, theirs, rights, counters).run();
        std::thread::Builder::new().name("netwatch-icmp".to_owned()).spawn(run)?;
        tokio::spawn(tell(rounds));
        Ok(place.insert(Thread { orders, bell }).clone())
    }
}

/// Tells who waits, from inside their runtime: from the thread each would cost a system call, and the wake-up of a core that sleeps.
async fn tell(mut rounds: mpsc::Receiver<Vec<job::Told>>) {
    while let Some(round) = rounds.recv().await {
        driver::tell_each(round);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Thread { orders, bell }) = thread {
            drop(orders);
            bell.ring();
        }
    }
}

fn lost(what: &str) -> Failure {
    Failure::new(FailureReason::Agent, &format!("the thread that sends pings and traces {what}: see the agent's log"))
}
