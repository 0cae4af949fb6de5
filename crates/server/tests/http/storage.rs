//! How much telemetry is kept, and what address ranges are called: chosen, refused, remembered, and told to the store.

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_server::history::{LimitKey, StorageRules};
use netwatch_storage::{DuckStore, Keep, Kind, LookupPaths, Lookups, Retention, StoreConfig, TelemetryStore};
use serde_json::{Value, json};

use crate::people::Person;
use crate::support::{Answer, TestServer};

const RETENTION: &str = "/api/v1/storage/retention";
const RANGES: &str = "/api/v1/address-ranges";
const DAY: u64 = 86_400;

async fn ask(server: &TestServer, who: &Person, method: &str, path: &str, tag: &str, body: &Value) -> Answer {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let headers = [("cookie", who.cookie.as_str()), ("content-type", "application/json"), ("if-match", tag)];
    let most = if tag.is_empty() { 2 } else { 3 };
    server.ask(method, path, &headers[..most], &text).await
}

async fn get(server: &TestServer, who: &Person, path: &str) -> Answer {
    ask(server, who, "GET", path, "", &Value::Null).await
}

/// A server with a store, whose configuration says how long samples are kept.
async fn with_store(folder: &std::path::Path) -> (TestServer, Arc<DuckStore>) {
    let lookups = Arc::new(Lookups::new(LookupPaths::default()));
    let (store, _) = DuckStore::open(StoreConfig::new(folder), lookups, Timestamp::from_secs(1)).unwrap();
    let store = Arc::new(store);
    let telemetry: Arc<dyn TelemetryStore> = Arc::<DuckStore>::clone(&store);
    let rules = StorageRules(vec![(LimitKey::Age(Kind::Samples), 2 * DAY, "netwatch.yaml:7:16".to_owned())]);
    let server = TestServer::start_with_history(telemetry, rules).await;
    (server, store)
}

#[tokio::test]
async fn how_much_is_kept_is_chosen_and_the_configuration_wins() {
    let folder = tempfile::tempdir().unwrap();
    let (server, store) = with_store(folder.path()).await;
    let site = server.site_administrator("site").await;
    let age = |store: &DuckStore, kind| store.limits().retention.of(kind).age.as_secs() / DAY;
    assert_eq!((age(&store, Kind::Samples), age(&store, Kind::Flows)), (2, 30));
    let shown = get(&server, &site, RETENTION).await;
    let samples = &shown.json()["kinds"][0];
    assert_eq!(samples["age_seconds"]["managed_by"], "netwatch.yaml:7:16");
    assert_eq!(
        (&samples["age_seconds"]["value"], &samples["age_seconds"]["default"]),
        (&json!(2 * DAY), &json!(14 * DAY))
    );
    assert_eq!(samples["bytes"]["managed_by"], Value::Null);
    let tag = shown.headers["etag"].clone();

    let week = json!({"kinds": [{"kind": "flows", "age_seconds": 7 * DAY, "bytes": 1 << 30}], "stop_percent": 5});
    ask(&server, &site, "PUT", RETENTION, "", &week).await.assert_problem("precondition_required");
    let changed = ask(&server, &site, "PUT", RETENTION, &tag, &week).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.json()["kinds"][3]["age_seconds"]["value"], 7 * DAY);
    let expected = Keep { age: Duration::from_secs(7 * DAY), bytes: 1 << 30 };
    assert_eq!(store.limits().retention.of(Kind::Flows), expected);
    assert!((store.limits().watermarks.stop_share - 0.05).abs() < 1e-9);
    ask(&server, &site, "PUT", RETENTION, &tag, &json!({})).await.assert_problem("precondition_failed");

    for (body, code, parameter) in [
        (
            json!({"kinds": [{"kind": "samples", "age_seconds": 3 * DAY}]}),
            "managed_by_file",
            "kinds[samples].age_seconds",
        ),
        (json!({"kinds": [{"kind": "flows", "age_seconds": 5}]}), "invalid_parameter", "kinds[flows].age_seconds"),
        (json!({"kinds": [{"kind": "flows", "bytes": 5}]}), "invalid_parameter", "kinds[flows].bytes"),
        (json!({"warn_percent": 5, "stop_percent": 10}), "invalid_parameter", "warn_percent"),
        (json!({"kinds": [{"kind": "flows"}, {"kind": "flows"}]}), "invalid_parameter", "kinds"),
    ] {
        let refused = ask(&server, &site, "PUT", RETENTION, "*", &body).await;
        refused.assert_problem(code);
        assert_eq!(refused.json()["parameter"], parameter, "{}", refused.body);
    }
    assert_eq!(store.limits().retention.of(Kind::Flows), expected, "what was refused changes nothing");
    let audit = get(&server, &site, "/api/v1/site/audit?limit=1").await.json();
    assert_eq!(audit["items"][0]["action"], "config.changed", "{audit}");
    assert_eq!(audit["items"][0]["after"]["flows_age"], (7 * DAY).to_string(), "{audit}");

    // What is not named is the default again; what the configuration says stays.
    let back = ask(&server, &site, "PUT", RETENTION, "*", &json!({})).await;
    assert_eq!(back.status, 200, "{}", back.body);
    assert_eq!(store.limits().retention.of(Kind::Flows), Retention::default().of(Kind::Flows));
    assert_eq!(age(&store, Kind::Samples), 2);
}

