//! Words that must not be in the repository: unfinished work, and paths of somebody's machine.

use super::Violation;
use crate::tree::Tree;

const TEXT: &[&str] =
    &["rs", "toml", "md", "ts", "tsx", "css", "html", "json", "sh", "yml", "yaml", "service", "mjs", "cjs", "js"];

// Put together here, so that this file does not break its own rule.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!(")];
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tmp/", "bash_jobs"),
];

/// No work is left for later in a comment.
pub fn unfinished(tree: &Tree) -> Vec<Violation> {
    find(tree, UNFINISHED, "unfinished work: do it, or file an issue and leave no trace here")
}

/// The repository speaks of the project alone.
pub fn machine_paths(tree: &Tree) -> Vec<Violation> {
    find(tree, MACHINE_PATHS, "a path of one machine: use a relative path, `$HOME` or `~`")
}

fn find(tree: &Tree, words: &[&str], message: &str) -> Vec<Violation> {
    let hits = |line: &str| words.iter().find(|word| stands_in(line, word)).copied();
    tree.with_ending(TEXT)
        .chain(tree.files().filter(|(path, _)| matches!(*path, "Makefile" | ".ci/run")))
        .filter(|(path, _)| !path.ends_with("package-lock.json"))
        .flat_map(|(path, text)| {
            let violation = move |(index, line)| {
                hits(line).map(|word| Violation::new(path, index + 1, format!("`{word}`: {message}")))
            };
            text.lines().enumerate().filter_map(violation).collect::<Vec<_>>()
        })
        .collect()
}

/// A path stands for itself: `web/src/home/x` or `../work/x` is none of the machine.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !(word.starts_with('/')
            && before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '~' | '*')))
    })
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn unfinished_work_is_found() {
        let bad = concat!("//! a\n// FIX", "ME later\n");
        assert_finds(unfinished, &[("a.rs", bad), ("b.md", "to do lists are fine")], &[("a.rs", 2)]);
    }

    #[test]
    fn machine_paths_are_found() {
        let bad = concat!("see /ho", "me/ann/x\nsrc/home/x.ts is fine\n");
        assert_finds(machine_paths, &[("a.md", bad)], &[("a.md", 1)]);
    }
}
