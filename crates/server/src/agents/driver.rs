//! The listener of agents: connections accepted, made known by their keys, served, drained.
//!
//! Tasks: the accept loop ([`AgentServer::run`]), one for each connection, one that looks every [`TICK`] who is silent, keeps when agents
//! were heard of, and tells who went offline. HTTP/2 alone, over TLS 1.3 with a certificate of both sides.
//!
//! Limits: [`MAX_CONNECTIONS`]; a handshake takes at most [`HANDSHAKE`]; a connection whose key is no agent's ends after
//! [`STRANGER`]; a peer that answers no ping is given up after 40 seconds; [`MAX_STREAMS`] calls at once on a connection.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use netwatch_api::agent::v1::agents_server::AgentsServer;
use netwatch_entities::{SeenId, StoreError, Writing};
use netwatch_model::people::{Agent, AgentSeen, WorkspaceId};
use netwatch_model::{Event, EventKind, Record, Severity};
use netwatch_telemetry::health::{Component, State as Health};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::metrics::Refusal;
use super::registry::State;
use super::service::{MAX_ENROLMENT, MAX_MESSAGE, Peer, Service};
use super::{AgentsConfig, AgentsError, Served, TICK, intake, keys};
use crate::app::App;
use crate::ingest::Ingest;

const MAX_CONNECTIONS: u32 = 8192;
const HANDSHAKE: Duration = Duration::from_secs(10);
const STRANGER: Duration = Duration::from_secs(30);
const MAX_STREAMS: u32 = 16;
/// How often a silent peer is asked whether it is there, and how long it may take to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// What a peer may send before it is read, bytes: for the connection, and for a call.
const WINDOW: (u32, u32) = (2 << 20, 1 << 20);
/// How long to wait when no connection can be accepted.
const RETRY: Duration = Duration::from_millis(100);
/// Longest time for sessions to end.
const DRAIN: Duration = Duration::from_secs(4);

/// Serves agents; made by [`crate::Live::serve_agents`].
pub struct AgentServer {
    app: App,
    tls: TlsAcceptor,
    service: Service,
    thread: std::thread::JoinHandle<()>,
    health: Option<Component>,
}

impl AgentServer {
    /// Loads or makes the key, and starts the thread that takes batches in. Blocks.
    pub(crate) fn build(app: App, config: AgentsConfig, ingest: Arc<Ingest>) -> Result<Self, AgentsError> {
        let AgentsConfig { listen, address, folder, files, releases } = config;
        let key = keys::load(&folder, files.as_ref())?;
        let (jobs, thread) = intake::start(app.clone(), Arc::clone(&ingest)).map_err(AgentsError::Thread)?;
        _ = app.agents().served.set(Served { listen, address, key: key.digest });
        app.agents().set_ingest(ingest);
        let service = Service::new(app.clone(), jobs, releases);
        let health = app.component("agents");
        Ok(Self { app, tls: TlsAcceptor::from(key.tls), service, thread, health })
    }

    /// Serves the connections of `listener` until the server stops; then tells agents so, and ends when what they sent is in the log.
    pub async fn run(self, listener: TcpListener) {
        let Self { app, tls, service, thread, health } = self;
        let stopping = app.agents().stopping.clone();
        let ticking = tokio::spawn(tick_now_and_then(app.clone(), health));
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopping.cancelled() => break,
            };
            match accepted {
                Ok((stream, address)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => _ = tokio::spawn(connection(stream, address, tls.clone(), service.clone(), place)),
                    Err(_) => app.agents().metrics.refused(Refusal::Connections, 1),
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection of an agent");
                    sleep(RETRY).await;
                }
            }
        }
        drop((listener, service));
        if timeout(DRAIN, places.acquire_many(MAX_CONNECTIONS)).await.is_err() {
            tracing::warn!("some agents did not end their sessions in time and are cut");
        }
        let _ended = ticking.await;
        // Its queue has no senders any more, unless a session was cut.
        if thread.is_finished() {
            let _joined = thread.join();
        }
    }
}

