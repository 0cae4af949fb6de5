//! The port: what a store of entities must be able to do, and nothing of how.
//!
//! A [`Store`] runs work in transactions: reads see one state, writes are kept whole or not at all, one after the other. The traits are
//! object-safe and speak in rows; what callers use are the typed operations of [`crate::Entities`].
//!
//! Calls block: a server makes them on threads that may. Any other engine (PostgreSQL) fits behind the port by implementing these three
//! traits and passing the contract suite in `tests/contract`.

use std::path::Path;

use netwatch_model::Timestamp;
use netwatch_model::people::AuditRecord;

use crate::audit::AuditQuery;
use crate::backup::Manifest;
use crate::error::{OpenError, StoreError};
use crate::kind::Kind;
use crate::object::{ListQuery, ObjectId, Place, Row, Slice};
use crate::vault::KeyId;

/// Work inside a reading transaction.
pub type ReadWork<'a> = &'a mut dyn FnMut(&dyn Read);
/// Work inside a writing transaction.
pub type WriteWork = Box<dyn FnOnce(&dyn Write) -> Verdict + Send>;

/// What becomes of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everything is kept.
    Keep,
    /// Nothing is.
    Undo,
}

/// Keeps entities.
pub trait Store: Send + Sync {
    /// Runs work that sees one state.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn read(&self, work: ReadWork<'_>) -> Result<(), StoreError>;

    /// Runs work whose changes are on disk when this returns, all or none.
    ///
    /// # Errors
    /// When they are not.
    fn write(&self, now: Timestamp, work: WriteWork) -> Result<(), StoreError>;

    /// Writes one state to a new file, while others go on, and describes it.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    fn copy_to(&self, file: &Path, now: Timestamp) -> Result<Manifest, OpenError>;

    /// Replaces everything by the state of a file that [`Store::copy_to`] made, while others wait.
    ///
    /// # Errors
    /// When the file is not a whole state of a known format; nothing has changed then.
    fn replace_from(&self, file: &Path) -> Result<(), OpenError>;

    /// Looks for damage.
    ///
    /// # Errors
    /// What was found.
    fn check(&self) -> Result<(), StoreError>;
}

/// What can be asked within a transaction. A row of another place is not found.
pub trait Read {
    /// The object of that id.
    ///
    /// # Errors
    /// When it cannot be read.
    fn object(&self, kind: Kind, place: Place, id: ObjectId) -> Result<Option<Row>, StoreError>;

    /// The object of that place with that key.
    ///
    /// # Errors
    /// When it cannot be read.
    fn object_by_key(&self, kind: Kind, place: Place, name: &str, value: &str) -> Result<Option<Row>, StoreError>;

    /// The object with a key that is unique everywhere, wherever it is: for finding out who asks, and for nothing else.
    ///
    /// # Errors
    /// When it cannot be read.
    fn object_anywhere(&self, kind: Kind, name: &str, value: &str) -> Result<Option<Row>, StoreError>;

    /// Objects of a place.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list(&self, kind: Kind, place: Place, query: &ListQuery) -> Result<Slice<Row>, StoreError>;

    /// Objects that belong to `owner`, in all places, by id: a user's memberships.
    ///
    /// # Errors
    /// When they cannot be read.
    fn owned(&self, kind: Kind, owner: ObjectId, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// How many objects a place has.
    ///
    /// # Errors
    /// When they cannot be counted.
    fn count(&self, kind: Kind, place: Place) -> Result<u64, StoreError>;

    /// How many objects of a kind belong to `owner`, in all places.
    ///
    /// # Errors
    /// When they cannot be counted.
    fn count_owned(&self, kind: Kind, owner: ObjectId) -> Result<u64, StoreError>;

    /// Encrypted objects whose key is another one than `key`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn sealed_otherwise(&self, key: KeyId, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Records of the audit log.
    ///
    /// # Errors
    /// When they cannot be read.
    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError>;
}

/// What can be changed within a transaction.
pub trait Write: Read {
    /// The time of the transaction.
    fn now(&self) -> Timestamp;

    /// The same transaction, for asking.
    fn as_read(&self) -> &dyn Read;

    /// Adds an object, with version 1.
    ///
    /// # Errors
    /// When a key is taken, or place or owner do not exist.
    fn insert(&self, row: &Row) -> Result<(), StoreError>;

    /// Replaces an object, when it still has the version `expected`, if given. The new version.
    ///
    /// # Errors
    /// When it does not exist in that place, was changed, or a key is taken.
    fn update(&self, row: &Row, expected: Option<u64>) -> Result<u64, StoreError>;

    /// Replaces the body of an object by the same, encrypted with another key. No version is counted.
    ///
    /// # Errors
    /// When it cannot be written.
    fn reseal(&self, row: &Row) -> Result<(), StoreError>;

    /// Sets the label of an object. No version is counted.
    ///
    /// # Errors
    /// When it does not exist in that place.
    fn relabel(&self, kind: Kind, place: Place, id: ObjectId, label: &str) -> Result<(), StoreError>;

    /// Removes an object and what belongs to it.
    ///
    /// # Errors
    /// When it does not exist in that place, or was changed.
    fn delete(&self, kind: Kind, place: Place, id: ObjectId, expected: Option<u64>) -> Result<(), StoreError>;

    /// Removes all objects of a kind that belong to `owner`, but `keep`; how many.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn delete_owned(&self, kind: Kind, owner: ObjectId, keep: Option<ObjectId>) -> Result<u64, StoreError>;

    /// Removes all objects of a kind that are in a place; how many.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn delete_all(&self, kind: Kind, place: Place) -> Result<u64, StoreError>;

    /// Adds the next record of the audit log.
    ///
    /// # Errors
    /// When it does not follow the last one.
    fn append_audit(&self, record: &AuditRecord) -> Result<(), StoreError>;
}
