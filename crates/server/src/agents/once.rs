//! Measurements that are made once, between agents: each hears of it first, so that the other one is answered.
//!
//! For as long as such a measurement is made ([`Asked`]) its agents answer each other as they do for a probe that is kept: it stands beside
//! the plan. Both are told at once, and it begins when they have said that they run what they were told, or after [`PATIENCE`]: an agent
//! that is away keeps nobody waiting.
//!
//! Limits: [`MOST`] at once.

use std::sync::PoisonError;
use std::time::Duration;

use netwatch_model::AgentId;
use netwatch_model::people::{Agent, WorkspaceId};
use netwatch_model::probe::ProbeSpec;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::plan::Once;
use super::{Agents, Look};
use crate::app::App;

/// Measurements between agents that are made at once.
const MOST: usize = 64;
/// How long agents may take to be told.
const PATIENCE: Duration = Duration::from_secs(3);
/// After so long the server's own agent listens for those of which it was told.
const LISTENS: Duration = Duration::from_millis(20);

/// Why a measurement between agents is not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotAsked {
    /// The agent would measure itself.
    Itself,
    /// There are as many as there may be.
    Busy,
}

/// A measurement that is being made. Its agents forget each other when this is dropped.
pub(crate) struct Asked {
    app: App,
    number: u64,
    once: Once,
    /// Who measures what, the answer first.
    pub(crate) parts: Vec<(AgentId, ProbeSpec)>,
}

/// Those that are being made.
#[derive(Debug, Default)]
pub(super) struct Onces {
    number: u64,
    all: Vec<(u64, Once)>,
}

impl Onces {
    pub(super) fn all(&self) -> Vec<Once> {
        self.all.iter().map(|(_, once)| once.clone()).collect()
    }
}

impl Asked {
    /// Makes both agents ready for a measurement by `here`, when its target is an agent that the workspace knows.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) async fn begin(
        app: &App,
        workspace: WorkspaceId,
        here: AgentId,
        spec: &ProbeSpec,
    ) -> Result<Self, NotAsked> {
        let agents = app.agents();
        let (once, parts) = {
            let (plan, registry) = (agents.plan(), agents.registry());
            let once = plan.once(workspace, here, spec, &registry).ok_or(NotAsked::Itself)?;
            let parts = plan.parts(&once, &registry);
            (once, parts)
        };
        let number = agents.add_once(&once)?;
        let asked = Self { app: app.clone(), number, once, parts };
        if let Some(ends) = asked.once.ends() {
            let told = ends.map(|end| tell(app, end));
            let _too_late = timeout(PATIENCE, futures_util::future::join_all(told)).await;
        }
        Ok(asked)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.app.agents().remove_once(self.number);
        for end in self.once.ends().into_iter().flatten() {
            if end == Agent::OWN {
                let app = self.app.clone();
                tokio::task::spawn_blocking(move || app.assign_own());
            } else {
                self.app.agents().look_again(end);
            }
        }
    }
}

/// Returns when an agent runs what it is to run now. One that is not connected is not waited for.
async fn tell(app: &App, agent: AgentId) {
    if agent == Agent::OWN {
        let app = app.clone();
        // A defect there has been logged.
        let _done = tokio::task::spawn_blocking(move || app.assign_own()).await;
        tokio::time::sleep(LISTENS).await;
    } else if let Some(looked) = app.agents().look_again(agent)
        && let Ok(revision) = looked.await
    {
        app.agents().applied(agent, revision).await;
    }
}

impl Agents {
    /// Those that are being made now.
    pub(super) fn onces(&self) -> Vec<Once> {
        self.onces.lock().unwrap_or_else(PoisonError::into_inner).all()
    }

    fn add_once(&self, once: &Once) -> Result<u64, NotAsked> {
        let mut onces = self.onces.lock().unwrap_or_else(PoisonError::into_inner);
        if once.ends().is_some() && onces.all.len() >= MOST {
            return Err(NotAsked::Busy);
        }
        onces.number += 1;
        let number = onces.number;
        if once.ends().is_some() {
            onces.all.push((number, once.clone()));
        }
        Ok(number)
    }

    fn remove_once(&self, number: u64) {
        self.onces.lock().unwrap_or_else(PoisonError::into_inner).all.retain(|(other, _)| *other != number);
    }

    /// Has the session of an agent look whether its assignment is another one; says which one it is then.
    fn look_again(&self, agent: AgentId) -> Option<oneshot::Receiver<u64>> {
        let session = self.registry().session_of(agent)?;
        let (look, looked): (Look, _) = oneshot::channel();
        self.links().get(&session)?.looks.try_send(look).ok()?;
        Some(looked)
    }

    /// Returns when an agent has said that it runs an assignment.
    async fn applied(&self, agent: AgentId, revision: u64) {
        let mut beats = self.beats.subscribe();
        let runs = |_: &u64| self.registry().applied(agent).is_none_or(|applied| applied >= revision);
        // It is never closed while `self` is there.
        let _told = beats.wait_for(runs).await;
    }
}
