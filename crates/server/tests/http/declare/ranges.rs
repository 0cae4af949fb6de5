//! Names of address ranges in a file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{apply, ask, audited, changes, exported, file, must, told};
use crate::support::TestServer;

const RANGES: &str = "/api/v1/address-ranges";
const KIND: &str = "address_ranges";

#[tokio::test]
async fn a_file_names_owns_and_gives_back() {
    let server = TestServer::start().await;
    let (own, other) = (server.place("own").await, server.place("other").await);
    let csv = |text: &str| json!({ "csv": text });
    must(&ask(&server, &own.owner, "PUT", RANGES, csv("10.0.0.0/8,Company\n")).await, 200);
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([{"ranges": {"10.0.0.0/8": "Company"}}]));
    let two = file(KIND, &json!([{"ranges": {"10.0.0.0/8": "The company", "2001:DB8::/32": " Lab "}}]));
    let dry = apply(&server, &own.owner, "&dry_run=true", &two).await;
    assert_eq!(changes(&dry), told(&[("change", "ranges")]));
    let fields = json!([
        {"field": "ranges.10.0.0.0/8", "before": "\"Company\"", "after": "\"The company\""},
        {"field": "ranges.2001:db8::/32", "before": null, "after": "\"Lab\""},
    ]);
    assert_eq!(dry.json()["changes"][0]["fields"], fields, "each range on its own");
    assert_eq!(changes(&apply(&server, &own.owner, "", &two).await), told(&[("change", "ranges")]));
    assert!(changes(&apply(&server, &own.owner, "", &two).await).is_empty());
    let (records, before, after) = audited(&server, &own.owner, "networks.changed").await;
    assert_eq!(
        (records, before, after),
        (2, json!({"ranges": "1"}), json!({"ranges": "2"})),
        "as if it were done by hand"
    );

    let shown = must(&ask(&server, &own.owner, "GET", RANGES, Value::Null).await, 200);
    assert_eq!((&shown["managed_by"], shown["items"].as_array().map(Vec::len)), (&json!("team.yaml"), Some(2)));
    let foreign = must(&ask(&server, &other.owner, "GET", RANGES, Value::Null).await, 200);
    assert_eq!((&foreign["managed_by"], &foreign["items"]), (&Value::Null, &json!([])));
    ask(&server, &own.owner, "PUT", RANGES, csv("10.0.0.0/8,Mine\n")).await.assert_problem("managed_by_file");

    let pruned = apply(&server, &own.owner, "&prune=true", &file(KIND, &json!([]))).await;
    assert_eq!(changes(&pruned), told(&[("remove", "ranges")]));
    assert_eq!(exported(&server, &own.owner, KIND).await, json!([]));
    must(&ask(&server, &own.owner, "PUT", RANGES, csv("10.0.0.0/8,Mine\n")).await, 200);
}

#[tokio::test]
async fn a_workspace_full_of_ranges_is_one_object() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let ranges = |count: u32| -> BTreeMap<String, String> {
        (0..count).map(|n| (format!("10.{}.{}.0/24", n / 256, n % 256), format!("Office {n}"))).collect()
    };
    let many = file(KIND, &json!([{"ranges": ranges(10_000)}]));
    assert_eq!(changes(&apply(&server, &own.owner, "", &many).await), told(&[("create", "ranges")]));
    let written = file(KIND, &exported(&server, &own.owner, KIND).await);
    assert_eq!(written, many);
    assert!(changes(&apply(&server, &own.owner, "", &written).await).is_empty());
    let more = file(KIND, &json!([{"ranges": ranges(10_001)}]));
    apply(&server, &own.owner, "", &more).await.assert_problem("limit_reached");
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    for (object, says) in [
        (json!({"ranges": {"ten": "Company"}}), "`ten` is no network"),
        (json!({"ranges": {"10.0.0.0/8": " "}}), "there is no name"),
        (json!({"ranges": {"10.0.0.0/8": "a", "10.1.2.3/8": "b"}}), "10.0.0.0/8 has two names"),
        (json!({"ranges": {"10.0.0.0/8": "x".repeat(129)}}), "longer than 128 bytes"),
    ] {
        let refused = apply(&server, &own.owner, "", &file(KIND, &json!([object]))).await;
        refused.assert_problem("invalid_parameter");
        assert_eq!(refused.json()["parameter"], "objects.address_ranges[0].ranges", "{}", refused.body);
        assert!(refused.json()["detail"].as_str().unwrap().contains(says), "{}", refused.body);
    }
}
