//! The collector of probes in this process, as the server tells it what to measure.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use netwatch_agent::probing::{Asking, Dependencies};
use netwatch_agent::{Intake, Probing};
use netwatch_model::probe::{ProbeResult, ProbeSpec};
use netwatch_model::{AgentId, Assignment};
use netwatch_probes::{Rights, Tools};
use netwatch_server::{Live, Policy, ProbePolicy, Prober};
use netwatch_telemetry::clock::SystemClock;
use tokio::sync::watch;

/// Starts it, and joins it to the server. Blocks.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    agent: AgentId,
    rights: Arc<dyn Rights>,
    intake: Intake,
    live: &Live,
    policy: ProbePolicy,
) -> anyhow::Result<Probing> {
    let (assignments, assigned) = watch::channel(Arc::default());
    let tools = Tools::new(Arc::new(Policy::default()), rights);
    let dependencies = Dependencies { agent, tools, intake, assignments: assigned, clock: Arc::new(SystemClock) };
    let probing = Probing::start(dependencies).map_err(anyhow::Error::new)?;
    live.probing_by(Arc::new(Local { assignments, asking: probing.asking() }), policy);
    Ok(probing)
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

    fn run(&self, spec: ProbeSpec) -> Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>> {
        let asking = self.asking.clone();
        Box::pin(async move { asking.run(spec).await })
    }
}
