//! Which networks probes of a workspace may measure: who says it, what it refuses, and who hears of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};

use netwatch_model::assignment::{Assignment, NarrowedRun};
use netwatch_model::people::*;
use netwatch_model::probe::{ProbeNetworks, ProbeResult};
use netwatch_server::{Live, ProbePolicy, Prober};
use serde_json::{Value, json};

use crate::probes::{must, send, send_as};
use crate::support::{TOKEN, TestServer};

const NETWORKS: &str = "/api/v1/probe-networks";
const PROBES: &str = "/api/v1/probes";

/// An agent that notes what it is told and asked, and is always busy.
#[derive(Default)]
struct Noting {
    told: Mutex<Vec<Assignment>>,
    asked: Mutex<Vec<NarrowedRun>>,
}

impl Prober for Noting {
    fn assign(&self, assignment: Assignment) {
        self.told.lock().unwrap().push(assignment);
    }

    fn run(&self, run: NarrowedRun) -> Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>> {
        self.asked.lock().unwrap().push(run);
        Box::pin(async { None })
    }
}

impl Noting {
    fn last(&self) -> Assignment {
        self.told.lock().unwrap().last().cloned().unwrap()
    }
}

fn new(name: &str, spec: &Value) -> Value {
    json!({"name": name, "spec": spec})
}

#[tokio::test]
async fn those_who_see_probes_see_it_and_admins_change_it() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let role = |role| Role::BuiltIn(role);
    let viewer = server.member(&own.workspace, "bob", role(BuiltInRole::Viewer)).await;
    let operator = server.member(&own.workspace, "ada", role(BuiltInRole::Operator)).await;
    let admin = server.member(&own.workspace, "eve", role(BuiltInRole::Admin)).await;
    let nothing = json!({"only": [], "deny": [], "site": {"allow": [], "deny": []}});
    assert_eq!(must(&send(&server, &viewer, "GET", NETWORKS, Value::Null).await, 200), nothing);
    let bound = json!({"only": ["192.0.2.0/24", "192.0.2.0/24"], "deny": ["192.0.2.9"]});
    send(&server, &operator, "PUT", NETWORKS, bound.clone()).await.assert_problem("forbidden");
    let set = must(&send(&server, &admin, "PUT", NETWORKS, bound).await, 200);
    assert_eq!((&set["only"], &set["deny"]), (&json!(["192.0.2.0/24"]), &json!(["192.0.2.9/32"])));
    let read = must(&send(&server, &viewer, "GET", NETWORKS, Value::Null).await, 200);
    assert_eq!(read, set);
    let other = server.place("other").await;
    assert_eq!(must(&send(&server, &other.owner, "GET", NETWORKS, Value::Null).await, 200), nothing);

    let log = must(&send(&server, &own.owner, "GET", "/api/v1/audit?action=workspace.changed", Value::Null).await, 200);
    let record = &log["items"][0];
    assert_eq!(record["before"], json!({"probe_networks.only": "all", "probe_networks.deny": "none"}), "{log}");
    let after = json!({"probe_networks.only": "192.0.2.0/24", "probe_networks.deny": "192.0.2.9/32"});
    assert_eq!(record["after"], after, "{log}");
}

#[tokio::test]
async fn nobodys_change_is_lost_and_what_is_no_network_is_named() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let cookie = ("cookie", own.owner.cookie.as_str());
    let put = async |tag: Option<&str>, body: Value| {
        let mut headers = vec![cookie, ("content-type", "application/json")];
        headers.extend(tag.map(|tag| ("if-match", tag)));
        server.ask("PUT", NETWORKS, &headers, &body.to_string()).await
    };
    let read = server.ask("GET", NETWORKS, &[cookie], "").await;
    let tag = read.headers["etag"].clone();
    put(None, json!({})).await.assert_problem("precondition_required");
    assert_eq!(put(Some(&tag), json!({"deny": ["198.51.100.0/24"]})).await.status, 200);
    put(Some(&tag), json!({})).await.assert_problem("precondition_failed");
    for (body, field) in [
        (json!({"only": ["192.0.2.0/24", "10/8"]}), "only[1]"),
        (json!({"deny": ["192.0.2.1/24"]}), "deny[0]"),
        (json!({"only": vec!["192.0.2.1"; 257]}), "only"),
    ] {
        let answer = put(Some("*"), body).await;
        assert_eq!((answer.status, answer.json()["parameter"].as_str()), (400, Some(field)), "{}", answer.body);
    }
    assert_eq!(put(Some("*"), json!({"allow": ["127.0.0.0/8"]})).await.status, 400, "it cannot widen anything");
    let read = must(&server.ask("GET", NETWORKS, &[cookie], "").await, 200);
    assert_eq!(read["deny"], json!(["198.51.100.0/24"]));
}

