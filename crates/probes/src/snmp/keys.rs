//! Keys of users of version 3, derived from their passwords once.
//!
//! Why: a key is the hash of a megabyte of its password (RFC 3414, A.2), twice with encryption: milliseconds of a processor for a request
//! of microseconds. What: the keys of the last [`MOST`] pairs of passwords, found by a hash of them; an engine's own keys are one short hash
//! away. Limits: when it is full, the one that was not used for longest makes room.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_snmp::{AuthProtocol, MasterKeys, PrivProtocol};
use ring::digest::{Context, SHA256};

use super::auth_protocol;

/// The most keys that are remembered.
const MOST: usize = 1024;

/// Says which passwords and protocols: a hash of them.
type Name = [u8; 32];

/// Keys that were derived.
#[derive(Default)]
pub(super) struct Keys(Mutex<Known>);

#[derive(Default)]
struct Known {
    keys: HashMap<Name, (MasterKeys, u64)>,
    uses: u64,
    derived: u64,
}

/// What a user of version 3 has.
#[derive(Clone, Copy)]
pub(super) struct Passwords<'a> {
    /// Protocol, as the option says it, and password.
    pub(super) auth: (&'a str, &'a str),
    /// The same of encryption, when there is any.
    pub(super) privacy: Option<(&'a str, PrivProtocol, &'a str)>,
}

impl Keys {
    /// The keys of passwords; none when they are too short or the protocol is not known.
    pub(super) fn of(&self, passwords: Passwords<'_>) -> Option<MasterKeys> {
        let name = name(passwords);
        if let Some(keys) = self.known(&name) {
            return Some(keys);
        }
        // Nobody waits meanwhile; who derives the same at the same time does it twice.
        let keys = derive(auth_protocol(passwords.auth.0)?, passwords)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.keys.len() >= MOST {
            let oldest = known.keys.iter().min_by_key(|(_, (_, used))| *used).map(|(name, _)| *name);
            oldest.map(|name| known.keys.remove(&name));
        }
        known.uses += 1;
        known.derived += 1;
        let used = known.uses;
        known.keys.insert(name, (keys.clone(), used));
        Some(keys)
    }

    fn known(&self, name: &Name) -> Option<MasterKeys> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.uses += 1;
        let now = known.uses;
        let (keys, used) = known.keys.get_mut(name)?;
        *used = now;
        Some(keys.clone())
    }
}

fn derive(auth: AuthProtocol, passwords: Passwords<'_>) -> Option<MasterKeys> {
    /// RFC 3414, 11.2
    const SHORTEST: usize = 8;
    let said = passwords.auth.1.as_bytes();
    let keys = if said.len() >= SHORTEST { MasterKeys::new(auth, said).ok()? } else { return None };
    match passwords.privacy {
        None => Some(keys),
        Some((_, protocol, password)) if password.as_bytes() == said => keys.with_privacy_same_password(protocol).ok(),
        Some((_, protocol, password)) => keys.with_privacy(protocol, password.as_bytes()).ok(),
    }
}

fn name(passwords: Passwords<'_>) -> Name {
    let (privacy, password) = passwords.privacy.map_or(("", ""), |(word, _, password)| (word, password));
    let mut hash = Context::new(&SHA256);
    for part in [passwords.auth.0, passwords.auth.1, privacy, password] {
        // With its length, so that no other parts have the same name.
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut name = Name::default();
    name.copy_from_slice(hash.finish().as_ref());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn passwords<'a>(auth: &'a str, privacy: &'a str) -> Passwords<'a> {
        Passwords { auth: ("sha256", auth), privacy: Some(("aes128", PrivProtocol::Aes128, privacy)) }
    }

    #[test]
    fn keys_are_derived_once_for_each_pair_of_passwords() {
        let keys = Keys::default();
        let derived = |keys: &Keys| keys.0.lock().expect("nobody panics").derived;
        let first = keys.of(passwords("authpassword", "privpassword")).expect("they are long enough");
        let second = keys.of(passwords("authpassword", "privpassword")).expect("they are long enough");
        assert_eq!(first.auth_master().as_bytes(), second.auth_master().as_bytes());
        assert_eq!(derived(&keys), 1);
        let swapped = keys.of(passwords("privpassword", "authpassword")).expect("they are long enough");
        assert_ne!(first.auth_master().as_bytes(), swapped.auth_master().as_bytes());
        assert_eq!(derived(&keys), 2);
        for (auth, privacy) in [("short", "privpassword"), ("authpassword", "short")] {
            assert!(keys.of(passwords(auth, privacy)).is_none(), "{auth} {privacy}");
        }
    }

    #[test]
    fn the_least_used_makes_room() {
        let keys = Keys::default();
        let one = keys.of(passwords("authpassword", "privpassword")).expect("they are long enough");
        {
            let mut known = keys.0.lock().expect("nobody panics");
            for n in 0..MOST as u64 - 1 {
                let mut name = Name::default();
                name[..8].copy_from_slice(&n.to_be_bytes());
                known.keys.insert(name, (one.clone(), n + 10));
            }
        }
        let full = |keys: &Keys| keys.0.lock().expect("nobody panics").keys.len();
        assert_eq!(full(&keys), MOST);
        keys.of(passwords("anotherpassword", "privpassword")).expect("they are long enough");
        assert_eq!(full(&keys), MOST);
        assert!(keys.known(&name(passwords("authpassword", "privpassword"))).is_none(), "it was the oldest");
    }
}
