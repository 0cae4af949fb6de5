//! What a key's value looks like: text to value, and back.

use std::fmt::Write as _;
use std::net::SocketAddr;

use netwatch_model::Untrusted;
use netwatch_model::filter::{self, Quantity, nearest, parse_value};

/// Elements of a list, and bytes of a text.
const MAX_LIST: usize = 64;
const MAX_TEXT: usize = 4096;

/// As it was written: the same for files, variables and flags.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Raw {
    /// One value.
    Scalar(String),
    /// Several.
    List(Vec<String>),
}

/// What the values of a key look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text; empty is "not set".
    Text,
    /// A text that is never shown.
    Secret,
    /// Texts; in a variable or flag separated by commas.
    List,
    /// Yes or no.
    Flag,
    /// A whole number in this range, with `k`, `M`, `G` if wanted.
    Count(u64, u64),
    /// Octets in this range, with a unit.
    Size(u64, u64),
    /// Nanoseconds in this range, written with a unit.
    Duration(u64, u64),
    /// Address and port.
    Listen,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value that fits its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Text, secret, word, address.
    Text(String),
    /// Texts.
    List(Vec<String>),
    /// Yes or no.
    Flag(bool),
    /// Count, octets, nanoseconds.
    Number(u64),
}

impl Kind {
    /// Reads a value.
    ///
    /// # Errors
    /// What is wrong and what was expected.
    pub fn read(self, raw: &Raw) -> Result<Value, String> {
        let text = match (self, raw) {
            (Self::List, raw) => return list(raw),
            (_, Raw::Scalar(text)) => text.as_str(),
            (_, Raw::List(_)) => return Err("expected one value, found a list".to_owned()),
        };
        if text.len() > MAX_TEXT {
            return Err(format!("longer than {MAX_TEXT} bytes"));
        }
        let shown = Untrusted::new(text);
        match self {
            Self::Text | Self::Secret | Self::List => Ok(Value::Text(text.to_owned())),
            Self::Flag => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok(Value::Flag(true)),
                "false" | "no" | "off" | "0" => Ok(Value::Flag(false)),
                _ => Err(format!("`{shown}` is neither true nor false")),
            },
            Self::Count(low, high) => ranged(filter::Kind::Count, text, low, high),
            Self::Size(low, high) => ranged(filter::Kind::Bytes, text, low, high),
            Self::Duration(low, high) => ranged(filter::Kind::Duration, text, low, high),
            Self::Listen => text.parse::<SocketAddr>().map(|_| Value::Text(text.to_owned())).map_err(|_| {
                format!("`{shown}` is no address with port: expected for example 127.0.0.1:8470 or [::1]:8470")
            }),
            Self::Word(words) => {
                let word = words.iter().find(|w| w.eq_ignore_ascii_case(text));
                word.map(|w| Value::Text((*w).to_owned())).ok_or_else(|| {
                    let near = nearest(text, words.iter().copied());
                    let hint = near.map(|w| format!(" (did you mean `{w}`?)")).unwrap_or_default();
                    format!("`{shown}` is not known here{hint}: expected one of {}", words.join(", "))
                })
            }
        }
    }

    /// The least and the most of a number.
    #[cfg(test)]
    pub const fn bounds(self) -> Option<(u64, u64)> {
        match self {
            Self::Count(low, high) | Self::Size(low, high) | Self::Duration(low, high) => Some((low, high)),
            _ => None,
        }
    }

    /// A value as YAML on one line. Secrets are not hidden here.
    pub fn write(self, value: &Value) -> String {
        match value {
            Value::Text(text) => yaml_text(text),
            Value::List(list) => format!("[{}]", list.iter().map(|t| yaml_text(t)).collect::<Vec<_>>().join(", ")),
            Value::Flag(flag) => flag.to_string(),
            Value::Number(n) => match self {
                Self::Size(..) => Quantity(filter::Kind::Bytes, *n).to_string(),
                Self::Duration(..) => Quantity(filter::Kind::Duration, *n).to_string(),
                _ => n.to_string(),
            },
        }
    }
}

/// A text that YAML reads as that text: plain where it can be, else in quotation marks.
pub fn yaml_text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let wordy = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.chars().all(plain);
    let taken =
        ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].iter().any(|w| w.eq_ignore_ascii_case(text));
    if wordy && !taken {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if netwatch_model::untrusted::is_deceptive(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn ranged(kind: filter::Kind, text: &str, low: u64, high: u64) -> Result<Value, String> {
    let n = parse_value(kind, text)?;
    if (low..=high).contains(&n) {
        return Ok(Value::Number(n));
    }
    let (low, high) = (Quantity(kind, low), Quantity(kind, high));
    Err(format!("{} is out of range: expected {low} to {high}", Untrusted::new(text)))
}

fn list(raw: &Raw) -> Result<Value, String> {
    let list: Vec<String> = match raw {
        Raw::Scalar(text) => text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect(),
        Raw::List(list) => list.clone(),
    };
    if list.len() > MAX_LIST {
        return Err(format!("more than {MAX_LIST} elements"));
    }
    if list.iter().any(|t| t.is_empty() || t.len() > MAX_TEXT) {
        return Err(format!("an element is empty or longer than {MAX_TEXT} bytes"));
    }
    Ok(Value::List(list))
}
