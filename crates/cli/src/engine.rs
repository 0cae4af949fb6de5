//! Capture, agent and server in one process: what `netwatch up` runs, and `netwatch top` when no server is there.
//!
//! The order matters, and nothing is half-started:
//!
//! 1. [`Plan::new`]: interfaces, filter and file are checked; the port is bound; the data directory is made.
//! 2. [`confine`]: the broker is forked, rights are dropped, the walls go up. Still one thread.
//! 3. [`access`]: the data directory is opened; its database has threads.
//! 4. [`Engine::start`]: store, server, agent and capture are built and joined by the adapters of this folder, and their threads
//!    start, from the server back to the source, so that no record comes before somebody takes it.
//!
//! The end goes the other way: capture says its last records, the agent sends them, the server ends its streams.

pub mod addresses;
pub mod changes;
mod clock;
pub mod confine;
mod health;
pub mod history;
mod kept;
mod plan;
mod probes;
mod remote;
mod server;
mod session;
mod stages;
mod started;
pub mod steering;
mod text;
mod traces;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use netwatch_agent::{Agent, Intake, Overflow, Probing};
use netwatch_capture::apps::AppTable;
use netwatch_capture::driver::signal::Signal;
use netwatch_capture::driver::{Capture, CaptureError, Dependencies as CaptureDependencies};
use netwatch_model::{AgentId, Record};
use netwatch_server::blackbox::Modules;
use netwatch_server::query::LiveStore;
use netwatch_server::{Access, Live, Rate, Server};
use netwatch_telemetry::clock::{ClockSource, SystemClock};
use tokio::sync::{mpsc, oneshot};

pub use plan::{Input, Plan, flow_config, refused, ring_settings};
pub use traces::Tracing;

use crate::config::Settings;
use crate::failure::Failure;
use addresses::AddressFiles;
use clock::PacketClock;
use confine::Rights;
use health::Watch;
use history::History;
use kept::Kept;
use stages::CaptureStage;
use started::{Refusals, Starting};
use traces::TraceTask;

/// The agent of this process: there is no other yet.
const AGENT: AgentId = AgentId(1);
/// Threads that serve the web app and the API.
const SERVER_THREADS: usize = 2;

/// Longest time for an orderly end.
pub const LAST_WORDS: Duration = Duration::from_secs(9);

/// How often a client may ask, as the settings want it.
pub fn rate(settings: &Settings) -> Option<Rate> {
    NonZeroU32::new(settings.rate_limit).map(Rate::per_second)
}

/// Everything that runs.
pub struct Engine {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What of the server can change while it runs.
    pub live: Live,
    /// The files about addresses; none without history.
    pub addresses: Option<Arc<AddressFiles>>,
    stop_capture: Signal,
    /// None for a capture file.
    probing: Option<Probing>,
    stop_server: oneshot::Sender<()>,
    agent: JoinHandle<()>,
    keeping: Keeping,
    server: tokio::task::JoinHandle<()>,
    /// Serves agents of other hosts; none when they are not.
    remote: Option<tokio::task::JoinHandle<()>>,
    /// None when nobody wants traces.
    traces: Option<TraceTask>,
    /// Tells that capture runs, or why some interfaces are not captured yet; an error when it has ended before.
    pub started: oneshot::Receiver<Refusals>,
    /// Tells how capture has ended, once.
    pub ended: mpsc::Receiver<Result<(), CaptureError>>,
    capture: JoinHandle<()>,
}

/// The threads behind the agent.
struct Keeping {
    /// Takes batches in; ends when the agent has.
    taking_in: JoinHandle<()>,
    /// None for a capture file.
    kept: Option<Kept>,
    /// None for a capture file, and where there is no room for it.
    history: Option<History>,
}

impl Keeping {
    /// Waits until everything is taken in and durable; false when a thread ended by a defect.
    fn end(self) -> bool {
        let taken = self.taking_in.join().is_ok();
        if let Some(kept) = self.kept {
            kept.close();
        }
        // What is durable now is stored, too.
        if let Some(history) = self.history {
            history.close();
        }
        taken
    }
}

/// The runtime of the server.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let builder = builder.worker_threads(SERVER_THREADS).thread_name("nw-server").enable_all();
    builder.build().context("cannot start the threads of the server: raise the limit of processes (ulimit -u)")
}

