//! The supervisor of live capture: follows the interfaces, opens rings and hands them to the readers, says what happened.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use netwatch_model::{Event, EventKind, Label, Metric, Record, Sample, Series, Severity, Untrusted, Value};
use netwatch_telemetry::clock::Reading;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::meter::{Counters, Meter};
use super::outlet::Outlet;
use super::reader::{COMMANDS, Command, Reader};
use super::signal::Signal;
use super::{CaptureError, Core, OpenSocket, named};
use crate::bpf::BpfError;
use crate::frame::InterfaceIndex;
use crate::interface::link::Link;
use crate::interface::monitor::Monitor;
use crate::interface::{Action, Lifecycle, Refusal};
use crate::ring::{Fanout, Ring, RingError, RingTarget};
use crate::source::LiveSource;
use crate::worker::shared::Shared;
use crate::worker::{TICK, Worker};

/// Captures until `shutdown` is raised.
pub(super) fn run(
    source: LiveSource,
    core: &Core,
    sockets: &dyn OpenSocket,
    outlet: &Outlet,
    shutdown: &Signal,
) -> Result<(), CaptureError> {
    let counters: Vec<Counters> = source.interfaces.iter().map(|_| Counters::default()).collect();
    let stop = Signal::new().map_err(|source| CaptureError::Start { what: "stop signal", source })?;
    std::thread::scope(|scope| {
        let hands = Hands::start(scope, core, &counters, outlet, &stop)?;
        let mut supervisor = Supervisor::new(source, core, sockets, outlet, &counters);
        let monitor = Monitor::open().map_err(CaptureError::Monitor);
        let result = monitor.and_then(|monitor| supervisor.run(monitor, &hands, shutdown));
        // Also after an error: the readers end, and say what they have.
        stop.raise();
        let joined = hands.join();
        supervisor.finish();
        joined.and(result)
    })
}

/// The readers, as the supervisor sees them.
struct Hands<'scope> {
    readers: Vec<(SyncSender<Command>, Signal)>,
    threads: Vec<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope> Hands<'scope> {
    fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        core: &Core,
        counters: &'env [Counters],
        outlet: &Outlet,
        stop: &Signal,
    ) -> Result<Self, CaptureError> {
        let shared = Arc::new(Shared::new(Arc::clone(&core.apps)).with_processes(core.processes.clone()));
        let mut hands = Self { readers: Vec::new(), threads: Vec::new() };
        for number in (0..=u8::MAX).take(core.workers) {
            let started = hands.start_one(scope, core, &shared, counters, outlet, stop, number);
            if let Err(source) = started {
                stop.raise();
                return Err(CaptureError::Start { what: "worker threads", source });
            }
        }
        Ok(hands)
    }

    #[expect(clippy::too_many_arguments, reason = "what a reader is made of")]
    fn start_one<'env>(
        &mut self,
        scope: &'scope Scope<'scope, 'env>,
        core: &Core,
        shared: &Arc<Shared>,
        counters: &'env [Counters],
        outlet: &Outlet,
        stop: &Signal,
        number: u8,
    ) -> io::Result<()> {
        let (sender, commands) = sync_channel(COMMANDS);
        let wake = Signal::new()?;
        let reader = Reader {
            worker: Worker::new(number, core.workers, core.flow.clone(), Arc::clone(shared), core.seed),
            commands,
            wake: wake.clone(),
            shutdown: stop.clone(),
            counters,
            outlet: outlet.clone(),
            clock: Arc::clone(&core.clock),
            rings: Vec::new(),
        };
        self.threads.push(named(&format!("capture-{number}")).spawn_scoped(scope, || reader.run())?);
        self.readers.push((sender, wake));
        Ok(())
    }

    /// Tells every reader something of its own.
    fn tell(&self, commands: impl IntoIterator<Item = Command>) {
        for ((sender, wake), command) in self.readers.iter().zip(commands) {
            // A reader that is gone has a defect, which `join` reports.
            let _ = sender.send(command);
            wake.raise();
        }
    }

    fn join(self) -> Result<(), CaptureError> {
        drop(self.readers);
        let results: Vec<_> = self.threads.into_iter().map(ScopedJoinHandle::join).collect();
        results.into_iter().collect::<Result<(), _>>().map_err(|_| CaptureError::Defect)
    }
}

/// Follows the interfaces.
struct Supervisor<'r> {
    source: LiveSource,
    core: &'r Core,
    sockets: &'r dyn OpenSocket,
    outlet: &'r Outlet,
    counters: &'r [Counters],
    meters: Vec<Meter>,
    life: Lifecycle,
    lost_records: (Arc<Series>, u64),
    out: Vec<Record>,
}

impl<'r> Supervisor<'r> {
    fn new(
        source: LiveSource,
        core: &'r Core,
        sockets: &'r dyn OpenSocket,
        outlet: &'r Outlet,
        counters: &'r [Counters],
    ) -> Self {
        let meters = source.interfaces.iter().map(Meter::new).collect();
        let life = Lifecycle::new(&source.interfaces);
        let labels = vec![Label::Reason("capture queue full".into())];
        let lost_records = (Arc::new(Series { metric: Metric::RecordsDropped, labels }), 0);
        Self { source, core, sockets, outlet, counters, meters, life, lost_records, out: Vec::new() }
    }

