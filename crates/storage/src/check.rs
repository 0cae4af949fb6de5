//! Opening a file somewhere else first: DuckDB ends its process when a file is damaged in certain ways.
//!
//! The server calls its own program again with a hidden command that calls [`report_files`]; a child that ends badly, or not in time,
//! has shown that the file it was at is damaged.

use std::collections::HashMap;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use duckdb::Connection;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::config::{Checker, StoreConfig};
use crate::duck::engine::Engine;
use crate::duck::files::attach_statement;
use crate::error::StoreError;
use crate::tenant::error_text;

/// Files that one child is asked about.
const MAX_FILES: usize = 500;
/// Bytes of a line that are read; the rest of it is not.
const MAX_LINE: usize = 4096;
/// What the child says of a file that is whole.
const OK: &str = "ok";
/// What stands before the reason of one that is not.
const BAD: &str = "bad ";

/// How thoroughly a file is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// It opens, its log is applied, its tables are there.
    Open,
    /// Every value is read.
    Full,
}

impl Depth {
    /// The depth of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Full].into_iter().find(|d| d.as_str() == word)
    }

    /// The word on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Full => "full",
        }
    }
}

/// Opens files below `root` as the store does, in this process, and reports on each: what the checking program does. This process may
/// end while it does so.
///
/// # Errors
/// When DuckDB does not start.
pub fn check_files(
    root: &Path,
    paths: &[PathBuf],
    depth: Depth,
    mut report: impl FnMut(&Path, Result<(), StoreError>),
) -> Result<(), StoreError> {
    let start = || Engine::start(&StoreConfig { threads: 1, ..StoreConfig::new(root) });
    let mut engine = start()?;
    for path in paths {
        let result = check_file(&engine, path, depth);
        // An instance that met damage may refuse everything after that.
        if result.is_err() {
            engine = start()?;
        }
        report(path, result);
    }
    Ok(())
}

fn check_file(engine: &Engine, path: &Path, depth: Depth) -> Result<(), StoreError> {
    let fail = |source| StoreError::Open { path: path.to_owned(), source };
    engine.run(&attach_statement(path, "checked")).map_err(fail)?;
    let looked = engine.connect().and_then(|connection| look(&connection, depth).map_err(fail));
    engine.run("DETACH checked").map_err(fail)?;
    looked
}

fn look(connection: &Connection, depth: Depth) -> Result<(), duckdb::Error> {
    let list = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'checked'";
    let tables: Vec<String> = connection.prepare(list)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in tables.iter().filter(|t| t.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) {
        let what = match depth {
            Depth::Open => "count(*)::VARCHAR",
            Depth::Full => "bit_xor(hash(t))::VARCHAR",
        };
        let sql = format!("SELECT {what} FROM checked.{table} t");
        let _sum: Option<String> = connection.query_row(&sql, [], |row| row.get(0))?;
    }
    Ok(())
}

/// What is wrong with files, for those with which something is.
pub(crate) fn problems(
    checker: Option<&Checker>,
    root: &Path,
    mut paths: Vec<PathBuf>,
    depth: Depth,
) -> Result<HashMap<PathBuf, String>, StoreError> {
    let mut found = HashMap::new();
    let Some(checker) = checker else {
        check_files(root, &paths, depth, |path, result| {
            if let Err(e) = result {
                found.insert(path.to_owned(), error_text(&e));
            }
        })?;
        return Ok(found);
    };
    // Each round ends with all files looked at, or with one more that is damaged.
    while !paths.is_empty() {
        match ask(checker, root, &paths, depth) {
            Ok(answer) => {
                let rest = paths.split_off(answer.verdicts.len().min(paths.len()));
                let bad = paths.drain(..).zip(answer.verdicts).filter_map(|(path, v)| v.map(|reason| (path, reason)));
                found.extend(bad);
                paths = rest;
                if let (Some(end), false) = (answer.end, paths.is_empty()) {
                    found.insert(paths.remove(0), end);
                }
            }
            // A machine that starts no process does not show that a file is damaged.
            Err(e) => {
                tracing::warn!(program = %checker.program.display(), error = %e, "files are opened without having been checked");
                break;
            }
        }
    }
    Ok(found)
}

