//! What can be edited, as a file: compared, applied, owned.

mod agents;
mod networks;
mod ranges;
mod views;

use netwatch_model::people::{BuiltInRole, Role};
use serde_json::{Value, json};

use crate::people::{Person, Place};
use crate::probes::{must, send as ask};
use crate::support::{Answer, TOKEN, TestServer};

async fn send(server: &TestServer, method: &str, path: &str, body: &Value, more: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let headers: Vec<_> = headers.into_iter().chain(more.iter().copied()).collect();
    server.ask(method, path, &headers, &body.to_string()).await
}

fn roles(list: &[(&str, &[&str])]) -> Value {
    let list: Vec<Value> = list.iter().map(|(name, p)| json!({"name": name, "permissions": p})).collect();
    json!({"version": 1, "objects": {"roles": list}})
}

/// A file with objects of one kind.
fn file(kind: &str, objects: &Value) -> Value {
    json!({"version": 1, "objects": {kind: objects}})
}

/// Applies a file as somebody.
async fn apply(server: &TestServer, who: &Person, query: &str, file: &Value) -> Answer {
    ask(server, who, "POST", &format!("/api/v1/apply?source=team.yaml{query}"), file.clone()).await
}

/// What is exported of a kind.
async fn exported(server: &TestServer, who: &Person, kind: &str) -> Value {
    must(&ask(server, who, "GET", "/api/v1/export", Value::Null).await, 200)["objects"][kind].clone()
}

/// Somebody who may apply files, and may change nothing else.
async fn clerk(server: &TestServer, place: &Place) -> Person {
    let role = json!({"name": "Clerk", "permissions": ["config.read", "config.write"]});
    let role = must(&ask(server, &place.owner, "POST", "/api/v1/roles", role).await, 201);
    let clerk = server.member(&place.workspace, "clerk", Role::BuiltIn(BuiltInRole::Viewer)).await;
    let member = format!("/api/v1/members/{}", clerk.user.id);
    must(&ask(server, &place.owner, "PATCH", &member, json!({"role": role["id"]})).await, 200);
    clerk
}

/// The last audit records of an action: how many, and of the newest what was before and after.
async fn audited(server: &TestServer, who: &Person, action: &str) -> (usize, Value, Value) {
    let log = must(&ask(server, who, "GET", &format!("/api/v1/audit?action={action}"), Value::Null).await, 200);
    let items = log["items"].as_array().unwrap();
    let newest = items.first().cloned().unwrap_or_default();
    (items.len(), newest["before"].clone(), newest["after"].clone())
}

/// Action and name of every change.
fn changes(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let report = answer.json();
    let word = |c: &Value, field: &str| c[field].as_str().unwrap().to_owned();
    report["changes"].as_array().unwrap().iter().map(|c| (word(c, "action"), word(c, "name"))).collect()
}

fn told(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(action, name)| ((*action).to_owned(), (*name).to_owned())).collect()
}

#[tokio::test]
async fn a_file_is_compared_applied_and_pruned() {
    let server = TestServer::start().await;
    let both = roles(&[("On call", &["traffic.read"]), ("Exports", &["traffic.read", "traffic.export"])]);
    let dry = send(&server, "POST", "/api/v1/apply?dry_run=true", &both, &[]).await;
    assert_eq!(changes(&dry), told(&[("create", "Exports"), ("create", "On call")]));
    assert_eq!(server.json("/api/v1/export").await["objects"]["roles"], json!([]), "a dry run changes nothing");

    let done = send(&server, "POST", "/api/v1/apply?source=team.yaml", &both, &[]).await;
    assert_eq!(changes(&done).len(), 2);
    let exported = server.json("/api/v1/export").await;
    assert_eq!(exported["objects"]["roles"].as_array().unwrap().len(), 2);
    let again = send(&server, "POST", "/api/v1/apply", &exported, &[]).await;
    assert_eq!((changes(&again).len(), again.json()["unchanged"].as_u64() >= Some(2)), (0, true), "{}", again.body);

    let one = roles(&[("On call", &["traffic.read", "views.read"])]);
    let changed = send(&server, "POST", "/api/v1/apply", &one, &[]).await;
    assert_eq!(changes(&changed), told(&[("change", "On call")]));
    let pruned = send(&server, "POST", "/api/v1/apply?prune=true", &one, &[]).await;
    assert_eq!(changes(&pruned), told(&[("remove", "Exports")]));
}

