//! Probes: made, changed, deleted, by whom; what is never shown; what an agent is told; results and the board.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use netwatch_model::assignment::{Assignment, NarrowedRun};
use netwatch_model::people::*;
use netwatch_model::probe::{Failure, FailureReason, ProbeResult, ProbeSpec, Trigger};
use netwatch_model::{AgentId, Batch, BatchKey, BootId, Record, Timestamp};
use netwatch_server::{ProbePolicy, Prober};
use serde_json::{Value, json};

use crate::people::{Person, now};
use crate::support::{Answer, TOKEN, TestServer};

const PROBES: &str = "/api/v1/probes";

/// An agent that notes what it is told, and finds that everything times out.
#[derive(Default)]
struct Noting(Mutex<Vec<Assignment>>, Mutex<Vec<ProbeSpec>>);

impl Prober for Noting {
    fn assign(&self, assignment: Assignment) {
        self.0.lock().unwrap().push(assignment);
    }

    fn run(&self, NarrowedRun { spec, .. }: NarrowedRun) -> Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>> {
        self.1.lock().unwrap().push(spec.clone());
        Box::pin(async move { Some(result(None, &spec, now())) })
    }
}

fn without_secrets(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(options) = spec["options"].as_object_mut() {
        options.retain(|_, value| !value.to_string().contains("hunter2"));
    }
    spec
}

fn result(probe: Option<ProbeId>, spec: &ProbeSpec, start: Timestamp) -> ProbeResult {
    ProbeResult {
        probe,
        agent: AgentId(1),
        kind: spec.kind,
        target: spec.target.clone(),
        address: None,
        source: None,
        scheduled: start,
        start,
        duration: 3.0,
        trigger: Trigger::Request,
        late: false,
        failure: Some(Failure::new(FailureReason::Timeout, "no answer within 3 s")),
        detail: None,
    }
}

pub async fn send(server: &TestServer, who: &Person, method: &str, path: &str, body: Value) -> Answer {
    send_as(server, ("cookie", &who.cookie), method, path, body).await
}

