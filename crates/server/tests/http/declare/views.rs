//! Shared views in a file.

use netwatch_model::people::{BuiltInRole, Role, View};
use serde_json::{Value, json};

use super::{apply, ask, audited, changes, exported, file, must, told};
use crate::people::Person;
use crate::support::TestServer;

const VIEWS: &str = "/api/v1/views";

fn views(list: &[(&str, &str, &str)]) -> Value {
    let list = list.iter().map(|(page, name, query)| json!({"page": page, "name": name, "query": query}));
    file("views", &list.collect())
}

async fn find(server: &TestServer, who: &Person, name: &str) -> Value {
    let page = must(&ask(server, who, "GET", VIEWS, Value::Null).await, 200);
    page["items"].as_array().unwrap().iter().find(|view| view["name"] == name).cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_all_members_see_is_written_and_what_people_keep_is_not() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let private = json!({"name": "Mine", "page": "history", "query": "dims=port"});
    must(&ask(&server, &own.owner, "POST", VIEWS, private).await, 201);
    let shared = json!([{"page": "history", "name": "Names", "query": "dims=source"}]);
    assert_eq!(exported(&server, &own.owner, "views").await, shared);

    let both = views(&[("history", "Names", "dims=source"), ("traffic", "Names", "q=dns")]);
    let applied = apply(&server, &own.owner, "", &both).await;
    assert_eq!(changes(&applied), told(&[("adopt", "history/Names"), ("create", "traffic/Names")]));
    let changed = views(&[("history", "Names", "dims=source"), ("traffic", "Names", "q=smtp")]);
    let dry = apply(&server, &own.owner, "&dry_run=true", &changed).await;
    let fields = json!([{"field": "query", "before": "\"q=dns\"", "after": "\"q=smtp\""}]);
    assert_eq!((changes(&dry), &dry.json()["changes"][0]["fields"]), (told(&[("change", "traffic/Names")]), &fields));
    apply(&server, &own.owner, "", &changed).await;
    let (records, before, after) = audited(&server, &own.owner, "view.changed").await;
    assert_eq!((records, before, after), (3, json!({"query": "q=dns"}), json!({"query": "q=smtp"})));

    let one = views(&[("history", "Names", "dims=source")]);
    let pruned = apply(&server, &own.owner, "&prune=true", &one).await;
    assert_eq!(changes(&pruned), told(&[("remove", "traffic/Names")]));
    assert_eq!(find(&server, &own.owner, "Mine").await["shared"], false, "what people keep for themselves stays");
}

#[tokio::test]
async fn what_a_file_owns_nobody_edits_and_nobody_takes_away() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    apply(&server, &own.owner, "", &views(&[("history", "Backups", "dims=port")])).await;
    let view = find(&server, &own.owner, "Backups").await;
    assert_eq!((&view["managed_by"], &view["shared"]), (&json!("team.yaml"), &json!(true)));
    assert_eq!(
        (&view["owner"], &view["owner_name"]),
        (&Value::Null, &Value::Null),
        "it is nobody's, and leaves with nobody"
    );
    let path = format!("{VIEWS}/{}", view["id"].as_str().unwrap());
    for change in [json!({"name": "Other"}), json!({"query": ""}), json!({"shared": false})] {
        ask(&server, &own.owner, "PATCH", &path, change).await.assert_problem("managed_by_file");
    }
    ask(&server, &own.owner, "DELETE", &path, Value::Null).await.assert_problem("managed_by_file");

    // One that was shared by hand and taken over cannot be taken back by its owner either.
    let ada = server.member(&own.workspace, "ada", Role::BuiltIn(BuiltInRole::Operator)).await;
    let hers = json!({"name": "Hers", "page": "series", "shared": true});
    let hers = must(&ask(&server, &ada, "POST", VIEWS, hers).await, 201);
    let taken = apply(&server, &own.owner, "", &views(&[("series", "Hers", "")])).await;
    assert_eq!(changes(&taken), told(&[("adopt", "series/Hers")]));
    let path = format!("{VIEWS}/{}", hers["id"].as_str().unwrap());
    ask(&server, &ada, "PATCH", &path, json!({"shared": false})).await.assert_problem("managed_by_file");
    // When she is gone it is gone, and the file makes it again; nobody else puts another in its place.
    let (workspace, id) = (own.workspace.id, hers["id"].as_str().unwrap().parse().unwrap());
    server.put(move |tx| tx.delete::<View>(workspace, id, None).map(drop)).await;
    let other = json!({"name": "Hers", "page": "series", "shared": true});
    ask(&server, &ada, "POST", VIEWS, other).await.assert_problem("managed_by_file");
    let again = apply(&server, &own.owner, "", &views(&[("series", "Hers", "")])).await;
    assert_eq!(changes(&again), told(&[("create", "series/Hers")]));
}

#[tokio::test]
async fn no_two_shared_views_of_a_page_have_the_same_name() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    let new = |page: &str, shared: bool| json!({"name": "names", "page": page, "shared": shared});
    let taken = ask(&server, &own.owner, "POST", VIEWS, new("history", true)).await;
    taken.assert_problem("conflict");
    assert_eq!(taken.json()["parameter"], "name", "{}", taken.body);
    must(&ask(&server, &own.owner, "POST", VIEWS, new("traffic", true)).await, 201);
    let private = must(&ask(&server, &own.owner, "POST", VIEWS, new("history", false)).await, 201);
    let path = format!("{VIEWS}/{}", private["id"].as_str().unwrap());
    ask(&server, &own.owner, "PATCH", &path, json!({"shared": true})).await.assert_problem("conflict");
    let renamed = json!({"name": "Others", "shared": true});
    must(&ask(&server, &own.owner, "PATCH", &path, renamed).await, 200);
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place() {
    let server = TestServer::start().await;
    let own = server.place("own").await;
    for (view, place) in [
        (json!({"page": "settings", "name": "a"}), "objects.views[0].page"),
        (json!({"page": "history", "name": ""}), "objects.views[0].name"),
        (json!({"page": "history", "name": "a", "query": "a b"}), "objects.views[0].query"),
        (json!({"page": "history", "name": "a", "shared": false}), "objects.views[0].shared"),
    ] {
        let refused = apply(&server, &own.owner, "", &file("views", &json!([view]))).await;
        refused.assert_problem("invalid_parameter");
        assert_eq!(refused.json()["parameter"], place, "{}", refused.body);
    }
}
