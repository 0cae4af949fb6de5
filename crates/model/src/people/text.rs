//! Texts that people choose, each checked once where it comes in.
//!
//! Limits: user names at most 64 bytes of a plain alphabet, display names at most 100 characters, addresses of e-mail at most 254
//! bytes (RFC 5321, section 4.5.3.1). None of them can carry a line break, so that none can forge a header or a line of a log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::text_form;
use crate::untrusted::{Untrusted, is_deceptive};

/// A text that cannot be what it should be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is not a {what}: it {rule}")]
pub struct InvalidText {
    what: &'static str,
    text: Untrusted,
    rule: &'static str,
}

impl InvalidText {
    pub(crate) fn new(what: &'static str, text: &str, rule: &'static str) -> Self {
        let short: String = text.chars().take(64).collect();
        Self { what, text: Untrusted::new(&short), rule }
    }
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident = $what:literal, $normal:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidText;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let normal: fn(&str) -> Result<String, &'static str> = $normal;
                normal(text).map(Self).map_err(|rule| InvalidText::new($what, text, rule))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        text_form!($name, $what);
    };
}

checked_text! {
    /// What a user signs in with: lower-case letters, digits and `. _ @ + -`, at most 64 of them, the first a letter or digit.
    ///
    /// Upper-case letters are read as lower-case ones, so that no two users differ by case alone.
    UserName = "user name", user_name
}

checked_text! {
    /// A name that is only shown: of a person, a workspace, a role, a token. 1 to 100 characters, none of them invisible.
    DisplayName = "name", display_name
}

checked_text! {
    /// An address of e-mail, in lower case. Only its form is checked; whether it is the user's is what verification shows.
    EmailAddress = "e-mail address", email_address
}

fn user_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim().to_ascii_lowercase();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = (1..=64).contains(&name.len())
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|b| plain(b) || b"._@+-".contains(&b));
    let rule = "must have 1 to 64 letters (a to z), digits and . _ @ + -, beginning with a letter or a digit";
    if fits { Ok(name) } else { Err(rule) }
}

fn display_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(is_deceptive);
    if fits { Ok(name.to_owned()) } else { Err("must have 1 to 100 visible characters") }
}

fn email_address(text: &str) -> Result<String, &'static str> {
    let address = text.trim().to_lowercase();
    let good = |c: char| !c.is_whitespace() && !is_deceptive(c) && !"<>()[]\\,;:\"@".contains(c);
    let label = |l: &str| !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && !l.ends_with('-');
    let fits = address.len() <= 254
        && address.split_once('@').is_some_and(|(local, domain)| {
            let local_fits = (1..=64).contains(&local.len()) && local.chars().all(good);
            local_fits && domain.chars().all(good) && domain.split('.').all(label)
        });
    if fits { Ok(address) } else { Err("must be written as name@domain, in at most 254 bytes") }
}

impl DisplayName {
    /// A name made of a text that somebody else chose: what no name may have is left out; `or` when nothing is left.
    #[must_use]
    pub fn made_of(text: &str, or: &str) -> Self {
        let plain =
            |text: &str| text.chars().filter(|c| !is_deceptive(*c)).take(100).collect::<String>().trim().to_owned();
        let name = plain(text);
        Self(if name.is_empty() { plain(or) } else { name })
    }
}

/// A secret that the server must be able to read back, such as the key of one-time passwords.
///
/// `Debug` hides it. Serialisation does not: the store encrypts it, and no type of the API holds one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Takes a secret into custody.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_have_one_form() {
        assert_eq!(" Ada.L@Example ".parse::<UserName>().unwrap().as_str(), "ada.l@example");
        for bad in ["", "-rf", "a b", "ада", "a\nb", "a\0", "<b>", &"a".repeat(65)] {
            assert!(bad.parse::<UserName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_names_hide_nothing() {
        assert_eq!(" Ада Л. ".parse::<DisplayName>().unwrap().as_str(), "Ада Л.");
        for bad in ["", "  ", "a\u{202e}b", "a\r\nb", &"x".repeat(101)] {
            assert!(bad.parse::<DisplayName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_made_of_any_text() {
        for (text, name) in
            [("web-1\n", "web-1"), ("\u{202e} a", "a"), ("", "nameless"), (&"x".repeat(300), &*"x".repeat(100))]
        {
            let made = DisplayName::made_of(text, "nameless");
            assert_eq!((made.as_str(), made.as_str().parse()), (name, Ok(made.clone())));
        }
    }

    #[test]
    fn e_mail_addresses_cannot_forge_headers() {
        assert_eq!("Ada@Example.ORG".parse::<EmailAddress>().unwrap().as_str(), "ada@example.org");
        for bad in ["", "ada", "@x", "a@", "a@b@c", "a@b\r\nBcc: c@d", "a b@c", "<a@b>", "a@-b", "a@b..c", "a@b,c@d"] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_shows_what_it_was_given_harmlessly() {
        let error = "a\u{1b}[31m".parse::<UserName>().unwrap_err().to_string();
        assert!(error.starts_with("`a\\u{1b}[31m` is not a user name: it must"), "{error}");
    }

    #[test]
    fn secrets_are_not_in_logs() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2".to_owned())), "SecretText(…)");
    }
}
