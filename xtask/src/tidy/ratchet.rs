//! The few files and functions that are larger than the limits, each with a reason: `xtask/ratchet.toml`.
//!
//! An entry may only shrink: when the file or function has become smaller, its entry must be lowered, or removed once it fits.

use toml::{Table, Value};

use super::Violation;
use crate::tree::Tree;

/// Where the entries stand.
pub const PATH: &str = "xtask/ratchet.toml";

/// One exception.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub path: String,
    /// The function, or none for the whole file.
    pub function: Option<String>,
    /// How many lines it may have.
    pub lines: usize,
}

/// The entries, and what is wrong with them.
pub fn read(tree: &Tree) -> (Vec<Entry>, Vec<Violation>) {
    let Some(text) = tree.get(PATH) else { return (vec![], vec![]) };
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return (vec![], vec![Violation::new(PATH, 0, error.to_string())]),
    };
    let (mut entries, mut violations) = (vec![], vec![]);
    for (kind, values) in &table {
        for value in values.as_array().into_iter().flatten() {
            match entry(kind, value) {
                Some(entry) => entries.push(entry),
                None => violations.push(Violation::new(
                    PATH,
                    0,
                    format!("an entry of `{kind}` needs path, lines and a reason (and a name for a function)"),
                )),
            }
        }
    }
    (entries, violations)
}

fn entry(kind: &str, value: &Value) -> Option<Entry> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    text("reason")?;
    let lines = usize::try_from(value.get("lines")?.as_integer()?).ok()?;
    let function = match kind {
        "file" => None,
        "function" => Some(text("name")?),
        _ => return None,
    };
    Some(Entry { path: text("path")?, function, lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let text = "[[file]]\npath = \"a.rs\"\nlines = 600\nreason = \"a table\"\n[[function]]\npath = \"a.rs\"\nname = \"f\"\nlines = 80\n";
        let (entries, violations) = read(&Tree::of(&[(PATH, text)]));
        assert_eq!(entries, [Entry { path: "a.rs".to_owned(), function: None, lines: 600 }]);
        assert_eq!(violations.len(), 1);
    }
}
