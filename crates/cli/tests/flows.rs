//! `netwatch flows --read`: the names that scripts rely on, filters, formats, hostile names and damaged files.

#[path = "support/sandbox.rs"]
mod sandbox;

use sandbox::{Sandbox, text};

/// The fields that scripts rely on.
const PROMISED: [&str; 18] = [
    "source",
    "destination",
    "source_port",
    "destination_port",
    "protocol",
    "vlan",
    "packets",
    "reverse_packets",
    "octets",
    "reverse_octets",
    "l2_octets",
    "reverse_l2_octets",
    "start",
    "end",
    "end_reason",
    "application",
    "name",
    "state",
];

#[test]
fn one_object_a_line_with_the_promised_names_ordered_by_start() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let said = sandbox.run(&["flows", "--read", text(&file), "--format", "json"]).exits(0);
    assert_eq!(said.err, "");
    let flows = said.json_lines();
    assert!(flows.len() > 3, "{}", said.out);
    for flow in &flows {
        for name in PROMISED {
            assert!(flow.get(name).is_some(), "{name} is missing in {flow}");
        }
        assert!(flow["protocol"].is_u64() && flow["vlan"].is_array() && flow["packets"].is_u64());
        assert_eq!(flow["start"].as_str().map(str::len), Some(30), "nine digits: {flow}");
    }
    let starts: Vec<&str> = flows.iter().filter_map(|f| f["start"].as_str()).collect();
    assert!(starts.is_sorted(), "{starts:?}");
}

#[test]
fn compressed_and_from_standard_input_it_is_the_same() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let plain = sandbox.run(&["flows", "--read", text(&file), "--format", "csv"]).exits(0);
    let input = std::fs::File::open(&file).unwrap();
    let piped = sandbox.command(&["flows", "--read", "-", "--format", "csv"]).stdin(input).output().unwrap();
    let piped = sandbox::Said::from(piped).exits(0);
    let rows = |s: &str| s.lines().count();
    assert_eq!(rows(&plain.out), rows(&piped.out));
    assert!(plain.out.starts_with("id,source,source_port,destination,"), "{}", plain.out);
}

#[test]
fn filter_sort_and_limit() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let run = |more: &[&str]| {
        let arguments = [&["flows", "--read", text(&file), "--format", "json"], more].concat();
        sandbox.run(&arguments).exits(0).json_lines()
    };
    let all = run(&[]);
    let tcp = run(&["--filter", "tcp"]);
    let rest = run(&["--filter", "not tcp"]);
    assert!(!tcp.is_empty() && !rest.is_empty());
    assert_eq!(tcp.len() + rest.len(), all.len());
    assert!(tcp.iter().all(|f| f["protocol"] == 6) && rest.iter().all(|f| f["protocol"] != 6));
    let octets = |f: &serde_json::Value| f["octets"].as_u64().unwrap() + f["reverse_octets"].as_u64().unwrap();
    let heavy = run(&["--sort", "bytes", "--limit", "3"]);
    let mut sizes: Vec<u64> = all.iter().map(octets).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(heavy.iter().map(octets).collect::<Vec<_>>(), sizes[..3]);
    let udp = run(&["--capture-filter", "udp"]);
    assert!(!udp.is_empty() && udp.iter().all(|f| f["protocol"] == 17), "{udp:?}");
}

#[test]
fn a_wrong_question_is_exit_code_2() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let read = ["flows", "--read", text(&file)];
    let run = |more: &[&str]| sandbox.run(&[&read, more].concat()).exits(2);
    run(&["--filter", "prot 443"]).complains("did you mean `port`?").complains("\n  prot 443\n  ^^^^\n");
    run(&["--capture-filter", "tcp prot"]).complains("tcp prot");
    run(&["--format", "xml"]).complains("xml");
    run(&["--limit", "0"]);
    run(&["--tcp-timeout", "soon"]).complains("--tcp-timeout: flows.tcp_timeout: `soon` is not a duration");
    sandbox.run(&["flows", "--frobnicate"]).exits(2).complains("--frobnicate");
    sandbox.run(&["flow"]).exits(2).complains("flows");
    sandbox.run(&[]).exits(2);
}

#[test]
fn what_cannot_be_read_is_exit_code_1_and_says_which_file() {
    let sandbox = Sandbox::new();
    sandbox.run(&["flows", "--read", "missing.pcap"]).exits(1).complains("missing.pcap").complains("No such file");
    let noise = sandbox.file("noise.pcap", b"this is no capture file, whatever its name says");
    sandbox.run(&["flows", "--read", text(&noise)]).exits(1).complains("noise.pcap is not a capture file");
    let bytes = std::fs::read(sandbox.capture("truth")).unwrap();
    let cut = sandbox.file("cut.pcap", &bytes[..bytes.len() - 7]);
    let said =
        sandbox.run(&["flows", "--read", text(&cut), "--format", "json"]).exits(1).complains("cut.pcap ends within");
    assert!(said.json_lines().len() > 3, "what stands before the damage is printed");
    sandbox.run(&["flows", "--server", "http://127.0.0.1:1", "--token", "x"]).exits(1).complains("no server answers");
    let empty = sandbox.path("data");
    sandbox.run(&["flows", "--data-dir", text(&empty)]).exits(1).complains("token").complains("--data-dir");
}

#[test]
fn nobody_listening_is_no_error() {
    let sandbox = Sandbox::new();
    let file = sandbox.capture("truth");
    let mut child = sandbox
        .command(&["flows", "--read", text(&file), "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    sandbox::Said::from(output).exits(0).complains("");
}

/// The name in the TLS hello looks like HTML and shell; the file, whose name becomes that of the interface, attacks terminal and
/// spreadsheet.
#[test]
fn hostile_names_come_out_as_text_in_every_format() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("=cmd|'\x1b[31m\u{202e}.pcap", netwatch_testkit::corpus::case("hostile-sni").file());
    for format in ["table", "json", "csv", "yaml"] {
        let said = sandbox.run(&["flows", "--read", text(&file), "--format", format]).exits(0);
        let harmful = |c: char| c != '\n' && c != '\r' && netwatch_model::untrusted::is_deceptive(c);
        assert!(!said.out.chars().any(harmful), "{format}: {:?}", said.out);
        assert!(said.out.contains("<b>x</b>$(reboot)"), "{format}: {}", said.out);
    }
    let csv = sandbox.run(&["flows", "--read", text(&file), "--format", "csv"]).exits(0);
    assert!(csv.out.contains(r#","'=cmd|'\u{1b}[31m\u{202e}.pcap","#), "{}", csv.out);
}

#[test]
fn a_hostile_file_name_is_text_in_messages() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["flows", "--read", "\x1b[31mmissing\u{202e}.pcap"]).exits(1);
    let harmful = |c: char| c != '\n' && netwatch_model::untrusted::is_deceptive(c);
    assert!(!said.err.chars().any(harmful), "{:?}", said.err);
}
