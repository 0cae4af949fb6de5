//! Every route of the document, and those that are not in it, before everybody who should not come in.

use serde_json::Value;

use crate::support::{TOKEN, TestServer};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Method, path with its parameters filled in, and whether it is public.
fn routes() -> Vec<(String, String, bool)> {
    let document: Value = serde_json::from_str(&netwatch_server::openapi().unwrap()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let filled = fill(path);
        for method in METHODS {
            let operation = &item[method];
            if operation.is_object() {
                let public =
                    operation["security"].as_array().unwrap().iter().any(|s| s.as_object().unwrap().is_empty());
                all.push((method.to_uppercase(), filled.clone(), public));
            }
        }
    }
    assert!(all.len() >= 19, "{all:?}");
    all
}

/// An example for each parameter: ids of things that do not exist.
fn fill(path: &str) -> String {
    let example = |name: &str| match name {
        "id" => "0000000000000000".to_owned(),
        "address" => "10.0.0.1".to_owned(),
        "provider" => "nobody".to_owned(),
        _ => "0".repeat(32),
    };
    let parts = path.split('{').map(|part| part.split_once('}').map_or(part.to_owned(), |(n, rest)| example(n) + rest));
    parts.collect()
}

#[tokio::test]
async fn no_route_answers_without_credentials() {
    let server = TestServer::start().await;
    let wrong: [&[(&str, &str)]; 5] = [
        &[],
        &[("authorization", "Bearer wrong-token")],
        &[("authorization", "Basic dGVzdDp0ZXN0")],
        &[("cookie", "netwatch_session=0000000000000000000000000000000000000000000000000000000000000000")],
        // A wrong token is wrong, whatever cookie comes with it.
        &[("authorization", ""), ("cookie", "netwatch_session=")],
    ];
    let mut public = Vec::new();
    for (method, path, is_public) in routes() {
        for headers in wrong {
            let answer = server.ask(&method, &path, headers, "").await;
            if is_public {
                assert_ne!(answer.status, 401, "{method} {path}");
            } else {
                assert_eq!(answer.status, 401, "{method} {path} with {headers:?}: {}", answer.body);
                answer.assert_problem("unauthenticated");
                assert!(answer.headers["www-authenticate"].starts_with("Bearer"));
            }
        }
        if is_public {
            public.push(format!("{method} {path}"));
        }
    }
    public.sort();
    let meant = [
        "GET /api/v1/sign-in",
        "GET /auth/oidc/nobody/callback",
        "GET /auth/oidc/nobody/start",
        "GET /livez",
        "GET /readyz",
        "POST /api/v1/email-verification",
        "POST /api/v1/invitation",
        "POST /api/v1/invitation/accept",
        "POST /api/v1/password-reset",
        "POST /api/v1/registration",
        "POST /api/v1/session",
        "POST /api/v1/setup",
        "POST /api/v1/sign-in",
        "POST /api/v1/sign-in/passkey",
        "POST /api/v1/sign-in/passkey/finish",
        "POST /api/v1/sign-in/second-factor",
    ];
    assert_eq!(public, meant, "a new public route must be meant");
}

#[tokio::test]
async fn no_route_answers_another_origin_or_host() {
    let server = TestServer::start().await;
    let bearer = format!("Bearer {TOKEN}");
    let port = server.address.port();
    let other_port = format!("http://127.0.0.1:{}", port.wrapping_add(1));
    let foreign_host = format!("rebound.example:{port}");
    for (method, path, _) in routes() {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", other_port.as_str()),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("host", "evil.example"),
            ("host", foreign_host.as_str()),
        ] {
            // The way back from an identity provider begins at its site.
            if path.starts_with("/auth/") && name == "sec-fetch-site" {
                continue;
            }
            let answer = server.ask(&method, &path, &[("authorization", &bearer), (name, value)], "").await;
            assert_eq!(answer.status, 403, "{method} {path} with {name}: {value}");
            answer.assert_problem("forbidden");
        }
    }
}

#[tokio::test]
async fn every_route_answers_the_token() {
    let server = TestServer::start().await;
    let own = format!("http://{}", server.address);
    // A program has no account of its own.
    for (method, path, _) in routes().into_iter().filter(|(_, path, _)| !path.starts_with("/api/v1/account")) {
        let headers =
            [("authorization", &*format!("Bearer {TOKEN}")), ("origin", &own), ("sec-fetch-site", "same-origin")];
        let answer = server.ask(&method, &path, &headers, "").await;
        assert!(![401, 403, 405, 500].contains(&answer.status), "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn strangers_cannot_map_the_routes() {
    let server = TestServer::start().await;
    for path in ["/api", "/api/v1", "/api/v1/nothing", "/api/v2/flows", "/metrics/x", "//api/v1/flows"] {
        assert_eq!(server.ask("GET", path, &[], "").await.status, 401, "{path}");
        server.get(path).await.assert_problem("not_found");
    }
    assert_eq!(server.ask("PUT", "/api/v1/flows", &[], "").await.status, 401);
    let bearer = format!("Bearer {TOKEN}");
    let answer = server.ask("PUT", "/api/v1/flows", &[("authorization", &bearer)], "").await;
    answer.assert_problem("method_not_allowed");
    assert_eq!(answer.headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn a_session_may_not_invite() {
    let server = TestServer::start().await;
    let cookie = server.sign_in().await;
    server.ask("POST", "/api/v1/session/code", &[("cookie", &cookie)], "").await.assert_problem("forbidden");
    let answer = server.ask("POST", "/api/v1/session/code", &[("authorization", &format!("Bearer {TOKEN}"))], "").await;
    assert_eq!(answer.status, 201);
    let body = format!("{{\"code\":{}}}", answer.json()["code"]);
    let signed = server.ask("POST", "/api/v1/session", &[("content-type", "application/json")], &body).await;
    assert_eq!(signed.status, 200, "{}", signed.body);
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = TestServer::start().await;
    let address = server.address;
    for head in [
        "GET /livez HTTP/1.1\r\n".to_owned(),
        format!("GET /livez HTTP/1.1\r\nhost: {address}\r\nhost: evil.example\r\n"),
        format!("GET http://evil.example/livez HTTP/1.1\r\nhost: {address}\r\n"),
        format!("GET /livez HTTP/1.1\r\nhost: me@{address}\r\n"),
    ] {
        let answer = server.raw(&format!("{head}connection: close\r\n\r\n")).await;
        assert_eq!(answer.status, 400, "{head}: {answer:?}");
    }
    for host in ["localhost", "localhost:1", "[::1]:8470", "127.0.0.1"] {
        assert_eq!(server.ask("GET", "/livez", &[("host", host)], "").await.status, 200, "{host}");
    }
}
