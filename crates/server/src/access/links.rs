//! One-time links: made, used once, forgotten.
//!
//! There is no mail channel yet: a link is shown to whoever made it (the administrator in the web app, the terminal of `netwatch up`
//! and `netwatch user`), and they hand it over.

use std::net::IpAddr;
use std::time::Duration;

use netwatch_entities::people::keys;
use netwatch_entities::{ListQuery, Order, Reading, Site, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::secret::{self, Secret};
use netwatch_identity::{link, password};
use netwatch_model::people::{Action, Digest, Fields, LinkPurpose, Method, OneTimeLink, Session, User, UserId};

use super::Access;
use super::audit::{self, By, record};
use super::error::{AccessError, Refusal};
use super::people::{NewUser, PeopleRequest, SignedIn, add_user, begin, put_password, taken};

/// Links that are looked at when old ones are cleared away.
const CLEAR: usize = 1000;
/// Links of one purpose that are good at once; the oldest goes.
const MOST: usize = 8;

/// A code for whoever stands at the machine.
#[derive(Debug)]
pub struct Invited {
    /// The code; the link is `http://ADDRESS/start#CODE`.
    pub code: Secret,
    /// How long it is good.
    pub life: Duration,
    /// Whether it makes the first administrator, instead of signing in as the oldest one.
    pub set_up: bool,
}

impl Access {
    /// A new code: for the set-up while there is nobody, then for signing in as the oldest site administrator.
    ///
    /// # Errors
    /// When there are no random bytes, the store fails, or all administrators are disabled.
    pub fn invite(&self) -> Result<Invited, AccessError> {
        self.change(move |tx| {
            let set_up = tx.count::<User>(Site)? == 0;
            let purpose = if set_up { LinkPurpose::SetUp } else { LinkPurpose::SignIn { user: administrator(tx)?.id } };
            let life = link::life(&purpose);
            let (_, code) = make(tx, purpose)?;
            Ok(Invited { code, life, set_up })
        })
    }

    /// Trades a code of [`Access::invite`] for a session.
    pub(crate) fn sign_in_by_code(&self, request: &PeopleRequest, code: &str) -> Result<SignedIn, AccessError> {
        self.count_code(request.peer)?;
        let (shown, asker, home) = (secret::digest(code), request.clone(), self.home());
        self.change(move |tx| {
            if find_link(tx, &shown)?.is_some_and(|l| l.purpose == LinkPurpose::SetUp) {
                return Err(Refusal::SetUpNeeded.into());
            }
            let taken = take_link(tx, &shown, |p| matches!(p, LinkPurpose::SignIn { .. }))?;
            let user = link_user(tx, &taken)?;
            begin(tx, &user, Method::Link, &asker, home)
        })
    }

    /// A link for a user, made by an administrator.
    pub(crate) fn user_link(
        &self,
        user: UserId,
        purpose: impl FnOnce(&User) -> Result<LinkPurpose, Refusal> + Send + 'static,
        by: By,
    ) -> Result<(OneTimeLink, Secret), AccessError> {
        self.change(move |tx| {
            let user = tx.find::<User>(Site, user)?.ok_or(Refusal::NotFound("user"))?.value;
            let purpose = purpose(&user)?;
            let after = Some(Fields::new().with("purpose", purpose.word()));
            let made = make(tx, purpose)?;
            let action = match made.0.purpose {
                LinkPurpose::VerifyEmail { .. } => Action::VerificationOffered,
                LinkPurpose::SignIn { .. } | LinkPurpose::SetUp => Action::SignInOffered,
                LinkPurpose::ResetPassword { .. } => Action::PasswordResetOffered,
            };
            record(tx, Entry { after, ..by.did(action, audit::user_ref(&user)) })?;
            Ok(made)
        })
    }

    /// Sets a new password with a link, and ends all sessions of its user. Costs a hash.
    pub(crate) fn reset_password(&self, peer: IpAddr, code: &str, new: &str) -> Result<(), AccessError> {
        self.count_code(peer)?;
        let (shown, now) = (secret::digest(code), self.clock.now());
        let fits = |p: &LinkPurpose| matches!(p, LinkPurpose::ResetPassword { .. });
        let words = self.entities().read(|tx| {
            let known = find_link(tx, &shown)?.filter(|l| fits(&l.purpose) && link::holds(l.created, l.expires, now));
            let user = link_user(tx, &known.ok_or(Refusal::LinkGone)?)?;
            Ok::<_, AccessError>([user.name.to_string(), user.display_name.to_string()])
        })?;
        password::check_policy(new, &words.each_ref().map(String::as_str)).map_err(Refusal::Weak)?;
        let hash = password::hash(new)?;
        self.change(move |tx| {
            let user = link_user(tx, &take_link(tx, &shown, fits)?)?;
            put_password(tx, user.id, hash)?;
            let ended = tx.delete_owned::<Session>(user.id, None)?;
            tx.delete_owned::<OneTimeLink>(user.id, None)?;
            let after = Some(Fields::new().with("by", "link").with("sessions_ended", ended));
            record(tx, Entry { after, ..By::user(&user, peer).did(Action::PasswordChanged, audit::user_ref(&user)) })?;
            Ok(())
        })
    }

    /// Shows with a link that an address is its user's.
    pub(crate) fn verify_email(&self, peer: IpAddr, code: &str) -> Result<(), AccessError> {
        self.count_code(peer)?;
        let shown = secret::digest(code);
        self.change(move |tx| {
            let taken_link = take_link(tx, &shown, |p| matches!(p, LinkPurpose::VerifyEmail { .. }))?;
            let user = link_user(tx, &taken_link)?;
            match &taken_link.purpose {
                LinkPurpose::VerifyEmail { email, .. } if user.email.as_ref() == Some(email) => {}
                _ => return Err(Refusal::LinkGone.into()),
            }
            let verified = User { email_verified: true, ..user.clone() };
            tx.update(&verified, None).map_err(taken)?;
            record(tx, By::user(&user, peer).did(Action::EmailVerified, audit::user_ref(&user)))?;
            Ok(())
        })
    }

    /// Makes an account for somebody who registers, where that is switched on. They sign in afterwards. Costs a hash.
    pub(crate) fn register(
        &self,
        peer: IpAddr,
        name: &str,
        display_name: Option<&str>,
        email: &str,
        password: &str,
    ) -> Result<(), AccessError> {
        if !self.registration().enabled {
            return Err(Refusal::RegistrationOff.into());
        }
        let now = self.monotonic();
        self.guard().registration(peer, now).map_err(Refusal::Wait)?;
        let new = NewUser::check(name, display_name, Some(email))?;
        password::check_policy(password, &new.words()).map_err(Refusal::Weak)?;
        let hash = password::hash(password)?;
        let id = UserId::new(self.clock.now(), secret::random_bits()?);
        self.change(move |tx| {
            if tx.count::<User>(Site)? == 0 {
                return Err(Refusal::SetUpNeeded.into());
            }
            let user = new.into_user(id, tx.now());
            add_user(tx, &user, hash)?;
            audit::user_made(tx, Action::UserRegistered, &user, &By::user(&user, peer))?;
            Ok(())
        })
    }
}

/// The link with that secret.
pub(super) fn find_link(tx: &Reading<'_>, shown: &Digest) -> Result<Option<OneTimeLink>, StoreError> {
    Ok(tx.find_anywhere::<OneTimeLink>(keys::DIGEST, &shown.to_string())?.map(|l| l.value))
}

/// Uses a link up: it must be there, of that purpose, and not too old.
pub(super) fn take_link(
    tx: &Writing<'_>,
    shown: &Digest,
    fits: impl FnOnce(&LinkPurpose) -> bool,
) -> Result<OneTimeLink, AccessError> {
    let known = find_link(tx, shown)?.ok_or(Refusal::LinkGone)?;
    if !link::holds(known.created, known.expires, tx.now()) || !fits(&known.purpose) {
        return Err(Refusal::LinkGone.into());
    }
    tx.delete::<OneTimeLink>(Site, known.id, None)?;
    Ok(known)
}

/// Makes a link, and clears away those that are too old or too many.
pub(super) fn make(tx: &Writing<'_>, purpose: LinkPurpose) -> Result<(OneTimeLink, Secret), AccessError> {
    let query = ListQuery { order: Order::Newest, limit: CLEAR, ..ListQuery::default() };
    let known = tx.list::<OneTimeLink>(Site, &query)?.items;
    let mut alike = 0;
    for old in known.into_iter().map(|l| l.value) {
        alike += usize::from(old.purpose == purpose);
        if !link::holds(old.created, old.expires, tx.now()) || (old.purpose == purpose && alike >= MOST) {
            tx.delete::<OneTimeLink>(Site, old.id, None)?;
        }
    }
    let (link, secret) = link::make(purpose, tx.now())?;
    tx.insert(&link)?;
    Ok((link, secret))
}

/// The user of a link, who must be able to sign in.
fn link_user(tx: &Reading<'_>, link: &OneTimeLink) -> Result<User, AccessError> {
    let user = link.purpose.user().map(|id| tx.find::<User>(Site, id)).transpose()?.flatten().map(|u| u.value);
    user.filter(|u| !u.disabled).ok_or_else(|| Refusal::LinkGone.into())
}

/// The oldest site administrator who may sign in, among the first thousand users.
fn administrator(tx: &Reading<'_>) -> Result<User, AccessError> {
    let query = ListQuery { order: Order::Oldest, limit: CLEAR, ..ListQuery::default() };
    let users = tx.list::<User>(Site, &query)?.items;
    let found = users.into_iter().map(|u| u.value).find(|u| u.site_administrator && !u.disabled);
    found.ok_or_else(|| Refusal::NoAdministrator.into())
}
