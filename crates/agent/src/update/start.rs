//! The very start of the agent: which program goes on, before anything else is done.
//!
//! The installed program looks at the state and runs a newer one in its place (execve(2)): the same process, arguments and environment,
//! and one variable more, [`RELEASE`], which says that the choice is made. So there is one process, which the service manager knows, and
//! going back needs nothing but the next start. A version on trial that hangs before it can give up is ended by the system.

use std::io;
use std::path::Path;

use super::TRIAL;
use super::files::Files;
use super::signature::Key;
use super::state::{Choice, Release, State};
use super::version::Version;
use crate::identity::Home;
use crate::os;
use crate::session::{Install, chain};

/// The variable of the environment that a program has which was chosen: `good 0.2.0` or `trial 0.3.0`.
pub const RELEASE: &str = "NETWATCH_AGENT_RELEASE";

const GOOD_WORD: &str = "good";
const TRIAL_WORD: &str = "trial";
/// Seconds after which the system ends a version on trial that never comes to count its own ten minutes.
const LIMIT: u32 = TRIAL.as_secs() as u32 * 3 / 2;

/// What self-update needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory.
    pub home: Home,
    /// Of the program that runs; none when it is no release.
    pub version: Option<Version>,
    /// Whose signature counts. Without any no program is taken.
    pub keys: Vec<Key>,
    /// How the program came to this host.
    pub install: Install,
    /// Whether somebody starts the agent again when it ends.
    pub supervised: bool,
}

/// The chosen program is not what it was signed as.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "this program was started as `{said}`, and says of itself that it is {own}: it was signed under a wrong version"
)]
pub struct WrongVersion {
    said: String,
    own: String,
}

/// Whether this program was chosen and is on trial, from the value of [`RELEASE`].
#[must_use]
pub fn is_trial(variable: Option<&str>) -> bool {
    variable.and_then(|value| value.split_once(' ')).is_some_and(|(word, _)| word == TRIAL_WORD)
}

/// Runs the chosen program with `run`, which does not come back unless that fails. Comes back when this program goes on.
///
/// # Errors
/// When this program was chosen as another version than it is.
pub fn start(
    settings: &Settings,
    variable: Option<&str>,
    run: impl Fn(&Path, &str) -> io::Error,
) -> Result<(), WrongVersion> {
    if let Some(said) = variable.filter(|said| !said.is_empty()) {
        let own = settings.version.map(|version| version.to_string()).unwrap_or_default();
        let named = said.split_once(' ').filter(|(word, _)| [GOOD_WORD, TRIAL_WORD].contains(word));
        let is_own = named.is_some_and(|(_, version)| version == own);
        return if is_own { Ok(()) } else { Err(WrongVersion { said: said.to_owned(), own }) };
    }
    let (Some(installed), Install::Plain, false) = (settings.version, settings.install, settings.keys.is_empty())
    else {
        return Ok(());
    };
    let files = Files::new(&settings.home);
    match files.load() {
        Ok(state) => Starting { files, settings, state }.go(installed, run),
        Err(error) => {
            tracing::error!(
                error = chain(&error),
                "what is known of newer programs cannot be read: the installed program goes on"
            );
        }
    }
    Ok(())
}

struct Starting<'a> {
    files: Files,
    settings: &'a Settings,
    state: State,
}

impl Starting<'_> {
    /// Each turn either runs a program or has one less to choose from.
    fn go(mut self, installed: Version, run: impl Fn(&Path, &str) -> io::Error) {
        loop {
            let before = self.state.clone();
            let mut choice = self.state.start(installed);
            if self.state != before && !self.save() && matches!(choice, Choice::Trial(_)) {
                // A start that is not counted is none.
                choice = self.state.older();
            }
            let (release, word) = match &choice {
                Choice::Installed => return,
                Choice::Good(release) => (release, GOOD_WORD),
                Choice::Trial(release) => (release, TRIAL_WORD),
            };
            let why = self.run(release, word, &run);
            let version = release.version;
            tracing::error!(%version, why, "this program cannot be run, and the one before goes on");
            self.state.unusable(version);
            self.save();
        }
    }

    /// Comes back with the reason when the program does not run.
    fn run(&self, release: &Release, word: &str, run: impl Fn(&Path, &str) -> io::Error) -> String {
        match self.files.verify(release, &self.settings.keys) {
            Ok(path) => {
                let version = release.version;
                tracing::info!(%version, path = %path.display(), word, "a newer program runs instead of the installed one");
                let is_limited = word == TRIAL_WORD && self.settings.supervised;
                os::end_after(if is_limited { LIMIT } else { 0 });
                let error = run(&path, &format!("{word} {version}"));
                os::end_after(0);
                error.to_string()
            }
            Err(error) => chain(&error),
        }
    }

    fn save(&self) -> bool {
        let saved = self.files.save(&self.state);
        if let Err(error) = &saved {
            tracing::error!(error = chain(error), "what is known of newer programs cannot be kept: none is tried");
        }
        saved.is_ok()
    }
}

#[cfg(test)]
mod tests;
