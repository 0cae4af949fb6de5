//! The words of the protocol, and the real iperf3 in namespaces of its own.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netwatch_egress::Policy;
use netwatch_model::probe::{OptionField, OptionValue, ProbeKind};
use netwatch_testkit::netns::{Namespace, Running};

use super::protocol::{Results, State, stream_id};
use super::*;
use crate::tools::OwnRights;

#[test]
fn states_have_the_octets_of_iperf3() {
    for octet in 0..=u8::MAX {
        assert_eq!(State::from_octet(octet).octet(), octet);
    }
    assert_eq!((State::TestRunning.octet(), State::AccessDenied.octet(), State::IperfDone.octet()), (2, 255, 16));
    assert_eq!([0, 1, 2, 3].map(stream_id), [1, 3, 4, 5]);
}

#[test]
fn results_are_read_as_iperf3_writes_them() {
    let text = r#"{"cpu_util_total":1.5,"sender_has_retransmits":1,"congestion_used":"cubic","streams":[
        {"id":1,"bytes":1.25e+15,"retransmits":3,"jitter":0,"errors":0,"packets":0,"start_time":0,"end_time":2.5},
        {"id":3,"bytes":7,"retransmits":4}]}"#;
    let results: Results = serde_json::from_str(text).expect("it is JSON");
    assert_eq!((results.octets(), results.retransmits()), (1_250_000_000_000_007, Some(7)));
    assert_eq!(results.seconds(), Some(2.5));
    let without: Results = serde_json::from_str(r#"{"sender_has_retransmits":-1}"#).expect("it is JSON");
    assert_eq!((without.octets(), without.retransmits(), without.seconds()), (0, None, None));
}

#[test]
fn a_line_of_ethernet_carries_what_headers_leave() {
    // The ceilings of 1 Gb/s with an MTU of 1500 octets, with and without time stamps.
    assert!((ideal(1e9, (1460, false), false) / 1e6 - 949.28).abs() < 0.01);
    assert!((ideal(1e9, (1448, true), false) / 1e6 - 941.48).abs() < 0.01);
    assert!((ideal(1e9, (1428, true), true) / 1e6 - 928.48).abs() < 0.01);
}

#[test]
fn figures_are_those_of_rfc_6349() {
    let carried = |segments| Carried {
        octets: 10_000_000,
        seconds: 10.0,
        retransmits: Some(50),
        segments,
        segment: Some((1448, true)),
        ..Carried::default()
    };
    let way = |is_reverse, segments| Way { is_reverse, carried: carried(segments), pings: vec![0.03, 0.025, 0.020] };
    let to = Resolved { address: "192.0.2.2:5201".parse().expect("an address"), lookup: None };
    let spec = spec("192.0.2.2", 10.0, &[(&LINE_RATE, OptionValue::Whole(10_000_000))]);
    let all = figures(&spec, to, &[0.010, 0.011, 0.009], &[way(false, Some(1000)), way(true, None)]);
    let (forward, reverse) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert_eq!((all.rtt_method, all.idle_rtt, forward.loaded_rtt), (RttMethod::Icmp, Some(0.010), Some(0.025)));
    assert_eq!(all.bandwidth_delay, Some(12_500.0));
    assert_eq!(all.bufferbloat.as_deref(), Some("A"));
    assert_eq!(forward.efficiency, Some(0.95));
    assert!((reverse.efficiency.expect("retransmits are said") - 10_000_000.0 / 10_072_400.0).abs() < 1e-12);
    assert!((forward.buffer_delay.expect("both are known") - 1.5).abs() < 1e-12);
    // 8 Mb/s of the 9.4148 Mb/s that are left of 10 Mb/s.
    assert!((forward.time_ratio.expect("the rate is known") - 1.176_85).abs() < 1e-4);
    // Without pings all times are of the kernel, or there are none.
    let silent = Way { pings: Vec::new(), ..way(false, None) };
    let all = figures(&spec, to, &[0.010], &[silent]);
    assert_eq!((all.rtt_method, all.idle_rtt, all.bufferbloat), (RttMethod::Tcp, None, None));
}

fn tools() -> Tools {
    let any = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("a network"));
    Tools::new(Arc::new(Policy { allow: any.to_vec(), deny: Vec::new() }), Arc::new(OwnRights))
}

fn spec(target: &str, seconds: f64, options: &[(&OptionField, OptionValue)]) -> ProbeSpec {
    let mut spec = ProbeSpec::new(ProbeKind::Throughput, target);
    spec.options.set(&SECONDS, OptionValue::Number(seconds));
    for (field, value) in options {
        spec.options.set(field, value.clone());
    }
    spec
}

