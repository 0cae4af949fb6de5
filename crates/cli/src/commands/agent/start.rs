//! The parts of an agent, joined: enrolment, spool, collectors, session.
//!
//! | thread | does |
//! |---|---|
//! | main | the session with the server, and the reflector |
//! | `nw-agent` | makes batches of what collectors give, and writes them to the spool |
//! | `nw-probes` | runs probes and reads the host |
//! | `nw-throughput` | serves throughput tests of other agents, while there are some to serve |
//! | `nw-watchdog` | ends the process when the main thread stands still |

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use netwatch_agent::identity::{AgentKey, Begin, Enrolled, Home};
use netwatch_agent::outbox::Outbox;
use netwatch_agent::probing::{self, Probing};
use netwatch_agent::serving::{self, ServingError};
use netwatch_agent::session::{self, About, Collectors, Dialer, EnrolError, Install, Outcome as Ended, Proxy};
use netwatch_agent::update::{Settings, Updates};
use netwatch_agent::watchdog::{self, Beats};
use netwatch_agent::{Agent, Config, reflecting};
use netwatch_egress::{Network, Policy};
use netwatch_probes::reflector::Reflector;
use netwatch_probes::{Rights, Tools, throughput};
use netwatch_spool::Directory;
use netwatch_telemetry::clock::{ClockSource, SystemClock};
use tokio::sync::watch;

use super::os::{Signals, host_name};
use crate::args::AgentRunArgs;
use crate::failure::{Failure, Outcome, one_line};

/// How often the session looks at the clock while it waits.
const TICK: Duration = Duration::from_secs(30);
/// A batch of what came within this time: as often the disk is asked to make something durable.
const BATCH: Duration = Duration::from_millis(500);
/// UDP port of the reflector when nobody chose one.
const REFLECTOR: u16 = 8862;
/// Records of a batch.
const RECORDS: usize = 2000;

/// What is known before the first thread.
pub(super) struct Plan {
    pub(super) home: Home,
    pub(super) begin: Begin,
    pub(super) key: AgentKey,
    pub(super) proxy: Option<Proxy>,
    pub(super) rights: Arc<dyn Rights>,
    pub(super) updates: Settings,
    pub(super) args: AgentRunArgs,
}

/// Runs until a signal, or until the agent is no more.
pub(super) fn run(plan: Plan) -> Outcome {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    // Names are looked up and files read on them, seldom.
    let runtime = builder.enable_all().max_blocking_threads(8).thread_stack_size(256 << 10).build();
    runtime.context("cannot wait for the server")?.block_on(observe(plan))
}

async fn observe(plan: Plan) -> Outcome {
    let mut signals = Signals::new()?;
    let reflector = reflector(plan.args.reflector)?;
    let about = about(&plan.args, plan.updates.install, reflector.as_ref());
    let Plan { home, begin, key, proxy, rights, updates, args } = plan;
    let (enrolled, dialer) = tokio::select! {
        known = known(&home, begin, &key, proxy, &about) => known?,
        () = signals.asked_to_end() => return Ok(()),
    };
    tracing::info!(agent = enrolled.name, server = enrolled.server, key = %key.digest(), "the agent observes");
    let collectors = Collectors::default();
    if rights.raw_icmp(false).is_err() {
        let missing = "raw sockets are not allowed, and traces need them: start the agent as root or with CAP_NET_RAW";
        tracing::warn!("{missing}");
        collectors.lack_right(missing.to_owned());
    }
    let observing = Observing::start(&home, &enrolled, rights)?;
    let assigned = observing.assignments.subscribe();
    let reflecting = reflect(reflector, args.reflector_allow, assigned, collectors.clone());
    let serving = serve(args.throughput, observing.assignments.subscribe(), collectors.clone());
    let updates = Updates::new(updates, collectors.clone());
    let dependencies = observing.session((home, enrolled), dialer, about, collectors, updates)?;
    let ended = tokio::select! {
        ended = session::run(dependencies, signals.asked_to_end()) => ended,
        never = reflecting => match never {},
        never = serving => match never {},
    };
    // Threads are waited for beside the runtime.
    let stopped = tokio::task::spawn_blocking(move || observing.stop());
    tokio::select! {
        stopped = stopped => stopped.context("the end of the agent failed")?,
        () = signals.asked_to_end() => return Err(Failure::Said(130)),
    }
    match ended {
        Ended::Stopped => Ok(()),
        Ended::Updated(version) => {
            tracing::info!(%version, "the agent ends, to be started again as the newer version");
            Ok(())
        }
        Ended::Unwelcome(version) => {
            let text =
                format!("version {version} has not reached the server in time: started again, the one before runs");
            Err(Failure::Other(anyhow::Error::msg(text)))
        }
        Ended::Deleted(message) => {
            let said = if message.is_empty() { String::new() } else { format!(" ({message})") };
            let text = format!(
                "this agent was deleted on its server{said}: it stops. Enrol it with a new token to use it again, or run `netwatch agent uninstall`"
            );
            Err(Failure::Usage(anyhow::Error::msg(text)))
        }
    }
}

