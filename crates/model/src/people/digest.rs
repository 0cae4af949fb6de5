//! The hash by which a secret is known to the server.

use std::fmt;
use std::str::FromStr;

use super::text::InvalidText;
use super::words::text_form;

/// 256 bits of SHA-256, in text 64 hexadecimal digits. Made and compared in the crate `identity`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 32]);

impl Digest {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || InvalidText::new("digest", text, "must have 64 hexadecimal digits");
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(fail()) };
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() {
            return Err(fail());
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let [high, low] = pair.map(|c| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()));
            *byte = high.zip(low).map(|(h, l)| h << 4 | l).ok_or_else(fail)?;
        }
        Ok(Self(bytes))
    }
}

text_form!(Digest, "digest");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_back() {
        let digest = Digest::from_bytes(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        for bad in ["", "ab", &"z".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
