//! YAML with the place of every key and value, for files whose keys belong to others.
//!
//! Limits: what [`parse`] reads has at most 1 MiB, 32 levels and 100 000 nodes.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// Longest text, bytes.
pub const MAX_TEXT: usize = 1 << 20;

/// A value with its place.
pub type Node = Spanned<Value>;

/// What stands in a file.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// A plain value as it would be written.
    Scalar(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys and values in the order of the file.
    Map(Vec<(Spanned<String>, Node)>),
}

/// Something that is wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Line, from 1; 0 when it is not known.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// What, and what to write instead.
    pub message: String,
}

impl Fault {
    /// At a place.
    pub fn at(place: Location, message: impl Into<String>) -> Self {
        Self { line: place.line(), column: place.column(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "{line}:{}: {}", self.column, self.message),
        }
    }
}

impl Value {
    /// The pairs of a map; none of anything else.
    #[must_use]
    pub fn pairs(&self) -> &[(Spanned<String>, Node)] {
        if let Self::Map(pairs) = self { pairs } else { &[] }
    }

    /// The elements of a list; none of anything else.
    #[must_use]
    pub fn elements(&self) -> &[Node] {
        if let Self::List(list) = self { list } else { &[] }
    }

    /// The text of a plain value.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Scalar(text) = self { Some(text) } else { None }
    }

    /// The value of a key of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pairs().iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }
}

/// Reads a document; an empty one is [`Value::Null`].
///
/// # Errors
/// What is not YAML, and where.
pub fn parse(text: &str) -> Result<Node, Fault> {
    if text.len() > MAX_TEXT {
        return Err(Fault::at(Location::UNKNOWN, "the file is longer than 1 MiB"));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 32, max_nodes: 100_000 },
        ignore_binary_tag_for_string: true,
    };
    let read = serde_saphyr::from_str_with_options::<Option<Node>>(text, options);
    let empty = || Spanned::new(Value::Null, Location::UNKNOWN, Location::UNKNOWN);
    read.map(|node| node.unwrap_or_else(empty)).map_err(|error| {
        let plain = error.without_snippet().to_string();
        let first = plain.lines().next().unwrap_or("this is not YAML").to_owned();
        Fault::at(error.location().unwrap_or(Location::UNKNOWN), first)
    })
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Scalar(text.to_owned()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Scalar(flag.to_string()))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Scalar(n.to_string()))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::Scalar(n.to_string()))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(Value::Scalar(n.to_string()))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Scalar(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element()? {
            list.push(element);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Value::Map(pairs))
    }
}
