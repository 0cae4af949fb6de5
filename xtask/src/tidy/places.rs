//! Things that may stand in certain places only: unbounded channels nowhere, `unsafe` in a few files, module docs everywhere.

use super::Violation;
use super::rust::{self, RustFile};
use crate::tree::Tree;

const UNBOUNDED: &[&str] = &[
    "unbounded_channel",
    "UnboundedSender",
    "UnboundedReceiver",
    "mpsc::channel()",
    "mpsc::channel::<",
    "mpsc::unbounded",
    "channel::unbounded",
    "unbounded()",
];

/// Every queue has a capacity.
pub fn bounded_channels(tree: &Tree) -> Vec<Violation> {
    // tokio's `mpsc::channel::<T>(capacity)` is bounded, std's takes no argument.
    let is_bounded = |code: &str| code.contains("mpsc::channel::<") && !code.contains(">()");
    each_file(tree, |file| {
        file.find(UNBOUNDED)
            .filter(|(line, pattern)| *pattern != "mpsc::channel::<" || !is_bounded(&file.code[line - 1]))
            .map(|(line, pattern)| {
                Violation::new(file.path, line, format!("`{pattern}` has no limit: use a bounded queue"))
            })
            .collect()
    })
}

/// `unsafe` in the crate `privilege` and in files named `os.rs` and `ring.rs`, each with its argument.
pub fn unsafe_code(tree: &Tree) -> Vec<Violation> {
    each_file(tree, |file| {
        let is_place = file.path.starts_with("crates/privilege/") || matches!(file.name(), "os.rs" | "ring.rs");
        file.find(&["unsafe"])
            .filter_map(|(line, _)| {
                if !is_place {
                    return Some(Violation::new(
                        file.path,
                        line,
                        "`unsafe` belongs in `privilege`, `os.rs` or `ring.rs`",
                    ));
                }
                let is_fine = is_type(&file.code[line - 1]) || is_argued(file, line);
                (!is_fine).then(|| Violation::new(file.path, line, "say in a `// SAFETY:` comment why this is sound"))
            })
            .collect()
    })
}

/// Whether `unsafe` is part of the type of a function pointer, which does nothing.
fn is_type(code: &str) -> bool {
    let after = code.split_once("unsafe").map_or("", |(_, after)| after.trim_start());
    let after = after.strip_prefix("extern").map_or(after, |after| after.trim_start().trim_start_matches(['"', ' ']));
    after.starts_with("fn(")
}

/// Whether a SAFETY comment stands at the line or above the statement that it is part of.
fn is_argued(file: &RustFile<'_>, line: usize) -> bool {
    const STATEMENT_LINES: usize = 6;
    let is_declaration =
        contains_any(&file.code[line - 1], &["unsafe fn", "unsafe extern", "deny(", "forbid(", "expect("]);
    let wanted = if is_declaration { "Safety" } else { "SAFETY:" };
    let mut at = line;
    loop {
        if file.is_explained(at, wanted) || (is_declaration && file.is_explained(at, "SAFETY:")) {
            return true;
        }
        let above = at.checked_sub(2).and_then(|index| file.code.get(index)).map_or("", |code| code.trim());
        if at == 1 || line - at >= STATEMENT_LINES || above.is_empty() || above.ends_with([';', '{', '}']) {
            return false;
        }
        at -= 1;
    }
}

/// Every file begins with `//!`: why, what, limits. The unit tests of a module (`tests.rs`) stand under the docs of that module.
pub fn module_docs(tree: &Tree) -> Vec<Violation> {
    each_file(tree, |file| {
        let begins_with_docs =
            file.name() == "tests.rs" || file.lines.first().is_some_and(|line| line.starts_with("//!"));
        if begins_with_docs {
            vec![]
        } else {
            vec![Violation::new(file.path, 1, "begin the file with `//!` docs: why, what, limits")]
        }
    })
}

/// A test that does not run proves nothing.
pub fn no_ignored_tests(tree: &Tree) -> Vec<Violation> {
    each_file(tree, |file| {
        file.find(&["#[ignore", "ignore ="])
            .map(|(line, _)| Violation::new(file.path, line, "an ignored test: mend it or remove it"))
            .collect()
    })
}

fn contains_any(code: &str, words: &[&str]) -> bool {
    words.iter().any(|word| code.contains(word))
}

fn each_file(tree: &Tree, check: impl Fn(&RustFile<'_>) -> Vec<Violation>) -> Vec<Violation> {
    rust::files(tree).flat_map(|file| check(&file)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn unbounded_queues_are_found() {
        let text = "use tokio::sync::mpsc;\nlet a = mpsc::channel::<u8>(4);\nlet b = mpsc::channel(4);\nlet c = mpsc::channel::<u8>();\nlet d = mpsc::unbounded_channel();\n";
        let found = bounded_channels(&Tree::of(&[("a.rs", text)]));
        let lines: Vec<usize> = found.iter().map(|v| v.line).collect();
        assert_eq!(lines, [4, 5]);
    }

    #[test]
    fn unsafe_has_its_places_and_reasons() {
        let reasoned = "//! a\nfn f() {\n    // SAFETY: one\n    // and two.\n    let x =\n        unsafe { g() };\n    unsafe { g() };\n}\nstruct F(unsafe extern \"C\" fn(u8));\n";
        let files = [("crates/capture/src/os.rs", reasoned), ("crates/capture/src/a.rs", "unsafe { g() }")];
        assert_finds(unsafe_code, &files, &[("crates/capture/src/a.rs", 1), ("crates/capture/src/os.rs", 7)]);
    }

    #[test]
    fn a_file_without_docs_is_found() {
        assert_finds(
            module_docs,
            &[("a.rs", "//! A."), ("b.rs", "// B.\n"), ("c.rs", ""), ("a/tests.rs", "use x;")],
            &[("b.rs", 1), ("c.rs", 1)],
        );
    }

    #[test]
    fn an_ignored_test_is_found() {
        assert_finds(no_ignored_tests, &[("a.rs", "#[test]\n#[ignore]\nfn a() {}\n")], &[("a.rs", 2)]);
    }
}
