//! The web app's files, the headers of every answer, and the limits of a connection.

use std::time::Duration;

use netwatch_server::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::data;
use crate::support::{PATIENCE, TOKEN, TestServer};

#[tokio::test]
async fn every_path_of_the_app_is_its_page() {
    let server = TestServer::start().await;
    let mut pages = Vec::new();
    for path in ["/", "/start", "/traffic/flows/0123", "/hosts/10.0.0.1?range=-5m"] {
        let page = server.ask("GET", path, &[], "").await;
        assert_eq!((page.status, page.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(page.headers["cache-control"], "no-cache");
        pages.push(page.body);
    }
    assert!(pages.iter().all(|p| *p == pages[0] && p.contains("Netwatch")));
    assert_eq!(server.ask("GET", "/assets/none-12345678.js", &[], "").await.status, 404);
    server.ask("POST", "/start", &[], "").await.assert_problem("method_not_allowed");
    assert_eq!(server.ask("HEAD", "/", &[], "").await.body, "");
    assert_eq!(
        server.ask("GET", "/..%2f..%2fetc/passwd", &[], "").await.body,
        pages[0],
        "no file but those that are built in"
    );
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may_do() {
    let server = TestServer::start().await;
    let bearer = format!("Bearer {TOKEN}");
    for (path, headers) in [
        ("/", [("accept", "*/*")]),
        ("/livez", [("accept", "*/*")]),
        ("/api/v1/flows", [("authorization", bearer.as_str())]),
        ("/api/v1/flows", [("accept", "*/*")]),
        ("/", [("host", "evil.example")]),
        ("/assets/none", [("accept", "*/*")]),
    ] {
        let answer = server.ask("GET", path, &headers, "").await;
        let policy = &answer.headers["content-security-policy"];
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(
            !policy.contains("script-src 'self' 'unsafe") && !policy.contains("unsafe-eval") && !policy.contains('*')
        );
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["cross-origin-opener-policy"], "same-origin");
        assert!(answer.headers["permissions-policy"].contains("camera=()"));
        if path.starts_with("/api") {
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
        assert!(!answer.headers.keys().any(|name| name.starts_with("access-control-")), "no other origin may read");
    }
}

#[tokio::test]
async fn large_answers_are_compressed_and_small_ones_are_not() {
    let server = TestServer::start().await;
    let headers = [("accept-encoding", "gzip"), ("authorization", &*format!("Bearer {TOKEN}"))];
    let large = server.ask("GET", "/api/v1/flows?limit=1000", &headers, "").await;
    assert_eq!(large.headers["content-encoding"], "gzip");
    assert!(large.headers["vary"].contains("accept-encoding"));
    let small = server.ask("GET", "/api/v1/flows?limit=1", &headers, "").await;
    assert!(!small.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn a_head_has_limits_in_size_and_time() {
    let server = TestServer::start().await;
    let long = format!("/api/v1/flows?filter={}", "x".repeat(20_000));
    let answer = server.ask("GET", &long, &[], "").await;
    assert!([414, 431].contains(&answer.status), "{answer:?}");
    let smuggled = "POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n";
    assert_ne!(server.raw(smuggled).await.status, 200);
    let folded = "GET /livez HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\nconnection: close\r\n\r\n";
    assert_eq!(server.raw(folded).await.status, 400, "RFC 9112, section 5.2: no folded lines");

    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost: loc").await.unwrap();
    let mut all = Vec::new();
    let closed = timeout(Duration::from_secs(15), slow.read_to_end(&mut all)).await;
    closed.expect("a head that does not end is not waited for").unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed() {
    let config = Config { max_connections: 2, ..Config::default() };
    let server = TestServer::start_with(config, data::store()).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        held.push(stream);
    }
    let mut refused = TcpStream::connect(server.address).await.unwrap();
    let mut all = Vec::new();
    let _reset = refused.read_to_end(&mut all).await;
    assert!(all.is_empty());
    drop(held);
    // The server notices the closed connections on its own time.
    let answered = timeout(PATIENCE, async {
        loop {
            if let Some(metrics) = metrics(&server).await {
                break metrics;
            }
        }
    });
    let metrics = answered.await.expect("a place becomes free");
    assert!(metrics.contains("netwatch_http_connections_refused_total"), "{metrics}");
}

/// The metrics, none when the connection was closed at once.
async fn metrics(server: &TestServer) -> Option<String> {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    stream.write_all(format!("{head}authorization: Bearer {TOKEN}\r\n\r\n").as_bytes()).await.ok()?;
    let mut all = String::new();
    stream.read_to_string(&mut all).await.ok()?;
    (!all.is_empty()).then_some(all)
}
