//! What the handlers share.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::statistics::Statistics;
use netwatch_entities::{Site, StoreError, Writing};
use netwatch_model::people::{Permission, Workspace, WorkspaceId};
use netwatch_model::{Event, Record, Timestamp};
use netwatch_telemetry::clock::ClockSource;
use netwatch_telemetry::health::{Component, Health, HealthReport, Importance, State};
use netwatch_telemetry::metrics::Metrics;
use netwatch_telemetry::traces::TARGET;
use serde::Serialize;
use tokio::sync::Semaphore;
use tracing::{Instrument as _, Span, info_span};

use crate::access::{Access, AccessError, Identity};
use crate::agents::Agents;
use crate::blackbox::Desk;
use crate::control::{Control, ControlSlot};
use crate::fault::Fault;
use crate::history::HistorySlot;
use crate::idempotency::Answers;
use crate::intake::IntakeSlot;
use crate::limits::Limits;
use crate::metrics::ServerMetrics;
use crate::oidc::Providers;
use crate::probes::{Board, ProberSlot};
use crate::process;
use crate::query::LiveStore;
use crate::store::StoreConfig;
use crate::stream::{Feed, Frame, Hub, Mark};

/// What the handlers have in common, as the workspace of a request sees it; cheap to clone.
///
/// A handler takes it as an argument: requests for another workspace than that of this machine get one whose live data is empty.
#[derive(Clone)]
pub(crate) struct App {
    shared: Arc<Shared>,
    is_elsewhere: bool,
}

/// The live data of workspaces that no agent of this machine belongs to: there is none.
pub(crate) struct Elsewhere {
    store: Arc<LiveStore>,
    hub: Hub,
}

impl Elsewhere {
    pub(crate) fn new(here: &Hub, max_clients: usize) -> Self {
        let store = Arc::new(LiveStore::new(StoreConfig { archive_bytes: 0, ..StoreConfig::default() }));
        let mut hub = Hub::new(max_clients);
        hub.stopping = here.stopping.clone();
        Self { store, hub }
    }
}

impl FromRequestParts<Self> for App {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Self) -> Result<Self, Infallible> {
        let workspace = parts.extensions.get::<Identity>().and_then(Identity::workspace);
        let is_elsewhere = workspace.is_some_and(|workspace| workspace != app.access().home());
        Ok(Self { shared: Arc::clone(&app.shared), is_elsewhere })
    }
}

