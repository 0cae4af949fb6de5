//! Names of hops, by the resolver of the system (PTR).
//!
//! Names are looked up after the trace, all together, so that a slow resolver costs at most [`PATIENCE`] and disturbs no measurement.
//!
//! Limits: [`AT_ONCE`] questions at a time; [`MAX_NAMES`] names are remembered, an hour each and five minutes if there is none. A question
//! that is not answered in time keeps its thread until the resolver gives up; its answer is remembered then.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::Untrusted;
use netwatch_model::probe::kind::mtr::Trace;
use netwatch_telemetry::clock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[cfg_attr(windows, path = "names/windows.rs")]
mod os;

const AT_ONCE: usize = 16;
const MAX_NAMES: usize = 20_000;
const PATIENCE: Duration = Duration::from_secs(3);
const KEPT: Duration = Duration::from_secs(3600);
const KEPT_WITHOUT: Duration = Duration::from_secs(300);

/// The names that are known.
#[derive(Debug)]
pub(super) struct Names {
    known: Arc<Mutex<HashMap<IpAddr, Known>>>,
    turns: Arc<Semaphore>,
}

#[derive(Clone, Debug)]
struct Known {
    name: Option<Untrusted>,
    until: Duration,
}

impl Default for Names {
    fn default() -> Self {
        Self { known: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Names {
    /// Gives the hops of a trace their names, as far as they are found in time.
    pub(super) async fn look_up(&self, trace: &mut Trace) {
        let hops = || trace.paths.iter().flat_map(|path| &path.hops);
        let wanted: BTreeSet<IpAddr> = hops().filter_map(|hop| hop.address).collect();
        let mut asked = JoinSet::new();
        for address in wanted.into_iter().filter(|address| self.known(*address).is_none()) {
            asked.spawn(ask(address, Arc::clone(&self.known), Arc::clone(&self.turns)));
        }
        let all = async { while asked.join_next().await.is_some() {} };
        // Whoever is late is known in the next trace; questions go on without us.
        let _ = tokio::time::timeout(PATIENCE, all).await;
        asked.detach_all();
        for hop in trace.paths.iter_mut().flat_map(|path| &mut path.hops) {
            hop.name = hop.address.and_then(|address| self.known(address)).and_then(|known| known.name);
        }
    }

    fn known(&self, address: IpAddr) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&address).filter(|known| known.until > clock::monotonic()).cloned()
    }
}

async fn ask(address: IpAddr, known: Arc<Mutex<HashMap<IpAddr, Known>>>, turns: Arc<Semaphore>) {
    // The semaphore is never closed.
    let Ok(turn) = turns.acquire_owned().await else { return };
    let asked = tokio::task::spawn_blocking(move || {
        let name = os::name_of(address).map(|name| Untrusted::from_bytes(&name));
        drop(turn);
        name
    });
    let Ok(name) = asked.await else { return };
    let until = clock::monotonic() + if name.is_some() { KEPT } else { KEPT_WITHOUT };
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MAX_NAMES {
        // The one that ends first is missed least.
        let first = known.iter().min_by_key(|(_, known)| known.until).map(|(address, _)| *address);
        first.map(|first| known.remove(&first));
    }
    known.insert(address, Known { name, until });
}
