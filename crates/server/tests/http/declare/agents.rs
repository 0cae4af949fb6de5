//! What is said of agents in a file.

use serde_json::{Value, json};

use super::{apply, ask, audited, changes, exported, file, must, told};
use crate::support::TestServer;

const KIND: &str = "agents";

#[tokio::test]
async fn a_file_describes_owns_and_says_nothing_any_more() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let north = format!("/api/v1/agents/{}", own.agent.id);
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([]), "of an agent nothing is said by itself");
    let location = json!({"name": "Berlin", "latitude": 52, "longitude": 13.4});
    let said = json!([{"name": "North", "labels": {"site": "berlin"}, "group": " Edge ", "location": location}]);
    let dry = apply(&server, &own.owner, "&dry_run=true", &file(KIND, &said)).await;
    assert_eq!(changes(&dry), told(&[("create", "North")]));
    apply(&server, &own.owner, "", &file(KIND, &said)).await;
    assert!(changes(&apply(&server, &own.owner, "", &file(KIND, &said)).await).is_empty());
    let (records, before, after) = audited(&server, &own.owner, "agent.changed").await;
    assert_eq!((records, &before["labels"], &after["labels"]), (1, &json!(""), &json!("site=berlin")));

    let shown = must(&ask(&server, &own.owner, "GET", &north, Value::Null).await, 200);
    assert_eq!((&shown["managed_by"], &shown["group"]), (&json!("team.yaml"), &json!("Edge")));
    let list = must(&ask(&server, &own.owner, "GET", "/api/v1/agents", Value::Null).await, 200);
    let row = list["items"].as_array().unwrap().iter().find(|agent| agent["name"] == "North").unwrap();
    assert_eq!(row["managed_by"], "team.yaml");
    for change in [json!({"name": "South"}), json!({"labels": {}}), json!({"group": ""}), json!({"location": {}})] {
        ask(&server, &own.owner, "PATCH", &north, change).await.assert_problem("managed_by_file");
    }
    // Whether it may come in is not of the file, and neither is saying what it says.
    let same = json!({"enabled": false, "labels": {"site": "berlin"}});
    let disabled = must(&ask(&server, &own.owner, "PATCH", &north, same).await, 200);
    assert_eq!((&disabled["enabled"], &disabled["managed_by"]), (&json!(false), &json!("team.yaml")));

    let less = file(KIND, &json!([{"name": "North", "labels": {"site": "berlin"}}]));
    let changed = apply(&server, &own.owner, "", &less).await;
    let fields =
        changed.json()["changes"][0]["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
    assert_eq!(Value::Array(fields), json!(["group", "location"]), "what is left out is nothing");
    let pruned = apply(&server, &own.owner, "&prune=true", &file(KIND, &json!([]))).await;
    assert_eq!(changes(&pruned), told(&[("remove", "North")]));
    let shown = must(&ask(&server, &own.owner, "GET", &north, Value::Null).await, 200);
    assert_eq!((&shown["labels"], &shown["managed_by"]), (&json!({}), &Value::Null), "the agent stays");
    assert_eq!(shown["enabled"], false);
    must(&ask(&server, &own.owner, "PATCH", &north, json!({"name": "South"})).await, 200);
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_not_made() {
    let server = TestServer::start().await;
    let (own, other) = (server.place("own").await, server.place("other").await);
    let unknown = apply(&server, &own.owner, "", &file(KIND, &json!([{"name": "Noth"}]))).await;
    unknown.assert_problem("not_found");
    let detail = unknown.json()["detail"].as_str().unwrap().to_owned();
    assert!(["`Noth`", "`North`", "netwatch agents token"].iter().all(|text| detail.contains(text)), "{detail}");

    // One that a file describes can be deleted; the file is refused then.
    let north = file(KIND, &json!([{"name": "North"}]));
    assert_eq!(changes(&apply(&server, &own.owner, "", &north).await), told(&[("create", "North")]));
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([{"name": "North", "labels": {}}]));
    assert_eq!(exported(&server, &other.owner, KIND).await, json!([]));
    must(&ask(&server, &own.owner, "DELETE", &format!("/api/v1/agents/{}", own.agent.id), Value::Null).await, 204);
    apply(&server, &own.owner, "", &north).await.assert_problem("not_found");
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    for (agent, field) in [
        (json!({"name": "North", "labels": {"": "x"}}), "labels"),
        (json!({"name": "North", "location": {"latitude": 91, "longitude": 0}}), "location"),
        (json!({"name": "North", "group": "x".repeat(101)}), "group"),
        (json!({"name": "North", "enabled": false}), "enabled"),
    ] {
        let refused = apply(&server, &own.owner, "", &file(KIND, &json!([agent]))).await;
        refused.assert_problem("invalid_parameter");
        assert_eq!(refused.json()["parameter"], format!("objects.agents[0].{field}"), "{}", refused.body);
    }
}
