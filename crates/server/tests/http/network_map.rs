//! The network map: what two agents trace is one graph; what lookups know is told; who may see it; a route that changes is an event.

use std::net::IpAddr;
use std::sync::Arc;

use netwatch_model::people::{BuiltInRole, ProbeId, Role};
use netwatch_model::probe::kind::Detail;
use netwatch_model::probe::kind::mtr::{Hop, Path, Trace};
use netwatch_model::probe::{ProbeKind, ProbeResult, Trigger};
use netwatch_model::{AgentId, Batch, BatchKey, BootId, Record, Timestamp};
use netwatch_server::history::StorageRules;
use netwatch_storage::{DuckStore, LookupPaths, Lookups, StoreConfig, TelemetryStore};
use serde_json::{Value, json};

use crate::people::now;
use crate::support::{TOKEN, TestServer};

const MAP: &str = "/api/v1/network-map";

/// A trace of the target 10.0.0.9 over these hosts of 10.0.0.0/24, of which each answers everything; 0 is silent.
fn trace(probe: ProbeId, agent: u64, start: Timestamp, hosts: &[u8]) -> Record {
    let address = |host: u8| IpAddr::from([10, 0, 0, host]);
    let hop = |(ttl, host): (u8, &u8)| Hop {
        ttl,
        address: (*host > 0).then(|| address(*host)),
        others: Vec::new(),
        name: None,
        asn: None,
        organization: None,
        mpls: Vec::new(),
        sent: 3,
        answered: if *host > 0 { 3 } else { 0 },
        rate_limited: false,
        rtt: None,
    };
    let path = Path { id: "0123456789abcdef".to_owned(), flow: 1, hops: (1..).zip(hosts).map(hop).collect() };
    Record::Probe(Box::new(ProbeResult {
        probe: Some(probe),
        agent: AgentId(agent),
        kind: ProbeKind::Mtr,
        target: "10.0.0.9".to_owned(),
        address: Some(address(9)),
        source: None,
        scheduled: start,
        start,
        duration: 1.0,
        trigger: Trigger::Schedule,
        late: false,
        failure: None,
        detail: Some(Detail::Mtr(Box::new(Trace {
            lookup: None,
            reached: true,
            loss: 0.0,
            paths: vec![path],
            path_mtu: None,
            black_hole_after: None,
        }))),
    }))
}