/// One connection: from the handshake to its end.
async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    tls: TlsAcceptor,
    service: Service,
    place: OwnedSemaphorePermit,
) {
    let app = service.app.clone();
    // Acks are small, and waiting for more would only delay them.
    let _delayed_at_worst = stream.set_nodelay(true);
    let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await else {
        app.agents().metrics.refused(Refusal::Handshake, 1);
        tracing::debug!(peer = %address, "a connection of no agent: no TLS 1.3 with a certificate in time");
        return;
    };
    let key = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).and_then(keys::digest_of);
    let Some(key) = key else { return app.agents().metrics.refused(Refusal::Handshake, 1) };
    let peer = Peer { address, key };
    let (calls, with) = (AgentsServer::new(service), app.clone());
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        // Whoever is no agent can only enrol, which takes little.
        let is_known = with.agents().registry().by_key(&peer.key).is_some();
        let most = if is_known { MAX_MESSAGE } else { MAX_ENROLMENT };
        calls.clone().max_decoding_message_size(most).oneshot(request)
    });
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_connection_window_size(WINDOW.0)
        .initial_stream_window_size(WINDOW.1)
        .max_header_list_size(16 << 10);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = to_be_ended(&app, &peer) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %address, "a connection of an agent ended early");
    }
    drop(place);
}

/// Ready when the server stops, or when the key is still no agent's after a while.
fn to_be_ended(app: &App, peer: &Peer) -> impl Future<Output = ()> {
    let (app, key, stopping) = (app.clone(), peer.key, app.agents().stopping.clone());
    async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = sleep(STRANGER) => {
                if app.agents().registry().by_key(&key).is_some() {
                    stopping.cancelled().await;
                }
            }
        }
    }
}

async fn tick_now_and_then(app: App, health: Option<Component>) {
    let mut ticks = interval(TICK);
    let stopping = app.agents().stopping.clone();
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                app.tick_agents().await;
                let trouble = app.agents().trouble();
                let state = trouble.map_or(Health::Ok, |why| Health::Degraded(format!("what agents send is not kept: {why}")));
                if let Some(health) = &health {
                    health.set(state, app.now());
                }
            }
            // When agents were heard of last is kept once more.
            () = stopping.cancelled() => return app.save_agents().await,
        }
    }
}

impl App {
    /// Looks who is silent.
    async fn tick_agents(&self) {
        let now = self.clocks();
        let (turns, (states, _)) = {
            let mut registry = self.agents().registry();
            (registry.turns(now), registry.counts(now))
        };
        self.agents().metrics.set_known(|state| states.get(&state).copied().unwrap_or(0));
        for (agent, state) in turns {
            let (kind, severity, text) = match state {
                State::Online => (EventKind::AgentOnline, Severity::Info, "it is heard of again"),
                _ => (EventKind::AgentOffline, Severity::Warning, "it was not heard of for longer than an agent may"),
            };
            let (time, subject) = (now.wall, agent.name.as_str().into());
            self.tell(agent.workspace, Event { time, kind, severity, subject, text: text.into() }).await;
        }
        self.save_agents().await;
    }

    /// Keeps when agents were heard of, in one transaction.
    async fn save_agents(&self) {
        let due = self.agents().registry().take_unsaved(self.clocks());
        if due.is_empty() {
            return;
        }
        let kept = self.access_change(move |tx| due.iter().try_for_each(|seen| save(tx, seen))).await;
        if let Err(error) = kept {
            let error: StoreError = error;
            tracing::warn!(%error, "when agents were heard of last is not kept; it is tried again in a minute");
        }
    }

    /// Tells what happened in a workspace, for now and for good.
    pub(super) async fn tell(&self, workspace: WorkspaceId, event: Event) {
        let app = self.clone();
        let told = self.blocking(move || {
            if let Some(ingest) = app.agents().ingest() {
                let records = vec![Record::Event(event.clone())];
                if let Err(error) = ingest.take_own(crate::history::place(&app, workspace), records) {
                    tracing::warn!(%error, "an event of an agent is not kept");
                }
            }
            app.show_events(workspace, [event]);
        });
        let _logged = told.await;
    }
}

/// Keeps when an agent was heard of; one that was deleted meanwhile is passed over.
fn save(tx: &Writing<'_>, seen: &AgentSeen) -> Result<(), StoreError> {
    if tx.find::<Agent>(seen.workspace, seen.agent)?.is_none() {
        return Ok(());
    }
    let known = tx.find::<AgentSeen>(seen.workspace, SeenId(seen.agent))?;
    if known.is_some() { tx.update(seen, None).map(drop) } else { tx.insert(seen).map(drop) }
}