/// What a child said before it ended.
struct Answer {
    /// For each file, in order: nothing, or what is wrong.
    verdicts: Vec<Option<String>>,
    /// How it ended, when it did not end well.
    end: Option<String>,
}

fn ask(checker: &Checker, root: &Path, paths: &[PathBuf], depth: Depth) -> std::io::Result<Answer> {
    let mut child = Command::new(&checker.program)
        .args(&checker.arguments)
        .arg(depth.as_str())
        .arg(root)
        .args(paths.iter().take(MAX_FILES))
        .envs(checker.environment.iter().map(|(k, v)| (k, v)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut verdicts = Vec::new();
    let hear = |line: &str| verdicts.extend(verdict(line, verdicts.len()));
    let is_over = child.stdout.take().map_or(Ok(true), |output| listen(output, checker.patience, hear));
    if !matches!(is_over, Ok(true)) {
        child.kill()?;
    }
    let status = child.wait()?;
    let end = match is_over? {
        true => (!status.success()).then(|| format!("the check ended with {status}")),
        false => Some("the check did not end in time".to_owned()),
    };
    // A child that ends well has said something about every file it was given.
    let silent = end.is_none() && verdicts.len() < paths.len().min(MAX_FILES);
    Ok(Answer { verdicts, end: if silent { Some("the check said nothing".to_owned()) } else { end } })
}

/// Hands on the lines of a child until its output ends; false when it was silent for so long.
///
/// No thread does this: afterwards this process gives up its rights, which it refuses while a thread is there, if only ending.
fn listen(mut output: ChildStdout, patience: Duration, mut hear: impl FnMut(&str)) -> std::io::Result<bool> {
    let (mut line, mut buffer) = (Vec::new(), [0; 4096]);
    let patience = Timespec::try_from(patience).ok();
    loop {
        match poll(&mut [PollFd::new(&output, PollFlags::IN)], patience.as_ref()) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(0) => return Ok(false),
            Ok(_) => {}
        }
        let read = output.read(&mut buffer)?;
        if read == 0 {
            return Ok(true);
        }
        for byte in buffer.iter().take(read) {
            match byte {
                b'\n' => {
                    hear(&String::from_utf8_lossy(&line));
                    line.clear();
                }
                byte if line.len() < MAX_LINE => line.push(*byte),
                _ => {}
            }
        }
    }
}

/// What a line says of file `number`; nothing when it says nothing of it, whoever wrote it.
fn verdict(line: &str, number: usize) -> Option<Option<String>> {
    let said = line.strip_prefix(&format!("{number} "))?;
    if said == OK { Some(None) } else { said.strip_prefix(BAD).map(|reason| Some(reason.to_owned())) }
}

/// The checking program: reports on standard output as the caller of the check expects it.
///
/// # Errors
/// When DuckDB does not start or nobody reads the report.
pub fn report_files(root: &Path, paths: &[PathBuf], depth: Depth, out: &mut dyn Write) -> Result<(), StoreError> {
    let mut failed = Ok(());
    let mut numbers = 0..;
    check_files(root, paths, depth, |_, result| {
        let number = numbers.next().unwrap_or(0);
        let line = match result {
            Ok(()) => format!("{number} {OK}"),
            Err(e) => format!("{number} {BAD}{}", error_text(&e).replace('\n', " ")),
        };
        // One line at a time: the next file may end this process.
        if let Err(e) = writeln!(out, "{line}").and_then(|()| out.flush()) {
            failed = Err(e);
        }
    })?;
    failed.map_err(|source| StoreError::Folder { path: root.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_of_that_file_is_a_verdict_on_it() {
        assert_eq!(verdict("3 ok", 3), Some(None));
        assert_eq!(verdict("3 bad no header", 3), Some(Some("no header".to_owned())));
        for line in ["4 ok", "ok", "3 okay", "test child ... 3 ok", ""] {
            assert_eq!(verdict(line, 3), None, "{line}");
        }
    }
}
