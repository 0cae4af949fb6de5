//! The syntax tree: public, so that a store can answer parts of a filter from an index.

use super::{Field, Glob, Network};

/// A filter as a tree. Parsing gives `And` and `Or` with at least two operands, none of the same kind as its parent; the filter that
/// selects everything is an `And` of nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expr {
    /// All operands hold.
    And(Vec<Self>),
    /// At least one operand holds.
    Or(Vec<Self>),
    /// The operand does not hold.
    Not(Box<Self>),
    /// One comparison.
    Test(Test),
}

impl Expr {
    /// Whether some test of the tree fulfils `predicate`.
    pub fn any_test(&self, predicate: &dyn Fn(&Test) -> bool) -> bool {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().any(|e| e.any_test(predicate)),
            Self::Not(inner) => inner.any_test(predicate),
            Self::Test(test) => predicate(test),
        }
    }
}

/// A field and what its value must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Test {
    /// Which value.
    pub field: Field,
    /// Written as `!=`, `!~` or `not in`: holds when the condition does not. Never set with `<`, `<=`, `>` and `>=`.
    pub negated: bool,
    /// What must hold.
    pub condition: Condition,
}

/// What a value must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// There is a value: `= any`.
    Present,
    /// A number compared. Sizes are octets, durations nanoseconds, rates bits per second, times nanoseconds since 1970, words their
    /// place in the list of [`Kind::Word`](super::Kind::Word), flow ids their bits.
    Number(Comparison, u64),
    /// A number in one of these ranges, both ends included. At least one range; a single number alone is `Number(Equal, n)`.
    Ranges(Vec<(u64, u64)>),
    /// An address in one of these networks; a single address is a network of its full length.
    Networks(Vec<Network>),
    /// A text equal to one of these.
    Texts(Vec<String>),
    /// A text that fits the pattern.
    Like(Glob),
}

/// How a number is compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether `left` stands so to `right`.
    #[must_use]
    pub const fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}
