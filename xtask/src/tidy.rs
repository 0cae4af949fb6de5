//! `cargo xtask tidy`: the invariants of ARCHITECTURE.md, checked on the text of the checkout.
//!
//! Each module below holds the checks of one kind; a check is a function from a [`Tree`] to [`Violation`]s. What a compiler, a
//! linter or a type can say is left to them: here stands what they cannot see. Limits: the Rust checks read tokens, not types,
//! so that a banned function behind an alias passes them (`clippy.toml` bans the same functions by type).

mod clock;
mod dependencies;
mod docs;
mod places;
mod ratchet;
mod rust;
mod sizes;
mod tests_wait;
mod web;
mod words;

use std::fmt;
use std::path::Path;

use crate::tree::Tree;

/// One place that breaks one rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file, from the root.
    pub path: String,
    /// Its line, from 1; 0 for the whole file.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Violation {
    /// A violation in a line, counted from 1.
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, message } = self;
        match line {
            0 => write!(f, "{path}: {message}"),
            _ => write!(f, "{path}:{line}: {message}"),
        }
    }
}

type Check = fn(&Tree) -> Vec<Violation>;

const CHECKS: &[Check] = &[
    dependencies::direction,
    dependencies::no_runtime_in_leaves,
    dependencies::no_protocols_below_api,
    dependencies::banned_everywhere,
    clock::read_in_one_module,
    places::bounded_channels,
    places::unsafe_code,
    places::module_docs,
    places::no_ignored_tests,
    sizes::within_limits,
    tests_wait::no_bare_sleep,
    words::unfinished,
    words::machine_paths,
    docs::links,
    docs::chapters,
    web::network_access,
    web::tests,
];

/// Runs every check; the error lists all violations.
pub fn run(root: &Path) -> Result<String, String> {
    let tree = Tree::read(root).map_err(|error| crate::tidy::with_cause(&error))?;
    if tree.files().next().is_none() {
        return Err(format!("tidy: there is nothing to check in {}", root.display()));
    }
    let mut violations: Vec<Violation> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    if violations.is_empty() {
        return Ok(format!("tidy: {} checks hold in {} files", CHECKS.len(), tree.files().count()));
    }
    violations.sort();
    violations.dedup();
    let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
    Err(format!("{}\ntidy: {} violations", lines.join("\n"), lines.len()))
}

/// An error and all its causes in one line.
pub fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Asserts that `check` finds exactly `lines` (path and line) in `files`.
#[cfg(test)]
fn assert_finds(check: Check, files: &[(&str, &str)], expected: &[(&str, usize)]) {
    let mut found = check(&Tree::of(files));
    found.sort();
    let places: Vec<(&str, usize)> = found.iter().map(|v| (v.path.as_str(), v.line)).collect();
    assert_eq!(places, expected, "{found:#?}");
}
