//! Networks of probes in a file.

use serde_json::{Value, json};

use super::{apply, ask, audited, changes, exported, file, must, told};
use crate::support::TestServer;

const NETWORKS: &str = "/api/v1/probe-networks";
const KIND: &str = "probe_networks";

#[tokio::test]
async fn a_file_narrows_owns_and_gives_back() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([]), "what nobody narrowed stands in no file");
    let narrow = file(KIND, &json!([{"only": ["192.0.2.7"]}]));
    let dry = apply(&server, &own.owner, "&dry_run=true", &narrow).await;
    assert_eq!(changes(&dry), told(&[("create", "networks")]));
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([]));
    assert_eq!(changes(&apply(&server, &own.owner, "", &narrow).await), told(&[("create", "networks")]));
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([{"only": ["192.0.2.7/32"], "deny": []}]));
    let (records, before, after) = audited(&server, &own.owner, "workspace.changed").await;
    assert_eq!((records, &before["probe_networks.only"]), (1, &json!("all")), "as if it were done by hand");
    assert_eq!(after["probe_networks.only"], "192.0.2.7/32");

    let shown = must(&ask(&server, &own.owner, "GET", NETWORKS, Value::Null).await, 200);
    assert_eq!(shown["managed_by"], "team.yaml");
    let refused = ask(&server, &own.owner, "PUT", NETWORKS, json!({"only": []})).await;
    refused.assert_problem("managed_by_file");
    assert!(refused.body.contains("team.yaml"), "{}", refused.body);

    let changed =
        apply(&server, &own.owner, "", &file(KIND, &json!([{"only": ["192.0.2.7"], "deny": ["::/0"]}]))).await;
    assert_eq!(
        changed.json()["changes"][0]["fields"],
        json!([{"field": "deny", "before": "[]", "after": "[\"::/0\"]"}])
    );
    let none = file(KIND, &json!([]));
    assert!(changes(&apply(&server, &own.owner, "", &none).await).is_empty(), "nothing goes without being asked to");
    let pruned = apply(&server, &own.owner, "&prune=true", &none).await;
    assert_eq!(changes(&pruned), told(&[("remove", "networks")]));
    let shown = must(&ask(&server, &own.owner, "GET", NETWORKS, Value::Null).await, 200);
    assert_eq!((&shown["only"], &shown["managed_by"]), (&json!([]), &Value::Null));
    must(&ask(&server, &own.owner, "PUT", NETWORKS, json!({"deny": ["192.0.2.0/24"]})).await, 200);
}

#[tokio::test]
async fn an_empty_object_narrows_nothing_and_is_owned_all_the_same() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    must(&ask(&server, &own.owner, "PUT", NETWORKS, json!({"deny": ["192.0.2.0/24"]})).await, 200);
    let empty = file(KIND, &json!([{}]));
    assert_eq!(changes(&apply(&server, &own.owner, "", &empty).await), told(&[("change", "networks")]));
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([{"only": [], "deny": []}]));
    assert!(changes(&apply(&server, &own.owner, "", &empty).await).is_empty());
    ask(&server, &own.owner, "PUT", NETWORKS, json!({"deny": ["::/0"]})).await.assert_problem("managed_by_file");
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    for (objects, place) in [
        (json!([{"only": ["192.0.2.0/24", "10/8"]}]), "objects.probe_networks[0].only[1]"),
        (json!([{"allow": ["192.0.2.0/24"]}]), "objects.probe_networks[0].allow"),
        (json!([{}, {}]), "objects.probe_networks[1]"),
    ] {
        let refused = apply(&server, &own.owner, "", &file(KIND, &objects)).await;
        refused.assert_problem("invalid_parameter");
        assert_eq!(refused.json()["parameter"], place, "{}", refused.body);
    }
}

#[tokio::test]
async fn probes_of_the_same_file_are_judged_by_it() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let probe = |target: &str| json!([{"name": "P", "spec": {"kind": "ping", "target": target}}]);
    let both =
        |networks: Value, target: &str| json!({"version": 1, "objects": {KIND: networks, "probes": probe(target)}});
    let outside = both(json!([{"only": ["192.0.2.0/24"]}]), "198.51.100.1");
    apply(&server, &own.owner, "", &outside).await.assert_problem("invalid_parameter");
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([]), "whole or not at all");
    let inside = both(json!([{"only": ["192.0.2.0/24"]}]), "192.0.2.1");
    assert_eq!(changes(&apply(&server, &own.owner, "", &inside).await).len(), 2);
    // What the file takes away holds for none of its probes.
    let without = apply(&server, &own.owner, "&prune=true", &both(json!([]), "198.51.100.1")).await;
    assert_eq!(changes(&without), told(&[("remove", "networks"), ("change", "P")]));
}
