//! Files of at most 500 lines and functions of at most 70, with the exceptions of the ratchet file.

use super::Violation;
use super::ratchet::{self, Entry};
use super::rust::RustFile;
use crate::tree::Tree;

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 70;
const SOURCES: &[&str] = &["rs", "ts", "tsx", "css"];

/// Something with a size.
struct Sized {
    path: String,
    line: usize,
    function: Option<String>,
    lines: usize,
}

/// No file and no function beyond its limit, and no exception larger than it must be.
pub fn within_limits(tree: &Tree) -> Vec<Violation> {
    let (entries, mut found) = ratchet::read(tree);
    let things: Vec<Sized> = tree.with_ending(SOURCES).flat_map(|(path, text)| sized(path, text)).collect();
    for thing in &things {
        let allowed = entries.iter().filter(|entry| thing.is(entry)).map(|entry| entry.lines).max();
        if thing.lines > allowed.unwrap_or(thing.limit()) {
            let message = format!(
                "{} has {} lines, more than {}: split it",
                thing.title(),
                thing.lines,
                allowed.unwrap_or(thing.limit())
            );
            found.push(Violation::new(&thing.path, thing.line, message));
        }
    }
    found.extend(entries.iter().filter_map(|entry| loose(entry, &things)));
    found
}

/// What is wrong with an entry that allows more than its thing needs.
fn loose(entry: &Entry, things: &[Sized]) -> Option<Violation> {
    let name = entry.function.as_ref().map_or(entry.path.clone(), |name| format!("{}: {name}", entry.path));
    let largest = things.iter().filter(|thing| thing.is(entry)).max_by_key(|thing| thing.lines);
    let message = match largest {
        None => format!("{name}: no such thing any more; remove the entry"),
        Some(thing) if thing.lines <= thing.limit() => format!("{name} is within the limit now; remove the entry"),
        Some(thing) if thing.lines < entry.lines => format!("{name} has shrunk; lower the entry to {}", thing.lines),
        Some(_) => return None,
    };
    Some(Violation::new(ratchet::PATH, 0, message))
}

impl Sized {
    fn is(&self, entry: &Entry) -> bool {
        self.path == entry.path && self.function == entry.function
    }

    const fn limit(&self) -> usize {
        if self.function.is_some() { MAX_FUNCTION_LINES } else { MAX_FILE_LINES }
    }

    fn title(&self) -> String {
        self.function.as_ref().map_or_else(|| "the file".to_owned(), |name| format!("`{name}`"))
    }
}

/// The file and, in Rust, its functions. Generated files say so in their first lines and have no limit.
fn sized(path: &str, text: &str) -> Vec<Sized> {
    if text.lines().take(5).any(|line| line.contains("generated")) {
        return vec![];
    }
    let mut things = vec![Sized { path: path.to_owned(), line: 0, function: None, lines: text.lines().count() }];
    if path.ends_with(".rs") {
        things.extend(RustFile::new(path, text).functions().into_iter().map(|function| Sized {
            path: path.to_owned(),
            line: function.lines.start + 1,
            lines: function.lines.len(),
            function: Some(function.name),
        }));
    }
    things
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    fn function(lines: usize) -> String {
        format!("//! a\nfn long() {{\n{}}}\n", "    x();\n".repeat(lines - 2))
    }

    #[test]
    fn long_functions_and_files_are_found() {
        assert_finds(within_limits, &[("a.rs", &function(70))], &[]);
        assert_finds(within_limits, &[("a.rs", &function(71))], &[("a.rs", 2)]);
        assert_finds(within_limits, &[("a.ts", &"x;\n".repeat(501))], &[("a.ts", 0)]);
    }

    #[test]
    fn the_ratchet_only_shrinks() {
        let entry =
            |lines| format!("[[function]]\npath = \"a.rs\"\nname = \"long\"\nlines = {lines}\nreason = \"a table\"\n");
        assert_finds(within_limits, &[("a.rs", &function(80)), (ratchet::PATH, &entry(80))], &[]);
        assert_finds(within_limits, &[("a.rs", &function(81)), (ratchet::PATH, &entry(80))], &[("a.rs", 2)]);
        assert_finds(within_limits, &[("a.rs", &function(79)), (ratchet::PATH, &entry(80))], &[(ratchet::PATH, 0)]);
        assert_finds(within_limits, &[("a.rs", &function(60)), (ratchet::PATH, &entry(80))], &[(ratchet::PATH, 0)]);
        assert_finds(within_limits, &[(ratchet::PATH, &entry(80))], &[(ratchet::PATH, 0)]);
    }
}
