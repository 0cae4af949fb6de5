//! Passwords: which may be chosen, and whether one is right.
//!
//! **Policy** (NIST SP 800-63B, section 5.1.1.2; OWASP ASVS 5.0, V6.2): at least 12 characters, 15 recommended; up to 256 bytes, every
//! character counts, none is demanded; not one of the known leaked passwords, nor a name, word, keyboard path, date, repetition or
//! sequence with a few changes, nor made of the user's own name. The list and the patterns are those of zxcvbn, embedded in the program.
//!
//! **Hash**: Argon2id, 19 MiB, 2 passes, 1 lane (OWASP's first recommendation), 128 random bits of salt. Hashes made with less are right
//! too, and the answer says that they should be made anew. Hashes that ask for absurd work are refused, so that a forged row of the
//! database cannot exhaust the machine.
//!
//! Limits: a check costs tens of milliseconds and 19 MiB; [`decoy`] costs the same when there is nobody to check.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use netwatch_model::people::SecretText;
use zxcvbn::{Score, zxcvbn};

use crate::secret::{RandomError, random};

/// Fewest characters.
pub const MIN_CHARS: usize = 12;
/// As many are recommended.
pub const RECOMMENDED_CHARS: usize = 15;
/// Most bytes.
pub const MAX_BYTES: usize = 256;

/// KiB of memory of a hash.
const MEMORY: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Most work that a stored hash may ask for, as a multiple of ours.
const MOST_WORK: u64 = 16;

/// Why a password cannot be chosen. The text tells the one who chose it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Weak {
    /// Too few characters.
    #[error(
        "the password is too short: use at least {MIN_CHARS} characters, better {RECOMMENDED_CHARS}; a few words make a good one"
    )]
    Short,
    /// Too many bytes.
    #[error("the password is too long: use at most {MAX_BYTES} bytes")]
    Long,
    /// Known or easy to guess.
    #[error(
        "the password is easy to guess: it is a known one, or made of common words, names, dates or patterns; use a few unrelated words"
    )]
    Guessable,
}

/// A password cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No salt.
    #[error("the password cannot be hashed without a salt")]
    Salt(#[source] RandomError),
    /// The hash function refuses.
    #[error("the password cannot be hashed")]
    Hash(#[source] argon2::password_hash::Error),
}

/// Whether a password is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    /// It is.
    Right,
    /// It is, and its hash should be made anew.
    RightButOld,
    /// It is not, or there is no usable hash.
    Wrong,
}

/// Whether a password may be chosen by somebody whose names are `own` (user name, address, workspace).
///
/// # Errors
/// Why not.
pub fn check_policy(password: &str, own: &[&str]) -> Result<(), Weak> {
    if password.chars().count() < MIN_CHARS {
        return Err(Weak::Short);
    }
    if password.len() > MAX_BYTES {
        return Err(Weak::Long);
    }
    let mut context = vec!["netwatch", "network"];
    context.extend(own.iter().flat_map(|name| name.split(['@', '.', '-', '_', ' '])).filter(|part| part.len() > 2));
    if zxcvbn(password, &context).score() < Score::Three { Err(Weak::Guessable) } else { Ok(()) }
}

/// Hashes a password, in PHC form.
///
/// # Errors
/// When there are no random bytes or no memory.
pub fn hash(password: &str) -> Result<SecretText, HashError> {
    let salt = random::<16>().map_err(HashError::Salt)?;
    let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt).map_err(HashError::Hash)?;
    Ok(SecretText::new(hash.to_string()))
}

/// Checks a password against its hash, in the time that a hash takes.
#[must_use]
pub fn verify(password: &str, hash: &SecretText) -> Check {
    let parsed = PasswordHash::new(hash.reveal()).ok();
    let Some((parsed, params)) = parsed.and_then(|h| Params::try_from(&h).ok().map(|p| (h, p))) else {
        decoy(password);
        return Check::Wrong;
    };
    if password.len() > MAX_BYTES || work(&params) > MOST_WORK * u64::from(MEMORY * PASSES) {
        decoy("");
        return Check::Wrong;
    }
    match hasher().verify_password(password.as_bytes(), &parsed) {
        Err(_) => Check::Wrong,
        Ok(()) if params.m_cost() < MEMORY || params.t_cost() < PASSES || parsed.algorithm.as_str() != "argon2id" => {
            Check::RightButOld
        }
        Ok(()) => Check::Right,
    }
}

/// Does the work of a check that nobody can pass: for users that do not exist or have no password.
pub fn decoy(password: &str) {
    static HASH: LazyLock<Option<SecretText>> = LazyLock::new(|| hash("nobody has this password").ok());
    let cut = if password.len() > MAX_BYTES { "" } else { password };
    if let Some(parsed) = HASH.as_ref().and_then(|h| PasswordHash::new(h.reveal()).ok()) {
        let _nobody = hasher().verify_password(cut.as_bytes(), &parsed);
    }
}

fn hasher() -> Argon2<'static> {
    // The constants are within the limits of the algorithm; the default has the same values.
    let params = Params::new(MEMORY, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn work(params: &Params) -> u64 {
    u64::from(params.m_cost()).saturating_mul(u64::from(params.t_cost())).saturating_mul(u64::from(params.p_cost()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_wants_length_and_surprise() {
        assert_eq!(check_policy("short", &[]), Err(Weak::Short));
        assert_eq!(check_policy(&"x".repeat(257), &[]), Err(Weak::Long));
        for known in [
            "123456789012",
            "password1234",
            "qwertyuiop[]",
            "aaaaaaaaaaaaaaaa",
            "P@ssw0rd2024!",
            "iloveyou1234",
            "abcdefghijklmnop",
            "Netwatch2026",
        ] {
            assert_eq!(check_policy(known, &[]), Err(Weak::Guessable), "{known}");
        }
        assert_eq!(check_policy("ada.lovelace", &["ada.lovelace"]), Err(Weak::Guessable));
        assert_eq!(check_policy("lovelace2026", &["ada", "ada.lovelace@example.org"]), Err(Weak::Guessable));
        for good in
            ["correct horse battery staple", "tfKq9-zM2w_pLx", "пароль из разных слов 7", &"k7 Qz w!p".repeat(8)]
        {
            assert_eq!(check_policy(good, &["ada"]), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_password_is_checked_by_its_hash() {
        let hash = hash("correct horse battery staple").unwrap();
        assert!(hash.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.reveal());
        assert_eq!(verify("correct horse battery staple", &hash), Check::Right);
        assert_eq!(verify("correct horse battery stapler", &hash), Check::Wrong);
        assert_eq!(verify("", &hash), Check::Wrong, "an empty password is never right");
    }

    #[test]
    fn an_old_hash_is_right_and_says_so() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
        let old =
            SecretText::new(weak.hash_password_with_salt(b"a password", b"0123456789abcdef").unwrap().to_string());
        assert_eq!(verify("a password", &old), Check::RightButOld);
        assert_eq!(verify("another", &old), Check::Wrong);
    }

    #[test]
    fn a_forged_hash_does_no_harm() {
        let salted = "$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
        let absurd = format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1{salted}");
        for forged in [absurd.as_str(), "", "plain text", "$2b$12$abc", "$argon2id$v=19$m=1$"] {
            assert_eq!(verify("a password", &SecretText::new(forged.to_owned())), Check::Wrong, "{forged}");
        }
    }
}
