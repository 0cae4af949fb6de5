//! What commands share that answer others until they are stopped: rights given up, signals, words on standard error.

use std::io::{self, Write as _};

use anyhow::Context as _;
use netwatch_privilege::caps;
use netwatch_privilege::sandbox::Sandbox;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Outcome;

/// Gives every right up: what comes from the wire is judged without any.
pub(super) fn give_up_rights() -> anyhow::Result<()> {
    caps::drop_all().map_err(anyhow::Error::new)?;
    Sandbox::new().connect_only([]).enforce().map_err(anyhow::Error::new)?;
    Ok(())
}

/// The signals that end a command.
pub(super) struct Signals([Signal; 2]);

impl Signals {
    /// Watches for them; needs a runtime.
    pub(super) fn watch() -> anyhow::Result<Self> {
        let watch = |kind| signal(kind).context("cannot watch for signals");
        Ok(Self([watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?]))
    }

    /// Waits for one of them.
    pub(super) async fn asked_to_end(self) {
        let Self([mut interrupt, mut terminate]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// With commas between them.
pub(super) fn list(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A line for people.
pub(super) fn tell(text: &str) -> Outcome {
    writeln!(io::stderr(), "netwatch: {text}")?;
    Ok(())
}
