//! One line of text that is being typed.

use netwatch_model::filter::Filter;

/// A filter in the making.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Editor {
    text: String,
    /// Byte offset of the cursor, at a character boundary.
    cursor: usize,
}

impl Editor {
    /// With the cursor at the end of `text`.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// The text before and after the cursor.
    pub fn parts(&self) -> (&str, &str) {
        self.text.split_at_checked(self.cursor).unwrap_or((&self.text, ""))
    }

    /// What is wrong with the text, or its canonical spelling.
    pub fn check(&self) -> Result<String, String> {
        Filter::parse(&self.text).map(|f| f.to_string()).map_err(|e| e.to_string())
    }

    /// Writes a character; what cannot be seen, and what makes the text too long, is not taken.
    pub fn insert(&mut self, c: char) {
        let fits = self.text.len() + c.len_utf8() <= Filter::MAX_BYTES;
        if fits && !netwatch_model::untrusted::is_deceptive(c) {
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// Removes the character before the cursor.
    pub fn backspace(&mut self) {
        if let Some(c) = self.parts().0.chars().next_back() {
            self.cursor -= c.len_utf8();
            self.text.remove(self.cursor);
        }
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// One character to the left.
    pub fn left(&mut self) {
        self.cursor -= self.parts().0.chars().next_back().map_or(0, char::len_utf8);
    }

    /// One character to the right.
    pub fn right(&mut self) {
        self.cursor += self.parts().1.chars().next().map_or(0, char::len_utf8);
    }

    /// To the beginning or the end.
    pub fn jump(&mut self, end: bool) {
        self.cursor = if end { self.text.len() } else { 0 };
    }
}
