//! What an agent reads of its own host: the kinds `system` and `network`.
//!
//! Why: a path that is slow is often slow because of the machine at its end. What: files of `/proc` and the tables of rtnetlink, read as
//! they are and judged nowhere. [`Host`] keeps what must be known between two readings: how busy the processors were, and how the server
//! sees this host. `changed` tells when addresses or routes have changed.
//!
//! On macOS and Windows the libraries `sysinfo` and `netdev` read the same, without routes and without telling of changes.
//!
//! Limits: what cannot be read is empty, so that a reading without `/proc/net` is still one.

mod container;
#[cfg_attr(not(target_os = "linux"), path = "host/elsewhere/network.rs")]
mod network;
#[cfg_attr(not(target_os = "linux"), path = "host/elsewhere/system.rs")]
mod system;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::probe::kind::network::PublicAddress;
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeKind};
use netwatch_telemetry::clock;
use tokio::sync::Notify;

use crate::run::Ran;
use crate::tools::Tools;

pub use container::kind as container;
pub use network::{Changes, addresses};

/// How long the first reading waits, so that there is a share of the processors' time.
const FIRST_SHARE: Duration = Duration::from_millis(300);

/// What is known between two readings.
#[derive(Debug, Default)]
pub struct Host {
    ticks: Mutex<Option<system::Ticks>>,
    public: Mutex<Option<PublicAddress>>,
    public_changed: Notify,
}

impl Host {
    /// How the server sees this host; true when that is new.
    pub fn set_public(&self, address: Option<PublicAddress>) -> bool {
        let mut public = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *public != address;
        *public = address;
        if is_new {
            self.public_changed.notify_one();
        }
        is_new
    }

    /// Waits until the server sees this host another way than before.
    pub async fn public_changed(&self) {
        self.public_changed.notified().await;
    }

    fn public(&self) -> Option<PublicAddress> {
        self.public.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn last_ticks(&self) -> Option<system::Ticks> {
        *self.ticks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_ticks(&self, ticks: Option<system::Ticks>) {
        *self.ticks.lock().unwrap_or_else(PoisonError::into_inner) = ticks;
    }
}

/// Reads one of the kinds that are about the own host.
pub(crate) async fn run(kind: ProbeKind, tools: &Tools) -> Ran {
    let began = clock::monotonic();
    let read = match kind {
        ProbeKind::Network => network::read(tools.host.public()).await.map(|read| Detail::Network(Box::new(read))),
        _ => read_system(&tools.host).await.map(|read| Detail::System(Box::new(read))),
    };
    match read {
        Ok(detail) => {
            let duration = Some(clock::monotonic().saturating_sub(began));
            Ran { detail: Some(detail), duration, ..Ran::default() }
        }
        Err(why) => Failure::new(FailureReason::Agent, &why).into(),
    }
}

async fn read_system(host: &Host) -> Result<netwatch_model::probe::kind::system::SystemInformation, String> {
    if host.last_ticks().is_none() {
        host.keep_ticks(system::Ticks::read());
        tokio::time::sleep(FIRST_SHARE).await;
    }
    let before = host.last_ticks();
    let now = clock::now();
    // A file system that does not answer holds up this thread and nobody else.
    let read = tokio::task::spawn_blocking(move || system::read(before, now)).await;
    let (information, ticks) = read.map_err(|_| "reading this host ended by a defect".to_owned())??;
    host.keep_ticks(ticks);
    Ok(information)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Arc;

    use netwatch_egress::Policy;
    use netwatch_model::AgentId;
    use netwatch_model::probe::{ProbeSpec, Trigger};

    use super::*;
    use crate::{Occasion, OwnRights};

    async fn read(kind: ProbeKind, tools: &Tools) -> Detail {
        let occasion = Occasion { probe: None, agent: AgentId(1), scheduled: clock::now(), trigger: Trigger::Request };
        let result = crate::run(&ProbeSpec::new(kind, ""), occasion, tools).await;
        assert_eq!(result.failure, None);
        result.detail.expect("something was read")
    }

    #[tokio::test]
    async fn this_host_is_read() {
        let tools = Tools::new(Arc::new(Policy::default()), Arc::new(OwnRights));
        let Detail::System(system) = read(ProbeKind::System, &tools).await else { panic!("another kind") };
        assert!(system.memory.total > system.memory.available, "{:?}", system.memory);
        assert!(system.cpu.logical > 0 && system.cpu.busy.is_some_and(|busy| (0.0..=1.0).contains(&busy)));
        assert!(system.interfaces.iter().any(|carried| carried.name.raw() == "lo"), "{:?}", system.interfaces);
        assert!(system.uptime > 0.0 && system.processes > 0);
    }

    #[tokio::test]
    async fn its_network_is_read_with_what_the_server_said() {
        let tools = Tools::new(Arc::new(Policy::default()), Arc::new(OwnRights));
        let seen = PublicAddress {
            address: [192, 0, 2, 9].into(),
            name: None,
            country: None,
            asn: Some(64_500),
            organisation: None,
        };
        assert!(tools.host.set_public(Some(seen.clone())));
        assert!(!tools.host.set_public(Some(seen.clone())), "it is the same");
        let Detail::Network(network) = read(ProbeKind::Network, &tools).await else { panic!("another kind") };
        let lo = network.interfaces.iter().find(|interface| interface.name.raw() == "lo").expect("there is always one");
        assert!(lo.index > 0 && lo.mtu > 0);
        assert_eq!(network.public, Some(seen));
    }
}
