//! Agents over real TLS and HTTP/2: coming in, sessions, batches, and what people do to them.

mod link;
mod older;
mod once;
mod pairs;
mod served;

use netwatch_api::agent::protocol::Versions;
use netwatch_api::agent::v1::{self, from_agent, to_agent};
use netwatch_model::assignment::NarrowedRun;
use netwatch_model::people::{Agent, AgentSelector, EnrolmentToken, ProbeId, WorkspaceId};
use netwatch_model::probe::ProbeSpec;
use netwatch_model::{AgentId, Batch, Record};
use netwatch_spool::testing::Faults;
use serde_json::{Value, json};
use tonic::Code;

use crate::people::now;
use crate::support::{TOKEN, TestServer};
use link::{Key, Link};
use served::{Served, event, kept, log, result};

#[tokio::test]
async fn a_token_brings_one_agent_in_once() {
    let served = Served::start().await;
    let token = served.token().await;
    let key = Key::make();
    let reply = key.enrol(served.agents, &token, "web-1").await.unwrap();
    assert_eq!((reply.name.as_str(), reply.workspace.as_str()), ("web-1", "Home"));
    let agent = served.agent(&AgentId(reply.agent).to_string()).await;
    assert_eq!((&agent["state"], &agent["origin"]), (&json!("never"), &json!("enrolled")));
    assert_eq!(agent["enrolled_key"], key.digest.to_string());

    let again = Key::make().enrol(served.agents, &token, "web-2").await.unwrap_err();
    assert_eq!(again.code(), Code::Unauthenticated, "a token is good once: {again}");
    let known = key.enrol(served.agents, &served.token().await, "web-1").await.unwrap_err();
    assert_eq!(known.code(), Code::AlreadyExists, "{known}");
    for wrong in ["", "nwe1.x.y", &token.replace("nwe1.", "nwe2.")] {
        let refused = Key::make().enrol(served.agents, wrong, "x").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{wrong}");
    }
    // A host of the same name gets a number.
    let other = Key::make().enrol(served.agents, &served.token().await, "web-1").await.unwrap();
    assert_eq!(other.name, "web-1 2");
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let served = Served::start().await;
    let token = served.token().await;
    let home = served.server.access.home();
    served
        .server
        .put(move |tx| {
            let query = netwatch_entities::ListQuery { limit: 10, ..netwatch_entities::ListQuery::default() };
            for stored in tx.list::<EnrolmentToken>(home, &query)?.items {
                tx.update(&EnrolmentToken { expires: now(), ..stored.value }, None)?;
            }
            Ok(())
        })
        .await;
    let refused = Key::make().enrol(served.agents, &token, "x").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("expired"), "{refused}");
    let listed = served.server.json("/api/v1/agent-tokens").await;
    assert_eq!(listed["items"], json!([]), "it is not shown any more");
}

#[tokio::test]
async fn nobody_comes_in_without_a_known_key_and_tls_1_3() {
    let served = Served::start().await;
    let stranger = Key::make();
    let refused = stranger.open(served.agents, 1).await.err().unwrap();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    let mut calls = stranger.connect(served.agents).await;
    assert_eq!(calls.who_am_i(v1::WhoAmIRequest {}).await.unwrap_err().code(), Code::Unauthenticated);
    let older = stranger.try_connect(served.agents, &[&rustls::version::TLS12], true).await;
    assert!(older.is_err(), "TLS 1.2 is not spoken");
    let nameless = stranger.try_connect(served.agents, &[&rustls::version::TLS13], false).await;
    // With TLS 1.3 the client learns of the refusal with its first call.
    if let Ok(mut calls) = nameless {
        assert!(calls.who_am_i(v1::WhoAmIRequest {}).await.is_err(), "a certificate is a must");
    }
}

