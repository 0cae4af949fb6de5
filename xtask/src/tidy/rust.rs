//! Rust text, split in code and comments.
//!
//! A small lexer: it knows comments (nested too), strings (raw, byte and C strings), characters and lifetimes, and nothing else.
//! Limits: macros that build tokens are seen as they are written.

use std::ops::Range;

use crate::tree::Tree;

/// A Rust file: for each line its code, with comments and the contents of strings blanked out, and its comment.
#[derive(Debug)]
pub struct RustFile<'a> {
    /// From the root.
    pub path: &'a str,
    /// As written.
    pub lines: Vec<&'a str>,
    /// The code of each line; all else is blank, columns are kept.
    pub code: Vec<String>,
    /// The comment of each line, with its slashes.
    pub comments: Vec<String>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its lines, from that of `fn` to that of the closing brace, counted from 0.
    pub lines: Range<usize>,
}

/// All Rust files of the tree.
pub fn files(tree: &Tree) -> impl Iterator<Item = RustFile<'_>> {
    tree.with_ending(&["rs"]).map(|(path, text)| RustFile::new(path, text))
}

impl<'a> RustFile<'a> {
    /// Splits `text`.
    pub fn new(path: &'a str, text: &'a str) -> Self {
        let (code, comments) = Splitter::split(text);
        Self { path, lines: text.lines().collect(), code, comments }
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// The lines (from 1) whose code contains one of `patterns`, with the pattern.
    pub fn find<'p>(&'a self, patterns: &'p [&'p str]) -> impl Iterator<Item = (usize, &'p str)> + use<'a, 'p> {
        self.code.iter().enumerate().flat_map(move |(index, code)| {
            patterns.iter().filter(|pattern| contains_word(code, pattern)).map(move |pattern| (index + 1, *pattern))
        })
    }

    /// Whether the line (from 1), or the comment directly above it, contains `text` in a comment.
    pub fn is_explained(&self, line: usize, text: &str) -> bool {
        let comment = |line: usize| line.checked_sub(1).and_then(|i| self.comments.get(i)).map_or("", String::as_str);
        let is_comment_only = |line: usize| {
            let code = line.checked_sub(1).and_then(|i| self.code.get(i)).map_or("", |code| code.trim());
            !comment(line).is_empty() && (code.is_empty() || code.starts_with("#["))
        };
        let mut above = line;
        while above > 1 && is_comment_only(above - 1) {
            above -= 1;
        }
        (above..=line).any(|line| comment(line).contains(text))
    }

    /// For each line, whether it belongs to tests: a file of tests, or an item behind `#[cfg(test)]`.
    pub fn test_lines(&self) -> Vec<bool> {
        let whole = self.name() == "tests.rs" || self.path.contains("/tests/") || self.path.contains("/testkit/");
        let mut marks = vec![whole; self.code.len()];
        for (index, code) in self.code.iter().enumerate() {
            if code.contains("#[cfg(test)]") {
                for line in self.item_from(index) {
                    marks[line] = true;
                }
            }
        }
        marks
    }

    /// Every function with a body, in order.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for (index, code) in self.code.iter().enumerate() {
            for (column, _) in code.match_indices("fn ") {
                let name: String = code[column + 3..].trim_start().chars().take_while(|c| is_word(*c)).collect();
                if name.is_empty() || code[..column].chars().next_back().is_some_and(is_word) {
                    continue;
                }
                if let Some(end) = self.end_of_item(index, column) {
                    found.push(Function { name, lines: index..end + 1 });
                }
            }
        }
        found
    }

    fn item_from(&self, index: usize) -> Range<usize> {
        let end = self.end_of_item(index + 1, 0).unwrap_or(index + 1);
        index..(end + 1).min(self.code.len())
    }

    /// The line (from 0) that closes the braces of the item that begins at `index` and `column`; none when it has no body.
    fn end_of_item(&self, index: usize, column: usize) -> Option<usize> {
        let (mut braces, mut brackets) = (0_usize, 0_usize);
        for (line, code) in self.code.iter().enumerate().skip(index) {
            let skipped = if line == index { column } else { 0 };
            for c in code.get(skipped..).unwrap_or("").chars() {
                match c {
                    '(' | '[' => brackets += 1,
                    ')' | ']' => brackets = brackets.saturating_sub(1),
                    '{' => braces += 1,
                    '}' if braces <= 1 => return (braces == 1).then_some(line),
                    '}' => braces -= 1,
                    ';' if braces == 0 && brackets == 0 => return None,
                    _ => {}
                }
            }
        }
        None
    }
}

/// Whether `code` contains `pattern` and not as a part of a longer word.
pub fn contains_word(code: &str, pattern: &str) -> bool {
    let starts_word = pattern.chars().next().is_some_and(is_word);
    let ends_word = pattern.chars().next_back().is_some_and(is_word);
    code.match_indices(pattern).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(is_word);
        let after = code[at + pattern.len()..].chars().next().is_some_and(is_word);
        !((starts_word && before) || (ends_word && after))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    LineComment,
    BlockComment(usize),
    Text,
    RawText(usize),
}

struct Splitter {
    chars: Vec<char>,
    at: usize,
    state: State,
    code: Vec<String>,
    comments: Vec<String>,
}

