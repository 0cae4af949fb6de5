//! A real server in a process of its own, so that its CPU time is told apart from the clients'.

use std::future::Future;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use netwatch_server::query::LiveStore;
use netwatch_server::{Access, Config, Dependencies, Server, ServerMetrics, listen};
use netwatch_telemetry::clock::{ClockSource, SystemClock};
use netwatch_telemetry::health::Health;
use netwatch_telemetry::metrics::{BuildInfo, Metrics};

use crate::error::BenchError;

/// The token of the bench.
pub const TOKEN: &str = "the-token-of-the-bench";

/// A server that runs until this is dropped.
pub struct Running {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Running {
    /// Starts this program with `arguments`, which make it serve, and waits until it listens.
    pub fn start<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::system("find this program"))?;
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::piped()).stdin(Stdio::piped());
        let start = |source| BenchError::Start { program: "the server".to_owned(), source };
        let child = command.spawn().map_err(start)?;
        let mut running = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut words = String::new();
        if let Some(out) = running.child.stdout.as_mut() {
            BufReader::new(out).read_line(&mut words).map_err(start)?;
        }
        let unclear = |_| BenchError::Words { program: "the server".to_owned(), words: words.clone() };
        running.address = words.trim().parse().map_err(unclear)?;
        Ok(running)
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already at worst.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Serves `store` on a free port until stdin closes, that is until the bench is gone.
pub async fn serve(
    store: Arc<LiveStore>,
    data_clock: Arc<dyn ClockSource>,
    feeder: impl Future<Output = ()> + Send + 'static,
) -> Result<String, BenchError> {
    let failed = |what: &'static str| {
        move |e: Box<dyn std::error::Error>| BenchError::system(what)(std::io::Error::other(e.to_string()))
    };
    let dir = tempfile::tempdir().map_err(BenchError::system("make a directory"))?;
    let server = build(store, data_clock, dir.path()).map_err(failed("build the server"))?;
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.map_err(|e| failed("listen")(e.into()))?;
    println!("{}", listener.local_addr().map_err(BenchError::system("tell the address"))?);
    let feeder = tokio::spawn(feeder);
    let gone = async {
        let _closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    };
    server.run(listener, gone).await.map_err(|e| failed("serve")(e.into()))?;
    feeder.abort();
    Ok(String::new())
}

fn build(
    store: Arc<LiveStore>,
    data_clock: Arc<dyn ClockSource>,
    dir: &Path,
) -> Result<Server, Box<dyn std::error::Error>> {
    let clock: Arc<dyn ClockSource> = Arc::new(SystemClock);
    let access = Arc::new(Access::open(dir, Some(TOKEN), Arc::clone(&clock))?);
    let mut registry = Metrics::new(BuildInfo { version: "bench", revision: "unknown" });
    let metrics = ServerMetrics::register(&mut registry);
    let registry = Arc::new(registry);
    let dependencies = Dependencies { store, access, clock, data_clock, health: Health::new(), registry, metrics };
    Ok(Server::build(Config::default(), dependencies)?)
}
