//! Linux and macOS.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether this is root.
pub(in crate::commands::agent) fn is_administrator() -> bool {
    rustix::process::geteuid().is_root()
}

/// `/var/lib/netwatch-agent` for root, else in the user's own data.
pub(in crate::commands::agent) fn data_folder() -> PathBuf {
    if is_administrator() {
        return PathBuf::from("/var/lib/netwatch-agent");
    }
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = path("XDG_DATA_HOME").or_else(|| path("HOME").map(|home| home.join(".local/share")));
    data.unwrap_or_else(std::env::temp_dir).join("netwatch-agent")
}

/// What this host calls itself.
pub(in crate::commands::agent) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Becomes another program with the same process and environment; comes back only when that fails.
pub(in crate::commands::agent) fn replace(command: &mut Command) -> io::Error {
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    command.exec()
}

/// SIGINT and SIGTERM.
pub(in crate::commands::agent) struct Signals([Signal; 2]);

impl Signals {
    pub(in crate::commands::agent) fn new() -> anyhow::Result<Self> {
        let watch = |kind| signal(kind).context("cannot watch for signals");
        Ok(Self([watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?]))
    }

    pub(in crate::commands::agent) async fn asked_to_end(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
