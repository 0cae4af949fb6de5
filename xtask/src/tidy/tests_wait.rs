//! Tests wait for a condition, never for luck: a sleep in a test says with `// waits:` what it waits for.

use super::Violation;
use super::rust;
use crate::tree::Tree;

const SLEEPS: &[&str] = &["thread::sleep", "time::sleep", "sleep("];

/// No sleep in a test without an explanation.
pub fn no_bare_sleep(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in rust::files(tree) {
        let is_test = file.test_lines();
        for (line, _) in file.find(SLEEPS) {
            let is_use = file.code[line - 1].trim_start().starts_with("use ");
            if is_test[line - 1] && !is_use && !file.is_explained(line, "waits:") {
                found.push(Violation::new(
                    file.path,
                    line,
                    "a test sleeps: wait on a condition, or explain with `// waits: …`",
                ));
            }
        }
    }
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_bare_sleep_is_found_in_tests_only() {
        let text = "fn a() { thread::sleep(d); }\n#[cfg(test)]\nmod tests {\n    fn b() {\n        tokio::time::sleep(d).await;\n        // waits: for the kernel's timer, which has no event\n        thread::sleep(d);\n    }\n}\n";
        assert_finds(no_bare_sleep, &[("crates/x/src/a.rs", text)], &[("crates/x/src/a.rs", 5)]);
        assert_finds(no_bare_sleep, &[("crates/x/tests/a.rs", "fn a() { sleep(d); }")], &[("crates/x/tests/a.rs", 1)]);
    }
}
