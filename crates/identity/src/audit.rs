//! The chain of the audit log.
//!
//! Each record carries the hash of the one before it and its own: SHA-256 over its canonical form, which is its JSON with an empty own
//! hash (fields in the order of their declaration, maps in the order of their keys). Whoever changes, removes or adds a record has to
//! make all later hashes anew; whoever kept the last hash elsewhere (export it, log it) sees that.

use std::net::IpAddr;

use netwatch_model::Timestamp;
use netwatch_model::people::{Action, Actor, AuditRecord, Digest, Fields, ObjectRef, Outcome, WorkspaceId};
use sha2::{Digest as _, Sha256};

/// The end of a chain: what the next record follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Sequence of the last record; 0 when there is none.
    pub sequence: u64,
    /// Its hash.
    pub hash: Digest,
}

/// What is to be recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Who did it.
    pub actor: Actor,
    /// From where.
    pub address: Option<IpAddr>,
    /// In which workspace.
    pub workspace: Option<WorkspaceId>,
    /// What.
    pub action: Action,
    /// To what.
    pub object: ObjectRef,
    /// How it ended.
    pub outcome: Outcome,
    /// How it was before.
    pub before: Option<Fields>,
    /// How it was after.
    pub after: Option<Fields>,
}

/// Where and how a chain is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    /// A record is missing, repeated or out of place.
    #[error("the audit log is broken: record {expected} is missing, and {found} stands in its place")]
    Sequence {
        /// What should come.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A record does not follow the one before it.
    #[error("the audit log is broken: record {0} does not follow the one before it")]
    Link(u64),
    /// A record was changed.
    #[error("the audit log is broken: record {0} was changed after it was written")]
    Changed(u64),
}

/// The next record of the chain that ends in `head`.
#[must_use]
pub fn append(head: Head, entry: Entry, now: Timestamp) -> AuditRecord {
    let mut record = AuditRecord {
        sequence: head.sequence.saturating_add(1),
        time: now,
        actor: entry.actor,
        address: entry.address,
        workspace: entry.workspace,
        action: entry.action,
        object: entry.object,
        outcome: entry.outcome,
        before: entry.before,
        after: entry.after,
        previous: head.hash,
        hash: Digest::default(),
    };
    record.hash = hash(&record);
    record
}

/// Verifies that `records` follow `head`; the new head.
///
/// # Errors
/// At the first record that does not.
pub fn verify<'a>(head: Head, records: impl IntoIterator<Item = &'a AuditRecord>) -> Result<Head, Broken> {
    records.into_iter().try_fold(head, |head, record| {
        let expected = head.sequence.saturating_add(1);
        if record.sequence != expected {
            return Err(Broken::Sequence { expected, found: record.sequence });
        }
        if record.previous != head.hash {
            return Err(Broken::Link(record.sequence));
        }
        if hash(record) != record.hash {
            return Err(Broken::Changed(record.sequence));
        }
        Ok(Head { sequence: record.sequence, hash: record.hash })
    })
}

fn hash(record: &AuditRecord) -> Digest {
    let canonical = AuditRecord { hash: Digest::default(), ..record.clone() };
    let mut sha = Sha256::new();
    sha.update(b"netwatch audit 1\n");
    // The types of a record are plain values that JSON can always carry; were it not so, the record would verify as changed.
    sha.update(serde_json::to_vec(&canonical).unwrap_or_default());
    Digest::from_bytes(sha.finalize().into())
}

#[cfg(test)]
mod tests {
    use netwatch_model::people::{ObjectKind, UserId};
    use proptest::prelude::*;

    use super::*;

    fn chain(length: u64) -> Vec<AuditRecord> {
        let mut head = Head::default();
        let entry = |i: u64| Entry {
            actor: Actor::User { id: UserId::from_bits(1), name: "ada".parse().unwrap() },
            address: Some("192.0.2.1".parse().unwrap()),
            workspace: None,
            action: Action::UserChanged,
            object: ObjectRef::new(ObjectKind::User, i, "bob"),
            outcome: Outcome::Done,
            before: Some(Fields::new().with("role", "viewer")),
            after: Some(Fields::new().with("role", "admin").with("n", i)),
        };
        (0..length)
            .map(|i| {
                let record = append(head, entry(i), Timestamp::from_secs(1_700_000_000));
                head = Head { sequence: record.sequence, hash: record.hash };
                record
            })
            .collect()
    }

    #[test]
    fn a_chain_verifies_whole_and_in_parts() {
        let records = chain(5);
        let middle = verify(Head::default(), &records[..2]).unwrap();
        assert_eq!(verify(middle, &records[2..]).unwrap().sequence, 5);
    }

    #[test]
    fn a_chain_survives_being_stored() {
        let records = chain(3);
        let stored: Vec<AuditRecord> = serde_json::from_str(&serde_json::to_string(&records).unwrap()).unwrap();
        verify(Head::default(), &stored).unwrap();
    }

    proptest! {
        #[test]
        fn every_tampering_is_seen(at in 0_usize..6, how in 0_u8..7) {
            let mut records = chain(6);
            match how {
                0 => { records.remove(at); prop_assume!(at < 5); }
                1 => records.insert(at, records[at].clone()),
                2 => records[at].outcome = Outcome::Refused,
                3 => records[at].time = Timestamp::from_secs(1),
                4 => records[at].after = None,
                5 => records[at].actor = Actor::System,
                _ => { prop_assume!(at < 5); records.swap(at, at + 1); }
            }
            prop_assert!(verify(Head::default(), &records).is_err());
        }
    }
}
