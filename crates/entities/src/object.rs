//! What the store keeps: versioned objects, each of a kind, in a place.
//!
//! An object has a typed id, belongs to the site or to exactly one workspace, may belong to an owner too (and goes with it), carries a
//! version that grows by one with every change, and has a body of a type of `model`. Uniqueness is declared by the type as keys.
//!
//! Limits: a body of 64 KiB, a key of 2 KiB, a label of 256 bytes.

use std::fmt;
use std::str::FromStr;

use netwatch_model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kind::Kind;
use crate::vault::KeyId;

/// Longest body, bytes of JSON.
pub const MAX_BODY: usize = 64 << 10;
/// Longest value of a key, bytes.
pub const MAX_KEY: usize = 2048;
/// Longest label, bytes.
pub const MAX_LABEL: usize = 256;

/// The bits of an id, whatever its type. Text form: 32 hexadecimal digits, as ids of `model::people` have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u128);

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id must have 32 hexadecimal digits in lower case")]
pub struct ParseObjectIdError;

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = ParseObjectIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let bits = fits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        bits.map(Self).ok_or(ParseObjectIdError)
    }
}

/// Where an object is. Operations on objects of a workspace cannot be written without naming the workspace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// On the site itself: users, sessions, the workspaces.
    Site,
    /// In this workspace.
    Workspace(ObjectId),
}

impl Place {
    /// The workspace, if it is one.
    #[must_use]
    pub const fn workspace(self) -> Option<ObjectId> {
        match self {
            Self::Site => None,
            Self::Workspace(id) => Some(id),
        }
    }
}

/// The place of all objects of the site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site;

impl From<Site> for Place {
    fn from(_: Site) -> Self {
        Self::Site
    }
}

/// A type of objects.
pub trait Entity: Serialize + DeserializeOwned + Clone + fmt::Debug + Send + 'static {
    /// Its kind; one type for each.
    const KIND: Kind;
    /// What its ids are.
    type Id: Copy + Into<ObjectId>;
    /// Where its objects are: [`Site`], or the id of a workspace.
    type Place: Copy + Into<Place>;

    /// The id of this object.
    fn id(&self) -> Self::Id;
    /// Where it is.
    fn place(&self) -> Self::Place;
    /// The object with which it goes away, beside its place.
    fn owner(&self) -> Option<ObjectId> {
        None
    }
    /// What it is listed and searched by, as people write it.
    fn label(&self) -> String;
    /// What no other object may have.
    fn keys(&self) -> Vec<Key> {
        Vec::new()
    }
}

/// A value that is unique.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Name of the key, a constant of the type.
    pub name: &'static str,
    /// Among which objects.
    pub reach: Reach,
    /// The value, at most [`MAX_KEY`] bytes.
    pub value: String,
}

/// Among which objects a key is unique.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All of the kind.
    Everywhere,
    /// Those in the same place.
    Place,
}

impl Key {
    /// Unique among all of the kind.
    #[must_use]
    pub fn everywhere(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, reach: Reach::Everywhere, value: value.into() }
    }

    /// Unique among those in the same place.
    #[must_use]
    pub fn in_place(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, reach: Reach::Place, value: value.into() }
    }
}

/// An object as the store has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored<T> {
    /// The object.
    pub value: T,
    /// Grows by one with every change, from 1.
    pub version: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// An object as a row: what a store reads and writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Id.
    pub id: ObjectId,
    /// Kind.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
    /// With which object it goes away.
    pub owner: Option<ObjectId>,
    /// From 1.
    pub version: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// Lower case, for search and order.
    pub label: String,
    /// JSON, or what it was encrypted to.
    pub body: Vec<u8>,
    /// The key with which the body was encrypted, if it was.
    pub sealed: Option<KeyId>,
    /// What no other object may have. Written with the row, and not read back.
    pub keys: Vec<Key>,
}

/// Which objects of a kind and place are listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListQuery {
    /// Only those that belong to this object.
    pub owner: Option<ObjectId>,
    /// Only those whose label has this text, in any case.
    pub search: Option<String>,
    /// In which order.
    pub order: Order,
    /// After this place in the order.
    pub after: Option<Mark>,
    /// Most rows, from 1.
    pub limit: usize,
}

/// Order of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// By label, then id.
    #[default]
    Label,
    /// Made first, first; then by id.
    Oldest,
    /// Made last, first.
    Newest,
}

/// A place in the order of a list: that of its last row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Label of the row.
    pub label: String,
    /// When the row was made.
    pub created: Timestamp,
    /// Id of the row.
    pub id: ObjectId,
}

/// A part of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// Where the next part begins; none at the end.
    pub next: Option<Mark>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        let id = ObjectId(0x0192_f0c1_2d3e_7a4b_8c5d_6e7f_8091_a2b3);
        assert_eq!(id.to_string(), "0192f0c12d3e7a4b8c5d6e7f8091a2b3");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "0192f0c12d3e7a4b8c5d6e7f8091a2b", "0192F0C12D3E7A4B8C5D6E7F8091A2B3", &"é".repeat(16)] {
            assert_eq!(bad.parse::<ObjectId>(), Err(ParseObjectIdError), "{bad}");
        }
    }
}
