//! What holds for every route: strict bodies, keys that make a change happen once, limits of size and rate.

use std::num::NonZeroU32;

use netwatch_server::{Config, Rate};
use serde_json::Value;

use crate::data::store;
use crate::support::{Answer, TOKEN, TestServer};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn post(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let headers: Vec<_> = [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
    server.ask("POST", path, &headers, body).await
}

#[tokio::test]
async fn an_unknown_field_of_a_body_is_named() {
    let server = TestServer::start().await;
    let answer = post(&server, "/api/v1/session", &[JSON], r#"{"cod":"x"}"#).await;
    answer.assert_problem("invalid_parameter");
    assert_eq!(answer.json()["parameter"], "cod");
    assert!(answer.json()["detail"].as_str().unwrap().contains("did you mean `code`?"), "{}", answer.body);
    post(&server, "/api/v1/session", &[], r#"{"code":"x"}"#).await.assert_problem("unsupported_media_type");
    let packed = [JSON, ("content-encoding", "gzip")];
    post(&server, "/api/v1/session", &packed, "{}").await.assert_problem("unsupported_media_type");
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    let server = TestServer::start().await;
    let large = format!("{{\"code\":\"{}\"}}", "x".repeat(70_000));
    let answer = post(&server, "/api/v1/session", &[JSON], &large).await;
    answer.assert_problem("too_large");
    assert!(answer.json()["detail"].as_str().unwrap().contains("64 KiB"), "{}", answer.body);
    // Without an announced length the body is counted as it comes.
    let chunk = format!("11170\r\n{}\r\n", "x".repeat(0x11170));
    let head = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n",
        server.address
    );
    server.raw(&format!("{head}{chunk}0\r\n\r\n")).await.assert_problem("too_large");
}

#[tokio::test]
async fn a_change_that_is_sent_twice_happens_once() {
    let server = TestServer::start().await;
    let code =
        async |key: &str, body: &str| post(&server, "/api/v1/session/code", &[("idempotency-key", key)], body).await;
    let (first, again) = (code("a", "").await, code("a", "").await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["content-type"], first.headers["content-type"]);
    assert_eq!(
        (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"].as_str()),
        (None, "true")
    );
    assert_ne!(code("b", "").await.body, first.body);
    code("a", "{}").await.assert_problem("key_reused");
    for bad in ["", "with space", &"x".repeat(256)] {
        let answer = code(bad, "").await;
        answer.assert_problem("invalid_parameter");
        assert_eq!(answer.json()["parameter"], "Idempotency-Key");
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let one = NonZeroU32::MIN;
    let two = NonZeroU32::new(2).unwrap();
    let config = Config { credential_rate: Some(Rate { per_second: one, burst: two }), ..Config::default() };
    let server = TestServer::start_with(config, store()).await;
    for _ in 0..2 {
        assert_eq!(server.get("/api/v1/events").await.status, 200);
    }
    let answer = server.get("/api/v1/events").await;
    answer.assert_problem("too_many_requests");
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    assert_eq!(server.ask("GET", "/livez", &[], "").await.status, 200, "others are not held up");
    assert_eq!(server.ask("GET", "/api/v1/events", &[], "").await.status, 401, "who may not come in has no bucket");
}

#[tokio::test]
async fn an_address_that_knocks_too_often_waits() {
    let rate = Rate { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(3).unwrap() };
    let server = TestServer::start_with(Config { address_rate: Some(rate), ..Config::default() }, store()).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(server.ask("GET", "/api/v1/flows", &[], "").await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    assert_eq!(server.ask("GET", "/", &[], "").await.status, 200, "files of the web app are not counted");
}

#[test]
fn every_body_denies_unknown_fields() {
    let document: Value = serde_json::from_str(&netwatch_server::openapi().unwrap()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
            let Some(json) = content.get("application/json") else { continue };
            let Some(name) = json["schema"]["$ref"].as_str().and_then(|r| r.rsplit('/').next()) else {
                panic!("{method} {path}: the body must be a type of the contract");
            };
            let schema = &document["components"]["schemas"][name];
            let strict = |s: &Value| s["additionalProperties"] == false || s["properties"].is_null();
            let all = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
            assert!(all.iter().all(strict), "{method} {path}: add #[serde(deny_unknown_fields)] to {name}");
        }
    }
}
