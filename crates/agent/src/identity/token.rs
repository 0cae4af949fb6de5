//! The enrolment token: a secret that the server takes once, and the key by which the agent knows that server.
//!
//! `nwe1.<secret>.<pin>`: 20 random bytes and the SHA-256 of the server's SubjectPublicKeyInfo, both base64url without padding
//! (RFC 4648, section 5).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netwatch_model::people::Digest;

const PREFIX: &str = "nwe1";
const SECRET: usize = 20;

/// An enrolment token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    pin: Digest,
}

/// A text that is no token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// It does not begin as one.
    #[error("the token does not begin with `nwe1.`: copy the whole command from the web app")]
    Prefix,
    /// It was cut, or has too much.
    #[error("the token is not complete: copy the whole command from the web app")]
    Length,
    /// It has characters that no token has.
    #[error("the token has characters that no token has: copy the whole command from the web app")]
    Characters,
}

impl Token {
    /// The text for the server alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the server's SubjectPublicKeyInfo.
    #[must_use]
    pub const fn pin(&self) -> Digest {
        self.pin
    }
}

impl FromStr for Token {
    type Err = TokenError;
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let (secret, pin) = match text.split('.').collect::<Vec<_>>()[..] {
            [PREFIX, secret, pin] => (secret, pin),
            [PREFIX, ..] => return Err(TokenError::Length),
            _ => return Err(TokenError::Prefix),
        };
        let decode = |part: &str| {
            URL_SAFE_NO_PAD.decode(part).map_err(|error| match error {
                base64::DecodeError::InvalidByte(..) => TokenError::Characters,
                _ => TokenError::Length,
            })
        };
        if decode(secret)?.len() != SECRET {
            return Err(TokenError::Length);
        }
        let pin = <[u8; 32]>::try_from(decode(pin)?).map_err(|_| TokenError::Length)?;
        Ok(Self { text: text.to_owned(), pin: Digest::from_bytes(pin) })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("pin", &self.pin).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_wrong_token_says_what_is_wrong() {
        let whole = format!("nwe1.{}.{}", URL_SAFE_NO_PAD.encode([7; 20]), URL_SAFE_NO_PAD.encode([9; 32]));
        assert_eq!(whole.parse::<Token>().unwrap().pin(), Digest::from_bytes([9; 32]));
        assert_eq!(format!(" {whole}\n").parse::<Token>().unwrap().reveal(), whole);
        assert!(!format!("{:?}", whole.parse::<Token>().unwrap()).contains(&URL_SAFE_NO_PAD.encode([7; 20])));
        for (text, error) in [
            ("", TokenError::Prefix),
            ("nwe2.a.b", TokenError::Prefix),
            ("nwe1.a", TokenError::Length),
            (&whole[..whole.len() - 1], TokenError::Length),
            (&whole.replace('B', "*"), TokenError::Characters),
            (&format!("{whole}.x"), TokenError::Length),
        ] {
            assert_eq!(text.parse::<Token>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_none(text: String) {
            prop_assert_eq!(text.parse::<Token>().is_ok_and(|token| token.reveal() != text.trim()), false);
        }

        #[test]
        fn tokens_are_read_back(secret: [u8; 20], pin: [u8; 32]) {
            let text = format!("nwe1.{}.{}", URL_SAFE_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(pin));
            prop_assert_eq!(text.parse::<Token>().map(|token| token.pin()), Ok(Digest::from_bytes(pin)));
        }
    }
}
