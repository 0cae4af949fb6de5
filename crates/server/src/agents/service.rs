//! The calls of agents: enrolling, sessions, who am I, programs.
//!
//! Who calls is known by the key of the connection ([`Peer`]) before the first byte of a call; nothing in a message says it.
//!
//! Limits: a message has at most [`MAX_MESSAGE`] bytes, an address enrols at most so often as [`ENROLMENTS`] says, the first message of
//! a session comes within [`HELLO`].

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::poll_fn;
use netwatch_api::agent::protocol::{Mismatch, Versions};
use netwatch_api::agent::v1::agents_server::Agents as Calls;
use netwatch_api::agent::v1::{self, from_agent, to_agent};
use netwatch_model::people::{AgentInfo, Digest};
use netwatch_model::{Event, EventKind, Severity};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};

use super::enrol::{EnrolError, enrol, info_of};
use super::intake::Job;
use super::metrics::Refusal;
use super::registry::{Closed, Ending, Opened, Opening};
use super::session::{HEARTBEAT, Held, OUT, Out, Session, goodbye};
use super::whoami::{self, Names};
use super::{AgentKeyError, Linked, releases};
use crate::access::By;
use crate::app::App;
use crate::limits::{Rate, Table, network};

/// Largest message, bytes.
pub(super) const MAX_MESSAGE: usize = 4 << 20;
/// Largest message of a stranger, bytes.
pub(super) const MAX_ENROLMENT: usize = 64 << 10;
/// How long the first message of a session may take.
const HELLO: Duration = Duration::from_secs(10);
/// How often an address may enrol agents: a rollout behind one address goes on at the lasting rate.
const ENROLMENTS: Rate = Rate { per_second: NonZeroU32::new(5).unwrap(), burst: NonZeroU32::new(60).unwrap() };
/// What shares a bucket when there are too many addresses.
const OVERFLOW: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
/// Bytes of a part of a program.
const PART: usize = 256 << 10;

