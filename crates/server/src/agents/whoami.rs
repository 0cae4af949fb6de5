//! What the server knows of the address from which an agent is seen: so that a site without the internet needs no outside service.
//!
//! Limits: [`LOOKUPS`] questions to the resolver at once, [`PATIENCE`] for each, [`KEPT`] answers for an hour; with more all are
//! forgotten. A resolver that does not answer holds one of the threads for blocking work until it gives up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_api::agent::v1::WhoAmIReply;
use netwatch_model::Untrusted;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::os;
use crate::app::App;

const LOOKUPS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(3);
const KEPT: usize = 8192;
const LIFE: Duration = Duration::from_secs(3600);

/// Names of addresses.
#[derive(Debug)]
pub(super) struct Names {
    turns: Arc<Semaphore>,
    kept: Mutex<HashMap<IpAddr, (Duration, Untrusted)>>,
}

impl Default for Names {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(LOOKUPS)), kept: Mutex::default() }
    }
}

impl Names {
    /// The name of an address; empty when it has none, or nobody says so in time.
    async fn of(&self, address: IpAddr, now: Duration) -> Untrusted {
        if let Some(name) = self.recall(address, now) {
            return name;
        }
        // The permit is given back when the resolver is done, not when nobody waits any more.
        let Ok(Ok(turn)) = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await else {
            return Untrusted::default();
        };
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            os::name_of(address)
        });
        let name = match timeout(PATIENCE, asked).await {
            Ok(Ok(name)) => name.map(|name| Untrusted::from_bytes(&name)).unwrap_or_default(),
            _ => return Untrusted::default(),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(address, (now, name.clone()));
        name
    }

    fn recall(&self, address: IpAddr, now: Duration) -> Option<Untrusted> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&address).filter(|(since, _)| now.saturating_sub(*since) < LIFE).map(|(_, name)| name.clone())
    }
}

/// The answer.
pub(super) async fn answer(app: &App, names: &Names, address: IpAddr) -> WhoAmIReply {
    let address = address.to_canonical();
    let known = app.history().get().ok().map(|store| store.whereabouts(address)).unwrap_or_default();
    let (asn, organisation) = known.asn.as_ref().map_or((0, ""), |text| split_asn(text.raw()));
    WhoAmIReply {
        address: address.to_string(),
        name: names.of(address, app.monotonic()).await.to_string(),
        country: known.country.map(|country| country.to_string()).unwrap_or_default(),
        asn,
        organisation: organisation.to_owned(),
    }
}

/// `AS64500 Example` is number and name.
fn split_asn(text: &str) -> (u32, &str) {
    let (number, name) = text.split_once(' ').unwrap_or((text, ""));
    number.strip_prefix("AS").and_then(|number| number.parse().ok()).map_or((0, ""), |number| (number, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_name_are_told_apart() {
        assert_eq!(split_asn("AS64500 Example Networks"), (64500, "Example Networks"));
        assert_eq!((split_asn("AS64500"), split_asn("nothing"), split_asn("")), ((64500, ""), (0, ""), (0, "")));
    }

    #[tokio::test]
    async fn a_name_is_asked_for_once() {
        let names = Names::default();
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let first = names.of(loopback, Duration::ZERO).await;
        assert_eq!(names.recall(loopback, LIFE - Duration::from_secs(1)), Some(first));
        assert_eq!(names.recall(loopback, LIFE), None);
    }
}
