//! Batches of all agents into the ingest log, on one thread.
//!
//! The thread takes what waits, up to [`GROUP`] batches, writes all of it, commits once, and only then answers: hundreds of agents share
//! one sync of the disk, and an answer means that the batch outlives a power cut. Batches of one session keep their order.
//!
//! Limits: [`QUEUE`] batches wait; with more, sessions stop reading, and the flow control of HTTP/2 slows their agents. Batches have at
//! most 4 MiB, which the service has checked.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use bytes::Bytes;
use netwatch_model::codec::Decoder;
use netwatch_model::people::{Agent, WorkspaceId};
use netwatch_model::{Batch, BatchKey, BootId, Event, Record};
use netwatch_spool::Ticket;
use tokio::sync::{mpsc, oneshot};

use super::metrics::Refusal;
use super::records;
use crate::app::App;
use crate::ingest::{Ingest, Taken};

/// Batches that may wait: 1 GiB at the very most, some MiB in practice.
const QUEUE: usize = 256;
/// Batches of one commit.
const GROUP: usize = 256;

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is durable.
    Durable,
    /// It can never be taken.
    Bad(String),
    /// It may come again.
    Later(String),
}

/// A batch as it came.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) agent: Arc<Agent>,
    /// A line of batches of the agent.
    pub(super) run: u64,
    /// Its number in the line.
    pub(super) sequence: u64,
    pub(super) records: Bytes,
    pub(super) answer: oneshot::Sender<Verdict>,
}

/// The thread that takes batches in.
struct Intake {
    app: App,
    ingest: Arc<Ingest>,
    decoder: Decoder,
}

/// A batch between writing and commit.
struct Written {
    job: Job,
    parts: Vec<(WorkspaceId, Live)>,
    count: u64,
}

/// What is shown live when it is durable.
#[derive(Default)]
struct Live {
    results: Vec<Record>,
    events: Vec<Event>,
}

/// Starts the thread. It ends when the last sender is gone.
pub(super) fn start(app: App, ingest: Arc<Ingest>) -> std::io::Result<(mpsc::Sender<Job>, JoinHandle<()>)> {
    let (jobs, queue) = mpsc::channel(QUEUE);
    let intake = Intake { app, ingest, decoder: Decoder::default() };
    let thread = Builder::new().name("nw-agents".to_owned()).spawn(move || intake.run(queue))?;
    Ok((jobs, thread))
}

impl Intake {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(first) = queue.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(job) = queue.try_recv()
            {
                group.push(job);
            }
            self.take(group);
        }
    }

    fn take(&mut self, group: Vec<Job>) {
        let (mut written, mut newest) = (Vec::with_capacity(group.len()), None);
        for job in group {
            match self.write(&job, &mut newest) {
                Ok((parts, count)) => written.push(Written { job, parts, count }),
                Err(verdict) => answer(job, verdict),
            }
        }
        let committed = match newest {
            None => Ok(()),
            Some(ticket) => {
                self.app.agents().metrics.commits.inc();
                self.ingest.commit(ticket).map(drop)
            }
        };
        let failed = committed.err().map(|error| format!("the disk of the server failed: {error}"));
        if failed.is_some() || newest.is_some() {
            self.app.agents().set_trouble(failed.clone());
        }
        for Written { job, parts, count } in written {
            match &failed {
                Some(why) => answer(job, Verdict::Later(why.clone())),
                None => self.finish(job, parts, count),
            }
        }
    }

    /// Writes a batch, each part under the workspace that it belongs to.
    fn write(&mut self, job: &Job, newest: &mut Option<Ticket>) -> Result<(Vec<(WorkspaceId, Live)>, u64), Verdict> {
        let metrics = &self.app.agents().metrics;
        let bad = |why: &dyn std::fmt::Display| {
            metrics.refused(Refusal::Batch, 1);
            Verdict::Bad(format!("batch {} of run {:016x} cannot be taken: {why}", job.sequence, job.run))
        };
        if job.sequence == 0 {
            return Err(bad(&"batches are numbered from 1"));
        }
        let decoded = self.decoder.decode(&job.records).map_err(|error| bad(&error))?;
        let sorted = records::sort(decoded.batch.records, &job.agent, &self.app.agents().plan());
        metrics.refused(Refusal::Foreign, sorted.foreign);
        metrics.refused(Refusal::Unwanted, sorted.unwanted + decoded.skipped + decoded.lost);
        let (mut parts, mut count) = (Vec::new(), 0);
        for (workspace, mut records) in sorted.taken {
            let board = self.app.board_of(workspace);
            let traces = records.iter().filter_map(crate::probes::result_of);
            let changes: Vec<Record> = traces.filter_map(|t| board.watch_route(t)).map(Record::Event).collect();
            records.extend(changes);
            let live = Live::of(&records);
            let (place, size) = (crate::history::place(&self.app, workspace), records.len() as u64);
            let batch = Batch { key: key(job, workspace), records };
            match self.ingest.take(place, batch) {
                Ok(Taken::Written(ticket)) => {
                    *newest = Some(ticket);
                    count += size;
                    parts.push((workspace, live));
                }
                Ok(Taken::Repeated | Taken::Empty) => {}
                Err(error) => {
                    metrics.refused(Refusal::Log, 1);
                    self.app.agents().set_trouble(Some(error.to_string()));
                    return Err(Verdict::Later(error.to_string()));
                }
            }
        }
        Ok((parts, count))
    }

    /// What is durable is shown.
    fn finish(&self, job: Job, parts: Vec<(WorkspaceId, Live)>, count: u64) {
        let metrics = &self.app.agents().metrics;
        metrics.batches.inc();
        metrics.records.inc_by(count);
        metrics.bytes.inc_by(job.records.len() as u64);
        for (workspace, live) in parts {
            for result in live.results.iter().filter_map(crate::probes::result_of) {
                self.app.board_of(workspace).note(result);
            }
            if !live.events.is_empty() {
                self.app.show_events(workspace, live.events);
            }
        }
        answer(job, Verdict::Durable);
    }
}

impl Live {
    fn of(records: &[Record]) -> Self {
        let mut live = Self::default();
        for record in records {
            match record {
                Record::Probe(_) => live.results.push(record.clone()),
                Record::Event(event) => live.events.push(event.clone()),
                Record::Sample(_) | Record::Flow(_) => {}
            }
        }
        live
    }
}

/// The key of a part: that of the batch for the agent's own workspace, and of a line of its own for each other one.
fn key(job: &Job, workspace: WorkspaceId) -> BatchKey {
    let boot = if workspace == job.agent.workspace {
        job.run
    } else {
        let bits = workspace.bits();
        job.run ^ (bits as u64) ^ ((bits >> 64) as u64) ^ 1
    };
    BatchKey { agent: job.agent.id, boot: BootId(boot), sequence: job.sequence }
}

fn answer(job: Job, verdict: Verdict) {
    // A session that ended needs no answer: the batch comes again.
    let _gone = job.answer.send(verdict);
}
