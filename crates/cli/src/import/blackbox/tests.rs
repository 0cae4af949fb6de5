//! Modules and targets together, what is said of each, and texts that are none.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::import::Fate;

const MODULES: &str = include_str!("../../../tests/import/blackbox.yml");
const TARGETS: &str = include_str!("../../../tests/import/prometheus.yml");

fn of(modules: &str, targets: &str) -> Result<Import, ImportError> {
    let file = |name, text| File { name, text };
    read(file("blackbox.yml", modules), Path::new("/"), file("prometheus.yml", targets))
}

fn spec_of(import: &Import, name: &str) -> Value {
    let found = import.probes.iter().find(|probe| probe["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {:?}", import.probes))["spec"].clone()
}

#[test]
fn targets_become_probes_of_their_module() {
    let import = of(MODULES, TARGETS).unwrap();
    let web = spec_of(&import, "web: shop.example.org");
    assert_eq!(web["target"], "http://shop.example.org");
    assert_eq!(web["timeout"], 5.0);
    assert_eq!(web["interval"], Value::Null, "a minute is the default");
    assert_eq!(web["options"], json!({"refuse_regex": "(?:Could not connect)|(?:maintenance)"}));
    assert_eq!(web["labels"], json!({"job": "web", "team": "web"}));
    let gate = spec_of(&import, "gates: 2001:db8::1");
    assert_eq!((&gate["kind"], &gate["interval"], &gate["options"]["ttl"]), (&json!("ping"), &json!(15.0), &json!(12)));
    let login = spec_of(&import, "login: https://login.example.org/");
    assert_eq!((&login["family"], &login["options"]["method"]), (&json!("v6"), &json!("POST")));
    assert_eq!(spec_of(&import, "names: 192.0.2.53")["options"], json!({"record": "SOA", "servers": ["192.0.2.53"]}));
    let tls = spec_of(&import, "tls: mail.example.org:993");
    assert_eq!((&tls["kind"], &tls["options"]), (&json!("tls"), &json!({"verify": false})));
    assert!(!format!("{:?}{:?}", import.probes, import.items).contains("hunter2"), "a secret is in what comes out");
}

#[test]
fn what_changes_and_what_is_left_is_said_by_name_and_line() {
    let import = of(MODULES, TARGETS).unwrap();
    for (name, fate, file, line, why) in [
        ("module ssh_banner", Fate::NotTaken, "blackbox.yml", 26, "query_response"),
        ("web", Fate::NotTaken, "prometheus.yml", 20, "file_sd_configs"),
        ("web: shop.example.org", Fate::Changed, "prometheus.yml", 17, "valid_http_versions"),
        ("web: https://www.example.org/", Fate::Changed, "prometheus.yml", 16, "IPv4"),
        ("login: https://login.example.org/", Fate::Changed, "prometheus.yml", 39, "`basic_auth` is a secret"),
        ("names: 192.0.2.53", Fate::Changed, "prometheus.yml", 44, "valid_rcodes"),
        ("ssh: shell.example.org:22", Fate::NotTaken, "prometheus.yml", 54, "`ssh_banner` is not taken over"),
        ("unknown: a.example.org", Fate::NotTaken, "prometheus.yml", 59, "no module `nobody_knows`"),
        ("gates: 192.0.2.1", Fate::Taken, "prometheus.yml", 34, ""),
    ] {
        let item = import.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((item.outcome, item.file.as_str(), item.line), (fate, file, line), "{name}");
        assert!(why.is_empty() || item.notes.iter().any(|note| note.contains(why)), "{name}: {:?}", item.notes);
    }
}

#[test]
fn what_is_not_of_the_format_is_refused_with_its_place() {
    let wrong = |modules: &str, targets: &str| of(modules, targets).unwrap_err().to_string();
    assert!(
        wrong("modules: {a: {prober: htp}}", TARGETS)
            .starts_with("blackbox.yml:1:23: unknown key `htp`: did you mean `http`?")
    );
    assert!(wrong("a: [", TARGETS).starts_with("blackbox.yml:1:"));
    assert!(wrong(MODULES, "a: [").starts_with("prometheus.yml:1:"));
    assert_eq!(of(MODULES, "").unwrap().items.iter().filter(|item| item.name == "scrape_configs").count(), 1);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(modules in ".{0,200}", targets in ".{0,200}") {
        let _ = of(&modules, &targets);
        let _ = of(MODULES, &targets);
        let _ = of(&modules, TARGETS);
    }

    #[test]
    fn whatever_a_job_says_comes_out_as_the_server_takes_it(
        target in ".{0,40}", interval in "[0-9]{0,6}(ms|s|m|h)?", module in "(http_2xx|icmp|zone|tls|.{0,5})"
    ) {
        let targets = json!({"scrape_configs": [{"metrics_path": "/probe", "scrape_interval": interval,
            "params": {"module": [module]}, "static_configs": [{"targets": [target]}]}]});
        // YAML has no control characters, which JSON has.
        let Ok(import) = of(MODULES, &targets.to_string()) else { return Ok(()) };
        for probe in &import.probes {
            let draft: netwatch_api::probe::ProbeDraft = serde_json::from_value(probe["spec"].clone()).unwrap();
            prop_assert!(!draft.target.is_empty());
        }
    }
}
