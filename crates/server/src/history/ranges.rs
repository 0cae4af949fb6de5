//! The names that a workspace gave to address ranges: one object for each range.

use netwatch_entities::{Entity, Kind, ListQuery, ObjectId, Reading, StoreError};
use netwatch_model::Untrusted;
use netwatch_model::filter::Network;
use netwatch_model::people::WorkspaceId;
use netwatch_storage::{NamedRange, Ranges};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Ranges of a workspace.
pub(crate) const MOST: usize = 10_000;

/// A range with its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressRange {
    pub(crate) workspace: WorkspaceId,
    pub(crate) network: String,
    pub(crate) name: String,
}

/// A network in a workspace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RangeId(ObjectId);

impl From<RangeId> for ObjectId {
    fn from(id: RangeId) -> Self {
        id.0
    }
}

impl Entity for AddressRange {
    const KIND: Kind = Kind::AddressRange;
    type Id = RangeId;
    type Place = WorkspaceId;

    /// The head of a hash of both.
    fn id(&self) -> RangeId {
        let mut hash = Sha256::new();
        hash.update(self.workspace.bits().to_be_bytes());
        hash.update(self.network.as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let (head, _) = digest.as_chunks::<16>();
        RangeId(ObjectId(head.first().copied().map_or(0, u128::from_be_bytes)))
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn label(&self) -> String {
        format!("{} {}", self.name, self.network)
    }
}

/// All ranges of a workspace, by name.
pub(crate) fn of_workspace(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<AddressRange>, StoreError> {
    let query = ListQuery { limit: MOST, ..ListQuery::default() };
    Ok(tx.list::<AddressRange>(workspace, &query)?.items.into_iter().map(|stored| stored.value).collect())
}

/// As the store looks names up; nothing when there are none.
pub(crate) fn lookup(named: Vec<AddressRange>) -> Option<Ranges> {
    let range =
        |r: AddressRange| Some(NamedRange { network: Network::parse(&r.network)?, name: Untrusted::new(&r.name) });
    (!named.is_empty()).then(|| named.into_iter().filter_map(range).collect())
}
