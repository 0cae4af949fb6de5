//! What the ways of coming in share: finding people, making them, beginning their sessions.

use std::net::IpAddr;

use netwatch_entities::people::keys;
use netwatch_entities::{MembershipId, Site, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::{self, Secret};
use netwatch_identity::session;
use netwatch_model::people::{
    Action, BuiltInRole, Credential, CredentialId, CredentialKind, DisplayName, EmailAddress, Fields, Membership,
    Method, Role, SecretText, Session, User, UserId, UserName, Workspace, WorkspaceId,
};
use netwatch_model::{Timestamp, people};

use super::audit::{self, By, record};
use super::error::{AccessError, Refusal};

/// From where somebody wants to come in.
#[derive(Clone, Debug)]
pub(crate) struct PeopleRequest {
    /// The address.
    pub(crate) peer: IpAddr,
    /// What the browser calls itself.
    pub(crate) browser: String,
}

/// Somebody who has come in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// Their session.
    pub(crate) session: Session,
    /// Its reference, for the cookie.
    pub(crate) secret: Secret,
}

/// A new user, checked.
pub(super) struct NewUser {
    pub(super) name: UserName,
    pub(super) display_name: DisplayName,
    pub(super) email: Option<EmailAddress>,
}

impl NewUser {
    /// Checks what was written.
    pub(super) fn check(name: &str, display_name: Option<&str>, email: Option<&str>) -> Result<Self, Refusal> {
        let invalid = |field| move |source| Refusal::Invalid { field, source };
        let name: UserName = name.parse().map_err(invalid("name"))?;
        let shown = display_name.map(str::trim).filter(|t| !t.is_empty()).unwrap_or(name.as_str());
        let display_name = shown.parse().map_err(invalid("display_name"))?;
        let email = email.map(str::trim).filter(|t| !t.is_empty());
        let email = email.map(|t| t.parse().map_err(invalid("email"))).transpose()?;
        Ok(Self { name, display_name, email })
    }

    /// The user.
    pub(super) fn into_user(self, id: UserId, now: Timestamp) -> User {
        User {
            id,
            name: self.name,
            display_name: self.display_name,
            email: self.email,
            email_verified: false,
            site_administrator: false,
            disabled: false,
            created: now,
            last_sign_in: None,
        }
    }

    /// What a password must not be made of.
    pub(super) fn words(&self) -> Vec<&str> {
        let email = self.email.as_ref().map(EmailAddress::as_str);
        [Some(self.name.as_str()), Some(self.display_name.as_str()), email].into_iter().flatten().collect()
    }
}

/// Adds a user with a password.
pub(super) fn add_user(tx: &Writing<'_>, user: &User, hash: SecretText) -> Result<(), AccessError> {
    tx.insert(user).map_err(taken)?;
    tx.insert(&password(user.id, hash, tx.now())?)?;
    Ok(())
}

/// Sets or replaces the password of a user.
pub(super) fn put_password(tx: &Writing<'_>, user: UserId, hash: SecretText) -> Result<(), AccessError> {
    let known = tx.find_by_key::<Credential>(Site, keys::PASSWORD, &user.to_string())?;
    match known {
        None => tx.insert(&password(user, hash, tx.now())?)?,
        Some(known) => {
            let changed = Credential { kind: CredentialKind::Password { hash }, created: tx.now(), ..known.value };
            tx.update(&changed, None)?
        }
    };
    Ok(())
}

fn password(user: UserId, hash: SecretText, now: Timestamp) -> Result<Credential, AccessError> {
    credential(user, "Password", CredentialKind::Password { hash }, now)
}

/// A credential that is made now.
pub(super) fn credential(
    user: UserId,
    name: &str,
    kind: CredentialKind,
    now: Timestamp,
) -> Result<Credential, AccessError> {
    let name = name.parse().map_err(|source| Refusal::Invalid { field: "name", source })?;
    let id = CredentialId::new(now, secret::random_bits()?);
    Ok(Credential { id, user, name, kind, created: now, last_used: None })
}

/// Makes a user a member, labelled with their name.
pub(super) fn add_member(
    tx: &Writing<'_>,
    workspace: WorkspaceId,
    user: &User,
    role: Role,
    by: &By,
) -> Result<(), AccessError> {
    let membership = Membership { workspace, user: user.id, role, since: tx.now() };
    let label = format!("{} {}", user.name, user.display_name);
    tx.insert_labelled(&membership, &label)?;
    audit::member_added(tx, workspace, user, &role.to_string(), by)?;
    Ok(())
}

/// Begins a session of a user who has shown who they are, in the transaction that used what they showed.
pub(super) fn begin(
    tx: &Writing<'_>,
    user: &User,
    method: Method,
    request: &PeopleRequest,
    home: WorkspaceId,
) -> Result<SignedIn, AccessError> {
    let now = tx.now();
    make_room(tx, user.id, now)?;
    let workspace = first_workspace(tx, user, home)?;
    let (session, secret) = session::begin(user.id, method, workspace, Some(request.peer), &request.browser, now)?;
    tx.insert(&session)?;
    tx.update(&User { last_sign_in: Some(now), ..user.clone() }, None)?;
    let after = Some(Fields::new().with("method", method));
    let by = By::user(user, request.peer);
    record(tx, Entry { after, ..by.did(Action::SignIn, audit::user_ref(user)) })?;
    Ok(SignedIn { session, secret })
}

/// Removes the sessions of a user that ended, and so many others that there is room for one more.
fn make_room(tx: &Writing<'_>, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let sessions = tx.owned::<Session>(user, session::MAX_PER_USER * 2)?;
    let (mut live, ended): (Vec<_>, Vec<_>) = sessions.into_iter().partition(|s| session::holds(&s.value, now));
    live.sort_by_key(|s| s.value.used);
    let surplus = (live.len() + 1).saturating_sub(session::MAX_PER_USER);
    for old in ended.iter().chain(live.iter().take(surplus)) {
        tx.delete::<Session>(Site, old.value.id, None)?;
    }
    Ok(())
}

/// The workspace that is open after signing in: the first that the user is a member of.
fn first_workspace(tx: &Writing<'_>, user: &User, home: WorkspaceId) -> Result<Option<WorkspaceId>, StoreError> {
    if tx.find::<Membership>(home, MembershipId(home, user.id))?.is_some() {
        return Ok(Some(home));
    }
    let first = tx.owned::<Membership>(user.id, 1)?.into_iter().next().map(|m| m.value.workspace);
    Ok(first.or(user.site_administrator.then_some(home)))
}

/// Says which of a user's unique values somebody else has.
pub(super) fn taken(error: StoreError) -> AccessError {
    match error {
        StoreError::Taken { key: keys::NAME, .. } => Refusal::Taken("user name").into(),
        StoreError::Taken { key: keys::EMAIL, .. } => Refusal::Taken("e-mail address").into(),
        other => other.into(),
    }
}

/// Whether a workspace may have one more member.
pub(super) fn check_room(tx: &Writing<'_>, workspace: &Workspace) -> Result<(), AccessError> {
    let members = tx.count::<Membership>(workspace.id)?;
    let full = workspace.limits.members.is_some_and(|most| members >= u64::from(most));
    if full { Err(Refusal::Full.into()) } else { Ok(()) }
}

/// The role of whoever sets the house up.
pub(super) const FIRST_ROLE: Role = people::Role::BuiltIn(BuiltInRole::Owner);
