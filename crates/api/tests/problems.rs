//! The table of problem codes in the book is that of the list.
//!
//! `UPDATE=1 cargo nextest run -p netwatch-api --test problems` writes it.

use std::path::Path;

use netwatch_api::ProblemCode;

const BEGIN: &str = "<!-- generated: problem codes -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_book_lists_every_code() {
    let path = Path::new("../../docs/api.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("docs/api.md has the section of problem codes");
    let (_, after) = rest.split_once(END).expect("the section ends");
    let row = |c: &ProblemCode| format!("| `{}` | {} | {} |\n", c.word(), c.status(), c.meaning());
    let table: String = ProblemCode::ALL.iter().map(row).collect();
    let fresh =
        format!("{before}{BEGIN}\n| code | status | when, and what to do |\n|---|---|---|\n{table}\n{END}{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == fresh, "docs/api.md is not up to date: run this test with UPDATE=1");
}
