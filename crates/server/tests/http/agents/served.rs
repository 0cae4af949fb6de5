//! A server with a listener for agents and a log on a disk in memory.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use netwatch_model::people::{AgentSelector, ProbeId, WorkspaceId};
use netwatch_model::probe::{Probe, ProbeKind, ProbeResult, ProbeSpec, Trigger};
use netwatch_model::{AgentId, Batch, Event, EventKind, Position, Record, Severity, Timestamp};
use netwatch_server::AgentsConfig;
use netwatch_server::ingest::{Feed, Ingest, IngestMetrics, Sink, SinkError, consumers};
use netwatch_spool::testing::MemoryDisk;
use netwatch_spool::{Config as SpoolConfig, Gap, SpoolMetrics};
use netwatch_telemetry::clock::SystemClock;
use serde_json::{Value, json};

use super::link::Key;
use crate::people::now;
use crate::support::{Answer, PATIENCE, TOKEN, TestServer};

/// A server that agents can reach.
pub struct Served {
    pub server: TestServer,
    pub agents: SocketAddr,
    pub disk: MemoryDisk,
    pub ingest: Arc<Ingest>,
}

pub fn log(disk: &MemoryDisk) -> Arc<Ingest> {
    let metrics = (SpoolMetrics::unregistered(), IngestMetrics::default());
    let config = SpoolConfig { segment_bytes: 1 << 20, reserve_bytes: 4096, ..SpoolConfig::ingest(consumers(true)) };
    Arc::new(Ingest::open(config, disk.files(), Arc::new(SystemClock), metrics).unwrap().0)
}

impl Served {
    pub async fn start() -> Self {
        let (disk, folder) = (MemoryDisk::default(), tempfile::tempdir().unwrap());
        let ingest = log(&disk);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let agents = listener.local_addr().unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let config = AgentsConfig {
            listen: agents,
            address: None,
            folder: folder.path().to_owned(),
            files: None,
            releases: None,
        };
        let log = Arc::clone(&ingest);
        let server = TestServer::start_joined(move |server| {
            let serving = server.live().serve_agents(config, log).unwrap();
            tokio::spawn(serving.run(listener));
        })
        .await;
        Self { server, agents, disk, ingest }
    }

    pub async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_in(None, method, path, body).await
    }

    pub async fn call_in(&self, workspace: Option<WorkspaceId>, method: &str, path: &str, body: Value) -> Answer {
        let token = format!("Bearer {TOKEN}");
        let workspace = workspace.map(|id| id.to_string());
        let mut headers =
            vec![("authorization", token.as_str()), ("content-type", "application/json"), ("if-match", "*")];
        headers.extend(workspace.as_deref().map(|id| ("netwatch-workspace", id)));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.server.ask(method, path, &headers, &body).await
    }

    /// A new token.
    pub async fn token(&self) -> String {
        let made = self.call("POST", "/api/v1/agent-tokens", json!({})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["secret"].as_str().unwrap().to_owned()
    }

    /// A new agent.
    pub async fn enrolled(&self) -> (Key, String) {
        let key = Key::make();
        let reply = key.enrol(self.agents, &self.token().await, "web-1").await.unwrap();
        (key, AgentId(reply.agent).to_string())
    }

    pub async fn agent(&self, id: &str) -> Value {
        self.server.json(&format!("/api/v1/agents/{id}")).await
    }

    /// Waits until the API shows an agent as wanted.
    pub async fn shows(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let agent = self.agent(id).await;
            if wanted(&agent) {
                return agent;
            }
            assert!(tokio::time::Instant::now() < deadline, "not in time: {agent}");
            tokio::task::yield_now().await;
        }
    }

    pub async fn metric(&self, line: &str) -> u64 {
        let text = self.server.get("/metrics").await.body;
        let found = text.lines().find_map(|l| l.strip_prefix(line).and_then(|rest| rest.trim().parse().ok()));
        found.unwrap_or(0)
    }

    pub async fn probe(&self, workspace: WorkspaceId, agents: AgentSelector) -> ProbeId {
        let id = ProbeId::new(now(), rand());
        let probe = Probe {
            id,
            workspace,
            name: format!("probe {id}").parse().unwrap(),
            spec: ProbeSpec::new(ProbeKind::Ping, "192.0.2.1"),
            agents,
            enabled: true,
            objective: None,
            quorum: None,
            created: now(),
        };
        self.server.put(move |tx| tx.insert(&probe)).await;
        id
    }
}

fn rand() -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1_000_000);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn event(text: &str) -> Record {
    let (time, kind, severity) = (Timestamp::from_secs(5), EventKind::InterfaceUp, Severity::Info);
    Record::Event(Event { time, kind, severity, subject: "eth0".into(), text: text.into() })
}

pub fn result(probe: ProbeId) -> Record {
    let start = now();
    Record::Probe(Box::new(ProbeResult {
        probe: Some(probe),
        // Somebody else's: the session decides.
        agent: AgentId(1),
        kind: ProbeKind::Ping,
        target: "192.0.2.1".to_owned(),
        address: None,
        source: None,
        scheduled: start,
        start,
        duration: 0.1,
        trigger: Trigger::Schedule,
        late: false,
        failure: None,
        detail: None,
    }))
}

/// What the log gives to history.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<(WorkspaceId, Batch)>>>);

impl Sink for Shelf {
    fn stored(&self) -> Position {
        Position::ZERO
    }

    fn apply(&mut self, _: Position, workspace: WorkspaceId, batch: Batch, _: Timestamp) -> Result<(), SinkError> {
        self.0.lock().unwrap().push((workspace, batch));
        Ok(())
    }

    fn missing(&mut self, _: &Gap) {}

    fn flush(&mut self, _: Timestamp) -> Result<(), SinkError> {
        Ok(())
    }

    fn recover(&mut self, _: Timestamp) -> Result<(), SinkError> {
        Ok(())
    }

    fn wants_recovery(&self) -> bool {
        false
    }
}

/// Everything durable of a log.
pub fn kept(ingest: &Arc<Ingest>) -> Vec<(WorkspaceId, Batch)> {
    let shelf = Shelf::default();
    let stop = std::sync::atomic::AtomicBool::new(true);
    Feed::new(Arc::clone(ingest), shelf.clone(), None).unwrap().run(&stop);
    let all = shelf.0.lock().unwrap();
    all.clone()
}