    fn run(&mut self, mut monitor: Monitor, hands: &Hands<'_>, shutdown: &Signal) -> Result<(), CaptureError> {
        let mut next_tick = self.core.clock.monotonic() + TICK;
        loop {
            while let Some(news) = monitor.read().map_err(CaptureError::Monitor)? {
                let actions = self.life.news(self.core.clock.reading(), news);
                self.act(actions, hands);
            }
            let now = self.core.clock.reading();
            if now.monotonic >= next_tick {
                next_tick = now.monotonic + TICK;
                self.say_numbers(now);
                self.look_for_lost_rings(now, hands);
            }
            let actions = self.life.tick(now);
            self.act(actions, hands);
            self.outlet.offer(&mut self.out);
            let until = self.life.next_deadline().map_or(next_tick, |deadline| deadline.min(next_tick));
            if wait(&monitor, shutdown, until.saturating_sub(self.core.clock.monotonic()))? {
                return Ok(());
            }
        }
    }

    /// The last numbers, when the readers have ended.
    fn finish(&mut self) {
        let now = self.core.clock.reading();
        self.say_numbers(now);
        for name in &self.source.interfaces {
            let text = Untrusted::new(&format!("{name}: is not captured any more"));
            let (kind, severity) = (EventKind::CaptureStopped, Severity::Info);
            self.out.push(Record::Event(Event { time: now.wall, kind, severity, subject: name.clone(), text }));
        }
        self.outlet.put(&mut self.out);
    }

    fn act(&mut self, actions: Vec<Action>, hands: &Hands<'_>) {
        for action in actions {
            match action {
                Action::Emit(event) => self.out.push(Record::Event(event)),
                Action::Close(interface) => hands.tell(hands.readers.iter().map(|_| Command::Close(interface))),
                Action::Open { interface, link } => {
                    let opened = self.open(interface, &link);
                    let now = self.core.clock.reading();
                    let next = match opened {
                        Ok(commands) => {
                            hands.tell(commands);
                            self.life.opened(now, interface)
                        }
                        Err(error) => self.life.refused(now, interface, error.refusal(), &error.text()),
                    };
                    // Neither of them opens again at once, so this goes no deeper.
                    self.act(next, hands);
                }
            }
        }
    }

    /// Opens a ring for each reader.
    fn open(&mut self, interface: InterfaceIndex, link: &Link) -> Result<Vec<Command>, OpenError> {
        let Some(kind) = link.link else { return Ok(Vec::new()) };
        let target = RingTarget { ifindex: link.index, interface, link: kind, loopback: link.loopback };
        let mut settings = self.source.ring.clone();
        if let Some(filter) = &mut self.source.filter {
            settings.filter = Some(filter.program(kind, link.name.raw())?);
        }
        let name = self.source.interfaces.get(usize::from(interface.0)).unwrap_or(&link.name);
        let mut commands = Vec::with_capacity(self.core.workers);
        let mut fanout = if self.core.workers > 1 { Fanout::Begin } else { Fanout::Alone };
        for _ in 0..self.core.workers {
            let socket = self.sockets.open().map_err(RingError::OpenSocket)?;
            let ring = Ring::open(socket, target, fanout, &settings)?;
            if fanout == Fanout::Begin {
                fanout = Fanout::Join(ring.fanout_group()?);
            }
            commands.push(Command::Open(ring, name.clone()));
        }
        Ok(commands)
    }

    fn say_numbers(&mut self, now: Reading) {
        for (index, (meter, counters)) in (0..=u8::MAX).zip(self.meters.iter_mut().zip(self.counters)) {
            meter.tick(now, counters, self.life.is_capturing(InterfaceIndex(index)), &mut self.out);
        }
        let dropped = self.outlet.dropped();
        let (series, last) = &mut self.lost_records;
        if *last != dropped {
            *last = dropped;
            let value = Value::Integer(dropped);
            self.out.push(Record::Sample(Sample { series: Arc::clone(series), time: now.wall, value }));
        }
    }

    fn look_for_lost_rings(&mut self, now: Reading, hands: &Hands<'_>) {
        for (index, counters) in (0..=u8::MAX).zip(self.counters) {
            if counters.take_lost() {
                let actions = self.life.ring_lost(now, InterfaceIndex(index));
                self.act(actions, hands);
            }
        }
    }
}

/// Waits for netlink, and tells whether `shutdown` is raised.
fn wait(monitor: &Monitor, shutdown: &Signal, time: Duration) -> Result<bool, CaptureError> {
    let mut waits = [PollFd::new(monitor, PollFlags::IN), PollFd::new(shutdown, PollFlags::IN)];
    let timeout = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: i64::from(time.subsec_nanos()) };
    match poll(&mut waits, Some(&timeout)) {
        Ok(_) => Ok(waits[1].revents().contains(PollFlags::IN)),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(CaptureError::Wait(error.into())),
    }
}

/// Why the rings of an interface could not be opened.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Ring(#[from] RingError),
    #[error(transparent)]
    Filter(#[from] BpfError),
}

impl OpenError {
    fn refusal(&self) -> Refusal {
        match self {
            Self::Ring(RingError::OpenSocket(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                Refusal::Denied
            }
            _ => Refusal::Failed,
        }
    }

    /// What happened and why, in one line.
    fn text(&self) -> String {
        let (mut text, mut cause) = (self.to_string(), self.source());
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}