/// Runs a probe in a namespace.
fn run_in(namespace: &Namespace, spec: &ProbeSpec) -> (Throughput, Option<Failure>) {
    let ran = namespace.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(spec, &tools()))
    });
    match ran.detail {
        Some(Detail::Throughput(detail)) => (*detail, ran.failure),
        _ => panic!("nothing was measured: {:?}", ran.failure),
    }
}

/// Starts iperf3 in a namespace and waits until it listens; its report goes to standard output.
fn iperf3(namespace: &Namespace, arguments: &[&str]) -> Running {
    let mut command = Command::new("iperf3");
    let server = namespace.spawn(command.args(["-s", "-J"]).args(arguments).stdout(Stdio::piped()));
    let listens = || {
        namespace.enter(|| {
            ["tcp", "tcp6"].iter().any(|table| {
                let table = std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap_or_default();
                // Port 5201, state LISTEN.
                table.lines().any(|line| line.contains(":1451 ") && line.contains(" 0A "))
            })
        })
    };
    let mut patience = 500;
    while !listens() {
        patience -= 1;
        assert!(patience > 0, "iperf3 does not listen");
        // waits: for another program to listen; connecting to it would be a test of its own.
        std::thread::sleep(Duration::from_millis(10));
    }
    server
}

/// What the server of one test reports at its end.
fn report(mut server: Running) -> serde_json::Value {
    let output = server.0.stdout.take().expect("a pipe");
    let text = std::io::read_to_string(output).expect("text");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Two namespaces with a link between them.
pub(super) fn link(test: &str) -> Option<(Namespace, Namespace)> {
    let (a, b) = (Namespace::new_or_skip(test)?, Namespace::new_or_skip(test)?);
    a.connect("va", &b, "vb");
    a.ip("addr add 192.0.2.1/24 dev va");
    b.ip("addr add 192.0.2.2/24 dev vb");
    // What waits in the buffers of both kernels at the end was sent and not received: little, so that the two can be compared.
    for namespace in [&a, &b] {
        namespace.run("sysctl", &["-qw", "net.ipv4.tcp_wmem=4096 16384 262144", "net.ipv4.tcp_rmem=4096 65536 262144"]);
    }
    Some((a, b))
}

fn three(test: &str) -> Option<[Namespace; 3]> {
    Some([Namespace::new_or_skip(test)?, Namespace::new_or_skip(test)?, Namespace::new_or_skip(test)?])
}

/// What fits into the buffers of both kernels (see [`link`]) and of both programs, for each stream.
const IN_FLIGHT: f64 = 1_048_576.0;

/// What the side sent that ends a test, and what the other side had read when it heard of the end: all but what was on the way.
#[track_caller]
pub(super) fn all_but_what_was_on_the_way(sent: f64, received: f64, streams: u32) {
    let on_the_way = sent - received;
    let most = IN_FLIGHT * f64::from(streams);
    assert!(received > 1e6 && (0.0..=most).contains(&on_the_way), "sent {sent}, received {received}");
}

/// What the side sent that hears of the end only later, and what counted for the other: how much later is up to the scheduler.
#[track_caller]
pub(super) fn at_least_what_counted(sent: f64, counted: f64) {
    assert!(counted > 1e6 && sent >= counted && counted > sent / 2.0, "sent {sent}, {counted} of them counted");
}

/// A number of a report of iperf3.
#[track_caller]
pub(super) fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn iperf3_and_we_agree_in_both_directions() {
    let Some((a, b)) = link("throughput beside iperf3") else { return };
    for (direction, streams) in [("forward", 1), ("forward", 4), ("reverse", 1), ("reverse", 4)] {
        let server = iperf3(&b, &["-1"]);
        let wanted =
            [(&DIRECTION, OptionValue::Text(direction.to_owned())), (&STREAMS, OptionValue::Whole(streams.into()))];
        let (all, failure) = run_in(&a, &spec("192.0.2.2", 2.0, &wanted));
        assert_eq!(failure, None);
        let theirs = report(server);
        let is_forward = direction == "forward";
        let (ours, other) = if is_forward { (all.forward, all.reverse) } else { (all.reverse, all.forward) };
        let ours = ours.expect("it was measured");
        assert_eq!(other, None);
        let end = &theirs["end"];
        if is_forward {
            all_but_what_was_on_the_way(ours.octets as f64, number(&end["sum_received"]["bytes"]), streams);
        } else {
            at_least_what_counted(number(&end["sum_sent"]["bytes"]), ours.octets as f64);
        }
        assert!((1.9..4.0).contains(&ours.seconds) && !ours.cut, "{ours:?}");
        assert!(ours.retransmits.is_some() && ours.loaded_rtt.is_some(), "{ours:?}");
        let efficiency = ours.efficiency.expect("retransmits are known");
        assert!((0.5..=1.0).contains(&efficiency), "{efficiency}");
        assert_eq!(all.rtt_method, RttMethod::Icmp);
        let rtt = all.idle_rtt.expect("pings are answered");
        assert!(rtt > 0.0 && rtt < 0.1, "{rtt}");
        assert_eq!(theirs["start"]["test_start"]["num_streams"], streams);
    }
}

#[test]
fn both_directions_are_measured_one_after_the_other() {
    let Some((a, b)) = link("throughput in both directions") else { return };
    let _server = iperf3(&b, &[]);
    let (all, failure) = run_in(&a, &spec("192.0.2.2:5201", 1.0, &[]));
    assert_eq!(failure, None);
    let (forward, reverse) = (all.forward.expect("there"), all.reverse.expect("back"));
    assert!(forward.bits_per_second > 1e7 && reverse.bits_per_second > 1e7, "{forward:?} {reverse:?}");
}

#[test]
fn a_budget_ends_a_direction_early() {
    let Some((a, b)) = link("throughput with a budget") else { return };
    let _server = iperf3(&b, &["-1"]);
    let wanted = [(&DIRECTION, OptionValue::Text("forward".to_owned())), (&BUDGET, OptionValue::Whole(4_000_000))];
    let (all, failure) = run_in(&a, &spec("192.0.2.2", 30.0, &wanted));
    assert_eq!(failure, None);
    let forward = all.forward.expect("there");
    assert!(forward.cut && forward.octets <= 4_000_000 + (128 << 10) && forward.seconds < 10.0, "{forward:?}");
}

#[test]
fn a_bottleneck_with_a_long_queue_is_graded() {
    let test = "throughput over a bottleneck";
    let Some([a, r, b]) = three(test) else { return };
    // a – r – b, with the queue at r's end towards b: the sender's own queue would hold it back.
    a.connect("va", &r, "ra");
    r.connect("rb", &b, "vb");
    a.ip("addr add 198.51.100.1/30 dev va");
    r.ip("addr add 198.51.100.2/30 dev ra");
    r.ip("addr add 203.0.113.1/30 dev rb");
    b.ip("addr add 203.0.113.2/30 dev vb");
    a.ip("route add 203.0.113.0/30 via 198.51.100.2");
    b.ip("route add 198.51.100.0/30 via 203.0.113.1");
    r.run("sysctl", &["-qw", "net.ipv4.ip_forward=1"]);
    for (namespace, interface) in [(&a, "va"), (&r, "ra"), (&r, "rb"), (&b, "vb")] {
        namespace.run("ethtool", &["-K", interface, "tso", "off", "gso", "off", "gro", "off"]);
    }
    r.run("tc", &["qdisc", "add", "dev", "rb", "root", "tbf", "rate", "8mbit", "burst", "5000", "latency", "200ms"]);
    let _server = iperf3(&b, &["-1"]);
    let wanted = [(&DIRECTION, OptionValue::Text("forward".to_owned()))];
    let (all, failure) = run_in(&a, &spec("203.0.113.2", 4.0, &wanted));
    assert_eq!(failure, None);
    let forward = all.forward.expect("there");
    assert_eq!(all.rtt_method, RttMethod::Icmp);
    assert!((6e6..8e6).contains(&forward.bits_per_second), "{forward:?}");
    let loaded = forward.loaded_rtt.expect("it was busy");
    // How full the queue of 200 ms gets within the test is up to the congestion control; that it fills is not.
    let idle = all.idle_rtt.expect("pings are answered");
    assert!(idle < 0.005 && (0.005..0.30).contains(&loaded), "{idle} {forward:?}");
    assert_eq!(all.bufferbloat.as_deref(), Some(grade(loaded - idle)));
    assert!(forward.buffer_delay.expect("both are known") > 1.0);
}

#[test]
fn what_is_no_iperf3_is_said_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address: SocketAddr = listener.local_addr().expect("it is bound");
    let peer = std::thread::spawn(move || {
        for answer in [&b"\xff"[..], b"HTTP/1.1 400", b""] {
            let (mut stream, _) = listener.accept().expect("a connection");
            std::io::Read::read_exact(&mut stream, &mut [0; 37]).expect("a cookie");
            std::io::Write::write_all(&mut stream, answer).expect("it is sent");
        }
    });
    let fails = || {
        let ran = runtime.block_on(run_within(&spec(&address.to_string(), 1.0, &[]), &tools(), Duration::ZERO));
        assert!(ran.detail.is_none());
        ran.failure.expect("it is none")
    };
    let busy = fails();
    assert!(busy.reason == FailureReason::Unexpected && busy.message.raw().contains("busy"), "{busy:?}");
    assert_eq!(fails().reason, FailureReason::Unexpected);
    assert_eq!(fails().reason, FailureReason::Reset);
    peer.join().expect("it does not panic");
    assert_eq!(fails().reason, FailureReason::Refused, "nobody listens any more");
}
