//! Versions, keys, lists and what belongs together.

use netwatch_entities::people::keys;
use netwatch_entities::{Kind, ListQuery, Order, Site, StoreError};
use netwatch_model::people::*;

use crate::fixture::*;

#[test]
fn a_change_counts_and_a_stale_one_is_refused() {
    let fresh = fresh();
    let ada = fresh.user("ada");
    let renamed = User { display_name: "Ada L.".parse().unwrap(), ..ada.clone() };
    let (first, second) = (renamed.clone(), renamed.clone());
    assert_eq!(fresh.put(move |tx| tx.update(&first, Some(1))).version, 2);
    let stale = fresh.try_put(move |tx| tx.update(&second, Some(1)));
    assert!(matches!(stale, Err(StoreError::Stale { kind: Kind::User, current: 2 })), "{stale:?}");
    assert_eq!(fresh.put(move |tx| tx.update(&renamed, None)).version, 3);
    let id = ada.id;
    let gone = fresh.try_put(move |tx| tx.delete::<User>(Site, id, Some(2)));
    assert!(matches!(gone, Err(StoreError::Stale { current: 3, .. })), "{gone:?}");
    fresh.put(move |tx| tx.delete::<User>(Site, id, Some(3)));
    assert!(fresh.ask(|tx| tx.find::<User>(Site, id)).is_none());
    let again = fresh.try_put(move |tx| tx.delete::<User>(Site, id, None));
    assert!(matches!(again, Err(StoreError::NotFound(Kind::User))), "{again:?}");
}

#[test]
fn stamps_are_those_of_the_transactions() {
    let fresh = fresh();
    let ada = fresh.user("ada");
    let later = NOW + std::time::Duration::from_secs(60);
    let changed = User { disabled: true, ..ada.clone() };
    fresh.entities.write(later, move |tx| tx.update(&changed, None)).unwrap();
    let found = fresh.ask(|tx| tx.get::<User>(Site, ada.id));
    assert_eq!((found.created, found.updated, found.version, found.value.disabled), (NOW, later, 2, true));
}

#[test]
fn names_are_taken_once_and_free_again_when_they_are_given_up() {
    let fresh = fresh();
    let ada = fresh.user("ada");
    let taken = fresh.try_put(|tx| tx.insert(&user("ada")));
    assert!(matches!(taken, Err(StoreError::Taken { kind: Kind::User, key: keys::NAME })), "{taken:?}");
    let renamed = User { name: "lovelace".parse().unwrap(), ..ada };
    fresh.put(move |tx| tx.update(&renamed, None));
    fresh.user("ada");
    let found = fresh.ask(|tx| tx.find_by_key::<User>(Site, keys::NAME, "lovelace")).unwrap();
    assert_eq!(found.value.name.as_str(), "lovelace");
}

#[test]
fn an_address_is_unique_only_when_it_is_verified() {
    let fresh = fresh();
    let with =
        |name, verified| User { email: Some("a@example.org".parse().unwrap()), email_verified: verified, ..user(name) };
    let [a, b, c] = [with("a", false), with("b", true), with("c", true)];
    fresh.put(move |tx| tx.insert(&a));
    fresh.put(move |tx| tx.insert(&b));
    let taken = fresh.try_put(move |tx| tx.insert(&c));
    assert!(matches!(taken, Err(StoreError::Taken { key: keys::EMAIL, .. })), "{taken:?}");
}

#[test]
fn names_of_roles_are_unique_in_their_workspace_alone() {
    let fresh = fresh();
    let (one, other) = (fresh.workspace("one"), fresh.workspace("other"));
    let [a, b, c] = [role(&one, "Night shift"), role(&other, "night shift"), role(&one, "NIGHT SHIFT")];
    fresh.put(move |tx| tx.insert(&a));
    fresh.put(move |tx| tx.insert(&b));
    let taken = fresh.try_put(move |tx| tx.insert(&c));
    assert!(matches!(taken, Err(StoreError::Taken { kind: Kind::Role, key: keys::NAME })), "{taken:?}");
}

