//! With which keys agents send one another test packets (STAMP, RFC 8762, 4.4).
//!
//! Each ordered pair of agents has a key of its own, derived of the key file ([`Derived`]) and both ids: no agent can pass for another, and
//! what one sends cannot be sent back to it as if it came from the other end. Nothing of it is kept; both ends are told in their assignments,
//! over connections that only they can read. `netwatch rotate-keys` makes all of them new: senders go over at once, and reflectors
//! take the keys before as well.
//!
//! **Versions.** A reflector that does not say that it tells senders apart by keys is not given any, and neither is who sends to it: their
//! packets are plain, and answered by address alone. An agent of any version sends with the key that its probe has.

use netwatch_entities::{Derived, Entities};
use netwatch_model::AgentId;
use netwatch_model::probe::pair::{End, Keys, PairKey};

/// What sets these secrets apart from others of the same file. Another text would make all keys new.
const PURPOSE: &str = "netwatch: test packets from agent to agent";

/// The keys of all pairs. Without a key file, in tests, there are none.
#[derive(Clone, Debug, Default)]
pub(crate) struct PairKeys(Derived);

impl PairKeys {
    /// Those of the key file as it is now.
    pub(crate) fn read(entities: &Entities) -> Self {
        Self(entities.derived(PURPOSE))
    }

    /// With which keys packets of `from` are authentic for `to`, the one that it uses first; none when `to` cannot tell.
    pub(super) fn between(&self, from: AgentId, to: &End) -> Vec<PairKey> {
        if !to.keyed {
            return Vec::new();
        }
        let mut name = from.0.to_be_bytes().to_vec();
        name.extend(to.agent.0.to_be_bytes());
        self.0.of(&name).iter().map(PairKey::of).collect()
    }

    /// What two agents use.
    pub(super) fn of(&self, here: &End, there: &End) -> Keys {
        let first = |from: &End, to: &End| self.between(from.agent, to).into_iter().next();
        Keys { there: first(here, there), back: first(there, here) }
    }
}

#[cfg(test)]
mod tests {
    use netwatch_entities::Vault;

    use super::*;

    fn end(agent: u64, keyed: bool) -> End {
        End { agent: AgentId(agent), reflector: Some(8862), keyed, ..End::default() }
    }

    #[test]
    fn each_ordered_pair_has_its_own_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys = PairKeys(Vault::open(&folder.path().join("secrets.key")).unwrap().derived(PURPOSE));
        let all = [(1, 2), (2, 1), (1, 3), (0x0102, 3), (1, 0x0203)];
        let of = |(from, to)| keys.between(AgentId(from), &end(to, true)).remove(0);
        for (at, pair) in all.into_iter().enumerate() {
            assert!(all[..at].iter().all(|other| of(*other) != of(pair)), "{pair:?}");
        }
        assert_eq!(keys.of(&end(1, true), &end(2, true)), Keys { there: Some(of((1, 2))), back: Some(of((2, 1))) });
        assert_eq!(keys.of(&end(1, true), &end(2, false)), Keys { there: None, back: Some(of((2, 1))) });
        assert_eq!(PairKeys::default().of(&end(1, true), &end(2, true)), Keys::default());
    }
}