#[tokio::test]
async fn a_session_makes_an_agent_online_and_shows_what_it_says() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let mut link = key.open(served.agents, 1).await.unwrap();
    let (revision, document) = link.assignment().await;
    assert_eq!((document["probes"].as_array().unwrap().len(), document["revision"].as_u64()), (0, Some(revision)));
    let heartbeat = v1::Heartbeat {
        time: 42,
        revision,
        collectors: vec![v1::CollectorStatus {
            name: "ping".to_owned(),
            state: v1::State::Degraded.into(),
            message: "no right for raw sockets".to_owned(),
            items: 3,
        }],
        spool: Some(v1::SpoolStatus { bytes: 10, batches: 2, oldest: 0, dropped: 1 }),
        clock: Some(v1::ClockEstimate { offset: -1_500_000_000, error: 2_000_000, synchronised: true }),
    };
    link.send(from_agent::Message::Heartbeat(heartbeat)).await;
    let beat = link
        .wait(|message| match message {
            to_agent::Message::Beat(beat) => Some(*beat),
            _ => None,
        })
        .await;
    assert!(beat.sent == 42 && beat.received <= beat.replied && beat.received > 0, "{beat:?}");
    let agent = served.agent(&id).await;
    assert_eq!((&agent["state"], &agent["version"]), (&json!("online"), &json!("0.1.0")));
    assert_eq!(agent["collectors"][0]["state"], "degraded");
    assert_eq!(agent["clock"], json!({"offset_seconds": -1.5, "error_seconds": 0.002, "synchronised": true}));
    assert_eq!(agent["spool"], json!({"bytes": 10, "batches": 2, "dropped": 1}));
    assert_eq!(
        (agent["applied_revision"].as_u64(), agent["assigned_revision"].as_u64()),
        (Some(revision), Some(revision))
    );
    assert_eq!(served.metric("netwatch_agents_sessions").await, 1);
    let who = key.connect(served.agents).await.who_am_i(v1::WhoAmIRequest {}).await.unwrap().into_inner();
    assert_eq!(who.address, "127.0.0.1");
}

