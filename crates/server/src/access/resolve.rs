//! From what a request shows to who it is and what they may do: looked up in the store, remembered for a moment.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use netwatch_entities::people::keys;
use netwatch_entities::{MembershipId, Reading, Site, StoreError};
use netwatch_identity::registration::Registration;
use netwatch_identity::{access, secret, session, token};
use netwatch_model::Timestamp;
use netwatch_model::people::{
    ApiToken, CustomRole, Digest, Membership, PermissionSet, Role, Session, User, Workspace, WorkspaceId,
};

use super::error::AccessError;
use super::identity::{Credential, Grant, Identity, Refused, Who};
use super::{Access, lock};

/// How long an answer is kept: with the check of open streams it stays below five seconds.
const KEEP: Duration = Duration::from_secs(3);
/// Most answers that are kept; when there are more, all are forgotten.
const MOST: usize = 4096;
/// Use is worth a write to disk once in this time.
const USED_EVERY: Duration = Duration::from_secs(300);

/// What is asked: the hash of what was shown, and the workspace that was named.
type Key = (Digest, Option<WorkspaceId>);

/// Answers that were found a moment ago.
#[derive(Default)]
pub(super) struct Cache(HashMap<Key, Entry>);

struct Entry {
    identity: Identity,
    until: Duration,
    generation: u64,
}

/// What was used, and is to be written.
enum Used {
    Session(Session),
    Token(ApiToken),
}

impl Access {
    /// Who `credential` is, if that was found out a moment ago.
    pub(crate) fn recall(&self, credential: Credential<'_>, wish: Option<WorkspaceId>) -> Option<Identity> {
        self.remembered(&(digest_of(credential), wish))
    }

    /// Who `credential` is, in the workspace `wish` or the one that is open.
    pub(crate) fn identify(
        &self,
        peer: IpAddr,
        credential: Credential<'_>,
        wish: Option<WorkspaceId>,
    ) -> Result<Result<Identity, Refused>, AccessError> {
        let shown = digest_of(credential);
        let Credential::Token(text) = credential else {
            return self.look_up(shown, wish, Self::session_grant);
        };
        let now = self.monotonic();
        match self.guard().token(peer, &shown, now) {
            Some(Some(wait)) => return Ok(Err(Refused::Wait(wait))),
            Some(None) => return Ok(Err(Refused::Wrong)),
            None => {}
        }
        let found = if secret::same(&shown, &self.token) {
            self.look_up(shown, wish, |access, tx, _, wish, _| access.local_grant(tx, wish))?
        } else if token::is_well_formed(text) {
            self.look_up(shown, wish, Self::token_grant)?
        } else {
            Err(Refused::Wrong)
        };
        if found == Err(Refused::Wrong) {
            self.guard().wrong_token(peer, shown, now);
        }
        Ok(found)
    }

    /// Whether somebody who came in earlier is still welcome in the same workspace, and with what. An open stream counts as use.
    pub(crate) fn still_holds(&self, identity: &Identity) -> Result<Option<Identity>, AccessError> {
        let (digest, workspace) = (self.digest_of_identity(identity), identity.workspace());
        if let Some(known) = self.remembered(&(digest, workspace)) {
            return Ok(Some(known));
        }
        let found = match identity.who() {
            Who::Local => self.look_up(digest, workspace, |access, tx, _, wish, _| access.local_grant(tx, wish)),
            Who::Session { .. } => self.look_up(digest, workspace, Self::session_grant),
            Who::Token { .. } => self.look_up(digest, workspace, Self::token_grant),
        };
        found.map(Result::ok)
    }

    /// The same, when it was found out a moment ago.
    pub(crate) fn recall_identity(&self, identity: &Identity) -> Option<Identity> {
        self.remembered(&(self.digest_of_identity(identity), identity.workspace()))
    }

    fn digest_of_identity(&self, identity: &Identity) -> Digest {
        match identity.who() {
            Who::Local => self.token,
            Who::Session { digest, .. } | Who::Token { digest, .. } => *digest,
        }
    }

