//! The web app: it reaches the network through its client only, and its tests neither wait for luck nor skip.
//!
//! Types, unused code and strings outside of the catalogues are checked by the web app's own `npm run check`.

use super::Violation;
use super::rust::contains_word;
use crate::tree::Tree;

/// What may reach the network: the client, and the root that hands the stream its socket.
const CLIENT: &[&str] = &["web/src/api/", "web/src/app/services.ts"];
const NETWORK: &[&str] = &["fetch(", "new WebSocket(", "new EventSource(", "XMLHttpRequest", "navigator.sendBeacon"];
const LUCK: &[&str] = &[
    "waitForTimeout(",
    "test.skip(",
    "it.skip(",
    "describe.skip(",
    "test.only(",
    "it.only(",
    "describe.only(",
    "test.fixme(",
];

/// No request outside of the client.
pub fn network_access(tree: &Tree) -> Vec<Violation> {
    let is_source = |path: &str| {
        let is_client = CLIENT.iter().any(|place| path.starts_with(place));
        path.starts_with("web/src/") && !is_client && !path.contains(".test.")
    };
    find(tree, is_source, NETWORK, "the web app reaches the network through web/src/api only")
}

/// No test that waits for a time, is skipped, or hides the others.
pub fn tests(tree: &Tree) -> Vec<Violation> {
    let is_test = |path: &str| {
        path.starts_with("web/") && (path.contains(".test.") || path.contains(".spec.") || path.contains("/e2e/"))
    };
    find(tree, is_test, LUCK, "wait on what a person would see, and run every test")
}

fn find(tree: &Tree, applies: impl Fn(&str) -> bool, words: &[&str], message: &str) -> Vec<Violation> {
    let files = tree.with_ending(&["ts", "tsx"]).filter(|(path, _)| applies(path));
    let mut found = Vec::new();
    for (path, text) in files {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !is_comment(line)) {
            // `#fetch(` is a private method.
            let line = line.replace('#', "_");
            if let Some(word) = words.iter().find(|word| contains_word(&line, word)) {
                found.push(Violation::new(path, index + 1, format!("`{word}`: {message}")));
            }
        }
    }
    found
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with('*') || line.starts_with("/*")
}

#[cfg(test)]
mod tests_of_web {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_request_outside_of_the_client_is_found() {
        let text = "// fetch( in a comment\nprefetch(x); this.#fetch(x);\nawait fetch(\"/api\");\n";
        assert_finds(
            network_access,
            &[("web/src/pages/a.tsx", text), ("web/src/api/client.ts", text)],
            &[("web/src/pages/a.tsx", 3)],
        );
    }

    #[test]
    fn a_test_that_waits_or_skips_is_found() {
        assert_finds(
            tests,
            &[("web/e2e/a.spec.ts", "await page.waitForTimeout(5);\ntest.skip('x');\n")],
            &[("web/e2e/a.spec.ts", 1), ("web/e2e/a.spec.ts", 2)],
        );
    }
}
