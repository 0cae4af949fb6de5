//! One's own account: name, address, password, sessions, workspaces.

use std::net::IpAddr;

use netwatch_entities::{Site, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::Secret;
use netwatch_identity::{password, session};
use netwatch_model::people::{
    Action, Credential, CredentialKind, CustomRole, Fields, LinkPurpose, Membership, ObjectKind, ObjectRef, Role,
    Session, SessionId, User, UserId, Workspace, WorkspaceId,
};

use super::Access;
use super::audit::{self, record};
use super::error::{AccessError, Refusal};
use super::identity::{Identity, Who};
use super::people::{put_password, taken};

/// Workspaces that are listed with the session.
pub(super) const MAX_WORKSPACES: usize = 200;

/// A user and all that belongs to their account.
pub(crate) struct Profile {
    /// The user.
    pub(crate) user: User,
    /// Ways in which they sign in.
    pub(crate) credentials: Vec<Credential>,
}

/// A workspace that somebody can open.
pub(crate) struct Openable {
    /// Identity.
    pub(crate) id: WorkspaceId,
    /// Name.
    pub(crate) name: String,
    /// Name of the role.
    pub(crate) role: String,
}

impl Access {
    /// The account of a user.
    pub(crate) fn profile(&self, user: UserId) -> Result<Profile, AccessError> {
        self.entities().read(|tx| {
            let user = tx.find::<User>(Site, user)?.ok_or(Refusal::NotFound("user"))?.value;
            let credentials = tx.owned::<Credential>(user.id, 100)?.into_iter().map(|c| c.value).collect();
            Ok(Profile { user, credentials })
        })
    }

    /// The workspaces that the asker can open, by name.
    pub(crate) fn openable(&self, identity: &Identity) -> Result<Vec<Openable>, AccessError> {
        let only = match identity.who() {
            Who::Token { .. } => identity.workspace(),
            _ => None,
        };
        let found = self.entities().read(|tx| {
            let user = identity.user().map(|id| tx.find::<User>(Site, id)).transpose()?.flatten().map(|u| u.value);
            let everywhere = user.as_ref().is_none_or(|u| u.site_administrator);
            let mut all = Vec::new();
            if everywhere {
                let query = netwatch_entities::ListQuery { limit: MAX_WORKSPACES, ..Default::default() };
                let role = if user.is_some() { "site_administrator" } else { "local" };
                let open = |w: Workspace| Openable { id: w.id, name: w.name.to_string(), role: role.to_owned() };
                all.extend(tx.list::<Workspace>(Site, &query)?.items.into_iter().map(|w| open(w.value)));
            } else if let Some(user) = user {
                for membership in tx.owned::<Membership>(user.id, MAX_WORKSPACES)? {
                    all.extend(openable(tx, &membership.value)?);
                }
                all.sort_by_key(|w| w.name.to_lowercase());
            }
            Ok::<_, StoreError>(all)
        })?;
        Ok(found.into_iter().filter(|w| only.is_none_or(|id| id == w.id)).collect())
    }

    /// Opens another workspace in a session: one that the user may see.
    pub(crate) fn open_workspace(&self, identity: &Identity, workspace: WorkspaceId) -> Result<(), AccessError> {
        let Who::Session { id, .. } = *identity.who() else { return Err(Refusal::NotAUser.into()) };
        if !self.openable(identity)?.iter().any(|w| w.id == workspace) {
            return Err(Refusal::NotFound("workspace").into());
        }
        self.change(move |tx| {
            let session = tx.get::<Session>(Site, id)?.value;
            tx.update(&Session { workspace: Some(workspace), ..session }, None)?;
            Ok(())
        })
    }

    /// Changes how the user is shown and reached. Fields that are left out stay.
    pub(crate) fn change_account(
        &self,
        identity: &Identity,
        peer: IpAddr,
        display_name: Option<&str>,
        email: Option<&str>,
    ) -> Result<(), AccessError> {
        let id = user_of(identity)?;
        let invalid = |field| move |source| Refusal::Invalid { field, source };
        let display_name = display_name.map(str::parse).transpose().map_err(invalid("display_name"))?;
        let email = email.map(str::trim).map(|t| if t.is_empty() { Ok(None) } else { t.parse().map(Some) });
        let email = email.transpose().map_err(invalid("email"))?;
        let by = identity.by(peer);
        self.change(move |tx| {
            let before = tx.get::<User>(Site, id)?.value;
            let mut after = before.clone();
            if let Some(name) = display_name {
                after.display_name = name;
            }
            if let Some(email) = email.filter(|email| *email != before.email) {
                (after.email, after.email_verified) = (email, false);
            }
            tx.update(&after, None).map_err(taken)?;
            audit::user_changed(tx, &before, &after, &by)?;
            Ok(())
        })
    }

    /// Sets a new password, ends all other sessions, and gives this one a new reference. Costs two hashes.
    pub(crate) fn change_password(
        &self,
        identity: &Identity,
        peer: IpAddr,
        current: Option<&str>,
        new: &str,
    ) -> Result<Secret, AccessError> {
        let user = user_of(identity)?;
        self.prove(identity, peer, current)?;
        let profile = self.profile(user)?;
        let words = [profile.user.name.to_string(), profile.user.display_name.to_string()];
        password::check_policy(new, &words.each_ref().map(String::as_str)).map_err(Refusal::Weak)?;
        let hash = password::hash(new)?;
        let (by, session) = (identity.by(peer), session_of(identity)?);
        self.change(move |tx| {
            put_password(tx, user, hash)?;
            let ended = tx.delete_owned::<Session>(user, Some(session))?;
            let user = tx.get::<User>(Site, user)?.value;
            let after = Some(Fields::new().with("by", "user").with("sessions_ended", ended));
            record(tx, Entry { after, ..by.did(Action::PasswordChanged, audit::user_ref(&user)) })?;
            renew(tx, session)
        })
    }

    /// Whether the user has shown anew who they are: by their password, or, if they have none, by a sign-in a short time ago.
    pub(super) fn prove(&self, identity: &Identity, peer: IpAddr, password: Option<&str>) -> Result<(), AccessError> {
        let (user, session) = (user_of(identity)?, session_of(identity)?);
        let profile = self.profile(user)?;
        let has_password = profile.credentials.iter().any(|c| matches!(c.kind, CredentialKind::Password { .. }));
        let proven = match password {
            Some(password) if has_password => self.check_password(user, peer, password)?,
            _ if has_password => false,
            _ => {
                let known = self.entities().read(|tx| tx.find::<Session>(Site, session))?;
                known.is_some_and(|s| session::is_fresh(&s.value, self.clock.now()))
            }
        };
        if proven { Ok(()) } else { Err(Refusal::NeedsPassword.into()) }
    }

    /// The sessions of a user that hold, newest first.
    pub(crate) fn sessions_of(&self, identity: &Identity) -> Result<Vec<Session>, AccessError> {
        let (user, now) = (user_of(identity)?, self.clock.now());
        let all = self.entities().read(|tx| tx.owned::<Session>(user, session::MAX_PER_USER * 2))?;
        let mut held: Vec<_> = all.into_iter().map(|s| s.value).filter(|s| session::holds(s, now)).collect();
        held.sort_by_key(|s| std::cmp::Reverse(s.created));
        Ok(held)
    }

    /// Ends one session of the user's own.
    pub(crate) fn end_session(&self, identity: &Identity, peer: IpAddr, id: SessionId) -> Result<(), AccessError> {
        let (user, by) = (user_of(identity)?, identity.by(peer));
        self.change(move |tx| {
            let known = tx.find::<Session>(Site, id)?.filter(|s| s.value.user == user);
            let known = known.ok_or(Refusal::NotFound("session"))?.value;
            tx.delete::<Session>(Site, id, None)?;
            let object = ObjectRef::new(ObjectKind::Session, id, &known.browser.to_string());
            record(tx, by.did(Action::SessionRevoked, object))?;
            Ok(())
        })
    }

    /// Ends all sessions of the user but the one that asks.
    pub(crate) fn end_other_sessions(&self, identity: &Identity, peer: IpAddr) -> Result<(), AccessError> {
        let (user, by, keep) = (user_of(identity)?, identity.by(peer), session_of(identity)?);
        self.change(move |tx| {
            let ended = tx.delete_owned::<Session>(user, Some(keep))?;
            let object = ObjectRef::new(ObjectKind::User, user, "");
            let after = Some(Fields::new().with("sessions_ended", ended));
            record(tx, Entry { after, ..by.did(Action::SessionRevoked, object) })?;
            Ok(())
        })
    }
}

/// The user who asks, in a browser: programs have no account.
pub(super) fn user_of(identity: &Identity) -> Result<UserId, Refusal> {
    identity.session().and(identity.user()).ok_or(Refusal::NotAUser)
}

pub(super) fn session_of(identity: &Identity) -> Result<SessionId, Refusal> {
    identity.session().ok_or(Refusal::NotAUser)
}

/// Gives a session a new reference: the one before is worth nothing from now on.
pub(super) fn renew(tx: &Writing<'_>, id: SessionId) -> Result<Secret, AccessError> {
    let secret = Secret::session()?;
    let session = tx.get::<Session>(Site, id)?.value;
    tx.update(&Session { digest: secret.digest(), ..session }, None)?;
    Ok(secret)
}

/// The purpose of a link that verifies the address of `user`.
pub(crate) fn verification(user: &User) -> Result<LinkPurpose, Refusal> {
    let email = user.email.clone().ok_or(Refusal::Email("there is no address to verify: set one first"))?;
    if user.email_verified {
        return Err(Refusal::Email("the address is verified already"));
    }
    Ok(LinkPurpose::VerifyEmail { user: user.id, email })
}

fn openable(tx: &netwatch_entities::Reading<'_>, membership: &Membership) -> Result<Option<Openable>, StoreError> {
    let Some(workspace) = tx.find::<Workspace>(Site, membership.workspace)? else { return Ok(None) };
    let role = match membership.role {
        Role::BuiltIn(role) => role.to_string(),
        Role::Custom(id) => {
            let custom = tx.find::<CustomRole>(membership.workspace, id)?;
            custom.map_or_else(|| "(deleted)".to_owned(), |r| r.value.name.to_string())
        }
    };
    Ok(Some(Openable { id: membership.workspace, name: workspace.value.name.to_string(), role }))
}
