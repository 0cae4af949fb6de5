//! Probes as objects. Their options may hold secrets, so that they are encrypted at rest.

use netwatch_model::people::{ProbeId, WorkspaceId};
use netwatch_model::probe::Probe;

use crate::kind::Kind;
use crate::object::{Entity, Key};

impl Entity for Probe {
    const KIND: Kind = Kind::Probe;
    type Id = ProbeId;
    type Place = WorkspaceId;

    fn id(&self) -> ProbeId {
        self.id
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn label(&self) -> String {
        format!("{} {}", self.name, self.spec.target).chars().take(80).collect()
    }

    /// Files name probes by their names.
    fn keys(&self) -> Vec<Key> {
        vec![Key::in_place("name", self.name.as_str().to_lowercase())]
    }
}
