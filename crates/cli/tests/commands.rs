//! Small commands, configuration, and everything that is refused before anything is started.

#[path = "support/sandbox.rs"]
mod sandbox;

use std::net::TcpListener;

use sandbox::{Sandbox, text};

#[test]
fn version_says_what_was_built() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["version", "--format", "json"]).exits(0);
    let version = &said.json_lines()[0];
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["target"].as_str().is_some_and(|t| t.ends_with("-linux")), "{version}");
    assert!(sandbox.run(&["version"]).exits(0).out.starts_with(concat!("netwatch ", env!("CARGO_PKG_VERSION"))));
    assert!(sandbox.run(&["--version"]).exits(0).out.starts_with("netwatch "));
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.run(&["completions", shell]).exits(0).out;
        assert!(script.contains("doctor") && script.contains("capture-filter"), "{shell}");
    }
    sandbox.run(&["man", "pages/deep"]).exits(0);
    for page in ["netwatch.1", "netwatch-up.1", "netwatch-config-show.1"] {
        let path = sandbox.path("pages/deep").join(page);
        assert!(std::fs::read_to_string(&path).is_ok_and(|t| t.contains(".TH")), "{}", path.display());
    }
}

#[test]
fn configuration_is_checked_with_place_and_nearest_key() {
    let sandbox = Sandbox::new();
    sandbox.run(&["config", "check"]).exits(0);
    let bad = sandbox.file("bad.yaml", "capture:\n  interface: [eth0]\n");
    let said = sandbox.run(&["config", "check", "--config", text(&bad)]).exits(2);
    said.complains("bad.yaml:2:3: unknown key in capture: `interface`: did you mean `interfaces`?");
    for command in ["up", "flows", "top"] {
        sandbox.run(&[command, "--config", text(&bad)]).exits(2).complains("bad.yaml:2:3");
    }
    let filter = sandbox.file("filter.yaml", "capture:\n  filter: tcp prot 80\n");
    sandbox.run(&["config", "check", "--config", text(&filter)]).exits(2).complains("tcp prot 80");
    sandbox.run(&["config", "check", "--config", "missing.yaml"]).exits(2).complains("missing.yaml: cannot be read");
}

#[test]
fn configuration_is_shown_with_its_origin_and_without_secrets() {
    let sandbox = Sandbox::new();
    sandbox.file(".config/netwatch/netwatch.yaml", "capture:\n  workers: 3\n");
    sandbox.file(".config/netwatch/conf.d/10.yaml", "flows:\n  tcp_timeout: 90s\n");
    let mut command = sandbox.command(&["config", "show", "--origin", "-v"]);
    command.env("NETWATCH_TOKEN", "0123456789abcdef-secret").env("NETWATCH_CAPTURE__PROMISCUOUS", "yes");
    let said = sandbox::Said::from(command.output().unwrap()).exits(0);
    for line in [
        "workers: 3  # ",
        "netwatch.yaml:2:12",
        "tcp_timeout: 90s  # ",
        "conf.d/10.yaml:2:16",
        "promiscuous: true  # variable NETWATCH_CAPTURE__PROMISCUOUS",
        "level: debug  # --log",
        "listen: \"127.0.0.1:8470\"  # default",
        "token: (hidden)",
    ] {
        assert!(said.out.contains(line), "{line} is missing in:\n{}", said.out);
    }
    assert!(!said.out.contains("abcdef-secret"));
    let schema: serde_json::Value = serde_json::from_str(&sandbox.run(&["config", "schema"]).exits(0).out).unwrap();
    assert_eq!(schema["properties"]["server"]["properties"]["listen"]["default"], "127.0.0.1:8470");
    assert_eq!(sandbox.run(&["config", "sample"]).exits(0).out, include_str!("../netwatch.sample.yaml"));
}

#[test]
fn what_cannot_start_says_why_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let capture = sandbox.capture("truth");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = sandbox.path("data");
    let up = |more: &[&str]| sandbox.run(&[&["up", "--data-dir", text(&data)], more].concat());
    up(&["--interface", "lo0", "--listen", "127.0.0.1:0"])
        .exits(2)
        .complains("there is no interface lo0")
        .complains("did you mean lo?")
        .complains("this machine has ");
    up(&["--read", text(&capture), "--listen", &address]).exits(1).complains(&address).complains("--listen");
    up(&["--read", "missing.pcap", "--listen", "127.0.0.1:0"]).exits(1).complains("missing.pcap");
    up(&["--interface", "lo", "--capture-filter", "tcp prot"]).exits(2).complains("tcp prot");
    up(&["--listen", "localhost"]).exits(2).complains("--listen: server.listen: `localhost` is no address with port");
    up(&["--interface", "lo", "--read", text(&capture)]).exits(2).complains("--interface");
    up(&["--speed", "1x"]).exits(2).complains("--read");
    up(&["--read", text(&capture), "--speed", "fast"]).exits(2).complains("fast");
    assert!(!data.exists(), "nothing was made");
    let said = sandbox.run(&["up", "--read", text(&capture), "--listen", "127.0.0.1:0", "--data-dir", "/dev/null/x"]);
    said.exits(1).complains("/dev/null/x").complains("--data-dir");
}

#[test]
fn top_needs_a_terminal() {
    Sandbox::new().run(&["top"]).exits(2).complains("needs a terminal").complains("netwatch flows");
}

#[test]
fn doctor_tells_each_check_and_what_to_do() {
    let sandbox = Sandbox::new();
    let free = ["doctor", "--listen", "127.0.0.1:0", "--data-dir", "data"];
    let said = sandbox.run(&[&free[..], &["--format", "json"]].concat());
    let rows = said.json_lines();
    let find =
        |name: &str| rows.iter().find(|r| r["check"] == name).unwrap_or_else(|| panic!("no {name}: {}", said.out));
    for name in
        ["configuration", "capture", "seccomp", "Landlock", "interfaces", "ring", "libpcap", "disk space", "clock"]
    {
        let row = find(name);
        assert!(["ok", "warn", "fail"].contains(&row["status"].as_str().unwrap()), "{row}");
        assert_eq!(row["advice"].is_null(), row["status"] == "ok", "what is not well has an advice: {row}");
    }
    let failed = rows.iter().any(|r| r["status"] == "fail");
    assert_eq!(said.code, Some(i32::from(failed)), "{}", said.out);
    assert_eq!(find("data directory")["status"], "ok");

    let bad = sandbox.file("bad.yaml", "log:\n  levl: x\n");
    let said = sandbox.run(&[&free[..], &["--config", text(&bad)]].concat()).exits(1);
    assert!(said.out.contains("◆ fail  configuration") && said.out.contains("→ "), "{}", said.out);
}

#[test]
fn interfaces_in_every_format() {
    let sandbox = Sandbox::new();
    let rows = sandbox.run(&["interfaces", "--format", "json"]).exits(0).json_lines();
    let lo = rows.iter().find(|r| r["name"] == "lo").expect("every namespace has loopback");
    assert_eq!((&lo["loopback"], &lo["capturable"]), (&true.into(), &true.into()));
    assert!(sandbox.run(&["interfaces"]).exits(0).out.contains("CAPTURED BY DEFAULT"));
    assert!(sandbox.run(&["interfaces", "--format", "csv"]).exits(0).out.starts_with("name,index,state,"));
}