pub(crate) struct Shared {
    pub(crate) store: Arc<LiveStore>,
    pub(crate) access: Arc<Access>,
    pub(crate) data_clock: Arc<dyn ClockSource>,
    pub(crate) clock: Arc<dyn ClockSource>,
    pub(crate) queries: Semaphore,
    pub(crate) productions: Semaphore,
    pub(crate) hub: Hub,
    pub(crate) health: Health,
    /// How the entity database is; none when there is no place for it.
    pub(crate) people: Option<Component>,
    /// Identity providers.
    pub(crate) providers: Providers,
    /// How browsers reach the server.
    pub(crate) public_url: Option<String>,
    /// Places for those who wait to have a password checked.
    pub(crate) password_queue: Semaphore,
    /// Passwords that are checked at the same time.
    pub(crate) passwords: Semaphore,
    pub(crate) registry: Arc<Metrics>,
    pub(crate) metrics: ServerMetrics,
    pub(crate) started: Timestamp,
    pub(crate) document: Bytes,
    pub(crate) limits: Limits,
    pub(crate) answers: Arc<Answers>,
    pub(crate) control: ControlSlot,
    pub(crate) intake: IntakeSlot,
    pub(crate) history: HistorySlot,
    pub(crate) prober: ProberSlot,
    pub(crate) blackbox: Desk,
    pub(crate) agents: Agents,
    pub(crate) elsewhere: Elsewhere,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), is_elsewhere: false }
    }

    /// Whether this is for another workspace than the one of this machine.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    fn live_store(&self) -> &Arc<LiveStore> {
        if self.is_elsewhere { &self.shared.elsewhere.store } else { &self.shared.store }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.shared.access
    }

    /// The time by which data is asked for: that of the packets when they come from a file.
    pub(crate) fn data_now(&self) -> Timestamp {
        self.shared.data_clock.now()
    }

    /// The time of the wall clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// When this server started.
    pub(crate) fn started(&self) -> Timestamp {
        self.shared.started
    }

    /// What was observed lately, for answers that take no time.
    pub(crate) fn store(&self) -> &LiveStore {
        self.live_store()
    }

    /// The process around the server.
    pub(crate) fn control(&self) -> Result<Arc<dyn Control>, Fault> {
        self.shared.control.get()
    }

    /// Where the control and the intake go, when they come.
    pub(crate) fn slots(&self) -> (&ControlSlot, &IntakeSlot) {
        (&self.shared.control, &self.shared.intake)
    }

    /// The agent of this machine, and what it may measure.
    pub(crate) fn prober(&self) -> &ProberSlot {
        &self.shared.prober
    }

    /// What scrapes in the way of blackbox_exporter share.
    pub(crate) fn blackbox(&self) -> &Desk {
        &self.shared.blackbox
    }

    /// All agents.
    pub(crate) fn agents(&self) -> &Agents {
        &self.shared.agents
    }

    /// The clock of the server.
    pub(crate) fn clock(&self) -> Arc<dyn ClockSource> {
        Arc::clone(&self.shared.clock)
    }

    /// How the probes of a workspace stand.
    pub(crate) fn board_of(&self, workspace: WorkspaceId) -> &Board {
        let is_home = workspace == self.access().home();
        if is_home { self.shared.store.probes() } else { self.shared.elsewhere.store.probes() }
    }

    /// Shows events of a workspace live, where it has live data; the live part of all others is shared, and holds no events.
    pub(crate) fn show_events(&self, workspace: WorkspaceId, events: impl IntoIterator<Item = Event>) {
        if workspace == self.access().home() {
            self.shared.store.note_events(events);
        }
    }

    /// What a workspace is called; empty when it is gone.
    pub(crate) async fn workspace_name(&self, workspace: WorkspaceId) -> String {
        let app = self.clone();
        let found = self.blocking(move || app.access().entities().read(|tx| tx.find::<Workspace>(Site, workspace)));
        found.await.ok().and_then(Result::ok).flatten().map(|stored| stored.value.name.to_string()).unwrap_or_default()
    }

    /// Changes entities on a thread that may block.
    pub(crate) async fn access_change<T, E>(
        &self,
        work: impl FnOnce(&Writing<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let app = self.clone();
        let changed = self.blocking(move || {
            let now = app.now();
            app.access().entities().write(now, work)
        });
        changed.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// Where the telemetry store goes, when it comes.
    pub(crate) fn history(&self) -> &HistorySlot {
        &self.shared.history
    }

    /// Takes records of a program in for good.
    pub(crate) async fn take_in(&self, records: Vec<Record>) -> Result<(), Fault> {
        if self.is_elsewhere() {
            let detail = "records are kept for the first workspace only: send them there";
            return Err(Fault::new(ProblemCode::Conflict, detail));
        }
        let app = self.clone();
        self.blocking(move || app.shared.intake.take(&app.shared.store, records)).await?
    }

    /// Does work that may block on a thread that may.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        blocking(work).await
    }

    /// Identity providers that are configured.
    pub(crate) fn providers(&self) -> &Providers {
        &self.shared.providers
    }

    /// How browsers reach the server, if it is configured.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.shared.public_url.as_deref()
    }

    /// Time for intervals.
    pub(crate) fn monotonic(&self) -> Duration {
        self.shared.clock.monotonic()
    }

    /// The stream.
    pub(crate) fn hub(&self) -> &Hub {
        if self.is_elsewhere { &self.shared.elsewhere.hub } else { &self.shared.hub }
    }

    /// Asks the store on a thread of its own, so that long computing holds up neither streams nor short answers.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&LiveStore) -> T + Send + 'static,
    {
        let closed = |_| Fault::unavailable("the server is stopping");
        let turn = self.shared.queries.acquire().instrument(info_span!(target: TARGET, "query.wait"));
        let _turn = turn.await.map_err(closed)?;
        let store = Arc::clone(self.live_store());
        blocking(move || question(&store)).instrument(info_span!(target: TARGET, "query.live")).await
    }

    /// Asks the store and writes the answer as JSON, both on the thread of the question.
    pub(crate) async fn answer<T, F>(&self, question: F) -> Result<Response, Fault>
    where
        T: Serialize,
        F: FnOnce(&LiveStore) -> Result<T, Fault> + Send + 'static,
    {
        let json = self.ask(move |store| question(store).and_then(|answer| to_json(&answer))).await??;
        Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
    }

    /// Makes a frame of the stream. The stream waits for itself only, never for queries.
    pub(crate) async fn produce(&self, feed: &Feed, after: Mark) -> Result<Frame, Fault> {
        let (app, feed) = (self.clone(), feed.clone());
        self.production(move |store| feed.produce(&app, store, after, app.data_now())).await?
    }

    /// Where a subscription begins.
    pub(crate) async fn start_of(&self, feed: &Feed, since: Option<Timestamp>) -> Result<Mark, Fault> {
        let (feed, now) = (feed.clone(), self.data_now());
        self.production(move |store| feed.start(store, since, now)).await
    }

    async fn production<T, F>(&self, question: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&LiveStore) -> T + Send + 'static,
    {
        let closed = |_| Fault::unavailable("the server is stopping");
        let _turn = self.shared.productions.acquire().await.map_err(closed)?;
        let store = Arc::clone(self.live_store());
        blocking(move || question(&store)).await
    }

    /// Calls access control where it may write to disk.
    pub(crate) async fn access_call<T, F>(&self, call: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Access) -> Result<T, AccessError> + Send + 'static,
    {
        let access = Arc::clone(&self.shared.access);
        Ok(blocking(move || call(&access)).await??)
    }

    pub(crate) fn metrics(&self) -> &ServerMetrics {
        &self.shared.metrics
    }

    /// The same for calls that check or set a password: few at a time, so that signing in cannot take the machine.
    pub(crate) async fn password_call<T, F>(&self, call: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Access) -> Result<T, AccessError> + Send + 'static,
    {
        let busy = || Fault::unavailable("many people are signing in: try again in a moment");
        let _place = self.shared.password_queue.try_acquire().map_err(|_| busy())?;
        let _turn = self.shared.passwords.acquire().await.map_err(|_| Fault::unavailable("the server is stopping"))?;
        self.access_call(call).await
    }

    /// Whether somebody who came in earlier may still do that, in the same workspace. Who cannot be looked up may not.
    pub(crate) async fn still_may(&self, identity: &Identity, permission: Permission) -> bool {
        if let Some(known) = self.access().recall_identity(identity) {
            return known.has(permission);
        }
        let asked = identity.clone();
        let found = self.access_call(move |access| access.still_holds(&asked)).await;
        found.is_ok_and(|identity| identity.is_some_and(|identity| identity.has(permission)))
    }

    /// Clears away sessions that ended, and makes the copy of the day.
    pub(crate) async fn tidy_people(&self) {
        // What fails is said by the health report.
        let _told = self.access_call(|access| access.tidy()).await;
    }

    /// How often somebody may ask.
    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// What requests with an idempotency key were answered.
    pub(crate) fn answers(&self) -> &Arc<Answers> {
        &self.shared.answers
    }

    pub(crate) fn document(&self) -> &Bytes {
        &self.shared.document
    }

    /// The statistics of the store, with those of the server itself.
    pub(crate) fn statistics_of(&self, store: &LiveStore, now: Timestamp) -> Statistics {
        let mut statistics = store.statistics(now);
        env!("CARGO_PKG_VERSION").clone_into(&mut statistics.version);
        (statistics.started, statistics.now) = (self.shared.started, now);
        statistics.stream = self.metrics().stream_statistics();
        statistics.process = process::read();
        statistics
    }

    pub(crate) fn health(&self) -> HealthReport {
        if let Some(people) = &self.shared.people {
            let state = self.access().trouble().map_or(State::Ok, State::Degraded);
            people.set(state, self.shared.clock.now());
        }
        self.shared.health.report()
    }

    /// A part of the server in the health report; none when there is no place for it.
    pub(crate) fn component(&self, name: &'static str) -> Option<Component> {
        self.shared.health.component(name, Importance::Optional, self.now()).ok()
    }

    /// All metrics as text.
    pub(crate) async fn metrics_text(&self) -> Result<String, Fault> {
        let registry = Arc::clone(&self.shared.registry);
        blocking(move || registry.encode()).await
    }
}

/// JSON of a type of the contract.
pub(crate) fn to_json<T: Serialize>(answer: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Fault::new(ProblemCode::Internal, "the answer cannot be written; the log tells more")
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(|error| {
        tracing::error!(%error, "a query failed");
        Fault::new(ProblemCode::Internal, "the query failed; the log tells more")
    })
}
