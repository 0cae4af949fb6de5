//! Saved views: who sees them, who changes them, and how many there may be.

use netwatch_model::people::*;
use serde_json::{Value, json};

use crate::people::{Person, now};
use crate::support::{Answer, TOKEN, TestServer};

const VIEWS: &str = "/api/v1/views";

async fn send(server: &TestServer, who: &Person, method: &str, path: &str, body: Value) -> Answer {
    let headers = [("cookie", who.cookie.as_str()), ("content-type", "application/json"), ("if-match", "*")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.ask(method, path, &headers, &body).await
}

#[track_caller]
fn must(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

fn new(name: &str, shared: bool) -> Value {
    json!({"name": name, "page": "history", "query": "dims=source%2Cport&from=-24h", "shared": shared})
}

fn path(view: &Value) -> String {
    format!("{VIEWS}/{}", view["id"].as_str().unwrap())
}

async fn names(server: &TestServer, who: &Person, query: &str) -> Vec<String> {
    let page = must(&send(server, who, "GET", &format!("{VIEWS}{query}"), Value::Null).await, 200);
    page["items"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_view_is_its_owners_until_it_is_shared() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let ada = server.member(&own.workspace, "ada", Role::BuiltIn(BuiltInRole::Operator)).await;
    let bob = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    let made = must(&send(&server, &ada, "POST", VIEWS, new("Backups", false)).await, 201);
    assert_eq!((&made["revision"], &made["owner_name"], &made["shared"]), (&json!(1), &json!("ada"), &json!(false)));
    assert_eq!(names(&server, &ada, "").await, ["Backups", "Names"]);
    assert_eq!(names(&server, &bob, "").await, ["Names"], "the one of the place is shared");
    // The same answers as for one that does not exist, whatever is tried.
    for (method, body) in [("GET", Value::Null), ("PATCH", json!({"name": "Mine"})), ("DELETE", Value::Null)] {
        send(&server, &bob, method, &path(&made), body).await.assert_problem("not_found");
    }
    let shared = must(&send(&server, &ada, "PATCH", &path(&made), json!({"shared": true})).await, 200);
    assert_eq!((&shared["revision"], &shared["query"]), (&json!(2), &made["query"]));
    assert_eq!(names(&server, &bob, "").await, ["Backups", "Names"]);
    send(&server, &bob, "PATCH", &path(&made), json!({"name": "Mine"})).await.assert_problem("forbidden");
    send(&server, &bob, "DELETE", &path(&made), Value::Null).await.assert_problem("forbidden");
    // Another operator may: what is shared belongs to all.
    must(&send(&server, &own.owner, "PATCH", &path(&made), json!({"name": "Night backups"})).await, 200);
    must(&send(&server, &own.owner, "DELETE", &path(&made), Value::Null).await, 204);
    let log = must(&send(&server, &own.owner, "GET", "/api/v1/audit?action=view.changed", Value::Null).await, 200);
    assert_eq!(log["items"].as_array().unwrap().len(), 4, "{log}");
    assert_eq!(log["items"][1]["after"]["name"], "Night backups");
}

#[tokio::test]
async fn a_viewer_keeps_views_and_shares_none() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let bob = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    send(&server, &bob, "POST", VIEWS, new("Loud", true)).await.assert_problem("forbidden");
    let made = must(&send(&server, &bob, "POST", VIEWS, new("Quiet", false)).await, 201);
    send(&server, &bob, "PATCH", &path(&made), json!({"shared": true})).await.assert_problem("forbidden");
    must(&send(&server, &bob, "PATCH", &path(&made), json!({"query": "dims=port"})).await, 200);
    let headers = [("cookie", bob.cookie.as_str()), ("content-type", "application/json")];
    server.ask("PATCH", &path(&made), &headers, "{}").await.assert_problem("precondition_required");
    let stale = [headers[0], headers[1], ("if-match", "\"view-1\"")];
    server.ask("PATCH", &path(&made), &stale, "{}").await.assert_problem("precondition_failed");
    must(&send(&server, &bob, "DELETE", &path(&made), Value::Null).await, 204);
    // The token of the directory is nobody.
    let bearer = format!("Bearer {TOKEN}");
    let local = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    server.ask("POST", VIEWS, &local, &new("Whose", false).to_string()).await.assert_problem("forbidden");
}

#[tokio::test]
async fn pages_hold_what_one_sees_however_much_there_is_between() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let ada = server.member(&own.workspace, "ada", Role::BuiltIn(BuiltInRole::Viewer)).await;
    let bob = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    for i in 0..7 {
        must(&send(&server, &ada, "POST", VIEWS, new(&format!("a{i}"), false)).await, 201);
        must(&send(&server, &bob, "POST", VIEWS, new(&format!("a{i} bob"), false)).await, 201);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = must(&send(&server, &bob, "GET", &format!("{VIEWS}?limit=3{cursor}"), Value::Null).await, 200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        assert_eq!(page["items"].as_array().unwrap().len(), 3);
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<String> = (0..7).map(|i| format!("a{i} bob")).chain(["Names".to_owned()]).collect();
    assert_eq!(seen, expected);
    assert_eq!(names(&server, &bob, "?search=a3").await, ["a3 bob"]);
}

#[tokio::test]
async fn there_are_bounds_and_bad_input_is_named() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let view = own.view.clone();
    server
        .put(move |tx| {
            (1..View::MAX_PER_USER).try_for_each(|i| {
                let id = ViewId::new(now(), u128::from(i) << 8 | 0xff);
                tx.insert(&View { id, shared: false, ..view.clone() }).map(drop)
            })
        })
        .await;
    send(&server, &own.owner, "POST", VIEWS, new("One more", false)).await.assert_problem("limit_reached");
    for (field, value) in
        [("name", json!("")), ("page", json!("settings")), ("query", json!("a b")), ("query", json!("#x"))]
    {
        let mut body = new("x", false);
        body[field] = value;
        let answer = send(&server, &own.owner, "POST", VIEWS, body).await;
        assert_eq!((answer.status, &answer.json()["parameter"]), (400, &json!(field)), "{}", answer.body);
    }
}

#[tokio::test]
async fn who_leaves_takes_what_was_theirs_alone() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let ada = server.member(&own.workspace, "ada", Role::BuiltIn(BuiltInRole::Operator)).await;
    must(&send(&server, &ada, "POST", VIEWS, new("Own", false)).await, 201);
    must(&send(&server, &ada, "POST", VIEWS, new("All", true)).await, 201);
    let member = format!("/api/v1/members/{}", ada.user.id);
    must(&send(&server, &own.owner, "DELETE", &member, Value::Null).await, 204);
    let left = server.access.entities().read(|tx| tx.count::<View>(own.workspace.id)).unwrap();
    assert_eq!(left, 2);
    assert_eq!(names(&server, &own.owner, "").await, ["All", "Names"]);
}
