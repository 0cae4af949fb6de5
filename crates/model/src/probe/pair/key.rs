//! The key of one agent's test packets to another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The key of one agent's test packets to another: a text, whose octets are the secret. It is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PairKey(String);

impl PairKey {
    /// Of these octets, as hexadecimal digits.
    #[must_use]
    pub fn of(secret: &[u8; 32]) -> Self {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        Self(secret.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 0xf)]).collect())
    }

    /// As the option of a probe has it: for who sends or answers.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PairKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairKey(hidden)")
    }
}
