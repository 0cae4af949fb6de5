//! What callers use: typed operations in transactions, secrets opened on the way out and sealed on the way in.
//!
//! Reading is [`Entities::read`], changing is [`Entities::write`]: the closure sees one state, and what it changed is on disk when `write`
//! returns `Ok`, or nothing is. A closure that gives an error changes nothing. Both block.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use netwatch_model::Timestamp;
use netwatch_model::people::AuditRecord;

use crate::audit::AuditQuery;
use crate::backup::Manifest;
use crate::error::{OpenError, StoreError};
use crate::object::{Entity, Key, ListQuery, MAX_BODY, MAX_KEY, MAX_LABEL, ObjectId, Row, Slice, Stored};
use crate::port::{Read, Store, Verdict, Write};
use crate::vault::{Derived, KeyId, Vault};

/// Rows that are sealed anew in one transaction.
const RESEAL: usize = 100;

/// A store and the keys of its secrets. Cheap to clone.
#[derive(Clone)]
pub struct Entities {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    /// Why the store did not keep the last change that it was given.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Entities {
    /// Joins a store with the keys of its secrets.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, vault: Arc<Vault>) -> Self {
        Self { store, vault, trouble: Arc::default() }
    }

    /// Secrets of one purpose that are kept nowhere: they come out of the keys of the key file.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Derived {
        self.vault.derived(purpose)
    }

    /// Why the store did not keep the newest change; none when it did.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks, seeing one state.
    ///
    /// # Errors
    /// Those of `work`, and when the store cannot be read.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Reading<'_>) -> Result<T, E>) -> Result<T, E> {
        let (mut work, mut result) = (Some(work), None);
        self.store.read(&mut |tx| {
            if let Some(work) = work.take() {
                result = Some(work(&Reading { tx, vault: &self.vault }));
            }
        })?;
        result.unwrap_or_else(|| Err(StoreError::Stopped.into()))
    }

    /// Changes, all or nothing, at the time `now`.
    ///
    /// # Errors
    /// Those of `work`, and when nothing could be changed.
    pub fn write<T, E>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Writing<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (give, take) = sync_channel(1);
        let vault = Arc::clone(&self.vault);
        let written = self.store.write(
            now,
            Box::new(move |tx| {
                let result = work(&Writing { reading: Reading { tx: tx.as_read(), vault: &vault }, tx });
                let verdict = if result.is_ok() { Verdict::Keep } else { Verdict::Undo };
                // Whoever waits holds the other end until this returns.
                let _ = give.send(result);
                verdict
            }),
        );
        let result = take.try_recv();
        match &written {
            Err(error) => self.note(Some(error.to_string())),
            Ok(()) if matches!(result, Ok(Ok(_))) => self.note(None),
            // What the rules refused says nothing about the store.
            Ok(()) => {}
        }
        written?;
        result.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    fn note(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Writes one state to a new file, while others go on.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn copy_to(&self, file: &Path, now: Timestamp) -> Result<Manifest, OpenError> {
        self.store.copy_to(file, now)
    }

    /// Replaces everything by the state of a file.
    ///
    /// # Errors
    /// When it is not a whole state of a known format; nothing has changed then.
    pub fn replace_from(&self, file: &Path) -> Result<(), OpenError> {
        self.store.replace_from(file)
    }

    /// Looks for damage.
    ///
    /// # Errors
    /// What was found.
    pub fn check(&self) -> Result<(), StoreError> {
        self.store.check()
    }

    /// Draws a new key and seals every secret with it; how many.
    ///
    /// When it is interrupted, the new key stays and the rest is sealed anew the next time.
    ///
    /// # Errors
    /// When the key file cannot be written, or a secret cannot be opened or written; those before it are done.
    pub fn rotate_key(&self, now: Timestamp) -> Result<u64, OpenError> {
        let key = self.vault.add_key()?;
        self.reseal(key, now)
    }

    /// Keys that sealed something and are not in the key file.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn lost_keys(&self) -> Result<Vec<KeyId>, StoreError> {
        self.read(|tx| {
            let rows = tx.tx.sealed_otherwise(self.vault.current(), 10_000)?;
            let mut keys: Vec<KeyId> =
                rows.iter().filter_map(|row| row.sealed).filter(|k| !self.vault.has(*k)).collect();
            keys.sort();
            keys.dedup();
            Ok(keys)
        })
    }

    fn reseal(&self, key: KeyId, now: Timestamp) -> Result<u64, OpenError> {
        let mut done = 0;
        loop {
            let vault = Arc::clone(&self.vault);
            let some = self.write(now, move |tx| {
                let rows = tx.tx.sealed_otherwise(key, RESEAL)?;
                for mut row in rows.iter().cloned() {
                    let plain = open(&vault, &row)?;
                    seal(&vault, &mut row, &plain)?;
                    tx.tx.reseal(&row)?;
                }
                Ok::<_, StoreError>(rows.len())
            })?;
            done += some as u64;
            if some < RESEAL {
                return Ok(done);
            }
        }
    }
}

