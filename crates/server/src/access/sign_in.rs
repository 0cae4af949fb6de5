//! Signing in with a password, and with a second factor after it.
//!
//! Names that do not exist, users without a password, disabled users and wrong passwords all get the same answer after the same work:
//! the same look-ups, one hash, one record in the log.

use netwatch_entities::people::keys;
use netwatch_entities::{Site, StoreError};
use netwatch_identity::password::{self, Check};
use netwatch_identity::secret::{self, Secret};
use netwatch_identity::totp::{self, Accepted};
use netwatch_model::people::{
    Action, Credential, CredentialKind, Digest, Method, ObjectKind, ObjectRef, SecretText, Session, User, UserId,
    UserName,
};

use super::Access;
use super::audit::{self, By, record};
use super::error::{AccessError, Refusal};
use super::guard::TICKET_LIFE;
use super::identity::{Identity, Who};
use super::people::{PeopleRequest, SignedIn, begin, put_password};

/// What comes of a right password.
pub(crate) enum Step {
    /// The user is in.
    In(Box<SignedIn>),
    /// A second factor is needed; the ticket stands for the password.
    SecondFactor {
        /// To be sent with the code.
        ticket: Secret,
        /// How long it is good.
        life: std::time::Duration,
        /// Whether a passkey of the user is taken in place of a code.
        passkey: bool,
    },
}

/// A user and how they sign in.
struct Person {
    user: User,
    credentials: Vec<Credential>,
}

impl Access {
    /// Signs in with name and password. Costs a hash.
    pub(crate) fn sign_in(&self, request: &PeopleRequest, name: &str, password: &str) -> Result<Step, AccessError> {
        let account = secret::digest(&name.trim().to_lowercase());
        let now = self.monotonic();
        self.guard().password(request.peer, account, now).map_err(Refusal::Wait)?;
        let person = name.parse::<UserName>().ok().map(|name| self.person(&name)).transpose()?.flatten();
        let check = match person.as_ref().and_then(|p| p.hash()) {
            Some(hash) => password::verify(password, hash),
            None => {
                password::decoy(password);
                Check::Wrong
            }
        };
        let person = match person {
            Some(person) if check != Check::Wrong && !person.user.disabled => person,
            other => return Err(self.refuse(other.map(|p| p.user), request, "wrong name or password")?.into()),
        };
        self.guard().right_password(request.peer, account);
        if check == Check::RightButOld {
            self.upgrade_hash(person.user.id, password)?;
        }
        if person.has_totp() {
            let ticket = Secret::session()?;
            let now = self.monotonic();
            self.guard().add_ticket(ticket.digest(), person.user.id, now);
            return Ok(Step::SecondFactor { ticket, life: TICKET_LIFE, passkey: person.has_passkey() });
        }
        self.begin_session(person.user.id, Method::Password, request).map(|signed| Step::In(Box::new(signed)))
    }

    /// Signs in with the ticket of a right password and a second factor.
    pub(crate) fn second_factor(
        &self,
        request: &PeopleRequest,
        ticket: &str,
        code: &str,
    ) -> Result<SignedIn, AccessError> {
        let (shown, now) = (secret::digest(ticket), self.monotonic());
        self.count_code(request.peer)?;
        let user = self.guard().try_ticket(&shown, now).map_err(Refusal::Wait)?;
        let user = user.ok_or(Refusal::TicketGone)?;
        let (code, asker, home) = (code.to_owned(), request.clone(), self.home());
        let signed = self.change(move |tx| {
            let by_user = tx.get::<User>(Site, user)?.value;
            if by_user.disabled {
                return Err(Refusal::TicketGone.into());
            }
            let known = tx.find_by_key::<Credential>(Site, keys::TOTP, &user.to_string())?;
            let method = use_totp(tx, known.map(|c| c.value), &code)?.ok_or(Refusal::WrongCode)?;
            if method == Method::PasswordRecovery {
                let by = By::user(&by_user, asker.peer);
                record(tx, by.did(Action::RecoveryUsed, audit::user_ref(&by_user)))?;
            }
            begin(tx, &by_user, method, &asker, home)
        });
        match signed {
            Ok(signed) => {
                self.guard().end_ticket(&shown, user);
                Ok(signed)
            }
            Err(AccessError::Refused(Refusal::WrongCode)) => {
                let known = self.entities().read(|tx| tx.find::<User>(Site, user))?.map(|u| u.value);
                self.refuse(known, request, "wrong second factor")?;
                Err(Refusal::WrongCode.into())
            }
            Err(other) => Err(other),
        }
    }

