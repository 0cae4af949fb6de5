//! Patterns of `~`: `*` stands for any text, `?` for one character, `\` before one of these (or before itself) for the character.
//!
//! ASCII case is ignored. A match takes at most pattern × text steps, and both are at most 255 bytes long.

use crate::Untrusted;

/// A pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// Any text.
    Many,
    /// One character.
    One,
    /// This character (lower case when ASCII).
    Char(char),
}

impl Glob {
    /// The pattern of that text; `None` when it is longer than [`Untrusted::MAX_BYTES`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.len() > Untrusted::MAX_BYTES {
            return None;
        }
        let mut parts = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let part = match c {
                '*' => Part::Many,
                '?' => Part::One,
                '\\' => Part::Char(rest.next_if(|n| matches!(n, '*' | '?' | '\\')).unwrap_or('\\')),
                c => Part::Char(c.to_ascii_lowercase()),
            };
            if part != Part::Many || parts.last() != Some(&Part::Many) {
                parts.push(part);
            }
        }
        Some(Self { text: text.to_owned(), parts })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `text` fits.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (mut part, mut rest) = (0, text.chars());
        // Where to go on when a part does not fit: after the newest `*`, which then takes one character more.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let mut ahead = rest.clone();
            match (self.parts.get(part), ahead.next()) {
                (None, None) => return true,
                (Some(Part::Many), _) => {
                    part += 1;
                    retry = Some((part, rest.clone()));
                    continue;
                }
                (Some(Part::One), Some(_)) => {
                    (part, rest) = (part + 1, ahead);
                    continue;
                }
                (Some(Part::Char(want)), Some(have)) if have.to_ascii_lowercase() == *want => {
                    (part, rest) = (part + 1, ahead);
                    continue;
                }
                _ => {}
            }
            let Some((after, taken)) = &mut retry else { return false };
            if taken.next().is_none() {
                return false;
            }
            (part, rest) = (*after, taken.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Glob::new(pattern).unwrap().matches(text)
    }

    #[test]
    fn stars_marks_and_case() {
        assert!(fits("*.example.com", "www.Example.COM"));
        assert!(!fits("*.example.com", "example.com"));
        assert!(fits("a?c", "aéc") && !fits("a?c", "ac"));
        assert!(fits("*", "") && fits("", "") && !fits("", "x") && !fits("?", ""));
        assert!(fits("*a*b*", "xxaxxbxx") && !fits("*a*b", "ba"));
        assert!(fits(r"\*x\?\\\a", r"*x?\\a"));
        assert!(Glob::new(&"*".repeat(256)).is_none());
    }

    /// The plain definition, exponential but obviously right.
    fn model(parts: &[Part], text: &[char]) -> bool {
        match (parts, text) {
            ([], []) => true,
            ([Part::Many, rest @ ..], _) => model(rest, text) || (!text.is_empty() && model(parts, &text[1..])),
            ([Part::One, rest @ ..], [_, tail @ ..]) => model(rest, tail),
            ([Part::Char(c), rest @ ..], [have, tail @ ..]) => have.to_ascii_lowercase() == *c && model(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in r"[ab*?é\\]{0,8}", text in "[abé]{0,8}") {
            let glob = Glob::new(&pattern).unwrap();
            let chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(glob.matches(&text), model(&glob.parts, &chars));
        }
    }
}
