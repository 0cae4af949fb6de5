//! `/probe`: who may scrape, what is run and for how long, and what is answered when nothing can be.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use netwatch_model::AgentId;
use netwatch_model::assignment::{Assignment, NarrowedRun};
use netwatch_model::people::*;
use netwatch_model::probe::{Failure, FailureReason, Family, ProbeResult, ProbeSpec, Trigger};
use netwatch_server::{ProbePolicy, Prober};

use crate::people::now;
use crate::support::{Answer, TOKEN, TestServer};

/// An agent that notes what it is asked for. Names have no address of IPv6; it is busy when the target says so.
#[derive(Default)]
struct Noting(Mutex<Vec<ProbeSpec>>);

impl Prober for Noting {
    fn assign(&self, _: Assignment) {}

    fn run(&self, NarrowedRun { spec, .. }: NarrowedRun) -> Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>> {
        self.0.lock().unwrap().push(spec.clone());
        let result = (spec.target != "busy.example").then(|| result(&spec));
        let never = spec.target == "never.example";
        Box::pin(async move { if never { std::future::pending().await } else { result } })
    }
}

fn result(spec: &ProbeSpec) -> ProbeResult {
    let start = now();
    let failure = (spec.family == Family::V6).then(|| Failure::new(FailureReason::Unresolved, "no address"));
    ProbeResult {
        probe: None,
        agent: AgentId(1),
        kind: spec.kind,
        target: spec.target.clone(),
        address: failure.is_none().then(|| "192.0.2.1".parse().unwrap()),
        source: None,
        scheduled: start,
        start,
        duration: 0.1,
        trigger: Trigger::Request,
        late: false,
        failure,
        detail: None,
    }
}

async fn start() -> (Arc<Noting>, TestServer) {
    let agent = Arc::new(Noting::default());
    let joined = Arc::<Noting>::clone(&agent) as Arc<dyn Prober>;
    (agent, TestServer::start_with_prober(joined, ProbePolicy::default()).await)
}

async fn scrape(server: &TestServer, query: &str, headers: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let all = [&[("authorization", bearer.as_str())], headers].concat();
    server.ask("GET", &format!("/probe?{query}"), &all, "").await
}

#[tokio::test]
async fn a_scrape_is_run_as_its_module_says_over_the_family_that_there_is() {
    let (agent, server) = start().await;
    let patience = [("x-prometheus-scrape-timeout-seconds", "4")];
    let answer = scrape(&server, "module=icmp&target=gate.example&other=1", &patience).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("\nprobe_success 1\n") && answer.body.contains("\nprobe_timeout_seconds 3.5\n"));
    let asked = std::mem::take(&mut *agent.0.lock().unwrap());
    let families: Vec<Family> = asked.iter().map(|spec| spec.family).collect();
    assert_eq!(families, [Family::V6, Family::V4]);
    assert_eq!((asked[0].timeout, asked[0].count, asked[0].target.as_str()), (3.5, 1, "gate.example"));
    assert!(asked[1].timeout <= 3.5);
    // The usual module, and a target as a browser would write it.
    scrape(&server, "target=http%3A%2F%2Fshop.example%2F%3Fa%3Db&hostname=other.example", &[]).await;
    let asked = agent.0.lock().unwrap();
    assert_eq!(asked[0].target, "http://shop.example/?a=b");
    assert!(serde_json::to_string(&asked[0].options).unwrap().contains("Host: other.example"));
}

#[tokio::test]
async fn what_does_not_end_is_a_failure_in_time() {
    let (_, server) = start().await;
    let patience = [("x-prometheus-scrape-timeout-seconds", "0.7")];
    let answer = scrape(&server, "module=icmp&target=never.example", &patience).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("\nprobe_success 0\n"), "{}", answer.body);
}

#[tokio::test]
async fn what_cannot_be_scraped_is_named() {
    let (_, server) = start().await;
    for (query, parameter) in [("module=icmp", "target"), ("module=icpm&target=a", "module")] {
        let answer = scrape(&server, query, &[]).await;
        answer.assert_problem("invalid_parameter");
        assert_eq!(answer.json()["parameter"], parameter, "{}", answer.body);
    }
    for wrong in ["soon", "NaN", ""] {
        let headers = [("x-prometheus-scrape-timeout-seconds", wrong)];
        scrape(&server, "target=a", &headers).await.assert_problem("invalid_parameter");
    }
    scrape(&server, "module=tcp_connect&target=busy.example", &[]).await.assert_problem("unavailable");
    let alone = TestServer::start().await;
    scrape(&alone, "target=a", &[]).await.assert_problem("unavailable");
}

#[tokio::test]
async fn who_may_run_probes_may_scrape() {
    let (agent, server) = start().await;
    let own = server.place("own").await;
    let viewer = server.member(&own.workspace, "bob", Role::BuiltIn(BuiltInRole::Viewer)).await;
    let path = "/probe?module=icmp&target=192.0.2.1";
    server.ask("GET", path, &[("cookie", &viewer.cookie)], "").await.assert_problem("forbidden");
    server.ask("GET", path, &[], "").await.assert_problem("unauthenticated");
    // Another workspace than that of this machine has no agent.
    server.ask("GET", path, &[("cookie", &own.owner.cookie)], "").await.assert_problem("unavailable");
    let cross = [("cookie", own.owner.cookie.as_str()), ("sec-fetch-site", "cross-site")];
    server.ask("GET", path, &cross, "").await.assert_problem("forbidden");
    assert!(agent.0.lock().unwrap().is_empty(), "nothing was measured for them");
    // user:test-token, as scrapers write it that know no bearer tokens.
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("prometheus:{TOKEN}"));
    let answer = server.ask("GET", path, &[("authorization", &format!("Basic {basic}"))], "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let elsewhere = server.ask("GET", "/api/v1/flows", &[("authorization", &format!("Basic {basic}"))], "").await;
    elsewhere.assert_problem("unauthenticated");
}