#[tokio::test]
async fn an_assignment_follows_every_change() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let mut link = key.open(served.agents, 1).await.unwrap();
    let (first, _) = link.assignment().await;
    let new = json!({"name": "p", "spec": {"kind": "ping", "target": "192.0.2.7"}, "agents": {"ids": [id]}});
    let made = served.call("POST", "/api/v1/probes", new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (second, document) = link.assignment().await;
    assert!(second > first);
    assert_eq!(document["probes"][0]["spec"]["target"], "192.0.2.7");
    // By a label that it is given later.
    let path = format!("/api/v1/probes/{}", made.json()["id"].as_str().unwrap());
    let by_label = json!({"agents": {"labels": {"site": "berlin"}}});
    assert_eq!(served.call("PATCH", &path, by_label).await.status, 200);
    assert_eq!(link.assignment().await.1["probes"], json!([]));
    let labelled = served.call("PATCH", &format!("/api/v1/agents/{id}"), json!({"labels": {"site": "berlin"}})).await;
    assert_eq!(labelled.status, 200, "{}", labelled.body);
    assert_eq!(link.assignment().await.1["probes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_ack_means_durable_and_a_batch_counts_once() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let mut link = key.open(served.agents, 1).await.unwrap();
    link.batch(9, 1, vec![event("first")]).await;
    assert_eq!(link.ack().await, (9, 1));
    // What was acknowledged outlives a power cut right now.
    let after = log(&served.disk.power_cut(|| 0));
    let texts = |all: &[(WorkspaceId, Batch)]| -> Vec<String> {
        let records = all.iter().flat_map(|(_, batch)| &batch.records);
        records.map(|r| if let Record::Event(e) = r { e.text.to_string() } else { String::new() }).collect()
    };
    let found = kept(&after);
    assert_eq!(texts(&found), ["first (agent web-1)"]);
    assert_eq!(found[0].1.key.agent.to_string(), id, "the session says whose it is");
    // The same again, in this session and after another start of the agent.
    link.batch(9, 1, vec![event("first")]).await;
    assert_eq!(link.ack().await, (9, 1));
    let mut link = key.open(served.agents, 2).await.unwrap();
    link.batch(9, 1, vec![event("first")]).await;
    link.batch(9, 2, vec![event("second")]).await;
    assert_eq!((link.ack().await, link.ack().await), ((9, 1), (9, 2)));
    assert_eq!(texts(&kept(&served.ingest)), ["first (agent web-1)", "second (agent web-1)"]);
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_acknowledged() {
    let served = Served::start().await;
    let (key, _) = served.enrolled().await;
    let mut link = key.open(served.agents, 1).await.unwrap();
    served.disk.fail(Faults { syncs: Some(0), ..Faults::default() });
    link.batch(9, 1, vec![event("lost?")]).await;
    assert_eq!(link.end().await.code(), Code::Unavailable);
    served.disk.fail(Faults::default());
    let mut link = key.open(served.agents, 1).await.unwrap();
    link.batch(9, 1, vec![event("lost?")]).await;
    assert_eq!(link.ack().await, (9, 1));
    assert_eq!(kept(&served.ingest).len(), 1);
    // What is no batch never will be one.
    let records = bytes::Bytes::from_static(b"NWB?");
    link.send(from_agent::Message::Batch(v1::Batch { run: 9, sequence: 2, records })).await;
    assert_eq!(link.end().await.code(), Code::InvalidArgument);
    assert_eq!(served.metric("netwatch_agents_refused_total{reason=\"batch\"}").await, 1);
}

#[tokio::test]
async fn results_of_a_foreign_workspace_are_refused() {
    let served = Served::start().await;
    let home = served.server.access.home();
    let foreign = served.server.place("foreign").await.workspace.id;
    let (key, id) = served.enrolled().await;
    let named = AgentSelector { ids: vec![id.parse().unwrap()], ..AgentSelector::default() };
    let (ours, theirs) = (served.probe(home, named.clone()).await, served.probe(foreign, named).await);
    // The server hears of them with the next change.
    let new = json!({"name": "p", "spec": {"kind": "ping", "target": "192.0.2.7"}});
    assert_eq!(served.call("POST", "/api/v1/probes", new).await.status, 201);
    let mut link = key.open(served.agents, 1).await.unwrap();
    let assigned = link.assignment().await.1;
    assert_eq!(assigned["probes"].as_array().unwrap().len(), 1, "a foreign probe is not assigned");
    link.batch(9, 1, vec![result(ours), result(theirs)]).await;
    link.ack().await;
    assert_eq!(served.metric("netwatch_agents_refused_total{reason=\"foreign_records\"}").await, 1);
    let shown = served.server.json(&format!("/api/v1/probes/{ours}")).await;
    assert_eq!(shown["status"][0]["agent"], id, "the session says whose it is");

    // Offered to all, it measures for the workspace that names it, and what it finds is theirs.
    let offered = served.call("PATCH", &format!("/api/v1/agents/{id}"), json!({"global": true})).await;
    assert_eq!(offered.status, 200, "{}", offered.body);
    assert_eq!(link.assignment().await.1["probes"].as_array().unwrap().len(), 2);
    link.batch(9, 2, vec![result(ours), result(theirs)]).await;
    link.ack().await;
    let shown = served.call_in(Some(foreign), "GET", &format!("/api/v1/probes/{theirs}"), Value::Null).await;
    assert_eq!(shown.json()["status"][0]["agent"], id);
    let places: Vec<WorkspaceId> = kept(&served.ingest).iter().map(|(workspace, _)| *workspace).collect();
    assert_eq!(places.iter().filter(|place| **place == foreign).count(), 1, "{places:?}");
    let listed = served.call_in(Some(foreign), "GET", "/api/v1/agents", Value::Null).await.json();
    let items = listed["items"].as_array().unwrap();
    assert!(items.iter().any(|item| item["id"] == id && item["foreign"] == true), "{items:?}");
    let changed = served.call_in(Some(foreign), "PATCH", &format!("/api/v1/agents/{id}"), json!({"name": "x"})).await;
    assert_eq!(changed.status, 404);
}

#[tokio::test]
async fn people_end_disable_and_delete_agents() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let path = format!("/api/v1/agents/{id}");
    let mut link = key.open(served.agents, 1).await.unwrap();
    assert_eq!(served.call("POST", &format!("{path}/kick"), Value::Null).await.status, 204);
    assert_eq!(link.goodbye().await, v1::Reason::Kicked);
    served.shows(&id, |agent| agent["connected_since"].is_null()).await;
    served.call("POST", &format!("{path}/kick"), Value::Null).await.assert_problem("conflict");

    let mut link = key.open(served.agents, 1).await.expect("it may come back");
    assert_eq!(served.call("PATCH", &path, json!({"enabled": false})).await.json()["state"], "disabled");
    assert_eq!(link.goodbye().await, v1::Reason::Disabled);
    assert_eq!(key.open(served.agents, 1).await.err().unwrap().code(), Code::PermissionDenied);
    assert_eq!(served.call("PATCH", &path, json!({"enabled": true})).await.status, 200);

    let mut link = key.open(served.agents, 1).await.unwrap();
    assert_eq!(served.call("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(link.goodbye().await, v1::Reason::Deleted);
    assert_eq!(key.open(served.agents, 1).await.err().unwrap().code(), Code::Unauthenticated);
    let log = served.server.json("/api/v1/audit?limit=20").await;
    let actions: Vec<&str> = log["items"].as_array().unwrap().iter().filter_map(|r| r["action"].as_str()).collect();
    for action in ["agent.offered", "agent.enrolled", "agent.kicked", "agent.changed", "agent.deleted"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn a_cloned_agent_is_told_and_refused_while_the_other_lives() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let mut first = key.open(served.agents, 1).await.unwrap();
    let second = key.open(served.agents, 2).await.unwrap();
    assert_eq!(first.goodbye().await, v1::Reason::Replaced);
    let refused = key.open(served.agents, 1).await.err().unwrap();
    assert_eq!(refused.code(), Code::Aborted, "{refused}");
    assert!(served.agent(&id).await["cloned_at"].is_string());
    let events = served.server.json("/api/v1/events").await;
    let told = events["items"].as_array().unwrap().iter().filter(|e| e["kind"] == "agent_cloned").count();
    assert_eq!(told, 1, "{events}");
    drop(second);
}

#[tokio::test]
async fn a_measurement_on_demand_is_made_by_the_agent_that_is_named() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let run = json!({"spec": {"kind": "ping", "target": "192.0.2.1", "count": 1, "timeout": 1.0}, "agents": [id]});
    served.call("POST", "/api/v1/probes/run", run.clone()).await.assert_problem("unavailable");
    let mut link = key.open(served.agents, 1).await.unwrap();
    let answering = async {
        let (request, spec) = link
            .wait(|message| match message {
                to_agent::Message::Run(run) => Some((run.request, run.spec.clone())),
                _ => None,
            })
            .await;
        let spec: ProbeSpec = serde_json::from_slice(&spec).unwrap();
        assert_eq!(spec.target, "192.0.2.1");
        let Record::Probe(result) = result(ProbeId::from_bits(0)) else { unreachable!() };
        let outcome = Some(v1::run_reply::Outcome::Result(serde_json::to_vec(&*result).unwrap().into()));
        link.send(from_agent::Message::Ran(v1::RunReply { request, outcome })).await;
        link
    };
    let (answer, _link) = tokio::join!(served.call("POST", "/api/v1/probes/run", run), answering);
    assert_eq!((answer.status, &answer.json()["agent"]), (200, &json!(id)), "{}", answer.body);
    let nobody = json!({"spec": {"kind": "ping", "target": "192.0.2.1", "count": 1}, "agents": ["00000000000000aa"]});
    served.call("POST", "/api/v1/probes/run", nobody).await.assert_problem("invalid_parameter");
}

#[tokio::test]
async fn the_networks_of_a_workspace_go_with_its_probes_and_its_runs() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let spec = json!({"kind": "ping", "target": "192.0.2.7", "count": 1, "timeout": 1.0});
    let new = json!({"name": "p", "spec": spec, "agents": {"ids": [id]}});
    assert_eq!(served.call("POST", "/api/v1/probes", new).await.status, 201);
    let mut link = key.open(served.agents, 1).await.unwrap();
    let (first, document) = link.assignment().await;
    assert_eq!((document["probes"].as_array().unwrap().len(), &document["narrowed"]), (1, &Value::Null));
    let bound = json!({"only": ["192.0.2.0/24"], "deny": ["192.0.2.128/25"]});
    assert_eq!(served.call("PUT", "/api/v1/probe-networks", bound.clone()).await.status, 200);
    let (second, document) = link.assignment().await;
    assert!(second > first);
    assert_eq!(document["probes"], json!([]), "an agent of before runs it no more");
    assert_eq!((&document["narrowed"][0]["to"], document["narrowed"].as_array().unwrap().len()), (&bound, 1));
    assert_eq!(document["narrowed"][0]["probes"][0]["spec"]["target"], "192.0.2.7");

    let run = json!({"spec": spec, "agents": [id]});
    let answering = async {
        let run = link.wait(|m| if let to_agent::Message::Run(run) = m { Some(run.clone()) } else { None }).await;
        assert!(run.spec.is_empty(), "an agent of before refuses it");
        let narrowed: NarrowedRun = serde_json::from_slice(&run.narrowed).unwrap();
        assert_eq!((narrowed.to.only, narrowed.spec.target.as_str()), (vec!["192.0.2.0/24".to_owned()], "192.0.2.7"));
        let outcome = Some(v1::run_reply::Outcome::Refused("seen".to_owned()));
        link.send(from_agent::Message::Ran(v1::RunReply { request: run.request, outcome })).await;
        link
    };
    let (answer, _link) = tokio::join!(served.call("POST", "/api/v1/probes/run", run), answering);
    answer.assert_problem("unavailable");
}

#[tokio::test]
async fn an_agent_of_another_protocol_is_told_who_must_be_updated() {
    let served = Served::start().await;
    let (key, id) = served.enrolled().await;
    let newer = v1::Hello { boot: 1, protocol: 99, oldest_protocol: 99, ..v1::Hello::default() };
    let (mut link, first) = Link::greet(key.connect(served.agents).await, newer).await.unwrap();
    let to_agent::Message::Goodbye(goodbye) = first else { panic!("{first:?}") };
    assert_eq!(goodbye.reason(), v1::Reason::Incompatible);
    assert!(goodbye.message.contains("update the server"), "{}", goodbye.message);
    assert_eq!(link.end().await.code(), Code::Unknown, "nothing comes after it");
    let agent = served.agent(&id).await;
    assert_eq!((&agent["state"], &agent["refused"]["message"]), (&json!("never"), &json!(goodbye.message)));
    assert_eq!(served.metric("netwatch_agents_refused_total{reason=\"incompatible\"}").await, 1);
    // One that also speaks ours is served, and hears which version it is.
    let both = v1::Hello { boot: 2, protocol: 99, ..v1::Hello::default() };
    let (_link, first) = Link::greet(key.connect(served.agents).await, both).await.unwrap();
    let to_agent::Message::Welcome(welcome) = first else { panic!("{first:?}") };
    assert_eq!(welcome.protocol, Versions::OURS.newest());
    assert_eq!(served.agent(&id).await["refused"], Value::Null);
}

#[tokio::test]
async fn the_servers_own_agent_is_there_and_stays() {
    let served = Served::start().await;
    let own = format!("/api/v1/agents/{}", Agent::OWN);
    let agent = served.server.json(&own).await;
    assert_eq!((&agent["origin"], &agent["state"]), (&json!("local"), &json!("online")));
    for (method, path, body) in [
        ("DELETE", own.clone(), Value::Null),
        ("PATCH", own.clone(), json!({"enabled": false})),
        ("PATCH", own.clone(), json!({"global": true})),
        ("POST", format!("{own}/kick"), Value::Null),
    ] {
        served.call(method, &path, body).await.assert_problem("conflict");
    }
    let changed = served.call("PATCH", &own, json!({"name": "here", "location": {"name": "Rack 7"}})).await.json();
    assert_eq!((&changed["name"], &changed["location"]["name"]), (&json!("here"), &json!("Rack 7")));
}

#[tokio::test]
async fn tokens_say_how_agents_come_in_and_that_they_cannot() {
    let served = Served::start().await;
    let new = json!({"name": "edge", "labels": {"site": "berlin"}, "group": "edges", "expires_in_seconds": 600});
    let made = served.call("POST", "/api/v1/agent-tokens", new).await.json();
    let secret = made["secret"].as_str().unwrap();
    let command = format!("netwatch agent --server 127.0.0.1:{} --token {secret}", served.agents.port());
    assert_eq!(made["commands"]["plain"], command);
    let reply = Key::make().enrol(served.agents, secret, "host").await.unwrap();
    let agent = served.agent(&AgentId(reply.agent).to_string()).await;
    assert_eq!(
        (&agent["name"], &agent["labels"], &agent["group"]),
        (&json!("edge"), &json!({"site": "berlin"}), &json!("edges"))
    );
    let long = json!({"expires_in_seconds": 604_801});
    served.call("POST", "/api/v1/agent-tokens", long).await.assert_problem("invalid_parameter");
    let open = served.call("POST", "/api/v1/agent-tokens", json!({})).await.json();
    let path = format!("/api/v1/agent-tokens/{}", open["token"]["id"].as_str().unwrap());
    assert_eq!(served.call("DELETE", &path, Value::Null).await.status, 204);
    let revoked = Key::make().enrol(served.agents, open["secret"].as_str().unwrap(), "x").await.unwrap_err();
    assert_eq!(revoked.code(), Code::Unauthenticated);

    let alone = TestServer::start().await;
    let headers = [("authorization", &*format!("Bearer {TOKEN}")), ("content-type", "application/json")];
    let refused = alone.ask("POST", "/api/v1/agent-tokens", &headers, "{}").await;
    refused.assert_problem("agents_not_served");
    assert!(refused.body.contains("agents.listen"), "{}", refused.body);
}

/// Whoever holds a link keeps a session.
#[tokio::test]
async fn a_server_that_stops_says_so() {
    let served = Served::start().await;
    let (key, _) = served.enrolled().await;
    let mut link: Link = key.open(served.agents, 1).await.unwrap();
    let Served { server, .. } = served;
    let (_, reason) = tokio::join!(server.stop(), link.goodbye());
    assert_eq!(reason, v1::Reason::Stopping);
}
