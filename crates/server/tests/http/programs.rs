//! What programs send, follow and steer.

use std::sync::{Arc, Mutex};

use netwatch_api::control::{KeyChange, Reload};
use netwatch_model::{Event, EventKind, Record, Severity, Untrusted};
use netwatch_server::{Control, ControlError, Intake, IntakeError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::data::START;
use crate::support::{Answer, PATIENCE, TOKEN, TestServer};

/// Keeps what was taken in.
#[derive(Default)]
struct Kept(Mutex<Vec<Record>>);

impl Intake for Kept {
    fn take(&self, records: Vec<Record>) -> Result<(), IntakeError> {
        self.0.lock().unwrap().extend(records);
        Ok(())
    }
}

/// A process that can be steered.
struct Process(Mutex<String>);

impl Control for Process {
    fn log_filter(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn set_log_filter(&self, filter: &str) -> Result<(), ControlError> {
        if filter.contains(' ') {
            return Err(ControlError::Filter(format!("`{filter}` is not a log filter")));
        }
        filter.clone_into(&mut self.0.lock().unwrap());
        Ok(())
    }

    fn reload(&self) -> Result<Reload, ControlError> {
        if self.log_filter() == "broken" {
            return Err(ControlError::Configuration("n.yaml:1:1: unknown section `captur`".to_owned()));
        }
        let change = KeyChange { key: "log.level".to_owned(), before: "info".to_owned(), after: "debug".to_owned() };
        Ok(Reload { applied: vec![change], ..Reload::default() })
    }
}

async fn send(server: &TestServer, method: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    server.ask(method, path, &headers, &body.to_string()).await
}

#[tokio::test]
async fn the_good_elements_of_a_batch_are_taken_in_and_the_others_are_named() {
    let kept = Arc::new(Kept::default());
    let server = TestServer::start_with_intake(Arc::<Kept>::clone(&kept)).await;
    let batch = json!({"samples": [
        {"name": "queue_length", "labels": {"queue": "mail"}, "value": 3.5},
        {"name": "9lives", "value": 1},
        {"name": "x", "valeu": 1},
        {"name": "x", "value": "1"},
        {"name": "x", "value": 1, "labels": {"__name__": "y"}},
        {"name": "x", "value": 1, "time": "1970-01-01T00:00:00Z"},
        {"name": "x", "value": 1, "time": "yesterday"},
        {"name": "x:y", "value": -1},
    ]});
    let answer = send(&server, "POST", "/api/v1/ingest/samples", &batch).await;
    let report = answer.json();
    assert_eq!((answer.status, &report["accepted"], &report["rejected"]), (200, &json!(2), &json!(6)), "{report}");
    let errors: Vec<_> = report["errors"].as_array().unwrap().iter().map(|e| (&e["index"], &e["parameter"])).collect();
    let expected = [(1, "name"), (2, "valeu"), (3, "value"), (4, "labels.__name__"), (5, "time"), (6, "time")];
    let expected: Vec<_> = expected.map(|(i, p)| (json!(i), json!(p))).into();
    assert!(errors.iter().zip(&expected).all(|((i, p), (ei, ep))| *i == ei && *p == ep), "{report}");
    let records = kept.0.lock().unwrap();
    let Some(Record::Sample(sample)) = records.first() else { panic!("{records:?}") };
    assert_eq!((sample.series.external_name(), sample.value.as_f64(), records.len()), (Some("queue_length"), 3.5, 2));
}

#[tokio::test]
async fn a_batch_has_bounds() {
    let server = TestServer::start().await;
    let samples = |n: usize| json!({"samples": vec![json!({"name": "x", "value": 1}); n]});
    for n in [0, 10_001] {
        let answer = send(&server, "POST", "/api/v1/ingest/samples", &samples(n)).await;
        answer.assert_problem("invalid_parameter");
        assert_eq!(answer.json()["parameter"], "samples");
    }
    let answer = send(&server, "POST", "/api/v1/ingest/samples", &samples(1)).await;
    answer.assert_problem("unavailable");
    let large = json!({"samples": ["x".repeat(5 << 20)]});
    send(&server, "POST", "/api/v1/ingest/samples", &large).await.assert_problem("too_large");
    send(&server, "POST", "/api/v1/ingest/events", &json!({"event": []})).await.assert_problem("invalid_parameter");
}

#[tokio::test]
async fn events_of_programs_stand_among_the_others() {
    let server = TestServer::start().await;
    let batch = json!({"events": [
        {"subject": "backup of db1", "text": "failed: disk \u{202e}full", "severity": "critical"},
        {"subject": " ", "text": "x"},
    ]});
    let report = send(&server, "POST", "/api/v1/ingest/events", &batch).await.json();
    assert_eq!((&report["accepted"], &report["errors"][0]["parameter"]), (&json!(1), &json!("subject")), "{report}");
    let newest = server.json("/api/v1/events?limit=1").await["items"][0].clone();
    assert_eq!((&newest["kind"], &newest["severity"]), (&json!("external"), &json!("critical")));
    assert!(!newest["text"].as_str().unwrap().contains('\u{202e}'));
}

#[tokio::test]
async fn pages_of_events_follow_each_other() {
    let server = TestServer::start().await;
    server.store.note_events((0..25).map(|n| event(&format!("event {n}"))));
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("/api/v1/events?limit=10{next}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert!(seen.len() >= 25 && seen.windows(2).all(|w| w[0] == w[1] + 1), "{seen:?}");
    assert_eq!(server.problem("/api/v1/events?cursor=7", "invalid_cursor").await["parameter"], "cursor");
}

#[tokio::test]
async fn events_are_followed_and_resumed() {
    let server = TestServer::start().await;
    let mut stream = Follow::open(&server, &[]).await;
    server.store.note_events([event("one"), event("two")]);
    let (first, data) = stream.next("event").await;
    assert_eq!(data["text"], "one");
    assert_eq!(stream.next("event").await.1["text"], "two");

    let mut again = Follow::open(&server, &[("last-event-id", &first)]).await;
    assert_eq!(again.next("event").await.1["text"], "two", "it goes on after the event that was named");
    let other_run = format!("0-{}", first.rsplit('-').next().unwrap());
    let mut after_restart = Follow::open(&server, &[("last-event-id", &other_run)]).await;
    let (_, oldest) = after_restart.next("event").await;
    assert_ne!(oldest["text"], "two", "numbers of another run say nothing: everything kept comes");

    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("last-event-id", "x")];
    let refused = server.ask("GET", "/api/v1/events/stream", &headers, "").await;
    refused.assert_problem("invalid_parameter");
}

#[tokio::test]
async fn events_that_are_gone_are_told() {
    let server = TestServer::start().await;
    let mut stream = Follow::open(&server, &[]).await;
    server.store.note_events([event("first")]);
    let (first, _) = stream.next("event").await;
    server.store.note_events((0..20_000).map(|n| event(&n.to_string())));
    let mut late = Follow::open(&server, &[("last-event-id", &first)]).await;
    assert!(late.next("gap").await.1["missed"].as_u64() > Some(0));
}

#[tokio::test]
async fn a_stopping_server_ends_the_streams_of_events() {
    let server = TestServer::start().await;
    let mut stream = Follow::open(&server, &[]).await;
    server.stop().await;
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.socket.read_to_end(&mut rest)).await.expect("the stream ends").unwrap();
}

#[tokio::test]
async fn the_process_is_steered() {
    let server = TestServer::start_with_control(Arc::new(Process(Mutex::new("info".to_owned())))).await;
    assert_eq!(server.json("/api/v1/system/log-level").await["filter"], "info");
    let set = async |filter: &str| send(&server, "PUT", "/api/v1/system/log-level", &json!({"filter": filter})).await;
    assert_eq!(set("debug").await.json()["filter"], "debug");
    let refused = set("no filter").await;
    refused.assert_problem("invalid_parameter");
    assert_eq!(refused.json()["parameter"], "filter");
    let reloaded = send(&server, "POST", "/api/v1/system/reload", &Value::Null).await;
    assert_eq!(reloaded.json()["applied"][0]["key"], "log.level", "{}", reloaded.body);
    let audit = server.json("/api/v1/site/audit?limit=2").await;
    let entries: Vec<_> = audit["items"].as_array().unwrap().iter().map(|e| &e["action"]).collect();
    assert_eq!(entries, ["config.changed"; 2], "{audit}");
    set("broken").await;
    let refused = send(&server, "POST", "/api/v1/system/reload", &Value::Null).await;
    refused.assert_problem("invalid_configuration");
    assert!(refused.json()["detail"].as_str().unwrap().contains("n.yaml:1:1"));
}

#[tokio::test]
async fn a_process_that_cannot_be_steered_says_so() {
    let server = TestServer::start().await;
    server.problem("/api/v1/system/log-level", "unavailable").await;
}

#[tokio::test]
async fn the_reference_is_a_page_without_scripts() {
    let server = TestServer::start().await;
    let page = server.get("/api/v1/reference").await;
    assert!(page.headers["content-type"].starts_with("text/html"));
    assert!(page.body.contains("list_flows") && !page.body.contains("<script"));
    let style = server.get("/api/v1/reference/style.css").await;
    assert!(style.headers["content-type"].starts_with("text/css"));
    let bearer = format!("Bearer {TOKEN}");
    let known = [("authorization", bearer.as_str()), ("if-none-match", page.headers["etag"].as_str())];
    assert_eq!(server.ask("GET", "/api/v1/reference", &known, "").await.status, 304);
}

fn event(text: &str) -> Event {
    let (subject, text) = (Untrusted::new("test"), Untrusted::new(text));
    Event { time: START, kind: EventKind::External, severity: Severity::Info, subject, text }
}

/// A client of the stream of events.
struct Follow {
    socket: TcpStream,
    text: String,
}

impl Follow {
    async fn open(server: &TestServer, headers: &[(&str, &str)]) -> Self {
        let mut head = format!(
            "GET /api/v1/events/stream HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\naccept-encoding: gzip\r\n",
            server.address
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        let mut follow = Self { socket, text: String::new() };
        let head = follow.until("\r\n\r\n").await.to_lowercase();
        assert!(head.contains("200 ok") && head.contains("text/event-stream") && !head.contains("gzip"), "{head}");
        follow
    }

    /// Id and data of the next message of that name.
    async fn next(&mut self, name: &str) -> (String, Value) {
        loop {
            let message = self.until("\n\n").await;
            let field =
                |name: &str| message.lines().find_map(|l| l.strip_prefix(name).and_then(|l| l.strip_prefix(": ")));
            if field("event") == Some(name) {
                let data = serde_json::from_str(field("data").unwrap()).unwrap();
                return (field("id").unwrap_or("").to_owned(), data);
            }
        }
    }

    async fn until(&mut self, end: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.text.find(end) {
                let rest = self.text.split_off(at + end.len());
                return std::mem::replace(&mut self.text, rest);
            }
            let read =
                timeout(PATIENCE, self.socket.read(&mut buffer)).await.expect("something comes in time").unwrap();
            assert!(read > 0, "the stream ended; so far: {:?}", self.text);
            self.text += std::str::from_utf8(&buffer[..read]).unwrap();
        }
    }
}
