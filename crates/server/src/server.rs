//! The server: built from its configuration and what it depends on, run until it is told to stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_telemetry::clock::ClockSource;
use netwatch_telemetry::health::{Health, Importance};
use netwatch_telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use crate::access::Access;
use crate::agents::Agents;
use crate::app::{App, Elsewhere, Shared};
use crate::blackbox::Desk;
use crate::config::Config;
use crate::control::ControlSlot;
use crate::error::ServerError;
use crate::fault::Fault;
use crate::gate::{self, AllowedHosts, Gate};
use crate::history::HistorySlot;
use crate::idempotency::Answers;
use crate::intake::IntakeSlot;
use crate::limits::{self, Limits};
use crate::live::Live;
use crate::metrics::{self, ServerMetrics};
use crate::oidc::Providers;
use crate::probes::ProberSlot;
use crate::query::LiveStore;
use crate::registry::Routes;
use crate::stream::Hub;
use crate::{assets, body, driver, headers, idempotency, routes, traces};

/// Passwords that are checked at the same time: each takes 19 MiB and tens of milliseconds of a processor.
const PASSWORDS: usize = 2;
/// How many may wait for that; more are answered 503.
const PASSWORD_QUEUE: usize = 64;
/// Answers above this size are compressed, when the client takes gzip.
const COMPRESS_ABOVE: u64 = 8 * 1024;

/// What the server is given.
pub struct Dependencies {
    /// What was observed.
    pub store: Arc<LiveStore>,
    /// Who may come in.
    pub access: Arc<Access>,
    /// The clock of sessions and timeouts.
    pub clock: Arc<dyn ClockSource>,
    /// The time by which data is asked for: the same clock, or that of the packets of a capture file.
    pub data_clock: Arc<dyn ClockSource>,
    /// How all components are.
    pub health: Health,
    /// The registry behind `/metrics`.
    pub registry: Arc<Metrics>,
    /// The server's own part of the registry.
    pub metrics: ServerMetrics,
}

/// A server that is ready to run.
pub struct Server {
    config: Config,
    app: App,
    hosts: Arc<ArcSwap<AllowedHosts>>,
    router: Router,
}

impl Server {
    /// Puts the parts together. Opens and starts nothing.
    ///
    /// # Errors
    /// When the OpenAPI document cannot be written, which is a defect.
    pub fn build(config: Config, dependencies: Dependencies) -> Result<Self, ServerError> {
        let Routes { router, permissions, bodies, document } = routes::all().finish();
        let Dependencies { store, access, clock, data_clock, health, registry, metrics } = dependencies;
        let started = clock.now();
        let limits = Limits::new(config.address_rate, config.credential_rate, &clock);
        let threads = config.query_threads.max(1);
        let hub = Hub::new(config.max_stream_clients);
        let agents = Agents::new(metrics.agents.clone(), hub.stopping.child_token(), clock.monotonic());
        let app = App::new(Shared {
            elsewhere: Elsewhere::new(&hub, config.max_stream_clients),
            store,
            access,
            clock,
            data_clock,
            people: health.component("people", Importance::Optional, started).ok(),
            providers: Providers::new(&config.identity_providers).map_err(|e| ServerError::Outgoing(e.into()))?,
            public_url: config.public_url.clone(),
            password_queue: Semaphore::new(PASSWORD_QUEUE),
            passwords: Semaphore::new(PASSWORDS),
            health,
            queries: Semaphore::new(threads),
            productions: Semaphore::new(threads),
            registry,
            metrics,
            started,
            hub,
            document: Bytes::from(document.to_json().map_err(ServerError::Document)?),
            limits,
            answers: Arc::new(Answers::default()),
            control: ControlSlot::default(),
            intake: IntakeSlot::default(),
            history: HistorySlot::default(),
            prober: ProberSlot::default(),
            blackbox: Desk::new(config.request_timeout),
            agents,
        });
        let hosts = Arc::new(ArcSwap::from_pointee(AllowedHosts::new(config.listen, &config.hosts)));
        let gate = Gate::new(app.clone(), Arc::clone(&hosts), permissions);
        let limit = config.request_timeout;
        let router = router.method_not_allowed_fallback(method_not_allowed).fallback(assets::serve);
        let router = router
            .with_state(app.clone())
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn_with_state(app.clone(), idempotency::once))
            .layer(from_fn_with_state(app.clone(), limits::by_credential))
            .layer(from_fn_with_state(Arc::new(bodies), body::limit))
            .layer(from_fn_with_state(gate, gate::pass))
            .layer(from_fn_with_state(app.clone(), limits::by_address))
            .layer(compression())
            .layer(from_fn(move |request, next| in_time(limit, request, next)))
            .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| defect()))
            .layer(from_fn(traces::request))
            .layer(from_fn_with_state(app.clone(), metrics::count))
            .layer(from_fn(headers::add));
        Ok(Self { config, app, hosts, router })
    }

    /// A handle on what can change while it runs.
    #[must_use]
    pub fn live(&self) -> Live {
        Live::new(self.app.clone(), Arc::clone(&self.hosts), self.config.listen)
    }

    /// Serves the connections of `listener` until `shutdown` is ready; then lets answers and streams end, for some seconds at most.
    ///
    /// # Errors
    /// None now.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        if !assets::is_built() {
            tracing::warn!("the web app is not in this build: `make build` makes one that has it");
        }
        driver::run(&self.config, self.app, self.router, listener, shutdown).await;
        Ok(())
    }
}

/// Listens on an address.
///
/// # Errors
/// When it is in use or not ours; the text names the address.
pub async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ServerError::InUse { address, source },
        _ => ServerError::Listen { address, source },
    })
}

fn compression() -> CompressionLayer<impl Predicate> {
    let what = SizeAbove::new(COMPRESS_ABOVE).and(NotForContentType::IMAGES).and(NotForContentType::const_new("font/"));
    let what = what.and(NotForContentType::SSE);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(what)
}

async fn in_time(limit: Duration, request: Request, next: Next) -> Result<Response, Fault> {
    // Measurements take their time, and are bounded by themselves.
    let limit = if request.uri().path() == routes::MEASURED { limit.max(routes::MEASURED_FOR) } else { limit };
    let late = |_| Fault::unavailable(format!("no answer within {} seconds", limit.as_secs()));
    timeout(limit, next.run(request)).await.map_err(late)
}

async fn method_not_allowed() -> Fault {
    Fault::new(
        ProblemCode::MethodNotAllowed,
        "the route exists, but not with this method: `Allow` lists those that it has",
    )
}

/// A handler panicked: the panic hook has logged where.
fn defect() -> Response {
    Fault::new(ProblemCode::Internal, "a defect of Netwatch: its log tells more").into_response()
}
