//! Managing workspaces, members, roles, tokens, the audit log, users and backups.

use netwatch_model::people::*;
use serde_json::{Value, json};

use crate::people::Person;
use crate::support::{Answer, TOKEN, TestServer};

/// A request of somebody, with JSON.
async fn send(server: &TestServer, who: &Person, method: &str, path: &str, tag: &str, body: Value) -> Answer {
    let mut headers = vec![("cookie", who.cookie.as_str()), ("content-type", "application/json")];
    if !tag.is_empty() {
        headers.push(("if-match", tag));
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.ask(method, path, &headers, &body).await
}

async fn get(server: &TestServer, who: &Person, path: &str) -> Answer {
    send(server, who, "GET", path, "", Value::Null).await
}

#[track_caller]
fn must(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

fn member_path(who: &Person) -> String {
    format!("/api/v1/members/{}", who.user.id)
}

#[tokio::test]
async fn a_change_needs_the_tag_of_what_it_changes() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let patch = |name: &str| json!({ "name": name });
    let shown = get(&server, &own.owner, "/api/v1/workspace").await;
    assert_eq!(must(&shown, 200)["name"], "own");
    let tag = shown.headers["etag"].clone();
    let send = |tag: String, name: &'static str| {
        let (server, owner) = (&server, &own.owner);
        async move { send(server, owner, "PATCH", "/api/v1/workspace", &tag, patch(name)).await }
    };
    send(String::new(), "x").await.assert_problem("precondition_required");
    send("\"workspace-9\"".to_owned(), "x").await.assert_problem("precondition_failed");
    let changed = send(tag.clone(), "Renamed").await;
    assert_eq!(must(&changed, 200)["name"], "Renamed");
    assert_ne!(changed.headers["etag"], tag);
    send(tag, "Lost").await.assert_problem("precondition_failed");
    let known = [("cookie", own.owner.cookie.as_str()), ("if-none-match", changed.headers["etag"].as_str())];
    assert_eq!(server.ask("GET", "/api/v1/workspace", &known, "").await.status, 304);
    let wrong = self::send(&server, &own.owner, "PATCH", "/api/v1/workspace", "*", json!({"nmae": "x"})).await;
    assert_eq!(wrong.json()["parameter"], "nmae");
    let limits = json!({"limits": {"members": 5}});
    let refused = self::send(&server, &own.owner, "PATCH", "/api/v1/workspace", "*", limits).await;
    refused.assert_problem("forbidden");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have_and_one_owner_stays() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let admin = server.member(&own.workspace, "admin", Role::BuiltIn(BuiltInRole::Admin)).await;
    let viewer = server.member(&own.workspace, "viewer", Role::BuiltIn(BuiltInRole::Viewer)).await;
    let give = |who: &Person, whom: &Person, role: &str| {
        let (who, path, role, server) = (who.clone(), member_path(whom), role.to_owned(), &server);
        async move { send(server, &who, "PATCH", &path, "*", json!({ "role": role })).await }
    };
    give(&admin, &viewer, "owner").await.assert_problem("forbidden");
    give(&admin, &own.owner, "viewer").await.assert_problem("forbidden");
    give(&viewer, &viewer, "admin").await.assert_problem("forbidden");
    assert_eq!(must(&give(&admin, &viewer, "operator").await, 200)["role"], "operator");
    give(&own.owner, &own.owner, "viewer").await.assert_problem("conflict");
    assert_eq!(give(&own.owner, &viewer, "nothing").await.json()["parameter"], "role");
    let last = send(&server, &own.owner, "DELETE", &member_path(&own.owner), "", Value::Null).await;
    last.assert_problem("conflict");
    must(&give(&own.owner, &admin, "owner").await, 200);
    must(&give(&own.owner, &own.owner, "viewer").await, 200);
    give(&own.owner, &admin, "viewer").await.assert_problem("forbidden");
}

#[tokio::test]
async fn a_role_taken_away_is_gone_at_once() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let bob = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Operator)).await;
    let id = own.workspace.id.to_string();
    let see = |path: &'static str| {
        let (server, cookie, id) = (&server, bob.cookie.clone(), id.clone());
        async move { server.ask("GET", path, &[("cookie", &cookie), ("netwatch-workspace", &id)], "").await.status }
    };
    assert_eq!(see("/api/v1/members").await, 200);
    must(&send(&server, &own.owner, "PATCH", &member_path(&bob), "*", json!({"role": "viewer"})).await, 200);
    assert_eq!((see("/api/v1/members").await, see("/api/v1/roles").await), (403, 200));
    must(&send(&server, &own.owner, "DELETE", &member_path(&bob), "", Value::Null).await, 204);
    assert_eq!(see("/api/v1/roles").await, 404);
}

