//! One live session: messages in both directions until it ends.

use std::collections::VecDeque;
use std::time::Duration;

use netwatch_api::agent::protocol::Versions;
use netwatch_api::agent::v1::{self, from_agent, run_reply, to_agent};
use netwatch_model::assignment::NarrowedRun;
use netwatch_model::probe::kind::network::PublicAddress;
use netwatch_model::probe::{ProbeNetworks, ProbeSpec};
use netwatch_model::{Assignment, Event, EventKind, Record, Severity, Untrusted};
use netwatch_telemetry::clock::StepDetector;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::dial::Client;
use super::{Dependencies, MOST_RUNS, keep_assignment, remember_name, status};
use crate::link::clock::{Filter, Stamps};
use crate::link::course::{Course, End};
use crate::link::window::{Limits, Line, Sent, Window};
use crate::outbox::{Lanes, Lost, Ready, Step};
use crate::update::{FetchError, Release};

/// Messages that may wait to be taken by the connection.
pub(super) const QUEUE: usize = 4;
/// How long the server may take to welcome the agent.
const WELCOME: Duration = Duration::from_secs(30);
/// Heartbeats without any word of the server after which it is gone.
const SILENT_BEATS: u32 = 3;
/// The shortest and longest time between heartbeats that the server may ask for.
const BEATS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));
/// How often is asked how the server sees this host.
const WHO_AM_I: Duration = Duration::from_mins(10);
/// How long that may take.
const WHO_AM_I_PATIENCE: Duration = Duration::from_secs(30);
/// After so long everything in this process has heard of a new assignment.
const APPLIED: Duration = Duration::from_millis(20);
/// The longest that the loop waits without looking around.
const LOOK: Duration = Duration::from_secs(1);

type Incoming = tonic::Streaming<v1::ToAgent>;

/// Holds a session until it ends; how it ended, and what the server said.
pub(super) async fn hold(dependencies: &mut Dependencies, mut client: Client, course: &mut Course) -> (End, String) {
    let (to_server, outgoing) = mpsc::channel(QUEUE);
    let hello = v1::Hello {
        info: Some(dependencies.about.info().await),
        boot: dependencies.boot,
        revision: dependencies.assignments.borrow().revision,
        protocol: Versions::OURS.newest(),
        oldest_protocol: Versions::OURS.oldest(),
    };
    // There is room: it is the first.
    let _ = to_server.try_send(message(from_agent::Message::Hello(hello)));
    let stream = futures_util::stream::unfold(outgoing, |mut outgoing| async {
        outgoing.recv().await.map(|message| (message, outgoing))
    });
    let begin = async {
        let mut incoming = client.session(stream).await?.into_inner();
        let first = incoming.message().await?;
        Ok::<_, Status>((incoming, first.and_then(|first| first.message)))
    };
    let (incoming, welcome) = match tokio::time::timeout(WELCOME, begin).await {
        Ok(Ok((incoming, Some(to_agent::Message::Welcome(welcome))))) => (incoming, welcome),
        Ok(Ok((_, Some(to_agent::Message::Goodbye(goodbye))))) => return of_goodbye(&goodbye),
        Ok(Ok(_)) => return (End::Lost, "the server did not welcome the agent".to_owned()),
        Ok(Err(status)) => return of_status(&status),
        Err(_) => return (End::Lost, "the server did not welcome the agent in time".to_owned()),
    };
    // A server that chose a version which is none of ours was not asked for it.
    if let Err(mismatch) = Versions::OURS.with_server(Versions::said(welcome.protocol, welcome.protocol)) {
        return (End::Incompatible, mismatch.to_string());
    }
    let run = match getrandom::u64() {
        Ok(run) => run,
        Err(error) => return (End::Lost, format!("no random number for a session: {error}")),
    };
    let lanes = dependencies.outbox.begin(run.max(1));
    remember_name(dependencies, welcome.agent, &welcome.name, &welcome.workspace);
    course.live(dependencies.clock.monotonic());
    dependencies.updates.welcomed();
    tracing::info!(
        server = dependencies.dialer.server(),
        agent = welcome.name,
        workspace = welcome.workspace,
        "the session is live"
    );
    Talk::new(dependencies, client, lanes, &welcome).run(incoming, to_server).await
}

