//! The audit log only grows, in one chain.

use netwatch_entities::{AuditQuery, StoreError};
use netwatch_model::Timestamp;
use netwatch_model::people::*;

use crate::fixture::*;

fn record(sequence: u64, previous: Digest, workspace: Option<&Workspace>, user: &User, text: &str) -> AuditRecord {
    AuditRecord {
        sequence,
        time: Timestamp::from_secs(i64::try_from(sequence).unwrap()),
        actor: Actor::User { id: user.id, name: user.name.clone() },
        address: None,
        workspace: workspace.map(|w| w.id),
        action: Action::RoleCreated,
        object: ObjectRef::new(ObjectKind::Role, "7", text),
        outcome: Outcome::Done,
        before: None,
        after: None,
        previous,
        hash: digest(),
    }
}

/// Ten records of two users in two workspaces.
fn ten(fresh: &Fresh) -> (Vec<AuditRecord>, [Workspace; 2], [User; 2]) {
    let workspaces = [workspace("one"), workspace("other")];
    let users = [user("ada"), user("bob")];
    let mut all: Vec<AuditRecord> = Vec::new();
    for n in 1..=10_u64 {
        let previous = all.last().map_or(Digest::default(), |r| r.hash);
        let (w, u) = (usize::from(n % 2 == 0), usize::from(n % 3 == 0));
        all.push(record(n, previous, Some(&workspaces[w]), &users[u], &format!("Röle {n}")));
    }
    let stored = all.clone();
    fresh.put(move |tx| stored.iter().try_for_each(|r| tx.append_audit(r)));
    (all, workspaces, users)
}

#[test]
fn records_are_found_by_what_they_say() {
    let fresh = fresh();
    let (all, workspaces, users) = ten(&fresh);
    let find = |query: AuditQuery| {
        let query = AuditQuery { limit: 100, ..query };
        fresh.ask(|tx| tx.audit(&query)).iter().map(|r| r.sequence).collect::<Vec<_>>()
    };
    let all_of = AuditQuery::default;
    assert_eq!(fresh.ask(|tx| tx.audit(&AuditQuery { limit: 100, ..all_of() })), all);
    assert_eq!(find(AuditQuery { workspace: Some(workspaces[1].id), ..all_of() }), [2, 4, 6, 8, 10]);
    assert_eq!(find(AuditQuery { user: Some(users[1].id), newest_first: true, ..all_of() }), [9, 6, 3]);
    let range = AuditQuery { from: Some(Timestamp::from_secs(3)), to: Some(Timestamp::from_secs(5)), ..all_of() };
    assert_eq!(find(range), [3, 4]);
    assert_eq!(find(AuditQuery { search: Some("RÖLE 7".to_owned()), ..all_of() }), [7]);
    assert_eq!(find(AuditQuery { action: Some(Action::SignIn), ..all_of() }), [0_u64; 0]);
    assert_eq!(find(AuditQuery { outcome: Some(Outcome::Refused), ..all_of() }), [0_u64; 0]);
    assert_eq!(find(AuditQuery { object: Some("7".to_owned()), after: Some(8), ..all_of() }), [9, 10]);
    let head = fresh.ask(|tx| tx.audit_head()).unwrap();
    assert_eq!(head, all[9]);
}

#[test]
fn only_the_next_record_is_taken() {
    let fresh = fresh();
    let (all, _, users) = ten(&fresh);
    let last = all[9].hash;
    let [again, gap, forged] = [
        record(10, last, None, &users[0], "x"),
        record(12, last, None, &users[0], "x"),
        record(11, all[8].hash, None, &users[0], "x"),
    ];
    for wrong in [again, gap, forged] {
        let refused = fresh.try_put(move |tx| tx.append_audit(&wrong));
        assert!(matches!(refused, Err(StoreError::BrokenChain)), "{refused:?}");
    }
    let right = record(11, last, None, &users[0], "x");
    fresh.put(move |tx| tx.append_audit(&right));
}
