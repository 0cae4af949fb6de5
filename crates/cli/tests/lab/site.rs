//! Two hosts joined by one cable, with the servers that Debian has, and Netwatch on the client's end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use netwatch_testkit::frames::{ethernet, flags, ipv4, tcp};
use netwatch_testkit::netns::{Namespace, Running};
use serde_json::Value;

const TOKEN: &str = "lab-token-0123456789abcdef";
const LISTEN: &str = "127.0.0.1:8470";

/// Longest wait for something that must become so.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
pub fn eventually<R>(what: &str, ask: impl Fn() -> Option<R>) -> R {
    eventually_or(what, || ask().ok_or_else(|| "no".to_owned()))
}

/// Asks until there is an answer; the last refusal says how things stood.
pub fn eventually_or<R>(what: &str, ask: impl Fn() -> Result<R, String>) -> R {
    let mut last = String::new();
    let steps = u32::try_from(PATIENCE.as_millis() / 100).expect("few steps");
    for _ in 0..steps {
        match ask() {
            Ok(answer) => return answer,
            Err(refusal) => last = refusal,
        }
        // waits: for the condition that `ask` looks at, up to `PATIENCE` in all.
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what}: not within {PATIENCE:?}: {last}");
}

/// Packets and octets that the kernel counted on the client's interface: received and sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KernelCounters {
    received: [u64; 2],
    sent: [u64; 2],
}

/// The lab.
pub struct Site {
    pub client: Namespace,
    pub server: Namespace,
    folder: tempfile::TempDir,
    servers: Mutex<Vec<Running>>,
}

/// Netwatch in the client's namespace.
pub struct Netwatch<'a> {
    site: &'a Site,
    _running: Running,
}

impl Site {
    /// Two joined hosts; `None`, said loudly, without the right to make them.
    pub fn new(test: &str) -> Option<Self> {
        let client = Namespace::new_or_skip(test)?;
        let server = Namespace::new_or_skip(test)?;
        let folder = tempfile::tempdir().expect("a folder");
        let site = Self { client, server, folder, servers: Mutex::default() };
        site.connect();
        site.count_with_nftables();
        Some(site)
    }

    /// Joins the hosts by `wan` (10.77.0.1) and `lan` (10.77.0.2), without offloads, so that frames are those of the wire.
    pub fn connect(&self) {
        self.client.connect("wan", &self.server, "lan");
        self.client.ip("addr add 10.77.0.1/24 dev wan");
        self.server.ip("addr add 10.77.0.2/24 dev lan");
        for (host, interface) in [(&self.client, "wan"), (&self.server, "lan")] {
            host.run("ethtool", &["-K", interface, "tso", "off", "gso", "off", "gro", "off", "tx", "off"]);
        }
    }

    pub fn serve_iperf3(&self) {
        self.serve_iperf3_at(5201);
    }

    /// A server refuses a test while it ends the one before: each test of a series has its own.
    pub fn serve_iperf3_at(&self, port: u16) {
        self.serve(Command::new("iperf3").args(["-s", "-p", &port.to_string()]), port);
    }

    /// One megabyte at `/big`.
    pub fn serve_http(&self) {
        let root = self.path("www");
        std::fs::create_dir_all(&root).expect("a folder");
        std::fs::write(root.join("big"), vec![7_u8; 1 << 20]).expect("a file");
        self.serve(Command::new("python3").args(["-m", "http.server", "8080", "-d"]).arg(root), 8080);
    }

    /// `www.netwatch.test` and `web.netwatch.test`.
    pub fn serve_dns(&self) {
        let arguments = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--no-daemon", "--conf-file=/dev/null"];
        let names = ["--address=/www.netwatch.test/10.77.0.2", "--pid-file="];
        self.serve(Command::new("dnsmasq").args(arguments).args(names), 53);
    }

    pub fn serve_ssh(&self) {
        let key = self.path("host_key");
        let path = key.to_str().expect("a path");
        self.server.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", path]);
        std::fs::create_dir_all("/run/sshd").expect("sshd needs its folder");
        let mut command = Command::new("/usr/sbin/sshd");
        self.serve(command.args(["-D", "-e", "-f", "/dev/null", "-p", "22", "-h", path]), 22);
    }

    /// A session that ends at authentication.
    pub fn ssh(&self) {
        let options =
            ["-oBatchMode=yes", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oConnectTimeout=5"];
        let status = self.client.enter(|| {
            Command::new("ssh").args(options).args(["nobody@10.77.0.2", "true"]).stderr(Stdio::null()).status()
        });
        assert!(!status.expect("ssh starts").success(), "nobody may sign in");
    }

    /// Netwatch on `wan`, once it answers.
    pub fn netwatch(&self, more: &[&str]) -> Netwatch<'_> {
        let log = std::fs::File::create(self.path("netwatch.log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_netwatch"));
        command
            .args(["up", "--interface", "wan", "--listen", LISTEN, "--data-dir"])
            .arg(self.path("data"))
            .args(more)
            .env("NETWATCH_TOKEN", TOKEN)
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        let netwatch = Netwatch { site: self, _running: self.client.spawn(&mut command) };
        eventually("capture runs", || {
            let interfaces = netwatch.try_get("/api/v1/interfaces")?;
            (interfaces["items"][0]["state"] == "capturing").then_some(())
        });
        netwatch
    }

    /// `count` frames with SYN, each from another address and port, to a host that does not exist.
    pub fn flood(&self, count: u32) {
        let sender = self.server.sender("lan");
        let segment = tcp(1024, 80, flags::SYN).build();
        let mut frame = ethernet(ipv4("172.16.0.1", "10.77.0.99").carry(segment)).build();
        for n in 0..count {
            frame[26..30].copy_from_slice(&(0xac10_0000 + n / 16).to_be_bytes());
            frame[34..36].copy_from_slice(&(1024 + u16::try_from(n % 16).expect("small")).to_be_bytes());
            sender.send(&frame);
        }
    }

