//! Enrolment tokens: `nwe1.`, the secret, and the key of the server that made it.
//!
//! Whoever holds one brings one agent in, once. The agent connects only to a server whose key has the hash that stands in the token, so
//! that one copied text is all that both sides need to know each other. Form:
//! `nwe1.<20 bytes of secret>.<SHA-256 of the server's SubjectPublicKeyInfo>`, both in base64url without padding (RFC 4648, section 5).

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netwatch_model::Timestamp;
use netwatch_model::people::{Digest, DisplayName, EnrolmentToken, EnrolmentTokenId, UserId, WorkspaceId};

use crate::secret::{RandomError, Secret, digest, random, random_bits};

/// What every token begins with.
pub const PREFIX: &str = "nwe1";
/// Bytes of the secret.
const SECRET: usize = 20;

/// What a new token is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEnrolment {
    /// Into which workspace the agent comes.
    pub workspace: WorkspaceId,
    /// What the agent will be called.
    pub name: Option<DisplayName>,
    /// What it will have.
    pub labels: BTreeMap<String, String>,
    /// With which others it will be shown.
    pub group: Option<DisplayName>,
    /// Who makes it.
    pub by: Option<UserId>,
    /// How long it is good.
    pub life: Duration,
}

/// Makes a token for the server with the key `server`: what is stored, and the text, which is shown once.
///
/// # Errors
/// When there are no random bytes.
pub fn make(new: NewEnrolment, server: &Digest, now: Timestamp) -> Result<(EnrolmentToken, Secret), RandomError> {
    let secret = URL_SAFE_NO_PAD.encode(random::<SECRET>()?);
    let text = format!("{PREFIX}.{secret}.{}", URL_SAFE_NO_PAD.encode(server.as_bytes()));
    let token = EnrolmentToken {
        id: EnrolmentTokenId::new(now, random_bits()?),
        workspace: new.workspace,
        name: new.name,
        labels: new.labels,
        group: new.group,
        digest: digest(&secret),
        by: new.by,
        created: now,
        expires: now + new.life.min(EnrolmentToken::MAX_LIFE),
    };
    Ok((token, Secret::new(text)))
}

/// The hash by which the store knows a token; none when the text is no token.
#[must_use]
pub fn digest_of(text: &str) -> Option<Digest> {
    let (prefix, rest) = text.trim().split_once('.')?;
    let (secret, server) = rest.split_once('.')?;
    let bytes = |text: &str, length: usize| URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == length);
    (prefix == PREFIX && bytes(secret, SECRET) && bytes(server, 32)).then(|| digest(secret))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_known_by_its_text_and_names_the_server() {
        let now = Timestamp::from_secs(1_800_000_000);
        let new = NewEnrolment {
            workspace: WorkspaceId::from_bits(1),
            name: None,
            labels: BTreeMap::new(),
            group: None,
            by: None,
            life: Duration::from_secs(365 * 86_400),
        };
        let server = Digest::from_bytes([7; 32]);
        let (token, text) = make(new, &server, now).unwrap();
        assert_eq!(digest_of(text.as_str()), Some(token.digest));
        assert_eq!(text.as_str().len(), "nwe1..".len() + 27 + 43);
        assert!(text.as_str().ends_with(&URL_SAFE_NO_PAD.encode([7; 32])));
        assert_eq!(token.expires, now + EnrolmentToken::MAX_LIFE, "no token lives longer");
        assert!(token.holds(now) && !token.holds(token.expires));
        let cut = &text.as_str()[..text.as_str().len() - 1];
        assert_eq!(digest_of(cut), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in any::<String>()) {
            let _read = digest_of(&text);
        }
    }
}
