//! What the routes answer, and what they refuse.

use std::collections::HashSet;

use netwatch_telemetry::health::{Importance, State};
use serde_json::Value;

use crate::data::{FLOWS, START};
use crate::support::{TOKEN, TestServer};

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn flows_are_sorted_filtered_and_limited() {
    let server = TestServer::start().await;
    let page = server.json("/api/v1/flows?limit=3").await;
    let octets: Vec<_> = page["items"].as_array().unwrap().iter().map(|f| f["octets"].as_u64().unwrap()).collect();
    assert_eq!(octets, [200_000, 199_000, 198_000], "by octets of both directions");
    assert_eq!(page["matched"], FLOWS);

    let page = server.json("/api/v1/flows?filter=src%20%3D%2010.0.0.7%20and%20dport%20443&sort=start&order=asc").await;
    let rows = page["items"].as_array().unwrap();
    assert_eq!(rows.len(), 4, "{page}");
    assert!(rows.iter().all(|f| f["source"] == "10.0.0.7"));
    assert_eq!(server.json("/api/v1/flows?status=active&limit=1").await["matched"], FLOWS / 2);
    let half = format!("/api/v1/flows?to={}&limit=1", START + std::time::Duration::from_secs(25));
    assert_eq!(server.json(&half).await["matched"], FLOWS / 2, "flows that began before");
    assert_eq!(server.json("/api/v1/flows?from=-9s").await["matched"], 4, "flows that ended in the last nine seconds");
}

#[tokio::test]
async fn pages_follow_each_other_without_repeating_or_skipping() {
    let server = TestServer::start().await;
    let (mut seen, mut next) = (Vec::new(), String::new());
    for _ in 0..FLOWS {
        let page = server.json(&format!("/api/v1/flows?limit=30&sort=rate{next}")).await;
        seen.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), FLOWS as usize);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len(), "each flow once");
    assert_eq!(server.problem("/api/v1/flows?cursor=nonsense", "invalid_cursor").await["parameter"], "cursor");
}

#[tokio::test]
async fn one_flow_has_its_own_chart() {
    let server = TestServer::start().await;
    let id = ids(&server.json("/api/v1/flows?limit=1").await).remove(0);
    let detail = server.json(&format!("/api/v1/flows/{id}")).await;
    assert_eq!(detail["flow"]["id"], id.as_str());
    server.problem("/api/v1/flows/ffffffffffffffff", "not_found").await;
    assert_eq!(server.problem("/api/v1/flows/xyz", "invalid_parameter").await["parameter"], "id");
}

#[tokio::test]
async fn traffic_adds_up() {
    let server = TestServer::start().await;
    let rates = server.json("/api/v1/traffic/rates?from=-30s&step=1").await;
    assert_eq!((rates["step"].as_f64(), rates["by"].as_str()), (Some(1.0), Some("interface")));
    let points = rates["series"][0]["in"]["octets"].as_array().unwrap();
    assert!(points.iter().filter(|p| p.as_u64() == Some(1000)).count() >= 25, "{rates}");

    for by in ["host", "pair", "port", "application", "process", "name", "vlan"] {
        let top = server.json(&format!("/api/v1/traffic/top?by={by}&limit=2")).await;
        let sum = |field: &str| -> u64 {
            let items: u64 = top["items"].as_array().unwrap().iter().map(|t| t[field].as_u64().unwrap()).sum();
            items + top["other"][field].as_u64().unwrap()
        };
        assert!(top["items"].as_array().unwrap().len() <= 2);
        assert_eq!(top["total"]["octets"].as_u64().unwrap(), sum("octets"), "{by}: {top}");
        assert!(sum("octets") > 0, "{by}");
    }
    let host = server.json("/api/v1/hosts/10.0.0.1").await;
    assert_eq!(host["address"], "10.0.0.1");
    server.problem("/api/v1/hosts/10.9.9.9", "not_found").await;
    assert_eq!(server.problem("/api/v1/hosts/localhost", "invalid_parameter").await["parameter"], "address");
    let interfaces = server.json("/api/v1/interfaces").await;
    assert_eq!(interfaces["items"][0]["name"], "eth0", "{interfaces}");
}

