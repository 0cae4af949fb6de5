//! The filter language: one grammar for REST, command line, terminal and web.
//!
//! ```text
//! filter     = [ or ]                                   an empty text selects everything
//! or         = and { ("or" | "||") and }
//! and        = not { ("and" | "&&") not }
//! not        = { "not" | "!" } primary
//! primary    = "(" or ")" | test | "active" | "ended" | "tunnel" | "tcp" | "udp" | "icmp" | …
//! test       = field [ operator ] value                 no operator: equality, as in `port 443`
//! operator   = "=" "==" "!=" "<" "<=" ">" ">=" "~" "!~" "in" "not in"
//! value      = word | string | "(" value { "," value } ")"
//! ```
//!
//! Words are read in any case. Which fields there are, what their values look like and which operators they take is one list,
//! [`fields`], from which parser, API and documentation derive.
//!
//! Meaning:
//! - A field that stands for several values (`host`, `port`, `vlan`) fits when *any* of them fits; `!=`, `!~` and `not in` are the
//!   exact opposites of `=`, `~` and `in`, so `port != 443` selects flows where *neither* port is 443.
//! - A value that is absent (no name, no process, no round-trip time) fits no comparison; hence `!=`, `!~` and `not in` hold.
//! - `=` on names and applications ignores ASCII case; on process, user, container and interface it does not. `~` always does.
//! - Sizes are octets (`B kB MB GB TB KiB MiB GiB TiB`), durations end in `ns us ms s m h d`, rates are bits per second
//!   (`bit kbit Mbit Gbit`), counts take `k M G`.
//!
//! Limits: a text of [`Filter::MAX_BYTES`], nesting of [`Filter::MAX_DEPTH`], [`Filter::MAX_VALUES`] values in all, patterns of
//! [`Untrusted::MAX_BYTES`](crate::Untrusted::MAX_BYTES). Parsing is linear in the text, never panics, and says where a fault is.
//! Evaluation allocates nothing.

mod ast;
mod display;
mod error;
mod eval;
mod field;
mod glob;
mod lexer;
mod network;
mod parser;
mod subject;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use ast::{Comparison, Condition, Expr, Test};
pub use display::quote;
pub use error::FilterError;
pub use field::{Descriptor, Field, Kind, fields, nearest};
pub use glob::Glob;
pub use network::Network;
pub use subject::Subject;
pub use value::{Quantity, parse as parse_value};

/// A filter, ready to be asked.
///
/// [`fmt::Display`] gives the canonical spelling, which parses back to an equal filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    expr: Expr,
}

impl Filter {
    /// Longest text in bytes.
    pub const MAX_BYTES: usize = 4096;
    /// Deepest nesting of parentheses and `not`.
    pub const MAX_DEPTH: usize = 64;
    /// Most values, those in lists included.
    pub const MAX_VALUES: usize = 256;

    /// The filter that selects everything.
    #[must_use]
    pub const fn all() -> Self {
        Self { expr: Expr::And(Vec::new()) }
    }

    /// Reads a filter.
    ///
    /// # Errors
    /// Tells what is wrong, where, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(|expr| Self { expr })
    }

    /// Whether `subject` is selected.
    #[must_use]
    pub fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        eval::expr(&self.expr, subject)
    }

    /// The syntax tree, for those who pull out conjuncts that an index can answer.
    #[must_use]
    pub const fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The operands of the outermost `and`; one element when there is no `and`, none when everything is selected.
    #[must_use]
    pub fn conjuncts(&self) -> &[Expr] {
        match &self.expr {
            Expr::And(list) => list,
            other => std::slice::from_ref(other),
        }
    }

    /// The operands of the outermost `and` as texts, each a filter of its own: joined by ` and ` they are this filter again.
    #[must_use]
    pub fn terms(&self) -> Vec<String> {
        self.conjuncts().iter().map(|e| display::Operand(e).to_string()).collect()
    }

    /// Whether everything is selected.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(&self.expr, Expr::And(list) if list.is_empty())
    }

    /// Whether the filter names the tunnel: only then do sums count inner flows.
    #[must_use]
    pub fn uses_tunnel(&self) -> bool {
        self.expr.any_test(&|t| matches!(t.field, Field::Tunnel | Field::TunnelId))
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::all()
    }
}

impl From<Expr> for Filter {
    fn from(expr: Expr) -> Self {
        Self { expr }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.expr, f)
    }
}

impl FromStr for Filter {
    type Err = FilterError;
    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}
