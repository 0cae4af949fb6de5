//! Giving up rights, before the first thread.
//!
//! The broker keeps the right to open packet sockets and to look into processes; this process keeps none. For a capture file no
//! broker is needed at all.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use netwatch_capture::driver::OpenSocket;
use netwatch_capture::process::{LookupError, OwnerLookup, ProcLookup, Snapshot};
use netwatch_privilege::broker::{Broker, BrokerError, BrokerHandle};
use netwatch_privilege::caps;
use netwatch_privilege::report::{Capture, PrivilegeReport};
use netwatch_privilege::sandbox::{LayerState, Sandbox};
use netwatch_storage::Damaged;

use super::history;
use crate::rights::Brokered as Probing;

/// What is left to capture, after this process gave everything up.
pub struct Rights {
    /// Gives packet sockets.
    pub sockets: Arc<dyn OpenSocket>,
    /// Gives sockets to probes; none when nothing is measured.
    pub probes: Option<Arc<dyn netwatch_probes::Rights>>,
    /// Tells the processes of sockets.
    pub owners: Option<Box<dyn OwnerLookup>>,
    /// The command that grants the right to capture, when it is missing.
    pub missing: Option<String>,
    /// Files of the telemetry store that cannot be used, and why: looked at while this process could still start others.
    pub damaged: Damaged,
}

/// What this process needs after the start, beside its data directory.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Ports on this machine that it must reach itself.
    pub connect: Vec<u16>,
    /// TCP ports at which it listens later.
    pub listen: Vec<u16>,
    /// What it reads.
    pub read: Vec<PathBuf>,
}

/// Forks the broker, drops rights, puts the walls up.
///
/// With `live` there is a broker; without `processes` nobody is asked for the owners of sockets.
///
/// # Errors
/// When rights cannot be given up: Netwatch does not go on with rights that it should not have.
pub fn confine(data_dir: &Path, live: bool, processes: bool, reach: &Reach) -> anyhow::Result<Rights> {
    let rights = if !live {
        Rights { sockets: Arc::new(NoSockets), probes: None, owners: None, missing: None, damaged: Damaged::new() }
    } else {
        let report = PrivilegeReport::now().context("this process cannot be inspected: mount /proc")?;
        let missing = (report.capture == Capture::Denied).then(|| report.grant.command());
        let broker = Broker::start(owners())?;
        let owners = processes.then(|| Box::new(Owners(broker.clone())) as Box<dyn OwnerLookup>);
        let probes = Some(Arc::new(Probing(broker.clone())) as Arc<dyn netwatch_probes::Rights>);
        Rights { sockets: Arc::new(Brokered(broker)), probes, owners, missing, damaged: damaged(data_dir) }
    };
    caps::drop_all()?;
    let sandbox = Sandbox::new().write(data_dir);
    // Probes go to any port, from any free one.
    let sandbox = if live {
        reach.listen.iter().fold(sandbox.bind(0), |sandbox, port| sandbox.bind(*port))
    } else {
        sandbox.connect_only(reach.connect.iter().copied())
    };
    let sandbox = reach.read.iter().fold(sandbox, |sandbox, path| sandbox.read(path));
    for layer in sandbox.enforce()?.layers {
        let (name, detail) = (layer.name, layer.detail.as_str());
        match layer.state {
            LayerState::Enforced => tracing::debug!(name, detail, "wall stands"),
            LayerState::Partial | LayerState::Unavailable => tracing::info!(name, detail, "wall is not complete"),
        }
    }
    Ok(rights)
}

/// What a child found out about the telemetry store. Without an answer the files are opened all the same.
fn damaged(data_dir: &Path) -> Damaged {
    history::look(data_dir).unwrap_or_else(|error| {
        tracing::warn!(error = format!("{error:#}"), "the telemetry store is opened without having been checked");
        Damaged::new()
    })
}

/// What the broker does to tell the owners of sockets.
fn owners() -> impl FnMut(&mut Vec<u8>) + Send + 'static {
    let mut lookup = ProcLookup::new();
    move |out| {
        // What could not be looked up is an empty answer: flows then have no process.
        if let Ok(snapshot) = lookup.snapshot() {
            snapshot.encode(out);
        }
    }
}

/// Packet sockets from the broker.
struct Brokered(BrokerHandle);

impl OpenSocket for Brokered {
    fn open(&self) -> io::Result<OwnedFd> {
        self.0.open_packet_socket().map_err(|error| {
            let denied = matches!(error, BrokerError::Denied { .. });
            io::Error::new(if denied { io::ErrorKind::PermissionDenied } else { io::ErrorKind::Other }, error)
        })
    }
}

/// Owners of sockets from the broker.
struct Owners(BrokerHandle);

impl OwnerLookup for Owners {
    fn snapshot(&mut self) -> Result<Snapshot, LookupError> {
        let bytes = self.0.owners().map_err(|error| LookupError::Remote(Box::new(error)))?;
        Ok(Snapshot::decode(&bytes)?)
    }
}

/// A capture file needs none.
struct NoSockets;

impl OpenSocket for NoSockets {
    fn open(&self) -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
