//! One-time passwords by time (RFC 6238), and the codes for the day the telephone is lost.
//!
//! SHA-1, six digits, thirty seconds: what every authenticator app understands. A password is taken from the step before, of and after
//! now, and each step is good once (RFC 6238, section 5.2). Ten recovery codes of 80 random bits are good once each.

use netwatch_model::Timestamp;
use netwatch_model::people::{CredentialKind, Digest, SecretText};
use totp_rs::{Algorithm, Builder, Secret as Key, Totp, TotpError};

use crate::secret::{self, RandomError, Secret, random};

/// Recovery codes of a user.
pub const RECOVERY_CODES: usize = 10;
/// Seconds of a step.
const STEP: u64 = 30;

/// One-time passwords cannot be set up or checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No key.
    #[error("one-time passwords need a random key")]
    Random(#[source] RandomError),
    /// The stored key is not one.
    #[error("the key of the one-time passwords is damaged: switch them off and on again")]
    Key(#[source] TotpError),
}

/// What somebody needs to set up their authenticator.
#[derive(Debug)]
pub struct Enrolment {
    /// What is to be stored; not asked for until a right password was shown.
    pub credential: CredentialKind,
    /// `otpauth://` for a QR code: holds the key.
    pub url: Secret,
    /// The key, base32, for typing.
    pub key: Secret,
    /// Recovery codes, shown once.
    pub recovery: Vec<Secret>,
}

/// How a shown code was right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// The one-time password of this step: store it as the last one used.
    Step(u64),
    /// A recovery code: store these, which are left.
    Recovery(Vec<Digest>),
}

/// Draws a key and recovery codes for the user `name`.
///
/// # Errors
/// When there are no random bytes.
pub fn enrol(name: &str) -> Result<Enrolment, Error> {
    let key = Key::from(random::<20>().map_err(Error::Random)?.as_slice());
    let text = key.to_base32();
    let url = totp(key, name).and_then(|t| t.to_url().map_err(Error::Key))?;
    let recovery = (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<Result<Vec<_>, _>>()?;
    let credential = CredentialKind::Totp {
        key: SecretText::new(text.clone()),
        last_step: 0,
        recovery: recovery.iter().map(|code| secret::digest(&plain(code.as_str()))).collect(),
        confirmed: false,
    };
    Ok(Enrolment { credential, url: Secret::new(url), key: Secret::new(text), recovery })
}

/// Checks a one-time password or recovery code; none when it is wrong or was used.
///
/// # Errors
/// When the stored key is damaged.
pub fn check(
    key: &SecretText,
    last_step: u64,
    recovery: &[Digest],
    code: &str,
    now: Timestamp,
) -> Result<Option<Accepted>, Error> {
    let code = plain(code);
    if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        let key = Key::try_from_base32(key.reveal()).map_err(|_| Error::Key(TotpError::SecretTooShort { bits: 0 }))?;
        let seconds = u64::try_from(now.secs()).unwrap_or(0);
        let step = totp(key, "user")?.check(&code, seconds);
        return Ok(step.filter(|step| *step > last_step).map(Accepted::Step));
    }
    let shown = secret::digest(&code);
    let left: Vec<Digest> = recovery.iter().filter(|known| !secret::same(known, &shown)).copied().collect();
    Ok((left.len() < recovery.len()).then_some(Accepted::Recovery(left)))
}

/// The one-time password of a key (base32) at a time: what an authenticator shows.
///
/// # Errors
/// When the key is damaged.
pub fn code_at(key: &str, now: Timestamp) -> Result<String, Error> {
    let key = Key::try_from_base32(key).map_err(|_| Error::Key(TotpError::SecretTooShort { bits: 0 }))?;
    Ok(totp(key, "user")?.generate(u64::try_from(now.secs()).unwrap_or(0)).to_string())
}

fn totp(key: Key, name: &str) -> Result<Totp, Error> {
    // A colon would separate issuer and account in the URL.
    let account = name.replace(':', " ");
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1).with_step_duration(STEP);
    builder.with_secret(key).with_account_name(account).with_issuer(Some("Netwatch")).build().map_err(Error::Key)
}

fn recovery_code() -> Result<Secret, Error> {
    let bytes = random::<10>().map_err(Error::Random)?;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let parts: Vec<&str> = (0..4).filter_map(|i| hex.get(i * 5..i * 5 + 5)).collect();
    Ok(Secret::new(parts.join("-")))
}

/// As people type it: without blanks and hyphens, in lower case.
fn plain(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_010);

    fn code_at(enrolment: &Enrolment, seconds: u64) -> String {
        let key = Key::try_from_base32(enrolment.key.as_str()).unwrap();
        totp(key, "ada").unwrap().generate(seconds).to_string()
    }

    fn parts(enrolment: &Enrolment) -> (&SecretText, &[Digest]) {
        let CredentialKind::Totp { key, recovery, confirmed: false, .. } = &enrolment.credential else { panic!() };
        (key, recovery)
    }

    #[test]
    fn the_algorithm_is_that_of_rfc_6238() {
        // Appendix B, SHA-1, the last six of eight digits.
        let key = Key::from(b"12345678901234567890".as_slice());
        let totp = totp(key, "x").unwrap();
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(totp.generate(time).to_string(), code);
        }
    }

    #[test]
    fn a_step_is_good_once_and_a_neighbour_is_taken() {
        let enrolment = enrol("ada@example.org").unwrap();
        assert!(enrolment.url.as_str().starts_with("otpauth://totp/Netwatch:ada"), "{}", enrolment.url.as_str());
        let (key, recovery) = parts(&enrolment);
        let code = code_at(&enrolment, 1_700_000_010);
        let Some(Accepted::Step(step)) = check(key, 0, recovery, &code, NOW).unwrap() else { panic!() };
        assert_eq!(check(key, step, recovery, &code, NOW).unwrap(), None, "used");
        let spaced = format!(" {} {}", &code[..3], &code[3..]);
        assert!(check(key, step - 1, recovery, &spaced, NOW).unwrap().is_some());
        let early = code_at(&enrolment, 1_700_000_010 - 30);
        assert!(check(key, 0, recovery, &early, NOW).unwrap().is_some());
        let old = code_at(&enrolment, 1_700_000_010 - 90);
        assert_eq!(check(key, 0, recovery, &old, NOW).unwrap(), None);
    }

    #[test]
    fn a_recovery_code_is_good_once() {
        let enrolment = enrol("ada").unwrap();
        let (key, recovery) = parts(&enrolment);
        assert_eq!(recovery.len(), RECOVERY_CODES);
        let code = enrolment.recovery[3].as_str().to_ascii_uppercase();
        let Some(Accepted::Recovery(left)) = check(key, 0, recovery, &code, NOW).unwrap() else { panic!() };
        assert_eq!(left.len(), RECOVERY_CODES - 1);
        assert_eq!(check(key, 0, &left, &code, NOW).unwrap(), None);
        assert_eq!(check(key, 0, recovery, "", NOW).unwrap(), None);
    }
}
