//! `netwatch agent status`: who the agent is, from its data directory alone; it need not run.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::Path;

use netwatch_agent::identity::{Enrolled, Home};
use netwatch_agent::session::kept_assignment;
use netwatch_agent::update::{self, MOST_STARTS, Version};
use netwatch_model::Timestamp;
use serde::Serialize;

use crate::args::Format;
use crate::commands::stdout;
use crate::failure::{Failure, Outcome, one_line};
use crate::output;
use crate::output::units::bytes;

/// What is known of an agent on this host.
#[derive(Serialize)]
struct Status {
    data_dir: String,
    running: bool,
    enrolled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    name: String,
    workspace: String,
    server: String,
    /// SHA-256 of the agent's SubjectPublicKeyInfo.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    revision: u64,
    probes: usize,
    /// Octets of the spool: what waits to be sent, and a little more.
    spool_bytes: u64,
    update: Update,
}

/// What is known of newer programs.
#[derive(Serialize, Default)]
struct Update {
    /// The version that runs instead of the installed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    good: Option<Version>,
    /// The version that is on trial, or is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<Version>,
    /// How often it was started.
    starts: u8,
    /// It did not reach the server.
    suspect: bool,
    /// Versions that are not taken again.
    bad: Vec<Version>,
    /// Why nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Prints it; exit code 1 when there is no agent, or no more.
pub(super) fn print(home: &Home, format: Format) -> Outcome {
    let enrolled = home.enrolled().map_err(|error| Failure::Other(anyhow::Error::new(error)))?;
    let status = status(home, enrolled.as_ref());
    let mut out = stdout();
    match format {
        Format::Json => output::json_line(&mut out, &status)?,
        Format::Yaml => output::yaml_document(&mut out, &status)?,
        Format::Table | Format::Csv => lines(&mut out, &status)?,
    }
    out.flush()?;
    if status.enrolled { Ok(()) } else { Err(Failure::Said(1)) }
}

fn status(home: &Home, enrolled: Option<&Enrolled>) -> Status {
    let assignment = kept_assignment(home);
    let spool = home.file("spool");
    // A look must not make a key.
    let key = enrolled.is_some().then(|| home.key().ok()).flatten();
    let of = |text: fn(&Enrolled) -> &str| enrolled.map_or("", text).to_owned();
    Status {
        data_dir: home.path().display().to_string(),
        running: is_locked(&spool.join("lock")),
        enrolled: enrolled.is_some_and(|enrolled| enrolled.deleted.is_none()),
        agent: enrolled.and_then(|enrolled| enrolled.agent.clone()),
        name: of(|enrolled| &enrolled.name),
        workspace: of(|enrolled| &enrolled.workspace),
        server: of(|enrolled| &enrolled.server),
        key: key.map(|key| key.digest().to_string()),
        enrolled_at: enrolled.map(|enrolled| enrolled.enrolled),
        deleted_at: enrolled.and_then(|enrolled| Some(enrolled.deleted.as_ref()?.time)),
        revision: assignment.revision,
        probes: assignment.all().count(),
        spool_bytes: size(&spool),
        update: updates(home),
    }
}

fn updates(home: &Home) -> Update {
    let state = match update::kept(home) {
        Ok(state) => state,
        Err(error) => return Update { error: Some(one_line(&error)), ..Update::default() },
    };
    let candidate = state.candidate.as_ref();
    Update {
        good: state.good.map(|good| good.version),
        candidate: candidate.map(|candidate| candidate.release.version),
        starts: candidate.map_or(0, |candidate| candidate.starts),
        suspect: candidate.is_some_and(|candidate| candidate.suspect),
        bad: state.bad.into_iter().collect(),
        error: None,
    }
}

fn lines(out: &mut impl std::io::Write, status: &Status) -> std::io::Result<()> {
    let Status { data_dir, name, server, workspace, .. } = status;
    if let Some(time) = status.deleted_at {
        return writeln!(out, "deleted on the server {server} ({time}); enrol it anew with --token, or uninstall it");
    }
    if !status.enrolled {
        return writeln!(out, "not enrolled: {data_dir} has no agent");
    }
    let state = if status.running { "running" } else { "not running" };
    let agent = status.agent.as_deref().unwrap_or("not known before its first session");
    writeln!(out, "{name} ({agent}) in {workspace}: {state}")?;
    writeln!(out, "server    {server}")?;
    writeln!(out, "data      {data_dir}")?;
    writeln!(out, "probes    {} (revision {})", status.probes, status.revision)?;
    writeln!(out, "spool     {}", bytes(status.spool_bytes))?;
    update_lines(out, &status.update)
}

/// Nothing where no newer program ever came.
fn update_lines(out: &mut impl std::io::Write, update: &Update) -> std::io::Result<()> {
    let Update { good, candidate, starts, suspect, bad, error } = update;
    if let Some(good) = good {
        writeln!(out, "program   {good}, newer than the installed one")?;
    }
    if let Some(candidate) = candidate {
        let text = match (suspect, starts) {
            (true, _) => "did not reach the server: the one before runs, and finds out why".to_owned(),
            (false, 0) => "is verified, and runs with the next start".to_owned(),
            (false, starts) => format!("is on trial: start {starts} of {MOST_STARTS}"),
        };
        writeln!(out, "update    {candidate} {text}")?;
    }
    if !bad.is_empty() {
        let all: Vec<String> = bad.iter().map(ToString::to_string).collect();
        writeln!(out, "bad       {}: did not reach the server, and are not taken again", all.join(", "))?;
    }
    if let Some(error) = error {
        writeln!(out, "update    not known: {error}")?;
    }
    Ok(())
}

/// Whether a process has the spool.
fn is_locked(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Octets of all files.
fn size(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}
