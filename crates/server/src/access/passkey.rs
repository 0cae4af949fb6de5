//! The passkeys of one's own account: added with a fresh proof, named, removed with one.

mod sign_in;

use std::net::IpAddr;

use netwatch_entities::people::keys;
use netwatch_entities::{Site, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::passkey::{LIFE, MAX_PER_USER, RelyingParty};
use netwatch_identity::secret::Secret;
use netwatch_model::people::{
    Action, Credential, CredentialId, CredentialKind, DisplayName, Fields, ObjectKind, ObjectRef, Session, UserId,
};
use serde_json::Value;

use super::Access;
use super::account::{renew, session_of, user_of};
use super::audit::record;
use super::ceremony::Purpose;
use super::error::{AccessError, Refusal};
use super::identity::Identity;
use super::people::credential;

/// What a browser is asked.
pub(crate) struct Challenge {
    /// To be sent with its answer.
    pub(crate) ceremony: Secret,
    /// What `navigator.credentials` is given.
    pub(crate) options: Value,
    /// How long it is good.
    pub(crate) life: std::time::Duration,
}

impl Access {
    /// Asks the browser at `origin` to make a passkey. Costs a hash.
    pub(crate) fn begin_passkey(
        &self,
        identity: &Identity,
        peer: IpAddr,
        password: Option<&str>,
        origin: &str,
    ) -> Result<Challenge, AccessError> {
        let (user, session) = (user_of(identity)?, session_of(identity)?);
        let party = RelyingParty::of(origin).map_err(Refusal::PasskeyUnfit)?;
        self.prove(identity, peer, password)?;
        let profile = self.profile(user)?;
        let known = key_ids(&profile.credentials);
        if known.len() >= MAX_PER_USER {
            return Err(Refusal::PasskeysFull.into());
        }
        let (options, registration) = party.register(&profile.user, &known)?;
        self.challenge(Purpose::Add { session, registration }, options)
    }

    /// Keeps the passkey that the browser made. Ends all other sessions; this one gets a new reference.
    pub(crate) fn confirm_passkey(
        &self,
        identity: &Identity,
        peer: IpAddr,
        ceremony: &str,
        name: &str,
        answer: Value,
    ) -> Result<(Credential, Secret), AccessError> {
        let (user, own) = (user_of(identity)?, session_of(identity)?);
        // Before the ceremony is used up: a name can be typed again.
        let name: DisplayName = name.parse().map_err(|source| Refusal::Invalid { field: "name", source })?;
        let now = self.monotonic();
        let registration = match self.ceremonies().take(ceremony, now) {
            Some(Purpose::Add { session, registration }) if session == own => registration,
            _ => return Err(Refusal::CeremonyGone.into()),
        };
        let kind = registration.finish(answer).map_err(|error| {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::info!(error, %user, "a passkey was not added");
            Refusal::PasskeyUnusable
        })?;
        let added = credential(user, name.as_str(), kind, self.clock.now())?;
        let by = identity.by(peer);
        self.change(move |tx| {
            if key_ids(&credentials_of(tx, user)?).len() >= MAX_PER_USER {
                return Err(Refusal::PasskeysFull.into());
            }
            tx.insert(&added).map_err(|error| match error {
                StoreError::Taken { key: keys::PASSKEY, .. } => Refusal::Taken("passkey").into(),
                other => AccessError::from(other),
            })?;
            let ended = tx.delete_owned::<Session>(user, Some(own))?;
            let after = Some(Fields::new().with("name", &added.name).with("sessions_ended", ended));
            record(tx, Entry { after, ..by.did(Action::PasskeyAdded, passkey_ref(&added)) })?;
            Ok((added, renew(tx, own)?))
        })
    }

    /// Gives a passkey of the user's own another name.
    pub(crate) fn rename_passkey(
        &self,
        identity: &Identity,
        peer: IpAddr,
        id: CredentialId,
        name: &str,
    ) -> Result<(), AccessError> {
        let (user, by) = (user_of(identity)?, identity.by(peer));
        let name = name.parse().map_err(|source| Refusal::Invalid { field: "name", source })?;
        self.change(move |tx| {
            let before = own_passkey(tx, user, id)?;
            let after = Credential { name, ..before.clone() };
            tx.update(&after, None)?;
            let (old, new) = (Fields::new().with("name", &before.name), Fields::new().with("name", &after.name));
            let did = by.did(Action::PasskeyRenamed, passkey_ref(&after));
            record(tx, Entry { before: Some(old), after: Some(new), ..did })?;
            Ok(())
        })
    }

    /// Removes a passkey of the user's own. Ends all other sessions; this one gets a new reference. Costs a hash.
    pub(crate) fn remove_passkey(
        &self,
        identity: &Identity,
        peer: IpAddr,
        id: CredentialId,
        password: Option<&str>,
    ) -> Result<Secret, AccessError> {
        let (user, session) = (user_of(identity)?, session_of(identity)?);
        if !self.profile(user)?.credentials.iter().any(|c| c.id == id) {
            return Err(Refusal::NotFound("passkey").into());
        }
        self.prove(identity, peer, password)?;
        let by = identity.by(peer);
        self.change(move |tx| {
            let removed = own_passkey(tx, user, id)?;
            if !credentials_of(tx, user)?.iter().any(|c| c.id != id && lets_in(c)) {
                return Err(Refusal::LastWayIn.into());
            }
            tx.delete::<Credential>(Site, id, None)?;
            let ended = tx.delete_owned::<Session>(user, Some(session))?;
            let before = Some(Fields::new().with("name", &removed.name).with("sessions_ended", ended));
            record(tx, Entry { before, ..by.did(Action::PasskeyRemoved, passkey_ref(&removed)) })?;
            renew(tx, session)
        })
    }

    /// Keeps a challenge in mind until its answer comes.
    fn challenge(&self, purpose: Purpose, options: Value) -> Result<Challenge, AccessError> {
        let now = self.monotonic();
        let ceremony = self.ceremonies().add(purpose, now)?;
        Ok(Challenge { ceremony, options, life: LIFE })
    }
}

/// Ids of the keys of passkeys.
fn key_ids<'a>(credentials: &'a [Credential]) -> Vec<&'a str> {
    let id = |credential: &'a Credential| match &credential.kind {
        CredentialKind::Passkey { key_id, .. } => Some(key_id.as_str()),
        _ => None,
    };
    credentials.iter().filter_map(id).collect()
}

/// Whether somebody comes in by that credential alone.
const fn lets_in(credential: &Credential) -> bool {
    !matches!(credential.kind, CredentialKind::Totp { .. })
}

fn credentials_of(tx: &Writing<'_>, user: UserId) -> Result<Vec<Credential>, StoreError> {
    Ok(tx.owned::<Credential>(user, 100)?.into_iter().map(|c| c.value).collect())
}

fn own_passkey(tx: &Writing<'_>, user: UserId, id: CredentialId) -> Result<Credential, AccessError> {
    let found = tx.find::<Credential>(Site, id)?.map(|c| c.value);
    let own = found.filter(|c| c.user == user && matches!(c.kind, CredentialKind::Passkey { .. }));
    own.ok_or_else(|| Refusal::NotFound("passkey").into())
}

fn passkey_ref(credential: &Credential) -> ObjectRef {
    ObjectRef::new(ObjectKind::Credential, credential.id, credential.name.as_str())
}
