//! Whatever is done in whatever order, the store has what a simple map has.

use std::collections::BTreeMap;

use netwatch_entities::{ListQuery, Order, StoreError};
use netwatch_model::people::*;
use proptest::prelude::*;

use crate::fixture::*;

/// One step, with small numbers so that steps meet each other.
#[derive(Clone, Copy, Debug)]
enum Step {
    Insert { place: usize, name: u8 },
    Rename { place: usize, pick: usize, name: u8, expected: Option<u64> },
    Delete { place: usize, pick: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let expected = proptest::option::of(1_u64..4);
    let step = prop_oneof![
        3 => (0_usize..2, 0_u8..6).prop_map(|(place, name)| Step::Insert { place, name }),
        2 => (0_usize..2, 0_usize..8, 0_u8..6, expected)
            .prop_map(|(place, pick, name, expected)| Step::Rename { place, pick, name, expected }),
        1 => (0_usize..2, 0_usize..8).prop_map(|(place, pick)| Step::Delete { place, pick }),
    ];
    proptest::collection::vec(step, 1..40)
}

/// By id: where, name, version.
type Map = BTreeMap<RoleId, (usize, u8, u64)>;

fn is_taken(map: &Map, place: usize, name: u8, but: Option<RoleId>) -> bool {
    map.iter().any(|(id, (p, n, _))| *p == place && *n == name && Some(*id) != but)
}

fn named(workspace: &Workspace, id: RoleId, name: u8) -> CustomRole {
    CustomRole { id, ..role(workspace, &format!("role {name}")) }
}

fn run(fresh: &Fresh, places: &[Workspace; 2], map: &mut Map, ids: &mut Vec<RoleId>, step: Step) {
    match step {
        Step::Insert { place, name } => {
            let id = RoleId::new(NOW, next());
            let value = named(&places[place], id, name);
            let result = fresh.try_put(move |tx| tx.insert(&value));
            if is_taken(map, place, name, None) {
                assert!(matches!(result, Err(StoreError::Taken { .. })), "{result:?}");
            } else {
                assert_eq!(result.unwrap().version, 1);
                map.insert(id, (place, name, 1));
                ids.push(id);
            }
        }
        Step::Rename { place, pick, name, expected } => {
            let Some(&id) = ids.get(pick) else { return };
            let value = named(&places[place], id, name);
            let result = fresh.try_put(move |tx| tx.update(&value, expected));
            match map.get(&id).copied() {
                Some((p, _, version)) if p == place => {
                    if expected.is_some_and(|e| e != version) {
                        assert!(matches!(result, Err(StoreError::Stale { current, .. }) if current == version));
                    } else if is_taken(map, place, name, Some(id)) {
                        assert!(matches!(result, Err(StoreError::Taken { .. })), "{result:?}");
                    } else {
                        assert_eq!(result.unwrap().version, version + 1);
                        map.insert(id, (place, name, version + 1));
                    }
                }
                _ => assert!(matches!(result, Err(StoreError::NotFound(_))), "{result:?}"),
            }
        }
        Step::Delete { place, pick } => {
            let Some(&id) = ids.get(pick) else { return };
            let workspace = places[place].id;
            let result = fresh.try_put(move |tx| tx.delete::<CustomRole>(workspace, id, None));
            let was_there = map.get(&id).is_some_and(|(p, ..)| *p == place);
            assert_eq!(result.is_ok(), was_there, "{result:?}");
            if was_there {
                map.remove(&id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_store_is_a_map(steps in steps()) {
        let fresh = fresh();
        let places = [fresh.workspace("one"), fresh.workspace("other")];
        let (mut map, mut ids) = (Map::new(), Vec::new());
        for step in steps {
            run(&fresh, &places, &mut map, &mut ids, step);
        }
        for (i, place) in places.iter().enumerate() {
            let query = ListQuery { order: Order::Oldest, limit: 100, ..ListQuery::default() };
            let found = fresh.ask(|tx| tx.list::<CustomRole>(place.id, &query)).items;
            let mut found: Vec<_> = found.iter().map(|r| (r.value.id, r.value.name.to_string(), r.version)).collect();
            found.sort();
            let expected: Vec<_> =
                map.iter().filter(|(_, (p, ..))| *p == i).map(|(id, (_, n, v))| (*id, format!("role {n}"), *v)).collect();
            prop_assert_eq!(found, expected);
        }
        fresh.entities.check().unwrap();
    }
}