#[tokio::test]
async fn roles_are_made_of_what_their_maker_has_and_go_only_when_nobody_has_them() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let make = |name: &str, permissions: Value| {
        let (server, owner) = (&server, &own.owner);
        let body = json!({ "name": name, "permissions": permissions });
        async move { send(server, owner, "POST", "/api/v1/roles", "", body).await }
    };
    for bad in ["owners.write", "site.users"] {
        make("Bad", json!([bad])).await.assert_problem("forbidden");
    }
    make("Bad", json!(["everything"])).await.assert_problem("invalid_parameter");
    let made = must(&make("Auditor", json!(["audit.read", "members.read"])).await, 201);
    make("AUDITOR", json!([])).await.assert_problem("conflict");
    let id = made["id"].as_str().unwrap().to_owned();
    let bob = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    must(&send(&server, &own.owner, "PATCH", &member_path(&bob), "*", json!({ "role": id })).await, 200);
    assert_eq!(get(&server, &bob, "/api/v1/audit").await.status, 200);
    let path = format!("/api/v1/roles/{id}");
    send(&server, &own.owner, "DELETE", &path, "", Value::Null).await.assert_problem("conflict");
    must(&send(&server, &own.owner, "PATCH", &path, "*", json!({"permissions": ["members.read"]})).await, 200);
    assert_eq!(get(&server, &bob, "/api/v1/audit").await.status, 403, "the role is narrower for all who have it");
    must(&send(&server, &own.owner, "PATCH", &member_path(&bob), "*", json!({"role": "viewer"})).await, 200);
    must(&send(&server, &own.owner, "DELETE", &path, "", Value::Null).await, 204);
    let all = must(&get(&server, &bob, "/api/v1/roles").await, 200);
    assert_eq!(all["items"].as_array().unwrap().len(), 5, "four built-in ones and that of the place");
}

#[tokio::test]
async fn a_token_is_shown_once_bounded_by_its_owner_and_revoked_at_once() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let bob = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Operator)).await;
    let new = |scopes: Value| json!({ "name": "job", "scopes": scopes });
    send(&server, &bob, "POST", "/api/v1/tokens", "", new(json!(["audit.read"]))).await.assert_problem("forbidden");
    send(&server, &bob, "POST", "/api/v1/tokens", "", new(json!([]))).await.assert_problem("invalid_parameter");
    let made =
        must(&send(&server, &bob, "POST", "/api/v1/tokens", "", new(json!(["members.read", "roles.read"]))).await, 201);
    let (id, secret) = (made["token"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap().to_owned());
    let path = format!("/api/v1/tokens/{id}");
    let shown = get(&server, &bob, &path).await;
    assert!(!shown.body.contains(&secret) && !shown.body.contains("digest"), "{}", shown.body);
    let with = |secret: String, path: &'static str| {
        let server = &server;
        async move { server.ask("GET", path, &[("authorization", &format!("Bearer {secret}"))], "").await.status }
    };
    assert_eq!(with(secret.clone(), "/api/v1/members").await, 200);
    assert_eq!(with(secret.clone(), "/api/v1/tokens").await, 403, "what is not in its scopes");
    // The owner of the workspace sees it in the list and can revoke it; a viewer of another name cannot.
    let carl = server.member(&own.workspace, "carl", Role::BuiltIn(BuiltInRole::Operator)).await;
    assert_eq!(get(&server, &carl, &path).await.status, 404, "somebody else's token is as unknown as a foreign one");
    must(&send(&server, &own.owner, "PATCH", &member_path(&bob), "*", json!({"role": "viewer"})).await, 200);
    assert_eq!(
        (with(secret.clone(), "/api/v1/members").await, with(secret.clone(), "/api/v1/roles").await),
        (403, 200)
    );
    let rotated = must(&send(&server, &own.owner, "POST", &format!("{path}/rotate"), "", Value::Null).await, 200);
    let fresh = rotated["secret"].as_str().unwrap().to_owned();
    assert_eq!((with(secret, "/api/v1/roles").await, with(fresh.clone(), "/api/v1/roles").await), (401, 200));
    must(&send(&server, &own.owner, "DELETE", &path, "", Value::Null).await, 204);
    assert_eq!(with(fresh, "/api/v1/roles").await, 401);
}

