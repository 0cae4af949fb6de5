//! Which objects belong to a file that was applied: they are changed there and nowhere else.

use std::collections::BTreeMap;

use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::{Entity, Kind, ListQuery, ObjectId, Order, Reading, Writing};
use netwatch_model::Timestamp;
use netwatch_model::people::WorkspaceId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::fault::Fault;

/// Objects of one workspace that files own, at most.
const MANY: usize = 100_000;

/// That an object belongs to a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owned {
    workspace: WorkspaceId,
    /// The word of the kind, and the name.
    kind: String,
    name: String,
    /// The name of the file.
    source: String,
    since: Timestamp,
}

/// An object of a workspace, by kind and name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct OwnedId(ObjectId);

impl OwnedId {
    /// The head of a hash of all three.
    fn of(workspace: WorkspaceId, kind: &str, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(workspace.bits().to_be_bytes());
        hash.update(kind.as_bytes());
        hash.update([0]);
        hash.update(name.as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let (head, _) = digest.as_chunks::<16>();
        Self(ObjectId(head.first().copied().map_or(0, u128::from_be_bytes)))
    }
}

impl From<OwnedId> for ObjectId {
    fn from(id: OwnedId) -> Self {
        id.0
    }
}

impl Entity for Owned {
    const KIND: Kind = Kind::Owned;
    type Id = OwnedId;
    type Place = WorkspaceId;

    fn id(&self) -> OwnedId {
        OwnedId::of(self.workspace, &self.kind, &self.name)
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn label(&self) -> String {
        self.kind.clone()
    }
}

/// The file that owns an object, if one does.
pub(in crate::routes::manage) fn by(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    kind: &str,
    name: &str,
) -> Result<Option<String>, Fault> {
    let found = tx.find::<Owned>(workspace, OwnedId::of(workspace, kind, name))?;
    Ok(found.map(|owned| owned.value.source))
}

/// Refuses to change by hand what belongs to a file.
pub(in crate::routes::manage) fn refuse(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    kind: &str,
    name: &str,
) -> Result<(), Fault> {
    let Some(source) = by(tx, workspace, kind, name)? else { return Ok(()) };
    let detail = format!("`{name}` belongs to the file {source}: change it there and apply it again");
    Err(Problem::new(ProblemCode::ManagedByFile, detail).into())
}

/// All objects of a kind that files own: by name the file.
pub(in crate::routes::manage) fn all(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    kind: &str,
) -> Result<BTreeMap<String, String>, Fault> {
    let search = Some(kind.to_owned());
    let query = ListQuery { search, order: Order::Oldest, limit: MANY, ..ListQuery::default() };
    let items = tx.list::<Owned>(workspace, &query)?.items;
    let of_kind = items.into_iter().map(|stored| stored.value).filter(|owned| owned.kind == kind);
    Ok(of_kind.map(|owned| (owned.name, owned.source)).collect())
}

/// The only object of a kind that always is: it stands in files when it says something, or when a file owns it all the same.
pub(super) fn only(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    (kind, name): (&str, &str),
    is_empty: bool,
    value: Value,
) -> Result<BTreeMap<String, Value>, Fault> {
    let stands = !is_empty || by(tx, workspace, kind, name)?.is_some();
    Ok(stands.then(|| (name.to_owned(), value)).into_iter().collect())
}

/// The object belongs to that file from now on.
pub(super) fn set(tx: &Writing<'_>, workspace: WorkspaceId, kind: &str, name: &str, source: &str) -> Result<(), Fault> {
    let [kind, name, source] = [kind, name, source].map(str::to_owned);
    let owned = Owned { workspace, kind, name, source, since: tx.now() };
    match tx.find::<Owned>(workspace, owned.id())? {
        Some(_) => drop(tx.update(&owned, None)?),
        None => drop(tx.insert(&owned)?),
    }
    Ok(())
}

/// The object belongs to no file any more.
pub(in crate::routes::manage) fn unset(
    tx: &Writing<'_>,
    workspace: WorkspaceId,
    kind: &str,
    name: &str,
) -> Result<(), Fault> {
    let id = OwnedId::of(workspace, kind, name);
    if tx.find::<Owned>(workspace, id)?.is_some() {
        tx.delete::<Owned>(workspace, id, None)?;
    }
    Ok(())
}