    /// Ends the session of `identity`.
    pub(crate) fn sign_out(&self, identity: &Identity, peer: std::net::IpAddr) -> Result<(), AccessError> {
        let Who::Session { id, .. } = *identity.who() else { return Ok(()) };
        let by = identity.by(peer);
        self.change(move |tx| {
            tx.delete::<Session>(Site, id, None)?;
            record(tx, by.did(Action::SignOut, ObjectRef::new(ObjectKind::Session, id, "")))?;
            Ok(())
        })
    }

    /// Begins a session of a user who has shown who they are.
    pub(super) fn begin_session(
        &self,
        user: UserId,
        method: Method,
        request: &PeopleRequest,
    ) -> Result<SignedIn, AccessError> {
        let (asker, home) = (request.clone(), self.home());
        self.change(move |tx| {
            let user = tx.get::<User>(Site, user)?.value;
            // Disabled between the check and this.
            if user.disabled { Err(Refusal::WrongPassword.into()) } else { begin(tx, &user, method, &asker, home) }
        })
    }

    /// Whether `password` is that of the user, for changes of how they sign in. Costs a hash.
    pub(super) fn check_password(
        &self,
        user: UserId,
        peer: std::net::IpAddr,
        password: &str,
    ) -> Result<bool, AccessError> {
        let (account, now) = (secret::digest(&format!("account {user}")), self.monotonic());
        self.guard().password(peer, account, now).map_err(Refusal::Wait)?;
        let known = self.entities().read(|tx| tx.find_by_key::<Credential>(Site, keys::PASSWORD, &user.to_string()))?;
        let right = match known.map(|c| c.value.kind) {
            Some(CredentialKind::Password { hash }) => password::verify(password, &hash) != Check::Wrong,
            _ => false,
        };
        if right {
            self.guard().right_password(peer, account);
        }
        Ok(right)
    }

    /// Writes down that somebody was refused; the refusal.
    pub(super) fn refuse(
        &self,
        user: Option<User>,
        request: &PeopleRequest,
        why: &'static str,
    ) -> Result<Refusal, AccessError> {
        let now = self.monotonic();
        if self.guard().records_refusal(now) {
            let by = By::anonymous(request.peer);
            let write = self.entities().write(self.clock.now(), move |tx| {
                audit::sign_in_refused(tx, user.as_ref(), why, &by).map_err(AccessError::from)
            });
            write?;
        }
        Ok(Refusal::WrongPassword)
    }

    fn person(&self, name: &UserName) -> Result<Option<Person>, AccessError> {
        let found = self.entities().read(|tx| {
            let Some(user) = tx.find_by_key::<User>(Site, keys::NAME, name.as_str())?.map(|u| u.value) else {
                return Ok(None);
            };
            let credentials = tx.owned::<Credential>(user.id, 100)?.into_iter().map(|c| c.value).collect();
            Ok::<_, StoreError>(Some(Person { user, credentials }))
        });
        found.map_err(Into::into)
    }

    fn upgrade_hash(&self, user: UserId, password: &str) -> Result<(), AccessError> {
        let hash = password::hash(password)?;
        self.change(move |tx| put_password(tx, user, hash))
    }
}

impl Person {
    fn hash(&self) -> Option<&SecretText> {
        self.credentials.iter().find_map(|c| match &c.kind {
            CredentialKind::Password { hash } => Some(hash),
            _ => None,
        })
    }

    fn has_passkey(&self) -> bool {
        self.credentials.iter().any(|c| matches!(c.kind, CredentialKind::Passkey { .. }))
    }

    fn has_totp(&self) -> bool {
        self.credentials.iter().any(|c| matches!(c.kind, CredentialKind::Totp { confirmed: true, .. }))
    }
}

/// Uses a one-time password or recovery code up; none when it is wrong.
fn use_totp(
    tx: &netwatch_entities::Writing<'_>,
    credential: Option<Credential>,
    code: &str,
) -> Result<Option<Method>, AccessError> {
    let Some(credential) = credential else { return Ok(None) };
    let CredentialKind::Totp { key, last_step, recovery, confirmed: true } = &credential.kind else { return Ok(None) };
    let Some(accepted) = totp::check(key, *last_step, recovery, code, tx.now())? else { return Ok(None) };
    let (method, last_step, recovery): (_, u64, Vec<Digest>) = match accepted {
        Accepted::Step(step) => (Method::PasswordTotp, step, recovery.clone()),
        Accepted::Recovery(left) => (Method::PasswordRecovery, *last_step, left),
    };
    let kind = CredentialKind::Totp { key: key.clone(), last_step, recovery, confirmed: true };
    tx.update(&Credential { kind, last_used: Some(tx.now()), ..credential.clone() }, None)?;
    Ok(Some(method))
}
