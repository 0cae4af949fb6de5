//! One simulated agent: a key, a token, sessions, heartbeats, and results of its probes.
//!
//! When it connects, when its probes are due, how results become batches and which batch may go are decided by the parts of the real
//! agent ([`Course`], [`Schedule`], [`Batcher`], and the window behind [`Lines`]). Only what touches the host is replaced: results are made
//! up, and what waits lies in memory.

mod made;

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use netwatch_agent::link::course::{Course, End, Next};
use netwatch_agent::probing::Schedule;
use netwatch_agent::{Batcher, Config};
use netwatch_api::agent::v1::{self, from_agent, to_agent};
use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Assignment, BootId, Record, codec};
use netwatch_telemetry::clock::{monotonic, now as wall};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};

use self::made::Chance;
pub(super) use self::made::NUMBERS;
use super::fleet::{Open, Told};
use super::lines::Lines;
use super::server::AGENTS;
use super::tls::{self, Client};

/// Messages that may wait to be taken by the connection.
const QUEUE: usize = 4;
/// How long the server may take to welcome an agent.
const WELCOME: Duration = Duration::from_secs(30);
/// Heartbeats without any word of the server after which it is gone.
const SILENT_BEATS: u32 = 3;
/// The longest that is waited without looking around.
const LOOK: Duration = Duration::from_secs(1);
/// A batch of what came within this time, and its records at most: as `netwatch agent` has it.
const BATCH: Duration = Duration::from_millis(500);
const RECORDS: usize = 2000;

/// An agent that was enrolled.
pub(super) struct Agent {
    number: u32,
    id: AgentId,
    tls: Arc<rustls::ClientConfig>,
    told: Arc<Told>,
    chance: Chance,
    course: Course,
    schedule: Schedule,
    batcher: Batcher,
    lines: Lines,
    revision: u64,
    is_live: bool,
}

/// An open session.
struct Talk {
    incoming: Streaming<v1::ToAgent>,
    every: Duration,
    beat_at: Duration,
    heard: Duration,
}

impl Agent {
    /// Enrols, and keeps sessions and sends results for good; gives why it cannot go on.
    pub(super) async fn live(number: u32, token: String, told: Arc<Told>) -> String {
        match Self::enrol(number, token, told).await {
            Ok(agent) => agent.go_on().await,
            Err(why) => format!("agent {number} cannot be enrolled: {why}"),
        }
    }

    async fn enrol(number: u32, token: String, told: Arc<Told>) -> Result<Self, String> {
        let tls = tls::config().map_err(|error| error.to_string())?;
        let connected = tls::connect(server(), source(number), Arc::clone(&tls)).await;
        let mut client = connected.map_err(|error| error.to_string())?;
        let request = v1::EnrolRequest { token, info: Some(made::info(number, source(number))) };
        let reply = client.enrol(request).await.map_err(|status| status.message().to_owned())?;
        let id = AgentId(reply.into_inner().agent);
        let chance = Chance::new(number);
        let config = Config { interval: BATCH, batch_records: RECORDS, ..Config::default() };
        Ok(Self {
            number,
            id,
            tls,
            told,
            chance,
            course: Course::default(),
            schedule: Schedule::new(number.into()),
            batcher: Batcher::new(config, id, BootId(number.into()), monotonic()),
            lines: Lines::new(number.into()),
            revision: 0,
            is_live: false,
        })
    }

    async fn go_on(mut self) -> String {
        loop {
            let connecting = tls::connect(server(), source(self.number), Arc::clone(&self.tls));
            let end = match self.meanwhile(connecting).await {
                Ok(client) => self.session(client).await,
                Err(_) => Ok(End::Unreachable),
            };
            self.is_live = false;
            self.told.fell_behind(self.lines.lost());
            let now = monotonic();
            match end.map(|end| self.course.ended(end, now, self.chance.share())) {
                Ok(Next::ConnectAt(at)) => self.meanwhile(sleep(at.saturating_sub(now))).await,
                Ok(Next::Stop) => return format!("agent {} was deleted", self.number),
                Err(why) => return format!("agent {} was sent away: {why}", self.number),
            }
        }
    }

    /// Waits for something, and measures while it does.
    async fn meanwhile<T>(&mut self, something: impl Future<Output = T>) -> T {
        let mut something = pin!(something);
        loop {
            self.measure();
            tokio::select! {
                done = &mut something => return done,
                () = sleep(self.wake_in(monotonic())) => {}
            }
        }
    }

    /// A session until its end; an error when waiting would not mend it.
    async fn session(&mut self, client: Client) -> Result<End, String> {
        let (out, messages) = mpsc::channel(QUEUE);
        let info = Some(made::info(self.number, source(self.number)));
        let (boot, revision) = (self.number.into(), self.revision);
        let hello = v1::Hello { info, boot, revision, ..v1::Hello::default() };
        // There is room: it is the first.
        let _ = out.try_send(message(from_agent::Message::Hello(hello)));
        let mut calls = client.clone();
        let begin = async move {
            let stream = futures_util::stream::unfold(messages, |mut messages: mpsc::Receiver<_>| async {
                messages.recv().await.map(|message| (message, messages))
            });
            let mut incoming = calls.session(stream).await?.into_inner();
            let first = incoming.message().await?;
            Ok::<_, Status>((incoming, first.and_then(|first| first.message)))
        };
        let (incoming, welcome) = match self.meanwhile(timeout(WELCOME, begin)).await {
            Ok(Ok((incoming, Some(to_agent::Message::Welcome(welcome))))) => (incoming, welcome),
            Ok(Err(status)) => return of_status(&status),
            Ok(Ok(_)) | Err(_) => return Ok(End::Lost),
        };
        let now = monotonic();
        self.course.live(now);
        self.lines.begin(self.chance.bits());
        self.is_live = true;
        let _open = Open::new(&self.told);
        ask_who_am_i(client);
        let every = Duration::from_secs(welcome.heartbeat_seconds.into());
        self.talk(Talk { incoming, every, beat_at: now, heard: now }, &out).await
    }

