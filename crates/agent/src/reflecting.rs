//! The reflector of an agent: test packets of other agents are answered as the assignment says.
//!
//! Whom the server names with keys is answered in authenticated mode alone; whom it names without (this agent was thought to be of an older
//! version) and whom the configuration names are answered as the reflector is. With an older server nobody has keys.

use std::sync::Arc;

use netwatch_egress::Network;
use netwatch_model::Assignment;
use netwatch_probes::reflector::{Handle, Reflector, ReflectorError};
use tokio::sync::watch;

use crate::demand;

/// Answers the agents that the assignment names, and `said`, until the reflector ends.
pub async fn answer(reflector: Reflector, said: Vec<Network>, mut assigned: watch::Receiver<Arc<Assignment>>) {
    let handle = reflector.handle();
    let heed = async {
        loop {
            let assignment = Arc::clone(&assigned.borrow_and_update());
            allow(&handle, &said, &assignment);
            if assigned.changed().await.is_err() {
                // Nobody says anything new any more.
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = reflector.run() => {}
        () = heed => {}
    }
}

/// Answers the agents that the assignment names, and listens at that port only while it names some. A port that cannot be listened at is
/// told, tried again every minute, and told again when it can. Ends when nobody says anything new any more.
pub async fn answer_while_named(
    port: u16,
    assigned: watch::Receiver<Arc<Assignment>>,
    tell: impl FnMut(Result<(), ReflectorError>),
) {
    let serve = |reflector, assigned| answer(reflector, Vec::new(), assigned);
    demand::serve_while(assigned, names_somebody, || Reflector::everywhere(port), serve, tell).await;
}

fn names_somebody(assignment: &Assignment) -> bool {
    !(assignment.reflect.is_empty() && assignment.senders.is_empty())
}

fn allow(handle: &Handle, said: &[Network], assignment: &Assignment) {
    let named = assignment.reflect.iter().copied().map(Network::from);
    handle.allow(said.iter().copied().chain(named).collect(), &assignment.senders);
}

#[cfg(test)]
mod tests;