    /// Starts tcpdump on the client's interface, and waits until it listens.
    pub fn tcpdump(&self) -> (Running, PathBuf) {
        let file = self.path("dump.pcap");
        let mut command = Command::new("tcpdump");
        command
            .args(["-i", "wan", "-U", "--immediate-mode", "-s", "2048", "-B", "65536", "-w"])
            .arg(&file)
            .stderr(Stdio::null());
        let running = self.client.spawn(&mut command);
        eventually("tcpdump listens", || std::fs::metadata(&file).ok().filter(|m| m.len() >= 24));
        (running, file)
    }

    /// What `netwatch flows --read` prints.
    pub fn flows_of_file(&self, file: &Path) -> Vec<Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_netwatch"))
            .args(["flows", "--format", "json", "--read"])
            .arg(file)
            .output()
            .expect("netwatch starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
    }

    /// What `ip -s link` says.
    pub fn kernel_counters(&self) -> KernelCounters {
        let output = self.client.run("ip", &["-j", "-s", "link", "show", "wan"]);
        let link: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let of = |way: &str| ["packets", "bytes"].map(|k| link[0]["stats64"][way][k].as_u64().expect("a number"));
        KernelCounters { received: of("rx"), sent: of("tx") }
    }

    /// Octets that nftables counted for a name: what arrived at either end.
    pub fn counted(&self, name: &str) -> u64 {
        let at = |host: &Namespace| {
            let output = host.run("nft", &["-j", "list", "counter", "netdev", "lab", name]);
            let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let counter = all["nftables"].as_array().and_then(|a| a.iter().find_map(|o| o.get("counter")));
            counter.and_then(|c| c["bytes"].as_u64()).expect("a counter")
        };
        at(&self.client) + at(&self.server)
    }

    /// Netwatch's sums must become those of the kernel, packet for packet, octet for octet.
    pub fn compare_totals(&self, netwatch: &Netwatch<'_>, octets_of_port: impl Fn(&[Value], u64) -> u64) {
        eventually_or("totals equal to those of ip -s link", || {
            let kernel = self.kernel_counters();
            let ours = &netwatch.get("/api/v1/interfaces")["items"][0];
            let of = |k: &str| ours[k].as_u64().expect("a number");
            let seen = KernelCounters {
                received: [of("packets_in"), of("octets_in")],
                sent: [of("packets_out"), of("octets_out")],
            };
            assert_eq!(of("kernel_drops"), 0);
            if seen == kernel { Ok(()) } else { Err(format!("{seen:?}, and the kernel {kernel:?}")) }
        });
        eventually_or("octets equal to those of nftables", || {
            let flows = netwatch.flows();
            let pair = |(name, port)| (name, octets_of_port(&flows, port), self.counted(name));
            let pairs = [("iperf", 5201), ("web", 8080), ("dns", 53), ("ssh", 22)].map(pair);
            if pairs.iter().all(|(_, seen, counted)| seen == counted) { Ok(()) } else { Err(format!("{pairs:?}")) }
        });
    }

    /// Counts where packets arrive: where they leave, the kernel still has them in super-frames with one header for many.
    fn count_with_nftables(&self) {
        let names = [("iperf", "tcp", 5201), ("web", "tcp", 8080), ("dns", "udp", 53), ("ssh", "tcp", 22)];
        let counters: String = names.iter().map(|(n, _, _)| format!("counter {n} {{ }}\n")).collect();
        for (host, device, side) in [(&self.client, "wan", "sport"), (&self.server, "lan", "dport")] {
            let rule = |(n, l4, port): &(&str, &str, u16)| format!("{l4} {side} {port} counter name {n}\n");
            let rules: String = names.iter().map(rule).collect();
            let chain = format!("chain arrived {{\ntype filter hook ingress device {device} priority 0\n{rules}}}\n");
            let file = self.path("lab.nft");
            std::fs::write(&file, format!("table netdev lab {{\n{counters}{chain}}}\n")).expect("a file");
            host.run("nft", &["-f", file.to_str().expect("a path")]);
        }
    }

    fn serve(&self, command: &mut Command, port: u16) {
        let running = self.server.spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
        self.servers.lock().expect("no panic").push(running);
        eventually(&format!("a server on port {port}"), || {
            let output = self.server.run("ss", &["-Hlnt", "-u", "sport", "=", &format!(":{port}")]);
            (!output.stdout.is_empty()).then_some(())
        });
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Netwatch<'_> {
    /// All flows.
    pub fn flows(&self) -> Vec<Value> {
        let page = self.get("/api/v1/flows?limit=1000");
        page["items"].as_array().expect("items").clone()
    }

    /// An answer of the API.
    pub fn get(&self, path: &str) -> Value {
        self.try_get(path).unwrap_or_else(|| {
            let log = std::fs::read_to_string(self.site.path("netwatch.log")).unwrap_or_default();
            panic!("no answer to {path}; the log says:\n{log}");
        })
    }

    fn try_get(&self, path: &str) -> Option<Value> {
        let output = self.site.client.enter(|| {
            Command::new("curl")
                .args(["-sS", "--fail", "-H", &format!("Authorization: Bearer {TOKEN}")])
                .arg(format!("http://{LISTEN}{path}"))
                .stderr(Stdio::null())
                .output()
        });
        serde_json::from_slice(&output.ok().filter(|o| o.status.success())?.stdout).ok()
    }
}
