//! All or nothing, one after the other, and readers who see one state.

use std::sync::Barrier;

use netwatch_entities::{Site, StoreError};
use netwatch_model::people::*;

use crate::fixture::*;

#[test]
fn an_error_undoes_everything_before_it() {
    let fresh = fresh();
    let result: Result<(), StoreError> = fresh.try_put(|tx| {
        tx.insert(&user("ada"))?;
        tx.insert(&user("ada")).map(|_| ())
    });
    assert!(result.is_err());
    assert_eq!(fresh.ask(|tx| tx.count::<User>(Site)), 0);
}

#[test]
fn a_panic_undoes_its_own_work_and_harms_nobody_else() {
    let fresh = fresh();
    let result: Result<(), StoreError> = fresh.try_put(|tx| {
        tx.insert(&user("ada"))?;
        panic!("a defect, on purpose");
    });
    assert!(matches!(result, Err(StoreError::Stopped)), "{result:?}");
    fresh.user("bob");
    assert_eq!(fresh.ask(|tx| tx.count::<User>(Site)), 1);
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        fresh.ask::<()>(|_| panic!("another one"));
    }));
    assert!(read.is_err());
    assert_eq!(fresh.ask(|tx| tx.count::<User>(Site)), 1);
}

#[test]
fn changes_of_many_threads_are_all_counted() {
    let fresh = fresh();
    let ada = fresh.user("ada");
    let (threads, each) = (8, 25);
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..each {
                    let id = ada.id;
                    fresh.put(move |tx| {
                        let found = tx.get::<User>(Site, id)?;
                        tx.update(&found.value, Some(found.version))
                    });
                    fresh.ask(|tx| tx.get::<User>(Site, ada.id));
                }
            });
        }
    });
    assert_eq!(fresh.ask(|tx| tx.get::<User>(Site, ada.id)).version, 1 + (threads * each) as u64);
}

#[test]
fn a_reader_sees_one_state_while_others_write() {
    let fresh = fresh();
    let ada = fresh.user("ada");
    fresh.ask(|tx| {
        let before = tx.get::<User>(Site, ada.id)?.version;
        let changed = User { disabled: true, ..ada.clone() };
        fresh.put(move |tx| tx.update(&changed, None));
        assert_eq!(tx.get::<User>(Site, ada.id)?.version, before);
        Ok(())
    });
    assert_eq!(fresh.ask(|tx| tx.get::<User>(Site, ada.id)).version, 2);
}