#[tokio::test]
async fn events_are_paged_newest_first() {
    let server = TestServer::start().await;
    let page = server.json("/api/v1/events?limit=2").await;
    let numbers: Vec<_> = page["items"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2], "{page}");
    let rest = server.json(&format!("/api/v1/events?cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], Value::Null);
    server.problem("/api/v1/events?cursor=x", "invalid_cursor").await;
}

#[tokio::test]
async fn filters_are_checked_by_the_one_parser() {
    let server = TestServer::start().await;
    let good = server.json("/api/v1/filter/check?filter=PORT%20443%20and%20src%20in%2010.0.0.0%2F8").await;
    assert_eq!((good["valid"].as_bool(), good["terms"].as_array().unwrap().len()), (Some(true), 2), "{good}");
    let bad = server.json("/api/v1/filter/check?filter=port%20%3D%20http%20and").await;
    assert_eq!(bad["valid"], false);
    assert!(bad["error"]["position"].is_u64() && bad["error"]["length"].as_u64() >= Some(1), "{bad}");
    let problem = server.problem("/api/v1/flows?filter=port%20%3D%20%28", "invalid_filter").await;
    assert!(problem["position"].is_u64() && problem["parameter"] == "filter", "{problem}");
    let fields = server.json("/api/v1/filter/fields").await;
    assert!(fields["items"].as_array().unwrap().iter().any(|f| f["name"] == "process"), "{fields}");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let server = TestServer::start().await;
    for (path, parameter) in [
        ("/api/v1/flows?limit=0", "limit"),
        ("/api/v1/flows?limit=1001", "limit"),
        ("/api/v1/flows?limti=5", "limti"),
        ("/api/v1/flows?sort=size", "sort"),
        ("/api/v1/flows?from=yesterday", "from"),
        ("/api/v1/flows?to=-5", "to"),
        ("/api/v1/flows?from=now", "from"),
        ("/api/v1/flows?format=xml", "format"),
        ("/api/v1/traffic/rates?step=0", "step"),
        ("/api/v1/traffic/rates?from=-2h&step=1", "step"),
        ("/api/v1/traffic/rates?by=colour", "by"),
        ("/api/v1/traffic/top?limit=501", "limit"),
        ("/api/v1/statistics?verbose=1", "verbose"),
        ("/api/v1/hosts/10.0.0.1?window=5", "window"),
    ] {
        let problem = server.problem(path, "invalid_parameter").await;
        assert_eq!(problem["parameter"], parameter, "{path}: {problem}");
    }
    let problem = server.problem("/api/v1/flows?limti=5", "invalid_parameter").await;
    assert!(problem["detail"].as_str().unwrap().contains("did you mean `limit`?"));
}

#[tokio::test]
async fn statistics_health_and_metrics_tell_how_it_is() {
    let server = TestServer::start().await;
    let statistics = server.json("/api/v1/statistics").await;
    assert!(statistics["process"]["resident_bytes"].as_u64() > Some(1 << 20), "{statistics}");
    assert_eq!(statistics["version"], env!("CARGO_PKG_VERSION"));
    assert!(statistics["store"]["batches"].as_u64() >= Some(60));

    let open = async |path: &str| server.ask("GET", path, &[], "").await;
    assert_eq!(open("/livez").await.json()["status"], "ok");
    let now = START;
    let capture = server.health.component("capture", Importance::Required, now).unwrap();
    assert_eq!(open("/readyz").await.status, 503);
    capture.set(State::Degraded("eth0 is down: it resumes by itself".to_owned()), now);
    let ready = open("/readyz").await;
    assert_eq!((ready.status, &ready.json()["status"]), (200, &Value::from("degraded")));
    assert_eq!(ready.json()["reasons"][0]["component"], "capture");

    let metrics = server.get("/metrics").await;
    assert!(metrics.headers["content-type"].starts_with("application/openmetrics-text"));
    let line = r#"netwatch_http_requests_total{route="/readyz",method="GET",status="2xx"} 1"#;
    assert!(metrics.body.contains(line), "{}", metrics.body);
    assert!(!metrics.body.contains("nonsense"));
}

#[tokio::test]
async fn nothing_of_a_path_becomes_a_metric() {
    let server = TestServer::start().await;
    server.get("/api/v1/flows/00000000deadbeef").await;
    server.get("/some/page/of/nonsense").await;
    server.ask("BREW", "/api/v1/flows", &[("authorization", &format!("Bearer {TOKEN}"))], "").await;
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains(r#"route="/api/v1/flows/{id}""#) && metrics.contains(r#"method="other""#), "{metrics}");
    assert!(!metrics.contains("deadbeef") && !metrics.contains("nonsense") && !metrics.contains("BREW"));
}

#[tokio::test]
async fn the_document_is_served() {
    let server = TestServer::start().await;
    let document = server.json("/api/v1/openapi.json").await;
    let golden: Value = serde_json::from_str(&netwatch_server::openapi().unwrap()).unwrap();
    assert_eq!(document, golden);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}
