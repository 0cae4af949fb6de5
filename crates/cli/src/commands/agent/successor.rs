//! A newer program in the place of the installed one.
//!
//! The rules are in [`netwatch_agent::update`]; here are the environment, the command line and execve(2).

use std::env;
use std::io;
use std::path::Path;
use std::process::Command;

use netwatch_agent::identity::Home;
use netwatch_agent::session::Install;
use netwatch_agent::update::{self, RELEASE, Settings};

use super::os::replace;
use crate::args::AgentRunArgs;
use crate::failure::{Failure, Outcome};

/// Whether this program is a newer one on trial. Then wrong usage must not end it for good: the next start may run the one before.
pub fn is_on_trial() -> bool {
    update::is_trial(variable().as_deref())
}

pub(super) fn settings(home: &Home, args: &AgentRunArgs) -> Settings {
    Settings {
        home: home.clone(),
        version: crate::version::short().parse().ok(),
        keys: args.update_key.clone(),
        install: installed(),
        supervised: args.supervised,
    }
}

/// Runs the program that is chosen; comes back when that is this one.
pub(super) fn start(settings: &Settings) -> Outcome {
    let started = update::start(settings, variable().as_deref(), run);
    started.map_err(|error| Failure::Other(anyhow::Error::new(error)))
}

fn variable() -> Option<String> {
    env::var(RELEASE).ok()
}

/// The same process, arguments and environment; comes back only when that fails.
fn run(path: &Path, value: &str) -> io::Error {
    replace(Command::new(path).args(env::args_os().skip(1)).env(RELEASE, value))
}

/// How the program came here: packages put it where nobody else does.
fn installed() -> Install {
    let is_package = || env::current_exe().is_ok_and(|path| path.starts_with("/usr/bin"));
    match netwatch_probes::host::container() {
        Some(_) => Install::Container,
        None if is_package() => Install::Package,
        None => Install::Plain,
    }
}
