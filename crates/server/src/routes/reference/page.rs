//! The page: operations by tag, then types.

use maud::{DOCTYPE, Markup, html};
use serde_json::{Map, Value};

use super::schema;
use crate::fault::Fault;
use netwatch_api::ProblemCode;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An operation of the document.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    says: &'a Value,
}

/// The page of a document.
pub(super) fn render(document: &[u8]) -> Result<String, Fault> {
    let document: Value = serde_json::from_slice(document).map_err(|error| {
        tracing::error!(%error, "the OpenAPI document cannot be read");
        Fault::new(ProblemCode::Internal, "the reference cannot be made; the log tells more")
    })?;
    let (none, tags) = (Map::new(), document["tags"].as_array().cloned().unwrap_or_default());
    let paths = document["paths"].as_object().unwrap_or(&none);
    let all: Vec<Operation<'_>> = METHODS.iter().flat_map(|m| of_method(paths, m)).collect();
    let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Netwatch API" }
                link rel="stylesheet" href="/api/v1/reference/style.css";
            }
            body {
                header {
                    h1 { "Netwatch API" }
                    p { (schema::prose(text(&document["info"]["description"]))) }
                    p { a href="/api/v1/openapi.json" { "The same as OpenAPI 3.1" } " · " a href="/" { "Back to Netwatch" } }
                }
                nav aria-label="Operations" { @for tag in &tags { (contents(tag, &all)) } }
                main {
                    @for tag in &tags { (section(tag, &all)) }
                    h2 id="types" { "Types" }
                    @for (name, says) in schemas { (schema::definition(name, says)) }
                }
            }
        }
    };
    Ok(page.into_string())
}

fn of_method<'a>(paths: &'a Map<String, Value>, method: &'static str) -> impl Iterator<Item = Operation<'a>> {
    paths.iter().filter_map(move |(path, item)| Some(Operation { method, path, says: item.get(method)? }))
}

fn of_tag<'a>(tag: &Value, all: &'a [Operation<'a>]) -> Vec<&'a Operation<'a>> {
    let mut list: Vec<_> =
        all.iter().filter(|o| o.says["tags"].as_array().is_some_and(|t| t.contains(&tag["name"]))).collect();
    list.sort_by_key(|o| o.path);
    list
}

fn contents(tag: &Value, all: &[Operation<'_>]) -> Markup {
    html! {
        h2 { (text(&tag["name"])) }
        ul { @for o in of_tag(tag, all) { li { a href={ "#" (id(o)) } { (text(&o.says["summary"])) } } } }
    }
}

fn section(tag: &Value, all: &[Operation<'_>]) -> Markup {
    html! {
        h2 { (text(&tag["name"])) }
        p { (text(&tag["description"])) }
        @for o in of_tag(tag, all) { (operation(o)) }
    }
}

fn operation(o: &Operation<'_>) -> Markup {
    let parameters = o.says["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let body = o.says["requestBody"]["content"].as_object();
    html! {
        article id=(id(o)) {
            h3 { (text(&o.says["summary"])) }
            p { code class="call" { (o.method.to_uppercase()) " " (o.path) } }
            p { (schema::prose(text(&o.says["description"]))) }
            p class="access" { (access(o.says)) }
            @if !parameters.is_empty() {
                table {
                    thead { tr { th { "parameter" } th { "in" } th { "type" } th { "meaning" } } }
                    tbody { @for p in parameters { tr {
                        td { code { (text(&p["name"])) } @if p["required"] == true { " (required)" } }
                        td { (text(&p["in"])) }
                        td { (schema::kind(&p["schema"])) }
                        td { (schema::prose(text(&p["description"]))) }
                    } } }
                }
            }
            @for (media, content) in body.into_iter().flatten() {
                p { "Body, " code { (media) } ": " (schema::kind(&content["schema"])) }
            }
            (answers(&o.says["responses"]))
        }
    }
}

fn answers(responses: &Value) -> Markup {
    html! {
        table {
            thead { tr { th { "status" } th { "meaning" } th { "answer" } } }
            tbody { @for (status, response) in responses.as_object().into_iter().flatten() { tr {
                td { @if status == "default" { "4xx, 5xx" } @else { (status) } }
                td { (schema::prose(text(&response["description"]))) }
                td { @for (media, content) in response["content"].as_object().into_iter().flatten() {
                    p { (schema::kind(&content["schema"])) " " small { (media) } }
                } }
            } } }
        }
    }
}

/// Who may ask, from what the gate decides by.
fn access(says: &Value) -> String {
    match text(&says["x-permission"]) {
        "public" => "Open to everybody.".to_owned(),
        "signed_in" => "For everybody who is signed in.".to_owned(),
        "local" => "For the holder of the token of the data directory.".to_owned(),
        permission => format!("Needs the permission {permission}."),
    }
}

fn id<'a>(o: &Operation<'a>) -> &'a str {
    text(&o.says["operationId"])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_operation_and_type_is_on_the_page() {
        let document = crate::openapi().unwrap();
        let page = super::render(document.as_bytes()).unwrap();
        let says: serde_json::Value = serde_json::from_str(&document).unwrap();
        let mut operations = 0;
        for operation in says["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
        {
            let id = operation["operationId"].as_str().unwrap();
            assert!(
                page.contains(&format!("<article id=\"{id}\">")),
                "{id}: its tag must stand in the document's list"
            );
            operations += 1;
        }
        assert!(operations > 20);
        for name in says["components"]["schemas"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("id=\"type-{name}\"")), "{name}");
        }
        assert!(!page.contains("<script") && !page.contains("style="), "the content security policy allows neither");
    }
}