/// A probe of the workspace of this machine.
async fn probe(server: &TestServer, name: &str) -> ProbeId {
    let body = json!({"name": name, "spec": {"kind": "mtr", "target": "10.0.0.9", "interval": 60}});
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = server.ask("POST", "/api/v1/probes", &headers, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().parse().unwrap()
}

fn take(server: &TestServer, sequence: u64, records: Vec<Record>) -> Batch {
    let key = BatchKey { agent: AgentId(1), boot: BootId(9), sequence };
    let mut batch = Batch { key, records };
    server.store.tell_route_changes(&mut batch);
    server.store.apply(&batch, now());
    batch
}

fn ids(map: &Value) -> Vec<&str> {
    map["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_agents_trace_is_one_graph() {
    let folder = tempfile::tempdir().unwrap();
    let ranges = folder.path().join("ranges.csv");
    std::fs::write(&ranges, "10.0.0.0/29,Core\n").unwrap();
    let lookups = Arc::new(Lookups::new(LookupPaths { ranges: Some(ranges), ..LookupPaths::default() }));
    assert!(lookups.refresh().is_empty());
    let (store, _) = DuckStore::open(StoreConfig::new(folder.path().join("store")), lookups, now()).unwrap();
    let store: Arc<dyn TelemetryStore> = Arc::new(store);
    let server = TestServer::start_with_history(store, StorageRules(Vec::new())).await;
    let empty = server.json(MAP).await;
    assert_eq!((&empty["nodes"], &empty["untraced"]), (&json!([]), &json!(0)));
    let (shop, mail) = (probe(&server, "Shop").await, probe(&server, "Mail").await);
    probe(&server, "Not yet").await;
    take(&server, 1, vec![trace(shop, 1, now(), &[1, 5, 9]), trace(shop, 2, now(), &[2, 5, 9])]);
    take(&server, 2, vec![trace(mail, 1, now(), &[1, 0, 9])]);
    let map = server.json(MAP).await;
    let silent = "silent:ip:10.0.0.1>ip:10.0.0.9:1";
    let wanted = [
        "agent:0000000000000001",
        "agent:0000000000000002",
        "ip:10.0.0.1",
        "ip:10.0.0.2",
        "ip:10.0.0.5",
        "ip:10.0.0.9",
        silent,
    ];
    assert_eq!(ids(&map), wanted);
    assert_eq!((&map["untraced"], &map["left_out"]), (&json!(1), &json!(0)));
    let node = |id: &str| map["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap().clone();
    let shared = node("ip:10.0.0.5");
    assert_eq!((&shared["traces"], &shared["state"], &shared["network"]), (&json!(2), &json!("up"), &json!("Core")));
    assert_eq!((node("ip:10.0.0.9")["kind"].clone(), node(silent)["silent"].clone()), (json!("target"), json!(1)));
    let first = map["edges"].as_array().unwrap().iter().find(|edge| edge["to"] == silent).unwrap();
    assert_eq!(first["share"], 0.5);

    for (query, count) in [
        (format!("?probe={mail}"), 1),
        ("?agent=0000000000000002".to_owned(), 1),
        ("?search=SHO".to_owned(), 2),
        ("?search=10.0.0.5".to_owned(), 2),
        ("?search=nowhere".to_owned(), 0),
    ] {
        let found = server.json(&format!("{MAP}{query}")).await;
        assert_eq!(found["traces"].as_array().unwrap().len(), count, "{query}");
    }
    server.problem(&format!("{MAP}?probe={}", "0".repeat(32)), "not_found").await;
    server.problem(&format!("{MAP}?agent=7"), "invalid_parameter").await;
    server.problem(&format!("{MAP}?search={}", "x".repeat(300)), "invalid_parameter").await;
}

#[tokio::test]
async fn a_workspace_sees_its_own_map_alone() {
    let server = TestServer::start().await;
    let shop = probe(&server, "Shop").await;
    take(&server, 1, vec![trace(shop, 1, now(), &[1, 9])]);
    let other = server.place("other").await;
    let viewer = server.member(&other.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    let cookie = [("cookie", viewer.cookie.as_str())];
    let map = server.ask("GET", MAP, &cookie, "").await;
    assert_eq!((map.status, map.json()["nodes"].clone()), (200, json!([])), "{}", map.body);
    server.ask("GET", &format!("{MAP}?probe={shop}"), &cookie, "").await.assert_problem("not_found");
    assert_eq!(server.json(MAP).await["traces"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_route_that_changes_is_an_event_of_the_same_batch() {
    let server = TestServer::start().await;
    let shop = probe(&server, "Shop").await;
    let routes: [&[u8]; 4] = [&[1, 5, 9], &[1, 5, 9], &[1, 6, 9], &[1, 6, 9]];
    let batches: Vec<Batch> = (1..)
        .zip(routes)
        .map(|(n, hosts)| take(&server, n, vec![trace(shop, 1, now() + std::time::Duration::from_secs(n), hosts)]))
        .collect();
    assert_eq!(batches.iter().map(|batch| batch.records.len()).collect::<Vec<_>>(), [1, 1, 1, 2]);
    let mut again = batches[3].clone();
    server.store.tell_route_changes(&mut again);
    assert_eq!(again, batches[3], "a repeated batch is told once");
    let events = server.json("/api/v1/events").await;
    let changed: Vec<&Value> =
        events["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "route_changed").collect();
    assert_eq!((changed.len(), changed[0]["subject"].as_str()), (1, Some(&*shop.to_string())), "{events}");
    assert!(
        changed[0]["text"]
            .as_str()
            .unwrap()
            .ends_with("behind 10.0.0.1: it was 10.0.0.5 > 10.0.0.9, it is 10.0.0.6 > 10.0.0.9")
    );
}
