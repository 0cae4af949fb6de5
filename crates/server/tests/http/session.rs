//! Signing in and out as a browser does.

use netwatch_model::Timestamp;
use netwatch_model::people::{Limits, Workspace, WorkspaceId};
use netwatch_server::{Config, ServerError, listen};
use serde_json::json;

use crate::data;
use crate::support::{TOKEN, TestServer};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_code_becomes_a_cookie_once() {
    let server = TestServer::start().await;
    server.sign_in().await;
    let invited = server.access.invite().unwrap();
    let body = json!({"code": invited.code.as_str()}).to_string();
    let first = server.ask("POST", "/api/v1/session", &[JSON], &body).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let cookie = &first.headers["set-cookie"];
    for part in ["netwatch_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=604800"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!first.body.contains(cookie.split(['=', ';']).nth(1).unwrap()), "only the cookie has the secret");
    server.ask("POST", "/api/v1/session", &[JSON], &body).await.assert_problem("gone");
}

#[tokio::test]
async fn a_session_tells_what_it_is_and_ends() {
    let server = TestServer::start().await;
    let cookie = server.sign_in().await;
    let own = [("cookie", cookie.as_str())];
    let session = server.ask("GET", "/api/v1/session", &own, "").await.json();
    assert_eq!(session["method"], "cookie");
    assert!(session["expires"].is_string());
    assert_eq!((&session["user"]["name"], &session["workspace"]["name"]), (&json!("ada"), &json!("Home")));
    let token = server.json("/api/v1/session").await;
    assert_eq!((&token["method"], &token["expires"], &token["user"]), (&json!("token"), &json!(null), &json!(null)));

    let mut stream = server.stream_with(&[("cookie", &cookie)]).await.expect("the stream opens");
    let out = server.ask("DELETE", "/api/v1/session", &own, "").await;
    assert_eq!(out.status, 204);
    assert!(out.headers["set-cookie"].contains("Max-Age=0"));
    assert_eq!(server.ask("GET", "/api/v1/session", &own, "").await.status, 401);
    assert_eq!(stream.closed().await, 1008, "an open stream ends with its session");
}

#[tokio::test]
async fn sessions_survive_a_restart_on_the_same_address() {
    let server = TestServer::start().await;
    let cookie = server.sign_in().await;
    let address = server.address;
    let mut stream = server.stream_with(&[("cookie", &cookie)]).await.expect("the stream opens");
    let stopped = tokio::spawn(server.stop());
    assert_eq!(stream.closed().await, 1001);
    let dir = stopped.await.unwrap().unwrap();

    let again = TestServer::start_in(dir.path(), address, Config::default(), data::store()).await;
    assert_eq!(again.ask("GET", "/api/v1/session", &[("cookie", &cookie)], "").await.status, 200);
    again.stream_with(&[("cookie", &cookie)]).await.expect("the browser connects again without signing in");
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() {
    let server = TestServer::start().await;
    for _ in 0..10 {
        server.ask("POST", "/api/v1/session", &[JSON], r#"{"code":"0"}"#).await.assert_problem("gone");
    }
    let refused = server.ask("POST", "/api/v1/session", &[JSON], r#"{"code":"0"}"#).await;
    refused.assert_problem("too_many_requests");
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() <= 7);
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused() {
    let server = TestServer::start().await;
    let post = async |headers: &[(&str, &str)], body: &str| server.ask("POST", "/api/v1/session", headers, body).await;
    post(&[], r#"{"code":"0"}"#).await.assert_problem("unsupported_media_type");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    post(&form, "code=0").await.assert_problem("unsupported_media_type");
    post(&[JSON], "{").await.assert_problem("invalid_parameter");
    post(&[JSON], r#"{"code":"0"} x"#).await.assert_problem("invalid_parameter");
    let wrong_type = post(&[JSON], r#"{"code":7}"#).await;
    wrong_type.assert_problem("invalid_parameter");
    assert_eq!(wrong_type.json()["parameter"], "code");
    post(&[JSON], r#"{"code":"0","user":"admin"}"#).await.assert_problem("invalid_parameter");
    post(&[JSON], &"x".repeat(64 * 1024 + 1)).await.assert_problem("too_large");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let server = TestServer::start().await;
    let error = listen(server.address).await.expect_err("the port is taken");
    assert!(matches!(error, ServerError::InUse { .. }));
    assert!(error.to_string().contains(&server.address.to_string()), "{error}");
    let elsewhere = listen("192.0.2.1:8470".parse().unwrap()).await.expect_err("not our address");
    assert!(elsewhere.to_string().contains("192.0.2.1:8470"), "{elsewhere}");
}

#[tokio::test]
async fn the_token_counts_before_the_cookie() {
    let server = TestServer::start().await;
    let cookie = server.sign_in().await;
    let both = [("cookie", cookie.as_str()), ("authorization", "Bearer something-else-entirely")];
    assert_eq!(server.ask("GET", "/api/v1/session", &both, "").await.status, 401);
    let right = [("cookie", "netwatch_session=0"), ("authorization", &format!("bearer {TOKEN}"))];
    assert_eq!(server.ask("GET", "/api/v1/session", &right, "").await.json()["method"], "token");
}

#[tokio::test]
async fn another_workspace_sees_nothing_of_this_machine() {
    let server = TestServer::start().await;
    let now = Timestamp::from_secs(1_700_000_000);
    let id = WorkspaceId::new(now, 7);
    let other = Workspace { id, name: "Other".parse().unwrap(), limits: Limits::default(), created: now };
    server.access.entities().write(now, move |tx| tx.insert(&other).map(drop)).unwrap();
    let bearer = format!("Bearer {TOKEN}");
    let (named, unknown) = (id.to_string(), "0".repeat(32));
    let ask = async |path: &str, workspace: &str| {
        let headers = [("authorization", bearer.as_str()), ("netwatch-workspace", workspace)];
        server.ask("GET", path, &headers, "").await
    };
    assert!(!server.json("/api/v1/flows?limit=1").await["items"].as_array().unwrap().is_empty());
    let answer = ask("/api/v1/flows?limit=1", &named).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["items"], json!([]));
    ask("/api/v1/flows", &unknown).await.assert_problem("not_found");
    ask("/api/v1/flows", "not-an-id").await.assert_problem("invalid_parameter");
}
