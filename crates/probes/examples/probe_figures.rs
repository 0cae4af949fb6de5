//! Pings and traces beside `fping`, `ping -f` and `mtr`, in namespaces joined by veth pairs: `cargo run --release -p netwatch-probes
//! --example probe_figures [flood] [paced] [traces] [crowd] [loss] [accuracy]`, as root; all parts when none is named.
//!
//! Pings go over one veth pair, traces through a router. Sockets for ICMP are those that systemd allows to everybody.
//!
//! Processor time is that of the process, and so holds what the kernel does for it; on a veth pair that includes the target's answer.
//! Times are medians of what was measured; a busy machine makes all of them worse, so that only figures of one run are compared.

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use netwatch_egress::Policy;
use netwatch_model::AgentId;
use netwatch_model::probe::kind::mtr::NAMES;
use netwatch_model::probe::{Detail, OptionValue, ProbeKind, ProbeResult, ProbeSpec, Trigger};
use netwatch_probes::{Occasion, OwnRights, Tools, run};
use netwatch_telemetry::clock;
use netwatch_testkit::netns::Namespace;

const TARGETS: u32 = 50_000;
const PER_SECOND: u32 = 10_000;

/// Here (10.1.0.1) and there, where all of 10.64.0.0/15 is; with a router between them or without.
struct Lab {
    here: Namespace,
    _router: Option<Namespace>,
    there: Namespace,
}

type Part = fn(&Lab);

fn main() {
    let (near, far) = (pair(), chain());
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!("| what | echoes or probes | per second | CPU each, µs |\n|---|---|---|---|");
    let parts: [(&str, Part, &Lab); 7] = [
        ("flood", flood, &near),
        ("flood", others, &near),
        ("paced", paced, &near),
        ("traces", traces, &far),
        ("crowd", crowd, &far),
        ("loss", loss, &near),
        ("accuracy", accuracy, &near),
    ];
    for (name, part, lab) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            part(lab);
        }
    }
}

fn pair() -> Lab {
    let [here, there] = [(), ()].map(|()| Namespace::new().expect("this needs root"));
    here.connect("a0", &there, "b0");
    for (namespace, command) in [
        (&here, "addr add 10.1.0.1/24 dev a0"),
        (&here, "route add default via 10.1.0.2"),
        (&there, "addr add 10.1.0.2/24 dev b0"),
        (&there, "route add local 10.64.0.0/15 dev lo"),
    ] {
        namespace.ip(command);
    }
    Lab { here: allowed(here), _router: None, there: unlimited(there) }
}

fn chain() -> Lab {
    let [here, router, there] = [(), (), ()].map(|()| Namespace::new().expect("this needs root"));
    here.connect("a0", &router, "r0");
    router.connect("r1", &there, "b0");
    for (namespace, command) in [
        (&here, "addr add 10.1.0.1/24 dev a0"),
        (&here, "route add default via 10.1.0.254"),
        (&router, "addr add 10.1.0.254/24 dev r0"),
        (&router, "addr add 10.2.0.254/24 dev r1"),
        (&router, "route add 10.64.0.0/15 via 10.2.0.1"),
        (&there, "addr add 10.2.0.1/24 dev b0"),
        (&there, "route add default via 10.2.0.254"),
        (&there, "route add local 10.64.0.0/15 dev lo"),
    ] {
        namespace.ip(command);
    }
    Lab { here: allowed(here), _router: Some(unlimited(router)), there: unlimited(there) }
}

/// A host that answers and forwards everything.
fn unlimited(namespace: Namespace) -> Namespace {
    set(&namespace, "ip_forward", "1");
    set(&namespace, "icmp_ratelimit", "0");
    // Older kernels have one limit for the host, which cannot be set here.
    set(&namespace, "icmp_msgs_per_sec", "10000000");
    set(&namespace, "icmp_msgs_burst", "10000000");
    namespace
}

/// A host whose users may open datagram sockets for ICMP.
fn allowed(namespace: Namespace) -> Namespace {
    set(&namespace, "ping_group_range", "0 2147483647");
    namespace
}

fn set(namespace: &Namespace, file: &str, text: &str) {
    namespace.enter(|| _ = std::fs::write(format!("/proc/sys/net/ipv4/{file}"), text));
}

fn target(n: u32) -> String {
    format!("10.{}.{}.{}", 64 + (n >> 16), (n >> 8) & 255, n & 255)
}

fn tools() -> Tools {
    let allow = vec!["0.0.0.0/0".parse().expect("a range")];
    Tools::new(Arc::new(Policy { allow, deny: Vec::new() }), Arc::new(OwnRights))
}

