//! Signing in with an account at an identity provider: the user is found by issuer and subject, and by nothing else.
//!
//! Workspaces that the mapping names are governed by it: at every sign-in the role is set to what the claims give, and a membership for
//! which no claim speaks any more is removed. Owners are never touched, so that a mapping cannot lock everybody out. A workspace that has as
//! many members as it may have takes in nobody by its mapping: they sign in without it, and the audit log says so.

use std::collections::BTreeMap;

use netwatch_entities::people::{external_key, keys};
use netwatch_entities::{MembershipId, Reading, Site, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::external::{self, ExternalLogin, RoleRule};
use netwatch_identity::secret;
use netwatch_model::people::{
    Action, BuiltInRole, Credential, CredentialKind, Fields, Membership, Method, ObjectKind, ObjectRef, Outcome, Role,
    User, UserId, Workspace, WorkspaceId,
};

use super::Access;
use super::audit::{self, By, record};
use super::error::{AccessError, Refusal};
use super::people::{PeopleRequest, SignedIn, add_member, begin, check_room, credential};

/// What an external source may do here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ExternalRules {
    /// Whether people who are not known yet get an account.
    pub(crate) provision: bool,
    /// Which claims give which roles.
    pub(crate) roles: Vec<RoleRule>,
}

impl Access {
    /// Signs in somebody whom an external source has proven.
    pub(crate) fn sign_in_external(
        &self,
        request: &PeopleRequest,
        login: ExternalLogin,
        rules: ExternalRules,
    ) -> Result<SignedIn, AccessError> {
        external::check_identity(&login.identity).map_err(Refusal::External)?;
        let new = UserId::new(self.clock.now(), secret::random_bits()?);
        let (asker, home) = (request.clone(), self.home());
        let signed = self.change(move |tx| {
            if tx.count::<User>(Site)? == 0 {
                return Err(Refusal::SetUpNeeded.into());
            }
            let user = match known(tx, &login)? {
                Some(user) => user,
                None if rules.provision => provision(tx, &login, new, &asker)?,
                None => return Err(Refusal::NoAccount.into()),
            };
            if user.disabled {
                return Err(Refusal::NoAccount.into());
            }
            follow_mapping(tx, &user, &external::roles(&login, &rules.roles), &rules.roles)?;
            begin(tx, &user, Method::External, &asker, home)
        });
        if let Err(AccessError::Refused(refusal)) = &signed {
            let (why, by) = (refusal.to_string(), By::anonymous(request.peer));
            let now = self.monotonic();
            if self.guard().records_refusal(now) {
                self.entities().write(self.clock.now(), move |tx| audit::sign_in_refused(tx, None, &why, &by))?;
            }
        }
        signed
    }
}

/// The user of an identity, and that it was used.
fn known(tx: &Writing<'_>, login: &ExternalLogin) -> Result<Option<User>, AccessError> {
    let key = external_key(&login.identity.issuer, &login.identity.subject);
    let Some(found) = tx.find_anywhere::<Credential>(keys::EXTERNAL, &key)?.map(|c| c.value) else { return Ok(None) };
    let user = tx.get::<User>(Site, found.user)?.value;
    tx.update(&Credential { last_used: Some(tx.now()), ..found }, None)?;
    Ok(Some(user))
}

fn provision(
    tx: &Writing<'_>,
    login: &ExternalLogin,
    id: UserId,
    request: &PeopleRequest,
) -> Result<User, AccessError> {
    let taken = |key: &str, value: &str| tx.find_by_key::<User>(Site, key, value);
    // A name that cannot be looked up counts as taken.
    let mut user =
        external::provision(login, id, |name| !matches!(taken(keys::NAME, name.as_str()), Ok(None)), tx.now());
    if let Some(email) = &user.email
        && taken(keys::EMAIL, email.as_str())?.is_some()
    {
        // Somebody else has shown that the address is theirs: nobody is linked by address, and nobody loses theirs.
        (user.email, user.email_verified) = (None, false);
    }
    tx.insert(&user)?;
    let kind = CredentialKind::External(login.identity.clone());
    tx.insert(&credential(user.id, "Identity provider", kind, tx.now())?)?;
    let by = By::user(&user, request.peer);
    audit::user_made(tx, Action::UserCreated, &user, &by)?;
    let after = Fields::new().with("issuer", &login.identity.issuer).with("subject", &login.identity.subject);
    record(tx, Entry { after: Some(after), ..by.did(Action::IdentityLinked, audit::user_ref(&user)) })?;
    Ok(user)
}

/// Sets the user's roles in the workspaces that the rules name.
fn follow_mapping(
    tx: &Writing<'_>,
    user: &User,
    given: &BTreeMap<WorkspaceId, Role>,
    rules: &[RoleRule],
) -> Result<(), AccessError> {
    let mut governed: Vec<WorkspaceId> = rules.iter().map(|rule| rule.workspace).collect();
    governed.sort_unstable();
    governed.dedup();
    for workspace in governed {
        let Some(place) = tx.find::<Workspace>(Site, workspace)?.map(|w| w.value) else {
            tracing::warn!(%workspace, "the role mapping names a workspace that does not exist");
            continue;
        };
        let now = membership(tx, workspace, user.id)?;
        match (now, given.get(&workspace).copied()) {
            (Some(now), _) if now.role == Role::BuiltIn(BuiltInRole::Owner) => {}
            (None, Some(role)) => take_in(tx, &place, user, role)?,
            (Some(now), Some(role)) if now.role != role => {
                tx.update(&Membership { role, ..now }, None)?;
                log_change(tx, user, &now, Some(role))?;
            }
            (Some(now), None) => {
                tx.delete::<Membership>(workspace, MembershipId(workspace, user.id), None)?;
                log_change(tx, user, &now, None)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes a user a member, or records that there was no room.
fn take_in(tx: &Writing<'_>, workspace: &Workspace, user: &User, role: Role) -> Result<(), AccessError> {
    match check_room(tx, workspace) {
        Ok(()) => add_member(tx, workspace.id, user, role, &By::system()),
        Err(AccessError::Refused(Refusal::Full)) => {
            tracing::warn!(workspace = %workspace.id, user = %user.id, "the role mapping gives a role, but the workspace is full");
            let object = ObjectRef::new(ObjectKind::Member, user.id, user.name.as_str());
            let after = Some(Fields::new().with("role", role).with("reason", Refusal::Full));
            let did = By::system().did(Action::MemberAdded, object);
            let outcome = Outcome::Refused;
            Ok(record(tx, Entry { workspace: Some(workspace.id), outcome, after, ..did })?)
        }
        Err(error) => Err(error),
    }
}

fn membership(tx: &Reading<'_>, workspace: WorkspaceId, user: UserId) -> Result<Option<Membership>, StoreError> {
    Ok(tx.find::<Membership>(workspace, MembershipId(workspace, user))?.map(|m| m.value))
}

fn log_change(tx: &Writing<'_>, user: &User, before: &Membership, after: Option<Role>) -> Result<(), StoreError> {
    let action = if after.is_some() { Action::MemberChanged } else { Action::MemberRemoved };
    let object = ObjectRef::new(ObjectKind::Member, user.id, user.name.as_str());
    record(
        tx,
        Entry {
            workspace: Some(before.workspace),
            before: Some(Fields::new().with("role", before.role)),
            after: after.map(|role| Fields::new().with("role", role)),
            ..By::system().did(action, object)
        },
    )
}
