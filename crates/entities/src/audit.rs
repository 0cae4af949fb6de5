//! What can be asked of the audit log.
//!
//! One chain for the installation; a workspace sees the records that name it. Records are only ever added: the store refuses one that
//! does not follow the last, and its engine refuses changes and removals.

use netwatch_model::Timestamp;
use netwatch_model::people::{Action, Outcome, UserId, WorkspaceId};

/// Which records, and in which order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditQuery {
    /// Only those of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Only what this user did, or a token of theirs.
    pub user: Option<UserId>,
    /// Only this action.
    pub action: Option<Action>,
    /// Only what was done to the object with this id.
    pub object: Option<String>,
    /// Only what ended so.
    pub outcome: Option<Outcome>,
    /// Only records with this text in them, in any case.
    pub search: Option<String>,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// Only those after this place, in the order that is asked for.
    pub after: Option<u64>,
    /// Most records, from 1.
    pub limit: usize,
}