/// Who may come in: opens the data directory.
///
/// # Errors
/// When it cannot be read or written, is damaged, or another process has it.
pub fn access(settings: &Settings) -> anyhow::Result<Access> {
    let token = settings.token.as_ref().map(crate::config::settings::Secret::reveal);
    let access = Access::open(&settings.data_dir, token, Arc::new(SystemClock)).map_err(anyhow::Error::new)?;
    access.set_registration(settings.sign_in.registration);
    Ok(access)
}

impl Engine {
    /// Builds and starts everything. Call it on the runtime of the server.
    ///
    /// # Errors
    /// When a part cannot be built or the system gives no thread.
    pub fn start(
        plan: Plan,
        access: Access,
        rights: Rights,
        settings: &Settings,
        tracing: Option<Tracing>,
    ) -> Result<Self, Failure> {
        let from_file = plan.is_file();
        let (starting, started) = Starting::new(plan.interfaces());
        let packets = Arc::new(PacketClock::default());
        let data_clock: Arc<dyn ClockSource> =
            if from_file { Arc::clone(&packets) as Arc<dyn ClockSource> } else { Arc::new(SystemClock) };
        let watch = Watch::new(from_file, rights.missing.as_deref())?;
        let store = server::store(settings, from_file);
        let (metrics, logs) = server::metrics(tracing.as_ref().map(|(_, ended)| ended.counters()));
        let stage = CaptureStage::new(&metrics.0);
        let kept = match from_file {
            true => None,
            false => Some(Kept::open(&settings.data_dir, logs, &store, &watch.health)?),
        };
        let (uplink, taking_in) = session::join(&store, kept.as_ref().map(|kept| &kept.ingest), &metrics.0)?;
        let lookups = settings.storage.lookups.clone();
        let open = |_: &Kept| History::open(&settings.data_dir, &rights.damaged, lookups, &store, &watch.health);
        let mut history = kept.as_ref().and_then(open);
        let server = server::build(plan.server, Arc::clone(&store), access, data_clock, watch.health.clone(), metrics)?;
        let (listener, address) = listening(plan.listener)?;
        let overflow = if from_file { Overflow::Wait } else { Overflow::DropOldest };
        let config = netwatch_agent::Config { overflow, ..netwatch_agent::Config::default() };
        let (agent, intake) = Agent::build(config, AGENT, uplink, SystemClock).map_err(anyhow::Error::new)?;
        let prober = rights.probes.clone().map(|rights| (rights, intake.clone()));
        let watched = (packets, stage, starting);
        let capture = Capture::build(plan.capture, dependencies(rights, intake, watched, address.port())?);

        let live = server.live();
        configure(&live, settings, plan.modules);
        if let Some(kept) = &kept {
            remember(&live, &store, kept, history.as_mut());
        }
        let measure = |(rights, intake)| probes::start(AGENT, rights, intake, &live, &settings.agents);
        let probing = prober.map(measure).transpose()?;
        let agents = plan.agents.zip(kept.as_ref());
        let remote = agents.map(|(listener, kept)| remote::build(listener, kept, &live, settings)).transpose()?;
        let (stop_server, stop) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(server, listener, stop));
        let remote = remote.map(|(server, listener)| tokio::spawn(server.run(listener)));
        tokio::spawn(text::give_back());
        // The agent ends by itself, when capture has dropped its intake.
        let agent = agent.spawn(Arc::default()).map_err(anyhow::Error::new)?;
        let stop_capture = Signal::new().context("no file descriptor is left: raise the limit (ulimit -n)")?;
        let (tell, ended) = mpsc::channel(1);
        let capture = run(capture, stop_capture.clone(), watch, tell)?;
        let addresses = history.as_ref().map(|history| Arc::clone(&history.addresses));
        let keeping = Keeping { taking_in, kept, history };
        Ok(Self {
            address,
            live,
            addresses,
            stop_capture,
            probing,
            stop_server,
            agent,
            keeping,
            server,
            remote,
            traces: tracing.map(TraceTask::start),
            started,
            ended,
            capture,
        })
    }

    /// Ends everything in order; what does not end in time is left to the end of the process.
    pub async fn stop(self) {
        let Self { live, stop_capture, probing, stop_server, agent, keeping, server, remote, traces, capture, .. } =
            self;
        stop_capture.raise();
        live.stop_agents();
        // What remote agents sent is in the log before it is closed.
        if let Some(remote) = remote
            && remote.await.is_err()
        {
            tracing::error!("what serves agents ended by a defect");
        }
        // Capture and probes drop their intakes when they have ended; then the agent sends what is left and ends, too; then all of it is kept.
        let last_records = tokio::task::spawn_blocking(move || {
            if let Some(probing) = probing {
                probing.stop();
            }
            let captured = capture.join().is_ok();
            let sent = agent.join().is_ok();
            captured & sent & keeping.end()
        });
        if !last_records.await.unwrap_or(false) {
            tracing::error!("a thread ended by a defect");
        }
        // The receiver is gone only when the server has ended already.
        let _ = stop_server.send(());
        if server.await.is_err() {
            tracing::error!("the server ended by a defect");
        }
        if let Some(traces) = traces {
            traces.stop().await;
        }
    }
}

