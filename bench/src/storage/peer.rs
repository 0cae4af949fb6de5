//! The programs that keep samples: how each is started, told to compact, and measured.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use netwatch_testkit::netns::{Namespace, Running};

use super::{Figures, bytes_of};
use crate::error::BenchError;
use crate::lab::until;
use crate::process::Usage;

/// Where a program listens in its namespace.
pub(super) const ADDRESS: &str = "127.0.0.1:9090";
/// How long a program may take to begin, or to compact.
const PATIENCE: Duration = Duration::from_secs(60);
/// A folder that did not change for so long is compacted.
const STILL: Duration = Duration::from_secs(3);

/// A program that keeps samples.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Peer {
    /// This project: log and telemetry store.
    Netwatch,
    /// Debian's victoria-metrics.
    Victoria,
    /// Debian's prometheus.
    Prometheus,
}

impl Peer {
    /// All, in the order of the table.
    pub(super) const ALL: [Self; 3] = [Self::Netwatch, Self::Victoria, Self::Prometheus];

    /// As it is called in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Netwatch => "netwatch",
            Self::Victoria => "victoria-metrics",
            Self::Prometheus => "prometheus",
        }
    }

    /// What answers when it can take samples.
    const fn ready_path(self) -> &'static str {
        match self {
            Self::Prometheus => "/-/ready",
            _ => "/health",
        }
    }

    /// Starts it with its files in `directory`, and waits until it listens.
    pub(super) fn start(self, namespace: &Namespace, directory: &Path) -> Result<Started, BenchError> {
        let failed = |source| BenchError::Start { program: self.name().to_owned(), source };
        let data = directory.join("data").display().to_string();
        let mut command = Command::new(self.name());
        match self {
            Self::Prometheus => {
                let config = directory.join("prometheus.yml");
                std::fs::write(&config, "global: {}\n").map_err(failed)?;
                command.arg(format!("--config.file={}", config.display())).arg(format!("--storage.tsdb.path={data}"));
                command.arg(format!("--web.listen-address={ADDRESS}"));
                command.args(["--web.enable-remote-write-receiver", "--web.enable-admin-api"]);
            }
            _ => {
                command.arg(format!("-storageDataPath={data}")).arg(format!("-httpListenAddr={ADDRESS}"));
            }
        }
        let log = std::fs::File::create(directory.join("log")).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed)?).stderr(log);
        let running = namespace.spawn(&mut command);
        // Listening comes before being ready.
        let is_ready =
            || namespace.enter(|| request("GET", self.ready_path())).is_ok_and(|answer| answer.contains(" 200 "));
        until(PATIENCE, is_ready);
        if is_ready() {
            Ok(Started { program: self, running })
        } else {
            Err(failed(std::io::ErrorKind::TimedOut.into()))
        }
    }
}

/// A program that runs.
pub(super) struct Started {
    program: Peer,
    running: Running,
}

impl Started {
    /// Lets it compact, and measures it.
    pub(super) fn finish(self, namespace: &Namespace, directory: &Path, time: Duration) -> Result<Figures, BenchError> {
        let taken = Usage::of_tree(self.running.0.id())?;
        let data = directory.join("data");
        let ask = |method: &str, path: &str| namespace.enter(|| request(method, path));
        let told = match self.program {
            Peer::Prometheus => ask("POST", "/api/v1/admin/tsdb/snapshot"),
            _ => ask("GET", "/internal/force_flush").and_then(|_| ask("GET", "/internal/force_merge")),
        };
        told.map_err(BenchError::system("ask for compaction"))?;
        let mut size = bytes_of(&data);
        until(PATIENCE, || {
            std::thread::sleep(STILL);
            let before = std::mem::replace(&mut size, bytes_of(&data));
            before == size
        });
        let done = Usage::of_tree(self.running.0.id())?;
        // A snapshot holds everything in blocks, beside the blocks and the log that were there before.
        let snapshot = bytes_of(&data.join("snapshots"));
        let bytes = match self.program {
            Peer::Prometheus => [snapshot, size - snapshot],
            _ => [size, size],
        };
        let behind = Duration::ZERO;
        Ok(Figures { time, behind, cpu: [taken.cpu, done.cpu], bytes, peak_resident_bytes: done.peak_resident_bytes })
    }
}

fn request(method: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(ADDRESS)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {ADDRESS}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
