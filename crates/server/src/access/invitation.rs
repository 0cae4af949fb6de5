//! Coming into a workspace by invitation.
//!
//! The inviter chose workspace and role; the invited choose name and password and nothing else. An invitation is good once.

use netwatch_entities::people::keys;
use netwatch_entities::{MembershipId, Reading, Site, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::{link, password, secret};
use netwatch_model::Timestamp;
use netwatch_model::people::{
    Action, CustomRole, Digest, Invitation, Membership, Method, ObjectKind, ObjectRef, Role, User, UserId, Workspace,
};

use super::Access;
use super::audit::{self, By, record};
use super::error::{AccessError, Refusal};
use super::identity::Identity;
use super::people::{NewUser, PeopleRequest, SignedIn, add_member, add_user, begin, check_room};

/// What an invitation offers.
pub(crate) struct Offer {
    /// The invitation.
    pub(crate) invitation: Invitation,
    /// Name of the workspace.
    pub(crate) workspace: String,
    /// Name of the role.
    pub(crate) role: String,
}

impl Access {
    /// What the invitation with that code offers.
    pub(crate) fn offer(&self, request: &PeopleRequest, code: &str) -> Result<Offer, AccessError> {
        self.count_code(request.peer)?;
        let (shown, now) = (secret::digest(code), self.clock.now());
        self.entities().read(|tx| {
            let invitation = find(tx, &shown, now)?;
            let workspace = tx.find::<Workspace>(Site, invitation.workspace)?.ok_or(Refusal::LinkGone)?.value;
            let role = role_name(tx, &invitation)?;
            Ok(Offer { workspace: workspace.name.to_string(), role, invitation })
        })
    }

    /// Makes an account for whoever holds an invitation, and signs them in. Costs a hash.
    pub(crate) fn accept_as_new(
        &self,
        request: &PeopleRequest,
        code: &str,
        name: &str,
        display_name: Option<&str>,
        password: &str,
    ) -> Result<SignedIn, AccessError> {
        self.count_code(request.peer)?;
        let (shown, now) = (secret::digest(code), self.clock.now());
        let email = self.entities().read(|tx| find(tx, &shown, now))?.email;
        let mut new = NewUser::check(name, display_name, None)?;
        new.email = email;
        password::check_policy(password, &new.words()).map_err(Refusal::Weak)?;
        let hash = password::hash(password)?;
        let id = UserId::new(now, secret::random_bits()?);
        let (asker, home) = (request.clone(), self.home());
        self.change(move |tx| {
            let invitation = take(tx, &shown)?;
            let user = new.into_user(id, tx.now());
            add_user(tx, &user, hash)?;
            let by = By::user(&user, asker.peer);
            audit::user_made(tx, Action::UserCreated, &user, &by)?;
            join(tx, &invitation, &user, &by)?;
            begin(tx, &user, Method::Link, &asker, home)
        })
    }

    /// Accepts an invitation for a user who is signed in.
    pub(crate) fn accept(&self, request: &PeopleRequest, identity: &Identity, code: &str) -> Result<(), AccessError> {
        self.count_code(request.peer)?;
        let user = identity.session().and(identity.user()).ok_or(Refusal::NotAUser)?;
        let (shown, by) = (secret::digest(code), identity.by(request.peer));
        self.change(move |tx| {
            let invitation = take(tx, &shown)?;
            let user = tx.get::<User>(Site, user)?.value;
            let id = MembershipId(invitation.workspace, user.id);
            if tx.find::<Membership>(invitation.workspace, id)?.is_some() {
                return Err(Refusal::MemberAlready.into());
            }
            join(tx, &invitation, &user, &by)
        })
    }
}

fn find(tx: &Reading<'_>, shown: &Digest, now: Timestamp) -> Result<Invitation, AccessError> {
    let found = tx.find_anywhere::<Invitation>(keys::DIGEST, &shown.to_string())?.map(|i| i.value);
    found.filter(|i| link::holds(i.created, i.expires, now)).ok_or_else(|| Refusal::LinkGone.into())
}

fn take(tx: &Writing<'_>, shown: &Digest) -> Result<Invitation, AccessError> {
    let invitation = find(tx, shown, tx.now())?;
    tx.delete::<Invitation>(invitation.workspace, invitation.id, None)?;
    Ok(invitation)
}

fn join(tx: &Writing<'_>, invitation: &Invitation, user: &User, by: &By) -> Result<(), AccessError> {
    let workspace = tx.find::<Workspace>(Site, invitation.workspace)?.ok_or(Refusal::LinkGone)?.value;
    check_room(tx, &workspace)?;
    let object = ObjectRef::new(ObjectKind::Invitation, invitation.id, workspace.name.as_str());
    record(tx, Entry { workspace: Some(workspace.id), ..by.did(Action::InvitationAccepted, object) })?;
    add_member(tx, invitation.workspace, user, invitation.role, by)
}

fn role_name(tx: &Reading<'_>, invitation: &Invitation) -> Result<String, StoreError> {
    Ok(match invitation.role {
        Role::BuiltIn(role) => role.to_string(),
        Role::Custom(id) => {
            let custom = tx.find::<CustomRole>(invitation.workspace, id)?;
            custom.map_or_else(|| "(deleted)".to_owned(), |r| r.value.name.to_string())
        }
    })
}