/// Runs probes at once, the n-th after n × `phase`; results, seconds, and processor seconds.
fn run_all(lab: &Lab, tools: &Tools, specs: &[ProbeSpec], phase: Duration) -> (Vec<ProbeResult>, f64, f64) {
    lab.here.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (began, cpu) = (clock::monotonic(), clock::process_cpu());
            let mut tasks = Vec::new();
            for (spec, n) in specs.iter().cloned().zip(0_u32..) {
                let (tools, due) = (tools.clone(), began + phase * n);
                if let Some(early) =
                    due.checked_sub(clock::monotonic()).filter(|early| *early > Duration::from_millis(1))
                {
                    tokio::time::sleep(early).await;
                }
                tasks.push(tokio::spawn(async move { run(&spec, occasion(), &tools).await }));
            }
            let mut results = Vec::new();
            for task in tasks {
                results.push(task.await.expect("a run"));
            }
            let seconds = |since: Duration, now: Duration| now.saturating_sub(since).as_secs_f64();
            (results, seconds(began, clock::monotonic()), seconds(cpu, clock::process_cpu()))
        })
    })
}

fn occasion() -> Occasion {
    Occasion {
        probe: Default::default(),
        agent: AgentId::default(),
        scheduled: clock::now(),
        trigger: Trigger::Request,
    }
}

fn ping(target: &str, count: u32, spacing: f64) -> ProbeSpec {
    ProbeSpec { count, spacing, timeout: 3.0, ..ProbeSpec::new(ProbeKind::Ping, target) }
}

fn row(what: &str, count: u64, seconds: f64, cpu: f64) {
    println!("| {what} | {count} | {:.0} | {:.2} |", count as f64 / seconds, cpu / count as f64 * 1e6);
}

/// Requests and answers of all pings.
fn sums(results: &[ProbeResult]) -> (u64, u64) {
    let one = |result: &ProbeResult| match &result.detail {
        Some(Detail::Ping(ping)) => (u64::from(ping.sent), u64::from(ping.received)),
        _ => panic!("{result:?}"),
    };
    results.iter().map(one).fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
}

fn flood(lab: &Lab) {
    let specs: Vec<ProbeSpec> = (0..TARGETS).map(|n| ping(&target(n), 20, 0.0)).collect();
    let tools = tools();
    let (results, seconds, cpu) = run_all(lab, &tools, &specs, Duration::ZERO);
    let (sent, received) = sums(&results);
    row("netwatch, 50 000 targets, 20 each, as fast as it can", sent, seconds, cpu);
    println!("| … lost {} | | | {:?} |", sent - received, tools.hub.counts());
}

fn paced(lab: &Lab) {
    let specs: Vec<ProbeSpec> = (0..PER_SECOND).map(|n| ping(&target(n), 10, 1.0)).collect();
    let tools = tools();
    let (results, seconds, cpu) = run_all(lab, &tools, &specs, Duration::from_secs(1) / PER_SECOND);
    let (sent, received) = sums(&results);
    row("netwatch, 10 000 targets each second", sent, seconds, cpu);
    let counts = tools.hub.counts();
    println!(
        "| … lost {}; left late by at most {} µs (p99), {} µs (all) | | | |",
        sent - received,
        counts.late_p99.as_micros(),
        counts.late_most.as_micros()
    );
    let file = targets(lab, PER_SECOND);
    shell(
        lab,
        "fping, 10 000 targets each second",
        &format!("fping -q -i 0.1 -p 1000 -t 900 -c 5 -f {file}"),
        u64::from(PER_SECOND) * 5,
    );
}

fn others(lab: &Lab) {
    let file = targets(lab, TARGETS);
    shell(lab, "fping -i 0, 50 000 targets", &format!("fping -q -i 0 -c 1 -t 3000 -f {file}"), u64::from(TARGETS));
    shell(lab, "ping -f, one target", &format!("ping -q -f -c 300000 {}", target(7)), 300_000);
}

/// A file with targets, as fping reads them.
fn targets(lab: &Lab, count: u32) -> String {
    let path = std::env::temp_dir().join("probe-figures-targets").display().to_string();
    let mut text = String::new();
    (0..count).for_each(|n| writeln!(text, "{}", target(n)).expect("text grows"));
    std::fs::write(&path, text).expect("a file of targets");
    let _ = lab;
    path
}

