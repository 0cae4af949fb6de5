//! `/probe` beside the real blackbox_exporter, and under a real Prometheus: the same names, the same values.

#[path = "support/sandbox.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use netwatch_testkit::netns::{Namespace, Running};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sandbox::{Sandbox, skip, text};
use serde_json::Value;

const TOKEN: &str = "lab-token-0123456789abcdef";
const OURS: &str = "127.0.0.1:8470";
const PEER: &str = "127.0.0.1:9115";
const PATIENCE: Duration = Duration::from_secs(40);

/// What newer exporters say than the one that distributions have.
const NEWER: [&str; 3] = ["probe_timeout_seconds", "probe_tls_cipher_info", "probe_failed_due_to_bytes"];
/// What is another number each time.
const TIMES: [&str; 5] = [
    "probe_duration_seconds",
    "probe_dns_lookup_time_seconds",
    "probe_http_duration_seconds",
    "probe_icmp_duration_seconds",
    "probe_dns_duration_seconds",
];

const MODULES: &str = "
modules:
  http_2xx: {prober: http, timeout: 5s}
  http_missing: {prober: http, timeout: 5s, http: {valid_status_codes: [404]}}
  http_regex: {prober: http, timeout: 5s, http: {fail_if_body_not_matches_regexp: ['no such words']}}
  http_is_tls: {prober: http, timeout: 5s, http: {fail_if_ssl: true, tls_config: {ca_file: ca.pem}}}
  https: {prober: http, timeout: 5s, http: {tls_config: {ca_file: ca.pem}}}
  https_lax: {prober: http, timeout: 5s, http: {tls_config: {insecure_skip_verify: true}}}
  tcp_connect: {prober: tcp, timeout: 5s}
  tls_connect: {prober: tcp, timeout: 5s, tcp: {tls: true, tls_config: {ca_file: ca.pem}}}
  icmp: {prober: icmp, timeout: 5s}
  dns: {prober: dns, timeout: 5s, dns: {query_name: www.netwatch.test, query_type: A}}
  dns_tcp: {prober: dns, timeout: 5s, dns: {query_name: www.netwatch.test, query_type: A, transport_protocol: tcp}}
  dns_missing: {prober: dns, timeout: 5s, dns: {query_name: nothing.netwatch.test, query_type: A}}
  dns_regex: {prober: dns, timeout: 5s, dns: {query_name: www.netwatch.test, query_type: A,
    validate_answer_rrs: {fail_if_not_matches_regexp: ['^www.netwatch.test.\\t[0-9]+\\tIN\\tA\\t10.1.2.3$']}}}
";