/// As whom, and the way there; enrols first when that must be.
async fn known(
    home: &Home,
    begin: Begin,
    key: &AgentKey,
    proxy: Option<Proxy>,
    about: &About,
) -> Result<(Enrolled, Dialer), Failure> {
    let dialer = |server: &str, pin| {
        Dialer::new(server, pin, key, proxy.clone()).map_err(|error| Failure::Usage(anyhow::Error::new(error)))
    };
    match begin {
        Begin::Known { enrolled, .. } => {
            let dialer = dialer(&enrolled.server, enrolled.pin)?;
            Ok((enrolled, dialer))
        }
        Begin::Enrol { server, token } => {
            let dialer = dialer(&server, token.pin())?;
            let enrolled = session::enrol(&dialer, token.pin(), &token, about, &SystemClock, chance).await;
            let enrolled = enrolled.map_err(|error: EnrolError| Failure::Usage(anyhow::Error::new(error)))?;
            home.keep(&enrolled).map_err(anyhow::Error::new)?;
            tracing::info!(agent = enrolled.name, workspace = enrolled.workspace, server, "enrolled");
            Ok((enrolled, dialer))
        }
    }
}

/// Everything that observes, and where it goes.
struct Observing {
    outbox: Outbox,
    intake: Option<netwatch_agent::Intake>,
    agent: std::thread::JoinHandle<()>,
    probing: Probing,
    assignments: watch::Sender<Arc<netwatch_model::Assignment>>,
    host: Arc<netwatch_probes::Host>,
    beats: Beats,
    ending: Arc<AtomicBool>,
}

impl Observing {
    fn start(home: &Home, enrolled: &Enrolled, rights: Arc<dyn Rights>) -> anyhow::Result<Self> {
        let clock: Arc<dyn ClockSource> = Arc::new(SystemClock);
        let id = enrolled.agent.as_deref().and_then(|id| id.parse().ok()).unwrap_or_default();
        let files = Arc::new(Directory::new(&home.file("spool")));
        let (outbox, recovery) = Outbox::open(files, Arc::clone(&clock), random()?, |_| {})?;
        tracing::debug!(?recovery, "the spool is open");
        let config = Config { interval: BATCH, batch_records: RECORDS, ..Config::default() };
        let (agent, intake) = Agent::build(config, id, outbox.clone(), SystemClock)?;
        let agent = agent.spawn(Arc::default())?;
        let (assignments, assigned) = watch::channel(Arc::new(session::kept_assignment(home)));
        let tools = Tools::new(Arc::new(Policy::default()), rights);
        let host = Arc::clone(&tools.host);
        let dependencies =
            probing::Dependencies { agent: id, tools, intake: intake.clone(), assignments: assigned, clock };
        let probing = Probing::start(dependencies)?;
        let (beats, ending) = (Beats::default(), Arc::<AtomicBool>::default());
        watchdog::watch(beats.clone(), Arc::clone(&ending))?;
        Ok(Self { outbox, intake: Some(intake), agent, probing, assignments, host, beats, ending })
    }