/// Runs capture on a thread of its own until the signal; tells how it ended.
fn run(
    capture: Capture,
    signal: Signal,
    watch: Watch,
    tell: mpsc::Sender<Result<(), CaptureError>>,
) -> anyhow::Result<JoinHandle<()>> {
    let run = move || {
        let result = capture.run(&signal);
        watch.capture_ended(&result);
        // When nobody listens any more the process is ending.
        let _ = tell.blocking_send(result);
    };
    let thread = std::thread::Builder::new().name("nw-capture".to_owned()).spawn(run);
    thread.context("cannot start the thread of capture")
}

/// What of the server can change while it runs, as it is at first.
fn configure(live: &Live, settings: &Settings, modules: Modules) {
    live.set_agent_rules(settings.agents.rules);
    live.set_storage_rules(settings.storage.rules.clone());
    live.set_probe_policy(settings.probes.clone());
    crate::config::blackbox::tell_refused(&modules, settings.blackbox.as_deref());
    live.set_modules(modules);
}

fn listening(listener: std::net::TcpListener) -> anyhow::Result<(tokio::net::TcpListener, SocketAddr)> {
    let listener = tokio::net::TcpListener::from_std(listener).context("the listener cannot be used")?;
    let address = listener.local_addr().context("the listener has no address")?;
    Ok((listener, address))
}

/// What comes in is kept, and goes on into history where there is one.
fn remember(live: &Live, store: &Arc<LiveStore>, kept: &Kept, history: Option<&mut History>) {
    live.taking_in_by(Arc::clone(&kept.door) as Arc<dyn netwatch_server::Intake>);
    if let Some(history) = history {
        live.remembered_by(Arc::clone(&history.store));
        history.start(&kept.ingest, store);
    }
}

async fn serve(server: Server, listener: tokio::net::TcpListener, stop: oneshot::Receiver<()>) {
    let stopped = async { _ = stop.await };
    if let Err(error) = server.run(listener, stopped).await {
        tracing::error!(error = %crate::failure::one_line(&error), "the server has ended");
    }
}

/// What capture needs of us.
fn dependencies(
    rights: Rights,
    intake: Intake,
    (packets, mut stage, mut starting): (Arc<PacketClock>, CaptureStage, Starting),
    port: u16,
) -> anyhow::Result<CaptureDependencies> {
    let mut apps = AppTable::load(None)?;
    apps.label_own_port(port);
    let sink = move |records: Vec<Record>| {
        packets.see(&records);
        stage.see(&records);
        starting.see(&records);
        // The agent has ended only when the process is ending.
        let _ = intake.give_when_possible(records);
    };
    let Rights { sockets, owners, .. } = rights;
    let (clock, apps, sink) = (Arc::new(SystemClock), Arc::new(apps), Box::new(sink));
    Ok(CaptureDependencies { sockets, clock, apps, seed: seed()?, sink, owners })
}

/// The secret that keys the hashes of this run.
///
/// # Errors
/// When the system gives no random bytes.
pub fn seed() -> anyhow::Result<[u64; 4]> {
    let mut seed = [0_u64; 4];
    for word in &mut seed {
        *word = getrandom::u64().context("the operating system gives no random bytes")?;
    }
    Ok(seed)
}
