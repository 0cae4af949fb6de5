//! JSON Schema for people.

use maud::{Markup, html};
use serde_json::Value;

/// One type with its fields or words.
pub(super) fn definition(name: &str, says: &Value) -> Markup {
    html! {
        article id={ "type-" (name) } {
            h3 { (name) }
            p { (prose(says["description"].as_str().unwrap_or(""))) }
            @if says["properties"].is_object() { (fields(says)) } @else { p { (kind(says)) } }
        }
    }
}

fn fields(says: &Value) -> Markup {
    let required = |name: &str| says["required"].as_array().is_some_and(|list| list.iter().any(|r| r == name));
    html! {
        table {
            thead { tr { th { "field" } th { "type" } th { "meaning" } } }
            tbody { @for (name, field) in says["properties"].as_object().into_iter().flatten() { tr {
                td { code { (name) } @if !required(name) { " (optional)" } }
                td { (kind(field)) }
                td { (prose(field["description"].as_str().unwrap_or(""))) }
            } } }
        }
    }
}

/// What values look like, on one line where possible.
pub(super) fn kind(says: &Value) -> Markup {
    if let Some(name) = says["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return html! { a href={ "#type-" (name) } { (name) } };
    }
    if let Some(words) = says["enum"].as_array() {
        return html! { @for (i, word) in words.iter().enumerate() { @if i > 0 { " " } code { (plain(word)) } } };
    }
    for (together, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = says[together].as_array() {
            return html! { @for (i, part) in parts.iter().enumerate() { @if i > 0 { (between) } (kind(part)) } };
        }
    }
    if says["type"] == "array" {
        return html! { "list of " (kind(&says["items"])) };
    }
    if says["properties"].is_object() {
        return fields(says);
    }
    let word = match &says["type"] {
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(" or "),
        Value::Null => "anything".to_owned(),
        one => plain(one),
    };
    html! { (word) @for limit in limits(says) { " " small { (limit) } } }
}

/// Format and bounds.
fn limits(says: &Value) -> Vec<String> {
    let named = [("format", ""), ("minimum", "≥ "), ("maximum", "≤ "), ("maxLength", "length ≤ "), ("pattern", "")];
    named.iter().filter_map(|(key, before)| says.get(*key).map(|value| format!("{before}{}", plain(value)))).collect()
}

/// Text in which `` `words` `` are code.
pub(super) fn prose(text: &str) -> Markup {
    html! { @for (i, part) in text.split('`').enumerate() { @if i % 2 == 1 { code { (part) } } @else { (part) } } }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
