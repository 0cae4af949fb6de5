//! The key that both sides share: HMAC-SHA-256, cut to 128 bits (RFC 8762, 4.4; RFC 4868).

use std::fmt;

use ring::hmac;

/// Octets of a tag.
pub(super) const TAG: usize = 16;

/// A shared key. It is never shown.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    /// From a secret of any length (RFC 2104).
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The tag of parts that stand one after the other.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> [u8; TAG] {
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        context.sign().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Whether it is their tag; takes the same time wherever it differs.
    pub(super) fn is_tag(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let own = self.tag(parts);
        let differences = own.iter().zip(tag).fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
        tag.len() == own.len() && differences == 0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}
