//! The thread around the [`Batcher`].
//!
//! It owns the batcher and the uplink. It waits on the intake until the next deadline; it is woken by records, by time, or by all
//! collectors being gone. It ends when the shutdown flag is set or no collector is left, after the last batches were sent or
//! [`LAST_WORDS`] have passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use netwatch_model::{AgentId, BootId, Record};
use netwatch_telemetry::clock::ClockSource;

use crate::{Batcher, Config, Intake, Uplink};

/// How long the end waits for a server that does not take the last batches.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often a refused batch is offered again.
const RETRY: Duration = Duration::from_millis(10);

/// Why an agent could not be made or started.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No random number for the id of the run.
    #[error("no random number for the agent's run: the system's random source failed")]
    Random(#[source] getrandom::Error),
    /// No thread.
    #[error("cannot start the agent's thread: raise the limit of processes (ulimit -u)")]
    Thread(#[source] std::io::Error),
}

/// An agent that is ready to run.
#[derive(Debug)]
pub struct Agent<U, C> {
    batcher: Batcher,
    uplink: U,
    clock: C,
    receiver: Receiver<Vec<Record>>,
    lost: Arc<AtomicU64>,
}

impl<U: Uplink, C: ClockSource> Agent<U, C> {
    /// An agent and the end that collectors hold. Nothing runs yet.
    ///
    /// # Errors
    /// When the system gives no random number.
    pub fn build(config: Config, agent: AgentId, uplink: U, clock: C) -> Result<(Self, Intake), BuildError> {
        let boot = BootId(getrandom::u64().map_err(BuildError::Random)?);
        let (sender, receiver) = sync_channel(config.intake_messages);
        let lost = Arc::new(AtomicU64::new(0));
        let batcher = Batcher::new(config, agent, boot, clock.monotonic());
        Ok((Self { batcher, uplink, clock, receiver, lost: Arc::clone(&lost) }, Intake { sender, lost }))
    }

    /// Runs on a thread of its own.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn spawn(self, shutdown: Arc<AtomicBool>) -> Result<JoinHandle<()>, BuildError>
    where
        U: 'static,
        C: 'static,
    {
        let body = move || self.run(&shutdown);
        Builder::new().name("nw-agent".to_owned()).spawn(body).map_err(BuildError::Thread)
    }

    /// Runs until `shutdown` is set or all collectors are gone, and sends what is left.
    pub fn run(mut self, shutdown: &AtomicBool) {
        while !shutdown.load(Ordering::Relaxed) && self.turn() {}
        self.receiver.try_iter().collect::<Vec<_>>().into_iter().for_each(|records| self.batcher.push(records));
        self.close();
        let deadline = self.clock.monotonic() + LAST_WORDS;
        self.send();
        while !self.batcher.is_empty() && self.clock.monotonic() < deadline {
            std::thread::sleep(RETRY);
            self.close();
            self.send();
        }
        if !self.batcher.is_empty() {
            tracing::warn!("the server did not take the last records");
        }
    }

    /// Waits for records or time, whichever comes first; false when no collector is left.
    fn turn(&mut self) -> bool {
        let now = self.clock.monotonic();
        let wait = self.batcher.deadline().saturating_sub(now);
        if self.batcher.is_full() {
            std::thread::sleep(wait.min(RETRY));
        } else {
            match self.receiver.recv_timeout(wait) {
                Ok(records) => self.batcher.push(records),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        if self.batcher.is_full() {
            self.send();
        } else if self.batcher.is_due(self.clock.monotonic()) {
            self.close();
            self.send();
        }
        true
    }

    fn close(&mut self) {
        let wall = self.clock.now();
        self.batcher.lost(self.lost.swap(0, Ordering::Relaxed), wall);
        self.batcher.close(self.clock.monotonic(), wall);
    }

    fn send(&mut self) {
        let uplink = &self.uplink;
        self.batcher.drain(|batch| uplink.try_send(batch));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use netwatch_model::{Batch, Event, EventKind, Metric, Severity, Timestamp};
    use netwatch_telemetry::clock::ManualClock;

    use super::*;
    use crate::{Overflow, Refused};

    fn still() -> ManualClock {
        ManualClock::at(Timestamp::ZERO)
    }

    /// Refuses the first batches, then takes all.
    struct Server {
        taken: Arc<Mutex<Vec<Batch>>>,
        refusals: AtomicU64,
    }
    impl Uplink for Server {
        fn try_send(&self, batch: Batch) -> Result<(), Batch> {
            if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                return Err(batch);
            }
            self.taken.lock().unwrap().push(batch);
            Ok(())
        }
    }

    fn event(text: &str) -> Record {
        let (subject, text) = ("x".into(), text.into());
        Record::Event(Event {
            time: Timestamp::ZERO,
            kind: EventKind::InterfaceUp,
            severity: Severity::Info,
            subject,
            text,
        })
    }

    #[test]
    fn everything_given_arrives_once_the_collectors_are_gone() {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let server = Server { taken: Arc::clone(&taken), refusals: AtomicU64::new(3) };
        let config = Config { overflow: Overflow::Wait, intake_messages: 1, batch_records: 2, ..Config::default() };
        let (agent, intake) = Agent::build(config, AgentId(1), server, still()).unwrap();
        let thread = agent.spawn(Arc::default()).unwrap();
        for n in 0..100 {
            intake.give_when_possible(vec![event(&n.to_string())]).unwrap();
        }
        drop(intake);
        thread.join().unwrap();
        let batches = taken.lock().unwrap();
        let texts: Vec<String> = batches
            .iter()
            .flat_map(|b| &b.records)
            .map(|r| if let Record::Event(e) = r { e.text.to_string() } else { "sample".to_owned() })
            .collect();
        assert_eq!(texts, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_intake_counts_and_never_waits() {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let server = Server { taken: Arc::clone(&taken), refusals: AtomicU64::new(0) };
        let config = Config { intake_messages: 1, ..Config::default() };
        let (agent, intake) = Agent::build(config, AgentId(1), server, still()).unwrap();
        for _ in 0..3 {
            intake.give(vec![event("a"), event("b")]).unwrap();
        }
        let other = intake.clone();
        drop(intake);
        agent.run(&AtomicBool::new(true));
        assert_eq!(other.give(vec![event("late")]), Err(Refused));
        let records: Vec<Record> = taken.lock().unwrap().iter().flat_map(|b| b.records.clone()).collect();
        let dropped = records.iter().find_map(|r| match r {
            Record::Sample(s) if s.series.metric == Metric::RecordsDropped => Some(s.value.as_u64()),
            _ => None,
        });
        assert_eq!(dropped, Some(4));
        assert!(records.iter().any(|r| matches!(r, Record::Event(e) if e.kind == EventKind::RecordsDropped)));
    }
}