    fn remembered(&self, key: &Key) -> Option<Identity> {
        let (now, generation) = (self.monotonic(), self.generation.load(Ordering::Acquire));
        let cache = lock(&self.cache);
        let entry = cache.0.get(key)?;
        let fresh = entry.until > now && entry.generation == generation;
        let ends = entry.identity.expires().is_some_and(|end| end <= self.clock.now());
        (fresh && !ends).then(|| entry.identity.clone())
    }

    fn look_up(
        &self,
        shown: Digest,
        wish: Option<WorkspaceId>,
        grant: impl FnOnce(&Self, &Reading<'_>, Digest, Option<WorkspaceId>, Timestamp) -> Result<Found, StoreError>,
    ) -> Result<Result<Identity, Refused>, AccessError> {
        // Read before the state is: a change in between makes the answer old at once.
        let generation = self.generation.load(Ordering::Acquire);
        let now = self.clock.now();
        let found = self.entities().read(|tx| grant(self, tx, shown, wish, now))?;
        let (grant, used) = match found {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Some(used) = used {
            self.write_use(used, now)?;
        }
        let identity = Identity::new(grant);
        let entry = Entry { identity: identity.clone(), until: self.monotonic() + KEEP, generation };
        let mut cache = lock(&self.cache);
        if cache.0.len() >= MOST {
            cache.0.clear();
        }
        cache.0.insert((shown, wish), entry);
        Ok(Ok(identity))
    }

    fn local_grant(&self, tx: &Reading<'_>, wish: Option<WorkspaceId>) -> Result<Found, StoreError> {
        let workspace = wish.unwrap_or(self.home());
        if tx.find::<Workspace>(Site, workspace)?.is_none() {
            return Ok(Err(Refused::NoWorkspace));
        }
        let grant =
            Grant { who: Who::Local, workspace: Some(workspace), permissions: PermissionSet::all(), expires: None };
        Ok(Ok((grant, None)))
    }

    fn session_grant(
        &self,
        tx: &Reading<'_>,
        shown: Digest,
        wish: Option<WorkspaceId>,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let found = tx.find_anywhere::<Session>(keys::DIGEST, &shown.to_string())?.map(|s| s.value);
        let Some(session) = found.filter(|s| session::holds(s, now)) else { return Ok(Err(Refused::Wrong)) };
        let Some(user) = active_user(tx, &session)? else { return Ok(Err(Refused::Wrong)) };
        let Some((workspace, permissions)) = choose(tx, &user, wish, session.workspace, self.registration())? else {
            return Ok(Err(Refused::NoWorkspace));
        };
        let used =
            (now.since(session.used) >= USED_EVERY).then(|| Used::Session(Session { used: now, ..session.clone() }));
        let expires = session::expires(&Session { used: now, ..session.clone() });
        let who = Who::Session { id: session.id, digest: shown, user: user.id, name: user.name };
        Ok(Ok((Grant { who, workspace, permissions, expires: Some(expires) }, used)))
    }

    fn token_grant(
        &self,
        tx: &Reading<'_>,
        shown: Digest,
        wish: Option<WorkspaceId>,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let found = tx.find_anywhere::<ApiToken>(keys::DIGEST, &shown.to_string())?.map(|t| t.value);
        let Some(token) = found.filter(|t| token::holds(t, now)) else { return Ok(Err(Refused::Wrong)) };
        let owner = tx.find::<User>(Site, token.owner)?.map(|u| u.value).filter(|u| !u.disabled);
        let Some(owner) = owner else { return Ok(Err(Refused::Wrong)) };
        if wish.is_some_and(|wish| wish != token.workspace) {
            return Ok(Err(Refused::NoWorkspace));
        }
        let own = permissions(tx, &owner, token.workspace, self.registration())?.unwrap_or_default();
        let permissions = access::of_token(&token, own);
        let old = token.last_used.is_none_or(|last| now.since(last) >= USED_EVERY);
        let who = Who::Token { id: token.id, digest: shown, owner: owner.id, name: owner.name };
        let grant = Grant { who, workspace: Some(token.workspace), permissions, expires: token.expires };
        Ok(Ok((grant, old.then_some(Used::Token(ApiToken { last_used: Some(now), ..token })))))
    }

    /// Writes that something was used. What was ended meanwhile stays ended.
    fn write_use(&self, used: Used, now: Timestamp) -> Result<(), AccessError> {
        let result = self.entities().write(now, move |tx| match used {
            Used::Session(session) => {
                let known = tx.find::<Session>(Site, session.id)?.map(|s| s.value);
                let same = known.filter(|known| known.digest == session.digest);
                same.map(|known| tx.update(&Session { used: session.used, ..known }, None)).transpose().map(drop)
            }
            Used::Token(token) => {
                let known = tx.find::<ApiToken>(token.workspace, token.id)?.map(|t| t.value);
                let same = known.filter(|known| known.digest == token.digest);
                same.map(|known| tx.update(&ApiToken { last_used: token.last_used, ..known }, None))
                    .transpose()
                    .map(drop)
            }
        });
        match result {
            // On a full disk people can still see what is wrong.
            Err(error @ StoreError::Full(_)) => {
                tracing::warn!(%error, "the use of a session or token is not written");
                Ok(())
            }
            other => other.map_err(Into::into),
        }
    }
}

/// A grant and what is to be written of its use, or why there is none.
type Found = Result<(Grant, Option<Used>), Refused>;

fn digest_of(credential: Credential<'_>) -> Digest {
    match credential {
        Credential::Token(text) | Credential::Cookie(text) => secret::digest(text),
    }
}

fn active_user(tx: &Reading<'_>, session: &Session) -> Result<Option<User>, StoreError> {
    Ok(tx.find::<User>(Site, session.user)?.map(|u| u.value).filter(|u| !u.disabled))
}

/// The workspace of a request and what the user may do there; none when the one that was named is not theirs.
fn choose(
    tx: &Reading<'_>,
    user: &User,
    wish: Option<WorkspaceId>,
    open: Option<WorkspaceId>,
    rules: Registration,
) -> Result<Option<(Option<WorkspaceId>, PermissionSet)>, StoreError> {
    if let Some(wish) = wish {
        return Ok(permissions(tx, user, wish, rules)?.map(|p| (Some(wish), p)));
    }
    if let Some(open) = open
        && let Some(found) = permissions(tx, user, open, rules)?
    {
        return Ok(Some((Some(open), found)));
    }
    // The open one is gone, or no longer theirs: the first that is.
    if let Some(membership) = tx.owned::<Membership>(user.id, 1)?.into_iter().next() {
        let workspace = membership.value.workspace;
        return Ok(permissions(tx, user, workspace, rules)?.map(|p| (Some(workspace), p)));
    }
    Ok(Some((None, access::of_user(user, None, rules))))
}

/// What a user may do in a workspace; none when they may not even know that it exists.
fn permissions(
    tx: &Reading<'_>,
    user: &User,
    workspace: WorkspaceId,
    rules: Registration,
) -> Result<Option<PermissionSet>, StoreError> {
    if user.site_administrator {
        let exists = tx.find::<Workspace>(Site, workspace)?.is_some();
        return Ok(exists.then(|| access::of_user(user, None, rules)));
    }
    let Some(membership) = tx.find::<Membership>(workspace, MembershipId(workspace, user.id))? else { return Ok(None) };
    let role = role_permissions(tx, workspace, membership.value.role)?;
    Ok(Some(access::of_user(user, Some(role), rules)))
}

/// What a role allows in a workspace.
pub(super) fn role_permissions(
    tx: &Reading<'_>,
    workspace: WorkspaceId,
    role: Role,
) -> Result<PermissionSet, StoreError> {
    let custom = match role {
        Role::Custom(id) => tx.find::<CustomRole>(workspace, id)?.map(|r| r.value),
        Role::BuiltIn(_) => None,
    };
    Ok(access::of_role(role, custom.as_ref()))
}
