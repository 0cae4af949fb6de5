//! Text to tokens with places.

use std::borrow::Cow;

use super::error::{FilterError, cite};
use crate::untrusted::is_deceptive;

/// Bytes `start..end` of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

/// What stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// A run of characters that mean nothing else.
    Word(&'a str),
    /// A quoted text, unescaped.
    Text(Cow<'a, str>),
    /// An operator, a bracket, a comma.
    Symbol(Symbol),
    /// Nothing more.
    End,
}

/// Tokens that are no values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Symbol {
    Open,
    Close,
    Comma,
    And,
    Or,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
}

/// Two-character symbols stand before their first character.
const SYMBOLS: [(&str, Symbol); 17] = [
    ("&&", Symbol::And),
    ("||", Symbol::Or),
    ("==", Symbol::Equal),
    ("!=", Symbol::NotEqual),
    ("<>", Symbol::NotEqual),
    ("<=", Symbol::LessOrEqual),
    (">=", Symbol::GreaterOrEqual),
    ("!~", Symbol::NotLike),
    ("=~", Symbol::Like),
    ("(", Symbol::Open),
    (")", Symbol::Close),
    (",", Symbol::Comma),
    ("!", Symbol::Not),
    ("=", Symbol::Equal),
    ("<", Symbol::Less),
    (">", Symbol::Greater),
    ("~", Symbol::Like),
];

/// Gives one token after the other.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The next token; [`Token::End`] for ever after the last.
    pub fn next(&mut self) -> Result<(Token<'a>, Span), FilterError> {
        self.at = self.text.len() - self.rest().trim_start().len();
        let (start, rest) = (self.at, self.rest());
        let Some(first) = rest.chars().next() else {
            return Ok((Token::End, Span { start, end: start }));
        };
        if first == '"' || first == '\'' {
            let token = Token::Text(self.quoted(first)?);
            return Ok((token, Span { start, end: self.at }));
        }
        if let Some((text, symbol)) = SYMBOLS.iter().find(|(s, _)| rest.starts_with(s)) {
            self.at += text.len();
            return Ok((Token::Symbol(*symbol), Span { start, end: self.at }));
        }
        let word = rest.split(|c: char| !is_word(c)).next().unwrap_or("");
        if word.is_empty() {
            let message = match first {
                '&' => "`&` alone means nothing: write `and` or `&&`".to_owned(),
                '|' => "`|` alone means nothing: write `or` or `||`".to_owned(),
                c => format!("{} cannot stand here: put it into a quoted text", cite(c.encode_utf8(&mut [0; 4]))),
            };
            return Err(FilterError::new(message, Span { start, end: start + first.len_utf8() }));
        }
        self.at += word.len();
        Ok((Token::Word(word), Span { start, end: self.at }))
    }

    /// A quoted text; `self.at` is at the opening mark, and after the closing one when done.
    fn quoted(&mut self, mark: char) -> Result<Cow<'a, str>, FilterError> {
        let start = self.at;
        let body = self.text.get(start + 1..).unwrap_or("");
        let mut owned: Option<String> = None;
        let mut chars = body.char_indices();
        while let Some((i, c)) = chars.next() {
            if c == mark {
                self.at = start + 1 + i + 1;
                return Ok(owned.map_or_else(|| Cow::Borrowed(body.get(..i).unwrap_or("")), Cow::Owned));
            }
            if c != '\\' {
                if let Some(text) = &mut owned {
                    text.push(c);
                }
                continue;
            }
            let text = owned.get_or_insert_with(|| body.get(..i).unwrap_or("").to_owned());
            let (escaped, length) = unescape(chars.as_str()).ok_or_else(|| {
                let message = r#"unknown escape: write \\ for a backslash; known are \" \' \\ \n \r \t and \u{hex}"#;
                FilterError::new(message, Span { start: start + 1 + i, end: start + 2 + i })
            })?;
            text.push_str(escaped.as_ref());
            let goal = i + 1 + length;
            while chars.offset() < goal && chars.next().is_some() {}
        }
        Err(FilterError::new(
            "the quoted text has no end: a closing quotation mark is missing",
            Span { start, end: self.text.len() },
        ))
    }
}

/// What stands after a backslash: the text meant, and how many bytes were read.
fn unescape(rest: &str) -> Option<(Cow<'static, str>, usize)> {
    let simple = match rest.bytes().next()? {
        b'"' => "\"",
        b'\'' => "'",
        b'\\' => "\\",
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        b'u' => {
            let hex = rest.strip_prefix("u{")?.split('}').next()?;
            let digits = (1..=6).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
            let closed = rest.as_bytes().get(2 + hex.len()) == Some(&b'}');
            let c = (digits && closed).then(|| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)).flatten()?;
            return Some((Cow::Owned(c.to_string()), hex.len() + 3));
        }
        _ => return None,
    };
    Some((Cow::Borrowed(simple), 1))
}

/// Whether `c` can be part of an unquoted word.
pub(super) fn is_word(c: char) -> bool {
    !c.is_whitespace()
        && !is_deceptive(c)
        && !matches!(c, '(' | ')' | ',' | '"' | '\'' | '&' | '|' | '=' | '!' | '<' | '>' | '~')
}