#[tokio::test]
async fn a_probe_that_names_an_address_outside_is_refused_with_the_field() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let old = json!({"kind": "ping", "target": "198.51.100.1"});
    let old = must(&send(&server, &own.owner, "POST", PROBES, new("Old", &old)).await, 201);
    let bound = json!({"only": ["192.0.2.0/24"]});
    must(&send(&server, &own.owner, "PUT", NETWORKS, bound).await, 200);
    for (spec, field, address) in [
        (json!({"kind": "ping", "target": "198.51.100.1"}), "spec.target", "198.51.100.1"),
        (json!({"kind": "http", "target": "https://[2001:db8::1]/"}), "spec.target", "2001:db8::1"),
        (
            json!({"kind": "dns", "target": "example.org", "options": {"servers": ["192.0.2.53", "198.51.100.53"]}}),
            "spec.options.servers",
            "198.51.100.53",
        ),
    ] {
        let answer = send(&server, &own.owner, "POST", PROBES, new("New", &spec)).await;
        answer.assert_problem("invalid_parameter");
        let problem = answer.json();
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(problem["parameter"], field, "{problem}");
        assert!([address, "192.0.2.0/24", "settings"].iter().all(|text| detail.contains(text)), "{detail}");
    }
    let inside = json!({"kind": "ping", "target": "192.0.2.1"});
    let inside = must(&send(&server, &own.owner, "POST", PROBES, new("In", &inside)).await, 201);
    let path = |probe: &Value| format!("{PROBES}/{}", probe["id"].as_str().unwrap());
    let out = json!({"spec": {"kind": "ping", "target": "203.0.113.1"}});
    send(&server, &own.owner, "PATCH", &path(&inside), out.clone()).await.assert_problem("invalid_parameter");
    // What was there before can be paused, renamed, and saved as it is.
    let same = json!({"name": "Older", "enabled": false, "spec": {"kind": "ping", "target": "198.51.100.1"}});
    must(&send(&server, &own.owner, "PATCH", &path(&old), same).await, 200);
    // Files are no way around it.
    let file = json!({"version": 1, "objects": {"probes": [new("File", &out["spec"])]}});
    let applied = send(&server, &own.owner, "POST", "/api/v1/apply", file).await;
    applied.assert_problem("invalid_parameter");
    assert_eq!(applied.json()["parameter"], "spec.target", "{}", applied.body);
}

#[tokio::test]
async fn agents_hear_of_it_at_once_and_runs_on_demand_obey_it() {
    let (agent, live) = (Arc::new(Noting::default()), Arc::new(OnceLock::<Live>::new()));
    let (joined, kept) = (Arc::<Noting>::clone(&agent) as Arc<dyn Prober>, Arc::clone(&live));
    let server = TestServer::start_joined(move |server| {
        server.live().probing_by(joined);
        _ = kept.set(server.live());
    })
    .await;
    let bearer = format!("Bearer {TOKEN}");
    let owner = ("authorization", bearer.as_str());
    let ping = json!({"kind": "ping", "target": "192.0.2.1"});
    must(&send_as(&server, owner, "POST", PROBES, new("P", &ping)).await, 201);
    let free = agent.last();
    assert_eq!((free.probes.len(), free.narrowed.len()), (1, 0));

    let bound = json!({"only": ["192.0.2.0/24"]});
    must(&send_as(&server, owner, "PUT", NETWORKS, bound).await, 200);
    let to = ProbeNetworks { only: vec!["192.0.2.0/24".to_owned()], deny: Vec::new() };
    let told = agent.last();
    assert!(told.revision > free.revision);
    assert_eq!((told.probes.len(), &told.narrowed[0].to), (0, &to));
    assert_eq!(told.narrowed[0].probes, free.probes, "nothing else of it changed");

    let run = |target: &str| json!({"spec": {"kind": "ping", "target": target, "count": 1}});
    send_as(&server, owner, "POST", "/api/v1/probes/run", run("192.0.2.2")).await.assert_problem("unavailable");
    send_as(&server, owner, "GET", "/probe?module=icmp&target=gate.example", Value::Null).await;
    let asked: Vec<ProbeNetworks> = agent.asked.lock().unwrap().iter().map(|run| run.to.clone()).collect();
    assert_eq!(asked, [to.clone(), to.clone()]);
    let refused = send_as(&server, owner, "POST", "/api/v1/probes/run", run("198.51.100.1")).await;
    assert_eq!((refused.status, refused.json()["parameter"].as_str()), (400, Some("spec.target")), "{}", refused.body);
    assert_eq!(agent.asked.lock().unwrap().len(), 2, "nothing was measured");

    // A reload changes the bound of all workspaces, and agents hear of that, too.
    let policy = ProbePolicy { allow: vec!["192.0.2.0/24".to_owned()], deny: vec!["192.0.2.1/32".to_owned()] };
    let (reloading, again) = (live.get().unwrap().clone(), policy.clone());
    let reload = move || {
        reloading.set_probe_policy(again.clone());
        reloading.set_probe_policy(again);
    };
    let before = agent.told.lock().unwrap().len();
    tokio::task::spawn_blocking(reload).await.unwrap();
    let told = agent.last();
    assert_eq!((&told.allow, &told.deny, &told.narrowed[0].to), (&policy.allow, &policy.deny, &to));
    assert_eq!(agent.told.lock().unwrap().len(), before + 1, "what is the same is not told again");
    let shown = must(&send_as(&server, owner, "GET", NETWORKS, Value::Null).await, 200);
    assert_eq!(shown["site"], json!({"allow": policy.allow, "deny": policy.deny}));

    must(&send_as(&server, owner, "PUT", NETWORKS, json!({})).await, 200);
    assert_eq!((agent.last().probes, agent.last().narrowed.len()), (free.probes, 0));
}
