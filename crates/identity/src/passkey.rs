//! Passkeys: key pairs on a person's own devices, of which the server knows the public half (Web Authentication, level 3).
//!
//! A passkey signs a random challenge together with the name of the site for which it was made, so that a page of another site gets
//! nothing that is good here. Every answer must show that the device has verified its user (a finger, a face, a PIN): a passkey is
//! something one has and something one is or knows, and stands for a password with its second factor.
//!
//! | step | here |
//! |---|---|
//! | where passkeys are good | [`RelyingParty::of`] |
//! | adding one | [`RelyingParty::register`], then [`Registration::finish`] |
//! | signing in | [`RelyingParty::ask`], then [`Answer::read`] and [`SignIn::finish`] |
//!
//! A [`Registration`] or [`SignIn`] holds the challenge: whoever keeps it sees to it that it is used once, in time, and by whom it was
//! made for. Options and answers have the JSON form of the standard (section 5.1.8 and following), which browsers read and write.
//!
//! Limits: no attestation is asked for, so nothing is known of the make of a device; at most [`MAX_PER_USER`] for a user; what is kept
//! of one has at most 8 KiB. Browsers have passkeys for names over TLS and for `localhost`, never for addresses in figures.

#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netwatch_model::people::{CredentialKind, SecretText, User, UserId};
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url,
    Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// Passkeys of one user.
pub const MAX_PER_USER: usize = 20;
/// How long somebody may take to fetch their device and touch it (section 15.1 of the standard recommends five minutes).
pub const LIFE: Duration = Duration::from_secs(300);
/// Longest stored form of a passkey, bytes.
const MAX_STORED: usize = 8 * 1024;

/// Passkeys cannot be used at an origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// Not a name.
    #[error(
        "browsers have passkeys for names only: open Netwatch by a name instead of an address, such as `localhost` on this machine"
    )]
    NoName,
    /// Not over TLS.
    #[error("browsers have passkeys over TLS only: open Netwatch with https, or as `localhost`")]
    Insecure,
}

