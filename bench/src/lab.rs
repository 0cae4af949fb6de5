//! Where programs are measured: two network namespaces joined by a veth pair, a program on one side, the generator on the other.
//!
//! The generator is a process of its own, so that its time is not that of the bench. It stays on the last processor; the program runs
//! where the scheduler puts it.

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use netwatch_telemetry::clock::monotonic;
use netwatch_testkit::netns::{Namespace, Running};
use tempfile::TempDir;

use crate::error::BenchError;
use crate::generate;
use crate::program::{self, Bench, Program};

/// The interface that frames are sent from.
const SENDER: &str = "bench-out";
/// The interface that programs read.
pub const RECEIVER: &str = "bench-in";
/// How long a program has to begin.
const PATIENCE: Duration = Duration::from_secs(20);

/// The two namespaces, and a directory for files.
pub struct Lab {
    sender: Namespace,
    /// The side of the program.
    pub receiver: Namespace,
    directory: TempDir,
    netwatch: PathBuf,
    /// The programs that export send their records here, so that nobody answers them with errors; the queue may overflow.
    _exports: UdpSocket,
}

/// What a generator is to send.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Packets in a second; 0 for as many as the machine can.
    pub rate: u64,
    /// Different conversations.
    pub flows: u32,
    /// Conversations that begin and end before these.
    pub ended: u32,
    /// How long, after the warm-up.
    pub time: Duration,
}

impl Lab {
    /// Makes the namespaces. `netwatch`: the binary, by default the one beside this program.
    pub fn new(netwatch: Option<&Path>) -> Result<Self, BenchError> {
        let sender = Namespace::new().map_err(BenchError::Namespace)?;
        let receiver = Namespace::new().map_err(BenchError::Namespace)?;
        sender.connect(SENDER, &receiver, RECEIVER);
        let exports =
            receiver.enter(|| UdpSocket::bind("127.0.0.1:9995")).map_err(BenchError::system("bind a socket"))?;
        let directory = tempfile::tempdir().map_err(BenchError::system("make a directory"))?;
        let netwatch = netwatch.map_or_else(beside, Path::to_owned);
        Ok(Self { sender, receiver, directory, netwatch, _exports: exports })
    }

    /// How programs are started here.
    pub fn bench(&self, flows: u32, longest: Duration) -> Bench<'_> {
        Bench { namespace: &self.receiver, directory: self.directory.path(), netwatch: &self.netwatch, flows, longest }
    }

    /// Starts a program and waits until it captures.
    pub fn start(&self, program: Program, bench: &Bench<'_>) -> Result<Running, BenchError> {
        let mut running = program.start(bench)?;
        until(PATIENCE, || self.captures() || !matches!(running.0.try_wait(), Ok(None)));
        if self.captures() {
            return Ok(running);
        }
        Err(BenchError::Ended { program: program.name().to_owned(), words: program::tail(bench) })
    }

    /// Starts a generator, which sends nothing of `traffic` before [`Generator::go`] but its warm-up.
    pub fn generator(&self, traffic: Traffic) -> Result<Generator, BenchError> {
        let own = std::env::current_exe().map_err(BenchError::system("find this program"))?;
        let last = std::thread::available_parallelism().map_or(0, |n| n.get() - 1);
        let mut command = Command::new(own);
        command.args(["generate", "--warm-up", "--interface", SENDER]);
        let numbers = [("--rate", traffic.rate), ("--flows", traffic.flows.into()), ("--ended", traffic.ended.into())];
        for (key, value) in numbers.into_iter().chain([("--processor", last as u64)]) {
            command.args([key, &value.to_string()]);
        }
        command.args(["--seconds", &traffic.time.as_secs_f64().to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = self.sender.spawn(&mut command);
        let output = running.0.stdout.take().ok_or_else(|| silent(String::new()))?;
        let mut generator = Generator { running, output: BufReader::new(output) };
        let word = generator.line()?;
        if word == generate::WARM { Ok(generator) } else { Err(silent(word)) }
    }

    /// Frames that the receiver has taken in, as the kernel counts them.
    pub fn frames_received(&self) -> u64 {
        let table = self.receiver.enter(|| std::fs::read_to_string("/proc/thread-self/net/dev")).unwrap_or_default();
        let line = table.lines().find_map(|line| line.trim_start().strip_prefix(RECEIVER)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    }

    /// Whether a packet socket of the receiver is bound to its only interface beside loopback.
    fn captures(&self) -> bool {
        let table = self.receiver.enter(|| std::fs::read_to_string("/proc/thread-self/net/packet")).unwrap_or_default();
        table.lines().skip(1).any(|line| line.split_whitespace().nth(5) == Some("1"))
    }
}

/// A generator that has sent its warm-up.
pub struct Generator {
    running: Running,
    output: BufReader<ChildStdout>,
}

impl Generator {
    /// Lets it go on. It ends by itself, or when this is dropped.
    pub fn go(&mut self) {
        drop(self.running.0.stdin.take());
    }

    /// Lets it go on while `work` is done.
    pub fn go_while<R>(mut self, work: impl FnOnce() -> R) -> R {
        self.go();
        work()
    }

    /// Lets it go on to its end, and gives how long that took, in seconds.
    pub fn finish(mut self) -> Result<f64, BenchError> {
        self.go();
        let line = self.line()?;
        serde_json::from_str::<generate::Report>(&line).map(|report| report.seconds).map_err(|_| silent(line))
    }

    fn line(&mut self) -> Result<String, BenchError> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(BenchError::system("read what the generator says"))?;
        Ok(line.trim().to_owned())
    }
}

/// Waits for something, as long as `patience`.
pub fn until(patience: Duration, mut done: impl FnMut() -> bool) {
    let deadline = monotonic() + patience;
    while !done() && monotonic() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn silent(words: String) -> BenchError {
    BenchError::Words { program: "the generator".to_owned(), words }
}

fn beside() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("netwatch")
}
