//! Probes as objects, and windows of maintenance. Options of probes may hold secrets, so that probes are encrypted at rest.

use netwatch_model::people::{MaintenanceId, ProbeId, WorkspaceId};
use netwatch_model::probe::{Maintenance, Probe};

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

impl Entity for Maintenance {
    const KIND: Kind = Kind::Maintenance;
    type Id = MaintenanceId;
    type Place = WorkspaceId;

    fn id(&self) -> MaintenanceId {
        self.id
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn label(&self) -> String {
        self.name.as_str().chars().take(80).collect()
    }

    /// Files name windows by their names.
    fn keys(&self) -> Vec<Key> {
        vec![Key::in_place("name", self.name.as_str().to_lowercase())]
    }
}