#[test]
fn what_belongs_to_something_goes_with_it() {
    let fresh = fresh();
    let (ada, one, other) = (fresh.user("ada"), fresh.workspace("one"), fresh.workspace("other"));
    let (m1, m2, t, s) = (member(&one, &ada), member(&other, &ada), token(&one, &ada), session(&ada));
    let kept = t.clone();
    fresh.put(move |tx| {
        tx.insert_labelled(&m1, "ada")?;
        tx.insert_labelled(&m2, "ada")?;
        tx.insert(&t)?;
        tx.insert(&s)
    });
    let id = one.id;
    fresh.put(move |tx| tx.delete::<Workspace>(Site, id, None));
    let places: Vec<_> = fresh.ask(|tx| tx.owned::<Membership>(ada.id, 10)).iter().map(|m| m.value.workspace).collect();
    assert_eq!(places, [other.id]);
    let digest = kept.digest.to_string();
    assert!(fresh.ask(|tx| tx.find_anywhere::<ApiToken>(keys::DIGEST, &digest)).is_none());
    let id = ada.id;
    fresh.put(move |tx| tx.delete::<User>(Site, id, None));
    assert_eq!(fresh.ask(|tx| tx.count::<Membership>(other.id)), 0);
    assert_eq!(fresh.ask(|tx| tx.count::<Session>(Site)), 0);
}

#[test]
fn nothing_belongs_to_what_is_not_there() {
    let fresh = fresh();
    let (ada, nowhere, nobody) = (fresh.user("ada"), workspace("nowhere"), user("nobody"));
    let orphan = fresh.try_put(move |tx| tx.insert_labelled(&member(&nowhere, &ada), "ada"));
    assert!(matches!(orphan, Err(StoreError::Orphan(Kind::Membership))), "{orphan:?}");
    let orphan = fresh.try_put(move |tx| tx.insert(&session(&nobody)));
    assert!(matches!(orphan, Err(StoreError::Orphan(Kind::Session))), "{orphan:?}");
}

#[test]
fn sessions_of_one_user_end_but_for_the_present_one() {
    let fresh = fresh();
    let (ada, bob) = (fresh.user("ada"), fresh.user("bob"));
    let [s1, s2, s3] = [session(&ada), session(&ada), session(&bob)];
    let keep = s2.id;
    fresh.put(move |tx| [s1, s2, s3].iter().try_for_each(|s| tx.insert(s).map(|_| ())));
    let id = ada.id;
    assert_eq!(fresh.put(move |tx| tx.delete_owned::<Session>(id, Some(keep))), 1);
    assert_eq!(fresh.ask(|tx| Ok((tx.count_owned::<Session>(ada.id)?, tx.count_owned::<Session>(bob.id)?))), (1, 1));
    assert_eq!(fresh.put(|tx| tx.delete_all::<Session>(Site)), 2);
}

#[test]
fn pages_of_a_list_have_every_row_once_in_each_order() {
    let fresh = fresh();
    let names = ["dora", "ada", "carl", "bob", "eve", "ada2", "frank"];
    names.iter().for_each(|name| _ = fresh.user(name));
    let sorted = ["ada", "ada2", "bob", "carl", "dora", "eve", "frank"];
    for (order, expected) in [(Order::Label, sorted), (Order::Oldest, names), (Order::Newest, names)] {
        let mut query = ListQuery { order, limit: 3, ..ListQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = fresh.ask(|tx| tx.list::<User>(Site, &query));
            assert!(page.items.len() <= 3);
            found.extend(page.items.iter().map(|u| u.value.name.to_string()));
            match page.next {
                Some(mark) => query.after = Some(mark),
                None => break,
            }
        }
        if order == Order::Newest {
            found.reverse();
        }
        assert_eq!(found, expected, "{order:?}");
    }
}

#[test]
fn a_search_takes_text_as_text() {
    let fresh = fresh();
    for name in ["ada", "adam", "bob"] {
        fresh.user(name);
    }
    let find = |text: &str| {
        let query = ListQuery { search: Some(text.to_owned()), limit: 10, ..ListQuery::default() };
        fresh.ask(|tx| tx.list::<User>(Site, &query)).items.len()
    };
    assert_eq!([find("ADA"), find("a"), find("%"), find("_"), find("' OR 1=1 --"), find("")], [2, 2, 0, 0, 0, 3]);
}
