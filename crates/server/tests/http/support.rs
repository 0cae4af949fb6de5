//! A real server on a port of its own, and a client that writes every byte itself.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use netwatch_model::{Record, Timestamp};
use netwatch_server::history::StorageRules;
use netwatch_server::query::LiveStore;
use netwatch_server::{Access, Config, Control, Dependencies, Intake, Server, ServerMetrics, listen};
use netwatch_server::{ProbePolicy, Prober};
use netwatch_storage::TelemetryStore;
use netwatch_telemetry::clock::{ClockSource, ManualClock, SystemClock};
use netwatch_telemetry::health::Health;
use netwatch_telemetry::metrics::{BuildInfo, Metrics};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::data::{SECONDS, START, batch, samples, store};

/// The token of every test server.
pub const TOKEN: &str = "the-token-of-the-tests";
/// The password of `ada`, the first administrator.
pub const PASSWORD: &str = "correct horse battery staple";
/// Long enough for the slowest machine: passing tests never wait for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub struct TestServer {
    pub address: SocketAddr,
    pub access: Arc<Access>,
    pub store: Arc<LiveStore>,
    pub health: Health,
    /// The time of the data.
    pub clock: ManualClock,
    sequence: AtomicU64,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    dir: Option<tempfile::TempDir>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(Config::default(), store()).await
    }

    pub async fn start_with(config: Config, store: LiveStore) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listen_at = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self::start_in(dir.path(), listen_at, config, store).await;
        server.dir = Some(dir);
        server
    }

    /// With somewhere to put what programs send.
    pub async fn start_with_intake(intake: Arc<dyn Intake>) -> Self {
        Self::start_joined(|server| server.live().taking_in_by(intake)).await
    }

    /// With a process around it that can be steered.
    pub async fn start_with_control(control: Arc<dyn Control>) -> Self {
        Self::start_joined(|server| server.live().controlled_by(control)).await
    }

    /// With a telemetry store, of which the configuration says that.
    pub async fn start_with_history(store: Arc<dyn TelemetryStore>, rules: StorageRules) -> Self {
        Self::start_joined(|server| {
            server.live().set_storage_rules(rules);
            server.live().remembered_by(store);
        })
        .await
    }

    /// With an agent that measures.
    pub async fn start_with_prober(prober: Arc<dyn Prober>, policy: ProbePolicy) -> Self {
        Self::start_joined(|server| {
            server.live().set_probe_policy(policy);
            server.live().probing_by(prober);
        })
        .await
    }

    /// With whatever is joined to the server before it runs.
    pub async fn start_joined(join: impl FnOnce(&Server)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listen_at = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self::start_all(dir.path(), listen_at, Config::default(), store(), join).await;
        server.dir = Some(dir);
        server
    }

    pub async fn start_in(dir: &Path, listen_at: SocketAddr, config: Config, store: LiveStore) -> Self {
        Self::start_all(dir, listen_at, config, store, |_| {}).await
    }

    async fn start_all(
        dir: &Path,
        listen_at: SocketAddr,
        config: Config,
        store: LiveStore,
        join: impl FnOnce(&Server),
    ) -> Self {
        let clock: Arc<dyn ClockSource> = Arc::new(SystemClock);
        let access = Arc::new(Access::open(dir, Some(TOKEN), Arc::clone(&clock)).unwrap());
        let store = Arc::new(store);
        let data_clock = ManualClock::at(at(SECONDS));
        let health = Health::new();
        let mut registry = Metrics::new(BuildInfo { version: "test", revision: "test" });
        let metrics = ServerMetrics::register(&mut registry);
        let dependencies = Dependencies {
            store: Arc::clone(&store),
            access: Arc::clone(&access),
            data_clock: Arc::new(data_clock.clone()),
            clock,
            health: health.clone(),
            registry: Arc::new(registry),
            metrics,
        };
        let listener = listen(listen_at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::build(config, dependencies).unwrap();
        join(&server);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            server.run(listener, async { _ = stopped.await }).await.unwrap();
        });
        let sequence = AtomicU64::new(1000);
        Self { address, access, store, health, clock: data_clock, sequence, stop, task, dir: None }
    }

    /// Hands records to the store.
    pub fn observe(&self, records: Vec<Record>) {
        let sequence = self.sequence.fetch_add(1, Relaxed);
        self.store.apply(&batch(sequence, records), self.clock.now());
    }

    /// Another second of traffic.
    pub fn pass_a_second(&self, second: u64) {
        self.clock.advance(Duration::from_secs(1));
        self.observe(samples(second));
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(self) -> Option<tempfile::TempDir> {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.task).await.expect("the server stops in time").unwrap();
        self.dir
    }

    /// GET with the token.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("authorization", &format!("Bearer {TOKEN}"))], "").await
    }

    /// GET with the token; must be 200 with JSON.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// GET with the token; must be a problem of that code.
    pub async fn problem(&self, path: &str, code: &str) -> Value {
        let answer = self.get(path).await;
        answer.assert_problem(code);
        answer.json()
    }

    /// One request. `Host` is added when it is not given.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += &format!("host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            head += &format!("content-length: {}\r\n", body.len());
        }
        self.raw(&format!("{head}\r\n{body}")).await
    }

    /// Whatever bytes, and what comes back until the server closes.
    pub async fn raw(&self, bytes: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has read everything.
        let _refused_early = stream.write_all(bytes.as_bytes()).await;
        let mut all = Vec::new();
        let read = async {
            // A stream of events has no end: its head is the answer.
            while !is_endless(&all) && stream.read_buf(&mut all).await.is_ok_and(|n| n > 0) {}
        };
        timeout(PATIENCE, read).await.expect("an answer in time");
        Answer::read(&all)
    }

    /// One request and its answer as bytes, chunks put together: status and body.
    pub async fn bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Vec<u8>) {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", body.len());
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let _refused_early = stream.write_all(body).await;
        let mut all = Vec::new();
        let _reset = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("an answer in time");
        let at = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8_lossy(&all[..at]).to_lowercase();
        let body = all[at..].to_vec();
        let body = if head.contains("transfer-encoding: chunked") { unchunk(&body) } else { body };
        (head[9..12].parse().unwrap(), body)
    }

    /// Signs in with a new code; gives the `Cookie` header.
    pub async fn sign_in(&self) -> String {
        let invited = self.access.invite().unwrap();
        let code = invited.code.as_str();
        let (path, body) = if invited.set_up {
            ("/api/v1/setup", json!({"code": code, "name": "ada", "password": PASSWORD}))
        } else {
            ("/api/v1/session", json!({"code": code}))
        };
        let answer = self.ask("POST", path, &[("content-type", "application/json")], &body.to_string()).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
        answer.headers["set-cookie"].split(';').next().unwrap().to_owned()
    }

    /// Opens the stream with the token.
    pub async fn stream(&self) -> Stream {
        self.stream_with(&[("authorization", &format!("Bearer {TOKEN}"))]).await.expect("the stream opens")
    }

    /// Opens the stream; the status when it is refused.
    pub async fn stream_with(&self, headers: &[(&'static str, &str)]) -> Result<Stream, u16> {
        use tokio_tungstenite::tungstenite::Error;
        let mut request = format!("ws://{}/api/v1/stream", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match timeout(PATIENCE, client_async(request, stream)).await.expect("an answer in time") {
            Ok((socket, _)) => Ok(Stream(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

fn is_endless(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    text.split_once("\r\n\r\n").is_some_and(|(head, _)| head.contains("text/event-stream"))
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Answer {
    fn read(all: &[u8]) -> Self {
        let text = String::from_utf8_lossy(all).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    /// An RFC 9457 document of that code, with the headers of every answer.
    #[track_caller]
    pub fn assert_problem(&self, code: &str) {
        assert_eq!(self.headers.get("content-type").map(String::as_str), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["type"], format!("urn:netwatch:problem:{code}"));
        assert!(problem["detail"].as_str().is_some_and(|d| d.len() > 10), "{problem}");
        assert!(self.headers.contains_key("content-security-policy"));
    }
}

/// An open stream.
pub struct Stream(pub WebSocketStream<TcpStream>);

impl Stream {
    pub async fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Subscribes and does not wait.
    pub async fn subscribe(&mut self, id: &str, topic: Value) {
        self.send(&serde_json::json!({"type": "subscribe", "id": id, "topic": topic})).await;
    }

    /// The next message that is data.
    pub async fn next(&mut self) -> Value {
        loop {
            match self.next_raw().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected a text message, got {other:?}"),
            }
        }
    }

    /// The next frame of a subscription.
    pub async fn frame(&mut self, id: &str) -> Value {
        loop {
            let message = self.next().await;
            assert_eq!(message["type"], "frame", "{message}");
            if message["id"] == id {
                return message;
            }
        }
    }

    /// The next frame of a subscription that is as wanted.
    pub async fn frame_where(&mut self, id: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = timeout(PATIENCE, async {
            while last.is_null() || !wanted(&last) {
                last = self.frame(id).await;
            }
        });
        let found = found.await.is_ok();
        assert!(found, "no such frame of `{id}` in time; the last one: {last}");
        last
    }

    /// The code with which the server closes.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.next_raw().await {
                Some(Message::Close(Some(frame))) => return frame.code.into(),
                Some(_) => {}
                None => panic!("the stream ended without a close frame"),
            }
        }
    }

    async fn next_raw(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.0.next()).await.expect("a message in time").map(|m| m.unwrap())
    }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").expect("the size of a chunk");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
}

/// A time of the test data: so many seconds after its start.
pub fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}
