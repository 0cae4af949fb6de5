//! Whom a reflector answers, and what they must show for it.
//!
//! Who has keys is answered when a packet is authentic by one of them, and only then, also when it stands in a network that is answered.
//! Several agents may send from one address (behind a translator), so that an address has the keys of all of them.
//!
//! Limits: [`MAX_KEYS`] keys of an address; those beyond are left out, and logged.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use netwatch_egress::Network;
use netwatch_model::assignment::Sender;
use netwatch_wire::stamp::{Key, Sent, StampError};

/// Keys of an address that are tried.
const MAX_KEYS: usize = 64;

/// Whom a reflector answers.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// This host alone when it is empty.
    networks: Vec<Network>,
    /// Of who stands in these networks; plain packets are answered without.
    key: Option<Arc<[Key]>>,
    senders: HashMap<IpAddr, Arc<[Key]>>,
}

/// What a source must show.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    /// Nothing.
    Plain,
    /// That it has one of these keys.
    Keyed(Arc<[Key]>),
}

impl Known {
    pub(super) fn new(networks: Vec<Network>, key: Option<Key>) -> Self {
        Self { networks, key: key.map(|key| Arc::from([key])), senders: HashMap::new() }
    }

    /// Says anew whose packets are answered; the key of networks stays.
    pub(super) fn set(&mut self, networks: Vec<Network>, senders: &[Sender]) {
        let mut keys: HashMap<IpAddr, Vec<Key>> = HashMap::new();
        for Sender { addresses, keys: own } in senders {
            for address in addresses {
                let all = keys.entry(address.to_canonical()).or_default();
                all.extend(own.iter().map(|key| Key::new(key.as_str().as_bytes())));
            }
        }
        for (address, keys) in &mut keys {
            if keys.len() > MAX_KEYS {
                tracing::warn!(%address, "more than {MAX_KEYS} keys of one address: agents that share it are not all answered");
                keys.truncate(MAX_KEYS);
            }
        }
        self.networks = networks;
        self.senders = keys.into_iter().map(|(address, keys)| (address, Arc::from(keys))).collect();
    }

    /// What a source must show; none when it is a stranger.
    pub(super) fn mode(&self, address: IpAddr) -> Option<Mode> {
        if let Some(keys) = self.senders.get(&address) {
            return Some(Mode::Keyed(Arc::clone(keys)));
        }
        let is_known = match self.networks.as_slice() {
            [] => address.is_loopback(),
            networks => networks.iter().any(|network| network.contains(address)),
        };
        is_known.then(|| self.key.clone().map_or(Mode::Plain, Mode::Keyed))
    }
}

impl Mode {
    /// Reads a packet, and tells with which key it is authentic.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<(Sent, Option<Key>), StampError> {
        let Self::Keyed(keys) = self else { return Sent::decode(bytes, None).map(|sent| (sent, None)) };
        let mut read = Err(StampError::NotAuthentic);
        for key in keys.iter() {
            read = Sent::decode(bytes, Some(key)).map(|sent| (sent, Some(key.clone())));
            if !matches!(read, Err(StampError::NotAuthentic)) {
                break;
            }
        }
        read
    }
}
