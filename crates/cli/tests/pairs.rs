//! Two hosts on one cable: `netwatch up` on the first, `netwatch agent` on the second, and each measures the other with authenticated packets.

#[path = "support/sandbox.rs"]
mod sandbox;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use netwatch_testkit::netns::{Namespace, Running};
use sandbox::{Sandbox, text};
use serde_json::{Value, json};

const TOKEN: &str = "lab-token-0123456789abcdef";
const API: &str = "127.0.0.1:8470";
const AGENTS: &str = "10.90.0.1:8471";
const OWN: &str = "0000000000000001";
const REFLECTOR: u16 = 8862;
const THROUGHPUT: u16 = 8863;
/// Longer than the shortest interval of throughput tests.
const PATIENCE: Duration = Duration::from_secs(90);

struct Lab {
    server: Namespace,
    remote: Namespace,
    sandbox: Sandbox,
    running: Vec<Running>,
}

impl Lab {
    /// Both hosts and Netwatch on the first; none, said loudly, without the right to make them.
    fn new(test: &str) -> Option<Self> {
        let (server, remote) = (Namespace::new_or_skip(test)?, Namespace::new_or_skip(test)?);
        server.connect("wan", &remote, "lan");
        server.ip("addr add 10.90.0.1/24 dev wan");
        remote.ip("addr add 10.90.0.2/24 dev lan");
        let mut lab = Self { server, remote, sandbox: Sandbox::new(), running: Vec::new() };
        let data = lab.sandbox.path("server");
        let mut up = Command::new(env!("CARGO_BIN_EXE_netwatch"));
        up.args(["up", "--interface", "wan", "--listen", API, "--agents-listen", AGENTS, "--data-dir", text(&data)]);
        // However full the disk of this machine is.
        up.env("NETWATCH_TOKEN", TOKEN).env("NETWATCH_STORAGE__DISK_STOP_PERCENT", "0");
        up.env("NETWATCH_STORAGE__DISK_WARN_PERCENT", "0");
        let running = lab.server.spawn(lab.logged(&mut up, "server.log"));
        lab.running.push(running);
        eventually("the API answers", || lab.get("/api/v1/agents"));
        Some(lab)
    }

    /// Brings an agent in on the second host; which one it is.
    fn agent(&mut self) -> String {
        let token = self.post("/api/v1/agent-tokens", &json!({"name": "remote"}));
        let (secret, data) = (token["secret"].as_str().expect("a token").to_owned(), self.sandbox.path("agent"));
        let mut agent = Command::new(env!("CARGO_BIN_EXE_netwatch"));
        agent.args(["agent", "--server", AGENTS, "--token", &secret, "--data-dir", text(&data)]);
        let running = self.remote.spawn(self.logged(&mut agent, "agent.log"));
        self.running.push(running);
        eventually("the agent is online, and the server's own says where it is", || {
            let agents = self.get("/api/v1/agents")?;
            let of = |name: &str, value: &str| {
                agents["items"].as_array()?.iter().find(|agent| agent[name] == value).cloned()
            };
            of("id", OWN)?["addresses"].as_array()?.iter().find(|address| **address == "10.90.0.1")?;
            let remote = of("name", "remote").filter(|agent| agent["state"] == "online")?;
            remote["id"].as_str().map(str::to_owned)
        })
    }

