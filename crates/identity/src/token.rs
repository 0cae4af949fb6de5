//! API tokens: `nwt_`, 64 hexadecimal digits of secret, 8 of checksum.
//!
//! The prefix lets scanners of repositories find a token that was committed; the checksum (CRC-32) tells a mistyped or cut token from a
//! wrong one without asking the store. It is no protection: the 256 random bits are.

use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::people::{ApiToken, DisplayName, PermissionSet, TokenId, UserId, WorkspaceId};

use crate::secret::{RandomError, Secret, random_bits};

/// What every token begins with.
pub const PREFIX: &str = "nwt_";
/// Digits of the secret, and of the checksum.
const DIGITS: (usize, usize) = (64, 8);
/// Characters by which people tell tokens apart.
const HINT: usize = 12;
/// Longest life of a token that has an end.
pub const MAX_LIFE: Duration = Duration::from_secs(366 * 24 * 3600);

/// What a new token is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewToken {
    /// Where it is good.
    pub workspace: WorkspaceId,
    /// Whose it is.
    pub owner: UserId,
    /// What it is called.
    pub name: DisplayName,
    /// What it may do.
    pub scopes: PermissionSet,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
}

/// Makes a token: what is stored, and the token itself, which is shown once.
///
/// # Errors
/// When there are no random bytes.
pub fn make(new: NewToken, now: Timestamp) -> Result<(ApiToken, Secret), RandomError> {
    let secret = draw()?;
    let token = ApiToken {
        id: TokenId::new(now, random_bits()?),
        workspace: new.workspace,
        owner: new.owner,
        name: new.name,
        scopes: new.scopes,
        digest: secret.digest(),
        hint: hint(&secret),
        created: now,
        expires: new.expires,
        last_used: None,
    };
    Ok((token, secret))
}

/// Gives a token a new secret; the old one is good no more.
///
/// # Errors
/// When there are no random bytes.
pub fn rotate(token: &ApiToken, now: Timestamp) -> Result<(ApiToken, Secret), RandomError> {
    let secret = draw()?;
    let rotated = ApiToken { digest: secret.digest(), hint: hint(&secret), created: now, ..token.clone() };
    Ok((rotated, secret))
}

/// Whether a text can be a token: its form and its checksum are right.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(PREFIX) else { return false };
    if rest.len() != DIGITS.0 + DIGITS.1 || !rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return false;
    }
    let (secret, sum) = rest.split_at(DIGITS.0);
    checksum(secret) == sum
}

/// Whether a token holds.
#[must_use]
pub fn holds(token: &ApiToken, now: Timestamp) -> bool {
    token.expires.is_none_or(|end| end > now)
}

fn draw() -> Result<Secret, RandomError> {
    let secret = Secret::session()?;
    Ok(Secret::new(format!("{PREFIX}{}{}", secret.as_str(), checksum(secret.as_str()))))
}

fn checksum(digits: &str) -> String {
    format!("{:08x}", crc32fast::hash(digits.as_bytes()))
}

fn hint(secret: &Secret) -> String {
    secret.as_str().chars().take(HINT).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> (ApiToken, Secret) {
        let new = NewToken {
            workspace: WorkspaceId::from_bits(1),
            owner: UserId::from_bits(2),
            name: "backup".parse().unwrap(),
            scopes: PermissionSet::EMPTY,
            expires: Some(Timestamp::from_secs(100)),
        };
        make(new, Timestamp::from_secs(10)).unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        let (stored, secret) = token();
        assert!(is_well_formed(secret.as_str()) && secret.as_str().starts_with(&stored.hint));
        assert_eq!(stored.digest, secret.digest());
        assert!(!format!("{stored:?}").contains(secret.as_str()));
        assert!(holds(&stored, Timestamp::from_secs(99)) && !holds(&stored, Timestamp::from_secs(100)));
        let (rotated, new) = rotate(&stored, Timestamp::from_secs(20)).unwrap();
        assert!(rotated.digest == new.digest() && rotated.digest != stored.digest && rotated.id == stored.id);
    }

    proptest! {
        #[test]
        fn a_changed_character_is_seen(at in 0_usize..76, to in "[0-9a-z_]") {
            let (_, secret) = token();
            let mut text = secret.as_str().to_owned();
            let changed = text.get(at..=at) != Some(to.as_str());
            text.replace_range(at..=at, &to);
            prop_assert_eq!(is_well_formed(&text), !changed);
        }

        #[test]
        fn no_text_breaks_it(text in ".*") {
            prop_assert!(!is_well_formed(&text));
        }
    }
}
