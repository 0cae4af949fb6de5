//! A test that runs itself again as another process, which says what it has done and is killed at any moment.
//!
//! The test asks [`argument`] first: in the child it gets what it was started with, and does the work, writing a line for each thing
//! that must not be lost. In the parent it gets nothing, and starts children with [`Child::start`].

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where the child finds its argument.
const VARIABLE: &str = "NETWATCH_TESTKIT_CHILD";
/// Longest wait for a line: a child that says nothing is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running child.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    said: Arc<Said>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// What this process was started with as a child; none in the parent.
#[must_use]
pub fn argument() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

impl Child {
    /// Runs the test `name` (with its module, as libtest lists it) in a process of its own. Only lines that begin with `prefix` are
    /// kept, without it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(name: &str, argument: &str, prefix: &'static str) -> Self {
        let program = std::env::current_exe().expect("a test knows its program");
        let mut command = Command::new(program);
        command.args(["--exact", name, "--nocapture"]).env(VARIABLE, argument).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the test starts itself");
        let output = process.stdout.take().expect("its output is a pipe");
        let said = Arc::new(Said::default());
        let heard = Arc::clone(&said);
        let listener = std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(line) = line.strip_prefix(prefix) {
                    heard.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
                    heard.more.notify_all();
                }
            }
        });
        Self { process, said, listener: Some(listener) }
    }

    /// Waits until the child has said so many lines; all that it has said.
    ///
    /// # Panics
    /// When it does not within a minute.
    #[must_use]
    pub fn wait_for(&self, count: usize) -> Vec<String> {
        let lines = self.said.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.said.more.wait_timeout_while(lines, PATIENCE, |lines| lines.len() < count);
        let (lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(lines.len() >= count, "the child has said {} lines in a minute, not {count}", lines.len());
        lines.clone()
    }

    /// Kills it (`SIGKILL`); everything that it has said.
    ///
    /// # Panics
    /// When it cannot be killed, or the listener has panicked.
    #[must_use]
    pub fn kill(mut self) -> Vec<String> {
        self.end();
        let mut lines = self.said.lines.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *lines)
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(listener) = self.listener.take() {
            listener.join().expect("the listener does not panic");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}
