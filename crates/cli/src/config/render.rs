//! The configuration as text: what is in force, the schema, the sample.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::key::{Descriptor, KEYS, SECTIONS};
use super::value::Kind;
use super::{Layers, Value};

/// Width at which comments are wrapped.
const WIDTH: usize = 100;

/// What is in force, as YAML; with `origin` each line tells where its value was written. Secrets are hidden.
pub fn show(layers: &Layers, origin: bool) -> String {
    let mut out = String::new();
    for (section, _) in SECTIONS {
        let _ = writeln!(out, "{section}:");
        for d in KEYS.iter().filter(|d| d.section == section) {
            let entry = layers.get(d.key);
            let hidden = d.is_secret() && entry.value != Value::Text(String::new());
            let value = if hidden { "(hidden)".to_owned() } else { d.kind.write(&entry.value) };
            let _ = write!(out, "  {}: {value}", d.name);
            if origin {
                let _ = write!(out, "  # {}", entry.origin);
            }
            out.push('\n');
        }
    }
    out
}

/// The configuration file with every key at its default, each with its description.
pub fn sample() -> String {
    let mut out = String::from(
        "# Netwatch: every key with its default. Copy to /etc/netwatch/netwatch.yaml and keep what you change.\n\
         # Files in conf.d/ beside it are read afterwards, by name. Check with: netwatch config check\n",
    );
    for (section, heading) in SECTIONS {
        let _ = write!(out, "\n# {heading}\n{section}:\n");
        for d in KEYS.iter().filter(|d| d.section == section) {
            for line in wrap(d.description) {
                let _ = writeln!(out, "  # {line}");
            }
            let _ = writeln!(out, "  {}: {}", d.name, d.kind.write(&d.default_value()));
        }
    }
    out
}

/// JSON Schema (2020-12) of the file.
pub fn schema() -> Json {
    let sections: Map<String, Json> = SECTIONS
        .iter()
        .map(|(section, heading)| {
            let keys: Map<String, Json> =
                KEYS.iter().filter(|d| d.section == *section).map(|d| (d.name.to_owned(), key_schema(d))).collect();
            let object = json!({
                "type": ["object", "null"], "description": heading, "additionalProperties": false, "properties": keys,
            });
            ((*section).to_owned(), object)
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Netwatch configuration",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": sections,
    })
}

fn key_schema(d: &Descriptor) -> Json {
    let mut schema = match d.kind {
        Kind::Text | Kind::Listen => json!({ "type": "string" }),
        Kind::Secret => json!({ "type": "string", "writeOnly": true }),
        Kind::List => json!({ "type": ["array", "string"], "items": { "type": "string" }, "maxItems": 64 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(low, high) => {
            json!({ "type": ["integer", "string"], "minimum": low, "maximum": high, "pattern": r"^[0-9.]+[kMG]?$" })
        }
        Kind::Size(low, high) => json!({
            "type": ["integer", "string"], "minimum": low, "maximum": high,
            "pattern": r"^[0-9.]+([kMGT]i?B?|KiB|B)?$",
        }),
        Kind::Duration(..) => json!({ "type": "string", "pattern": r"^[0-9.]+(ns|us|ms|s|m|min|h|d)$" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
    };
    let default = match d.default_value() {
        Value::Text(text) => json!(text),
        Value::List(list) => json!(list),
        Value::Flag(flag) => json!(flag),
        number @ Value::Number(_) => json!(d.kind.write(&number)),
    };
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(d.description));
        object.insert("default".to_owned(), default);
    }
    schema
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut();
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
