//! What is half done between a browser that was asked for a passkey and its answer.
//!
//! Each holds a challenge, is known by a secret that only the asking browser has, is good once (right or wrong) and for five minutes, and
//! for one purpose: the session that adds a passkey, the ticket of a right password, or a sign-in of whoever has the secret.
//! Limits: 1024 at once, the oldest goes; in memory, so that a restart forgets them.

use std::collections::VecDeque;
use std::time::Duration;

use netwatch_identity::passkey::{LIFE, Registration, SignIn};
use netwatch_identity::secret::{self, RandomError, Secret};
use netwatch_model::people::{Digest, SessionId};

/// Ceremonies at once.
const MOST: usize = 1024;

/// For what a passkey was asked for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// A signed-in user adds one.
    Add {
        /// In this session.
        session: SessionId,
        /// The challenge.
        registration: Registration,
    },
    /// Somebody signs in with nothing else.
    SignIn(SignIn),
    /// Somebody signs in who has shown their password.
    SecondFactor {
        /// Hash of the ticket that stands for the password.
        ticket: Digest,
        /// The challenge.
        sign_in: SignIn,
    },
}

/// All that are open.
#[derive(Debug, Default)]
pub(super) struct Ceremonies(VecDeque<Ceremony>);

#[derive(Debug)]
struct Ceremony {
    digest: Digest,
    ends: Duration,
    purpose: Purpose,
}

impl Ceremonies {
    /// Begins one; its secret.
    pub(super) fn add(&mut self, purpose: Purpose, now: Duration) -> Result<Secret, RandomError> {
        let secret = Secret::session()?;
        self.0.retain(|c| c.ends > now);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Ceremony { digest: secret.digest(), ends: now + LIFE, purpose });
        Ok(secret)
    }

    /// Takes one out: it is used up, whatever comes of it.
    pub(super) fn take(&mut self, shown: &str, now: Duration) -> Option<Purpose> {
        let shown = secret::digest(shown);
        let at = self.0.iter().position(|c| secret::same(&c.digest, &shown))?;
        self.0.remove(at).filter(|c| c.ends > now).map(|c| c.purpose)
    }
}

#[cfg(test)]
mod tests {
    use netwatch_identity::passkey::RelyingParty;

    use super::*;

    fn sign_in() -> Purpose {
        Purpose::SignIn(RelyingParty::of("https://netwatch.example").unwrap().ask(&[]).unwrap().1)
    }

    #[test]
    fn a_ceremony_is_good_once_and_not_for_long() {
        let (mut all, now) = (Ceremonies::default(), Duration::from_secs(1000));
        let [first, late] = [(); 2].map(|()| all.add(sign_in(), now).unwrap());
        assert!(all.take("something else", now).is_none());
        assert!(all.take(first.as_str(), now).is_some() && all.take(first.as_str(), now).is_none());
        assert!(all.take(late.as_str(), now + LIFE).is_none());
    }

    #[test]
    fn a_flood_of_them_takes_no_more_room() {
        let (mut all, now) = (Ceremonies::default(), Duration::ZERO);
        let first = all.add(sign_in(), now).unwrap();
        for _ in 0..MOST {
            all.add(sign_in(), now).unwrap();
        }
        assert_eq!(all.0.len(), MOST);
        assert!(all.take(first.as_str(), now).is_none(), "the oldest has gone");
    }
}