    fn logged<'a>(&self, command: &'a mut Command, name: &str) -> &'a mut Command {
        let log = std::fs::File::create(self.sandbox.path(name)).expect("a log");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log)
    }

    /// Everything that both have logged.
    fn logs(&self) -> String {
        let read = |name| std::fs::read_to_string(self.sandbox.path(name)).unwrap_or_default();
        format!("server:\n{}\nagent:\n{}", read("server.log"), read("agent.log"))
    }

    fn ask(&self, arguments: &[&str], path: &str) -> Option<Value> {
        let output = self.server.enter(|| {
            Command::new("curl")
                .args(["-sS", "--fail", "-H", &format!("Authorization: Bearer {TOKEN}")])
                .args(arguments)
                .arg(format!("http://{API}{path}"))
                .stderr(Stdio::null())
                .output()
        });
        serde_json::from_slice(&output.ok().filter(|output| output.status.success())?.stdout).ok()
    }

    fn get(&self, path: &str) -> Option<Value> {
        self.ask(&[], path)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let answer = self.ask(&["-H", "Content-Type: application/json", "-d", &body], path);
        answer.unwrap_or_else(|| panic!("no answer to {body}\n{}", self.logs()))
    }

    /// A measurement of the command line, from the second host.
    fn netwatch(&self, arguments: &[&str]) -> Output {
        self.remote.enter(|| Command::new(env!("CARGO_BIN_EXE_netwatch")).args(arguments).output()).expect("it starts")
    }

    /// Whether something on the server's host listens at the port of reflectors.
    fn reflects(&self) -> bool {
        listens(&self.server, "-Hlnu", REFLECTOR)
    }

    /// A result of an agent that a probe has, of a kind, without a failure: the first runs may come before an address is known.
    fn result(&self, probe: &Value, agent: &str, kind: &str) -> Value {
        let path = results(probe);
        eventually(&format!("a result of {kind} from {agent}"), || {
            let results = self.get(&path)?;
            let of =
                |result: &&Value| result["agent"] == agent && result["kind"] == kind && result["failure"].is_null();
            results["items"].as_array()?.iter().find(of).cloned()
        })
    }

    fn delete(&self, probe: &Value) {
        let path = format!("/api/v1/probes/{}", probe["id"].as_str().expect("an id"));
        // The answer has no body.
        let _none = self.ask(&["-X", "DELETE", "-H", "If-Match: *"], &path);
    }
}

/// Whether something listens at a port.
fn listens(host: &Namespace, sockets: &str, port: u16) -> bool {
    !host.run("ss", &[sockets, "sport", "=", &format!(":{port}")]).stdout.is_empty()
}

fn results(probe: &Value) -> String {
    format!("/api/v1/probes/{}/results?limit=50", probe["id"].as_str().expect("an id"))
}

#[track_caller]
fn eventually<R>(what: &str, mut ask: impl FnMut() -> Option<R>) -> R {
    for _ in 0..PATIENCE.as_millis() / 100 {
        if let Some(answer) = ask() {
            return answer;
        }
        // waits: for the condition that `ask` looks at, up to `PATIENCE` in all.
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what}: not within {PATIENCE:?}");
}

#[test]
fn lab_the_servers_own_agent_and_another_measure_one_another_with_keys() {
    let Some(mut lab) = Lab::new("lab_the_servers_own_agent_and_another_measure_one_another_with_keys") else { return };
    let remote = lab.agent();
    assert!(!lab.reflects(), "nothing listens while nobody measures this host");
    let spec = json!({"kind": "agent", "target": remote, "interval": 10.0, "options": {"traces": false}});
    let probe = lab.post("/api/v1/probes", &json!({"name": "pair", "spec": spec}));
    for agent in [OWN, &remote] {
        let result = lab.result(&probe, agent, "simulation");
        let figures = &result["detail"]["simulation"];
        assert_eq!((figures["sent"].as_u64(), &figures["stateful"]), (figures["received"].as_u64(), &json!(true)));
    }
    assert!(lab.reflects());
    // The agent's host has a key, so that its plain packets are not answered; neither are those of strangers.
    let place = format!("10.90.0.1:{REFLECTOR}");
    lab.remote.ip("addr add 10.90.0.3/24 dev lan");
    for source in ["10.90.0.2", "10.90.0.3"] {
        let stamp = ["stamp", &place, "--count", "3", "--interval", "10ms", "--timeout", "300ms", "--source", source];
        let said = lab.netwatch(&[&stamp[..], &["--format", "json"]].concat());
        let result: Value = serde_json::from_slice(&said.stdout).expect("a result");
        assert_eq!(result["failure"]["reason"], "timeout", "from {source}: {result}");
    }
    let keys = keys(&lab);
    assert_eq!(keys.len(), 2, "one for each direction");
    let told = lab.logs() + &lab.get(&results(&probe)).expect("results").to_string();
    assert!(keys.iter().all(|key| !told.contains(key.as_str())), "no log and no result has a key");
    lab.delete(&probe);
    eventually("the reflector closes", || (!lab.reflects()).then_some(()));
}

