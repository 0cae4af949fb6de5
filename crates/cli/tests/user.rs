//! `netwatch user` against a running server: what an administrator on the machine needs when nobody can sign in.

#[path = "support/sandbox.rs"]
mod sandbox;
#[path = "support/server.rs"]
mod server;

use rustix::process::Signal;
use sandbox::{Said, Sandbox, text};
use serde_json::{Value, json};
use server::{Up, up};

/// A running server and the command that is tested.
struct Site<'a> {
    sandbox: &'a Sandbox,
    up: Up<'a>,
}

impl<'a> Site<'a> {
    fn start(sandbox: &'a Sandbox) -> Self {
        let file = sandbox.capture("truth");
        Self { sandbox, up: Up::start(sandbox, up(sandbox, &["--read", text(&file)])) }
    }

    fn user(&self, arguments: &[&str]) -> Said {
        let data = self.sandbox.path("data");
        self.sandbox.run(&[&["user"], arguments, &["--server", &self.up.url, "--data-dir", text(&data)]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        self.user(&[arguments, &["--format", "json"]].concat()).exits(0).json_lines()
    }

    /// Asks the API as a stranger.
    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let url = format!("{}{path}", self.up.url);
        let arguments = ["-s", "-w", "\n%{http_code}", "-H", "Content-Type: application/json", "-d", &body, &url];
        let said = std::process::Command::new("curl").args(arguments).output().expect("curl is there");
        let answer = String::from_utf8(said.stdout).expect("UTF-8");
        let (body, status) = answer.rsplit_once('\n').expect("a status");
        (status.parse().expect("a number"), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn end(self) {
        self.up.send(Signal::TERM);
        self.up.end().exits(0);
    }
}

/// The code of a link.
fn code(link: &Value) -> String {
    let path = link["path"].as_str().expect("a path");
    assert!(link["link"].as_str().expect("a link").ends_with(path), "{link}");
    path.split_once('#').expect("a code").1.to_owned()
}

const PASSWORD: &str = "quartz violin lantern 42";

#[test]
fn who_is_locked_out_gets_in_again() {
    let sandbox = Sandbox::new();
    let site = Site::start(&sandbox);
    assert!(site.json(&["list"]).is_empty(), "nobody is there yet");
    let made = site.json(&["add", "Ada", "--email", "ada@example.org", "--administrator", "--role", "owner"]);
    assert_eq!(made[0]["user"], "ada");
    let chosen = json!({"code": code(&made[0]), "password": PASSWORD});
    assert_eq!(site.post("/api/v1/password-reset", &chosen).0, 204);
    let sign_in = json!({"name": "ada", "password": PASSWORD});
    assert_eq!(site.post("/api/v1/sign-in", &sign_in).0, 200);
    assert_eq!(site.post("/api/v1/password-reset", &chosen).0, 410, "a link is good once");

    let all = site.json(&["list"]);
    assert_eq!(all.len(), 1);
    let (ada, words) = (&all[0], ["name", "email", "site_administrator", "disabled", "credentials", "workspaces"]);
    let seen: Vec<&Value> = words.iter().map(|word| &ada[word]).collect();
    assert_eq!(json!(seen), json!(["ada", "ada@example.org", true, false, ["password"], 1]));

    // She forgot it.
    let again = site.user(&["reset", "ada"]).exits(0);
    assert!(again.out.contains("/reset#") && again.out.contains("For ada, once, until"), "{}", again.out);
    let link = again.out.lines().next().and_then(|l| l.split_once('#')).expect("a link").1.to_owned();
    let other = json!({"code": link, "password": "another lantern in quartz"});
    assert_eq!(site.post("/api/v1/password-reset", &other).0, 204);
    assert_eq!(site.post("/api/v1/sign-in", &sign_in).0, 401, "the old one is good no more");
    site.end();
}

#[test]
fn users_are_disabled_and_enabled_and_addresses_verified() {
    let sandbox = Sandbox::new();
    let site = Site::start(&sandbox);
    site.json(&["add", "ada", "--administrator"]);
    let note = site.user(&["add", "bob", "--email", "bob@example.org"]).exits(0);
    assert!(note.out.contains("no workspace"), "{}", note.out);
    let verified = json!({"code": code(&site.json(&["verify", "bob"])[0])});
    assert_eq!(site.post("/api/v1/email-verification", &verified).0, 204);
    assert_eq!(site.json(&["list", "bob"])[0]["email_verified"], true);

    assert_eq!(site.json(&["disable", "bob"])[0]["disabled"], true);
    let listed = site.user(&["list"]).exits(0);
    assert!(listed.out.lines().any(|l| l.starts_with("bob") && l.contains("disabled")), "{}", listed.out);
    assert_eq!(site.json(&["enable", "bob"])[0]["disabled"], false);
    site.user(&["disable", "ada"]).exits(1).complains("last site administrator");
    site.end();
}

#[test]
fn what_cannot_be_is_said() {
    let sandbox = Sandbox::new();
    let site = Site::start(&sandbox);
    site.json(&["add", "ada"]);
    site.user(&["add", "ada"]).exits(1).complains("another user has this name");
    site.user(&["add", "a b"]).exits(2).complains("is not a user name");
    site.user(&["reset", "bob"]).exits(2).complains("netwatch user list");
    site.user(&["reset", "ad"]).exits(2).complains("no user ad");
    site.user(&["verify", "ada"]).exits(1).complains("no address");
    site.user(&["add", "eve", "--role", "king"]).exits(2).complains("role");
    let csv = site.user(&["list", "--format", "csv"]).exits(0);
    assert!(csv.out.starts_with("id,name,display_name,"), "{}", csv.out);
    site.end();
    let nobody = sandbox.run(&["user", "list", "--data-dir", text(&sandbox.path("data")), "--server", "127.0.0.1:1"]);
    nobody.exits(1).complains("no server answers");
}
