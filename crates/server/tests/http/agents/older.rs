//! Agents of older versions: what they leave out is told, at the agent and at the probe.

use netwatch_api::agent::v1;
use serde_json::{Value, json};

use super::served::Served;

#[tokio::test]
async fn what_an_agent_of_an_older_version_leaves_out_is_told() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let _older = key.open(served.agents, 1).await.unwrap();
    let spec = json!({"kind": "ping", "target": "192.0.2.7"});
    let new = json!({"name": "p", "spec": spec, "agents": {"ids": [id]}});
    let made = served.call("POST", "/api/v1/probes", new).await.json();
    let path = format!("/api/v1/probes/{}", made["id"].as_str().unwrap());
    assert_eq!(
        (&made["left_out"], &served.agent(&id).await["left_out"]),
        (&json!([]), &json!(0)),
        "nothing is narrowed"
    );

    let bound = json!({"only": ["192.0.2.0/24"]});
    assert_eq!(served.call("PUT", "/api/v1/probe-networks", bound).await.status, 200);
    let listed = served.server.json("/api/v1/agents").await;
    let listed = listed["items"].as_array().unwrap().iter().find(|agent| agent["id"] == id).unwrap().clone();
    for agent in [served.agent(&id).await, listed] {
        assert_eq!(agent["left_out"], 1);
        let ping = agent["collectors"].as_array().unwrap().iter().find(|one| one["name"] == "ping").unwrap();
        assert_eq!(ping["state"], "degraded");
        assert!(ping["message"].as_str().unwrap().contains("update the agent"), "{ping}");
    }
    for shown in [path.as_str(), "/api/v1/probes", "/api/v1/probes?kind=ping"] {
        let shown = served.server.json(shown).await;
        let probe = if shown["items"].is_null() { &shown } else { &shown["items"][0] };
        assert_eq!(probe["left_out"], json!([id]));
    }
    // A new one is left out from its first answer on; one that does not run is not.
    let new = json!({"name": "q", "spec": spec, "agents": {"ids": [id]}});
    assert_eq!(served.call("POST", "/api/v1/probes", new).await.json()["left_out"], json!([id]));
    assert_eq!(served.call("PATCH", &path, json!({"enabled": false})).await.json()["left_out"], json!([]));
    assert_eq!(served.agent(&id).await["left_out"], 1);

    // Another workspace learns nothing of it.
    let foreign = served.server.place("foreign").await.workspace.id;
    assert_eq!(served.call("PATCH", &format!("/api/v1/agents/{id}"), json!({"global": true})).await.status, 200);
    let seen = served.call_in(Some(foreign), "GET", &format!("/api/v1/agents/{id}"), Value::Null).await.json();
    assert_eq!((&seen["left_out"], &seen["collectors"]), (&json!(0), &json!([])));

    // Once it is updated nothing is left out.
    let newer = v1::AgentInfo { version: "0.2.0".to_owned(), narrows: true, ..v1::AgentInfo::default() };
    let _newer = key.open_as(served.agents, 2, newer).await.unwrap();
    let agent = served.agent(&id).await;
    assert_eq!((&agent["left_out"], &agent["collectors"]), (&json!(0), &json!([])));
    assert_eq!(served.server.json("/api/v1/probes").await["items"][1]["left_out"], json!([]));
}