/// Runs somebody else's program and says what it cost.
fn shell(lab: &Lab, what: &str, command: &str, count: u64) {
    let script = format!("TIMEFORMAT='%R %U %S'; time {command} > /dev/null 2>&1 || true");
    let output = lab.here.run("bash", &["-c", &script]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let times: Vec<f64> = text.lines().last().unwrap_or_default().split(' ').filter_map(|n| n.parse().ok()).collect();
    match times.as_slice() {
        [real, user, system] => row(what, count, *real, user + system),
        _ => println!("| {what} | does not run: {text} | | |"),
    }
}

fn trace(n: u32) -> ProbeSpec {
    let mut spec = ProbeSpec { count: 10, spacing: 0.1, ..ProbeSpec::new(ProbeKind::Mtr, &target(n)) };
    spec.options.set(&NAMES, OptionValue::Flag(false));
    spec
}

fn traces(lab: &Lab) {
    let specs: Vec<ProbeSpec> = (0..500).map(trace).collect();
    let tools = tools();
    let (results, seconds, cpu) = run_all(lab, &tools, &specs, Duration::from_millis(2));
    let reached = results.iter().filter(|result| result.failure.is_none()).count();
    row(&format!("netwatch, 500 traces at once, {reached} reached"), tools.hub.counts().sent, seconds, cpu);
    shell(lab, "mtr, one trace", &format!("mtr -n -r -c 300 -i 0.01 {}", target(1)), 900);
}

/// What a ping measures while others measure as well, in the same process.
fn crowd(lab: &Lab) {
    serve_http(lab);
    println!(
        "\n| beside | median of the ping, µs | p95, µs | lost | others | their failures |\n|---|---|---|---|---|---|"
    );
    let http = |n| ProbeSpec { timeout: 5.0, ..ProbeSpec::new(ProbeKind::Http, &format!("http://{}/", target(n))) };
    let crowds: [(&str, Vec<ProbeSpec>, Duration); 4] = [
        ("nothing", Vec::new(), Duration::ZERO),
        ("500 traces at once, again and again", (0..2500).map(|n| trace(n % 500)).collect(), Duration::from_millis(4)),
        ("5 000 HTTP probes a minute", (0..833).map(http).collect(), Duration::from_millis(12)),
        ("nothing, again", Vec::new(), Duration::ZERO),
    ];
    for (beside, others, phase) in crowds {
        let specs: Vec<ProbeSpec> = [ping(&target(60_000), 1000, 0.01)].into_iter().chain(others).collect();
        let (results, ..) = run_all(lab, &tools(), &specs, phase);
        let [first, others @ ..] = &results[..] else { return };
        let Some(Detail::Ping(ping)) = &first.detail else { return };
        let failed = others.iter().filter(|result| result.failure.is_some()).count();
        let [median, p95] = ping.rtt.as_ref().map_or([0.0; 2], |rtt| [rtt.median * 1e6, rtt.p95 * 1e6]);
        let lost = ping.sent - ping.received;
        println!("| {beside} | {median:.1} | {p95:.1} | {lost} | {} | {failed} |", others.len());
    }
}

/// A server of HTTP at all targets, as small as it can be: it costs what it costs the machine.
fn serve_http(lab: &Lab) {
    use std::io::{Read as _, Write as _};
    let listener = lab.there.enter(|| std::net::TcpListener::bind("0.0.0.0:80").expect("port 80"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 2048]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
}

fn loss(lab: &Lab) {
    for rule in [
        "add table inet lab",
        "add chain inet lab in { type filter hook input priority 0 ; }",
        "add rule inet lab in icmp type echo-request numgen random mod 1000 < 30 counter drop",
    ] {
        lab.there.run("nft", &[rule]);
    }
    let specs: Vec<ProbeSpec> = (0..1000).map(|n| ping(&target(n), 100, 0.01)).collect();
    let (results, ..) = run_all(lab, &tools(), &specs, Duration::from_micros(100));
    let (sent, received) = sums(&results);
    let text = String::from_utf8(lab.there.run("nft", &["list", "ruleset"]).stdout).expect("text");
    let counter = text.split("counter packets ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("none");
    println!("\nloss: {} of {sent} lost, the kernel counted {counter} dropped", sent - received);
    lab.there.run("nft", &["delete table inet lab"]);
}

/// The median round trip beside that of a capture on the cable.
fn accuracy(lab: &Lab) {
    let file = std::env::temp_dir().join("probe-figures.pcap").display().to_string();
    let _ = std::fs::remove_file(&file);
    let mut command = std::process::Command::new("tshark");
    let capture =
        lab.here.spawn(command.args(["-q", "-i", "a0", "-f", "icmp", "-w", &file]).stderr(std::process::Stdio::null()));
    let deadline = clock::monotonic() + Duration::from_secs(20);
    while std::fs::metadata(&file).is_err() && clock::monotonic() < deadline {
        std::thread::yield_now();
    }
    let (results, ..) = run_all(lab, &tools(), &[ping(&target(1), 3000, 0.001)], Duration::ZERO);
    std::thread::sleep(Duration::from_secs(2));
    drop(capture);
    let Some(Detail::Ping(ping)) = results.first().and_then(|result| result.detail.as_ref()) else { return };
    let ours = ping.rtt.as_ref().map_or(0.0, |rtt| rtt.median) * 1e6;
    let arguments = ["-n", "-r", &file, "-Y", "icmp.resptime", "-T", "fields", "-e", "icmp.resptime"];
    let text = String::from_utf8(lab.here.run("tshark", &arguments).stdout).expect("text");
    let mut wire: Vec<f64> = text.lines().filter_map(|line| line.parse::<f64>().ok()).map(|ms| ms * 1e3).collect();
    wire.sort_by(f64::total_cmp);
    let median = wire.get(wire.len() / 2).copied().unwrap_or(0.0);
    println!("median round trip: {ours:.1} µs, on the cable {median:.1} µs ({} answers)", wire.len());
}
