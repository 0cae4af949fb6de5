//! Tells the store what is remembered elsewhere: how much is kept, and what workspaces call their address ranges.

use netwatch_entities::StoreError;
use netwatch_model::people::WorkspaceId;

use super::limits::{self, StorageRules};
use super::ranges;
use crate::app::App;

/// What a workspace is called in the store.
pub(crate) fn place(app: &App, workspace: WorkspaceId) -> WorkspaceId {
    if workspace == app.access().home() { crate::ingest::HOME } else { workspace }
}

impl App {
    /// What the configuration says of the store.
    pub(crate) fn storage_rules(&self) -> StorageRules {
        self.history().rules.load().as_ref().clone()
    }

    /// The configuration says something else from here on. Blocks.
    pub(crate) fn set_storage_rules(&self, rules: StorageRules) {
        self.history().rules.store(rules.into());
        self.apply_storage_limits();
    }

    /// Puts everything that says how much is kept together anew, and gives it to the store. Blocks.
    pub(crate) fn apply_storage_limits(&self) {
        let Ok(store) = self.history().get() else { return };
        let rules = self.storage_rules();
        let made = self.access().entities().read(|tx| limits::of_store(tx, &rules, |id| place(self, id)));
        match made {
            Ok(limits) => store.set_limits(limits),
            Err(error) => untold(&error),
        }
    }

    /// Gives the store the names of the address ranges of a workspace. Blocks.
    pub(crate) fn apply_ranges(&self, workspace: WorkspaceId) {
        let Ok(store) = self.history().get() else { return };
        match self.access().entities().read(|tx| ranges::of_workspace(tx, workspace)) {
            Ok(named) => store.name_ranges(place(self, workspace), ranges::lookup(named)),
            Err(error) => untold(&error),
        }
    }

    /// The same for everything, after the store or the entities became others. Blocks.
    pub(crate) fn apply_all_to_store(&self) {
        self.apply_storage_limits();
        match self.access().entities().read(limits::workspaces) {
            Ok(workspaces) => workspaces.into_iter().for_each(|workspace| self.apply_ranges(workspace.id)),
            Err(error) => untold(&error),
        }
    }
}

fn untold(error: &StoreError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "the telemetry store is not told what changed; it goes on as before"
    );
}
