//! Documents that stay true: links inside the repository resolve, and the book lists all its chapters.

use std::collections::BTreeSet;

use super::Violation;
use crate::tree::Tree;

const SUMMARY: &str = "docs/SUMMARY.md";

/// A link of a document: its line and its target as written.
struct Link<'a> {
    line: usize,
    target: &'a str,
}

/// Every relative link leads to a file, and its anchor to a heading.
pub fn links(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in documents(tree) {
        for link in links_of(text) {
            if let Some(reason) = broken(tree, path, link.target) {
                found.push(Violation::new(
                    path,
                    link.line,
                    format!("the link to `{}` is broken: {reason}", link.target),
                ));
            }
        }
    }
    found
}

/// SUMMARY.md lists every document of the book, once.
pub fn chapters(tree: &Tree) -> Vec<Violation> {
    let Some(summary) = tree.get(SUMMARY) else {
        return if tree.has("docs") { vec![Violation::new(SUMMARY, 0, "the book has no summary")] } else { vec![] };
    };
    let listed: Vec<String> = links_of(summary).iter().map(|link| resolve(SUMMARY, link.target)).collect();
    let mut found: Vec<Violation> = documents(tree)
        .filter(|(path, _)| {
            path.starts_with("docs/") && *path != SUMMARY && !listed.iter().any(|chapter| chapter == path)
        })
        .map(|(path, _)| Violation::new(path, 0, format!("the chapter is not listed in {SUMMARY}")))
        .collect();
    let mut seen = BTreeSet::new();
    let repeated = listed.iter().filter(|chapter| !seen.insert(chapter.as_str()));
    found.extend(repeated.map(|chapter| Violation::new(SUMMARY, 0, format!("`{chapter}` is listed twice"))));
    found
}

fn documents(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.with_ending(&["md"])
}

/// Links `[text](target)` outside of code.
fn links_of(text: &str) -> Vec<Link<'_>> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let is_in_code = line[..at].matches('`').count() % 2 == 1;
            if let Some(end) = line[at + 2..].find(')').filter(|_| !is_in_code) {
                found.push(Link { line: index + 1, target: &line[at + 2..at + 2 + end] });
            }
        }
    }
    found
}

/// Why a link leads nowhere; links to other places of the web are not followed.
fn broken(tree: &Tree, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { from.to_owned() } else { resolve(from, file) };
    // Pictures are no text files, so that the tree does not know them.
    let is_picture = [".png", ".svg", ".jpg", ".webp"].iter().any(|ending| path.ends_with(ending));
    if !is_picture && !tree.has(&path) {
        return Some(format!("there is no {path}"));
    }
    let text = tree.get(&path)?;
    let has_anchor =
        anchor.is_empty() || !path.ends_with(".md") || headings(text).any(|heading| slug(heading) == anchor);
    (!has_anchor).then(|| format!("{path} has no heading `#{anchor}`"))
}

/// The path of `target` as written in the document `from`.
fn resolve(from: &str, target: &str) -> String {
    let file = target.split('#').next().unwrap_or(target);
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn headings(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim())
}

/// The anchor that mdBook and code hosts give a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn broken_links_are_found() {
        let text = "[a](b.md#the-words) [b](b.md#no)\n[c](../gone.md) `[d](gone.md)`\n```\n[e](gone.md)\n```\n[f](https://a.b/c) [g](#here)\n# Here\n";
        let files = [("docs/a.md", text), ("docs/b.md", "## The `words`\n")];
        assert_finds(links, &files, &[("docs/a.md", 1), ("docs/a.md", 2)]);
    }

    #[test]
    fn a_chapter_that_is_not_listed_is_found() {
        let files = [(SUMMARY, "- [A](a.md)\n- [A](a.md)\n"), ("docs/a.md", ""), ("docs/adr/0001.md", "")];
        assert_finds(chapters, &files, &[(SUMMARY, 0), ("docs/adr/0001.md", 0)]);
    }
}
