//! The collector of probes in this process, as the server tells it what to measure, and its reflector.
//!
//! When agents of other hosts are served, the server is told where this host is reached, so that they can measure it. The reflector listens
//! only while the server says that somebody does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use netwatch_agent::probing::{Asking, Dependencies};
use netwatch_agent::serving::{self, ServingError};
use netwatch_agent::{Intake, Probing, reflecting};
use netwatch_model::assignment::NarrowedRun;
use netwatch_model::people::AgentInfo;
use netwatch_model::probe::ProbeResult;
use netwatch_model::{AgentId, Assignment};
use netwatch_probes::reflector::ReflectorError;
use netwatch_probes::{Rights, Tools};
use netwatch_server::{Live, Policy, Prober};
use netwatch_telemetry::clock::SystemClock;
use tokio::sync::watch;

use crate::config::agents::Agents;
use crate::failure::one_line;

/// How often it is looked where this host is reached.
const LOOK: Duration = Duration::from_secs(60);

/// Starts it, and joins it to the server. Blocks; call it on the runtime of the server.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    agent: AgentId,
    rights: Arc<dyn Rights>,
    intake: Intake,
    live: &Live,
    agents: &Agents,
) -> anyhow::Result<Probing> {
    let (assignments, assigned) = watch::channel(Arc::default());
    let tools = Tools::new(Arc::new(Policy::default()), rights);
    let clock = Arc::new(SystemClock);
    let dependencies = Dependencies { agent, tools, intake, assignments: assigned.clone(), clock };
    let probing = Probing::start(dependencies).map_err(anyhow::Error::new)?;
    live.probing_by(Arc::new(Local { assignments, asking: probing.asking() }));
    if agents.listen.is_some() {
        serve_tests(agents.throughput, assigned.clone());
        meet_others(agents, assigned, live);
    }
    Ok(probing)
}

/// Others can measure this host from here on.
fn meet_others(agents: &Agents, assigned: watch::Receiver<Arc<Assignment>>, live: &Live) {
    let port = agents.reflector;
    let (told, answering) = watch::channel(port);
    tokio::spawn(say_where(live.clone(), answering, agents.throughput));
    if let Some(port) = port {
        let tell = move |blocked: Result<(), ReflectorError>| {
            if let Err(error) = &blocked {
                let error = one_line(error);
                tracing::warn!(
                    error,
                    "test packets of agents are not answered: choose another port with agents.reflector"
                );
            }
            told.send_replace(blocked.is_ok().then_some(port));
        };
        tokio::spawn(reflecting::answer_while_named(port, assigned, tell));
    }
}

/// Serves throughput tests of agents, while the server says that some make one.
fn serve_tests(port: Option<u16>, assigned: watch::Receiver<Arc<Assignment>>) {
    let tell = |told: Result<(), ServingError>| {
        if let Err(error) = told {
            let error = one_line(&error);
            tracing::warn!(
                error,
                "throughput tests of agents are not served: choose another port with agents.throughput"
            );
        }
    };
    if let Some(port) = port {
        tokio::spawn(serving::serve_while_named(port, assigned, tell));
    }
}

/// Tells the server where this host is reached, and at which port its reflector can be.
async fn say_where(live: Live, mut answering: watch::Receiver<Option<u16>>, throughput_port: Option<u16>) {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            // Without a reflector nothing is ever told.
            Ok(()) = answering.changed() => {}
        }
        let port = *answering.borrow_and_update();
        let addresses = match netwatch_probes::host::addresses().await {
            Ok(addresses) => addresses,
            Err(why) => {
                tracing::warn!(why, "other agents are not told anew where this host is reached");
                continue;
            }
        };
        let (reflector_port, keyed_reflector) = (port, true);
        let info = AgentInfo { addresses, reflector_port, keyed_reflector, throughput_port, ..AgentInfo::default() };
        let live = live.clone();
        // A defect there has been logged, and ends nothing here.
        let _done = tokio::task::spawn_blocking(move || live.own_agent_is(info)).await;
    }
}

/// The agent of this process.
struct Local {
    assignments: watch::Sender<Arc<Assignment>>,
    asking: Asking,
}

impl Prober for Local {
    fn assign(&self, assignment: Assignment) {
        // It is kept for a collector that has not begun to listen.
        self.assignments.send_replace(Arc::new(assignment));
    }

    fn run(&self, run: NarrowedRun) -> Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>> {
        let asking = self.asking.clone();
        Box::pin(async move { asking.run(run).await })
    }
}
