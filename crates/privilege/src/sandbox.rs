//! The walls around the main process: what a mistake in a dissector could reach is next to nothing.
//!
//! Why: the main process reads what strangers send and serves a web page. What: [`Sandbox::enforce`] puts up two layers, for
//! good, and tells of each whether it stands:
//! - seccomp forbids system calls that Netwatch never needs: starting programs, tracing, mounting, namespaces, modules, BPF,
//!   keys, `io_uring`, sockets other than `AF_UNIX`, `AF_INET`, `AF_INET6` and `AF_NETLINK`; they fail with `EPERM`;
//! - Landlock, where the kernel has it, leaves system files readable, the given paths readable or writable, and TCP
//!   ports to bind to the given ones; programs outside get no signal from here (Linux 6.12).
//!
//! Limits: seccomp reaches all threads, Landlock only the calling thread and those that it starts: call this before the first
//! thread. What is open already stays open. A file that is readable by its own rule, such as `/etc/localtime`, is no longer
//! readable once another file is renamed to its place. The broker must have been started before.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::caps::{CapSet, Capabilities};
use crate::status::Status;

mod filter;
mod landlock;
#[cfg(test)]
mod tests;

pub use landlock::abi as landlock_abi;

/// What the main process is left with. Nothing but system files, unless told otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sandbox {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    tcp_bind: Vec<u16>,
    tcp_connect: Option<Vec<u16>>,
}

/// A wall cannot be put up as it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A path that Netwatch needs would be shut off.
    #[error("`{}` cannot be opened for the sandbox: create it, or give another path", path.display())]
    Path {
        /// The path as given.
        path: PathBuf,
        /// Why it cannot be opened.
        #[source]
        source: std::io::Error,
    },
}

/// How far a layer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LayerState {
    /// As designed.
    Enforced,
    /// In part; the detail tells what is missing.
    Partial,
    /// Not at all; the detail tells why.
    Unavailable,
}

/// One layer of the sandbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layer {
    /// What it limits.
    pub name: &'static str,
    /// How far it stands.
    pub state: LayerState,
    /// What that means here, in words.
    pub detail: String,
}

/// What stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SandboxReport {
    /// `capabilities`, `system calls`, `files`, `network`, in this order.
    pub layers: Vec<Layer>,
}

impl Sandbox {
    /// System files may be read, and that is all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `path`, and what is beneath, may be read too.
    #[must_use]
    pub fn read(mut self, path: impl Into<PathBuf>) -> Self {
        self.read.push(path.into());
        self
    }

    /// `path`, and what is beneath, may be read, written, created and removed, but never executed.
    #[must_use]
    pub fn write(mut self, path: impl Into<PathBuf>) -> Self {
        self.write.push(path.into());
        self
    }

    /// TCP `port` may be bound; 0 stands for "any free one". A listener that exists already needs no leave.
    #[must_use]
    pub fn bind(mut self, port: u16) -> Self {
        self.tcp_bind.push(port);
        self
    }

    /// TCP connections may go to these ports only. Without this call they may go anywhere.
    #[must_use]
    pub fn connect_only(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.tcp_connect.get_or_insert_default().extend(ports);
        self
    }

    /// Puts the walls up. There is no way back.
    ///
    /// A kernel that lacks a layer is no error: the report tells.
    ///
    /// # Errors
    /// A given path cannot be opened; nothing is enforced then.
    pub fn enforce(&self) -> Result<SandboxReport, SandboxError> {
        let rules = landlock::rules(self)?;
        let threads = Status::current().map_or(1, |s| s.threads);
        let (files, network) = landlock::enforce(self, rules, threads);
        let calls = system_calls();
        Ok(SandboxReport { layers: vec![capabilities(), calls, files, network] })
    }
}

impl Layer {
    fn new(name: &'static str, state: LayerState, detail: impl Into<String>) -> Self {
        Self { name, state, detail: detail.into() }
    }
}

impl SandboxReport {
    /// Whether every layer stands as designed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.layers.iter().all(|layer| layer.state == LayerState::Enforced)
    }

    /// The layer of this name.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == name)
    }
}

impl fmt::Display for LayerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enforced => "enforced",
            Self::Partial => "enforced in part",
            Self::Unavailable => "not available",
        })
    }
}

impl fmt::Display for SandboxReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Layer { name, state, detail } in &self.layers {
            writeln!(f, "{name:<13} {state}: {detail}")?;
        }
        Ok(())
    }
}

fn capabilities() -> Layer {
    let layer = |state, detail: String| Layer::new("capabilities", state, detail);
    match Capabilities::current() {
        Ok(caps) if caps.permitted == CapSet::NONE && caps.inheritable == CapSet::NONE => {
            layer(LayerState::Enforced, "all given up".into())
        }
        Ok(caps) => layer(LayerState::Partial, format!("this process still has {}", caps.permitted)),
        Err(error) => layer(LayerState::Unavailable, error.to_string()),
    }
}

fn system_calls() -> Layer {
    let (state, detail) = match filter::install() {
        Ok(()) => {
            (LayerState::Enforced, "no programs, tracing, mounts, namespaces, modules, packet sockets".to_owned())
        }
        Err(error) => (LayerState::Unavailable, crate::chain(&error)),
    };
    Layer::new("system calls", state, detail)
}

/// Opening a path for a rule failed.
fn path_error(path: &Path, source: std::io::Error) -> SandboxError {
    SandboxError::Path { path: path.to_owned(), source }
}
