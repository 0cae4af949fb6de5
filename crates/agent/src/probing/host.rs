//! What the agent reads of its own host, beside all probes: the kinds without a target, at their intervals and when the network changes.
//!
//! Limits: one reading of a kind at a time; changes of the network are read at most once in [`CALM`].

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::probe::{ProbeKind, ProbeSpec, Trigger};
use netwatch_model::{AgentId, Record};
use netwatch_probes::host::Changes;
use netwatch_probes::{Occasion, Tools};
use netwatch_telemetry::clock::ClockSource;

use crate::Intake;

/// Between two readings that changes asked for.
const CALM: Duration = Duration::from_secs(10);
/// The first readings come soon, so that the page of a new agent is not empty.
const SOON: Duration = Duration::from_secs(2);

/// Reads this host until the task is dropped.
pub(super) async fn watch(agent: AgentId, tools: Tools, intake: Intake, clock: Arc<dyn ClockSource>) {
    let reader = Reader { agent, tools, intake, clock };
    let system = async {
        tokio::time::sleep(SOON).await;
        loop {
            reader.once(ProbeKind::System).await;
            tokio::time::sleep(interval(ProbeKind::System)).await;
        }
    };
    let seen = Arc::clone(&reader.tools.host);
    let mut changes =
        Changes::watch().inspect_err(|error| tracing::warn!(%error, "changes of the network are not noticed")).ok();
    let network = async {
        loop {
            let changed = async {
                tokio::select! {
                    () = next_change(&mut changes) => {}
                    () = seen.public_changed() => {}
                }
            };
            reader.once(ProbeKind::Network).await;
            tokio::time::sleep(CALM).await;
            let interval = interval(ProbeKind::Network).saturating_sub(CALM);
            // Whichever comes first: time, or a change.
            let _ = tokio::time::timeout(interval, changed).await;
        }
    };
    // Neither ends.
    tokio::select! {
        () = system => {}
        () = network => {}
    }
}

async fn next_change(changes: &mut Option<Changes>) {
    let failed = match changes {
        Some(watched) => watched.next().await.is_err(),
        None => std::future::pending().await,
    };
    if failed {
        // What cannot be watched is read at its interval.
        *changes = None;
    }
}

fn interval(kind: ProbeKind) -> Duration {
    Duration::try_from_secs_f64(kind.descriptor().interval).unwrap_or(Duration::from_secs(600))
}

struct Reader {
    agent: AgentId,
    tools: Tools,
    intake: Intake,
    clock: Arc<dyn ClockSource>,
}

impl Reader {
    async fn once(&self, kind: ProbeKind) {
        let scheduled = self.clock.now();
        let occasion = Occasion { probe: None, agent: self.agent, scheduled, trigger: Trigger::Schedule };
        let result = netwatch_probes::run(&ProbeSpec::new(kind, ""), occasion, &self.tools).await;
        if let Some(failure) = &result.failure {
            tracing::warn!(%kind, why = %failure.message, "this host cannot be read");
        }
        // The agent has ended only when the process is ending.
        let _ = self.intake.give(vec![Record::Probe(Box::new(result))]);
    }
}
