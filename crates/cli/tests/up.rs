//! `netwatch up` on capture files and on loopback: it answers, it is confined, and it ends in order.

#[path = "support/sandbox.rs"]
mod sandbox;
#[path = "support/server.rs"]
mod server;

use std::io::Read as _;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use sandbox::{Sandbox, text};
use server::{PATIENCE, Up, up};

/// What identifies a flow and what it carried.
fn key(flow: &serde_json::Value) -> String {
    let fields = ["source", "source_port", "destination", "destination_port", "protocol", "start", "octets", "packets"];
    fields.map(|f| flow[f].to_string()).join(" ")
}

#[test]
fn a_file_through_server_and_agent_is_the_file() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let keys = |flows: &[serde_json::Value]| {
        let mut keys: Vec<String> = flows.iter().map(key).collect();
        keys.sort();
        keys
    };
    let expected = keys(&sandbox.run(&["flows", "--read", text(&file), "--format", "json"]).exits(0).json_lines());
    let up = Up::start(&sandbox, up(&sandbox, &["--read", text(&file), "--speed", "max"]));
    assert!(up.line.starts_with("Netwatch shows ") && up.line.contains("/start#"), "{}", up.line);
    up.wait_for("the same flows", &[], |flows| keys(flows) == expected);
    up.wait_for("filtered by the server", &["--filter", "udp"], |flows| {
        !flows.is_empty() && flows.len() < expected.len() && flows.iter().all(|f| f["protocol"] == 17)
    });
    let wrong = sandbox.run(&["flows", "--server", &up.url, "--token", "wrong-token-0123456789"]).exits(1);
    wrong.complains("does not accept the token");
    up.send(Signal::TERM);
    let said = up.end().exits(0);
    assert!(!said.err.contains("ERROR"), "{}", said.err);
}

#[test]
fn a_file_that_only_the_old_rights_could_open_is_read() {
    if !rustix::process::geteuid().is_root() {
        sandbox::skip("only root gives up rights over the files of others");
        return;
    }
    let sandbox = Sandbox::new();
    let file = sandbox.file("private/truth.pcap", netwatch_testkit::corpus::case("truth").file());
    for path in [file.as_path(), file.parent().unwrap()] {
        std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    let up = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    up.wait_for("its flows", &[], |flows| flows.len() > 3);
    up.send(Signal::TERM);
    up.end().exits(0);
}

#[test]
fn two_signals_end_it() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let up = Up::start(&sandbox, up(&sandbox, &["--read", text(&file), "--speed", "1x"]));
    up.send(Signal::INT);
    up.send(Signal::INT);
    let said = up.end();
    assert!(matches!(said.code, Some(0 | 130)), "{said:?}");
}

#[test]
fn a_file_cut_short_is_shown_as_far_as_it_goes() {
    let sandbox = Sandbox::new();
    let bytes = std::fs::read(sandbox.capture("truth")).unwrap();
    let file = sandbox.file("cut.pcap", &bytes[..bytes.len() - 7]);
    let up = Up::start(&sandbox, up(&sandbox, &["--read", text(&file)]));
    up.wait_for("the flows before the cut", &[], |flows| flows.len() > 3);
    up.send(Signal::TERM);
    up.end().exits(0).complains("cut.pcap ends within");
}

#[test]
fn the_process_that_serves_has_no_rights() {
    let sandbox = Sandbox::new();
    let up = Up::start(&sandbox, up(&sandbox, &["--interface", "lo"]));
    let mut status = String::new();
    let path = format!("/proc/{}/status", up.child.id());
    std::fs::File::open(path).unwrap().read_to_string(&mut status).unwrap();
    let field =
        |name: &str| status.lines().find_map(|l| l.strip_prefix(name)).map(str::trim).unwrap_or_default().to_owned();
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(field(set), "0000000000000000", "{set}");
    }
    assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), ("1".to_owned(), "2".to_owned()));
    up.send(Signal::TERM);
    up.end().exits(0);
}

#[test]
fn without_the_right_it_starts_and_says_the_command() {
    if !rustix::process::geteuid().is_root() {
        sandbox::skip("only root can take the right to capture away from a child");
        return;
    }
    let sandbox = Sandbox::new();
    let plain = up(&sandbox, &["--interface", "lo"]);
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]).arg(plain.get_program());
    command.args(plain.get_args()).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", sandbox.folder.path());
    let up = Up::start(&sandbox, command);
    let token = std::fs::read_to_string(sandbox.path("data/token")).unwrap();
    let mut events = String::new();
    for _ in 0..PATIENCE.as_millis() / 50 {
        let authorization = format!("Authorization: Bearer {}", token.trim());
        let url = format!("{}/api/v1/events", up.url);
        let output = Command::new("curl").args(["-s", "-H", &authorization, &url]).output().expect("curl is there");
        events = String::from_utf8(output.stdout).unwrap();
        if events.contains("capture_denied") {
            break;
        }
        // waits: for the event, up to `PATIENCE` in all.
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(events.contains("capture_denied") && events.contains("setcap"), "{events}");
    up.send(Signal::TERM);
    up.end().exits(0).complains("sudo setcap cap_net_raw").complains("--read FILE");
}