    fn session(
        &self,
        (home, enrolled): (Home, Enrolled),
        dialer: Dialer,
        about: About,
        collectors: Collectors,
        updates: Updates,
    ) -> anyhow::Result<session::Dependencies> {
        Ok(session::Dependencies {
            home,
            enrolled,
            dialer,
            about,
            boot: random()?,
            outbox: self.outbox.clone(),
            intake: self.intake.clone().context("the agent has ended")?,
            assignments: self.assignments.clone(),
            asking: self.probing.asking(),
            host: Arc::clone(&self.host),
            collectors,
            updates,
            clock: Arc::new(SystemClock),
            chance,
            beats: self.beats.clone(),
            tick: TICK,
        })
    }

    /// Collectors first; then the agent's thread writes what is left, and ends.
    fn stop(mut self) {
        self.ending.store(true, Ordering::Relaxed);
        self.probing.stop();
        self.intake = None;
        if self.agent.join().is_err() {
            tracing::error!("the thread of the agent ended by a defect");
        }
    }
}

/// Listens for test packets. A port that nobody asked for need not be free; 0 is none.
fn reflector(port: Option<u16>) -> anyhow::Result<Option<Reflector>> {
    if port == Some(0) {
        return Ok(None);
    }
    match Reflector::everywhere(port.unwrap_or(REFLECTOR)) {
        Ok(reflector) => Ok(Some(reflector)),
        Err(error) if port.is_some() => Err(error.into()),
        Err(error) => {
            let error = one_line(&error);
            tracing::warn!(
                error,
                "test packets of other agents are not answered: choose another port with --reflector"
            );
            Ok(None)
        }
    }
}

/// Answers test packets of the agents that the server names, and of `said`. A reflector that fails takes nothing else with it.
async fn reflect(
    reflector: Option<Reflector>,
    said: Vec<Network>,
    assigned: watch::Receiver<Arc<netwatch_model::Assignment>>,
    collectors: Collectors,
) -> Infallible {
    let Some(reflector) = reflector else { return std::future::pending().await };
    collectors.reflector(Ok(()));
    reflecting::answer(reflector, said, assigned).await;
    tracing::error!("the reflector ended by a defect: test packets are not answered any more");
    collectors.reflector(Err("it ended by a defect: start the agent again, and tell us of it".to_owned()));
    std::future::pending().await
}

/// Serves throughput tests of the agents that the server names, while it names some.
async fn serve(
    port: Option<u16>,
    assigned: watch::Receiver<Arc<netwatch_model::Assignment>>,
    collectors: Collectors,
) -> Infallible {
    if let Some(port) = throughput_port(port) {
        let tell = |told: Result<(), ServingError>| {
            let blocked =
                told.err().map(|error| format!("{}: choose another port with --throughput", one_line(&error)));
            if let Some(error) = &blocked {
                tracing::warn!(error, "throughput tests of other agents are not served");
            }
            collectors.serving(blocked);
        };
        serving::serve_while_named(port, assigned, tell).await;
    }
    std::future::pending().await
}

/// Where throughput tests of other agents are served; 0 is none.
pub(super) fn throughput_port(said: Option<u16>) -> Option<u16> {
    Some(said.unwrap_or(throughput::PORT)).filter(|port| *port > 0)
}

fn about(args: &AgentRunArgs, install: Install, reflector: Option<&Reflector>) -> About {
    About {
        version: crate::version::short().to_owned(),
        name: args.name.clone().unwrap_or_else(host_name),
        labels: args.label.iter().cloned().collect(),
        install,
        reflector_port: reflector.and_then(|one| Some(one.addresses().first()?.port())),
        throughput_port: throughput_port(args.throughput),
    }
}

fn random() -> anyhow::Result<u64> {
    let number = getrandom::u64().context("the operating system gives no random bytes")?;
    Ok(number.max(1))
}

/// A number in 0..1; without random bytes, one in the middle.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}
