//! Signing in with a passkey: alone, or as the second factor after a password.
//!
//! The key is checked and its new counter stored in one transaction, so that of two answers with the same counter one is refused.
//! An unknown key, a disabled user and an answer that does not hold get the same refusal.

use netwatch_entities::people::keys;
use netwatch_entities::{Site, StoreError, Writing};
use netwatch_identity::passkey::{Answer, Refused, RelyingParty, SignIn};
use netwatch_identity::secret;
use netwatch_model::people::{Credential, CredentialKind, Digest, Method, User, UserId};
use serde_json::Value;

use super::{Challenge, key_ids};
use crate::access::Access;
use crate::access::ceremony::Purpose;
use crate::access::error::{AccessError, Refusal};
use crate::access::people::{PeopleRequest, SignedIn, begin};

impl Access {
    /// Asks the browser at `origin` for a passkey: for whichever its user chooses, or, with the ticket of a right password, for one of
    /// that user's.
    pub(crate) fn begin_passkey_sign_in(
        &self,
        request: &PeopleRequest,
        origin: &str,
        ticket: Option<&str>,
    ) -> Result<Challenge, AccessError> {
        let now = self.monotonic();
        self.guard().passkey(request.peer, now).map_err(Refusal::Wait)?;
        let party = RelyingParty::of(origin).map_err(Refusal::PasskeyUnfit)?;
        let Some(ticket) = ticket.map(secret::digest) else {
            let (options, sign_in) = party.ask(&[])?;
            return self.challenge(Purpose::SignIn(sign_in), options);
        };
        let user = self.guard().ticket(&ticket, now).ok_or(Refusal::TicketGone)?;
        let credentials = self.profile(user)?.credentials;
        let known = key_ids(&credentials);
        if known.is_empty() {
            return Err(Refusal::NotFound("passkey").into());
        }
        let (options, sign_in) = party.ask(&known)?;
        self.challenge(Purpose::SecondFactor { ticket, sign_in }, options)
    }

    /// Signs in with the answer of the browser.
    pub(crate) fn finish_passkey_sign_in(
        &self,
        request: &PeopleRequest,
        ceremony: &str,
        answer: Value,
    ) -> Result<SignedIn, AccessError> {
        self.count_code(request.peer)?;
        let now = self.monotonic();
        let (sign_in, ticket) = match self.ceremonies().take(ceremony, now) {
            Some(Purpose::SignIn(sign_in)) => (sign_in, None),
            Some(Purpose::SecondFactor { ticket, sign_in }) => (sign_in, Some(ticket)),
            Some(Purpose::Add { .. }) | None => return Err(Refusal::CeremonyGone.into()),
        };
        let shown_password = ticket.map(|ticket| self.use_ticket(&ticket)).transpose()?;
        let signed = match Answer::read(answer) {
            Ok(answer) => self.check_passkey(request, sign_in, answer, shown_password),
            Err(error) => Err(Attempt::Refused(None, error)),
        };
        match signed {
            Ok(signed) => {
                self.guard().right_passkey(request.peer);
                if let Some(ticket) = ticket {
                    self.guard().end_ticket(&ticket, signed.session.user);
                }
                Ok(signed)
            }
            Err(Attempt::Refused(user, why)) => {
                let error: &(dyn std::error::Error + 'static) = &why;
                tracing::info!(error, "a passkey was refused");
                let why = if matches!(why, Refused::Copied) { COPIED } else { "wrong passkey" };
                self.refuse(user.map(|user| *user), request, why)?;
                Err(Refusal::WrongPasskey.into())
            }
            Err(Attempt::Failed(error)) => Err(error),
        }
    }

    /// Counts an attempt with a ticket: whose it is.
    fn use_ticket(&self, ticket: &Digest) -> Result<UserId, AccessError> {
        let now = self.monotonic();
        let user = self.guard().try_ticket(ticket, now).map_err(Refusal::Wait)?;
        Ok(user.ok_or(Refusal::TicketGone)?)
    }

    /// Checks an answer, stores what changed of its key, and begins the session. `expected` has shown their password.
    fn check_passkey(
        &self,
        request: &PeopleRequest,
        sign_in: SignIn,
        answer: Answer,
        expected: Option<UserId>,
    ) -> Result<SignedIn, Attempt> {
        let (asker, home) = (request.clone(), self.home());
        let method = if expected.is_some() { Method::PasswordPasskey } else { Method::Passkey };
        self.change(move |tx| {
            let claimed = answer.user();
            let Some((found, user)) = owner_of(tx, &answer.key_id())? else {
                return Err(Attempt::Refused(None, Refused::Unknown));
            };
            // Section 7.2, step 6: alone, the key must name its user; after a password it may, and nobody else.
            let is_expected = expected.or(claimed) == Some(user.id) && claimed.is_none_or(|id| id == user.id);
            if !is_expected || user.disabled {
                return Err(Attempt::Refused(Some(Box::new(user)), Refused::Unknown));
            }
            let CredentialKind::Passkey { key_id, key } = &found.kind else {
                return Err(Attempt::Refused(None, Refused::Unknown));
            };
            let key = match sign_in.finish(&answer, key).map_err(AccessError::from)? {
                Ok(key) => key,
                Err(why) => return Err(Attempt::Refused(Some(Box::new(user)), why)),
            };
            let kind = CredentialKind::Passkey { key_id: key_id.clone(), key };
            tx.update(&Credential { kind, last_used: Some(tx.now()), ..found.clone() }, None)?;
            Ok(begin(tx, &user, method, &asker, home)?)
        })
    }
}

/// In the audit log: what an administrator must see.
const COPIED: &str = "the counter of the passkey went back: it may have been copied";

/// How a check ends that lets nobody in.
enum Attempt {
    /// The answer is not accepted; whose the key is, if anybody's.
    Refused(Option<Box<User>>, Refused),
    /// The check could not be made.
    Failed(AccessError),
}

impl From<AccessError> for Attempt {
    fn from(error: AccessError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// The passkey with that id, and its user.
fn owner_of(tx: &Writing<'_>, key_id: &str) -> Result<Option<(Credential, User)>, AccessError> {
    let Some(found) = tx.find_anywhere::<Credential>(keys::PASSKEY, key_id)?.map(|c| c.value) else { return Ok(None) };
    let user = tx.get::<User>(Site, found.user)?.value;
    Ok(Some((found, user)))
}
