//! `netwatch up` behind its walls sends traces to the collector of its configuration, and ends in time when that is away.

#[path = "support/sandbox.rs"]
mod sandbox;
#[path = "support/server.rs"]
mod server;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use rustix::process::Signal;
use sandbox::{Sandbox, text};
use server::{Up, up};

/// A collector on loopback: its address, and head and names of the spans of each message.
fn collector() -> (String, Receiver<(String, Vec<String>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, messages) = sync_channel(1024);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut bytes = Vec::new();
            let (head, body) = loop {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).expect("a request");
                assert!(read > 0, "a whole request");
                bytes.extend_from_slice(&piece[..read]);
                let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
                let head = String::from_utf8(bytes[..end].to_vec()).expect("text").to_lowercase();
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).expect("a length");
                if bytes.len() >= end + 4 + length.parse::<usize>().expect("a number") {
                    break (head, &bytes[end + 4..]);
                }
            };
            let message = ExportTraceServiceRequest::decode(body).expect("the protobuf of a collector");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("an answer");
            let spans = message.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans);
            if tell.send((head, spans.map(|span| span.name).collect())).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}"), messages)
}

#[test]
fn a_request_and_the_stages_of_ingest_reach_the_collector() {
    let sandbox = Sandbox::new();
    let (address, messages) = collector();
    let file = sandbox.capture("truth");
    let mut command = up(&sandbox, &["--read", text(&file)]);
    command.env("NETWATCH_TELEMETRY__OTLP_ENDPOINT", &address);
    command.env("NETWATCH_TELEMETRY__OTLP_HEADERS", "authorization=Bearer hunter2");
    let up = Up::start(&sandbox, command);
    up.wait_for("flows of the file", &[], |flows| !flows.is_empty());
    up.send(Signal::TERM);
    let said = up.end().exits(0);
    let (mut names, mut heads) = (Vec::new(), Vec::new());
    while let Ok((head, spans)) = messages.try_recv() {
        heads.push(head);
        names.extend(spans);
    }
    for wanted in ["GET /api/v1/flows", "query.live", "ingest.batch", "ingest.live"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted} is missing: {names:?}");
    }
    assert!(heads.iter().all(|head| head.contains("authorization: bearer hunter2")), "{heads:?}");
    assert!(!said.err.contains("hunter2"), "{}", said.err);
}

#[test]
fn a_collector_that_is_away_is_named_once_and_holds_nothing_up() {
    let sandbox = Sandbox::new();
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let file = sandbox.capture("truth");
    let mut command = up(&sandbox, &["--read", text(&file)]);
    command.env("NETWATCH_TELEMETRY__OTLP_ENDPOINT", format!("http://{gone}"));
    let up = Up::start(&sandbox, command);
    up.wait_for("flows of the file", &[], |flows| !flows.is_empty());
    up.send(Signal::TERM);
    let said = up.end().exits(0);
    assert_eq!(said.err.matches("traces are not sent").count(), 1, "{}", said.err);
}

#[test]
fn headers_are_hidden_and_a_wrong_one_is_refused_without_being_shown() {
    let sandbox = Sandbox::new();
    let with = |headers: &str, arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.env("NETWATCH_TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:4318");
        command.env("NETWATCH_TELEMETRY__OTLP_HEADERS", headers);
        sandbox::Said::from(command.output().expect("netwatch runs"))
    };
    let shown = with("authorization=hunter2", &["config", "show", "--origin"]).exits(0);
    assert!(shown.out.contains("otlp_headers: (hidden)") && !shown.out.contains("hunter2"), "{}", shown.out);
    let refused = with("hunter2", &["config", "check"]).exits(2).complains("header 1 is not written as NAME=VALUE");
    assert!(!refused.err.contains("hunter2"), "{}", refused.err);
}