#[tokio::test]
async fn the_store_learns_the_bytes_that_a_workspace_may_take() {
    let folder = tempfile::tempdir().unwrap();
    let (server, store) = with_store(folder.path()).await;
    let (site, own) = (server.site_administrator("site").await, server.place("own").await);
    assert!(store.limits().workspaces.is_empty());
    let path = format!("/api/v1/workspaces/{}", own.workspace.id);
    let limits = json!({"limits": {"storage_bytes": 5 << 20}});
    let changed = ask(&server, &site, "PATCH", &path, "*", &limits).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(store.limits().workspaces.get(&own.workspace.id), Some(&(5 << 20)));
    let changed = ask(&server, &site, "PATCH", &path, "*", &json!({"limits": {}})).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert!(store.limits().workspaces.is_empty());
}

#[tokio::test]
async fn address_ranges_are_replaced_by_a_file_and_each_workspace_has_its_own() {
    let server = TestServer::start().await;
    let (own, other) = (server.place("own").await, server.place("other").await);
    let shown = get(&server, &own.owner, RANGES).await;
    assert_eq!(shown.json()["items"], json!([]));
    let tag = shown.headers["etag"].clone();
    let file = |csv: &str| json!({ "csv": csv });

    let wrong =
        ask(&server, &own.owner, "PUT", RANGES, &tag, &file("network,name\n10.0.0.0/8\nx,y\n10.1.0.0/16,B\n")).await;
    wrong.assert_problem("invalid_parameter");
    let detail = wrong.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("line 2: there is no comma") && detail.contains("; line 3: the first column"), "{detail}");
    let text = "network,name\n10.0.0.0/8,Company\n10.1.0.0/16,\"Office, first floor\"\n2001:db8::/32,Lab\n";
    let done = ask(&server, &own.owner, "PUT", RANGES, &tag, &file(text)).await;
    assert_eq!((done.status, &done.json()["ranges"]), (200, &json!(3)), "{}", done.body);
    ask(&server, &own.owner, "PUT", RANGES, &tag, &file("")).await.assert_problem("precondition_failed");

    let page = get(&server, &own.owner, &format!("{RANGES}?limit=2")).await;
    assert_eq!(page.headers["etag"], done.headers["etag"], "one tag for all pages");
    let names = [&page.json()["items"][0]["name"], &page.json()["items"][1]["name"]].map(ToString::to_string);
    assert_eq!(names, ["\"Company\"", "\"Lab\""]);
    let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
    let rest = get(&server, &own.owner, &format!("{RANGES}?limit=2&cursor={cursor}")).await.json();
    assert_eq!((&rest["items"][0]["network"], &rest["next_cursor"]), (&json!("10.1.0.0/16"), &Value::Null));
    let csv = get(&server, &own.owner, &format!("{RANGES}?format=csv")).await.body;
    assert!(csv.contains("10.1.0.0/16,\"Office, first floor\""), "{csv}");
    // What was exported is read back as it was.
    let again = ask(&server, &own.owner, "PUT", RANGES, "*", &file(&csv)).await;
    assert_eq!(again.headers["etag"], done.headers["etag"]);

    let foreign = get(&server, &other.owner, RANGES).await;
    assert_eq!(foreign.json()["items"], json!([]));
}
