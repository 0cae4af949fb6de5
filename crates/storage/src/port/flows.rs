//! Lists: flow records, events and results of probes.

use std::sync::Arc;

use netwatch_model::filter::{Filter, Glob};
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{ProbeKind, ProbeResult};
use netwatch_model::{AgentId, Event, EventKind, FlowRecord, Severity};

use crate::partition::Span;

/// Where a list goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Time of the last row, in milliseconds.
    pub time: i64,
    /// First day of the file that it was in.
    pub day: i32,
    /// Its row there.
    pub row: i64,
    /// How often the file had been rewritten.
    pub generation: u32,
}

/// Flow records, the last ended first.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowQuery {
    /// Those that ended in this range.
    pub span: Span,
    /// Which; absent: all.
    pub filter: Option<Arc<Filter>>,
    /// Most records of the page.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

/// A page of flow records. A long conversation has several, one for each time that it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowPage {
    /// Who observed it, and what.
    pub flows: Vec<(AgentId, FlowRecord)>,
    /// For the next page; absent at the end.
    pub next: Option<Cursor>,
}

/// Events, the newest first.
#[derive(Clone, PartialEq, Debug)]
pub struct EventQuery {
    /// From when to when.
    pub span: Span,
    /// Of these kinds; empty: of all.
    pub kinds: Vec<EventKind>,
    /// At least so severe.
    pub severity: Option<Severity>,
    /// Whose subject fits.
    pub subject: Option<Glob>,
    /// Whose text contains this, in any case.
    pub text: Option<String>,
    /// Most events of the page.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

/// An event and who reported it.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// Who.
    pub agent: AgentId,
    /// What.
    pub event: Event,
}

/// A page of events.
#[derive(Clone, PartialEq, Debug)]
pub struct EventPage {
    /// Newest first.
    pub events: Vec<StoredEvent>,
    /// For the next page; absent at the end.
    pub next: Option<Cursor>,
}

/// Results of probes, the newest first.
#[derive(Clone, PartialEq, Debug)]
pub struct ResultQuery {
    /// Runs that began in this range.
    pub span: Span,
    /// Of this probe; absent: of all.
    pub probe: Option<ProbeId>,
    /// Of this agent; absent: of all.
    pub agent: Option<AgentId>,
    /// Of this kind; absent: of all. A probe has results of another kind where a trace was added.
    pub kind: Option<ProbeKind>,
    /// Those that failed only.
    pub failed: bool,
    /// Most results of the page.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

/// A page of results.
#[derive(Clone, PartialEq, Debug)]
pub struct ResultPage {
    /// Newest first.
    pub results: Vec<ProbeResult>,
    /// For the next page; absent at the end.
    pub next: Option<Cursor>,
}