impl Splitter {
    fn split(text: &str) -> (Vec<String>, Vec<String>) {
        let mut splitter = Self {
            chars: text.chars().collect(),
            at: 0,
            state: State::Code,
            code: vec![String::new()],
            comments: vec![String::new()],
        };
        while splitter.at < splitter.chars.len() {
            splitter.step();
        }
        let lines = text.lines().count();
        splitter.code.truncate(lines);
        splitter.comments.truncate(lines);
        (splitter.code, splitter.comments)
    }

    fn step(&mut self) {
        match self.state {
            State::Code => self.in_code(),
            State::LineComment => self.take_comment(1),
            State::BlockComment(depth) => self.in_block_comment(depth),
            State::Text => match self.peek(0) {
                '\\' => self.skip(2),
                '"' => self.close_text(1),
                _ => self.skip(1),
            },
            State::RawText(hashes) => {
                if self.peek(0) == '"' && (1..=hashes).all(|i| self.peek(i) == '#') {
                    self.close_text(1 + hashes);
                } else {
                    self.skip(1);
                }
            }
        }
    }

    fn in_code(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                self.state = State::LineComment;
                self.take_comment(2);
            }
            ('/', '*') => {
                self.state = State::BlockComment(1);
                self.take_comment(2);
            }
            ('"', _) => {
                self.take_code(1);
                self.state = State::Text;
            }
            ('r', '"' | '#') => self.raw_text(),
            ('\'', _) => self.quote(),
            _ => self.take_code(1),
        }
    }

    fn in_block_comment(&mut self, depth: usize) {
        match (self.peek(0), self.peek(1)) {
            ('/', '*') => {
                self.state = State::BlockComment(depth + 1);
                self.take_comment(2);
            }
            ('*', '/') => {
                self.take_comment(2);
                self.state = if depth == 1 { State::Code } else { State::BlockComment(depth - 1) };
            }
            _ => self.take_comment(1),
        }
    }

    fn raw_text(&mut self) {
        let hashes = (1..).take_while(|i| self.peek(*i) == '#').count();
        let is_text = self.peek(1 + hashes) == '"';
        self.take_code(if is_text { 2 + hashes } else { 1 });
        if is_text {
            self.state = State::RawText(hashes);
        }
    }

    /// A character (`'x'`, `'\n'`) or a lifetime (`'a`).
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.skip(3);
            while self.at < self.chars.len() && self.peek(0) != '\'' {
                self.skip(1);
            }
            self.skip(1);
        } else if self.peek(2) == '\'' {
            self.skip(3);
        } else {
            self.take_code(1);
        }
    }

    fn close_text(&mut self, length: usize) {
        self.take_code(length);
        self.state = State::Code;
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn take_code(&mut self, count: usize) {
        self.take(count, true, false);
    }

    fn take_comment(&mut self, count: usize) {
        self.take(count, false, true);
    }

    fn skip(&mut self, count: usize) {
        self.take(count, false, false);
    }

    fn take(&mut self, count: usize, is_code: bool, is_comment: bool) {
        for _ in 0..count {
            let Some(c) = self.chars.get(self.at).copied() else { return };
            self.at += 1;
            if c == '\n' {
                self.code.push(String::new());
                self.comments.push(String::new());
                if self.state == State::LineComment {
                    self.state = State::Code;
                }
                continue;
            }
            if let Some(line) = self.code.last_mut() {
                line.push(if is_code { c } else { ' ' });
            }
            if let (true, Some(line)) = (is_comment, self.comments.last_mut()) {
                line.push(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        let text = "let a = \"x // y\"; // unsafe\nlet b = r#\"a\"b\"#; /* 1 /* 2 */\n3 */ let c = '\"'; let d: &'a str;\nlet e = b\"\\\"\";";
        let file = RustFile::new("a.rs", text);
        assert_eq!(file.code[0].trim_end(), "let a = \"      \";");
        assert_eq!(file.comments[0], "// unsafe");
        assert_eq!(file.code[1].trim_end(), "let b = r#\"   \"#;");
        assert_eq!(file.code[2].trim(), "let c =    ; let d: &'a str;");
        assert_eq!(file.code[3], "let e = b\"  \";");
    }

    #[test]
    fn functions_have_their_lines() {
        let file = RustFile::new(
            "a.rs",
            "trait T { fn a(&self) -> [u8; 2]; }\nfn b(x: [u8; 2])\n{\n  let f = |y: fn (u8)| { y };\n}\nfn c() {}",
        );
        let found: Vec<_> = file.functions().into_iter().map(|f| (f.name, f.lines)).collect();
        assert_eq!(found, [("b".to_owned(), 1..5), ("c".to_owned(), 5..6)]);
    }

    #[test]
    fn test_modules_are_tests() {
        let file = RustFile::new("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}");
        assert_eq!(file.test_lines(), [false, true, true, true, true, false]);
        let file = RustFile::new("a.rs", "#[cfg(test)]\nmod tests;\nfn c() {}");
        assert_eq!(file.test_lines(), [true, true, false]);
    }

    #[test]
    fn words_are_whole() {
        assert!(contains_word("x.sleep(1)", "sleep"));
        assert!(!contains_word("asleep()", "sleep"));
        assert!(contains_word("mpsc::channel()", "mpsc::channel("));
    }
}
