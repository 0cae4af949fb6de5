//! Every route and stream, before everybody: all roles, in the own and a foreign workspace, with every kind of foreign id.
//!
//! The routes come from the OpenAPI document, which the registry writes; what each needs stands there as `x-permission`, and who has it
//! is read from the table of permissions in `model`. A route without a need, with a path parameter that is not known here, or with a
//! body that is not known here, fails the test.

use std::collections::BTreeMap;

use netwatch_model::people::*;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::people::{Person, Place};
use crate::support::{PATIENCE, TOKEN, TestServer};

/// One operation of the document.
#[derive(Clone, Debug)]
struct Route {
    method: String,
    path: String,
    operation: String,
    need: String,
    has_body: bool,
}

fn routes() -> Vec<Route> {
    let document: Value = serde_json::from_str(&netwatch_server::openapi().unwrap()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch"] {
            let operation = &item[method];
            if !operation.is_object() {
                continue;
            }
            let text = |name: &str| operation[name].as_str().map(str::to_owned);
            let need = text("x-permission").unwrap_or_else(|| panic!("{method} {path} declares no permission"));
            let known = matches!(need.as_str(), "public" | "signed_in" | "local") || need.parse::<Permission>().is_ok();
            assert!(known, "{method} {path} needs `{need}`, which is not in the table");
            all.push(Route {
                method: method.to_uppercase(),
                path: path.clone(),
                operation: text("operationId").unwrap(),
                need,
                has_body: operation["requestBody"].is_object(),
            });
        }
    }
    assert!(all.len() > 60, "{}", all.len());
    all
}

/// Ids of a path, by the name of the parameter.
type Ids = BTreeMap<&'static str, String>;

impl Route {
    /// The path with ids in it.
    fn filled(&self, ids: &Ids) -> String {
        let mut path = self.path.clone();
        for (name, id) in ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        assert!(!path.contains('{'), "a new path parameter needs an example here: {path}");
        path
    }

    fn has_parameters(&self) -> bool {
        self.path.contains('{')
    }
}

/// Ids of nothing that exists.
fn unknown_ids() -> Ids {
    let none = "0190000000007000800000000000ffff".to_owned();
    let names = [
        "user",
        "workspace",
        "role",
        "token",
        "invitation",
        "session",
        "view",
        "probe",
        "agent",
        "maintenance",
        "passkey",
    ];
    let mut ids: Ids = names.into_iter().map(|name| (name, none.clone())).collect();
    ids.insert("id", "00000000000000ff".to_owned());
    ids.insert("address", "192.0.2.1".to_owned());
    ids.insert("provider", "nobody".to_owned());
    ids
}

/// Ids of what is in a workspace.
fn ids_of(place: &Place) -> Ids {
    let mut ids = unknown_ids();
    ids.insert("user", place.owner.user.id.to_string());
    ids.insert("workspace", place.workspace.id.to_string());
    ids.insert("role", place.role.id.to_string());
    ids.insert("token", place.token.id.to_string());
    ids.insert("invitation", place.invitation.id.to_string());
    ids.insert("view", place.view.id.to_string());
    ids.insert("probe", place.probe.id.to_string());
    ids.insert("agent", place.agent.id.to_string());
    ids.insert("maintenance", place.maintenance.id.to_string());
    ids.insert("session", place.session.to_string());
    ids.insert("passkey", place.passkey.to_string());
    ids
}

/// Somebody who asks: their headers, and what they may do in the own workspace.
struct Asker {
    name: &'static str,
    header: (&'static str, String),
    permissions: PermissionSet,
    is_local: bool,
    /// Whether a foreign workspace is open to them.
    goes_everywhere: bool,
}

impl Asker {
    fn person(name: &'static str, person: &Person, permissions: PermissionSet) -> Self {
        let goes_everywhere = person.user.site_administrator;
        Self { name, header: ("cookie", person.cookie.clone()), permissions, is_local: false, goes_everywhere }
    }