#[tokio::test]
async fn limits_are_kept_and_said() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let site = server.site_administrator("site").await;
    let path = format!("/api/v1/workspaces/{}", own.workspace.id);
    let limits = json!({"limits": {"members": 2, "tokens": 1}});
    must(&send(&server, &site, "PATCH", &path, "*", limits).await, 200);
    let invited = send(&server, &own.owner, "POST", "/api/v1/invitations", "", json!({"role": "viewer"})).await;
    invited.assert_problem("limit_reached");
    assert!(invited.body.contains("may have 2"), "an owner and an invitation are there: {}", invited.body);
    let token = json!({"name": "x", "scopes": ["traffic.read"]});
    send(&server, &own.owner, "POST", "/api/v1/tokens", "", token).await.assert_problem("limit_reached");
    let open = must(&get(&server, &own.owner, "/api/v1/invitations").await, 200);
    let id = open["items"][0]["id"].as_str().unwrap();
    must(&send(&server, &own.owner, "DELETE", &format!("/api/v1/invitations/{id}"), "", Value::Null).await, 204);
    let made =
        must(&send(&server, &own.owner, "POST", "/api/v1/invitations", "", json!({"role": "viewer"})).await, 201);
    assert!(made["path"].as_str().unwrap().starts_with("/invite#"), "{made}");
}

#[tokio::test]
async fn lists_have_pages_and_refuse_cursors_of_others() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    for name in ["dora", "anna", "carl", "bert", "emil"] {
        server.member(&own.workspace, name, Role::BuiltIn(BuiltInRole::Viewer)).await;
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = must(&get(&server, &own.owner, &format!("/api/v1/members?limit=2{cursor}")).await, 200);
        names.extend(page["items"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["anna", "bert", "carl", "dora", "emil", "own-owner"]);
    for path in [
        format!("/api/v1/tokens?limit=2{cursor}"),
        format!("/api/v1/members?search=a{cursor}"),
        "/api/v1/members?cursor=x".to_owned(),
    ] {
        get(&server, &own.owner, &path).await.assert_problem("invalid_cursor");
    }
    let found = must(&get(&server, &own.owner, "/api/v1/members?search=AN").await, 200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_audit_log_tells_who_did_what_and_is_whole() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let bob = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    must(&send(&server, &own.owner, "PATCH", &member_path(&bob), "*", json!({"role": "operator"})).await, 200);
    let log = must(&get(&server, &own.owner, "/api/v1/audit?action=member.changed").await, 200);
    let record = &log["items"][0];
    assert_eq!((&record["before"]["role"], &record["after"]["role"]), (&json!("viewer"), &json!("operator")), "{log}");
    assert_eq!((&record["actor"]["name"], &record["object"]["name"]), (&json!("own-owner"), &json!("bob")));
    assert_eq!(record["workspace"], own.workspace.id.to_string());
    let csv = get(&server, &own.owner, "/api/v1/audit?format=csv").await;
    assert!(csv.headers["content-type"].starts_with("text/csv") && csv.body.contains("role=operator"), "{}", csv.body);
    let exported = must(&get(&server, &own.owner, "/api/v1/audit?action=audit.exported").await, 200);
    assert_eq!(exported["items"].as_array().unwrap().len(), 1, "an export is recorded");
    let site = server.site_administrator("site").await;
    let found = must(&get(&server, &site, "/api/v1/site/audit/verification").await, 200);
    assert!(found["whole"] == true && found["records"].as_u64().unwrap() >= 3, "{found}");
    let elsewhere = must(&get(&server, &site, "/api/v1/site/audit?user=0190000000007000800000000000ffff").await, 200);
    assert_eq!(elsewhere["items"], json!([]));
}

#[tokio::test]
async fn users_are_made_renamed_disabled_and_deleted() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let site = server.site_administrator("site").await;
    send(&server, &site, "POST", "/api/v1/users", "", json!({"name": "bob", "password": "short"}))
        .await
        .assert_problem("invalid_parameter");
    let made = send(&server, &site, "POST", "/api/v1/users", "", json!({"name": "Bob"})).await;
    let bob = must(&made, 201);
    assert_eq!((&bob["name"], &bob["credentials"]), (&json!("bob"), &json!([])));
    send(&server, &site, "POST", "/api/v1/users", "", json!({"name": "bob"})).await.assert_problem("conflict");
    let unknown = json!({"name": "eve", "role": "owner"});
    assert_eq!(send(&server, &site, "POST", "/api/v1/users", "", unknown).await.json()["parameter"], "role");
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let put = format!("{path}/memberships/{}", own.workspace.id);
    must(&send(&server, &site, "PUT", &put, "", json!({"role": "operator"})).await, 200);
    must(&send(&server, &site, "PATCH", &path, &made.headers["etag"], json!({"name": "robert"})).await, 200);
    let found = must(&get(&server, &own.owner, "/api/v1/members?search=robert").await, 200);
    assert_eq!(found["items"][0]["role"], "operator", "members are found by their new name");
    must(&send(&server, &site, "DELETE", &put, "", Value::Null).await, 204);
    must(&send(&server, &site, "DELETE", &path, "", Value::Null).await, 204);
    assert_eq!(get(&server, &site, &path).await.status, 404);
    let me = format!("/api/v1/users/{}", site.user.id);
    send(&server, &site, "PATCH", &me, "*", json!({"site_administrator": false})).await.assert_problem("conflict");
    send(&server, &site, "DELETE", &me, "", Value::Null).await.assert_problem("conflict");
    let owner = format!("/api/v1/users/{}", own.owner.user.id);
    must(&send(&server, &site, "PATCH", &owner, "*", json!({"disabled": true})).await, 200);
    assert_eq!(get(&server, &own.owner, "/api/v1/roles").await.status, 401, "a disabled user is out at once");
}

#[tokio::test]
async fn workspaces_are_made_and_deleted_but_not_the_first() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let made = must(&send(&server, &own.owner, "POST", "/api/v1/workspaces", "", json!({"name": "Second"})).await, 201);
    let id = made["id"].as_str().unwrap().to_owned();
    let in_it = [("cookie", own.owner.cookie.as_str()), ("netwatch-workspace", &id)];
    let members = server.ask("GET", "/api/v1/members", &in_it, "").await.json();
    assert_eq!(members["items"][0]["role"], "owner");
    assert_eq!(server.ask("DELETE", "/api/v1/workspace", &in_it, "").await.status, 204);
    assert_eq!(server.ask("GET", "/api/v1/workspace", &in_it, "").await.status, 404);
    let site = server.site_administrator("site").await;
    let home = format!("/api/v1/workspaces/{}", server.access.home());
    send(&server, &site, "DELETE", &home, "", Value::Null).await.assert_problem("conflict");
    let limited = json!({"name": "Third", "limits": {"members": 1}});
    send(&server, &own.owner, "POST", "/api/v1/workspaces", "", limited.clone()).await.assert_problem("forbidden");
    must(&send(&server, &site, "POST", "/api/v1/workspaces", "", limited).await, 201);
    let all = must(&get(&server, &site, "/api/v1/workspaces?search=own").await, 200);
    assert_eq!(all["items"][0]["usage"], json!({"members": 1, "invitations": 1, "tokens": 1, "roles": 1}));
}

