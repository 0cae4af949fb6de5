//! What access control writes into the audit log: who did what, before and after, and never a secret.

use std::net::IpAddr;

use netwatch_entities::{StoreError, Writing};
use netwatch_identity::audit::{Entry, Head, append};
use netwatch_model::people::{Action, Actor, Fields, ObjectKind, ObjectRef, Outcome, User, Workspace, WorkspaceId};

/// Who did it, and from where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct By {
    /// Who.
    pub(crate) actor: Actor,
    /// From where.
    pub(crate) address: Option<IpAddr>,
}

impl By {
    /// The server by itself.
    pub(crate) const fn system() -> Self {
        Self { actor: Actor::System, address: None }
    }

    /// Somebody who is not signed in.
    pub(crate) const fn anonymous(peer: IpAddr) -> Self {
        Self { actor: Actor::Anonymous, address: Some(peer) }
    }

    /// A user who has just shown who they are.
    pub(crate) fn user(user: &User, peer: IpAddr) -> Self {
        Self { actor: Actor::User { id: user.id, name: user.name.clone() }, address: Some(peer) }
    }

    /// What they did to an object; before and after can be added.
    pub(crate) fn did(&self, action: Action, object: ObjectRef) -> Entry {
        Entry {
            actor: self.actor.clone(),
            address: self.address,
            workspace: None,
            action,
            object,
            outcome: Outcome::Done,
            before: None,
            after: None,
        }
    }
}

/// Adds an entry to the log, in the transaction of what it tells of.
pub(crate) fn record(tx: &Writing<'_>, entry: Entry) -> Result<(), StoreError> {
    let last = tx.audit_head()?;
    let head = last.map_or_else(Head::default, |record| Head { sequence: record.sequence, hash: record.hash });
    tx.append_audit(&append(head, entry, tx.now()))
}

/// A user as an object of the log.
pub(super) fn user_ref(user: &User) -> ObjectRef {
    ObjectRef::new(ObjectKind::User, user.id, user.name.as_str())
}

/// The fields of a user.
pub(super) fn user_fields(user: &User) -> Fields {
    Fields::new()
        .with("name", &user.name)
        .with("display_name", &user.display_name)
        .with("email", user.email.as_ref().map_or("", |e| e.as_str()))
        .with("email_verified", user.email_verified)
        .with("site_administrator", user.site_administrator)
        .with("disabled", user.disabled)
}

/// A user was made.
pub(super) fn user_made(tx: &Writing<'_>, action: Action, user: &User, by: &By) -> Result<(), StoreError> {
    record(tx, Entry { after: Some(user_fields(user)), ..by.did(action, user_ref(user)) })
}

/// A user was changed; nothing is written when nothing differs.
pub(super) fn user_changed(tx: &Writing<'_>, before: &User, after: &User, by: &By) -> Result<(), StoreError> {
    let (old, new) = Fields::changed(&user_fields(before), &user_fields(after));
    if old.is_empty() && new.is_empty() {
        return Ok(());
    }
    record(tx, Entry { before: Some(old), after: Some(new), ..by.did(Action::UserChanged, user_ref(after)) })
}

/// A workspace was made.
pub(super) fn workspace_made(tx: &Writing<'_>, workspace: &Workspace, by: &By) -> Result<(), StoreError> {
    let object = ObjectRef::new(ObjectKind::Workspace, workspace.id, workspace.name.as_str());
    let after = Some(Fields::new().with("name", &workspace.name));
    record(tx, Entry { after, workspace: Some(workspace.id), ..by.did(Action::WorkspaceCreated, object) })
}

/// Somebody became a member.
pub(super) fn member_added(
    tx: &Writing<'_>,
    workspace: WorkspaceId,
    user: &User,
    role: &str,
    by: &By,
) -> Result<(), StoreError> {
    let object = ObjectRef::new(ObjectKind::Member, user.id, user.name.as_str());
    let after = Some(Fields::new().with("role", role));
    record(tx, Entry { after, workspace: Some(workspace), ..by.did(Action::MemberAdded, object) })
}

/// A sign-in was refused. What was typed as a name may be a password typed into the wrong field: it is shown only when it is a user's.
pub(super) fn sign_in_refused(tx: &Writing<'_>, user: Option<&User>, why: &str, by: &By) -> Result<(), StoreError> {
    let object = user.map_or_else(|| ObjectRef::new(ObjectKind::User, "", "(unknown)"), user_ref);
    let after = Some(Fields::new().with("reason", why));
    record(tx, Entry { outcome: Outcome::Refused, after, ..by.did(Action::SignIn, object) })
}
