//! `netwatch backup` and `netwatch restore`, while the server runs and when it is stopped.

#[path = "support/sandbox.rs"]
mod sandbox;
#[path = "support/server.rs"]
mod server;

use rustix::process::Signal;
use sandbox::{Sandbox, text};
use server::{Up, up};

/// What is in the audit log, by the API.
fn audit(sandbox: &Sandbox, url: &str) -> serde_json::Value {
    let token = std::fs::read_to_string(sandbox.path("data/token")).expect("the token of the directory");
    let authorization = format!("Authorization: Bearer {}", token.trim());
    let url = format!("{url}/api/v1/site/audit");
    let said =
        std::process::Command::new("curl").args(["-s", "-H", &authorization, &url]).output().expect("curl is there");
    serde_json::from_slice(&said.stdout).expect("JSON")
}

fn actions(log: &serde_json::Value) -> Vec<&str> {
    log["items"].as_array().expect("a page").iter().filter_map(|r| r["action"].as_str()).collect()
}

#[test]
fn a_backup_of_a_running_server_is_put_back_into_it() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let up = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    let (data, tar) = (sandbox.path("data"), sandbox.path("monday.tar"));
    let common = ["--server", up.url.as_str(), "--data-dir", text(&data)];
    let said = sandbox.run(&[&["backup", text(&tar)], &common[..]].concat()).exits(0);
    assert!(
        said.out.contains("monday.tar") && said.out.contains("1 workspaces") && said.out.contains("secrets.key"),
        "{}",
        said.out
    );
    sandbox.run(&[&["backup", text(&tar)], &common[..]].concat()).exits(2).complains("is not overwritten");
    let restored = sandbox.run(&[&["restore", text(&tar)], &common[..]].concat()).exits(0);
    assert!(restored.out.contains("before-restore-"), "{}", restored.out);
    let log = audit(&sandbox, &up.url);
    assert_eq!(actions(&log).first(), Some(&"backup.restored"), "{log}");
    let rotated = sandbox.run(&[&["rotate-keys"], &common[..]].concat()).exits(0);
    assert!(rotated.out.contains("0 secrets"), "{}", rotated.out);
    assert_eq!(std::fs::read_to_string(sandbox.path("data/secrets.key")).unwrap().lines().count(), 2);
    let cut = sandbox.file("cut.tar", &std::fs::read(&tar).unwrap()[..3000]);
    sandbox.run(&[&["restore", text(&cut)], &common[..]].concat()).exits(2).complains("no backup that can be restored");
    // Without --server the directory is found to be in use, and nobody answers at the usual port.
    let elsewhere = sandbox.run(&["backup", text(&sandbox.path("x.tar")), "--data-dir", text(&data)]);
    assert!(elsewhere.code == Some(1) && elsewhere.err.contains("--server"), "{elsewhere:?}");
    assert!(!sandbox.path("x.tar").exists() && !sandbox.path("x.tar.part").exists());
    up.send(Signal::TERM);
    up.end().exits(0);
}

#[test]
fn a_damaged_database_stops_the_start_and_its_copy_brings_it_back() {
    let sandbox = Sandbox::new();
    let (file, data) = (sandbox.capture("truth"), sandbox.path("data"));
    let first = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    first.send(Signal::TERM);
    first.end().exits(0);
    let tar = sandbox.path("stopped.tar");
    sandbox.run(&["backup", text(&tar), "--data-dir", text(&data)]).exits(0);
    let database = sandbox.path("data/entities.db");
    let mut bytes = std::fs::read(&database).unwrap();
    // The second page: the root of the first table.
    bytes[4096..4096 + 512].fill(0xa5);
    std::fs::write(&database, &bytes).unwrap();
    let said = sandbox::Said::from(up(&sandbox, &["--read", text(&file)]).output().unwrap()).exits(1);
    let said = said.complains("entities.db is damaged").complains("netwatch restore");
    assert!(!said.out.contains("http://"), "it does not start: {}", said.out);
    assert_eq!(std::fs::read(&database).unwrap(), bytes, "it is left as it was found");
    let restored = sandbox.run(&["restore", text(&tar), "--data-dir", text(&data)]).exits(0);
    assert!(restored.out.contains("entities.db.replaced-"), "{}", restored.out);
    let again = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    assert!(actions(&audit(&sandbox, &again.url)).contains(&"workspace.created"));
    again.send(Signal::TERM);
    again.end().exits(0);
}

#[test]
fn what_is_no_directory_or_backup_is_said() {
    let sandbox = Sandbox::new();
    let nowhere = sandbox.path("nowhere");
    let said = sandbox.run(&["backup", "--data-dir", text(&nowhere)]).exits(2);
    said.complains("has no entity database");
    assert!(!nowhere.exists(), "nothing is made by looking");
    let text_file = sandbox.file("notes.txt", "not a backup");
    let said = sandbox.run(&["restore", text(&text_file), "--data-dir", text(&nowhere)]).exits(2);
    said.complains("notes.txt cannot be restored");
    sandbox.run(&["restore", "missing.tar", "--data-dir", text(&nowhere)]).exits(1).complains("missing.tar");
}
