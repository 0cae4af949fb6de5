//! A foreign id is not found, in every operation that takes one.

use netwatch_entities::people::keys;
use netwatch_entities::{Kind, ListQuery, MembershipId, StoreError};
use netwatch_model::people::*;

use crate::fixture::*;

fn is_not_found<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NotFound(_)))
}

#[test]
fn objects_of_another_workspace_are_not_found() {
    let fresh = fresh();
    let (ada, own, foreign) = (fresh.user("ada"), fresh.workspace("own"), fresh.workspace("foreign"));
    let (r, t) = (role(&foreign, "secret"), token(&foreign, &ada));
    let (role_id, token_id, foreign_id, own_id) = (r.id, t.id, foreign.id, own.id);
    let moved = CustomRole { workspace: own_id, ..r.clone() };
    fresh.put(move |tx| {
        tx.insert(&r)?;
        tx.insert(&t)
    });
    assert!(fresh.ask(|tx| tx.find::<CustomRole>(own_id, role_id)).is_none());
    assert!(fresh.ask(|tx| tx.find::<ApiToken>(own_id, token_id)).is_none());
    assert!(fresh.ask(|tx| tx.find_by_key::<CustomRole>(own_id, keys::NAME, "secret")).is_none());
    assert_eq!(fresh.ask(|tx| tx.count::<CustomRole>(own_id)), 0);
    let all = ListQuery { limit: 10, ..ListQuery::default() };
    assert!(fresh.ask(|tx| tx.list::<ApiToken>(own_id, &all)).items.is_empty());
    assert!(is_not_found(&fresh.try_put(move |tx| tx.delete::<CustomRole>(own_id, role_id, None))));
    assert!(is_not_found(&fresh.try_put(move |tx| tx.update(&moved, None))), "a role cannot be carried off");
    assert!(is_not_found(&fresh.try_put(move |tx| tx.relabel::<CustomRole>(own_id, role_id, "mine"))));
    assert_eq!(fresh.put(move |tx| tx.delete_all::<CustomRole>(own_id)), 0);
    assert!(fresh.ask(|tx| tx.find::<CustomRole>(foreign_id, role_id)).is_some(), "all is as it was");
}

#[test]
fn an_id_of_another_kind_is_not_found() {
    let fresh = fresh();
    let own = fresh.workspace("own");
    let r = role(&own, "night");
    let bits = r.id.bits();
    fresh.put(move |tx| tx.insert(&r));
    assert!(fresh.ask(|tx| tx.find::<ApiToken>(own.id, TokenId::from_bits(bits))).is_none());
    let id = own.id;
    assert!(is_not_found(&fresh.try_put(move |tx| tx.delete::<Invitation>(id, InvitationId::from_bits(bits), None))));
    // The id of a workspace is no id of a user either.
    assert!(fresh.ask(|tx| tx.find::<User>(netwatch_entities::Site, UserId::from_bits(id.bits()))).is_none());
}

#[test]
fn a_membership_is_known_by_both_its_ends() {
    let fresh = fresh();
    let (ada, bob, own, foreign) =
        (fresh.user("ada"), fresh.user("bob"), fresh.workspace("own"), fresh.workspace("foreign"));
    let m = member(&own, &ada);
    fresh.put(move |tx| tx.insert_labelled(&m, "ada"));
    let find = |w: WorkspaceId, u: UserId| fresh.ask(|tx| tx.find::<Membership>(w, MembershipId(w, u))).is_some();
    assert!(find(own.id, ada.id));
    assert!(!find(own.id, bob.id) && !find(foreign.id, ada.id));
    let crossed = fresh.ask(|tx| tx.find::<Membership>(foreign.id, MembershipId(own.id, ada.id)));
    assert!(crossed.is_none(), "the id alone does not open another place");
    let twice = member(&own, &ada);
    let taken = fresh.try_put(move |tx| tx.insert_labelled(&twice, "ada"));
    assert!(matches!(taken, Err(StoreError::Taken { kind: Kind::Membership, .. })), "{taken:?}");
}

#[test]
fn views_are_of_their_workspace_and_go_with_it_or_with_their_owner() {
    let fresh = fresh();
    let (ada, bob, own, foreign) =
        (fresh.user("ada"), fresh.user("bob"), fresh.workspace("own"), fresh.workspace("foreign"));
    let views = [view(&own, &ada, "DNS"), view(&own, &bob, "Backups"), view(&foreign, &ada, "DNS")];
    let [first, second, third] = views.each_ref().map(|v| v.id);
    fresh.put(move |tx| views.iter().try_for_each(|v| tx.insert(v).map(drop)));
    let (own, foreign, ada) = (own.id, foreign.id, ada.id);
    assert!(fresh.ask(|tx| tx.find::<View>(own, third)).is_none());
    let is_gone = fresh.try_put(move |tx| tx.delete::<View>(own, third, None));
    assert!(matches!(is_gone, Err(StoreError::NotFound(Kind::View))), "{is_gone:?}");
    let found = fresh.ask(|tx| tx.get::<View>(own, first)).value;
    assert_eq!((found.name.as_str(), found.query.as_str()), ("DNS", "dims=source&filter=port+%3D+53"));
    assert_eq!(fresh.ask(|tx| tx.count_owned::<View>(ada)), 2);
    fresh.put(move |tx| tx.delete::<User>(netwatch_entities::Site, ada, None));
    assert!(fresh.ask(|tx| tx.find::<View>(foreign, third)).is_none());
    assert_eq!(fresh.ask(|tx| tx.count::<View>(own)), 1);
    fresh.put(move |tx| tx.delete::<Workspace>(netwatch_entities::Site, own, None));
    assert!(fresh.ask(|tx| tx.find::<View>(own, second)).is_none());
}
