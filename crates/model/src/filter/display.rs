//! The canonical spelling of a filter.

use std::fmt::{self, Write as _};

use super::ast::{Comparison, Condition, Expr, Test};
use super::value;
use crate::untrusted::is_deceptive;

/// A text as a quoted value of the filter language; what could deceive the eye is written as `\u{hex}`.
///
/// For programs that build filters: `format!("process = {}", quote(name))` selects exactly that name, whatever it holds.
#[must_use]
pub fn quote(text: &str) -> String {
    Quoted(text).to_string()
}

/// An operand of the outermost `and`.
pub(super) struct Operand<'a>(pub &'a Expr);

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if is_deceptive(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::And(_) | Expr::Or(_) => write!(f, "({})", self.0),
            other => fmt::Display::fmt(other, f),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, word) = match self {
            Self::And(list) => (list, " and "),
            Self::Or(list) => (list, " or "),
            Self::Not(inner) => return write!(f, "not {}", Operand(inner)),
            Self::Test(test) => return fmt::Display::fmt(test, f),
        };
        separated(f, list, word, |f, e| match e {
            Self::And(_) if matches!(self, Self::Or(_)) => fmt::Display::fmt(e, f),
            e => Operand(e).fmt(f),
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptor = self.field.descriptor();
        let kind = descriptor.kind;
        f.write_str(descriptor.name)?;
        let equal = if self.negated { " != " } else { " = " };
        let within = if self.negated { " not in (" } else { " in (" };
        match &self.condition {
            Condition::Present => write!(f, "{equal}any"),
            Condition::Number(Comparison::Equal, n) => {
                f.write_str(equal)?;
                value::write(f, kind, *n)
            }
            Condition::Number(comparison, n) => {
                write!(f, " {} ", comparison.as_str())?;
                value::write(f, kind, *n)
            }
            Condition::Ranges(list) => listed(f, within, list, |f, (low, high)| {
                value::write(f, kind, *low)?;
                if low == high {
                    return Ok(());
                }
                f.write_char('-')?;
                value::write(f, kind, *high)
            }),
            Condition::Networks(list) => match list.as_slice() {
                [one] if one.is_host() => write!(f, "{equal}{one}"),
                [one] => write!(f, "{}{one}", within.trim_end_matches('(')),
                many => listed(f, within, many, |f, n| fmt::Display::fmt(n, f)),
            },
            Condition::Texts(list) => match list.as_slice() {
                [one] => write!(f, "{equal}{}", Quoted(one)),
                many => listed(f, within, many, |f, t| Quoted(t).fmt(f)),
            },
            Condition::Like(glob) => write!(f, " {} {}", if self.negated { "!~" } else { "~" }, Quoted(glob.as_str())),
        }
    }
}

fn listed<T>(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    list: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_str(open)?;
    separated(f, list, ", ", write)?;
    f.write_char(')')
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    list: &[T],
    between: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in list.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        write(f, item)?;
    }
    Ok(())
}
