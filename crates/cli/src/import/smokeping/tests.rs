//! A whole configuration over several files, inheritance, and texts that are none.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::import::Fate;

fn nothing(_: &str) -> Result<(String, String), String> {
    Err("nothing is included here".to_owned())
}

fn imported() -> Import {
    let folder = Path::new("tests/import/smokeping");
    let text = std::fs::read_to_string(folder.join("config")).unwrap();
    let include = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string())?;
        Ok((name.to_owned(), text))
    };
    read("config", &text, &include).unwrap()
}

fn of(text: &str) -> Import {
    read("Targets", text, &nothing).unwrap()
}

fn spec_of(import: &Import, name: &str) -> Value {
    let found = import.probes.iter().find(|probe| probe["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {:?}", import.probes))["spec"].clone()
}

#[test]
fn targets_become_probes() {
    let import = imported();
    let labels = |title: &str| json!({"group": "Office", "title": title});
    assert_eq!(
        spec_of(&import, "Office / Router"),
        json!({"kind": "ping", "target": "192.0.2.1", "interval": 300.0, "labels": labels("The router")})
    );
    assert_eq!(
        spec_of(&import, "Office / Voice"),
        json!({"kind": "ping", "target": "voice.example.org", "count": 10, "spacing": 0.5, "dscp": 46,
               "options": {"size": 500}, "labels": {"group": "Office"}})
    );
    assert_eq!(spec_of(&import, "Office / Six")["family"], "v6");
    assert_eq!(
        spec_of(&import, "Services / Resolver"),
        json!({"kind": "dns", "target": "example.org", "interval": 36.0,
               "options": {"record": "A", "servers": ["192.0.2.53"]}, "labels": {"group": "Services"}})
    );
    assert_eq!(spec_of(&import, "Services / Web")["target"], "https://www.example.org/health");
    assert_eq!(spec_of(&import, "Services / OldWeb")["target"], "http://old.example.org:8080/index.html");
    let shell = spec_of(&import, "Services / Shell");
    assert_eq!((&shell["target"], &shell["count"]), (&json!("shell.example.org:22"), &json!(20)));
}

#[test]
fn what_changes_and_what_is_left_is_said_by_name_and_line() {
    let import = imported();
    for (name, fate, line, why) in [
        ("all targets", Fate::NotTaken, 10, "alerts"),
        ("Office / Voice", Fate::Changed, 21, "alerts"),
        ("Office / All", Fate::NotTaken, 30, "chart of several targets"),
        ("Services / Resolver", Fate::Changed, 36, "instead of 5 every 180 s"),
        ("Services / Shell", Fate::Changed, 50, "slaves"),
        ("Services / SshKeys", Fate::NotTaken, 55, "`SSH`"),
        ("Services / Dialup", Fate::NotTaken, 59, "DYNAMIC"),
    ] {
        let item = import.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((item.outcome, item.file.as_str(), item.line), (fate, "config.d/Targets", line), "{name}");
        assert!(item.notes.iter().any(|note| note.contains(why)), "{name}: {:?}", item.notes);
    }
    assert_eq!(import.probes.len(), 7);
}

#[test]
fn a_file_of_targets_alone_is_enough() {
    let import = of("probe = FPing\n+ A\nhost = 192.0.2.1\n+ B\nprobe = FPing6\n++ C\nhost = c.example\n");
    assert_eq!(import.probes.len(), 2);
    assert_eq!(
        (spec_of(&import, "A")["count"].clone(), spec_of(&import, "B / C")["family"].clone()),
        (Value::Null, json!("v6"))
    );
}

#[test]
fn what_is_no_configuration_is_said() {
    assert!(of("hello world\n").items[0].notes[0].contains("no `host`"));
    let import = of("+ A\n+++ B\nhost = 192.0.2.1\nnonsense here\n@include other\n");
    let notes: Vec<&str> = import.items.iter().flat_map(|item| &item.notes).map(String::as_str).collect();
    assert!(notes.iter().any(|note| note.contains("one level below")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("no section and no variable")), "{notes:?}");
    assert!(notes.contains(&"nothing is included here"), "{notes:?}");
}

#[test]
fn files_that_include_one_another_end() {
    let include = |name: &str| Ok((name.to_owned(), "@include again\n@include again\n".to_owned()));
    let import = read("a", "@include again\n", &include).unwrap();
    assert!(import.items.iter().all(|item| item.outcome == Fate::NotTaken));
    assert!(import.items.len() < 2000, "{}", import.items.len());
}

#[test]
fn definitions_do_not_grow_without_end() {
    let mut text = String::new();
    for n in 0..40 {
        text += &format!("@define v{n}x {}\n", format!("v{}x", n + 1).repeat(16));
    }
    text += "+ A\nhost = v0x\n";
    assert!(of(&text).items.iter().any(|item| item.notes[0].contains("too long")));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", lines in proptest::collection::vec(line(), 0..40)) {
        let _ = of(&text);
        let import = of(&lines.join("\n"));
        for probe in &import.probes {
            let draft: netwatch_api::probe::ProbeDraft = serde_json::from_value(probe["spec"].clone()).unwrap();
            prop_assert!(!draft.target.is_empty());
        }
    }
}

fn line() -> impl Strategy<Value = String> {
    let kinds = prop_oneof![
        Just("FPing"),
        Just("DNS"),
        Just("Curl"),
        Just("TCPPing"),
        Just("EchoPingHttp"),
        Just("AnotherDNS")
    ];
    prop_oneof![
        "[+]{1,4} [a-zA-Z]{0,5}",
        Just("*** Targets ***".to_owned()),
        Just("*** Probes ***".to_owned()),
        kinds.prop_map(|kind| format!("probe = {kind}")),
        "host = .{0,12}",
        "(step|pings|port|packetsize|tos|timeout|hostinterval|lookup|urlformat|expect) = .{0,8}",
        "(@define|@include) .{0,12}",
        ".{0,20}",
    ]
}