/// One state, to be asked.
pub struct Reading<'a> {
    tx: &'a dyn Read,
    vault: &'a Vault,
}

/// A transaction that changes something.
pub struct Writing<'a> {
    reading: Reading<'a>,
    tx: &'a dyn Write,
}

impl<'a> std::ops::Deref for Writing<'a> {
    type Target = Reading<'a>;
    fn deref(&self) -> &Reading<'a> {
        &self.reading
    }
}

impl Reading<'_> {
    /// The object of that id in that place.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find<E: Entity>(&self, place: E::Place, id: E::Id) -> Result<Option<Stored<E>>, StoreError> {
        self.typed(self.tx.object(E::KIND, place.into(), id.into())?)
    }

    /// The same, which must be there.
    ///
    /// # Errors
    /// When it is not, or cannot be read.
    pub fn get<E: Entity>(&self, place: E::Place, id: E::Id) -> Result<Stored<E>, StoreError> {
        self.find(place, id)?.ok_or(StoreError::NotFound(E::KIND))
    }

    /// The object of that place with that key.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find_by_key<E: Entity>(
        &self,
        place: E::Place,
        name: &str,
        value: &str,
    ) -> Result<Option<Stored<E>>, StoreError> {
        self.typed(self.tx.object_by_key(E::KIND, place.into(), name, value)?)
    }

    /// The object with that key, wherever it is: for finding out who asks, and for nothing else.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find_anywhere<E: Entity>(&self, name: &str, value: &str) -> Result<Option<Stored<E>>, StoreError> {
        self.typed(self.tx.object_anywhere(E::KIND, name, value)?)
    }

    /// Objects of a place.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn list<E: Entity>(&self, place: E::Place, query: &ListQuery) -> Result<Slice<Stored<E>>, StoreError> {
        let query = ListQuery { search: query.search.as_deref().map(label_of), ..query.clone() };
        let Slice { items, next } = self.tx.list(E::KIND, place.into(), &query)?;
        Ok(Slice { items: items.iter().map(|row| self.read_row(row)).collect::<Result<_, _>>()?, next })
    }

    /// Objects that belong to `owner`, in all places, by id.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn owned<E: Entity>(&self, owner: impl Into<ObjectId>, limit: usize) -> Result<Vec<Stored<E>>, StoreError> {
        self.tx.owned(E::KIND, owner.into(), limit)?.iter().map(|row| self.read_row(row)).collect()
    }

    /// How many objects a place has.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub fn count<E: Entity>(&self, place: E::Place) -> Result<u64, StoreError> {
        self.tx.count(E::KIND, place.into())
    }

    /// How many objects belong to `owner`, in all places.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub fn count_owned<E: Entity>(&self, owner: impl Into<ObjectId>) -> Result<u64, StoreError> {
        self.tx.count_owned(E::KIND, owner.into())
    }

    /// Records of the audit log.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        let query = AuditQuery { search: query.search.as_deref().map(str::to_lowercase), ..query.clone() };
        self.tx.audit(&query)
    }

    /// The last record of the audit log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn audit_head(&self) -> Result<Option<AuditRecord>, StoreError> {
        Ok(self.tx.audit(&AuditQuery { newest_first: true, limit: 1, ..AuditQuery::default() })?.pop())
    }

    fn typed<E: Entity>(&self, row: Option<Row>) -> Result<Option<Stored<E>>, StoreError> {
        row.map(|row| self.read_row(&row)).transpose()
    }

    fn read_row<E: Entity>(&self, row: &Row) -> Result<Stored<E>, StoreError> {
        let body = open(self.vault, row)?;
        let value = serde_json::from_slice(&body).map_err(|source| StoreError::Encode { kind: row.kind, source })?;
        Ok(Stored { value, version: row.version, created: row.created, updated: row.updated })
    }
}

