//! `cargo xtask codegen`: the contract as files.
//!
//! The handlers of the server are the source; `openapi.json` is made of them, and the types of the web client of that file. Both
//! are checked in, so that a change of the contract is seen in review.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::tidy::with_cause;

const OPENAPI: &str = "crates/server/openapi.json";
const CLIENT_TYPES: &str = "web/src/api/schema.d.ts";

/// What to do with what was generated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write it.
    Write,
    /// Fail when it differs from what is there, and leave that as it was.
    Check,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read {path}")]
    Read { path: String, source: io::Error },
    #[error("cannot write {path}")]
    Write { path: String, source: io::Error },
    #[error("cannot start `{command}`")]
    Start { command: String, source: io::Error },
    #[error("`{command}` failed; its own message stands above")]
    Failed { command: String },
}

/// Generates everything; the error names the files that are out of date.
pub fn run(root: &Path, mode: Mode) -> Result<String, String> {
    generate(root, mode).map_err(|error| with_cause(&error))?
}

fn generate(root: &Path, mode: Mode) -> Result<Result<String, String>, Error> {
    let paths = [OPENAPI, CLIENT_TYPES];
    let before = paths.map(|path| read(&root.join(path)));
    call(
        root,
        "cargo",
        &["run", "--quiet", "--release", "--package", "netwatch-server", "--example", "openapi", "--", OPENAPI],
    )?;
    call(&root.join("web"), "npm", &["run", "--silent", "generate"])?;
    if mode == Mode::Write {
        return Ok(Ok(format!("codegen: wrote {}", paths.join(", "))));
    }
    let mut stale = Vec::new();
    for (path, before) in paths.into_iter().zip(before) {
        let (before, file) = (before?, root.join(path));
        if read(&file)? != before {
            stale.push(path);
            fs::write(&file, before).map_err(|source| Error::Write { path: path.to_owned(), source })?;
        }
    }
    if stale.is_empty() {
        return Ok(Ok("codegen: generated files are up to date".to_owned()));
    }
    Ok(Err(format!("out of date: {}; run `cargo xtask codegen` and commit the result", stale.join(", "))))
}

/// The text of a file, empty when there is none yet.
fn read(file: &Path) -> Result<String, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(Error::Read { path: file.display().to_string(), source }),
    }
}

fn call(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), Error> {
    let command = format!("{program} {}", arguments.join(" "));
    let status = Command::new(program).args(arguments).current_dir(folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Error::Failed { command }),
        Err(source) => Err(Error::Start { command, source }),
    }
}
