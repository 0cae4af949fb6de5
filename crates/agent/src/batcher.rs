//! The pure core: records in, numbered batches out, losses counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Event, EventKind, Label, Metric, Record, Sample, Series, Severity, Timestamp,
    Untrusted, Value,
};

/// The label of the sample that counts what the agent itself had to drop.
pub const DROP_REASON: &str = "server queue full";

/// How much is collected, and how much may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// A batch is closed after this time.
    pub interval: Duration,
    /// A batch is closed when it has this many records.
    pub batch_records: usize,
    /// Batches that may wait while the uplink refuses.
    pub backlog_batches: usize,
    /// Hand-overs of collectors that may wait to be taken.
    pub intake_messages: usize,
    /// What happens when the backlog is full.
    pub overflow: Overflow,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(250),
            batch_records: 20_000,
            backlog_batches: 8,
            intake_messages: 64,
            overflow: Overflow::DropOldest,
        }
    }
}

/// What happens when no more batches may wait.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Overflow {
    /// The oldest batch is dropped and its records counted: collectors of live data never wait.
    DropOldest,
    /// Nothing more is taken from the collectors, which wait: for capture files.
    Wait,
}

/// Makes batches.
#[derive(Debug)]
pub struct Batcher {
    config: Config,
    agent: AgentId,
    boot: BootId,
    sequence: u64,
    open: Vec<Record>,
    opened: Duration,
    backlog: VecDeque<Batch>,
    dropped: u64,
    /// What the newest `RecordsDropped` sample said.
    told: u64,
    /// Whether records were dropped since the backlog was last empty: the event was already made.
    losing: bool,
    /// The event of a loss, until the uplink takes something: in a waiting batch it could be dropped itself.
    unsaid: Option<Event>,
    series: Arc<Series>,
}

impl Batcher {
    /// The batcher of one run; `now` is monotonic.
    #[must_use]
    pub fn new(config: Config, agent: AgentId, boot: BootId, now: Duration) -> Self {
        let labels = vec![Label::Reason(DROP_REASON.into())];
        let series = Arc::new(Series { metric: Metric::RecordsDropped, labels });
        let (open, backlog) = (Vec::new(), VecDeque::new());
        Self {
            config,
            agent,
            boot,
            sequence: 0,
            open,
            opened: now,
            backlog,
            dropped: 0,
            told: 0,
            losing: false,
            unsaid: None,
            series,
        }
    }

    /// Takes records in the order in which they were made.
    pub fn push(&mut self, mut records: Vec<Record>) {
        if self.open.is_empty() {
            self.open = records;
        } else {
            self.open.append(&mut records);
        }
    }

    /// Counts records that were lost before they came here.
    pub fn lost(&mut self, records: u64, wall: Timestamp) {
        if records == 0 {
            return;
        }
        self.dropped = self.dropped.saturating_add(records);
        if !std::mem::replace(&mut self.losing, true) {
            self.unsaid = Some(loss_began(wall));
        }
    }

    /// Whether the open batch is to be closed.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.open.len() >= self.config.batch_records || now >= self.deadline()
    }

    /// When the open batch is to be closed at the latest, monotonic.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.opened + self.config.interval
    }

    /// Whether nothing more may be taken in for now ([`Overflow::Wait`] only).
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.config.overflow == Overflow::Wait && self.backlog.len() >= self.config.backlog_batches
    }

    /// Whether everything was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.backlog.is_empty() && self.unsaid.is_none()
    }

    /// Records dropped since the start of the run.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Closes the open batch. Without records there is no batch. More than [`Config::batch_records`] records make several.
    pub fn close(&mut self, now: Duration, wall: Timestamp) {
        self.opened = now;
        if self.dropped != self.told {
            self.told = self.dropped;
            let value = Value::Integer(self.dropped);
            self.open.push(Record::Sample(Sample { series: Arc::clone(&self.series), time: wall, value }));
        }
        let mut records = std::mem::take(&mut self.open);
        while !records.is_empty() {
            let rest = records.split_off(records.len().min(self.config.batch_records.max(1)));
            self.sequence += 1;
            let key = BatchKey { agent: self.agent, boot: self.boot, sequence: self.sequence };
            self.backlog.push_back(Batch { key, records });
            records = rest;
        }
        self.make_room(wall);
    }

    /// Gives waiting batches to `send`, oldest first, until it refuses one.
    pub fn drain(&mut self, mut send: impl FnMut(Batch) -> Result<(), Batch>) {
        while let Some(batch) = self.backlog.pop_front() {
            if let Err(refused) = send(batch) {
                self.backlog.push_front(refused);
                return;
            }
            self.open.extend(self.unsaid.take().map(Record::Event));
        }
        self.losing = false;
    }

    fn make_room(&mut self, wall: Timestamp) {
        if self.config.overflow == Overflow::Wait {
            return;
        }
        let mut lost = 0;
        while self.backlog.len() > self.config.backlog_batches.max(1) {
            lost += self.backlog.pop_front().map_or(0, |batch| batch.records.len() as u64);
        }
        self.lost(lost, wall);
    }
}

fn loss_began(time: Timestamp) -> Event {
    let text = "records are being dropped because the server does not take them in time: charts and flows are incomplete \
                until it does";
    Event {
        time,
        kind: EventKind::RecordsDropped,
        severity: Severity::Warning,
        subject: Untrusted::new("agent"),
        text: Untrusted::new(text),
    }
}

#[cfg(test)]
mod tests;
