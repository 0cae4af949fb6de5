//! Versions of programs: three numbers, as Semantic Versioning orders releases. What is no plain release is never taken.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most digits of one number.
const MOST_DIGITS: usize = 9;

/// A released version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version([u32; 3]);

/// A text that is no released version.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it is not three numbers with dots between, such as 0.2.0")]
pub struct ParseVersionError;

impl Version {
    /// Of these numbers: major, minor, patch.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self([major, minor, patch])
    }

    /// The name that its program has for this system and architecture, in the folder of the server and here.
    #[must_use]
    pub fn file_name(self) -> String {
        format!("netwatch-{self}-{}-{}", std::env::consts::OS, std::env::consts::ARCH)
    }
}

impl FromStr for Version {
    type Err = ParseVersionError;

    /// One text for each version: `0.2.0`, and not `0.02.0`.
    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let mut parts = text.split('.');
        let mut next = || {
            let part = parts.next().ok_or(ParseVersionError)?;
            let is_number = (1..=MOST_DIGITS).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            let is_one_text = part == "0" || !part.starts_with('0');
            if is_number && is_one_text { part.parse().map_err(|_| ParseVersionError) } else { Err(ParseVersionError) }
        };
        let version = Self([next()?, next()?, next()?]);
        if parts.next().is_some() { Err(ParseVersionError) } else { Ok(version) }
    }
}

impl TryFrom<String> for Version {
    type Error = ParseVersionError;

    fn try_from(text: String) -> Result<Self, ParseVersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_release_has_no_version() {
        for text in
            ["", "1", "1.2", "1.2.3.4", "1.2.3-rc.1", "v1.2.3", "1.02.3", "1..3", "1.2.+3", "1.2.3 ", "../1.2.3"]
        {
            assert_eq!(text.parse::<Version>(), Err(ParseVersionError), "{text}");
        }
        assert!(Version::new(0, 10, 0) > Version::new(0, 9, 9));
    }

    proptest! {
        #[test]
        fn each_version_has_one_text(text in "\\PC{0,16}|[0-9.]{1,16}") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }
}