    fn may(&self, need: &str) -> bool {
        match need {
            "public" | "signed_in" => true,
            "local" => self.is_local,
            word => self.permissions.has(word.parse().unwrap()),
        }
    }
}

async fn askers(server: &TestServer, own: &Place) -> Vec<Asker> {
    let mut all = Vec::new();
    for (name, role) in [
        ("viewer", BuiltInRole::Viewer),
        ("operator", BuiltInRole::Operator),
        ("admin", BuiltInRole::Admin),
        ("owner", BuiltInRole::Owner),
    ] {
        let person = server.member(&own.workspace, name, Role::BuiltIn(role)).await;
        all.push(Asker::person(name, &person, PermissionSet::of_role(role)));
    }
    let custom = server.member(&own.workspace, "custom", Role::Custom(own.role.id)).await;
    all.push(Asker::person("custom role", &custom, own.role.permissions));
    let site = server.site_administrator("site").await;
    all.push(Asker::person("site administrator", &site, PermissionSet::all()));
    let bearer = |text: &str| ("authorization", format!("Bearer {text}"));
    all.push(Asker {
        name: "token",
        header: bearer(&own.secret),
        permissions: own.token.scopes,
        is_local: false,
        goes_everywhere: false,
    });
    all.push(Asker {
        name: "local",
        header: bearer(TOKEN),
        permissions: PermissionSet::all(),
        is_local: true,
        goes_everywhere: true,
    });
    all
}

/// The status of an answer, without waiting for the end of its body: some never end.
async fn status(server: &TestServer, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", server.address);
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        request += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let mut read = 0;
    while read < 12 || (!answer[..read].windows(4).any(|w| w == b"\r\n\r\n") && read < answer.len()) {
        let n = timeout(PATIENCE, stream.read(&mut answer[read..])).await.expect("an answer in time").unwrap();
        if n == 0 {
            break;
        }
        read += n;
    }
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    (text.get(9..12).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{method} {path}: {text:?}")), text)
}

/// A request that changes nothing, even where it is allowed: ids of nothing, a tag of nothing, no body.
async fn probe(server: &TestServer, route: &Route, asker: &Asker, workspace: Option<&Place>) -> u16 {
    let id = workspace.map(|place| place.workspace.id.to_string());
    let mut headers = vec![(asker.header.0, asker.header.1.as_str()), ("if-match", "\"nothing-0\"")];
    headers.extend(id.as_deref().map(|id| ("netwatch-workspace", id)));
    status(server, &route.method, &route.filled(&unknown_ids()), &headers, "").await.0
}

/// Routes that do something for whoever may call them, without parameters or bodies: left to tests of their own once they are allowed.
const EFFECTIVE: &[&str] = &["sign_out", "end_other_sessions", "rotate_keys", "create_code"];

#[tokio::test]
async fn every_role_gets_what_the_table_says_in_its_own_workspace() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    for asker in askers(&server, &own).await {
        for route in routes().iter().filter(|r| r.need != "public") {
            if asker.may(&route.need) && EFFECTIVE.contains(&route.operation.as_str()) {
                continue;
            }
            let status = probe(&server, route, &asker, Some(&own)).await;
            let what = format!("{} {} as {} (needs {}): {status}", route.method, route.path, asker.name, route.need);
            assert!(status != 401 && status < 500 || status == 503, "{what}");
            if !asker.may(&route.need) {
                assert_eq!(status, 403, "{what}");
            } else if route.need != "signed_in" {
                assert_ne!(status, 403, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_foreign_workspace_is_as_unknown_as_one_that_does_not_exist() {
    let server = TestServer::start().await;
    let (own, foreign) = (server.place("own").await, server.place("foreign").await);
    let before = server.state_of(&foreign);
    for asker in askers(&server, &own).await.iter().filter(|a| !a.goes_everywhere) {
        for route in routes().iter().filter(|r| r.need != "public") {
            let status = probe(&server, route, asker, Some(&foreign)).await;
            assert_eq!(status, 404, "{} {} as {} of another workspace", route.method, route.path, asker.name);
        }
    }
    assert_eq!(server.state_of(&foreign), before);
}

/// A body that fits, so that a request goes as far as it may.
fn body(operation: &str) -> &'static str {
    match operation {
        "change_member" | "put_membership" => r#"{"role":"viewer"}"#,
        "create_probe" => r#"{"name":"p","spec":{"kind":"ping","target":"192.0.2.1"}}"#,
        "change_probe" => r#"{"enabled":false}"#,
        "run_probe" => r#"{"spec":{"kind":"ping","target":"192.0.2.1","count":1}}"#,
        "change_agent"
        | "change_role"
        | "change_token"
        | "change_view"
        | "change_any_workspace"
        | "change_maintenance"
        | "rename_passkey" => r#"{"name":"Stolen"}"#,
        "remove_passkey" => "{}",
        "change_user" => r#"{"display_name":"Stolen"}"#,
        "create_user_link" => r#"{"purpose":"reset_password"}"#,
        other => panic!("`{other}` takes an id and a body: give it an example here"),
    }
}

#[tokio::test]
async fn foreign_ids_are_not_found_and_nothing_happens_to_them() {
    let server = TestServer::start().await;
    let (own, foreign) = (server.place("own").await, server.place("foreign").await);
    let before = server.state_of(&foreign);
    let mut walked = 0;
    let with_ids: Vec<Route> = routes().into_iter().filter(|r| r.has_parameters() && r.need != "public").collect();
    for route in &with_ids {
        let reach = route.need.parse::<Permission>().map(|p| p.reach());
        for (kind, ids) in foreign_ids(&own, &foreign) {
            let body = if route.has_body { body(&route.operation) } else { "" };
            let id = own.workspace.id.to_string();
            let headers = [("cookie", own.owner.cookie.as_str()), ("netwatch-workspace", &id), ("if-match", "*")];
            let (found, text) = status(&server, &route.method, &route.filled(&ids), &headers, body).await;
            let what = format!("{} {} with {kind} ids: {text}", route.method, route.path);
            match reach {
                // What reaches over the site is closed to the owner of a workspace, whatever the id.
                Ok(Reach::Site) => assert_eq!(found, 403, "{what}"),
                // Conversations and hosts are no objects of a workspace, and a malformed address is a wrong parameter.
                _ if route.path.contains("{id}") || route.path.contains("{address}") => {
                    assert!(matches!(found, 200 | 400 | 404), "{what}");
                }
                _ => assert_eq!(found, 404, "{what}"),
            }
            walked += 1;
        }
    }
    assert!(walked > 60, "{walked}");
    assert_eq!(server.state_of(&foreign), before);
}

/// Every kind of id that is not one of the own workspace.
fn foreign_ids(own: &Place, foreign: &Place) -> Vec<(&'static str, Ids)> {
    // Ids that exist in the own workspace, each in the place of another kind.
    let names = ["user", "workspace", "role", "token", "invitation", "session", "view", "agent", "passkey"];
    let ours = ids_of(own);
    let rotated = names.iter().zip(names.iter().cycle().skip(2)).map(|(name, other)| (*name, ours[other].clone()));
    let mut crossed = unknown_ids();
    crossed.extend(rotated);
    let with = |text: &str| {
        let mut ids = unknown_ids();
        names.iter().for_each(|name| _ = ids.insert(name, text.to_owned()));
        ids
    };
    vec![
        ("foreign", ids_of(foreign)),
        ("unknown", unknown_ids()),
        ("crossed", crossed),
        ("malformed", with("x")),
        ("upper-case", with(&own.role.id.to_string().to_uppercase())),
        ("hostile", with("..%2f..%2fetc%2fpasswd")),
    ]
}

#[tokio::test]
async fn the_stream_opens_in_the_own_workspace_alone() {
    let server = TestServer::start().await;
    let (own, foreign) = (server.place("own").await, server.place("foreign").await);
    let upgrade = [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for asker in askers(&server, &own).await {
        for (place, is_open) in [(&own, true), (&foreign, asker.goes_everywhere)] {
            let path = format!("/api/v1/stream?workspace={}", place.workspace.id);
            let mut headers = vec![(asker.header.0, asker.header.1.as_str())];
            headers.extend(upgrade);
            let (status, text) = open(&server, &path, &headers).await;
            let expected = match (is_open, asker.permissions.has(Permission::TrafficRead)) {
                (false, _) => 404,
                (true, false) => 403,
                (true, true) => 101,
            };
            assert_eq!(status, expected, "{} in {}: {text}", asker.name, place.workspace.name);
        }
    }
}

/// Like [`status`], without a second `Connection` header.
async fn open(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", server.address);
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let n = timeout(PATIENCE, stream.read(&mut answer)).await.expect("an answer in time").unwrap();
    let text = String::from_utf8_lossy(&answer[..n]).into_owned();
    (text.get(9..12).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{path}: {text:?}")), text)
}
