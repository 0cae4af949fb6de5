//! The thread of a hub: sends what is due, receives what came, and sleeps.
//!
//! One thread, because a ping costs a few microseconds and its time matters: it waits for no other task. In a round it takes new orders,
//! sends what is due in batches, receives everything, tells who waits for what has ended, then sleeps: at least [`ROUND`], so that many
//! packets share the cost of a round. Arrivals are stamped by the kernel and lose nothing by waiting.
//!
//! Queues: orders, [`super::QUEUE`] deep; who orders more waits. Rounds of answers, [`super::ROUNDS`] deep; when it is full, each is told
//! alone. The thread ends when its hub is dropped; jobs under way end with it.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::probe::{Failure, FailureReason};
use netwatch_telemetry::clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::mpsc::{Receiver, Sender};

use super::bell::Bell;
use super::book::{Book, MAX_JOBS};
use super::channel::{Channel, ChannelKey, MAX_CHANNELS, Road, check_source};
use super::counters::Counters;
use super::departure::Pace;
use super::echoes::Next;
use super::job::{Carrier, Done, Job, Order, Task, Told, Waiting, Work};
use super::os::Inbox;
use super::outbox::Outbox;
use crate::tools::Rights;

mod arrive;
mod send;

/// The least time from one round to the next when nothing is overdue.
const ROUND: Duration = Duration::from_millis(1);
/// The same from [`MANY`] jobs on, where a round is worth more.
const LONG_ROUND: Duration = Duration::from_millis(3);
const MANY: usize = 500;
/// How long sockets are kept open when there is nothing to do.
const IDLE: Duration = Duration::from_secs(30);
/// Orders that are taken in a round.
const ORDERS: usize = 1024;

/// What the thread owns.
pub(super) struct Driver {
    orders: Receiver<(Order, Waiting)>,
    bell: Arc<Bell>,
    rights: Arc<dyn Rights>,
    counters: Arc<Counters>,
    /// The identifier of pings.
    identifier: u16,
    book: Book,
    channels: Vec<Option<Channel>>,
    outbox: Outbox,
    inbox: Inbox,
    pace: Pace,
    /// Who is told at the end of the round, and what.
    told: Vec<Told>,
    /// The way to the task that tells them ([`super::tell`]).
    teller: Sender<Vec<Told>>,
}

impl Driver {
    pub(super) fn new(
        orders: Receiver<(Order, Waiting)>,
        teller: Sender<Vec<Told>>,
        bell: Arc<Bell>,
        rights: Arc<dyn Rights>,
        counters: Arc<Counters>,
    ) -> Self {
        let book = Book::default();
        // Any number whose highest octet is not that of traces.
        let [a, b, ..] = book.key.secret(0, 0).to_be_bytes();
        let identifier = u16::from_be_bytes([a | 0x80, b]);
        Self {
            orders,
            bell,
            rights,
            counters,
            identifier,
            book,
            channels: Vec::new(),
            outbox: Outbox::default(),
            inbox: Inbox::new(),
            pace: Pace::default(),
            told: Vec::new(),
            teller,
        }
    }

    /// Runs until the hub is gone.
    pub(super) fn run(mut self) {
        loop {
            let began = clock::monotonic();
            if !self.take_orders(began) {
                return;
            }
            let is_behind = self.send_due(began);
            self.receive();
            self.tell();
            if !is_behind {
                self.sleep(began);
            }
        }
    }

    /// Tells who waits for what has ended in this round: one by itself, more of them all at once.
    fn tell(&mut self) {
        let round = match self.told.len() {
            0 => return,
            1 => std::mem::take(&mut self.told),
            _ => match self.teller.try_send(std::mem::take(&mut self.told)) {
                Ok(()) => return,
                // The runtime of the task is gone, or has no time.
                Err(TrySendError::Full(round) | TrySendError::Closed(round)) => round,
            },
        };
        tell_each(round);
    }

