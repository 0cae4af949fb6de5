//! Replays a capture file: the same worker as live capture, with time taken from the packets.
//!
//! A file waits where live capture loses: for its pace, and for the queue of records.

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{Event, EventKind, Record, Severity, Timestamp, Untrusted};
use netwatch_telemetry::clock::Reading;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::meter::{Counters, Meter};
use super::outlet::Outlet;
use super::signal::Signal;
use super::{CaptureError, Core};
use crate::file::pace::Pacer;
use crate::file::{FileError, FileSource, FrameSink, Progress};
use crate::frame::{Frame, InterfaceIndex};
use crate::ring::RingStatistics;
use crate::source::FileReplay;
use crate::worker::shared::Shared;
use crate::worker::{TICK, Worker};

/// Records that are kept back before they are handed over, so that the queue holds few large batches.
const BATCH: usize = 4096;
/// The longest wait for a frame before the shutdown is looked at again; it wakes the wait too.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Replays a file to its end, or until `shutdown` is raised.
pub(super) fn run(replay: &FileReplay, core: &Core, outlet: &Outlet, shutdown: &Signal) -> Result<(), CaptureError> {
    let mut source = open(replay).map_err(CaptureError::File)?;
    let shared = Arc::new(Shared::new(Arc::clone(&core.apps)));
    let worker = Worker::new(0, 1, core.flow.clone(), shared, core.seed);
    let mut player = Player { worker, name: source.name(), out: Vec::new(), points: Vec::new(), said: None };
    let mut pacer = Pacer::new(replay.speed);
    let damage = loop {
        let elapsed = core.clock.monotonic();
        match source.next_batch(pacer.horizon(elapsed), &mut player) {
            Ok(Progress::Frames) if shutdown.is_raised() => break None,
            Ok(Progress::Frames) => {}
            Ok(Progress::Waiting(time)) => {
                if player.said.is_some() {
                    player.say_numbers();
                }
                outlet.put(&mut player.out);
                if wait(shutdown, pacer.wait(time, elapsed)) {
                    break None;
                }
            }
            Ok(Progress::End) => break None,
            Err(error) => break Some(error),
        }
        if player.out.len() >= BATCH {
            outlet.put(&mut player.out);
        }
    };
    player.finish(damage.as_ref());
    outlet.put(&mut player.out);
    damage.map_or(Ok(()), |error| Err(CaptureError::File(error)))
}

fn open(replay: &FileReplay) -> Result<FileSource, FileError> {
    let Some(opened) = &replay.opened else { return FileSource::open(&replay.path, replay.options.clone()) };
    let failed = |source| FileError::Open { file: replay.path.clone(), source };
    let file = opened.try_clone().map_err(failed)?;
    FileSource::from_reader(&replay.path, Box::new(file), replay.options.clone())
}

/// Feeds the worker and counts.
struct Player {
    worker: Worker,
    name: Untrusted,
    out: Vec<Record>,
    points: Vec<(Counters, Meter)>,
    /// Packet time of the last numbers.
    said: Option<Timestamp>,
}

impl FrameSink for Player {
    fn point(&mut self, interface: InterfaceIndex, name: &Untrusted) {
        self.worker.interface(interface, name);
        self.points.push((Counters::default(), Meter::new(name)));
    }

    fn frames(&mut self, frames: &[Frame<'_>]) {
        for frame in frames {
            if let Some((counters, _)) = self.points.get(usize::from(frame.interface.0)) {
                counters.add(RingStatistics { received: 1, ..RingStatistics::default() });
            }
        }
        self.worker.replay(frames, &mut self.out);
        let now = self.worker.newest();
        match self.said {
            None => {
                let (kind, severity) = (EventKind::CaptureStarted, Severity::Info);
                self.event(now, kind, severity, "is being read");
                self.said = Some(now);
            }
            Some(said) if now.since(said) >= TICK => self.say_numbers(),
            Some(_) => {}
        }
    }
}

impl Player {
    /// The numbers at the time of the newest packet.
    fn say_numbers(&mut self) {
        let wall = self.worker.newest();
        self.said = Some(wall);
        let nanos = u64::try_from(wall.nanos()).unwrap_or(0);
        let now = Reading { wall, monotonic: Duration::from_nanos(nanos) };
        for (counters, meter) in &mut self.points {
            meter.tick(now, counters, true, &mut self.out);
        }
    }

    fn finish(&mut self, damage: Option<&FileError>) {
        self.say_numbers();
        self.worker.finish(&mut self.out);
        let now = self.worker.newest();
        if let Some(error) = damage {
            self.event(now, EventKind::FileDamaged, Severity::Warning, &error.to_string());
        }
        self.event(now, EventKind::CaptureStopped, Severity::Info, "was read to its end");
    }

    fn event(&mut self, time: Timestamp, kind: EventKind, severity: Severity, text: &str) {
        let text = Untrusted::message(&format!("{}: {text}", self.name));
        self.out.push(Record::Event(Event { time, kind, severity, subject: self.name.clone(), text }));
    }
}

/// Waits, and tells whether `shutdown` is raised.
fn wait(shutdown: &Signal, time: Duration) -> bool {
    let time = time.min(LONGEST_WAIT);
    let timeout = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: i64::from(time.subsec_nanos()) };
    let mut waits = [PollFd::new(shutdown, PollFlags::IN)];
    poll(&mut waits, Some(&timeout)).is_ok_and(|ready| ready > 0)
}
