//! What can change while the server runs, without a restart.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use netwatch_api::control::Reload;
use netwatch_model::Event;
use netwatch_model::people::AgentInfo;
use netwatch_storage::TelemetryStore;

use crate::access::By;
use crate::agents::{AgentRules, AgentServer, AgentsConfig, AgentsError};
use crate::app::App;
use crate::blackbox::Modules;
use crate::control::{Control, audit_reload};
use crate::gate::AllowedHosts;
use crate::history::StorageRules;
use crate::ingest::Ingest;
use crate::intake::Intake;
use crate::limits::Rate;
use crate::probes::{ProbePolicy, Prober};

/// A handle on a server, good before and while it runs. Clones act on the same server.
#[derive(Clone)]
pub struct Live {
    app: App,
    hosts: Arc<ArcSwap<AllowedHosts>>,
    listen: SocketAddr,
}

impl Live {
    pub(crate) fn new(app: App, hosts: Arc<ArcSwap<AllowedHosts>>, listen: SocketAddr) -> Self {
        Self { app, hosts, listen }
    }

    /// The process around the server can be steered from here on.
    pub fn controlled_by(&self, control: Arc<dyn Control>) {
        self.app.slots().0.fill(control);
    }

    /// Records of programs go there from here on.
    pub fn taking_in_by(&self, intake: Arc<dyn Intake>) {
        self.app.slots().1.fill(intake);
    }

    /// History is asked of that store from here on, which keeps as much as configuration and people say. Blocks.
    pub fn remembered_by(&self, store: Arc<dyn TelemetryStore>) {
        self.app.history().fill(store);
        self.app.apply_all_to_store();
        self.app.recall_probes();
    }

    /// Probes run there from here on. Blocks.
    pub fn probing_by(&self, prober: Arc<dyn Prober>) {
        self.app.prober().fill(prober);
        self.app.join_agents();
    }

    /// Probes may measure what `policy` says, from here on; agents hear of it at once. Blocks.
    pub fn set_probe_policy(&self, policy: ProbePolicy) {
        if *self.app.prober().policy() != policy {
            self.app.prober().set_policy(policy);
            self.app.assign_probes();
        }
    }

    /// What the agent of this process says of itself from here on: where others reach it, and its reflector. Blocks.
    pub fn own_agent_is(&self, info: AgentInfo) {
        self.app.own_agent_is(info);
    }

    /// When agents count as silent, from here on.
    pub fn set_agent_rules(&self, rules: AgentRules) {
        self.app.agents().set_rules(rules);
    }

    /// Agents are told that the server stops; what serves them ends.
    pub fn stop_agents(&self) {
        self.app.agents().stopping.cancel();
    }

    /// Agents can come in from here on: what serves them; what they send goes into that log. Blocks.
    ///
    /// # Errors
    /// When the key cannot be loaded or made, or the system gives no thread.
    pub fn serve_agents(&self, config: AgentsConfig, ingest: Arc<Ingest>) -> Result<AgentServer, AgentsError> {
        let server = AgentServer::build(self.app.clone(), config, ingest)?;
        self.app.join_agents();
        Ok(server)
    }

    /// Scrapes in the way of blackbox_exporter have these modules from here on.
    pub fn set_modules(&self, modules: Modules) {
        self.app.blackbox().set(modules);
    }

    /// The configuration says that of the store from here on. Blocks.
    pub fn set_storage_rules(&self, rules: StorageRules) {
        self.app.set_storage_rules(rules);
    }

    /// Under these names, beside loopback and the listen address, the server may be reached from here on.
    pub fn set_hosts(&self, hosts: &[String]) {
        self.hosts.store(Arc::new(AllowedHosts::new(self.listen, hosts)));
    }

    /// An address, and a session or token, may ask so often from here on; none is no limit.
    pub fn set_rate(&self, rate: Option<Rate>) {
        self.app.limits().set(rate, rate);
    }

    /// Writes into the audit log what a reload changed that nobody asked for through the API. Calls block.
    pub fn audit_reload(&self, report: &Reload) {
        if let Err(error) = audit_reload(self.app.access(), &By::system(), report) {
            tracing::error!(%error, "what a reload changed is not in the audit log");
        }
    }

    /// Tells what happened in the process around the server.
    pub fn note(&self, event: Event) {
        self.app.store().note_events([event]);
    }
}
