//! Secrets are sealed in the file, and keys can be changed and lost.

use std::fs;

use netwatch_entities::{Kind, Site, StoreError, Vault, VaultError};
use netwatch_model::people::*;

use crate::fixture::*;

/// Whether a text stands somewhere in the files of the store.
fn is_on_disk(fresh: &Fresh, text: &str) -> bool {
    let files = fs::read_dir(fresh.dir.path()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(text.len()).any(|w| w == text.as_bytes()))
}

#[test]
fn a_secret_is_readable_through_the_store_and_not_in_the_file() {
    let fresh = fresh();
    let ada = fresh.user("ada-in-the-clear");
    let credential = password(&ada, "$argon2id$the-hash-of-ada");
    let stored = credential.clone();
    fresh.put(move |tx| tx.insert(&stored));
    assert_eq!(fresh.ask(|tx| tx.get::<Credential>(Site, credential.id)).value, credential);
    assert!(is_on_disk(&fresh, "ada-in-the-clear"), "the test looks at the right files");
    assert!(!is_on_disk(&fresh, "the-hash-of-ada"));
}

#[test]
fn after_a_rotation_the_old_key_is_needed_no_more() {
    let fresh = fresh();
    let users: Vec<User> = (0..130).map(|i| fresh.user(&format!("user{i}"))).collect();
    let credentials: Vec<Credential> = users.iter().map(|u| password(u, "hash")).collect();
    let stored = credentials.clone();
    fresh.put(move |tx| stored.iter().try_for_each(|c| tx.insert(c).map(|_| ())));
    assert_eq!(fresh.entities.rotate_key(NOW).unwrap(), 130);
    // Without its first line the key file has the new key alone.
    let path = fresh.dir.path().join("secrets.key");
    let keys = fs::read_to_string(&path).unwrap();
    fs::write(&path, keys.split_once('\n').unwrap().1).unwrap();
    let again = Vault::open(&path).unwrap();
    assert!(fresh.entities.lost_keys().unwrap().is_empty());
    let store = netwatch_entities::SqliteStore::open(&fresh.dir.path().join("entities.db"), &path, "").unwrap();
    let entities = netwatch_entities::Entities::new(std::sync::Arc::new(store), again.into());
    let found = entities.read(|tx| tx.get::<Credential>(Site, credentials[129].id)).unwrap();
    assert_eq!((found.value, found.version), (credentials[129].clone(), 1));
}

#[test]
fn a_lost_key_loses_the_secrets_and_nothing_else() {
    let fresh = fresh();
    let ada = fresh.user("ada");
    let credential = password(&ada, "hash");
    let id = credential.id;
    fresh.put(move |tx| tx.insert(&credential));
    let store = netwatch_entities::SqliteStore::open(&fresh.dir.path().join("entities.db"), fresh.dir.path(), "");
    let vault = Vault::open(&fresh.dir.path().join("another.key")).unwrap();
    let entities = netwatch_entities::Entities::new(std::sync::Arc::new(store.unwrap()), vault.into());
    assert_eq!(entities.lost_keys().unwrap().len(), 1);
    let lost = entities.read(|tx| tx.get::<Credential>(Site, id));
    let Err(StoreError::Secret { kind: Kind::Credential, source: VaultError::LostKey(_) }) = lost else {
        panic!("{lost:?}")
    };
    assert!(entities.read(|tx| tx.get::<User>(Site, ada.id)).is_ok());
    // The secret can be set anew.
    let fresh_one = password(&ada, "another");
    entities
        .write(NOW, move |tx| {
            tx.delete::<Credential>(Site, id, None)?;
            tx.insert(&fresh_one)
        })
        .unwrap();
}