/// Agents cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AgentsError {
    /// The key cannot be used.
    #[error("agents cannot be served")]
    Key(#[from] AgentKeyError),
    /// No thread.
    #[error("cannot start the thread that takes in what agents send: raise the limit of processes (ulimit -u)")]
    Thread(#[source] std::io::Error),
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// From where.
    pub(super) address: SocketAddr,
    /// The hash of the key that it holds.
    pub(super) key: Digest,
}

/// What the calls share.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) app: App,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) releases: Option<PathBuf>,
    pub(super) names: Arc<Names>,
    enrolments: Arc<Table<IpAddr>>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Service {
    pub(super) fn new(app: App, jobs: mpsc::Sender<Job>, releases: Option<PathBuf>) -> Self {
        let enrolments = Arc::new(Table::new(ENROLMENTS, app.clock()));
        Self { app, jobs, releases, names: Arc::default(), enrolments }
    }

    /// Only agents may go on.
    fn agent_of(&self, peer: &Peer) -> Result<(), Status> {
        let known = self.app.agents().registry().by_key(&peer.key).map(|agent| agent.enabled);
        match known {
            Some(true) => Ok(()),
            Some(false) => Err(self.closed(&Closed::Disabled)),
            None => Err(self.closed(&Closed::Unknown)),
        }
    }

    /// Why a session does not begin.
    fn closed(&self, closed: &Closed) -> Status {
        let metrics = &self.app.agents().metrics;
        match closed {
            Closed::Unknown => {
                metrics.refused(Refusal::UnknownKey, 1);
                Status::unauthenticated(
                    "no agent has this key: it was deleted, or never enrolled; enrol it with a new token",
                )
            }
            Closed::Disabled => {
                metrics.refused(Refusal::Disabled, 1);
                Status::permission_denied(goodbye(Ending::Disabled).message)
            }
            Closed::Cloned(_) => {
                metrics.refused(Refusal::Cloned, 1);
                Status::aborted(goodbye(Ending::Cloned).message)
            }
        }
    }

    /// A session that ends with the reason: the agent shows it, and asks again every five minutes.
    fn incompatible(&self, peer: &Peer, mismatch: &Mismatch) -> Answers<v1::ToAgent> {
        self.app.agents().metrics.refused(Refusal::Incompatible, 1);
        let agent = self.app.agents().registry().refuse(&peer.key, &mismatch.to_string(), self.app.clocks());
        let agent = agent.map(|agent| agent.name.to_string());
        tracing::warn!(agent, peer = %peer.address.ip(), why = %mismatch, "an agent of another version cannot be served");
        let goodbye = v1::Goodbye { reason: v1::Reason::Incompatible.into(), message: mismatch.to_string() };
        let message = v1::ToAgent { message: Some(to_agent::Message::Goodbye(goodbye)) };
        Box::pin(futures_util::stream::once(async { Ok(message) }))
    }

    async fn open(&self, peer: Peer, hello: v1::Hello) -> Result<(Opened, Linked), Closed> {
        let info = info_of(hello.info);
        let opening = Opening { boot: hello.boot, revision: hello.revision, info, peer: canonical(peer.address.ip()) };
        let opened = self.app.agents().open(&peer.key, opening, self.app.clocks());
        if opened.as_ref().is_ok_and(|(opened, _)| opened.moved) && self.app.agents().plan().has_pairs() {
            let app = self.app.clone();
            // Others measure it where it is now.
            tokio::task::spawn_blocking(move || app.assign_probes());
        }
        let cloned = match &opened {
            Ok((opened, _)) if opened.cloned => Some(Arc::clone(&opened.agent)),
            Err(Closed::Cloned(Some(agent))) => Some(Arc::clone(agent)),
            _ => None,
        };
        if let Some(agent) = cloned {
            let text = format!(
                "two processes use the key of this agent at once, the newer one from {}: enrol one of them anew, and find out who copied the key",
                peer.address.ip()
            );
            let event = Event {
                time: self.app.now(),
                kind: EventKind::AgentCloned,
                severity: Severity::Critical,
                subject: agent.name.as_str().into(),
                text: text.as_str().into(),
            };
            self.app.tell(agent.workspace, event).await;
        }
        opened
    }

    /// The newer program for an agent, if there is one.
    async fn offer(&self, info: AgentInfo) -> Option<v1::Update> {
        let folder = self.releases.clone()?;
        let looked = tokio::task::spawn_blocking(move || releases::offer(&folder, &info)).await.ok()?;
        looked.unwrap_or_else(|error| {
            tracing::warn!(%error, "the folder of releases cannot be used: no agent is offered a newer program");
            None
        })
    }

    async fn begin(
        &self,
        (opened, linked): (Opened, Linked),
        (info, protocol): (AgentInfo, u32),
        incoming: Streaming<v1::FromAgent>,
        out: Out,
    ) {
        let agent = opened.agent;
        let held = Held { app: self.app.clone(), agent: Arc::clone(&agent), id: opened.session };
        let workspace = self.app.workspace_name(agent.workspace).await;
        let (id, name, heartbeat_seconds) = (agent.id.0, agent.name.to_string(), HEARTBEAT);
        let welcome = v1::Welcome { agent: id, name, workspace, heartbeat_seconds, protocol };
        let update = self.offer(info).await.map(to_agent::Message::Update);
        for message in [Some(to_agent::Message::Welcome(welcome)), update].into_iter().flatten() {
            // There is room: nothing else was sent yet.
            let _gone = out.try_send(Ok(v1::ToAgent { message: Some(message) }));
        }
        let jobs = self.jobs.clone();
        tokio::spawn(Session { held, linked, jobs, out, incoming }.run());
    }
}

#[tonic::async_trait]
impl Calls for Service {
    type SessionStream = Answers<v1::ToAgent>;
    type ReleaseStream = Answers<v1::ReleasePart>;

    async fn enrol(&self, request: Request<v1::EnrolRequest>) -> Result<Response<v1::EnrolReply>, Status> {
        let peer = peer(&request)?;
        let metrics = &self.app.agents().metrics;
        if self.enrolments.ask(&network(peer.address.ip()), &OVERFLOW).is_err() {
            metrics.refused(Refusal::Rate, 1);
            return Err(Status::resource_exhausted("too many agents come in from this address: try again in a second"));
        }
        let v1::EnrolRequest { token, info } = request.into_inner();
        let (info, by) = (info_of(info), By::anonymous(canonical(peer.address.ip())));
        let made = self.app.access_change(move |tx| enrol(tx, &token, peer.key, &info, &by)).await;
        let (agent, workspace) = made.map_err(|error| {
            if matches!(error, EnrolError::Token) {
                metrics.refused(Refusal::Token, 1);
            }
            refusal(&error)
        })?;
        tracing::info!(agent = %agent.id, name = %agent.name, peer = %peer.address.ip(), "an agent came in");
        metrics.enrolled.inc();
        let reply =
            v1::EnrolReply { agent: agent.id.0, name: agent.name.to_string(), workspace: workspace.to_string() };
        self.app.agents().add(agent);
        Ok(Response::new(reply))
    }

    async fn session(
        &self,
        request: Request<Streaming<v1::FromAgent>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let peer = peer(&request)?;
        self.agent_of(&peer)?;
        let mut incoming = request.into_inner();
        let late = |_| Status::deadline_exceeded("a session begins with a hello within 10 seconds");
        let first = timeout(HELLO, incoming.message()).await.map_err(late)??;
        let Some(v1::FromAgent { message: Some(from_agent::Message::Hello(hello)) }) = first else {
            return Err(Status::invalid_argument("a session begins with a hello"));
        };
        let protocol = match Versions::said(hello.oldest_protocol, hello.protocol).with_server(Versions::OURS) {
            Ok(protocol) => protocol,
            Err(mismatch) => return Ok(Response::new(self.incompatible(&peer, &mismatch))),
        };
        let info = info_of(hello.info.clone());
        let opened = self.open(peer, hello).await.map_err(|closed| self.closed(&closed))?;
        let (out, mut messages) = mpsc::channel(OUT);
        self.begin(opened, (info, protocol), incoming, out).await;
        let messages = poll_fn(move |context| messages.poll_recv(context));
        Ok(Response::new(Box::pin(messages) as Self::SessionStream))
    }

    async fn who_am_i(&self, request: Request<v1::WhoAmIRequest>) -> Result<Response<v1::WhoAmIReply>, Status> {
        let peer = peer(&request)?;
        self.agent_of(&peer)?;
        Ok(Response::new(whoami::answer(&self.app, &self.names, canonical(peer.address.ip())).await))
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Result<Response<Self::ReleaseStream>, Status> {
        self.agent_of(&peer(&request)?)?;
        let none = || Status::not_found("this server does not offer that program");
        let (folder, wanted) = (self.releases.clone().ok_or_else(none)?, request.into_inner());
        let opened = tokio::task::spawn_blocking(move || releases::open(&folder, &wanted)).await;
        let opened = opened.map_err(|_| Status::internal("a defect of Netwatch: its log tells more"))?;
        let file = opened.map_err(|error| Status::unavailable(error.to_string()))?.ok_or_else(none)?;
        Ok(Response::new(Box::pin(parts(file.into())) as Self::ReleaseStream))
    }
}

/// A file in parts.
fn parts(file: tokio::fs::File) -> impl Stream<Item = Result<v1::ReleasePart, Status>> + Send {
    futures_util::stream::unfold(Some(file), |file| async move {
        let mut file = file?;
        let mut content = Vec::with_capacity(PART);
        match (&mut file).take(PART as u64).read_to_end(&mut content).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(v1::ReleasePart { content: content.into() }), Some(file))),
            Err(error) => Some((Err(Status::unavailable(error.to_string())), None)),
        }
    })
}

/// The other end of the connection, which the driver has noted.
fn peer<T>(request: &Request<T>) -> Result<Peer, Status> {
    let none = || Status::internal("a connection without a key");
    request.extensions().get::<Peer>().copied().ok_or_else(none)
}

fn refusal(error: &EnrolError) -> Status {
    let text = error.to_string();
    match error {
        EnrolError::Token => Status::unauthenticated(text),
        EnrolError::Known => Status::already_exists(text),
        EnrolError::Full => Status::resource_exhausted(text),
        EnrolError::Random | EnrolError::Store(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "an agent cannot come in");
            Status::unavailable(text)
        }
    }
}

/// An IPv4 address as such, also where the listener speaks IPv6.
const fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
