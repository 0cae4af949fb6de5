//! Configuration: what was written, then what will run.
//!
//! One YAML file and the files of `conf.d` beside it, variables `NETWATCH_<SECTION>__<KEY>`, and flags. Flags win over the
//! environment, the environment over files, later files over earlier ones, all over the defaults. Every key is described once, in
//! [`key::KEYS`], from which reading, `config show`, the JSON Schema and the shipped sample derive.
//!
//! [`Layers`] holds what was written, with its origin; [`Settings`] is the resolved result. Nothing is healed in silence: each
//! unknown key and each bad value is one [`Fault`] with its place, and all of them are told at once.
//!
//! Limits: a file has at most 1 MiB, `conf.d` at most 64 files, a list at most 64 elements of 4 KiB.

pub mod agents;
pub mod blackbox;
pub mod file;
pub mod key;
pub mod render;
pub mod settings;
pub mod sign_in;
pub mod storage;
pub mod telemetry;
pub mod value;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use netwatch_model::filter::nearest;

pub use key::Key;
pub use settings::Settings;
pub use value::{Raw, Value};

/// What all variables of Netwatch begin with.
const PREFIX: &str = "NETWATCH_";
/// The bearer token has a short name, too.
const TOKEN: &str = "NETWATCH_TOKEN";
/// Variables that stand for no key: those of flags, and those of the project's own builds and tests. Any other one that begins with
/// [`PREFIX`], but those with [`OF_TESTS`] after it, is a mistake.
const OTHER_VARIABLES: &[&str] = &[
    "NETWATCH_CONFIG",
    "NETWATCH_SERVER",
    "NETWATCH_COMMIT",
    "NETWATCH_BIN",
    "NETWATCH_BINARY",
    "NETWATCH_SCREENSHOT_SECONDS",
];
/// What follows the prefix in other variables of tests.
const OF_TESTS: &str = "TEST";

/// Where a value was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In a file.
    File {
        /// Which one.
        path: PathBuf,
        /// Line, from 1; zero when unknown.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
    },
    /// In a variable.
    Environment(String),
    /// On the command line.
    Flag(&'static str),
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where.
    pub origin: Origin,
    /// What, and what to write instead.
    pub message: String,
}

/// Everything that is wrong with the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError(pub Vec<Fault>);

impl ConfigError {
    /// One key's value is wrong.
    fn of(layers: &Layers, key: Key, message: impl Into<String>) -> Self {
        Self(vec![Fault { origin: layers.get(key).origin.clone(), message: message.into() }])
    }
}

/// A value with its origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
}

/// What was written, by key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layers {
    entries: Vec<Entry>,
    faults: Vec<Fault>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
}

impl Default for Layers {
    fn default() -> Self {
        let entry = |d: &key::Descriptor| Entry { value: d.default_value(), origin: Origin::Default };
        Self { entries: key::KEYS.iter().map(entry).collect(), faults: Vec::new(), files: Vec::new() }
    }
}

impl Layers {
    /// Reads files, then environment, then flags.
    ///
    /// `config` is the file of `--config`; without it the first existing of the usual places is read.
    pub fn load(config: Option<&std::path::Path>, environment: &[(String, String)], flags: &[(Key, Raw)]) -> Self {
        let mut layers = Self::default();
        file::load(&mut layers, config, environment);
        layers.environment(environment);
        for (key, raw) in flags {
            layers.set(*key, raw, Origin::Flag(key.descriptor().flag));
        }
        layers
    }

    /// The value of a key.
    pub fn get(&self, key: Key) -> &Entry {
        // There is an entry for each key, which the constructor guarantees.
        self.entries.get(key as usize).unwrap_or(&self.entries[0])
    }

    /// Takes over from `fresh` what takes effect on a reload.
    pub fn take_live(&mut self, fresh: &Self) {
        for descriptor in key::KEYS.iter().filter(|d| d.is_live()) {
            if let Some(entry) = self.entries.get_mut(descriptor.key as usize) {
                *entry = fresh.get(descriptor.key).clone();
            }
        }
        fresh.files.clone_into(&mut self.files);
    }

    /// Everything that is wrong, if anything is.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.faults.is_empty() { Ok(()) } else { Err(ConfigError(self.faults.clone())) }
    }

    /// Sets a value, or remembers what is wrong with it.
    fn set(&mut self, key: Key, raw: &Raw, origin: Origin) {
        match key.descriptor().kind.read(raw) {
            Ok(value) => {
                if let Some(place) = self.entries.get_mut(key as usize) {
                    *place = Entry { value, origin };
                }
            }
            Err(message) => self.fault(origin, format!("{}: {message}", key.descriptor().path())),
        }
    }

    fn fault(&mut self, origin: Origin, message: String) {
        self.faults.push(Fault { origin, message });
    }

    /// `NETWATCH_CAPTURE__INTERFACES=eth0,eth1`; an empty variable is as good as none, an unknown one is a fault.
    fn environment(&mut self, variables: &[(String, String)]) {
        for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            if name == TOKEN {
                self.set(Key::Token, &Raw::Scalar(value.clone()), Origin::Environment(name.clone()));
                continue;
            }
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if OTHER_VARIABLES.contains(&name.as_str()) || rest.starts_with(OF_TESTS) {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            let path = rest.split_once("__").map(|(section, word)| format!("{section}.{word}").to_ascii_lowercase());
            match path.and_then(|path| Key::from_path(&path)) {
                Some(key) => self.set(key, &Raw::Scalar(value.clone()), origin),
                None => {
                    let keys =
                        key::KEYS.iter().map(|d| PREFIX.to_owned() + &d.path().replace('.', "__").to_ascii_uppercase());
                    let known: Vec<String> = keys.chain(OTHER_VARIABLES.iter().map(ToString::to_string)).collect();
                    // The prefix is the same for all: it must not make strangers look alike.
                    let words =
                        known.iter().filter_map(|name| name.strip_prefix(PREFIX)).chain([&TOKEN[PREFIX.len()..]]);
                    let near = nearest(rest, words).map(|word| PREFIX.to_owned() + word);
                    self.fault(origin, unknown("variable", name, near.as_deref()));
                }
            }
        }
    }
}

/// "unknown key `x`: did you mean `y`?"
fn unknown(what: &str, word: &str, near: Option<&str>) -> String {
    let word = netwatch_model::Untrusted::new(word);
    match near {
        Some(near) => format!("unknown {what} `{word}`: did you mean `{near}`?"),
        None => format!("unknown {what} `{word}`: `netwatch config schema` lists all keys"),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0, .. } => write!(f, "{}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Environment(name) => write!(f, "variable {name}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