/// An answer is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Not the JSON of a passkey.
    #[error("the answer is not one of a passkey")]
    Malformed(#[source] serde_json::Error),
    /// A check failed.
    #[error("the answer of the passkey does not hold")]
    Invalid(#[source] WebauthnError),
    /// It is nobody's who may come in.
    #[error("nobody who may sign in has that passkey")]
    Unknown,
    /// Its counter went back.
    #[error("the counter of the passkey went back: it may have been copied")]
    Copied,
    /// More than is kept.
    #[error("the passkey is larger than {MAX_STORED} bytes")]
    TooLarge,
}

/// Passkeys cannot be asked for or checked, through no fault of the one who asks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No challenge.
    #[error("a passkey cannot be asked for")]
    Challenge(#[source] WebauthnError),
    /// What is stored cannot be read or written.
    #[error("what is stored of the passkey is damaged: remove it and add it again")]
    Stored(#[source] serde_json::Error),
}

/// Where passkeys are good: one origin, and the name in it.
#[derive(Clone, Debug)]
pub struct RelyingParty(Webauthn);

/// A registration that was begun.
#[derive(Clone, Debug)]
pub struct Registration {
    party: Webauthn,
    state: PasskeyRegistration,
}

/// A sign-in that was begun.
#[derive(Clone, Debug)]
pub struct SignIn {
    party: Webauthn,
    state: DiscoverableAuthentication,
}

/// What a browser answers to [`RelyingParty::ask`]; not checked yet.
#[derive(Clone, Debug)]
pub struct Answer(PublicKeyCredential);

impl RelyingParty {
    /// The place `origin`, such as `https://netwatch.example.org`.
    ///
    /// # Errors
    /// When browsers have no passkeys there.
    pub fn of(origin: &str) -> Result<Self, Unfit> {
        let url = Url::parse(origin).map_err(|_| Unfit::NoName)?;
        let name = url.domain().ok_or(Unfit::NoName)?;
        // Secure Contexts, section 3.1: loopback names are trustworthy without TLS.
        if url.scheme() != "https" && name != "localhost" && !name.ends_with(".localhost") {
            return Err(Unfit::Insecure);
        }
        let party = WebauthnBuilder::new(name, &url).map(|builder| builder.rp_name("Netwatch").timeout(LIFE));
        party.and_then(WebauthnBuilder::build).map(Self).map_err(|_| Unfit::NoName)
    }

    /// Asks a browser to make a passkey for `user`, on no device that holds one of `known` (ids of keys).
    ///
    /// # Errors
    /// When no challenge can be made.
    pub fn register(&self, user: &User, known: &[&str]) -> Result<(Value, Registration), Error> {
        let exclude = known.iter().filter_map(|id| URL_SAFE_NO_PAD.decode(id).ok()).collect();
        let id = Uuid::from_u128(user.id.bits());
        let begun =
            self.0.start_passkey_registration(id, user.name.as_str(), user.display_name.as_str(), Some(exclude));
        let (options, state) = begun.map_err(Error::Challenge)?;
        let mut options = serde_json::to_value(options.public_key).map_err(Error::Stored)?;
        // Without it (section 5.4.6) a security key may make one that signs nobody in by itself.
        options["authenticatorSelection"]["residentKey"] = json!("required");
        options["authenticatorSelection"]["requireResidentKey"] = json!(true);
        Ok((options, Registration { party: self.0.clone(), state }))
    }

    /// Asks a browser for a passkey: one of `allowed` (ids of keys), or whichever the person chooses when there are none.
    ///
    /// # Errors
    /// When no challenge can be made.
    pub fn ask(&self, allowed: &[&str]) -> Result<(Value, SignIn), Error> {
        let (options, state) = self.0.start_discoverable_authentication().map_err(Error::Challenge)?;
        let mut options = serde_json::to_value(options.public_key).map_err(Error::Stored)?;
        options["allowCredentials"] = allowed.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
        Ok((options, SignIn { party: self.0.clone(), state }))
    }
}

impl Registration {
    /// Checks what the browser made: the credential to be stored.
    ///
    /// # Errors
    /// When it does not fit what was asked for.
    pub fn finish(&self, answer: Value) -> Result<CredentialKind, Refused> {
        let answer: RegisterPublicKeyCredential = serde_json::from_value(answer).map_err(Refused::Malformed)?;
        let passkey = self.party.finish_passkey_registration(&answer, &self.state).map_err(Refused::Invalid)?;
        let key = serde_json::to_string(&passkey).map_err(Refused::Malformed)?;
        if key.len() > MAX_STORED {
            return Err(Refused::TooLarge);
        }
        Ok(CredentialKind::Passkey { key_id: URL_SAFE_NO_PAD.encode(passkey.cred_id()), key: SecretText::new(key) })
    }
}

impl Answer {
    /// Reads what a browser sent.
    ///
    /// # Errors
    /// When it is not of a passkey.
    pub fn read(answer: Value) -> Result<Self, Refused> {
        serde_json::from_value(answer).map(Self).map_err(Refused::Malformed)
    }

    /// The id of the key that it claims to be of, as it is stored.
    #[must_use]
    pub fn key_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.get_credential_id())
    }

    /// The user for whom the key says it was made; security keys that were asked for by id may say nothing.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        let handle = Uuid::from_slice(self.0.get_user_unique_id()?).ok()?;
        Some(UserId::from_bits(handle.as_u128()))
    }
}

impl SignIn {
    /// Checks an answer against what is stored of its key: what to store from now on.
    ///
    /// # Errors
    /// [`Error`] when the stored key is damaged; in it, why the answer does not hold.
    pub fn finish(&self, answer: &Answer, key: &SecretText) -> Result<Result<SecretText, Refused>, Error> {
        let mut passkey: Passkey = serde_json::from_str(key.reveal()).map_err(Error::Stored)?;
        let checked = self.party.finish_discoverable_authentication_v2(&answer.0, self.state.clone(), &passkey);
        let result = match checked {
            // Section 7.2, step 22: a counter that does not grow tells of a second copy of the private key.
            Err(WebauthnError::CredentialPossibleCompromise) => return Ok(Err(Refused::Copied)),
            Err(error) => return Ok(Err(Refused::Invalid(error))),
            Ok(result) if !result.user_verified() => return Ok(Err(Refused::Invalid(WebauthnError::UserNotVerified))),
            Ok(result) => result,
        };
        // None when the ids differ, which the check above has refused.
        let _changed = passkey.update_credential(&result);
        serde_json::to_string(&passkey).map(|key| Ok(SecretText::new(key))).map_err(Error::Stored)
    }
}

/// The name under which passkeys are kept at `origin`; none where there are none.
#[must_use]
pub fn domain(origin: &str) -> Option<String> {
    Url::parse(origin).ok()?.domain().map(str::to_owned)
}