struct Talk<'a> {
    with: &'a mut Dependencies,
    client: Client,
    lanes: Lanes,
    window: Window,
    filter: Filter,
    steps: StepDetector,
    every: Duration,
    /// When the next heartbeat is due, and the next question how the server sees us.
    beat_at: Duration,
    who_at: Duration,
    /// When the server was last heard of.
    heard: Duration,
    /// Before all batches.
    waiting: VecDeque<v1::FromAgent>,
    ready: Option<(Ready, Line)>,
    tasks: JoinSet<Task>,
    runs: usize,
}

/// What came of a task beside the loop.
enum Task {
    Ran(v1::RunReply),
    Seen(Option<v1::WhoAmIReply>),
    Fetched(Release, Result<(), FetchError>),
}

impl<'a> Talk<'a> {
    fn new(with: &'a mut Dependencies, client: Client, lanes: Lanes, welcome: &v1::Welcome) -> Self {
        let now = with.clock.monotonic();
        let every = Duration::from_secs(u64::from(welcome.heartbeat_seconds)).clamp(BEATS.0, BEATS.1);
        Self {
            with,
            client,
            lanes,
            window: Window::new(Limits::default()),
            filter: Filter::default(),
            steps: StepDetector::default(),
            every,
            beat_at: now,
            who_at: now,
            heard: now,
            waiting: VecDeque::new(),
            ready: None,
            tasks: JoinSet::new(),
            runs: 0,
        }
    }

