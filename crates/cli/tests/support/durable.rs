//! A `netwatch up` that is killed, started again, and asked what it has kept. It captures nothing: programs send it what it keeps.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use netwatch_telemetry::clock::monotonic;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

/// Longest wait for something that must become so.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(30);
/// The token of new data directories.
pub const TOKEN: &str = "durability-token-0123456789";

/// A data directory, and how a server is started on it.
pub struct House {
    pub data: PathBuf,
    /// What the last server said on standard error.
    log: PathBuf,
}

/// A running server, its own process group.
pub struct Running {
    child: Child,
    address: SocketAddr,
    token: String,
    log: PathBuf,
    /// From the start of the process until `/readyz` said yes.
    pub took: Duration,
}

/// How a server ended that did not start.
#[derive(Debug)]
pub struct Refused {
    pub code: Option<i32>,
    pub err: String,
}

impl House {
    /// A house with that data directory; `folder` takes what the servers say.
    pub fn new(data: PathBuf, folder: &Path) -> Self {
        Self { data, log: folder.join("stderr") }
    }

    /// Starts a server, and waits until it is ready.
    pub fn start(&self) -> Result<Running, Refused> {
        let begun = monotonic();
        let mut child = self.spawn();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let authority = line.split_whitespace().find_map(|w| w.strip_prefix("http://")?.split('/').next());
        let Some(address) = authority.and_then(|a| a.parse().ok()) else {
            let code = child.wait().unwrap().code();
            return Err(Refused { code, err: self.said() });
        };
        let token = fs::read_to_string(self.data.join("token")).unwrap_or_default().trim().to_owned();
        let mut running = Running { child, address, token, log: self.log.clone(), took: Duration::ZERO };
        running.until("ready", |server| server.get("/readyz").is_ok_and(|(status, _)| status == 200));
        running.took = monotonic() - begun;
        Ok(running)
    }

    /// The same; a server that does not start fails the test.
    #[track_caller]
    pub fn up(&self) -> Running {
        self.start().unwrap_or_else(|refused| panic!("it does not start: {refused:#?}"))
    }

    /// A server that is killed so long after it was started.
    pub fn start_and_kill(&self, after: Duration) {
        let mut child = self.spawn();
        // waits: for the moment of the crash, which is what is tested.
        std::thread::sleep(after);
        kill(&mut child);
    }

    /// What the last server said on standard error.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    fn spawn(&self) -> Child {
        let program = std::env::var_os("NETWATCH_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_netwatch").into());
        let mut command = without_capture(program);
        command.args(["up", "--interface", "lo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&self.data);
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", self.log.parent().unwrap());
        command.env("NETWATCH_TOKEN", TOKEN).env("NETWATCH_SERVER__RATE_LIMIT", "0");
        command.stdout(Stdio::piped()).stderr(File::create(&self.log).unwrap()).process_group(0);
        command.current_dir(self.log.parent().unwrap()).spawn().expect("netwatch starts")
    }
}

/// The program without the right to capture: nothing of this machine gets into what is kept.
fn without_capture(program: OsString) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]).arg(program);
    command
}

fn kill(child: &mut Child) {
    let group = Pid::from_child(child);
    // It may have ended by itself.
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().unwrap();
}

impl Running {
    /// Kills it and all its children (`SIGKILL`), while others talk to it.
    pub fn crash(&self) {
        kill_process_group(Pid::from_child(&self.child), Signal::KILL).expect("it runs");
    }

    /// Asks it to end in order, and does not wait for that.
    pub fn ask_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
    }

    /// Ends it in order.
    #[track_caller]
    pub fn stop(mut self) {
        self.ask_to_stop();
        let until = monotonic() + PATIENCE;
        while monotonic() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                let said = String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned();
                assert!(status.success(), "{status}: {said}");
                return;
            }
            // waits: for the end, up to `PATIENCE`.
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end");
    }

    /// Asks, with the token of the data directory: status and body.
    pub fn get(&self, target: &str) -> io::Result<(u16, Value)> {
        self.request("GET", target, "")
    }

    /// Sends a body of JSON: status and body.
    pub fn post(&self, target: &str, body: &str) -> io::Result<(u16, Value)> {
        self.request("POST", target, body)
    }

    /// The answer to a question that must be answered.
    #[track_caller]
    pub fn ask(&self, target: &str) -> Value {
        let (status, body) = self.get(target).unwrap_or_else(|error| panic!("{target}: {error}"));
        assert_eq!(status, 200, "{target}: {body}");
        body
    }

    /// What `/readyz` says of a component; nothing when it is well.
    pub fn complaint(&self, component: &str) -> Option<String> {
        let report = self.get("/readyz").ok()?.1;
        let reasons = report["reasons"].as_array()?;
        let of_it = reasons.iter().find(|reason| reason["component"] == component)?;
        Some(of_it["reason"].as_str()?.to_owned())
    }

    /// Waits until it is so.
    #[track_caller]
    pub fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let until = monotonic() + PATIENCE;
        while !is_so(self) {
            let said = || String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned();
            assert!(monotonic() < until, "not {what} within {PATIENCE:?}: {:?} {}", self.get("/readyz"), said());
            // waits: for the condition above, up to `PATIENCE`.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn request(&self, method: &str, target: &str, body: &str) -> io::Result<(u16, Value)> {
        let mut stream = TcpStream::connect_timeout(&self.address, ANSWER)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let (address, token, length) = (self.address, &self.token, body.len());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        parse(&answer).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that fails leaves no server behind; one that ended has no group.
        if matches!(self.child.try_wait(), Ok(None)) {
            kill(&mut self.child);
        }
    }
}

/// Status and body of a whole answer; none when it was cut off.
fn parse(answer: &[u8]) -> Option<(u16, Value)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer).ok()? else { return None };
    let body = answer.get(length..)?;
    let declared = head.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let expected: usize = std::str::from_utf8(declared?.value).ok()?.parse().ok()?;
    if body.len() != expected {
        return None;
    }
    Some((head.code?, serde_json::from_slice(body).unwrap_or(Value::Null)))
}

/// A number from the environment, for long runs.
pub fn how_many(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A line of figures, or on what a test could not do.
#[expect(clippy::print_stderr, reason = "who runs the test must see it")]
pub fn say(line: &str) {
    eprintln!("{line}");
}
