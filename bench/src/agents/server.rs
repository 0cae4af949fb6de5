//! The server under test: a real Netwatch with a place for agents, and what it says over its API.

use std::process::{Command, Stdio};
use std::time::Duration;

use netwatch_api::agent::EnrolmentTokenMade;
use netwatch_api::page::Page;
use netwatch_telemetry::clock::monotonic;
use netwatch_testkit::netns::{Namespace, Running};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::{self, LISTEN, TOKEN};
use crate::error::BenchError;
use crate::lab::{Lab, until};
use crate::program::{self, Bench};

/// The port for agents.
pub(super) const AGENTS: u16 = 8471;
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The label by which probes choose the agents of the bench, so that the server's own runs none.
const LABEL: (&str, &str) = ("fleet", "bench");
/// Rows of a page.
const ROWS: usize = 500;

/// The server under test, whether it runs or not.
pub(super) struct Server<'b> {
    bench: Bench<'b>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// What is read of a result: its duration is its number.
#[derive(Deserialize)]
struct Stored {
    duration: f64,
}

impl<'b> Server<'b> {
    /// In that lab; it does not run yet.
    pub(super) fn new(lab: &'b Lab) -> Self {
        Self { bench: lab.bench(1, PATIENCE) }
    }

    /// Starts it on its data directory.
    pub(super) fn start(&self) -> Result<Running, BenchError> {
        let failed = |source| BenchError::Start { program: "netwatch".to_owned(), source };
        let log = std::fs::File::create(program::log(&self.bench)).map_err(failed)?;
        let agents = format!("127.0.0.1:{AGENTS}");
        let mut command = Command::new(self.bench.netwatch);
        command.args(["up", "--interface", crate::lab::RECEIVER, "--listen", LISTEN, "--agents-listen", &agents]);
        command.arg("--data-dir").arg(self.bench.directory.join("data"));
        command.env("NETWATCH_TOKEN", TOKEN).env("NETWATCH_SERVER__RATE_LIMIT", "0");
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed)?).stderr(log);
        Ok(self.namespace().spawn(&mut command))
    }

    /// Waits until it answers.
    pub(super) fn wait(&self, running: &mut Running) -> Result<(), BenchError> {
        let answers = || api::statistics(self.namespace()).is_some();
        until(PATIENCE, || answers() || !matches!(running.0.try_wait(), Ok(None)));
        let ended = || BenchError::Ended { program: "netwatch".to_owned(), words: program::tail(&self.bench) };
        answers().then_some(()).ok_or_else(ended)
    }

    /// Makes probes that all agents of the bench run; their ids.
    pub(super) fn make_probes(&self, number: usize, interval: u32) -> Result<Vec<String>, BenchError> {
        let make = |n: usize| {
            let body = serde_json::json!({
                "name": format!("bench {n}"),
                "agents": { "labels": { LABEL.0: LABEL.1 } },
                "spec": { "kind": "ping", "target": format!("10.77.0.{}", n % 254 + 1), "interval": interval },
            });
            let answer = api::ask(self.namespace(), "POST", "/api/v1/probes", &body.to_string())?;
            read::<Made>(&answer).map(|made| made.id)
        };
        (0..number).map(make).collect()
    }

    /// A token for one agent.
    pub(super) fn token(&self) -> Result<String, BenchError> {
        let body = serde_json::json!({ "labels": { LABEL.0: LABEL.1 } }).to_string();
        let answer = api::ask(self.namespace(), "POST", "/api/v1/agent-tokens", &body)?;
        read::<EnrolmentTokenMade>(&answer).map(|made| made.secret)
    }

    /// How many agents the server shows in a state, its own among them.
    pub(super) fn agents(&self, state: &str) -> Result<usize, BenchError> {
        self.all::<serde::de::IgnoredAny>(&format!("/api/v1/agents?state={state}")).map(|agents| agents.len())
    }

    /// How many events of a kind there were.
    pub(super) fn events(&self, kind: &str) -> Result<usize, BenchError> {
        self.all::<serde::de::IgnoredAny>(&format!("/api/v1/history/events?kinds={kind}&from=-1d"))
            .map(|events| events.len())
    }

    /// How many results are in history: all, and different ones.
    pub(super) fn stored(&self, probes: &[String], made: u64) -> Result<(u64, u64), BenchError> {
        let begin = monotonic();
        loop {
            let numbers = self.numbers(probes)?;
            let different: std::collections::HashSet<u64> = numbers.iter().copied().collect();
            let count = (numbers.len() as u64, different.len() as u64);
            // What was acknowledged comes into history soon after.
            if count.1 >= made || monotonic().saturating_sub(begin) > PATIENCE {
                return Ok(count);
            }
        }
    }

    /// The numbers of all results.
    fn numbers(&self, probes: &[String]) -> Result<Vec<u64>, BenchError> {
        let mut numbers = Vec::new();
        for probe in probes {
            let stored = self.all::<Stored>(&format!("/api/v1/probes/{probe}/results?from=-1d"))?;
            numbers.extend(stored.iter().map(|result| (result.duration * super::agent::NUMBERS).round() as u64));
        }
        Ok(numbers)
    }

    /// All rows of a list, page after page.
    fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, BenchError> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let answer = api::ask(self.namespace(), "GET", &format!("{path}{joint}limit={ROWS}{cursor}"), "")?;
            let page: Page<T> = read(&answer)?;
            rows.extend(page.items);
            let Some(next) = page.next_cursor else { return Ok(rows) };
            cursor = format!("&cursor={next}");
        }
    }

    fn namespace(&self) -> &Namespace {
        self.bench.namespace
    }
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, BenchError> {
    let unclear = |error| BenchError::Words { program: "netwatch".to_owned(), words: format!("{error}: {answer}") };
    serde_json::from_str(answer).map_err(unclear)
}