/// Keys in the assignment that the agent keeps.
fn keys(lab: &Lab) -> Vec<String> {
    let kept = std::fs::read_to_string(lab.sandbox.path("agent/assignment.json")).expect("it is kept");
    let assignment: Value = serde_json::from_str(&kept).expect("JSON");
    let own = assignment["probes"].as_array().expect("probes").iter();
    let sends = own.filter_map(|part| part["spec"]["options"]["key"].as_str().map(str::to_owned));
    let answers = assignment["senders"][0]["keys"].as_array().expect("keys").iter();
    let mut all: Vec<String> = sends.chain(answers.filter_map(|key| key.as_str().map(str::to_owned))).collect();
    all.sort();
    all.dedup();
    all
}

/// What iperf3 reports of a second towards the agent, from an address of the server's host.
fn iperf3(lab: &Lab, source: &str) -> Value {
    let port = THROUGHPUT.to_string();
    let test = ["-c", "10.90.0.2", "-p", &port, "-B", source, "-t", "1", "-J"];
    let said = lab.server.enter(|| Command::new("iperf3").args(test).output()).expect("iperf3 starts");
    serde_json::from_slice(&said.stdout).unwrap_or_default()
}

#[test]
fn lab_throughput_is_served_by_the_agent_that_a_probe_names_to_those_that_make_it_alone() {
    let test = "lab_throughput_is_served_by_the_agent_that_a_probe_names_to_those_that_make_it_alone";
    let Some(mut lab) = Lab::new(test) else { return };
    let remote = lab.agent();
    assert!(!listens(&lab.remote, "-Hlnt", THROUGHPUT) && !listens(&lab.server, "-Hlnt", THROUGHPUT));
    let probe = |target: &str, agent: &str| {
        let spec = json!({"kind": "throughput", "target": target, "interval": 60.0, "options": {"seconds": 1.0}});
        lab.post("/api/v1/probes", &json!({"name": format!("to {target}"), "spec": spec, "agents": {"ids": [agent]}}))
    };
    let probes = [(probe(&remote, OWN), OWN), (probe(OWN, &remote), remote.as_str())];
    for host in [&lab.remote, &lab.server] {
        eventually("the agent that is named listens", || listens(host, "-Hlnt", THROUGHPUT).then_some(()));
    }
    for (probe, agent) in &probes {
        let result = lab.result(probe, agent, "throughput");
        for way in ["forward", "reverse"] {
            let octets = result["detail"]["throughput"][way]["octets"].as_u64();
            assert!(octets.is_some_and(|octets| octets > 1_000_000), "{way}: {result}");
        }
    }
    // The real client from the agent's address, and from one that is nobody's.
    let report = iperf3(&lab, "10.90.0.1");
    let of = |sum: &str| report["end"][sum]["bytes"].as_f64().unwrap_or_else(|| panic!("{report}"));
    assert!((of("sum_sent") / of("sum_received") - 1.0).abs() < 0.01, "{report}");
    lab.server.ip("addr add 10.90.0.3/24 dev wan");
    let refused = iperf3(&lab, "10.90.0.3");
    assert!(refused["error"].is_string(), "{refused}");
    probes.iter().for_each(|(probe, _)| lab.delete(probe));
    for host in [&lab.remote, &lab.server] {
        eventually("nobody listens any more", || (!listens(host, "-Hlnt", THROUGHPUT)).then_some(()));
    }
}
