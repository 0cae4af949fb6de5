//! One-time passwords: switched on with a right one, switched off with the password.

use std::net::IpAddr;

use netwatch_entities::people::keys;
use netwatch_entities::{Site, Writing};
use netwatch_identity::secret::Secret;
use netwatch_identity::totp::{self, Accepted, Enrolment};
use netwatch_model::people::{Action, Credential, CredentialKind, Session, User, UserId};

use super::Access;
use super::account::{renew, session_of, user_of};
use super::audit::{self, record};
use super::error::{AccessError, Refusal};
use super::identity::Identity;
use super::people::credential;

impl Access {
    /// Draws a key and recovery codes. Nothing is asked for until [`Access::confirm_totp`]. Costs a hash.
    pub(crate) fn begin_totp(
        &self,
        identity: &Identity,
        peer: IpAddr,
        password: Option<&str>,
    ) -> Result<Enrolment, AccessError> {
        let user = user_of(identity)?;
        self.prove(identity, peer, password)?;
        let name = self.profile(user)?.user.name;
        let enrolment = totp::enrol(name.as_str())?;
        let kind = enrolment.credential.clone();
        self.change(move |tx| -> Result<(), AccessError> {
            match device(tx, user)? {
                Some(known) if is_confirmed(&known) => {
                    return Err(Refusal::Totp("one-time passwords are on already: switch them off first").into());
                }
                Some(known) => tx.update(&Credential { kind, created: tx.now(), ..known }, None)?,
                None => tx.insert(&credential(user, "Authenticator", kind, tx.now())?)?,
            };
            Ok(())
        })?;
        Ok(enrolment)
    }

    /// Switches one-time passwords on, with a right one. Ends all other sessions; this one gets a new reference.
    pub(crate) fn confirm_totp(&self, identity: &Identity, peer: IpAddr, code: &str) -> Result<Secret, AccessError> {
        let (user, session) = (user_of(identity)?, session_of(identity)?);
        self.count_code(peer)?;
        let (code, by) = (code.to_owned(), identity.by(peer));
        self.change(move |tx| {
            let known = device(tx, user)?.filter(|c| !is_confirmed(c));
            let known =
                known.ok_or(Refusal::Totp("there is nothing to confirm: begin with `POST /api/v1/account/totp`"))?;
            let CredentialKind::Totp { key, last_step, recovery, .. } = &known.kind else {
                return Err(Refusal::WrongCode.into());
            };
            let Some(Accepted::Step(step)) = totp::check(key, *last_step, recovery, &code, tx.now())? else {
                return Err(Refusal::WrongCode.into());
            };
            let kind =
                CredentialKind::Totp { key: key.clone(), last_step: step, recovery: recovery.clone(), confirmed: true };
            tx.update(&Credential { kind, ..known.clone() }, None)?;
            tx.delete_owned::<Session>(user, Some(session))?;
            let user = tx.get::<User>(Site, user)?.value;
            record(tx, by.did(Action::TotpEnabled, audit::user_ref(&user)))?;
            renew(tx, session)
        })
    }

    /// Switches one-time passwords off. Costs a hash.
    pub(crate) fn end_totp(
        &self,
        identity: &Identity,
        peer: IpAddr,
        password: Option<&str>,
    ) -> Result<Secret, AccessError> {
        let (user, session) = (user_of(identity)?, session_of(identity)?);
        self.prove(identity, peer, password)?;
        let by = identity.by(peer);
        self.change(move |tx| {
            let known = device(tx, user)?.ok_or(Refusal::Totp("one-time passwords are off already"))?;
            tx.delete::<Credential>(Site, known.id, None)?;
            let user = tx.get::<User>(Site, user)?.value;
            record(tx, by.did(Action::TotpDisabled, audit::user_ref(&user)))?;
            renew(tx, session)
        })
    }
}

fn device(tx: &Writing<'_>, user: UserId) -> Result<Option<Credential>, AccessError> {
    Ok(tx.find_by_key::<Credential>(Site, keys::TOTP, &user.to_string())?.map(|c| c.value))
}

const fn is_confirmed(credential: &Credential) -> bool {
    matches!(credential.kind, CredentialKind::Totp { confirmed: true, .. })
}
