//! A running Netwatch is steered: the levels of its log, and its configuration read again.

#[path = "support/sandbox.rs"]
mod sandbox;
#[path = "support/server.rs"]
mod server;

use std::time::Duration;

use rustix::process::Signal;
use sandbox::{Said, Sandbox, text};
use server::{PATIENCE, Up, up};

/// A command that asks the server.
fn ask(sandbox: &Sandbox, up: &Up<'_>, arguments: &[&str]) -> Said {
    let data = sandbox.path("data");
    sandbox.run(&[arguments, &["--server", &up.url, "--data-dir", text(&data)]].concat())
}

/// Asks for the level until it is as it must be.
#[track_caller]
fn wait_for_level(sandbox: &Sandbox, up: &Up<'_>, wanted: &str) {
    let mut last = String::new();
    for _ in 0..PATIENCE.as_millis() / 50 {
        last = ask(sandbox, up, &["log-level"]).exits(0).out;
        if last.contains(wanted) {
            return;
        }
        // waits: for the condition above, up to `PATIENCE` in all.
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("expected {wanted}, found {last}");
}

#[test]
fn the_configuration_is_read_again_whole_or_not_at_all() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let config = sandbox.file("etc/netwatch.yaml", "log: {level: info}\n");
    let up = Up::start(&sandbox, up(&sandbox, &["--read", text(&file), "--config", text(&config)]));
    wait_for_level(&sandbox, &up, "netwatch=info");

    // By hand.
    assert_eq!(
        ask(&sandbox, &up, &["log-level", "warn,netwatch_server=debug"]).exits(0).out.matches("debug").count(),
        1
    );
    ask(&sandbox, &up, &["log-level", "=,="]).exits(2).complains("is not a log filter");

    // A file that changes is seen.
    sandbox.file("etc/new", "log: {level: warn}\nflows: {capacity: 2000}\n");
    std::fs::rename(sandbox.path("etc/new"), &config).unwrap();
    wait_for_level(&sandbox, &up, "netwatch=warn");
    let said = ask(&sandbox, &up, &["reload"]).exits(0).out;
    assert_eq!(said, "flows.capacity: 1000000 -> 2000 (waits for a restart)\n");

    // A wrong one changes nothing.
    sandbox.file("etc/netwatch.yaml", "log: {level: error}\nflows: {capcity: 2000}\n");
    ask(&sandbox, &up, &["reload"]).exits(2).complains("did you mean `capacity`?");
    assert!(ask(&sandbox, &up, &["log-level"]).exits(0).out.contains("netwatch=warn"));

    // A directory that nobody watches, and a signal.
    sandbox.file("etc/netwatch.yaml", "log: {level: warn}\n");
    sandbox.file("etc/conf.d/10.yaml", "log: {level: error}\n");
    up.send(Signal::HUP);
    wait_for_level(&sandbox, &up, "netwatch=error");

    // What probes may measure.
    sandbox.file("etc/conf.d/10.yaml", "log: {level: info}\nprobes: {allow: [127.0.0.0/8], deny: [192.0.2.0/24]}\n");
    up.send(Signal::HUP);
    wait_for_level(&sandbox, &up, "netwatch=info");
    assert_eq!(ask(&sandbox, &up, &["reload"]).exits(0).out, "nothing has changed\n", "it holds");

    up.send(Signal::TERM);
    let said = up.end().exits(0);
    assert!(said.err.contains("a setting changed that waits for a restart"), "{}", said.err);
    let is_applied = |key: &str| said.err.lines().any(|line| line.contains(key) && !line.contains("waits"));
    assert!(is_applied("probes.allow") && is_applied("probes.deny"), "{}", said.err);
    assert!(!said.err.contains("ERROR"), "{}", said.err);
}