pub async fn send_as(server: &TestServer, who: (&str, &str), method: &str, path: &str, body: Value) -> Answer {
    let headers = [who, ("content-type", "application/json"), ("if-match", "*")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.ask(method, path, &headers, &body).await
}

#[track_caller]
pub fn must(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

fn new(name: &str) -> Value {
    json!({"name": name, "spec": {"kind": "http", "target": "https://192.0.2.1/", "interval": 30,
           "options": {"bearer_token": "hunter2-hunter2", "expect_status": ["200", "3xx"]}}})
}

fn path(probe: &Value) -> String {
    format!("{PROBES}/{}", probe["id"].as_str().unwrap())
}

#[tokio::test]
async fn secrets_are_kept_and_never_shown() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let made = must(&send(&server, &own.owner, "POST", PROBES, new("Shop")).await, 201);
    assert_eq!(made["spec"]["options"], json!({"expect_status": ["200", "3xx"]}));
    assert_eq!((&made["secrets"], &made["spec"]["timeout"]), (&json!(["bearer_token"]), &json!(10.0)));
    // A change that leaves the secret out keeps it; an empty one removes it.
    let spec = json!({"spec": {"kind": "http", "target": "https://192.0.2.2/"}});
    let kept = must(&send(&server, &own.owner, "PATCH", &path(&made), spec).await, 200);
    assert_eq!((&kept["secrets"], &kept["revision"]), (&json!(["bearer_token"]), &json!(2)));
    let none = json!({"spec": {"kind": "http", "target": "https://192.0.2.2/", "options": {"bearer_token": ""}}});
    must(&send(&server, &own.owner, "PATCH", &path(&made), none).await, 200);
    for asked in [path(&made), PROBES.to_owned(), "/api/v1/audit".to_owned()] {
        let answer = send(&server, &own.owner, "GET", &asked, Value::Null).await;
        assert!(!answer.body.contains("hunter2"), "{asked}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_the_field() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let wrong = [
        (json!({"kind": "ping", "target": "a b"}), "spec.target"),
        (json!({"kind": "ping", "target": "192.0.2.1", "interval": 0.2}), "spec.interval"),
        (json!({"kind": "ping", "target": "192.0.2.1", "options": {"siez": 9}}), "spec.options.siez"),
        (json!({"kind": "mtr", "target": "192.0.2.1", "options": {"max_hops": 900}}), "spec.options.max_hops"),
        (json!({"kind": "http", "target": "192.0.2.1"}), "spec.target"),
    ];
    for (spec, field) in wrong {
        let answer = send(&server, &own.owner, "POST", PROBES, json!({"name": "x", "spec": spec})).await;
        assert_eq!((answer.status, answer.json()["parameter"].as_str()), (400, Some(field)), "{}", answer.body);
    }
    must(&send(&server, &own.owner, "POST", PROBES, new("Shop")).await, 201);
    let taken = send(&server, &own.owner, "POST", PROBES, new("shop")).await;
    assert_eq!(taken.status, 409, "{}", taken.body);
}

#[tokio::test]
async fn a_viewer_sees_and_an_operator_changes() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let viewer = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    let operator = server.member(&own.workspace, "ada", Role::BuiltIn(BuiltInRole::Operator)).await;
    let made = must(&send(&server, &operator, "POST", PROBES, new("Shop")).await, 201);
    must(&send(&server, &viewer, "GET", &path(&made), Value::Null).await, 200);
    for (method, path, body) in [("POST", PROBES.to_owned(), new("Mine")), ("DELETE", path(&made), Value::Null)] {
        send(&server, &viewer, method, &path, body).await.assert_problem("forbidden");
    }
    let other = server.place("other").await;
    for (method, body) in [("GET", Value::Null), ("PATCH", json!({"enabled": false})), ("DELETE", Value::Null)] {
        send(&server, &other.owner, method, &path(&made), body).await.assert_problem("not_found");
    }
    let results = format!("{}/results", path(&made));
    send(&server, &other.owner, "GET", &results, Value::Null).await.assert_problem("not_found");
    must(&send(&server, &operator, "DELETE", &path(&made), Value::Null).await, 204);
    let log = must(&send(&server, &own.owner, "GET", "/api/v1/audit?action=probe.changed", Value::Null).await, 200);
    assert_eq!(log["items"].as_array().unwrap().len(), 2, "{log}");
}

#[tokio::test]
async fn the_agent_is_told_and_its_results_stand_on_the_board() {
    let agent = Arc::new(Noting::default());
    let policy = ProbePolicy { allow: vec!["10.0.0.0/8".to_owned()], deny: Vec::new() };
    let server = TestServer::start_with_prober(Arc::<Noting>::clone(&agent) as Arc<dyn Prober>, policy).await;
    let bearer = format!("Bearer {TOKEN}");
    let owner = ("authorization", bearer.as_str());
    let made = must(&send_as(&server, owner, "POST", PROBES, new("Shop")).await, 201);
    let told = agent.0.lock().unwrap().last().cloned().unwrap();
    assert_eq!((told.probes.len(), &*told.allow[0]), (1, "10.0.0.0/8"));
    assert!(serde_json::to_string(&told).unwrap().contains("hunter2"), "the agent needs the secret");
    let probe = told.probes[0].clone();
    let records = vec![Record::Probe(Box::new(result(Some(probe.id), &probe.spec, now())))];
    let key = BatchKey { agent: AgentId(1), boot: BootId(9), sequence: 1 };
    server.store.apply(&Batch { key, records }, now());
    let shown = must(&send_as(&server, owner, "GET", &path(&made), Value::Null).await, 200);
    let status = &shown["status"][0];
    assert_eq!((&status["state"], &status["message"]), (&json!("down"), &json!("no answer within 3 s")), "{shown}");
    let matrix = must(&send_as(&server, owner, "GET", "/api/v1/probe-matrix", Value::Null).await, 200);
    assert_eq!((&matrix["targets"], &matrix["cells"][0]["state"]), (&json!(["192.0.2.1"]), &json!("down")), "{matrix}");
    let of = |agent: &str| format!("{PROBES}?agent={agent}");
    let own = must(&send_as(&server, owner, "GET", &of("0000000000000001"), Value::Null).await, 200);
    let other = must(&send_as(&server, owner, "GET", &of("00000000000000ab"), Value::Null).await, 200);
    assert_eq!((&own["items"][0]["id"], &other["items"]), (&made["id"], &json!([])), "{own}");
    send_as(&server, owner, "GET", &of("x"), Value::Null).await.assert_problem("invalid_parameter");
    let voice = must(&send_as(&server, owner, "GET", "/api/v1/probe-voice?codec=g729a", Value::Null).await, 200);
    assert_eq!(
        (&voice["items"], &voice["count"]),
        (&json!([]), &json!(0)),
        "a web page says nothing of calls: {voice}"
    );
    send_as(&server, owner, "GET", "/api/v1/probe-voice?codec=opus", Value::Null)
        .await
        .assert_problem("invalid_parameter");
    // Paused probes are not assigned; a run on demand is made by the agent.
    must(&send_as(&server, owner, "PATCH", &path(&made), json!({"enabled": false})).await, 200);
    assert!(agent.0.lock().unwrap().last().unwrap().probes.is_empty());
    let run = json!({"spec": {"kind": "tcp", "target": "192.0.2.1:22"}});
    let ran = must(&send_as(&server, owner, "POST", "/api/v1/probes/run", run).await, 200);
    assert_eq!((&ran["failure"]["reason"], &ran["agent"]), (&json!("timeout"), &json!("0000000000000001")));
    // The secrets of a saved probe go along where it sends them anyway, and nowhere else.
    let saved = json!({"spec": without_secrets(&new("Shop")["spec"]), "probe": made["id"]});
    must(&send_as(&server, owner, "POST", "/api/v1/probes/run", saved.clone()).await, 200);
    let ran = agent.1.lock().unwrap().last().cloned().unwrap();
    assert!(serde_json::to_string(&ran).unwrap().contains("hunter2"), "{ran:?}");
    let mut elsewhere = saved;
    elsewhere["spec"]["target"] = json!("https://thief.example/");
    let refused = send_as(&server, owner, "POST", "/api/v1/probes/run", elsewhere).await;
    assert_eq!((refused.status, refused.json()["parameter"].as_str()), (400, Some("probe")), "{}", refused.body);
    let long = json!({"spec": {"kind": "ping", "target": "192.0.2.1", "count": 100}});
    send_as(&server, owner, "POST", "/api/v1/probes/run", long).await.assert_problem("invalid_parameter");
}

#[tokio::test]
async fn every_kind_is_described() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let kinds = must(&send(&server, &own.owner, "GET", "/api/v1/probe-kinds", Value::Null).await, 200);
    let kinds = kinds.as_array().unwrap();
    assert_eq!(kinds.len(), netwatch_model::probe::ProbeKind::offered().count());
    let ping = kinds.iter().find(|kind| kind["kind"] == "ping").unwrap();
    assert_eq!(
        ping["options"][0],
        json!({"name": "size", "help": ping["options"][0]["help"], "form": "whole", "min": 16.0, "max": 65000.0, "default": 56})
    );
}
