//! A whole backup, what is said of each monitor, and texts that are none.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::import::Fate;

const BACKUP: &str = include_str!("../../../tests/import/uptime-kuma.json");

fn imported() -> Import {
    read("backup.json", BACKUP).unwrap()
}

fn spec_of(import: &Import, name: &str) -> Value {
    let found = import.probes.iter().find(|probe| probe["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {:?}", import.probes))["spec"].clone()
}

#[test]
fn monitors_become_probes() {
    let import = imported();
    assert_eq!(
        spec_of(&import, "Shop"),
        json!({
            "kind": "http", "target": "https://shop.example.org/health", "interval": 30.0, "timeout": 20.0,
            "options": {
                "method": "POST", "headers": ["X-Check: uptime", "Content-Type: application/json"],
                "body": "{\"ping\": true}", "expect_status": ["200-299", "404"], "follow_redirects": false, "verify": false,
            },
            "labels": {"group": "Customers", "shop": "", "stage": "prod"},
        })
    );
    assert_eq!(spec_of(&import, "News 📰")["options"]["refuse_regex"], "Today \\(beta\\)");
    assert_eq!(spec_of(&import, "API")["options"]["expect_json"], "$.data.state == ok");
    assert_eq!(
        spec_of(&import, "Router"),
        json!({"kind": "ping", "target": "192.0.2.1", "interval": 20.0, "count": 1})
    );
    assert_eq!(spec_of(&import, "Database")["target"], "[2001:db8::5]:5432");
    assert_eq!(spec_of(&import, "Mail exchange")["options"], json!({"record": "MX", "servers": ["192.0.2.53:5353"]}));
    let off: Vec<&Value> = import.probes.iter().filter(|probe| probe["enabled"] == false).collect();
    assert_eq!(off.len(), 1, "{off:?}");
}

#[test]
fn what_changes_and_what_is_left_is_said_by_name_and_line() {
    let import = imported();
    let of = |name: &str| import.items.iter().find(|item| item.name == name).unwrap();
    let shop = of("Shop");
    assert_eq!((shop.outcome, shop.line), (Fate::Changed, 12));
    for said in ["3 retries", "`Authorization` holds a secret", "`basic_auth` is a secret"] {
        assert!(shop.notes.iter().any(|note| note.contains(said)), "{said}: {:?}", shop.notes);
    }
    for (name, line, why) in [
        ("API, counted", 33, "JSONata"),
        ("Certification", 49, "records of the type CAA"),
        ("Backup job", 53, "push"),
        ("Container", 54, "`docker`"),
        ("Must be closed", 55, "upside down"),
        ("Behind a proxy", 59, "proxy"),
        ("notifications", 0, "1 notifications"),
        ("proxies", 0, "1 proxies"),
    ] {
        let item = of(name);
        assert_eq!((item.outcome, item.line), (Fate::NotTaken, line), "{name}");
        assert!(item.notes[0].contains(why), "{name}: {:?}", item.notes);
    }
    assert_eq!(import.items.iter().filter(|item| item.outcome == Fate::Taken).count(), 3);
    let all = format!("{:?}{:?}", import.probes, import.items);
    assert!(!all.contains("hunter2") && !all.contains("s3cret"), "a secret is in what comes out");
}

#[test]
fn what_is_no_backup_is_refused_with_its_place() {
    for (text, says) in [
        ("", "backup.json:1:0: this is no backup"),
        ("{}", "missing field `monitorList`"),
        ("{\"monitorList\": 1}", "invalid type"),
        ("{\"a\": 1,\n2", "backup.json:2:1"),
    ] {
        let error = read("backup.json", text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let long = "x".repeat(super::super::MAX_TEXT + 1);
    assert!(read("backup.json", &long).unwrap_err().to_string().contains("longer than 16 MiB"));
}

#[test]
fn groups_that_go_round_end() {
    let text = json!({"monitorList": [
        {"id": 1, "name": "a", "type": "group", "parent": 2},
        {"id": 2, "name": "b", "type": "group", "parent": 1},
        {"id": 3, "name": "c", "type": "ping", "hostname": "192.0.2.1", "parent": 1},
        7,
    ]});
    let import = read("f", &text.to_string()).unwrap();
    assert_eq!(import.probes[0]["spec"]["labels"]["group"], "b / a / b / a / b / a / b / a");
    assert_eq!(import.items[0].outcome, Fate::NotTaken);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        ".{0,20}".prop_map(Value::from),
        prop_oneof![Just("ping"), Just("http"), Just("dns"), Just("port"), Just("json-query"), Just("[::1]")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(".{0,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

const FIELDS: [&str; 20] = [
    "id",
    "name",
    "type",
    "url",
    "method",
    "hostname",
    "port",
    "interval",
    "timeout",
    "headers",
    "body",
    "tags",
    "parent",
    "accepted_statuscodes",
    "maxredirects",
    "keyword",
    "jsonPath",
    "dns_resolve_server",
    "packetSize",
    "active",
];

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}") {
        let _ = read("f", &text);
    }

    #[test]
    fn no_monitor_makes_it_panic(values in proptest::collection::vec(any_value(), FIELDS.len()), kind in 0_usize..5) {
        let mut monitor: Map<String, Value> = FIELDS.iter().map(ToString::to_string).zip(values).collect();
        monitor.insert("type".to_owned(), json!(["http", "ping", "port", "dns", "keyword"][kind]));
        let import = read("f", &json!({"monitorList": [monitor]}).to_string()).unwrap();
        prop_assert_eq!(import.items.len(), 1);
        // What is taken over is what the server takes.
        for probe in &import.probes {
            let draft: netwatch_api::probe::ProbeDraft = serde_json::from_value(probe["spec"].clone()).unwrap();
            prop_assert!(!draft.target.is_empty());
        }
    }
}