/// A web server over TLS: file of certificate, file of key.
const HTTPS: &str = "
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(('127.0.0.1', 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

/// A host of its own with targets, Netwatch and perhaps others.
struct Lab {
    host: Namespace,
    sandbox: Sandbox,
    running: Vec<Running>,
}

impl Lab {
    fn new(test: &str) -> Option<Self> {
        let host = Namespace::new_or_skip(test)?;
        let mut lab = Self { host, sandbox: Sandbox::new(), running: Vec::new() };
        lab.certificates();
        lab.targets();
        lab.netwatch();
        Some(lab)
    }

    fn start(&mut self, command: &mut Command, name: &str) {
        let log = std::fs::File::create(self.sandbox.path(name)).expect("a log");
        let command = command.current_dir(self.sandbox.folder.path()).stdin(Stdio::null());
        self.running.push(self.host.spawn(command.stdout(log.try_clone().expect("a log")).stderr(log)));
    }

    fn wait_for_port(&self, port: u16) {
        eventually(&format!("a server on port {port}"), || {
            let output = self.host.run("ss", &["-Hlnt", "-u", "sport", "=", &format!(":{port}")]);
            (!output.stdout.is_empty()).then_some(())
        });
    }

    /// An authority, and a certificate of it for `localhost` and its addresses.
    fn certificates(&self) {
        let key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        authority.not_after = rcgen::date_time_ymd(2041, 1, 1);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "Authority of a test");
        let root = authority.self_signed(&key).expect("a certificate");
        let own = KeyPair::generate().expect("a key");
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut certificate = CertificateParams::new(names).expect("names");
        certificate.not_after = rcgen::date_time_ymd(2040, 1, 1);
        let issuer = Issuer::from_params(&authority, &key);
        let certificate = certificate.signed_by(&own, &issuer).expect("a certificate");
        self.sandbox.file("ca.pem", root.pem());
        self.sandbox.file("own.pem", certificate.pem());
        self.sandbox.file("key.pem", own.serialize_pem());
    }

    fn targets(&mut self) {
        self.sandbox.file("index.html", "<html>a page</html>");
        self.sandbox.file("https.py", HTTPS);
        let plain = ["-m", "http.server", "8080", "--bind", "127.0.0.1"];
        self.start(Command::new("python3").args(plain), "http.log");
        self.start(Command::new("python3").args(["https.py", "own.pem", "key.pem"]), "https.log");
        let dns = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file="];
        let names = ["--address=/www.netwatch.test/10.1.2.3", "--local=/netwatch.test/", "--listen-address=127.0.0.1"];
        self.start(Command::new("dnsmasq").args(dns).args(names).arg("--bind-interfaces"), "dns.log");
        [8080, 8443, 53].into_iter().for_each(|port| self.wait_for_port(port));
    }

    fn netwatch(&mut self) {
        self.sandbox.file("blackbox.yml", MODULES);
        let modules = self.sandbox.path("blackbox.yml");
        let config = format!("probes: {{allow: [127.0.0.0/8], blackbox: {}}}\n", text(&modules));
        let config = self.sandbox.file("netwatch.yaml", config);
        let data = self.sandbox.path("data");
        let mut command = Command::new(env!("CARGO_BIN_EXE_netwatch"));
        command.args([
            "up",
            "--interface",
            "lo",
            "--listen",
            OURS,
            "--config",
            text(&config),
            "--data-dir",
            text(&data),
        ]);
        self.start(command.env("NETWATCH_TOKEN", TOKEN), "netwatch.log");
        self.wait_for_port(8470);
    }

    /// Asks one of the two for a page.
    fn ask(&self, server: &str, query: &str) -> Result<String, String> {
        let output = self.host.enter(|| {
            Command::new("curl")
                .args(["-sS", "--fail-with-body", "-H", &format!("Authorization: Bearer {TOKEN}")])
                .args(["-H", "X-Prometheus-Scrape-Timeout-Seconds: 10"])
                .arg(format!("http://{server}{query}"))
                .output()
        });
        let output = output.expect("curl starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(said) } else { Err(said + &String::from_utf8_lossy(&output.stderr)) }
    }

    /// The page of a module, once it is there.
    fn page(&self, server: &str, module: &str, target: &str) -> Page {
        let query = format!("/probe?module={module}&target={target}");
        let mut last = String::new();
        let page = eventually(&format!("{server}{query}"), || match self.ask(server, &query) {
            Ok(text) => Some(Page::read(&text)),
            Err(error) => {
                last = error;
                None
            }
        });
        assert!(page.0.contains_key("probe_success"), "{last}");
        page
    }
}

/// Series with their values, by name and then as they are written.
#[derive(Debug)]
struct Page(BTreeMap<String, BTreeMap<String, f64>>);

impl Page {
    fn read(text: &str) -> Self {
        let mut page: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
            let name = series.split('{').next().expect("a name");
            let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(text.contains(&format!("# TYPE {name} gauge\n")), "{name} has no type");
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
            page.entry(name.to_owned()).or_default().insert(labels(series), value);
        }
        Self(page)
    }
}

/// The labels of a series in one order, but for the serial number, which newer exporters have.
fn labels(series: &str) -> String {
    let Some((_, rest)) = series.split_once('{') else { return String::new() };
    let mut parts: Vec<&str> = rest.trim_end_matches('}').trim_end_matches('"').split("\",").collect();
    parts.retain(|part| !part.starts_with("serialnumber="));
    parts.sort_unstable();
    parts.join(",").replace('"', "")
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

/// Whether a program is there; says loudly that the test is skipped when it is not.
fn has(program: &str, test: &str) -> bool {
    let there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        skip(&format!("{test}: {program} is missing: scripts/setup.sh test installs it"));
    }
    there
}

/// Names and values of ours are those of the peer, but for what it does not know yet and for times.
#[track_caller]
fn compare(case: &str, ours: &Page, peer: &Page) {
    for (name, series) in &peer.0 {
        let own = ours.0.get(name).unwrap_or_else(|| panic!("{case}: {name} is missing in {ours:?}"));
        assert_eq!(own.keys().collect::<Vec<_>>(), series.keys().collect::<Vec<_>>(), "{case}: labels of {name}");
        if !TIMES.contains(&name.as_str()) {
            assert_eq!(own, series, "{case}: {name}");
        }
    }
    for name in ours.0.keys() {
        assert!(peer.0.contains_key(name) || NEWER.contains(&name.as_str()), "{case}: {name} is not the peer's");
    }
}

#[test]
fn scrapes_are_answered_as_by_the_real_exporter() {
    let (peer, test) = ("prometheus-blackbox-exporter", "scrapes_are_answered_as_by_the_real_exporter");
    if !has(peer, test) {
        return;
    }
    let Some(mut lab) = Lab::new(test) else { return };
    let listen = format!("--web.listen-address={PEER}");
    lab.start(Command::new(peer).args(["--config.file=blackbox.yml", &listen]), "peer.log");
    lab.wait_for_port(9115);
    let cases = [
        ("http_2xx", "http://127.0.0.1:8080/", 1.0),
        ("http_2xx", "127.0.0.1:8080/index.html", 1.0),
        ("http_2xx", "http://127.0.0.1:8080/missing", 0.0),
        ("http_missing", "http://127.0.0.1:8080/missing", 1.0),
        ("http_regex", "http://127.0.0.1:8080/", 0.0),
        ("http_2xx", "http://127.0.0.1:8081/", 0.0),
        ("https", "https://localhost:8443/index.html", 1.0),
        ("https_lax", "https://127.0.0.1:8443/", 1.0),
        ("http_2xx", "https://localhost:8443/", 0.0),
        ("http_is_tls", "https://localhost:8443/", 0.0),
        ("tcp_connect", "127.0.0.1:8080", 1.0),
        ("tcp_connect", "127.0.0.1:9", 0.0),
        ("tls_connect", "localhost:8443", 1.0),
        ("icmp", "127.0.0.1", 1.0),
        ("dns", "127.0.0.1", 1.0),
        ("dns_tcp", "127.0.0.1:53", 1.0),
        ("dns_missing", "127.0.0.1", 0.0),
        ("dns_regex", "127.0.0.1", 1.0),
    ];
    for (module, target, success) in cases {
        let case = format!("{module} {target}");
        let [ours, theirs] = [OURS, PEER].map(|server| lab.page(server, module, target));
        assert_eq!(theirs.0["probe_success"][""], success, "{case}: the peer itself: {theirs:?}");
        compare(&case, &ours, &theirs);
    }
    let debug = lab.ask(OURS, "/probe?module=icmp&target=127.0.0.1&debug=true").unwrap();
    for part in ["Logs for the probe:\nit succeeded", "Metrics that would have been returned:", "Module configuration:"]
    {
        assert!(debug.contains(part), "{debug}");
    }
}

#[test]
fn what_cannot_be_scraped_is_named_and_what_may_not_be_measured_is_not() {
    let Some(lab) = Lab::new("what_cannot_be_scraped") else { return };
    lab.page(OURS, "icmp", "127.0.0.1");
    for (query, says) in [
        ("/probe?module=icmp", "say what to measure"),
        ("/probe?module=nothing&target=a", "there is no module `nothing`: known are dns, "),
        ("/probe?target=a&module=http_2xx&hostname=", "probe_success 0"),
    ] {
        let said = lab.ask(OURS, query).unwrap_or_else(|error| error);
        assert!(said.contains(says), "{query}: {said}");
    }
    // 169.254.169.254 is in none of the networks that may be measured.
    let forbidden = lab.page(OURS, "http_2xx", "http://169.254.169.254/");
    assert_eq!(forbidden.0["probe_success"][""], 0.0);
    let nobody = lab.host.run("curl", &["-s", &format!("http://{OURS}/probe?module=icmp&target=127.0.0.1")]);
    assert!(String::from_utf8_lossy(&nobody.stdout).contains("unauthenticated"), "{nobody:?}");
}

#[test]
fn a_scrape_configuration_works_as_it_is() {
    let test = "a_scrape_configuration_works_as_it_is";
    if !has("prometheus", test) {
        return;
    }
    let Some(mut lab) = Lab::new(test) else { return };
    lab.page(OURS, "icmp", "127.0.0.1");
    let job = |name: &str, target: &str, authorization: &str| {
        format!(
            "  - job_name: {name}\n    metrics_path: /probe\n    params: {{module: [{name}]}}\n    {authorization}\n    \
             static_configs: [{{targets: ['{target}']}}]\n    relabel_configs:\n    \
             - {{source_labels: [__address__], target_label: __param_target}}\n    \
             - {{source_labels: [__param_target], target_label: instance}}\n    \
             - {{target_label: __address__, replacement: '{OURS}'}}\n"
        )
    };
    let bearer = format!("authorization: {{credentials: {TOKEN}}}");
    let basic = format!("basic_auth: {{username: token, password: {TOKEN}}}");
    let jobs = [
        job("http_2xx", "http://127.0.0.1:8080/", &bearer),
        job("icmp", "127.0.0.1", &bearer),
        job("dns", "127.0.0.1", &basic),
    ];
    let config = format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{}", jobs.concat());
    lab.sandbox.file("prometheus.yml", config);
    let flags = ["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--web.listen-address=127.0.0.1:9090"];
    lab.start(Command::new("prometheus").args(flags), "prometheus.log");
    lab.wait_for_port(9090);
    let mut last = String::new();
    eventually("each job is scraped and succeeds", || {
        last = lab.ask("127.0.0.1:9090", "/api/v1/query?query=probe_success").unwrap_or_default();
        let answer: Value = serde_json::from_str(&last).ok()?;
        let series = answer["data"]["result"].as_array()?;
        let good = |job: &str| series.iter().any(|s| s["metric"]["job"] == job && s["value"][1] == "1");
        ["http_2xx", "icmp", "dns"].into_iter().all(good).then_some(())
    });
}
