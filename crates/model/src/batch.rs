//! How records travel: from a collector to the server, in batches that can be repeated.

use crate::probe::ProbeResult;
use crate::{AgentId, BootId, Event, FlowRecord, Sample};

/// What a collector emits.
///
/// Facts join with their first collector.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// One number of one series at one time.
    Sample(Sample),
    /// What a conversation has carried so far.
    Flow(Box<FlowRecord>),
    /// Something happened.
    Event(Event),
    /// What one run of a probe gave.
    Probe(Box<ProbeResult>),
}

/// What identifies a batch: the same key never counts twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct BatchKey {
    /// The agent that made it.
    pub agent: AgentId,
    /// The run of the agent.
    pub boot: BootId,
    /// Grows by one with each batch of a run, from 1.
    pub sequence: u64,
}

/// Records that travel together.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// Identity.
    pub key: BatchKey,
    /// In the order in which they were made.
    pub records: Vec<Record>,
}
