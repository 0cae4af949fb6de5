//! Text that came from the network.
//!
//! A DNS name, an SNI, an interface name or a process name is chosen by somebody else. It is kept as data: cut to a limit, never
//! part of a command, a query, a path, a template or HTML. Control and bidirectional characters are made visible when shown.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A string chosen by somebody else, at most [`Untrusted::MAX_BYTES`] bytes of UTF-8, or a [message](Untrusted::message) with such.
///
/// Equality and order are those of the raw text. [`fmt::Display`] and serialisation give the *visible* form: control characters,
/// escape sequences, bidirectional overrides and invisible characters are written as `\u{202e}`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Untrusted(Arc<str>);

impl Untrusted {
    /// The longest text kept: the longest DNS name (RFC 1035) fits.
    pub const MAX_BYTES: usize = 255;

    /// The longest message kept: a sentence, a path and a command fit.
    pub const MAX_MESSAGE_BYTES: usize = 1024;

    /// Keeps at most [`Untrusted::MAX_BYTES`] bytes, cut at a character boundary.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::cut(text, Self::MAX_BYTES)
    }

    /// A message for people that holds names chosen by somebody else; at most [`Untrusted::MAX_MESSAGE_BYTES`] bytes are kept.
    #[must_use]
    pub fn message(text: &str) -> Self {
        Self::cut(text, Self::MAX_MESSAGE_BYTES)
    }

    /// From bytes; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let cut = &bytes[..bytes.len().min(Self::MAX_BYTES)];
        Self::new(&String::from_utf8_lossy(cut))
    }

    /// The text as it came. For comparison and look-up only, never for output.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text as it came, shared: for those who write it down as it is.
    pub(crate) const fn shared(&self) -> &Arc<str> {
        &self.0
    }

    fn cut(text: &str, bytes: usize) -> Self {
        Self(Arc::from(text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()))
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a character could change how the text around it is shown, or hide.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.chars().any(is_deceptive) {
            return f.pad(&self.0);
        }
        for c in self.0.chars() {
            if is_deceptive(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Untrusted {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|s| Self::new(&s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_characters_become_visible() {
        assert_eq!(Untrusted::new("a\u{202e}b\x1b[31m").to_string(), "a\\u{202e}b\\u{1b}[31m");
        assert_eq!(Untrusted::new("<b>x $(reboot)").to_string(), "<b>x $(reboot)");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = "é".repeat(200);
        let cut = Untrusted::new(&text);
        assert_eq!(cut.raw().len(), 254);
        assert_eq!(Untrusted::from_bytes(&[0xff, b'a']).raw(), "\u{fffd}a");
    }
}