#[tokio::test]
async fn a_backup_is_taken_and_put_back_while_the_server_runs() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let site = server.site_administrator("site").await;
    let archive = server.bytes("GET", "/api/v1/site/backup", &[("cookie", &site.cookie)], b"").await;
    assert_eq!(archive.0, 200);
    must(&send(&server, &own.owner, "PATCH", "/api/v1/workspace", "*", json!({"name": "Later"})).await, 200);
    let bearer = format!("Bearer {TOKEN}");
    let local = [("authorization", bearer.as_str()), ("content-type", "application/x-tar")];
    let bad = server.bytes("POST", "/api/v1/site/restore", &local, &archive.1[..archive.1.len() / 2]).await;
    assert_eq!(bad.0, 400, "{}", String::from_utf8_lossy(&bad.1));
    assert_eq!(get(&server, &own.owner, "/api/v1/workspace").await.json()["name"], "Later", "nothing has changed");
    let restored = server.bytes("POST", "/api/v1/site/restore", &local, &archive.1).await;
    assert_eq!(restored.0, 200, "{}", String::from_utf8_lossy(&restored.1));
    assert_eq!(get(&server, &own.owner, "/api/v1/workspace").await.status, 401, "all sessions have ended");
    let name = server.json(&format!("/api/v1/workspaces/{}", own.workspace.id)).await["name"].clone();
    assert_eq!(name, "own");
    let rotated = server.ask("POST", "/api/v1/site/keys", &[("authorization", &bearer)], "").await;
    assert_eq!(must(&rotated, 200)["secrets"], 2, "a probe and a passkey");
}