    async fn talk(&mut self, mut talk: Talk, out: &mpsc::Sender<v1::FromAgent>) -> Result<End, String> {
        loop {
            self.measure();
            let now = monotonic();
            if now.saturating_sub(talk.heard) > talk.every * SILENT_BEATS + LOOK {
                return Ok(End::Lost);
            }
            let has_more = now >= talk.beat_at || self.lines.has_next(now);
            let wait = self.wake_in(now).min(talk.beat_at.saturating_sub(now));
            tokio::select! {
                received = talk.incoming.message() => {
                    talk.heard = monotonic();
                    match received {
                        Ok(Some(received)) => self.take(received, &mut talk)?,
                        Ok(None) => return Ok(End::Lost),
                        Err(status) => return of_status(&status),
                    }
                }
                permit = out.reserve(), if has_more => match permit {
                    Ok(permit) => {
                        let next = if now >= talk.beat_at {
                            talk.beat_at = now + talk.every;
                            Some(from_agent::Message::Heartbeat(made::heartbeat(self.revision, self.lines.waiting())))
                        } else {
                            self.lines.next(monotonic()).map(from_agent::Message::Batch)
                        };
                        if let Some(next) = next {
                            permit.send(message(next));
                        }
                    }
                    Err(_) => return Ok(End::Lost),
                },
                () = sleep(wait), if !has_more => {}
            }
        }
    }

    /// A message of the server; an error when it sends the agent away for a reason that lasts.
    fn take(&mut self, received: v1::ToAgent, talk: &mut Talk) -> Result<(), String> {
        match received.message {
            Some(to_agent::Message::Ack(ack)) => {
                if let Some(acked) = self.lines.acked(ack, talk.heard) {
                    self.told.acked(acked);
                }
            }
            Some(to_agent::Message::Assignment(assignment)) => {
                let document = serde_json::from_slice::<Assignment>(&assignment.document);
                self.schedule.apply(&document.map_err(|error| error.to_string())?, talk.heard);
                self.revision = assignment.revision;
                // The server hears at once that it is applied.
                talk.beat_at = talk.heard;
            }
            Some(to_agent::Message::Goodbye(goodbye)) => match goodbye.reason() {
                // The stream ends after it.
                v1::Reason::Stopping => {}
                _ => return Err(goodbye.message),
            },
            _ => {}
        }
        Ok(())
    }

    /// Makes the results that are due, and closes the batch that is.
    fn measure(&mut self) {
        let now = monotonic();
        while let Some(due) = self.told.is_measuring().then(|| self.schedule.take(now)).flatten() {
            let scheduled = wall() - now.saturating_sub(due.planned);
            let result = made::result(self.id, &due, scheduled, self.told.next_result(), &mut self.chance);
            self.schedule.ended(&due, &result, now);
            self.collect(result, now);
        }
        if self.batcher.is_due(now) && !self.batcher.is_empty() {
            self.batcher.close(now, wall());
            let (lines, is_behind) = (&mut self.lines, !self.is_live);
            let mut results = 0;
            self.batcher.drain(|batch| {
                let count = batch.records.len() as u64;
                // A batch of a few small records is never too large.
                lines.put(codec::encode(&batch).unwrap_or_default(), count, is_behind);
                results += count;
                Ok(())
            });
            if is_behind {
                self.told.fell_behind(results);
            }
        }
    }

    /// Puts a result into the batch that is open. A real agent closes batches also when they are empty: its ticks go on.
    fn collect(&mut self, result: ProbeResult, now: Duration) {
        let late = now.saturating_sub(self.batcher.deadline());
        if self.batcher.is_empty() && now >= self.batcher.deadline() {
            let since = Duration::from_nanos((late.as_nanos() % BATCH.as_nanos()) as u64);
            self.batcher.close(now.saturating_sub(since), wall());
        }
        self.batcher.push(vec![Record::Probe(Box::new(result))]);
    }

    /// How long nothing is due.
    fn wake_in(&self, now: Duration) -> Duration {
        let probe = self.schedule.next().filter(|_| self.told.is_measuring());
        let batch = (!self.batcher.is_empty()).then(|| self.batcher.deadline());
        let next = [probe, batch].into_iter().flatten().min();
        next.map_or(LOOK, |at| at.saturating_sub(now)).min(LOOK)
    }
}

/// A real agent asks at the beginning of each session how the server sees it.
fn ask_who_am_i(mut client: Client) {
    tokio::spawn(async move {
        // Nothing here needs the answer; the server has had the work.
        let _ = timeout(WELCOME, client.who_am_i(v1::WhoAmIRequest {})).await;
    });
}

fn message(message: from_agent::Message) -> v1::FromAgent {
    v1::FromAgent { message: Some(message) }
}

fn of_status(status: &Status) -> Result<End, String> {
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied | Code::Aborted | Code::InvalidArgument => {
            Err(status.message().to_owned())
        }
        _ => Ok(End::Lost),
    }
}

fn server() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, AGENTS))
}

/// An address of its own, of 127.1.0.0/16 and above.
fn source(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + number)
}
