//! Traces of the server's own work, as a collector gets them: over HTTP, decoded by the types of the standard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use netwatch_server::{Policy, TraceExport};
use netwatch_telemetry::clock::{ClockSource, ManualClock};
use netwatch_telemetry::traces::{EndedSpans, QUEUE, TARGET, collect};
use netwatch_telemetry::{logs, traces};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{PATIENCE, TestServer, at};

/// One message: its head, and what it says.
type Message = (String, ExportTraceServiceRequest);

/// A collector that takes everything, on loopback.
async fn collector() -> (SocketAddr, mpsc::Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, messages) = mpsc::channel(1024);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            let (head, body) = loop {
                assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "a whole request");
                let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).expect("a length");
                if bytes.len() >= end + 4 + length.parse::<usize>().unwrap() {
                    break (head, &bytes[end + 4..]);
                }
            };
            let message = ExportTraceServiceRequest::decode(body).expect("the protobuf of a collector");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            let _nobody_waits = tell.send((head, message)).await;
        }
    });
    (address, messages)
}

/// Sends `ended` to a collector until it is told to stop.
fn export(endpoint: String, ended: EndedSpans, clock: Arc<dyn ClockSource>) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let headers = TraceExport::headers("x-tenant=lab").unwrap();
    let outgoing = Policy { allow: vec!["127.0.0.0/8".parse().unwrap()], deny: Vec::new() };
    let (stop, stopped) = oneshot::channel::<()>();
    let run = TraceExport { endpoint, headers, outgoing }.run(ended, clock, async { _ = stopped.await });
    (stop, tokio::spawn(run))
}

fn value<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|a| a.key == key)?.value.as_ref()?.value.as_ref()
}

fn spans(message: ExportTraceServiceRequest) -> Vec<Span> {
    message.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans).collect()
}

/// All that arrived until a span of that name did.
async fn until(messages: &mut mpsc::Receiver<Message>, name: &str) -> (Vec<Span>, String) {
    let mut all = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let (head, message) = messages.recv().await.expect("the collector runs");
            all.extend(spans(message));
            if all.iter().any(|span| span.name == name) {
                return head;
            }
        }
    });
    let head = found.await.ok();
    let names = || all.iter().map(|span| span.name.clone()).collect::<Vec<_>>();
    (all.clone(), head.unwrap_or_else(|| panic!("no span `{name}` among {:?}", names())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_arrives_as_a_span_with_its_route_and_status_and_what_it_did() {
    let (layer, ended) = collect(1.0);
    // The log stays quiet, which is nothing to spans.
    let _handle = logs::init("off", logs::LogFormat::Human, Some(layer)).unwrap();
    let server = TestServer::start().await;
    let (address, mut messages) = collector().await;
    let counters = ended.counters().clone();
    let (stop, task) = export(format!("http://{address}/"), ended, Arc::new(ManualClock::at(at(0))));
    server.get("/api/v1/flows?filter=port+%3D+443").await;
    server.get("/api/v1/flows/none-such").await;

    let (all, head) = until(&mut messages, "GET /api/v1/flows/{id}").await;
    assert!(head.starts_with("post /v1/traces http/1.1") && head.contains("x-tenant: lab"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    let find = |name: &str| all.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {all:#?}"));
    let request = find("GET /api/v1/flows");
    assert_eq!(value(request, "http.route"), Some(&Value::StringValue("/api/v1/flows".to_owned())));
    assert_eq!(value(request, "http.response.status_code"), Some(&Value::IntValue(200)));
    assert_eq!(value(request, "http.request.method"), Some(&Value::StringValue("GET".to_owned())));
    assert_eq!(request.kind, 2, "SPAN_KIND_SERVER");
    assert!(request.parent_span_id.is_empty() && request.end_time_unix_nano >= request.start_time_unix_nano);
    let query = find("query.live");
    assert_eq!((&query.trace_id, &query.parent_span_id), (&request.trace_id, &request.span_id));
    let refused = find("GET /api/v1/flows/{id}");
    assert!(matches!(value(refused, "http.response.status_code"), Some(Value::IntValue(400..=404))), "{refused:?}");
    assert_ne!(refused.trace_id, request.trace_id);
    // Neither what was asked for nor who asked is in it. (Times and identities may have any digits.)
    let text: Vec<_> = all.iter().map(|span| (&span.name, &span.attributes, &span.events, &span.status)).collect();
    let text = format!("{text:?}");
    assert!(!text.contains("443") && !text.contains("none-such"), "{text}");
    stop.send(()).unwrap();
    timeout(PATIENCE, task).await.expect("it stops").unwrap();
    assert!(counters.sent.get() >= all.len() as u64 && counters.dropped.get() == 0, "{counters:?}");
}

/// Spans without a log around them.
fn ended(count: usize) -> EndedSpans {
    let (layer, ended) = collect(1.0);
    let subscriber = tracing_subscriber::registry().with(layer);
    let make = || (0..count).for_each(|_| drop(tracing::info_span!(target: TARGET, "one")));
    tracing::subscriber::with_default(subscriber, make);
    ended
}

#[tokio::test]
async fn what_is_left_is_sent_at_the_end() {
    let (address, mut messages) = collector().await;
    let (stop, task) = export(format!("http://{address}"), ended(600), Arc::new(ManualClock::at(at(0))));
    stop.send(()).unwrap();
    timeout(PATIENCE, task).await.expect("it stops").unwrap();
    let mut counts = Vec::new();
    while let Ok((_, message)) = messages.try_recv() {
        let resource = message.resource_spans[0].resource.clone().unwrap();
        assert!(resource.attributes.iter().any(|a| a.key == "service.name"), "{resource:?}");
        counts.push(spans(message).len());
    }
    assert_eq!(counts, [512, 88], "in messages of a bounded size");
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_is_away_costs_nothing_but_the_spans() {
    // A port on which nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ended = ended(QUEUE + 10);
    let counters = ended.counters().clone();
    assert_eq!(counters.dropped.get(), 10, "the queue is bounded");
    let (stop, task) = export(format!("http://{address}"), ended, Arc::new(ManualClock::at(at(0))));
    // One message is given up at each try, ten seconds apart.
    let tried = timeout(Duration::from_secs(600), async {
        while counters.refused.get() < QUEUE as u64 {
            // waits: on paused time, for the next try.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    tried.await.expect("all are given up");
    assert_eq!(counters.sent.get(), 0);
    stop.send(()).unwrap();
    task.await.unwrap();
    let mut registry = netwatch_telemetry::metrics::Metrics::new(netwatch_telemetry::metrics::BuildInfo {
        version: "test",
        revision: "test",
    });
    traces::TraceCounters::register(&counters, &mut registry);
    let text = registry.encode();
    assert!(text.contains("netwatch_traces_dropped_spans_total 10"), "{text}");
    assert!(text.contains(&format!("netwatch_traces_refused_spans_total {QUEUE}")), "{text}");
}
