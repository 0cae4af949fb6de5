//! What is wrong with a filter, and where.

use super::lexer::Span;
use crate::Untrusted;

/// What is wrong with a filter text and what to write instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong and what to write instead. Parts of the filter appear in visible form and cut.
    pub message: String,
    /// Byte offset of the fault; the length of the text when something is missing at its end.
    pub position: usize,
    /// Length of the fault in bytes, at least 1.
    pub length: usize,
}

impl FilterError {
    /// A fault at `span`.
    pub(super) fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), position: span.start, length: (span.end - span.start).max(1) }
    }
}

/// A part of the text for a message: visible form, at most 40 characters, in backquotes.
pub(super) fn cite(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("`{}`", Untrusted::new(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cited_text_is_visible_and_short() {
        assert_eq!(cite("a\u{202e}b"), "`a\\u{202e}b`");
        assert_eq!(cite(&"x".repeat(50)), format!("`{}…`", "x".repeat(40)));
    }
}
