//! The server's own agent as an object like all others: it is made at the first start, in the first workspace, named after the host.
//!
//! It has no session. What it says of itself (its addresses, its reflector) comes from the process around the server, and others measure it
//! with that as they measure each other.

use std::fs;
use std::net::IpAddr;

use netwatch_model::Timestamp;
use netwatch_model::people::{Agent, AgentInfo, AgentOrigin, DisplayName, WorkspaceId};
use netwatch_model::probe::spec::split_port;

use crate::app::App;

/// What it is called when the host has no name.
const NAMELESS: &str = "this machine";

impl App {
    /// Makes the server's own agent when it is missing, and takes over all others. Blocks.
    pub(crate) fn join_agents(&self) {
        let (home, name) = (self.access().home(), host_name());
        let found = self.access().entities().read(|tx| tx.find::<Agent>(home, Agent::OWN));
        let made = match found {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.access().change(move |tx| tx.insert(&own(home, name, tx.now())).map(drop)),
            Err(error) => Err(error),
        };
        if let Err(error) = made {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the agent of this machine is not kept as an object: it works all the same");
        }
        self.agents_changed();
    }

    /// What the server's own agent says of itself. Others are told when they reach it elsewhere than before. Blocks.
    pub(crate) fn own_agent_is(&self, info: AgentInfo) {
        // Under which others reach the server, it is seen by them.
        let place = self.agents().served().and_then(|served| served.address.clone());
        let seen = place.and_then(|place| split_port(&place, None)?.0.parse::<IpAddr>().ok());
        let moved = self.agents().registry().put_info(Agent::OWN, info, seen);
        if moved && self.agents().plan().has_pairs() {
            self.assign_probes();
        }
    }

    /// The server's own agent, as it is kept or would be.
    pub(crate) fn own_agent(&self) -> Agent {
        let kept = self.agents().registry().agent(Agent::OWN).map(|agent| Agent::clone(agent));
        kept.unwrap_or_else(|| own(self.access().home(), host_name(), self.now()))
    }
}

fn own(workspace: WorkspaceId, name: DisplayName, created: Timestamp) -> Agent {
    Agent {
        id: Agent::OWN,
        workspace,
        name,
        origin: AgentOrigin::Local,
        key: None,
        enabled: true,
        global: false,
        labels: Default::default(),
        group: None,
        location: None,
        created,
    }
}

/// The name of this host, as the kernel has it.
fn host_name() -> DisplayName {
    let text = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    DisplayName::made_of(&text, NAMELESS)
}