#[tokio::test]
async fn what_is_exported_is_adopted_and_then_nothing_is_left_to_do() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let csv = json!({"csv": "10.0.0.0/8,Company\n2001:db8::/32,Lab\n"});
    must(&ask(&server, &own.owner, "PUT", "/api/v1/address-ranges", csv).await, 200);
    let bound = json!({"only": ["192.0.2.0/24"], "deny": ["192.0.2.9"]});
    must(&ask(&server, &own.owner, "PUT", "/api/v1/probe-networks", bound).await, 200);
    let north = format!("/api/v1/agents/{}", own.agent.id);
    let said = json!({"labels": {"site": "berlin"}, "group": "Edge", "location": {"latitude": 52.5, "longitude": 13}});
    must(&ask(&server, &own.owner, "PATCH", &north, said).await, 200);

    let written = must(&ask(&server, &own.owner, "GET", "/api/v1/export", Value::Null).await, 200);
    let kinds = written["objects"].as_object().unwrap();
    assert!(kinds.len() == 8 && kinds.values().all(|list| list.as_array().unwrap().len() == 1), "{written}");
    let adopted = changes(&apply(&server, &own.owner, "", &written).await);
    assert_eq!(adopted.len(), 8, "{adopted:?}");
    assert!(adopted.iter().all(|(action, _)| action == "adopt"), "{adopted:?}");
    let again = apply(&server, &own.owner, "&prune=true", &written).await;
    assert_eq!((changes(&again).len(), &again.json()["unchanged"]), (0, &json!(8)), "{}", again.body);
    assert_eq!(must(&ask(&server, &own.owner, "GET", "/api/v1/export", Value::Null).await, 200), written);
}

#[tokio::test]
async fn every_kind_needs_the_permission_that_it_needs_by_hand() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let clerk = clerk(&server, &own).await;
    for (kind, object, permission) in [
        ("views", json!({"page": "history", "name": "Backups"}), "views.write"),
        ("address_ranges", json!({"ranges": {"10.0.0.0/8": "Company"}}), "networks.write"),
        ("probe_networks", json!({"only": ["192.0.2.0/24"]}), "workspace.write"),
        ("agents", json!({"name": "North", "group": "Edge"}), "agents.write"),
    ] {
        let refused = apply(&server, &clerk, "", &file(kind, &json!([object]))).await;
        refused.assert_problem("forbidden");
        assert!(refused.body.contains(permission), "{}", refused.body);
        assert_eq!(exported(&server, &clerk, kind).await, Value::Null, "who may not see a kind gets none of it");
    }
}

#[tokio::test]
async fn what_a_file_owns_is_changed_there_alone() {
    let server = TestServer::start().await;
    let by_hand = json!({"name": "By hand", "permissions": ["traffic.read"]});
    let by_hand = send(&server, "POST", "/api/v1/roles", &by_hand, &[]).await;
    assert_eq!(by_hand.status, 201, "{}", by_hand.body);
    let file = roles(&[("Owned", &["traffic.read"]), ("By hand", &["traffic.read"])]);
    let applied = send(&server, "POST", "/api/v1/apply?source=team.yaml", &file, &[]).await;
    assert_eq!(changes(&applied), told(&[("adopt", "By hand"), ("create", "Owned")]));

    let list = server.json("/api/v1/roles").await;
    let role = list["items"].as_array().unwrap().iter().find(|r| r["name"] == "Owned").unwrap();
    assert_eq!(role["managed_by"], "team.yaml");
    let path = format!("/api/v1/roles/{}", role["id"].as_str().unwrap());
    let any = [("if-match", "*")];
    let refused = send(&server, "PATCH", &path, &json!({"name": "Other"}), &any).await;
    refused.assert_problem("managed_by_file");
    assert!(refused.json()["detail"].as_str().unwrap().contains("team.yaml"), "{}", refused.body);
    send(&server, "DELETE", &path, &Value::Null, &any).await.assert_problem("managed_by_file");
}

#[tokio::test]
async fn a_wrong_file_changes_nothing_and_names_the_place() {
    let server = TestServer::start().await;
    let wrong = async |file: &Value| {
        let answer = send(&server, "POST", "/api/v1/apply", file, &[]).await;
        answer.assert_problem("invalid_parameter");
        answer.json()["parameter"].as_str().unwrap().to_owned()
    };
    let file = |objects: Value| json!({"version": 1, "objects": objects});
    assert_eq!(wrong(&json!({"version": 2, "objects": {}})).await, "version");
    assert_eq!(wrong(&file(json!({"rolls": []}))).await, "objects.rolls");
    let unknown = file(json!({"roles": [{"name": "a", "permissions": []}, {"nam": "b", "permissions": []}]}));
    assert_eq!(wrong(&unknown).await, "objects.roles[1].nam");
    let twice = file(json!({"roles": [{"name": "a", "permissions": []}, {"name": "a", "permissions": []}]}));
    assert_eq!(wrong(&twice).await, "objects.roles[1]");

    let half = json!({"version": 1, "objects": {
        "roles": [{"name": "Good", "permissions": ["traffic.read"]}],
        "members": [{"user": "nobody", "role": "viewer"}],
    }});
    send(&server, "POST", "/api/v1/apply", &half, &[]).await.assert_problem("not_found");
    assert_eq!(server.json("/api/v1/export").await["objects"]["roles"], json!([]), "whole or not at all");
}
