//! A running `netwatch up`.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Said, Sandbox, text};

/// Longest wait for something that must become so.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running `netwatch up`.
pub struct Up<'a> {
    sandbox: &'a Sandbox,
    pub child: Child,
    /// `http://address`.
    pub url: String,
    /// The line that was printed.
    pub line: String,
}

impl<'a> Up<'a> {
    /// Starts it and waits for its line.
    pub fn start(sandbox: &'a Sandbox, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("netwatch starts");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let url = line.split_whitespace().find_map(|w| w.strip_prefix("http://")).and_then(|u| u.split('/').next());
        let Some(url) = url.map(|authority| format!("http://{authority}")) else {
            let said = Said::from(child.wait_with_output().expect("netwatch ends"));
            panic!("no link in {line:?}: {said:?}");
        };
        Self { sandbox, child, url, line }
    }

    /// `netwatch flows` of this server.
    pub fn flows(&self, more: &[&str]) -> Vec<serde_json::Value> {
        let data = self.sandbox.path("data");
        let ask = ["flows", "--server", &self.url, "--data-dir", text(&data), "--format", "json"];
        self.sandbox.run(&[&ask, more].concat()).exits(0).json_lines()
    }

    /// Asks again until the flows are as they must be.
    #[track_caller]
    pub fn wait_for(&self, what: &str, more: &[&str], fits: impl Fn(&[serde_json::Value]) -> bool) {
        let mut last = Vec::new();
        for _ in 0..PATIENCE.as_millis() / 50 {
            last = self.flows(more);
            if fits(&last) {
                return;
            }
            // waits: for the condition above, up to `PATIENCE` in all.
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{what}: {last:#?}");
    }

    pub fn send(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits for the end; killed when it takes longer than promised.
    pub fn end(mut self) -> Said {
        for _ in 0..10_000 / 20 {
            if self.child.try_wait().expect("a child").is_some() {
                return Said::from(self.child.wait_with_output().expect("a child"));
            }
            // waits: for the end, up to the ten seconds that are promised.
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().expect("it runs");
        panic!("not ended within 10 s");
    }
}

/// `netwatch up` on a free port with a directory of its own.
pub fn up(sandbox: &Sandbox, more: &[&str]) -> Command {
    let data = sandbox.path("data");
    sandbox.command(&[&["up", "--listen", "127.0.0.1:0", "--data-dir", text(&data)], more].concat())
}
