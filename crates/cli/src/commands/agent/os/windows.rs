//! Windows.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use tokio::signal::windows::{CtrlC, CtrlClose, CtrlShutdown, ctrl_c, ctrl_close, ctrl_shutdown};

/// Nobody is asked: what needs more rights than it has fails, and says so.
pub(in crate::commands::agent) const fn is_administrator() -> bool {
    false
}

/// In the user's own data.
pub(in crate::commands::agent) fn data_folder() -> PathBuf {
    let data = std::env::var_os("LOCALAPPDATA").map(PathBuf::from).filter(|path| path.is_absolute());
    data.unwrap_or_else(std::env::temp_dir).join("netwatch-agent")
}

/// What this host calls itself.
pub(in crate::commands::agent) fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "windows".to_owned())
}

/// Runs another program to its end, and ends with its code: Windows puts none in the place of a process. Comes back only when it cannot
/// be started.
#[expect(clippy::exit, reason = "nothing is left to do")]
pub(in crate::commands::agent) fn replace(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// Ctrl+C, the end of the console and that of the system.
pub(in crate::commands::agent) struct Signals(CtrlC, CtrlClose, CtrlShutdown);

impl Signals {
    pub(in crate::commands::agent) fn new() -> anyhow::Result<Self> {
        let failed = "cannot watch for the end";
        Ok(Self(ctrl_c().context(failed)?, ctrl_close().context(failed)?, ctrl_shutdown().context(failed)?))
    }

    pub(in crate::commands::agent) async fn asked_to_end(&mut self) {
        let Self(interrupt, close, shutdown) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    }
}
