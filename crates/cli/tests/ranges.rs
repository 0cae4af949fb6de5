//! `netwatch ranges` against a running server: what goes in comes out, and what is wrong changes nothing.

#[path = "support/sandbox.rs"]
mod sandbox;
#[path = "support/server.rs"]
mod server;

use std::fs;

use rustix::process::Signal;
use sandbox::{Said, Sandbox, text};
use serde_json::Value;
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

    fn ranges(&self, arguments: &[&str]) -> Said {
        let data = self.sandbox.path("data");
        self.sandbox.run(&[&["ranges"], arguments, &["--server", &self.up.url, "--data-dir", text(&data)]].concat())
    }

    fn import(&self, csv: &str, more: &[&str]) -> Said {
        let file = self.sandbox.path("ranges.csv");
        fs::write(&file, csv).expect("the file is written");
        self.ranges(&[&["import", text(&file)], more].concat())
    }

    /// What `export` prints, without the heading and what ends a line.
    fn lines(&self, more: &[&str]) -> Vec<String> {
        let out = self.ranges(&[&["export"], more].concat()).exits(0).out;
        out.lines().skip(1).map(|line| line.trim_end().to_owned()).collect()
    }

    /// A new workspace; its id.
    fn workspace(&self, name: &str) -> String {
        let token = fs::read_to_string(self.sandbox.path("data").join("token")).expect("a token");
        let (bearer, url) =
            (format!("Authorization: Bearer {}", token.trim()), format!("{}/api/v1/workspaces", self.up.url));
        let body = format!(r#"{{"name":"{name}"}}"#);
        let arguments = ["-s", "-H", &bearer, "-H", "Content-Type: application/json", "-d", &body, &url];
        let said = std::process::Command::new("curl").args(arguments).output().expect("curl is there");
        let made: Value = serde_json::from_slice(&said.stdout).expect("JSON");
        made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }
}

#[test]
fn ranges_go_in_and_come_out_for_each_workspace() {
    let sandbox = Sandbox::new();
    let site = Site::start(&sandbox);
    assert!(site.lines(&[]).is_empty());
    let said = site.import("# ours\n10.1.0.0/16,Office\n2001:db8::/32,\"Lab, new\"\n", &[]).exits(0);
    assert_eq!(said.out, "2 address ranges have a name now\n");
    let mut lines = site.lines(&[]);
    lines.sort();
    assert_eq!(lines, ["10.1.0.0/16,Office", "2001:db8::/32,\"Lab, new\""]);
    // What came out goes in again.
    let whole = site.ranges(&["export"]).exits(0).out;
    assert_eq!(site.import(&whole, &[]).exits(0).out, said.out);

    let branch = site.workspace("Branch office");
    assert_eq!(
        site.import("10.2.0.0/16,Branch\n", &["--workspace", "Branch office"]).exits(0).out,
        "1 address range has a name now\n"
    );
    assert_eq!(site.lines(&["--workspace", &branch]), ["10.2.0.0/16,Branch"]);
    assert_eq!(site.lines(&["--workspace", "Home"]).len(), 2, "each workspace has its own");
    site.up.send(Signal::TERM);
    site.up.end().exits(0);
}

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let sandbox = Sandbox::new();
    let site = Site::start(&sandbox);
    site.import("10.1.0.0/16,Office\n", &[]).exits(0);
    site.import("10.1.0.0/16,Office\nnot a network,X\n", &[]).exits(2).complains("line 2");
    assert_eq!(site.lines(&[]), ["10.1.0.0/16,Office"]);
    site.ranges(&["import", "/nonexistent.csv"]).exits(1).complains("cannot be read");
    site.import("", &["--workspace", "Brunch"]).exits(2).complains("there are Home");
    site.import("", &["--workspace", &"0".repeat(32)]).exits(1).complains("no such workspace");
    assert_eq!(site.lines(&[]).len(), 1);
    site.up.send(Signal::TERM);
    site.up.end().exits(0);
}