    /// Takes new orders; false when nobody can give any more.
    fn take_orders(&mut self, now: Duration) -> bool {
        for _ in 0..ORDERS {
            match self.orders.try_recv() {
                Ok((order, waiting)) => self.begin(&order, waiting, now),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    /// Opens what an order needs and gives it a place. Who waits is told in this round if that fails.
    fn begin(&mut self, order: &Order, waiting: Waiting, now: Duration) {
        let opened = if self.book.has_room() { self.open_for(order) } else { Err(crowded()) };
        let (roads, errors) = match opened {
            Ok(opened) => opened,
            Err(failure) => {
                self.told.push((waiting, Err(failure)));
                return;
            }
        };
        let work = Work::new(order.task);
        let wake = match work.next(now) {
            Next::Send(at) | Next::Wait(at) => at,
            Next::Done => now,
        };
        self.book.insert(|generation, base| Job {
            generation,
            to: order.to,
            local: order.local,
            traffic_class: order.traffic_class,
            octets: order.octets,
            work,
            base,
            roads,
            errors,
            kernel_stamps: true,
            wake,
            waiting,
        });
    }

    /// The channels that an order sends on, and the one that it receives errors on.
    fn open_for(&mut self, order: &Order) -> Result<(Vec<usize>, Option<usize>), Failure> {
        let v6 = order.to.is_ipv6();
        let source = match &order.source {
            Some(source) => Some((source.clone(), check_source(source, v6)?)),
            None => None,
        };
        let key = |road| ChannelKey { v6, source: source.clone(), dont_fragment: order.dont_fragment, road };
        let flows = match order.task {
            Task::Trace(plan, _) => 0..plan.flows,
            Task::Ping(_) => 0..1,
        };
        let (road, needs_errors): (fn(u8) -> Road, bool) = match order.task {
            Task::Ping(_) => (|_| Road::Echo(None), false),
            Task::Trace(_, Carrier::Icmp) => (|flow| Road::Echo(Some(flow)), false),
            Task::Trace(_, Carrier::Udp) => (Road::Udp, true),
            Task::Trace(_, Carrier::Tcp) => (|_| Road::Tcp, true),
        };
        let errors = if needs_errors { self.hold(key(Road::Errors)) } else { Err(crowded()) };
        let errors = match (errors, order.task) {
            (Err(failure), Task::Trace(_, Carrier::Tcp)) => return Err(failure),
            // UDP has its error queues.
            (errors, _) => errors.ok(),
        };
        let mut roads = Vec::new();
        for flow in flows {
            match self.hold(key(road(flow))) {
                // A raw socket carries all flows.
                Ok(channel) if roads.contains(&channel) => self.release(&[channel]),
                Ok(channel) => {
                    roads.push(channel);
                    if let (true, Some(Some(channel))) =
                        (needs_errors && errors.is_none(), self.channels.get_mut(channel))
                    {
                        channel.use_error_queue().map_err(|error| lost_errors(&error))?;
                    }
                }
                Err(failure) => {
                    self.release(&roads);
                    self.release(errors.as_slice());
                    return Err(failure);
                }
            }
        }
        Ok((roads, errors))
    }

    /// The channel of a key, opened if it is not, and not closed until it is released.
    fn hold(&mut self, key: ChannelKey) -> Result<usize, Failure> {
        let place = self.open(key)?;
        if let Some(Some(channel)) = self.channels.get_mut(place) {
            channel.users = channel.users.saturating_add(1);
        }
        Ok(place)
    }

    fn release(&mut self, places: &[usize]) {
        for place in places {
            if let Some(Some(channel)) = self.channels.get_mut(*place) {
                channel.users = channel.users.saturating_sub(1);
            }
        }
    }

    fn open(&mut self, key: ChannelKey) -> Result<usize, Failure> {
        let any_flow = ChannelKey { road: Road::Echo(None), ..key.clone() };
        let is = |channel: &Channel| {
            let is_shared = matches!(key.road, Road::Echo(_)) && channel.key == any_flow && !channel.has_error_queue;
            channel.key == key || is_shared
        };
        let place = self.channels.iter().position(|channel| channel.as_ref().is_some_and(is));
        if let Some(place) = place {
            return Ok(place);
        }
        let is_free = |channel: &Option<Channel>| channel.as_ref().is_none_or(|channel| channel.users == 0);
        let free = if self.channels.len() < MAX_CHANNELS { None } else { self.channels.iter().position(is_free) };
        if self.channels.len() >= MAX_CHANNELS && free.is_none() {
            return Err(crowded());
        }
        let channel = Some(Channel::open(key, &*self.rights, self.identifier)?);
        match free.and_then(|place| Some((place, self.channels.get_mut(place)?))) {
            Some((place, old)) => {
                *old = channel;
                Ok(place)
            }
            None => {
                self.channels.push(channel);
                Ok(self.channels.len() - 1)
            }
        }
    }

    /// Ends a job and tells who waits.
    fn finish(&mut self, slot: u32) {
        let Some(job) = self.book.remove(slot) else { return };
        let keys = match &job.work {
            Work::Ping(_) => Vec::new(),
            Work::Trace(..) => self.flow_keys(&job.roads),
        };
        self.release(&job.roads);
        self.release(job.errors.as_slice());
        let done =
            Done { local: job.local, outcome: job.work.finish(), flow_keys: keys, kernel_stamps: job.kernel_stamps };
        self.told.push((job.waiting, Ok(done)));
    }

    fn flow_keys(&self, roads: &[usize]) -> Vec<u16> {
        let channels = roads.iter().filter_map(|road| self.channels.get(*road)?.as_ref());
        channels.flat_map(|channel| channel.flow_keys.iter().copied()).collect()
    }

    /// Looks at a job again after something happened to it.
    fn look_again(&mut self, slot: u32, now: Duration) {
        let Some(job) = self.book.job(slot) else { return };
        match job.work.next(now) {
            Next::Done => self.finish(slot),
            Next::Send(at) | Next::Wait(at) if at < job.wake => self.book.look_at(slot, at),
            Next::Send(_) | Next::Wait(_) => {}
        }
    }

    /// Sleeps until something is due, came, or was ordered.
    fn sleep(&mut self, began: Duration) {
        let next = self.book.next_look();
        if self.book.len() > 0 {
            // First without looking at anything: what arrives or is ordered meanwhile is taken together.
            let round = if self.book.len() < MANY { ROUND } else { LONG_ROUND };
            std::thread::sleep((began + round).saturating_sub(clock::monotonic()));
            if next.is_some_and(|next| next <= began + round) {
                return;
            }
        }
        match next {
            Some(next) => _ = self.wait(next),
            None if self.channels.is_empty() => _ = self.wait(Duration::MAX),
            None => {
                if !self.wait(clock::monotonic() + IDLE) {
                    self.channels.clear();
                }
            }
        }
    }

    /// Waits for the bell and the sockets until `until`; whether one of them had something.
    fn wait(&mut self, until: Duration) -> bool {
        let left = until.saturating_sub(clock::monotonic());
        if left.is_zero() {
            return false;
        }
        self.bell.lie_down();
        if !self.orders.is_empty() || self.orders.is_closed() {
            self.bell.get_up(false);
            return true;
        }
        let mut waited: Vec<PollFd<'_>> = vec![PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN)];
        let open = self.channels.iter().flatten();
        waited.extend(open.map(|channel| PollFd::from_borrowed_fd(channel.as_fd(), PollFlags::IN)));
        let limit = (until != Duration::MAX).then(|| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        });
        // An interrupted wait is a short one.
        let ready = poll(&mut waited, limit.as_ref()).unwrap_or(1) > 0;
        self.bell.get_up(waited.first().is_some_and(|bell| !bell.revents().is_empty()));
        ready
    }
}

/// Tells each of them.
pub(super) fn tell_each(round: Vec<Told>) {
    for (waiting, ended) in round {
        // Who gave the order may have gone.
        let _ = waiting.send(ended);
    }
}

fn lost_errors(error: &std::io::Error) -> Failure {
    Failure::new(FailureReason::Agent, &format!("this system does not give errors of the network to a socket: {error}"))
}

fn crowded() -> Failure {
    let message = format!(
        "more than {MAX_JOBS} pings and traces, or {MAX_CHANNELS} sockets, would run at once: measure less often, or from another agent"
    );
    Failure::new(FailureReason::Agent, &message)
}
