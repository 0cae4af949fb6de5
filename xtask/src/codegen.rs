//! `cargo xtask codegen`: what is written once in code and shown elsewhere too.
//!
//! - The OpenAPI document is made of the server's handlers, by a test of the server that writes it when `UPDATE` is set.
//! - The reference tables of the book are made of the descriptor lists of filter fields, configuration keys, permissions and kinds of probes.
//!
//! - The Rust of the messages of agents is made of their proto file, by protox and tonic, without protoc.
//!
//! All of it is checked in, so that a change of the contract is seen in review. The types of the web client are generated from the
//! OpenAPI document by every build of the web app, and not checked in.

mod messages;
mod sections;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use crate::tidy::with_cause;

const OPENAPI: &str = "crates/api/openapi.json";
const FILTER_LANGUAGE: &str = "docs/filter-language.md";
const CONFIGURATION: &str = "docs/configuration.md";
const PEOPLE: &str = "docs/people.md";
const PROBES: &str = "docs/probes.md";
const MESSAGES: &str = "crates/api/src/agent/v1.rs";

/// What to do with what was generated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write it.
    Write,
    /// Fail when it differs from what is there.
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
    #[error("cannot make Rust of the proto files")]
    Messages(#[from] messages::Error),
    #[error("{path} has no section `<!-- generated: {name} -->` that ends with `<!-- end -->`")]
    NoSection { path: &'static str, name: &'static str },
}

/// Generates everything; in check mode the error names the files that are out of date.
pub fn run(root: &Path, mode: Mode) -> Result<String, String> {
    let stale = generate(root, mode).map_err(|error| with_cause(&error))?;
    match (mode, stale.as_slice()) {
        (_, []) => Ok("codegen: everything is up to date".to_owned()),
        (Mode::Write, written) => Ok(format!("codegen: wrote {}", written.join(", "))),
        (Mode::Check, stale) => {
            Err(format!("out of date: {}; run `cargo xtask codegen` and commit the result", stale.join(", ")))
        }
    }
}

/// The paths of what has changed. The OpenAPI document is checked by the server's own test, with all others.
fn generate(root: &Path, mode: Mode) -> Result<Vec<&'static str>, Error> {
    let mut changed = Vec::new();
    changed.extend(put(root, MESSAGES, &messages::generate(root)?, mode)?);
    if mode == Mode::Write {
        let before = read(root, OPENAPI)?;
        // Over the workspace, as everything else: with other features everything would be compiled again.
        let test = ["test", "--quiet", "--release", "--workspace", "--test", "openapi"];
        output(cargo(root).args(test).env("UPDATE", "1"))?;
        if read(root, OPENAPI)? != before {
            changed.push(OPENAPI);
        }
    }
    let build = ["build", "--quiet", "--release", "--workspace", "--bin", "netwatch"];
    output(cargo(root).args(build))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let sample = output(Command::new(target.join("release/netwatch")).args(["config", "sample"]))?;
    for (path, name, body) in [
        (FILTER_LANGUAGE, "filter fields", sections::filter_fields()),
        (CONFIGURATION, "configuration", sections::configuration(&sample)),
        (PEOPLE, "permissions", sections::permissions()),
        (PROBES, "probes", sections::probes()),
    ] {
        let text = read(root, path)?;
        let fresh = sections::replace(&text, name, &body).ok_or(Error::NoSection { path, name })?;
        changed.extend(put(root, path, &fresh, mode)?);
    }
    Ok(changed)
}

/// The path, when what is there is not `fresh`; it is then written, unless this is a check.
fn put(root: &Path, path: &'static str, fresh: &str, mode: Mode) -> Result<Option<&'static str>, Error> {
    if fs::read_to_string(root.join(path)).is_ok_and(|text| text == fresh) {
        return Ok(None);
    }
    if mode == Mode::Write {
        fs::write(root.join(path), fresh).map_err(|source| Error::Write { path: path.to_owned(), source })?;
    }
    Ok(Some(path))
}

fn read(root: &Path, path: &str) -> Result<String, Error> {
    fs::read_to_string(root.join(path)).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Cargo, as whoever started this one would start it. What cargo has set for us (about this package, and from `.cargo/config.toml`) would
/// make it compile anew whatever looks at such variables, as ring and the bindings of DuckDB do, and all that stands on it; and once more
/// when it is started without them.
fn cargo(root: &Path) -> Command {
    const ABOUT_US: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    const FROM_CONFIG: &str = "DUCKDB_LIB_DIR";
    let mut command = Command::new("cargo");
    for (name, value) in std::env::vars_os() {
        let is_about_us = name.to_str().is_some_and(|name| ABOUT_US.iter().any(|start| name.starts_with(start)));
        if is_about_us || (name == FROM_CONFIG && Path::new(&value) == root.join("third_party/duckdb")) {
            command.env_remove(name);
        }
    }
    command.current_dir(root);
    command
}

/// What a program says on its standard output; its errors go to ours.
fn output(command: &mut Command) -> Result<String, Error> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let title = format!("{} {}", command.get_program().to_string_lossy(), words.join(" "));
    match command.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(_) => Err(Error::Failed { command: title }),
        Err(source) => Err(Error::Start { command: title, source }),
    }
}