    async fn run(mut self, mut incoming: Incoming, to_server: mpsc::Sender<v1::FromAgent>) -> (End, String) {
        let outbox = self.with.outbox.clone();
        loop {
            self.with.beats.beat();
            self.look_around();
            self.fill();
            let now = self.with.clock.monotonic();
            if now.saturating_sub(self.heard) > self.every * SILENT_BEATS + LOOK {
                return (End::Lost, "the server says nothing any more".to_owned());
            }
            let wait = self.beat_at.saturating_sub(now).min(LOOK).min(self.with.tick);
            let has_more = !self.waiting.is_empty() || self.ready.is_some();
            tokio::select! {
                received = incoming.message() => match received {
                    Ok(Some(received)) => if let Some(ended) = self.take(received) { return ended },
                    Ok(None) => return (End::Lost, "the server closed the session".to_owned()),
                    Err(status) => return of_status(&status),
                },
                permit = to_server.reserve(), if has_more => match permit {
                    Ok(permit) => if let Some(next) = self.next() { permit.send(next) },
                    Err(_) => return (End::Lost, "the connection is closed".to_owned()),
                },
                Some(Ok(task)) = self.tasks.join_next() => if let Some(ended) = self.done(task) { return ended },
                () = outbox.written() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// What is due by time.
    fn look_around(&mut self) {
        let reading = self.with.clock.reading();
        let now = reading.monotonic;
        if self.steps.observe(reading).is_some() {
            self.filter.forget();
        }
        if now >= self.beat_at {
            self.beat_at = now + self.every;
            self.heartbeat();
        }
        if now >= self.who_at {
            self.who_at = now + WHO_AM_I;
            let mut client = self.client.clone();
            self.tasks.spawn(async move {
                let answer = tokio::time::timeout(WHO_AM_I_PATIENCE, client.who_am_i(v1::WhoAmIRequest {})).await;
                Task::Seen(answer.ok().and_then(Result::ok).map(tonic::Response::into_inner))
            });
        }
        if let Some((release, fetcher)) = self.with.updates.due(now) {
            let client = self.client.clone();
            self.tasks.spawn(async move { Task::Fetched(release.clone(), fetcher.fetch(client, release).await) });
        }
        if let Err(error) = self.with.outbox.checkpoint(now, false) {
            tracing::warn!(error = super::chain(&error), "what the server has could not be written down");
        }
    }

    fn heartbeat(&mut self) {
        self.with.outbox.tidy();
        let beat = v1::Heartbeat {
            time: self.with.clock.now().nanos(),
            revision: self.with.assignments.borrow().revision,
            collectors: self.with.collectors.status(),
            spool: Some(status::spool(self.with.outbox.waiting())),
            clock: self.filter.best().map(status::clock),
        };
        self.waiting.push_back(message(from_agent::Message::Heartbeat(beat)));
    }

    /// Looks for the next batch: what is new first.
    fn fill(&mut self) {
        let now = self.with.clock.monotonic();
        while self.ready.is_none() {
            let lanes = [(Line::Live, &mut self.lanes.live), (Line::CatchUp, &mut self.lanes.catch_up)];
            let may = |line: &Line| self.window.may_send(*line, now);
            let found =
                lanes.into_iter().filter(|(line, _)| may(line)).find_map(|(line, lane)| Some((lane.advance()?, line)));
            match found {
                None => return,
                Some((Step::Batch(ready), line)) => self.ready = Some((ready, line)),
                Some((Step::Lost(lost), _)) => self.tell_loss(lost),
            }
        }
    }

    /// The next message: what is not a batch goes first.
    fn next(&mut self) -> Option<v1::FromAgent> {
        if let Some(waiting) = self.waiting.pop_front() {
            return Some(waiting);
        }
        let (ready, line) = self.ready.take()?;
        let Ready { position, run, sequence, records, payload } = ready;
        let at = self.with.clock.monotonic();
        self.window.sent((run, sequence), Sent { position, records, bytes: payload.len() as u64, line, at });
        Some(message(from_agent::Message::Batch(v1::Batch { run, sequence, records: payload.into() })))
    }

    /// A message of the server; how the session ends when it does.
    fn take(&mut self, received: v1::ToAgent) -> Option<(End, String)> {
        let now = self.with.clock.monotonic();
        self.heard = now;
        match received.message? {
            to_agent::Message::Ack(ack) => {
                if let Some(sent) = self.window.acked((ack.run, ack.sequence), now) {
                    self.with.outbox.acked(sent.position, sent.records);
                }
            }
            to_agent::Message::Beat(v1::Beat { sent, received, replied }) => {
                let arrived = self.with.clock.now().nanos();
                self.filter.add(Stamps { sent, received, replied, arrived });
            }
            to_agent::Message::Assignment(assignment) => self.assign(&assignment),
            to_agent::Message::Run(run) => self.begin_run(&run),
            to_agent::Message::Goodbye(goodbye) => return Some(of_goodbye(&goodbye)),
            to_agent::Message::Update(update) => {
                self.with.updates.offered(&update, now, (self.with.chance)());
            }
            to_agent::Message::Welcome(_) => {}
        }
        None
    }

    fn assign(&mut self, message: &v1::Assignment) {
        match serde_json::from_slice::<Assignment>(&message.document) {
            Ok(document) => {
                let assignment = Assignment { revision: message.revision, ..document };
                keep_assignment(&self.with.home, &assignment);
                self.with.collectors.assigned(&assignment);
                self.with.assignments.send_replace(assignment.into());
                // The server hears soon that it is applied: then what listens for other agents has heard of it, too.
                self.beat_at = self.with.clock.monotonic() + APPLIED;
            }
            Err(error) => {
                let revision = message.revision;
                tracing::error!(%error, revision, "the assignment cannot be read, and the one before goes on: update this agent");
            }
        }
    }

    fn begin_run(&mut self, run: &v1::Run) {
        let request = run.request;
        let refuse = |why: &str| {
            let outcome = Some(run_reply::Outcome::Refused(why.to_owned()));
            message(from_agent::Message::Ran(v1::RunReply { request, outcome }))
        };
        if self.runs >= MOST_RUNS {
            return self.waiting.push_back(refuse("the agent runs as much as it may: try again in a minute"));
        }
        let Some(run) = read_run(run) else {
            return self
                .waiting
                .push_back(refuse("this version of the agent does not know that kind of probe: update it"));
        };
        self.runs += 1;
        let asking = self.with.asking.clone();
        self.tasks.spawn(async move {
            let result = asking.run(run).await.and_then(|result| serde_json::to_vec(&result).ok());
            let refused = || run_reply::Outcome::Refused("the agent runs as much as it may".to_owned());
            let outcome = result.map_or_else(refused, |result| run_reply::Outcome::Result(result.into()));
            Task::Ran(v1::RunReply { request, outcome: Some(outcome) })
        });
    }

    /// What came of a task; how the session ends when it does.
    fn done(&mut self, task: Task) -> Option<(End, String)> {
        match task {
            Task::Ran(reply) => {
                self.runs = self.runs.saturating_sub(1);
                self.waiting.push_back(message(from_agent::Message::Ran(reply)));
            }
            Task::Seen(None) => {}
            Task::Seen(Some(reply)) => {
                self.with.host.set_public(public(&reply));
            }
            Task::Fetched(release, outcome) => {
                let now = self.with.clock.monotonic();
                let version = self.with.updates.fetched(release, outcome, now)?;
                return Some((End::Updated(version), String::new()));
            }
        }
        None
    }

    /// Records that had to go are an event with their range of times.
    fn tell_loss(&self, lost: Lost) {
        let Lost { records, from, to, reason } = lost;
        let why = reason.as_str();
        let text = format!(
            "{records} records from {from} to {to} were lost on the disk of the agent ({why}): charts show a gap there"
        );
        tracing::warn!(records, %from, %to, why, "records were lost before the server had them");
        let event = Event {
            time: self.with.clock.now(),
            kind: EventKind::RecordsDropped,
            severity: Severity::Warning,
            subject: Untrusted::new("agent"),
            text: Untrusted::message(&text),
        };
        // The agent's thread has ended only when the process is ending.
        let _ = self.with.intake.give(vec![Record::Event(event)]);
    }
}

fn message(message: from_agent::Message) -> v1::FromAgent {
    v1::FromAgent { message: Some(message) }
}

/// What is to be run, and where; a server that does not know `narrowed` yet narrows nothing.
fn read_run(run: &v1::Run) -> Option<NarrowedRun> {
    if run.narrowed.is_empty() {
        let spec = serde_json::from_slice::<ProbeSpec>(&run.spec).ok()?;
        return Some(NarrowedRun { spec, to: ProbeNetworks::default() });
    }
    serde_json::from_slice(&run.narrowed).ok()
}

fn public(reply: &v1::WhoAmIReply) -> Option<PublicAddress> {
    let text = |text: &str| (!text.is_empty()).then(|| Untrusted::new(text));
    Some(PublicAddress {
        address: reply.address.parse().ok()?,
        name: text(&reply.name),
        country: text(&reply.country),
        asn: Some(reply.asn).filter(|asn| *asn != 0),
        organisation: text(&reply.organisation),
    })
}

fn of_goodbye(goodbye: &v1::Goodbye) -> (End, String) {
    let end = match goodbye.reason() {
        v1::Reason::Deleted => End::Deleted,
        v1::Reason::Disabled => End::Disabled,
        v1::Reason::Kicked => End::Kicked,
        v1::Reason::Replaced => End::Replaced,
        v1::Reason::Cloned => End::Cloned,
        v1::Reason::Stopping => End::Stopping,
        v1::Reason::Incompatible => End::Incompatible,
        v1::Reason::Unspecified => End::Lost,
    };
    (end, shown(&goodbye.message))
}

fn of_status(status: &Status) -> (End, String) {
    let end = match status.code() {
        Code::Unauthenticated => End::Deleted,
        Code::PermissionDenied => End::Disabled,
        Code::Aborted => End::Cloned,
        // Neither waits nor repeats mend what the server cannot read.
        Code::InvalidArgument | Code::Unimplemented => End::Incompatible,
        _ => End::Lost,
    };
    (end, shown(status.message()))
}

/// What the server says, for a terminal.
fn shown(text: &str) -> String {
    Untrusted::message(text).to_string()
}
