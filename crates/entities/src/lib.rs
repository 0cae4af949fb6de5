//! People, workspaces and all that they edit: what is remembered in entities.
//!
//! [`Entities`] gives typed operations in transactions over a [`Store`](port::Store); the embedded store is [`SqliteStore`]. An object
//! has an id, a place (the site, or one workspace, which every operation names), a version for `ETag` and `If-Match`, and stamps. Objects
//! that hold secrets are sealed by the [`Vault`] before the store sees them. The audit log is kept beside the objects, and only grows.
//!
//! A data directory has `entities.db`, the key file `secrets.key`, and `backups/` with copies made each day and before every change of
//! the format. A file that is damaged, missing or from a later Netwatch is never replaced silently.
//!
//! Limits: one process at a time; calls block; bodies of 64 KiB; one writer, so that some hundred changes a second fit.

mod agents;
pub mod audit;
pub mod backup;
mod directory;
mod entities;
pub mod error;
pub mod kind;
pub mod object;
pub mod people;
pub mod port;
mod probes;
mod reserve;
mod sqlite;
pub mod vault;

pub use agents::SeenId;
pub use audit::AuditQuery;
pub use directory::{DataDirectory, Part, Restored, restore_offline};
pub use entities::{Entities, Reading, Writing};
pub use error::{OpenError, StoreError};
pub use kind::Kind;
pub use object::{Entity, ListQuery, Mark, ObjectId, Order, Place, Site, Slice, Stored};
pub use people::MembershipId;
pub use sqlite::SqliteStore;
pub use vault::{Derived, KeyId, Vault, VaultError};
