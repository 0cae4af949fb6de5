//! The API is a golden file: whoever changes a route or a type sees the difference in the checked-in document.
//!
//! `UPDATE=1 cargo nextest run -p netwatch-server --test openapi` writes it.

use std::path::Path;

#[test]
fn the_checked_in_document_is_that_of_the_routes() {
    let path = Path::new("../api/openapi.json");
    let document = netwatch_server::openapi().expect("the document is JSON");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &document).expect("the document can be written");
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        golden == document,
        "crates/api/openapi.json is not up to date: run this test with UPDATE=1 and look at the difference"
    );
}
