//! What can be edited, as a file: compared, applied, owned.

use serde_json::{Value, json};

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