impl Writing<'_> {
    /// The time of the transaction.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.tx.now()
    }

    /// Adds an object.
    ///
    /// # Errors
    /// When a key is taken, or place or owner do not exist.
    pub fn insert<E: Entity>(&self, value: &E) -> Result<Stored<E>, StoreError> {
        self.insert_labelled(value, &value.label())
    }

    /// Adds an object under another label than its own: a member under the name of the user.
    ///
    /// # Errors
    /// When a key is taken, or place or owner do not exist.
    pub fn insert_labelled<E: Entity>(&self, value: &E, label: &str) -> Result<Stored<E>, StoreError> {
        let row = self.row(value, label, 1)?;
        self.tx.insert(&row)?;
        Ok(Stored { value: value.clone(), version: 1, created: row.created, updated: row.updated })
    }

    /// Replaces an object, when it still has the version `expected`, if given. It keeps its label when it has none of its own.
    ///
    /// # Errors
    /// When it does not exist in its place, was changed, or a key is taken.
    pub fn update<E: Entity>(&self, value: &E, expected: Option<u64>) -> Result<Stored<E>, StoreError> {
        let (place, id) = (value.place().into(), value.id().into());
        let before = self.tx.object(E::KIND, place, id)?.ok_or(StoreError::NotFound(E::KIND))?;
        let label = value.label();
        let label = if label.is_empty() { before.label.as_str() } else { &label };
        let row = Row { created: before.created, ..self.row(value, label, before.version)? };
        let version = self.tx.update(&row, expected)?;
        Ok(Stored { value: value.clone(), version, created: before.created, updated: row.updated })
    }

    /// Sets the label of an object, without another version.
    ///
    /// # Errors
    /// When it does not exist in that place.
    pub fn relabel<E: Entity>(&self, place: E::Place, id: E::Id, label: &str) -> Result<(), StoreError> {
        self.tx.relabel(E::KIND, place.into(), id.into(), &label_of(label))
    }

    /// Removes an object and what belongs to it.
    ///
    /// # Errors
    /// When it does not exist in that place, or has another version than `expected`, if given.
    pub fn delete<E: Entity>(&self, place: E::Place, id: E::Id, expected: Option<u64>) -> Result<(), StoreError> {
        self.tx.delete(E::KIND, place.into(), id.into(), expected)
    }

    /// Removes all objects that belong to `owner`, but `keep`; how many.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn delete_owned<E: Entity>(&self, owner: impl Into<ObjectId>, keep: Option<E::Id>) -> Result<u64, StoreError> {
        self.tx.delete_owned(E::KIND, owner.into(), keep.map(Into::into))
    }

    /// Removes all objects of a place; how many.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn delete_all<E: Entity>(&self, place: E::Place) -> Result<u64, StoreError> {
        self.tx.delete_all(E::KIND, place.into())
    }

    /// Adds the next record of the audit log.
    ///
    /// # Errors
    /// When it does not follow the last one.
    pub fn append_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        self.tx.append_audit(record)
    }

    fn row<E: Entity>(&self, value: &E, label: &str, version: u64) -> Result<Row, StoreError> {
        let body = serde_json::to_vec(value).map_err(|source| StoreError::Encode { kind: E::KIND, source })?;
        let keys = value.keys();
        if body.len() > MAX_BODY || keys.iter().any(|key: &Key| key.value.len() > MAX_KEY) {
            return Err(StoreError::TooLarge(E::KIND));
        }
        let mut row = Row {
            id: value.id().into(),
            kind: E::KIND,
            place: value.place().into(),
            owner: value.owner(),
            version,
            created: self.now(),
            updated: self.now(),
            label: label_of(label),
            body: Vec::new(),
            sealed: None,
            keys,
        };
        if E::KIND.is_sealed() {
            seal(self.vault, &mut row, &body)?;
        } else {
            row.body = body;
        }
        Ok(row)
    }
}

/// What a sealed body is bound to: kind, place and id, so that it cannot stand in for another.
fn context(row: &Row) -> String {
    let workspace = row.place.workspace().map(|id| id.to_string()).unwrap_or_default();
    format!("netwatch:{}:{workspace}:{}", row.kind, row.id)
}

fn seal(vault: &Vault, row: &mut Row, plain: &[u8]) -> Result<(), StoreError> {
    let sealed = vault.seal(plain, context(row).as_bytes());
    let (key, body) = sealed.map_err(|source| StoreError::Secret { kind: row.kind, source })?;
    (row.sealed, row.body) = (Some(key), body);
    Ok(())
}

fn open(vault: &Vault, row: &Row) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
    match row.sealed {
        None => Ok(zeroize::Zeroizing::new(row.body.clone())),
        Some(key) => vault
            .open_sealed(key, &row.body, context(row).as_bytes())
            .map_err(|source| StoreError::Secret { kind: row.kind, source }),
    }
}

/// Lower case, and not longer than a label may be.
fn label_of(text: &str) -> String {
    let mut label = text.to_lowercase();
    let mut end = label.len().min(MAX_LABEL);
    while !label.is_char_boundary(end) {
        end -= 1;
    }
    label.truncate(end);
    label
}
