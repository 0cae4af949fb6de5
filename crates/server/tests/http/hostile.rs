//! Names that somebody chose to do harm are text in JSON and CSV, and nothing in headers.

use serde_json::Value;

use crate::data::HOSTILE;
use crate::support::{TOKEN, TestServer};

/// The cells of CSV, read as RFC 4180 says.
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.next_if_eq(&'"').is_some() => cell.push('"'),
            (_, '"') => quoted = !quoted,
            (false, ',') => row.push(std::mem::take(&mut cell)),
            (false, '\r') if chars.next_if_eq(&'\n').is_some() => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (_, c) => cell.push(c),
        }
    }
    assert!(row.is_empty() && cell.is_empty() && !quoted, "the last line ends");
    rows
}

#[tokio::test]
async fn json_has_the_visible_form() {
    let server = TestServer::start().await;
    let page = server.get("/api/v1/flows?limit=1000").await;
    assert!(!page.body.contains('\u{202e}') && !page.body.contains('\u{1b}') && !page.body.contains('\u{7}'));
    let rows = page.json();
    let names: Vec<_> = rows["items"].as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
    for name in HOSTILE {
        let visible = netwatch_model::Untrusted::new(name).to_string();
        assert!(names.contains(&visible.as_str()), "{visible}");
    }
    let process = rows["items"].as_array().unwrap().iter().find_map(|f| f["process"]["name"].as_str());
    assert_eq!(process, Some("-evil\\u{7}"));
}

#[tokio::test]
async fn csv_has_no_formulas_and_no_broken_rows() {
    let server = TestServer::start().await;
    for path in ["/api/v1/flows?limit=1000&format=csv", "/api/v1/traffic/top?by=name&limit=500&format=csv"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.headers["content-type"].starts_with("text/csv"));
        assert!(answer.headers["content-disposition"].starts_with("attachment"));
        let rows = cells(&answer.body);
        assert!(
            rows.len() > 10 && rows.iter().all(|row| row.len() == rows[0].len()),
            "{path}: every row has every cell"
        );
        for cell in rows.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
            assert!(!cell.chars().any(char::is_control), "{cell}");
        }
        let all: Vec<_> = rows.iter().flatten().map(String::as_str).collect();
        for cell in ["'=1+1", "'@SUM(A1)", "<b>x</b>", "$(reboot)"] {
            assert!(all.contains(&cell), "{path}: {cell}");
        }
    }
}

#[tokio::test]
async fn csv_pages_are_linked() {
    let server = TestServer::start().await;
    let accept = [("accept", "text/csv"), ("authorization", &format!("Bearer {TOKEN}"))];
    let (mut path, mut rows) = ("/api/v1/flows?limit=90".to_owned(), 0);
    let mut pages = 0;
    loop {
        let answer = server.ask("GET", &path, &accept, "").await;
        rows += cells(&answer.body).len() - 1;
        pages += 1;
        let Some(link) = answer.headers.get("link") else { break };
        path = link.strip_prefix('<').and_then(|l| l.strip_suffix(">; rel=\"next\"")).expect(link).to_owned();
    }
    assert_eq!((pages, rows), (3, 200));
}

#[tokio::test]
async fn hostile_parameters_are_told_and_harm_nothing() {
    let server = TestServer::start().await;
    for path in [
        "/api/v1/flows?%3Cscript%3E=1",
        "/api/v1/flows?%E2%80%AEx=1",
        "/api/v1/flows?filter=%1B%5B31m",
        "/api/v1/flows?from=%0D%0Aset-cookie:x=1",
        "/api/v1/flows?limit=1%00",
        "/api/v1/hosts/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert!(!answer.headers.contains_key("set-cookie"));
        let detail: Value = answer.json()["detail"].clone();
        let shown = detail.as_str().unwrap();
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    }
    let events = server.get("/api/v1/events").await;
    assert!(!events.body.contains('\u{1b}'), "{}", events.body);
}
